//! Resident memory of the daemon with one 720p source, over 20,000 frames.

use super::support::{figure, resident_mib, vehicle};
use plated_core::clock::{Clock, SystemClock};
use plated_vehicle::pipeline::Daemon;
use std::sync::Arc;
use std::time::Duration;

const FRAMES: u64 = 20_000;
/// Growth is counted from here: by then every buffer and pool has its size.
const SETTLED: u64 = 4_000;

pub fn run() {
    let dir = tempfile::tempdir().unwrap();
    let config = vehicle(dir.path(), "pace = \"every_frame\"\nrepeat = 0", "");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let daemon = Daemon::start(&config, clock, &Default::default()).unwrap();
    let (mut settled, mut most) = (None, 0.0_f64);
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let frames = daemon.status().unwrap().totals.frames;
        let now = resident_mib();
        most = most.max(now);
        if frames >= SETTLED && settled.is_none() {
            settled = Some(now);
        }
        if frames >= FRAMES {
            break;
        }
    }
    let end = resident_mib();
    let reads = daemon.status().unwrap().totals.reads;
    daemon.stop().unwrap();
    let start = settled.unwrap();
    println!("  {FRAMES} frames, {reads} reads stored; {start:.1} MiB after {SETTLED} frames, {end:.1} MiB at the end");
    figure("most resident memory", most, "MiB", most < 350.0, "< 350");
    let growth = end - start;
    figure("growth", growth, "MiB", growth <= 8.0, "none (8 MiB of allocator noise allowed)");
}
