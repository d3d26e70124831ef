//! Clocks that are set back and ahead by a year, at either end.

use crate::kit::Depot;
use crate::kit::car::{Car, assert_at, send_all};
use crate::kit::clock::Moved;
use crate::kit::process::Station;
use jiff::SignedDuration;
use plated_core::error::Kind;
use plated_station::archive::{Archive, SqliteArchive};
use plated_station::{ArchiveKey, Purging, StationServer};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::block_in_place;

/// How often a running station would look; these look when they are told.
const LOOK: Duration = Duration::from_secs(900);
const YEAR: SignedDuration = SignedDuration::from_hours(24 * 366);

// policy: P-12
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_or_ahead_by_a_year_at_either_end_loses_doubles_and_marks_nothing() {
    for of_station in [false, true] {
        for jump in [YEAR, -YEAR] {
            for depot in block_in_place(Depot::on_each_engine) {
                jumps(&depot, of_station, jump).await;
            }
        }
    }
}

async fn jumps(depot: &Depot, of_station: bool, jump: SignedDuration) {
    let clock = Arc::new(Moved::new());
    let server = StationServer::bind(&depot.config, clock.clone()).await.unwrap();
    let address = server.address();
    tokio::spawn(server.run(std::future::pending()));
    let mut car = Car::new();
    let moved = if of_station { clock } else { car.clock.clone() };
    for by in [SignedDuration::ZERO, jump, -jump] {
        moved.on(by, Duration::ZERO);
        car.put(false, [2_000, 9_000]);
        car.put(true, [2_000, 9_000]);
        let mut sender = car.sender(depot, depot.link(address), 3);
        // A vehicle whose certificate is not valid by its clock waits until that is right.
        let wrong = !of_station && by == jump;
        for _ in 0..3 {
            let sent = sender.round().await.map_err(|e| e.chain());
            assert!(sent.is_ok() || wrong, "{of_station} {jump} {sent:?}");
        }
        drop(sender);
        block_in_place(|| car.assert_none_early(depot));
        car.reopen();
    }
    assert_eq!(send_all(&mut car.sender(depot, depot.link(address), 3)).await, 0);
    block_in_place(|| car.assert_all_at(depot));
}

// policy: P-14
#[tokio::test(flavor = "multi_thread")]
async fn a_station_whose_clock_is_set_ahead_deletes_nothing_until_it_is_right_or_a_time_server_keeps_it() {
    let depot = Depot::new();
    let mut car = Car::new();
    car.put(false, [2_000, 9_000]);
    let (station, address) = Station::start(&depot);
    assert_eq!(send_all(&mut car.sender(&depot, depot.link(address), 3)).await, 0);
    drop(station);
    let key = ArchiveKey::load(&depot.config.archive_key).unwrap();
    let archive = Arc::new(SqliteArchive::open(&depot.config.archive(key)).unwrap());
    let clock = Arc::new(Moved::new());
    let refused = |purge: &Purging, why: &str| {
        let error = purge.once().unwrap_err();
        assert!(error.kind() == Kind::Refused && error.chain().contains(why), "{}", error.chain());
        assert_at(&depot, &car.put[0]);
    };
    let running = Purging::new(archive.clone(), clock.clone(), LOOK).unwrap();
    running.once().unwrap();
    clock.on(YEAR, Duration::ZERO);
    refused(&running, "hours ahead since the station started");
    // Started again, it can't know of the jump, but that no vehicle has made a read for a year.
    let again = Purging::new(archive.clone(), clock.clone(), LOOK).unwrap();
    refused(&again, "no read is of the 7 days before");
    clock.on(-YEAR, Duration::ZERO);
    again.once().unwrap();
    assert_at(&depot, &car.put[0]);
    // Time that really passes is another matter, where a time server vouches for it.
    clock.on(YEAR, Duration::from_secs(YEAR.as_secs().unsigned_abs()));
    clock.keep(true);
    again.once().unwrap();
    assert_eq!(archive.certificates().unwrap().len(), 1);
}
