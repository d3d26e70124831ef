//! "Not this vehicle" for all vehicles: found in one, approved at the station, in force in the other.

use crate::kit::process::{Daemon, Line, Station, until};
use crate::kit::vehicle::{Settings, Vehicle, images, transfer};
use crate::kit::{Depot, VEHICLE};
use plated_access::{Actor, Case, Gate, Permit, Reason, Show};
use plated_core::clock::SystemClock;
use plated_core::record::{Alerting, EntryRecord};
use plated_core::signing::Signer;
use plated_core::tls::authority::Issued;
use plated_core::user::SystemUser;
use plated_station::{ArchiveKey, Database, Publisher};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

/// `plated-station …`
fn station(depot: &Depot, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    command.args(args).arg("--config").arg(depot.dir.path().join("station.toml")).output().unwrap()
}

fn well(done: &Output) -> String {
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Publishes a list of these plates; whatever its name, the entries differ by it.
fn publish(depot: &Depot, name: &str, plates: &[&str]) {
    let entry = |plate: &&str| EntryRecord { plate: (*plate).into(), ..EntryRecord::default() };
    let text: String = plates.iter().map(|p| serde_json::to_string(&entry(p)).unwrap() + "\n").collect();
    let file = depot.dir.path().join(format!("{name}.jsonl"));
    std::fs::write(&file, text).unwrap();
    well(&station(depot, &["hotlist", "import", file.to_str().unwrap(), "--name", name]));
}

/// A vehicle of this name and certificate on a road where 7ABC123 passes again and again, and each look alerts.
fn vehicle(depot: &Depot, name: &str, files: &Issued, address: std::net::SocketAddr) -> Vehicle {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &["4KLM567", "7ABC123", "6DEF128"].map(String::from));
    // Slowly, so that two daemons and a station keep up on a busy machine.
    let source = images("front", "road", 0).replace("every_frame", "realtime").replace("rate = 15.0", "rate = 4.0");
    let mut way = transfer(depot, address);
    for (from, to) in [(&depot.vehicle.certificate, &files.certificate), (&depot.vehicle.key, &files.key)] {
        way = way.replace(from.to_str().unwrap(), to.to_str().unwrap());
    }
    let key = depot.dir.path().join("hotlist.pub");
    let tables = format!("[alert]\nrepeat_after_s = 0\n{way}[hotlist_sync]\nkey = {key:?}\ninterval_s = 0.2\n");
    vehicle.configure(&Settings::default(), &[source, tables]);
    let config = vehicle.path("plated.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, text.replace(&format!("\"{VEHICLE}\""), &format!("\"{name}\""))).unwrap();
    vehicle
}

fn hit_on(line: &Line, list: &str, alert: Alerting) -> bool {
    matches!(line, Line::Hit { hit, sounded, .. } if hit.text == "7ABC123" && hit.alert == alert
        && hit.alerting().next().or(hit.entries.first()).is_some_and(|e| e.entry.list == list)
        && *sounded == (alert == Alerting::Sounded))
}

/// What approves at the station in another person's name than the one who runs this test.
struct Office {
    data: PathBuf,
    key: ArchiveKey,
    signer: Signer,
    permit: Permit<Show>,
}

impl Office {
    fn new(depot: &Depot) -> Self {
        let key = ArchiveKey::load(&depot.config.archive_key).unwrap();
        let log = depot.archive().audit_log(Arc::new(SystemClock::new())).unwrap();
        let gate = Gate::new(Arc::new(log), plated_access::Settings::default()).0;
        let (reason, none) = (Reason::new("test").unwrap(), Case::none());
        let permit = gate.open(&supervisor(), &reason, &none, serde_json::json!({})).unwrap();
        let signer = Signer::load(&depot.config.hotlist_key).unwrap();
        Self { data: depot.config.data.clone(), key, signer, permit }
    }

