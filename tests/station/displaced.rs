//! A database that loses its place under the running station.

use crate::kit::process::{Station, until};
use crate::kit::{Depot, VEHICLE, batch, body, post, receipt, record, seal};
use plated_core::wire::Problem;
use plated_core::wire::batch::SealedRead;
use plated_vehicle::transfer::HttpsLink;
use std::fs;

async fn send(link: &HttpsLink, read: &SealedRead) -> Result<usize, (u16, String)> {
    let answer = post(link, body(&batch(VEHICLE, vec![read.clone()]))).await.unwrap();
    match answer.status {
        200 => Ok(receipt(&answer).reads.durable.len()),
        status => Err((status, serde_json::from_slice::<Problem>(&answer.body).unwrap().error)),
    }
}

// policy: P-12
// Several threads, so that the client can answer while the test waits for the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_removed_moved_or_replaced_under_the_station_gives_no_receipt_and_is_copied() {
    for way in ["removed", "its log removed", "moved", "replaced"] {
        let depot = Depot::new();
        let (_station, address, log) = Station::start_with_log(&depot);
        let link = depot.link(address);
        let (before, after) = (seal(&record(&[])), seal(&record(&[])));
        assert_eq!(send(&link, &before).await, Ok(1));

        let database = depot.config.data.join("station.db");
        let elsewhere = depot.dir.path().join("elsewhere.db");
        match way {
            "removed" => fs::remove_file(&database).unwrap(),
            "its log removed" => fs::remove_file(depot.config.data.join("station.db-wal")).unwrap(),
            "moved" => fs::rename(&database, &elsewhere).unwrap(),
            _ => {
                fs::copy(&database, &elsewhere).unwrap();
                fs::rename(&elsewhere, &database).unwrap();
            }
        }
        let (status, problem) = send(&link, &after).await.unwrap_err();
        assert!(status == 503 && problem.contains("not in its place; nothing was taken"), "{way}: {status} {problem}");

        // The log says what happened and what to do, once, and all that was receipted is in a copy.
        let errors = || -> Vec<String> {
            let log = fs::read_to_string(&log).unwrap();
            log.lines().filter(|line| line.contains("ERROR")).map(str::to_owned).collect()
        };
        let error = until("the error in the log", || errors().pop());
        for expected in ["can't be used any more", "was copied to", "station.db.rescued-1", "move it back"] {
            assert!(error.contains(expected), "{way}: {error}");
        }
        assert!(send(&link, &after).await.is_err(), "{way}");
        assert_eq!(errors().len(), 1, "{way}");
        let copy = depot.database_at(&depot.config.data.join("station.db.rescued-1"));
        let held = copy.query_row("SELECT vehicle FROM vehicles", [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(held, VEHICLE, "{way}");

        if way == "moved" {
            fs::rename(&elsewhere, &database).unwrap();
            assert_eq!(send(&link, &after).await, Ok(1), "it is back");
            assert_eq!((depot.stored(&before), depot.stored(&after)), (1, 1));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_put_in_the_place_of_a_removed_database_goes_on_with_all_reads() {
    let depot = Depot::new();
    let (station, address, log) = Station::start_with_log(&depot);
    let (before, after) = (seal(&record(&[])), seal(&record(&[])));
    assert_eq!(send(&depot.link(address), &before).await, Ok(1));
    let data = |name: &str| depot.config.data.join(name);
    fs::remove_file(data("station.db")).unwrap();
    assert!(send(&depot.link(address), &after).await.is_err());
    drop(station);

    // As the log says, but for a start in between, which says it again.
    let (station, _, again_log) = Station::start_with_log(&depot);
    assert_eq!(log, again_log);
    until("the error at the start", || {
        fs::read_to_string(&log).unwrap().contains("is a copy of a database").then_some(())
    });
    drop(station);
    for name in ["station.db", "station.db-wal", "station.db-shm"] {
        let _ = fs::remove_file(data(name));
    }
    fs::rename(data("station.db.rescued-1"), data("station.db")).unwrap();
    let (_station, address) = Station::start(&depot);
    assert_eq!(send(&depot.link(address), &after).await, Ok(1));
    assert_eq!((depot.stored(&before), depot.stored(&after)), (1, 1));
}
