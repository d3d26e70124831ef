//! A disk at the station that is really full.

use crate::kit::Depot;
use crate::kit::car::{Car, send_all};
use crate::kit::disk::SmallDisk;
use crate::kit::process::Station;

// policy: P-12
#[tokio::test(flavor = "multi_thread")]
async fn a_station_whose_disk_fills_up_receipts_nothing_that_is_not_on_it_and_goes_on_when_there_is_room() {
    let depot = Depot::new();
    let Some(disk) = SmallDisk::mount(&depot.config.data, 4) else {
        eprintln!(
            "skipped: only root can mount a small disk; a limit of file sizes is tried in tests/station/service.rs"
        );
        return;
    };
    let (station, address) = Station::start(&depot);
    let mut car = Car::new();
    for n in 0..120 {
        car.put(n % 10 == 0, [4_000, 40_000]);
    }
    let link = depot.link(address);
    let mut sender = car.sender(&depot, link.clone(), 10);
    let full = loop {
        match sender.round().await {
            Ok(_) => assert!(!car.waiting().is_empty(), "5 MB do not fit on 4 MiB"),
            Err(e) => break e.chain(),
        }
    };
    assert!(full.contains("is full or failing"), "{full}");
    // It stays like this, and the station stays up.
    for _ in 0..3 {
        let error = sender.round().await.unwrap_err().chain();
        assert!(error.contains("is full or failing"), "{error}");
    }
    let taken = car.transferred();
    assert!(taken > 0 && taken < 120, "{taken}");
    disk.grow(64);
    car.assert_none_early(&depot);
    assert_eq!(send_all(&mut sender).await, 0);
    car.assert_all_at(&depot);
    drop(station);
}