    fn approve(&self, number: i64) {
        let clock = SystemClock::new();
        let database = || Database::open(&self.data.join("station.db"), &self.key);
        let mut publisher = Publisher::open(&self.data, database, "station-1", &self.signer, &clock).unwrap();
        publisher.approve_finding(&self.permit, number, None, &supervisor(), "seen the registration").unwrap();
    }
}

fn supervisor() -> Actor {
    Actor::SystemUser(SystemUser { user: "rvale".into(), uid: 1009 })
}

fn wait_for_hit(daemon: &mut Daemon, list: &str, alert: Alerting) -> String {
    let Line::Hit { hit, .. } = daemon.wait_for(|line| hit_on(line, list, alert)) else { panic!() };
    hit.short()
}

// policy: P-30
#[test]
fn what_was_found_in_one_vehicle_and_approved_at_the_station_does_not_sound_in_the_other() {
    let depot = Depot::new();
    let (_station, address) = Station::start(&depot);
    publish(&depot, "svs", &["7ABC123", "9ZZZ990"]);
    let other = depot.authority.issue_vehicle("unit-8", &depot.dir.path().join("other"), &SystemClock::new()).unwrap();
    plated_core::signing::give_public_keys(depot.dir.path(), &depot.dir.path().join("other")).unwrap();
    let (first, second) =
        (vehicle(&depot, VEHICLE, &depot.vehicle, address), vehicle(&depot, "unit-8", &other, address));
    let (mut one, mut two) = (first.start(&[]), second.start(&[]));
    let hit = wait_for_hit(&mut one, "svs", Alerting::Sounded);
    wait_for_hit(&mut two, "svs", Alerting::Sounded);

    first.plated(&["finding", "propose", &hit, "--until", "30d", "--reason", "same plate of Nevada"], "");
    let list = || well(&station(&depot, &["finding", "list", "--reason", "what waits"]));
    let waiting = until("the finding at the station", || Some(list()).filter(|text| text.contains("7ABC123")));
    assert!(waiting.contains("1 7ABC123 ") && waiting.contains("WAITS FOR A SUPERVISOR"), "{waiting}");
    assert!(waiting.contains("unit-7") && waiting.contains("same plate of Nevada"), "{waiting}");
    let same = station(&depot, &["finding", "approve", "1", "--reason", "mine"]);
    let why = String::from_utf8_lossy(&same.stderr).into_owned();
    assert!(std::env::var("SUDO_USER").is_ok() || why.contains("proposed by the same person"), "{why}");

    Office::new(&depot).approve(1);
    wait_for_hit(&mut two, "svs", Alerting::NotThisVehicle);
    wait_for_hit(&mut one, "svs", Alerting::NotThisVehicle);
    assert!(list().contains("approved for all vehicles by rvale"));
    // Another entry of the plate sounds all the same.
    publish(&depot, "bolo", &["7ABC123"]);
    wait_for_hit(&mut two, "bolo", Alerting::Sounded);
    well(&station(&depot, &["hotlist", "withdraw", "bolo", "--reason", "test"]));
    wait_for_hit(&mut two, "svs", Alerting::NotThisVehicle);

    // After a restart without the station it is in force still.
    two.terminate().well();
    drop(_station);
    let mut two = second.start(&[]);
    wait_for_hit(&mut two, "svs", Alerting::NotThisVehicle);
    let (_station, _) = Station::start_at(&depot, address);
    well(&station(&depot, &["finding", "refuse", "1", "--reason", "plates were swapped"]));
    wait_for_hit(&mut two, "svs", Alerting::Sounded);
    wait_for_hit(&mut one, "svs", Alerting::Sounded);
    for daemon in [one, two] {
        let log = daemon.terminate().well().log;
        assert!(!log.contains("7ABC123"), "{log}");
    }
    // Who looked and who decided is on record.
    let verified = well(&station(&depot, &["audit-verify"]));
    assert!(verified.contains("as it was written"), "{verified}");
    let sql = "SELECT group_concat(action, ' ') FROM (SELECT action FROM station_audit WHERE action LIKE 'finding%' ORDER BY number)";
    let decided: String = depot.database().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(decided, "finding_approved finding_refused");
}
