//! A disk at the station that is really full.

use crate::kit::Depot;
use crate::kit::car::{Car, send_all};
use crate::kit::process::Station;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory of a few MiB. Gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where this may not be done.
    fn mount(at: &Path, mib: u32) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mib}m,mode=700"), "tmpfs"]).arg(at);
        mount.output().is_ok_and(|done| done.status.success()).then(|| Self(at.to_owned()))
    }

    fn grow(&self, mib: u32) {
        let size = format!("remount,size={mib}m");
        assert!(Command::new("mount").args(["-o", &size]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a station that was killed may still hold it for a moment.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

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
    assert!(full.contains("disk is full"), "{full}");
    // It stays like this, and the station stays up.
    for _ in 0..3 {
        let error = sender.round().await.unwrap_err().chain();
        assert!(error.contains("disk is full"), "{error}");
    }
    let taken = car.transferred();
    assert!(taken > 0 && taken < 120, "{taken}");
    disk.grow(64);
    car.assert_none_early(&depot);
    assert_eq!(send_all(&mut sender).await, 0);
    car.assert_all_at(&depot);
    drop(station);
}
