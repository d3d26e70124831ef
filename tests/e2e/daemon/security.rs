//! Signs of a breach in the vehicle are found at the station (control P-26).

use crate::kit::process::{Station, address, until};
use crate::kit::reading::plates;
use crate::kit::vehicle::{Settings, Vehicle, images, transfer};
use crate::kit::{Depot, VEHICLE};
use plated_core::clock::SystemClock;
use plated_vehicle::store::{Key, Options, Store};
use std::sync::Arc;
use uuid::Uuid;

/// Somebody comes to the vehicle's store with another key.
fn intrude(vehicle: &Vehicle) {
    let key = Key::create_file(&vehicle.path(&format!("{}.key", Uuid::now_v7()))).unwrap();
    let options = Options { path: vehicle.path("store.db"), max_bytes: None, vehicle: VEHICLE.into() };
    assert!(Store::open(options, &key, Arc::new(SystemClock::new())).is_err());
}

/// Row, word and sentence of each sign of a breach at the station.
fn at_station(depot: &Depot) -> Vec<(i64, String, String)> {
    let database = depot.database();
    let sql = "SELECT number, indicator, text FROM breaches WHERE vehicle = 'unit-7' ORDER BY received, number";
    let mut find = database.prepare(sql).unwrap();
    find.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
}

// policy: P-26
#[test]
fn a_sign_of_a_breach_in_the_vehicle_is_at_the_station_once_also_when_either_was_down() {
    let (depot, vehicle, address) = (Depot::new(), Vehicle::new(), address());
    vehicle.pictures("road", &plates(2));
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), transfer(&depot, address)]);
    vehicle.store().close().unwrap();
    intrude(&vehicle);
    // The station is down, and the vehicle ends without having reached it.
    let mut daemon = vehicle.start(&[]);
    daemon.wait_log("could not be told of a sign of a breach yet");
    daemon.kill();

    let (station, _) = Station::start_at(&depot, address);
    let daemon = vehicle.start(&[]);
    let words = || at_station(&depot).into_iter().map(|(_, word, _)| word).collect::<Vec<_>>();
    until("it at the station", || (words() == ["store_key_mismatch"]).then_some(()));
    daemon.terminate().well();
    // Another one, and a restart of both: each is there once.
    intrude(&vehicle);
    drop(station);
    let (station, _) = Station::start_at(&depot, address);
    for _ in 0..2 {
        let mut daemon = vehicle.start(&[]);
        daemon.wait_reads(1);
        until("the second one", || (words().len() == 2).then_some(()));
        daemon.terminate().well();
    }
    let known = at_station(&depot);
    assert_eq!(words(), ["store_key_mismatch"; 2]);
    assert!(known[0].0 < known[1].0, "two rows of the vehicle's audit log");
    drop(station);
    let status = depot.status();
    let told =
        format!("SECURITY vehicle {VEHICLE}: the store was made with another key than the one that is there; noticed ");
    assert_eq!(status.matches(&told).count(), 2, "{status}");
}
