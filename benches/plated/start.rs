//! From the start of the process to its first frame recognised.

use super::support::{figure, millis, percentile, vehicle};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub fn run() {
    let dir = tempfile::tempdir().unwrap();
    vehicle(dir.path(), "", "");
    let mut times: Vec<Duration> = (0..7).map(|_| first_frame(dir.path())).collect();
    let median = millis(percentile(&mut times, 0.5));
    figure("process start to first frame recognised, median of 7", median, "ms", median < 2000.0, "< 2000");
}

fn first_frame(dir: &std::path::Path) -> Duration {
    let began = Instant::now();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_plated"))
        .args(["run", "--config"])
        .arg(dir.join("plated.toml"))
        .env("PLATED_LOG", "info")
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let log = BufReader::new(daemon.stderr.take().unwrap());
    let seen = log.lines().map_while(Result::ok).any(|l| l.contains("first frame is recognised"));
    let took = began.elapsed();
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(seen, "the daemon ended before its first frame");
    took
}
