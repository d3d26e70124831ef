//! Resident memory of the daemon with one 720p source, and whether it levels off.
//!
//! `PLATED_BENCH_FRAMES` sets another number of frames than 100,000.

use super::support::{figure, resident_mib, vehicle};
use plated_core::clock::{Clock, SystemClock};
use plated_vehicle::pipeline::Daemon;
use std::sync::Arc;
use std::time::Duration;

const MB_PER_MIB: f64 = 1.048_576;
const CHECKPOINTS: u64 = 10;

fn frames() -> u64 {
    std::env::var("PLATED_BENCH_FRAMES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

pub fn run() {
    let dir = tempfile::tempdir().unwrap();
    let config = vehicle(dir.path(), "pace = \"every_frame\"\nrepeat = 0", "");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let daemon = Daemon::start(&config, clock, &Default::default()).unwrap();
    let all = frames();
    // Memory at the start and at each checkpoint: the least of the last looks before it, since a look may
    // meet a frame in the middle of its way.
    let (mut points, mut least, mut most) = (Vec::new(), f64::MAX, 0.0_f64);
    while points.len() <= CHECKPOINTS as usize {
        std::thread::sleep(Duration::from_millis(100));
        let now = MB_PER_MIB * resident_mib();
        (most, least) = (most.max(now), least.min(now));
        let status = daemon.status().unwrap();
        if status.totals.frames >= all * points.len() as u64 / CHECKPOINTS {
            println!("    {:>7} frames, {:>6} reads: {least:.1} MB", status.totals.frames, status.totals.reads);
            points.push(least);
            least = f64::MAX;
        }
    }
    daemon.stop().unwrap();
    figure("most resident memory", most, "MB", most <= 260.0, "<= 260");
    let half = points.len() / 2;
    println!("  growth in the first half, from the first tenth on: {:.1} MB", points[half] - points[1]);
    let growth = points[points.len() - 1] - points[half];
    figure("growth in the second half", growth, "MB", growth < 1.0, "< 1");
}
