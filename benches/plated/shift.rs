//! The console in a real browser: how soon an alert can be seen, and whether a shift leaves daemon and browser as
//! they were.
//!
//! Recognition is played by models that cost next to nothing, so that a twelve-hour shift passes in minutes; all else is
//! real: daemon, store, HTTPS, Chromium.

use super::support::{figure, millis, percentile, resident_mib_of};
use crate::kit::browser::{self, Cab};
use crate::kit::vehicle::Vehicle;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Reads and alerts of a shift of twelve hours, as it is played.
///
/// Cameras at the real pace: one that is played as fast as the machine can brings alerts faster than anybody answers them, and
/// what grows then is the queue.
const SHIFT: Drive = Drive { reads: 30_000, alert_every: 300, cameras: 6, rate: 15.0 };
/// A busy road, for how soon an alert can be seen.
const ROAD: Drive = Drive { reads: 160, alert_every: 2, cameras: 1, rate: 2.0 };
/// `PLATED_BENCH_READS` sets another number of reads of the shift.
const READS: &str = "PLATED_BENCH_READS";
/// What is in use may differ by so much between the middle of the shift and its end.
const FLAT: f64 = 1.03;
/// How often the log is looked at.
const POLL: Duration = Duration::from_millis(500);
/// What sounded last is drawn by then, or counts as not seen.
const LAST_LOOK: Duration = Duration::from_secs(5);
/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Digits by which the log names a hit.
const SHORT: usize = 8;
/// Looks at memory that count as the middle, and as the end.
const LOOKS: usize = 5;

#[derive(Clone, Copy)]
struct Drive {
    reads: usize,
    alert_every: usize,
    cameras: usize,
    /// Pictures a second of each; faster than 20, and two plates would be taken for one.
    rate: f64,
}

/// A line of what the script says.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Watching { watching: f64 },
    Seen { hit: String, at: f64 },
    Memory { heap: f64, nodes: f64, listeners: f64, waiting: f64 },
}

/// What was there at one moment of the shift.
#[derive(Clone, Copy)]
struct Memory {
    daemon_mib: f64,
    heap_mib: f64,
    nodes: f64,
    listeners: f64,
    /// Alerts without an answer.
    waiting: f64,
}

#[derive(Default)]
struct Course {
    /// When the page was open. What sounded before stood in it from the beginning, and was not drawn then.
    watching: Option<SystemTime>,
    /// By the end of the hit's id.
    sounded: HashMap<String, SystemTime>,
    seen: HashMap<String, SystemTime>,
    memory: Vec<Memory>,
}

impl Course {
    /// How long each alert that sounded after the page was open took to be drawn, and how many were not.
    fn waits(&self) -> (Vec<Duration>, usize) {
        let watching = self.watching.expect("the script said when the page was open");
        let alerts = self.sounded.iter().filter(|(_, sounded)| **sounded > watching);
        let waits: Vec<_> = alerts.map(|(hit, at)| self.seen.get(hit)?.duration_since(*at).ok()).collect();
        let unseen = waits.iter().filter(|wait| wait.is_none()).count();
        (waits.into_iter().flatten().collect(), unseen)
    }
}

pub fn run() {
    let Some(browser) = browser::installed() else {
        println!("  SKIPPED: there is no browser; .ci/browser installs it");
        return;
    };
    let road = drive(&browser, ROAD);
    let (mut waits, unseen) = road.waits();
    assert!(waits.len() > 9 * unseen, "{} alerts were drawn, {unseen} were not", waits.len());
    let p95 = millis(percentile(&mut waits, 0.95));
    figure("tone given, before the hit is on disk, to alert drawn in Chromium, p95", p95, "ms", p95 < 300.0, "< 300");
    println!("    of {} alerts: p50 {:.0} ms", waits.len(), millis(percentile(&mut waits, 0.5)));

    let reads = std::env::var(READS).ok().and_then(|n| n.parse().ok()).unwrap_or(SHIFT.reads);
    let shift = drive(&browser, Drive { reads, ..SHIFT });
    let (drawn, unseen) = shift.waits();
    println!("  a shift of {reads} reads and {} alerts; {} were drawn, {unseen} not", shift.sounded.len(), drawn.len());
    let waiting = shift.memory.iter().map(|memory| memory.waiting).fold(0.0, f64::max);
    println!("    at most {waiting} of them waited for their answer at a time");
    let half = shift.memory.len() / 2;
    let (middle, end) = (&shift.memory[half..half + LOOKS], &shift.memory[shift.memory.len() - LOOKS..]);
    let growth = |what: &str, unit: &str, of: fn(&Memory) -> f64| {
        let least = |looks: &[Memory]| looks.iter().map(of).fold(f64::MAX, f64::min);
        let (before, after) = (least(middle), least(end));
        let bar = format!("<= {:.1}, that is {FLAT} times the middle of the shift", before * FLAT);
        figure(&format!("{what} at the end"), after, unit, after <= before * FLAT, &bar);
    };
    growth("daemon, resident", "MiB", |m| m.daemon_mib);
    growth("browser, heap in use", "MiB", |m| m.heap_mib);
    growth("browser, nodes", "nodes", |m| m.nodes);
    growth("browser, listeners", "listeners", |m| m.listeners);
}

