//! From the start of the process to its first frame recognised, without lists and with one of 5
//! million entries, and to the matching against that list; and how alerts on another list go on while
//! the large one is read in for the first time.
//!
//! All is read off the log of the daemon itself. `PLATED_BENCH_ENTRIES` sets another number of entries.

use super::hotlist::{entries, plates::Plates};
use super::support::{at, figure, millis, percentile, stolen, vehicle};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const STARTS: usize = 7;
/// Reading a list in for the first time takes less.
const PATIENCE: Duration = Duration::from_secs(600);
const FIRST_FRAME: &str = "first frame is recognised";
const MATCHED: &str = "is matched against";
const ALERT: &str = "An alert was given";

pub fn run() {
    let dir = tempfile::tempdir().unwrap();
    vehicle(dir.path(), "", "");
    let mut times: Vec<Duration> = (0..STARTS).map(|_| Daemon::start(dir.path()).at(FIRST_FRAME, "")).collect();
    let median = millis(percentile(&mut times, 0.5));
    let what = format!("process start to first frame recognised, no lists, median of {STARTS}");
    figure(&what, median, "ms", median < 1000.0, "< 1000");
    with_a_large_list();
}

fn with_a_large_list() {
    let dir = tempfile::tempdir().unwrap();
    write_lists(dir.path());
    let lists = |names: &[&str]| {
        let tables = names.iter().map(|n| format!("[[hotlists]]\nname = \"{n}\"\npath = \"{n}.csv\"\n"));
        vehicle(dir.path(), "repeat = 0", &format!("[alert]\nrepeat_after_s = 0\n{}", tables.collect::<String>()));
    };
    // The other list was in force before.
    lists(&["wanted"]);
    Daemon::start(dir.path()).at(MATCHED, "wanted");

    lists(&["large", "wanted"]);
    let stolen_before = stolen();
    let mut first = Daemon::start(dir.path());
    let took = first.at(MATCHED, "large").as_secs_f64();
    let alerts = first.alerts.len();
    drop(first);
    println!(
        "  first start with a list of {} entries: matched against after {took:.1} s; meanwhile {alerts} alerts on another list \
         (the drive has {} plates in {:.0} s)",
        entries(),
        wanted().len(),
        drive_seconds()
    );
    println!("    stolen by the host of this virtual machine: {:.0} ms", millis(stolen() - stolen_before));

    let (mut frames, mut matched) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut daemon = Daemon::start(dir.path());
        let list = daemon.at(MATCHED, "large");
        matched.push(list);
        frames.push(daemon.at(FIRST_FRAME, ""));
    }
    let frame = millis(percentile(&mut frames, 0.5));
    let list = millis(percentile(&mut matched, 0.5));
    let what = format!("the same with {} entries in force, median of {STARTS}", entries());
    figure(&what, frame, "ms", frame < 1000.0, "< 1000");
    figure("process start to matching against them", list, "ms", list < 2000.0, "< 2000");
}

/// A running `plated run`, ended when dropped.
struct Daemon {
    child: Child,
    log: Receiver<(Duration, String)>,
    /// What was read of the log so far.
    seen: Vec<(Duration, String)>,
    /// When alerts were given.
    alerts: Vec<Duration>,
}

impl Daemon {
    fn start(dir: &Path) -> Self {
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_plated"))
            .args(["run", "--config"])
            .arg(dir.join("plated.toml"))
            .env("PLATED_LOG", "info")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (send, log) = channel();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).all(|line| send.send((began.elapsed(), line)).is_ok());
        });
        Self { child, log, seen: Vec::new(), alerts: Vec::new() }
    }

    /// When the log first said this, of this list if one is named.
    fn at(&mut self, what: &str, list: &str) -> Duration {
        let says = |line: &str| {
            line.contains(what)
                && (list.is_empty()
                    || line.contains(&format!("list={list}"))
                    || line.contains(&format!("list=\"{list}\"")))
        };
        if let Some((when, _)) = self.seen.iter().find(|(_, line)| says(line)) {
            return *when;
        }
        loop {
            let (when, line) =
                self.log.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("the daemon did not get so far: {e}"));
            let found = says(&line);
            if line.contains(ALERT) {
                self.alerts.push(when);
            }
            self.seen.push((when, line));
            if found {
                return when;
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn write_lists(dir: &Path) {
    let mut large = BufWriter::new(std::fs::File::create(dir.join("large.csv")).unwrap());
    writeln!(large, "plate,state,category,make,colour,id,date").unwrap();
    for e in Plates::new().entries(entries()) {
        writeln!(large, "{},{},{},{},{},{},{}", e.plate, e.state, e.category, e.make, e.colour, e.id, e.date).unwrap();
    }
    large.flush().unwrap();
    let mut list = std::fs::File::create(dir.join("wanted.csv")).unwrap();
    writeln!(list, "plate,priority").unwrap();
    wanted().iter().for_each(|plate| writeln!(list, "{plate},high").unwrap());
}

/// The plates of the drive.
fn wanted() -> Vec<String> {
    let lines = std::fs::read_to_string(at("fixtures/drive.jsonl")).unwrap();
    let plate =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["plate"].as_str().unwrap().to_owned();
    lines.lines().map(plate).collect()
}

fn drive_seconds() -> f64 {
    let video = plated_vision::capture::VideoReader::open(&at("fixtures/drive.mp4")).unwrap();
    video.count() as f64 / 15.0
}
