//! From the ignition or the signal to the end of the daemon, on a busy drive: dense traffic before two cameras, a sixth of
//! it wanted, the station out of reach. How long a computer whose power goes with the key must be kept up. What was
//! announced is in the store by then (`tests/e2e/daemon/store.rs`, `tests/vehicle/computer.rs`).

use super::kit::Depot;
use super::kit::process::{Daemon, address};
use super::kit::reading::plates;
use super::kit::vehicle::{Settings, Vehicle, images, transfer};
use super::support::{figure, millis, percentile};
use std::time::{Duration, Instant};

const ENDS: usize = 9;

pub fn run() {
    let (depot, vehicle) = (Depot::new(), Vehicle::new());
    let road = plates(60);
    vehicle.pictures("road", &road);
    let wanted = road.iter().step_by(6).map(|plate| format!("{plate},high\n")).collect::<String>();
    std::fs::write(vehicle.path("list.csv"), format!("plate,priority\n{wanted}")).unwrap();
    let sources = [images("front", "road", 0), images("rear", "road", 0)];
    let tables =
        "[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\n[power]\nignition_file = \"ignition\"\n".to_owned();
    vehicle.configure(&Settings::default(), &[sources.concat(), transfer(&depot, address()), tables]);
    let ignition = |on: bool| std::fs::write(vehicle.path("ignition"), if on { "1\n" } else { "0\n" }).unwrap();
    let worst = |what: &str, end: &dyn Fn(Daemon)| {
        let one = |_| {
            ignition(true);
            let mut daemon = vehicle.start(&[]);
            daemon.wait_reads(100);
            let began = Instant::now();
            end(daemon);
            began.elapsed()
        };
        let mut times: Vec<Duration> = (0..ENDS).map(one).collect();
        let worst = millis(percentile(&mut times, 1.0));
        let what = format!("{what} on a busy drive to the end with everything kept, worst of {ENDS}");
        figure(&what, worst, "ms", worst < 3000.0, "< 3000");
    };
    worst("SIGTERM", &|daemon| _ = daemon.terminate().well());
    worst("ignition off, its half second included,", &|daemon| {
        ignition(false);
        daemon.end().well();
    });
}
