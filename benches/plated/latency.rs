//! From a frame's capture to its hit on disk and its chime handed to the sound device, at 15
//! frames a second, with images encoded and stored and a null sound device.

use super::support::{figure, millis, percentile, stolen, vehicle};
use plated_core::clock::{Clock, SystemClock};
use plated_vehicle::events::Next;
use plated_vehicle::pipeline::{Announcement, Daemon};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// Plays of the drive, each with a hit on every plate.
const PLAYS: u32 = 6;

pub fn run() {
    let dir = tempfile::tempdir().unwrap();
    null_sound(dir.path());
    let mut list = std::fs::File::create(dir.path().join("list.csv")).unwrap();
    writeln!(list, "plate,priority").unwrap();
    for line in std::fs::read_to_string(super::support::at("fixtures/drive.jsonl")).unwrap().lines() {
        let label: serde_json::Value = serde_json::from_str(line).unwrap();
        writeln!(list, "{},high", label["plate"].as_str().unwrap()).unwrap();
    }
    let rest = "[alert]\nrepeat_after_s = 0\n[[hotlists]]\nname = \"all\"\npath = \"list.csv\"";
    let config = vehicle(dir.path(), &format!("repeat = {PLAYS}"), rest);
    let stolen_before = stolen();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let daemon = Daemon::start(&config, clock.clone(), &Default::default()).unwrap();
    let mut events = daemon.events().resume(0);
    let live = daemon.live(None, None, plated_access::Case::none());
    let durable = std::thread::spawn(move || {
        let mut kept = Vec::new();
        loop {
            match events.next(Duration::from_secs(60)) {
                Next::Event(number, event) => {
                    let at = clock.monotonic();
                    if let Some(Announcement::Hit { captured, .. }) = live.admit(number, &event) {
                        kept.push((captured, at));
                    }
                }
                Next::Lagged(missed) => panic!("{missed} events missed"),
                Next::TimedOut => {}
                Next::Closed => return kept,
            }
        }
    });
    let started = daemon.chimes();
    let mut chimes = Vec::new();
    while !daemon.is_done() {
        if let Ok(chime) = started.recv_timeout(Duration::from_millis(100)) {
            chimes.push(chime.at);
        }
    }
    let dropped: u64 = daemon.status().unwrap().sources.iter().map(|s| s.dropped).sum();
    daemon.stop().unwrap();
    let kept = durable.join().unwrap();
    // The chime of a hit is the first that starts after the hit's frame was captured, and a hit
    // counts as sounded only when both are there.
    let mut to_disk: Vec<Duration> = kept.iter().map(|(captured, at)| *at - *captured).collect();
    let mut to_sound: Vec<Duration> = kept
        .iter()
        .filter_map(|(captured, _)| chimes.iter().filter(|c| *c >= captured).min().map(|c| *c - *captured))
        .collect();
    println!("  {} hits, {} chimes, {dropped} frames dropped", kept.len(), chimes.len());
    println!("    stolen by the host of this virtual machine: {:.0} ms", millis(stolen() - stolen_before));
    println!(
        "    capture to hit on disk: p50 {:.1} ms, p99 {:.1} ms",
        millis(percentile(&mut to_disk, 0.5)),
        millis(percentile(&mut to_disk, 0.99))
    );
    let p99 = millis(percentile(&mut to_sound, 0.99));
    println!("    capture to chime start: p50 {:.1} ms", millis(percentile(&mut to_sound, 0.5)));
    figure("capture to persisted hit and chime start, p99", p99, "ms", p99 < 150.0, "< 150");
}

/// A sound device that takes samples and plays nothing.
fn null_sound(dir: &std::path::Path) {
    let path = dir.join("asound.conf");
    std::fs::write(&path, "pcm.!default { type plug slave.pcm \"null\" }\npcm.null { type null }\n").unwrap();
    #[allow(unsafe_code, reason = "set before any other thread runs")]
    unsafe {
        std::env::set_var("ALSA_CONFIG_PATH", &path);
    }
}
