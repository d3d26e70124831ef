//! Whatever the station does, what was announced is there in the end, once.

use super::wrong_station::{ENDS_MID_BODY, FAILS, WrongStation};
use crate::kit::Depot;
use crate::kit::process::{Station, address, until};
use crate::kit::reading::plates;
use crate::kit::vehicle::{Settings, Vehicle, assert_at_station, images, transfer};

// policy: P-11 P-12
#[test]
fn with_the_station_down_failing_cut_off_and_killed_every_read_arrives_exactly_once() {
    let (depot, vehicle, address) = (Depot::new(), Vehicle::new(), address());
    vehicle.pictures("road", &plates(200));
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), transfer(&depot, address)]);
    let mut daemon = vehicle.start(&["--until-end", "--drain", "80"]);

    // Down.
    let message = daemon.wait_log("Reads can't be transferred for now");
    assert!(message.contains(" WARN ") && message.contains("stay in the vehicle"), "{message}");
    daemon.wait_reads(20);
    // Failing, and cut off in the middle of its answer.
    for answer in [FAILS, ENDS_MID_BODY] {
        let wrong = WrongStation::start(&depot, address, answer);
        until("some wrong answers", || (wrong.answered() >= 5).then_some(()));
        wrong.stop();
    }
    // Up, killed in the middle, and up again.
    let (station, _) = Station::start_at(&depot, address);
    until("some reads at the station", || (depot.reads() >= 20).then_some(()));
    drop(station);
    let _station = Station::start_at(&depot, address);

    let ended = daemon.end().well();
    assert_eq!(ended.reads().map(|r| r.text.clone()).collect::<Vec<_>>(), plates(200));
    assert_eq!((&ended.summary()["transferred"], &ended.summary()["pending"]), (&200.into(), &0.into()));
    vehicle.assert_stored(ended.reads());
    assert_at_station(&depot, &vehicle);
    // It was one computer all the time.
    let sql = "SELECT count(*), sum(returns) FROM vehicle_computers WHERE vehicle = 'unit-7'";
    let seen: (i64, i64) = depot.database().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(seen, (2, 0), "one installation and one session");
    assert_eq!(ended.at("ERROR"), [""; 0], "{}", ended.log);
}