/// Plays so many plates, each another one, and has an officer answer the alerts.
fn drive(browser: &Path, drive: Drive) -> Course {
    let vehicle = Vehicle::new();
    let plates: Vec<String> = (0..drive.reads).map(plate).collect();
    let mut sources = String::new();
    for (n, plates) in plates.chunks(drive.reads.div_ceil(drive.cameras)).enumerate() {
        vehicle.pictures(&format!("street{n}"), plates);
        sources += &format!(
            "[[sources]]\nname = \"camera-{n}\"\nkind = \"images\"\npath = \"street{n}\"\npace = \"realtime\"\nrate = {:?}\n",
            drive.rate
        );
    }
    let wanted: String = plates.iter().skip(1).step_by(drive.alert_every).map(|p| format!("{p},high\n")).collect();
    std::fs::write(vehicle.path("list.csv"), format!("plate,priority\n{wanted}")).unwrap();
    let tables = format!("{sources}[[hotlists]]\nname = \"all\"\npath = \"list.csv\"\n");
    let mut cab = Cab::start(browser.to_owned(), vehicle, &[tables]);
    let mut daemon = cab.daemon.take().unwrap();
    let mut script = cab.script("shift").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let course = Arc::new(Mutex::new(Course::default()));
    let listening = listen(&mut script, daemon.id(), course.clone());
    // Who is not logged in at the terminal is shown no hits there; the log says when each sounded, which is before
    // it is on disk.
    let alerts = drive.reads.div_ceil(drive.alert_every);
    let deadline = Instant::now() + Duration::from_secs_f64(drive.reads as f64 / drive.rate) + PATIENCE;
    while course.lock().unwrap().sounded.len() < alerts {
        assert!(Instant::now() < deadline, "not all alerts came: {}", daemon.log());
        std::thread::sleep(POLL);
        let sounded = daemon.log().lines().filter_map(sounded).collect();
        course.lock().unwrap().sounded = sounded;
    }
    std::thread::sleep(LAST_LOOK);
    drop(script.stdin.take());
    assert!(script.wait().unwrap().success());
    listening.join().unwrap();
    daemon.terminate().well();
    std::mem::take(&mut *course.lock().unwrap())
}

/// Takes what the script says, on a thread of its own.
fn listen(script: &mut Child, daemon: u32, course: Arc<Mutex<Course>>) -> std::thread::JoinHandle<()> {
    let lines = BufReader::new(script.stdout.take().unwrap()).lines();
    std::thread::spawn(move || {
        for line in lines {
            let mut course = course.lock().unwrap();
            match serde_json::from_str(&line.unwrap()).unwrap() {
                Said::Watching { watching } => course.watching = Some(moment(watching)),
                Said::Seen { hit, at } => {
                    course.seen.insert(hit[hit.len() - SHORT..].to_owned(), moment(at));
                }
                Said::Memory { heap, nodes, listeners, waiting } => {
                    let (daemon_mib, heap_mib) = (resident_mib_of(daemon), heap / 1_048_576.0);
                    course.memory.push(Memory { daemon_mib, heap_mib, nodes, listeners, waiting });
                }
            }
        }
    })
}

/// Of a script's milliseconds.
fn moment(milliseconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(milliseconds / 1e3)
}

/// The hit of a line of the log that says that an alert sounded, and when.
fn sounded(line: &str) -> Option<(String, SystemTime)> {
    let (at, _) = line.split_once(' ')?;
    let (_, hit) = line.split_once("An alert was given.")?.1.split_once("hit=\"")?;
    let at: jiff::Timestamp = at.parse().ok()?;
    Some((hit.get(..SHORT)?.to_owned(), at.into()))
}

/// Different plates.
fn plate(n: usize) -> String {
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    format!("{}{}{}{}{:03}", n / 1_000 % 10, letter(n / 10_000), letter(n), letter(n / 7), n % 1_000)
}
