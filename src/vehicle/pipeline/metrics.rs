//! The numbers that a monitoring system gets.

use super::{Counters, Totals};
use crate::health::{Health, Level, OLDEST_WAITING, OVERDUE_READS, PURGED_READS, Part, WAITING_READS};
use crate::metrics::{Settings, serve};
use plated_core::clock::Clock;
use plated_core::runtime::Task;
use plated_core::shutdown::Shutdown;
use plated_vision::capture::{Capture, SourceState, SourceStatus};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Parts of which there are several, named by people: a list's name may be covert. Only how many are how well is
/// told of these.
const COUNTED: [&str; 3] = ["list", "webhook", "subscriber"];

/// Starts the endpoint.
pub fn start(
    settings: Settings,
    health: &Arc<Health>,
    capture: &Arc<Capture>,
    counters: &Arc<Counters>,
    clock: &Arc<dyn Clock>,
    runtime: &Handle,
    stop: &Shutdown,
) -> Task {
    let (parts, capture, counters) = (health.clone(), capture.clone(), counters.clone());
    let say = Arc::new(move || text(&counters.totals(), &capture.status(), &parts));
    Task::start(runtime, "The metrics", stop, serve(settings, health.clone(), clock.clone(), say))
}

/// A family of numbers in the text format of Prometheus.
fn family(out: &mut String, name: &str, kind: &str, help: &str, numbers: &[(String, f64)]) {
    // Writing into a string can't fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, number) in numbers {
        let _ = writeln!(out, "{name}{labels} {number}");
    }
}

fn text(totals: &Totals, sources: &[SourceStatus], health: &Health) -> String {
    let mut out = String::new();
    let version = format!("{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    family(&mut out, "plated_info", "gauge", "The program.", &[(version, 1.)]);
    for (name, help, number) in [
        ("frames", "Frames recognised.", totals.frames),
        ("spared_frames", "Frames not recognised, since nothing moved or to spare the computer.", totals.spared),
        ("sightings", "Plates seen in frames.", totals.sightings),
        ("reads", "Reads made durable.", totals.reads),
        ("hits", "Hits made durable.", totals.hits),
        ("alerts", "Alerts given.", totals.alerts),
        ("suppressed", "Tracks too unsure to become a read.", totals.suppressed),
        ("failed_frames", "Frames that recognition failed on.", totals.failed_frames),
        ("lost_frames", "Frames whose result never came.", totals.lost_frames),
        ("lost_reads", "Reads given up since the store could not write.", totals.lost_reads),
    ] {
        family(&mut out, &format!("plated_{name}_total"), "counter", help, &[(String::new(), number as f64)]);
    }
    let waiting = [(String::new(), totals.waiting as f64)];
    family(&mut out, "plated_reads_waiting", "gauge", "Reads that wait in memory for the store.", &waiting);
    for (name, kind, help) in [
        (WAITING_READS, "gauge", "Reads that the station has not confirmed."),
        (OLDEST_WAITING, "gauge", "Age of the oldest of them."),
        (OVERDUE_READS, "gauge", "Those of them that have to be at the station by now."),
        (PURGED_READS, "counter", "Reads deleted here since the station has them."),
    ] {
        let end = if kind == "counter" { "_total" } else { "" };
        family(&mut out, &format!("plated_{name}{end}"), kind, help, &[(String::new(), health.number(name))]);
    }
    let steps =
        [("decode", totals.decode), ("detect", totals.detect), ("rectify", totals.rectify), ("read", totals.read)];
    let steps = steps.map(|(step, time)| (format!("{{step=\"{step}\"}}"), time.as_secs_f64()));
    family(&mut out, "plated_recognition_seconds_total", "counter", "Time of all workers in recognition.", &steps);
    let of = |number: &dyn Fn(&SourceStatus) -> f64| -> Vec<(String, f64)> {
        sources.iter().map(|source| (format!("{{camera=\"{}\"}}", source.name), number(source))).collect()
    };
    let running = of(&|s| f64::from(u8::from(s.state == SourceState::Running)));
    family(&mut out, "plated_camera_running", "gauge", "Whether the camera gives frames.", &running);
    let captured = of(&|s| s.captured as f64);
    family(&mut out, "plated_camera_frames_total", "counter", "Frames captured.", &captured);
    let dropped = of(&|s| s.dropped as f64);
    family(&mut out, "plated_camera_dropped_frames_total", "counter", "Frames replaced by newer ones.", &dropped);
    let restarts = of(&|s| s.restarts as f64);
    family(&mut out, "plated_camera_restarts_total", "counter", "Times that it was opened again.", &restarts);
    let (levels, counts) = levels(&health.parts());
    family(&mut out, "plated_part_level", "gauge", "How a part is: 0 ok, 1 degraded, 2 failed.", &levels);
    family(&mut out, "plated_parts", "gauge", "How many parts of a kind are so.", &counts);
    out
}

type Numbers = Vec<(String, f64)>;

fn levels(parts: &[Part]) -> (Numbers, Numbers) {
    let mut counts: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    let mut levels = Vec::new();
    for part in parts {
        let (level, word) = match part.level {
            Level::Ok => (0., "ok"),
            Level::Degraded => (1., "degraded"),
            Level::Failed => (2., "failed"),
        };
        let kind = COUNTED.into_iter().find(|kind| part.name.strip_prefix(kind).is_some_and(|n| n.starts_with(' ')));
        match kind {
            Some(kind) => *counts.entry((kind, word)).or_default() += 1.,
            None => levels.push((format!("{{part=\"{}\"}}", part.name), level)),
        }
    }
    let counts = counts.into_iter().map(|((kind, word), n)| (format!("{{kind=\"{kind}\",level=\"{word}\"}}"), n));
    (levels, counts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use std::time::Duration;

    #[test]
    fn the_numbers_are_those_of_the_golden_file_and_name_no_list_no_person_and_no_plate() {
        let totals =
            Totals { frames: 120, reads: 7, hits: 1, detect: Duration::from_millis(1500), ..Totals::default() };
        let front = SourceStatus {
            name: "front".into(),
            position: None,
            state: SourceState::Running,
            captured: 150,
            dropped: 30,
            skipped: 0,
            lost: 0,
            packets: None,
            restarts: 1,
            last_frame: None,
            in_driver_since: None,
            note: None,
        };
        let health = Health::default();
        for (name, level, text) in [
            ("camera front", Level::Ok, "150 frames"),
            ("list covert-77", Level::Failed, "7ABC123 of J. Doe"),
            ("list svs", Level::Ok, "1 entry"),
            ("store", Level::Degraded, "2 reads in memory"),
            ("webhook doe", Level::Ok, "it took the last alert"),
        ] {
            health.report(name, level, text.into(), Timestamp::UNIX_EPOCH);
        }
        health.measure(WAITING_READS, 12.);
        health.measure(OLDEST_WAITING, 86_400.);
        let text = text(&totals, &[front], &health);
        let golden = include_str!("../../../tests/golden/metrics.txt").replace("VERSION", env!("CARGO_PKG_VERSION"));
        assert_eq!(text, golden);
        assert!(!["covert", "svs", "7ABC123", "Doe", "doe"].iter().any(|word| text.contains(word)), "{text}");
    }
}
