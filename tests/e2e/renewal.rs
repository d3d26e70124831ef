//! A vehicle renews its certificate by itself, over the one that ends, whatever goes wrong on the way.

use crate::kit::process::{Station, until};
use crate::kit::reading::plates;
use crate::kit::vehicle::{Settings, Vehicle, images, transfer};
use crate::kit::{Depot, VEHICLE};
use jiff::{SignedDuration, Timestamp};
use plated_core::clock::ManualClock;
use plated_core::medium::MediumKey;
use plated_core::tls::Validity;
use plated_core::tls::authority::Issued;
use plated_core::tls::{Files, Identity};

/// A vehicle whose certificate of two years ends in so many days.
fn ends_in(depot: &Depot, days: i64) -> Issued {
    let made = Timestamp::now() - SignedDuration::from_hours(24 * (730 - days));
    let folder = depot.dir.path().join("ending");
    let issued = depot.authority.issue_vehicle(VEHICLE, &folder, &ManualClock::at(made)).unwrap();
    std::fs::copy(depot.dir.path().join("receipt.pub"), folder.join("receipt.pub")).unwrap();
    issued
}

fn configure(vehicle: &Vehicle, depot: &mut Depot, address: std::net::SocketAddr, days: i64) -> Validity {
    depot.vehicle = ends_in(depot, days);
    vehicle.pictures("road", &plates(3));
    let source = images("front", "road", 0).replace("every_frame", "realtime");
    vehicle.configure(&Settings::default(), &[source, transfer(depot, address)]);
    let Issued { ca, certificate, key } = &depot.vehicle;
    Identity::load(&Files { ca, certificate, key }).unwrap().validity
}

fn certificates(depot: &Depot) -> Vec<(String, bool)> {
    let database = depot.database();
    let sql = "SELECT state, renews IS NOT NULL FROM vehicle_certificates ORDER BY added";
    let mut rows = database.prepare(sql).unwrap();
    let found = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    found.map(Result::unwrap).collect()
}

// policy: P-26
#[test]
fn a_certificate_that_ends_soon_is_renewed_and_the_old_one_is_over_when_the_new_one_is_used() {
    let mut depot = Depot::new();
    let (_station, address) = Station::start(&depot);
    let vehicle = Vehicle::new();
    configure(&vehicle, &mut depot, address, 40);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_log("The vehicle has a new certificate");
    let two = [("retired".to_owned(), false), ("active".to_owned(), true)];
    until("the end of the old one", || (certificates(&depot) == two).then_some(()));
    let (status, _) = vehicle.status();
    let line = status.lines().find(|line| line.contains("certificate: ")).unwrap();
    assert!(line.starts_with("ok") && line.contains("is renewed by itself from"), "{line}");
    // The key lies sealed beside the store, and nowhere in plain text.
    let sealed = std::fs::read(vehicle.path("store.db.identity")).unwrap();
    assert!(!sealed.windows(7).any(|bytes| bytes == b"PRIVATE" || bytes == b"BEGIN C"));
    // Reads go on over the new one, after a start too.
    let sent = depot.reads();
    until("more reads", || (depot.reads() > sent).then_some(()));
    daemon.terminate().well();
    let sent = depot.reads();
    let daemon = vehicle.start(&[]);
    until("reads after a start", || (depot.reads() > sent).then_some(()));
    assert_eq!(certificates(&depot).len(), 2, "nothing is left to renew");
    daemon.terminate().well();
    let events = vehicle.plated(&["audit", "show", "--reason", "review"], "");
    assert!(events.contains("certificate_renewed"), "{events}");
}

// policy: P-11, P-26
#[test]
fn a_vehicle_that_renewed_its_certificate_exports_a_medium_by_the_new_one_and_the_station_takes_it() {
    let mut depot = Depot::new();
    let recipient = depot.dir.path().join("medium.pub");
    MediumKey::create_file(&depot.config.medium_key).unwrap().recipient().write(&recipient).unwrap();
    let (station, address) = Station::start(&depot);
    let vehicle = Vehicle::new();
    configure(&vehicle, &mut depot, address, 40);
    let source = images("front", "road", 0).replace("every_frame", "realtime");
    let transfer = transfer(&depot, address) + &format!("medium_recipient = \"{}\"\n", recipient.display());
    vehicle.configure(&Settings::default(), &[source, transfer]);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_log("The vehicle has a new certificate");
    let two = [("retired".to_owned(), false), ("active".to_owned(), true)];
    until("the end of the old one", || (certificates(&depot) == two).then_some(()));
    // The link is gone, and reads wait.
    drop(station);
    let sent = depot.reads();
    let announced = daemon.announced();
    daemon.wait_reads(announced + 3);
    daemon.terminate().well();
    let stick = depot.dir.path().join("stick");
    std::fs::create_dir(&stick).unwrap();
    let exported = vehicle.plated(&["medium", "export", stick.to_str().unwrap(), "--reason", "no link"], "");
    assert!(exported.contains("reads in "), "{exported}");
    let taken = depot.well(&["medium", "import", stick.to_str().unwrap(), "--reason", "from unit-7"]);
    assert!(taken.contains("reads in"), "{taken}");
    assert!(depot.reads() > sent);
    assert_eq!(certificates(&depot), two);
}

// policy: P-26
#[test]
fn a_daemon_killed_at_any_point_of_a_renewal_has_a_certificate_that_counts() {
    let mut depot = Depot::new();
    let (_station, address) = Station::start(&depot);
    let vehicle = Vehicle::new();
    configure(&vehicle, &mut depot, address, 40);
    // After so many milliseconds, wherever it is then.
    for pause in [200, 400, 600, 800, 1000, 1200, 1500, 2000] {
        let daemon = vehicle.start(&[]);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        daemon.kill();
    }
    let mut daemon = vehicle.start(&[]);
    let sent = depot.reads();
    until("more reads", || (depot.reads() > sent).then_some(()));
    until("the end of the old one", || {
        let found = certificates(&depot);
        let counts = found.iter().filter(|(state, _)| state == "active").count();
        (found[0].0 == "retired" && counts == 1).then_some(())
    });
    assert!(daemon.is_running());
    daemon.terminate().well();
}

#[test]
fn a_certificate_that_can_not_be_renewed_is_a_warning_before_its_end() {
    let mut depot = Depot::new();
    let vehicle = Vehicle::new();
    configure(&vehicle, &mut depot, "127.0.0.1:1".parse().unwrap(), 20);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_log("Reading plates.");
    let line = until("the warning", || {
        let (status, _) = vehicle.status();
        status.lines().find(|line| line.contains(" certificate: it ends")).map(str::to_owned)
    });
    assert!(line.starts_with("WARN") && line.contains("could not be renewed yet: could not reach"), "{line}");
    daemon.terminate().well();
}
