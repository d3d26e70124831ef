//! From the signal of the ignition to the end of the daemon, in dense traffic with the station out of reach: how long
//! a computer whose power goes with the key must be kept up. What was announced is in the store by then
//! (`tests/e2e/daemon/store.rs`).

use super::kit::Depot;
use super::kit::process::address;
use super::kit::reading::plates;
use super::kit::vehicle::{Settings, Vehicle, images, transfer};
use super::support::{figure, millis, percentile};
use std::time::{Duration, Instant};

const ENDS: usize = 9;

pub fn run() {
    let (depot, vehicle) = (Depot::new(), Vehicle::new());
    vehicle.pictures("road", &plates(60));
    let sources = [images("front", "road", 0), images("rear", "road", 0)];
    vehicle.configure(&Settings::default(), &[sources.concat(), transfer(&depot, address())]);
    let end = |_| {
        let mut daemon = vehicle.start(&[]);
        daemon.wait_reads(100);
        let began = Instant::now();
        daemon.terminate().well();
        began.elapsed()
    };
    let mut times: Vec<Duration> = (0..ENDS).map(end).collect();
    let worst = millis(percentile(&mut times, 1.0));
    let what = format!("SIGTERM in dense traffic to the end with everything kept, worst of {ENDS}");
    figure(&what, worst, "ms", worst < 3000.0, "< 3000");
}
