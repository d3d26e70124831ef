//! Time, behind a trait, so that tests can move it and a wall-clock jump can't reorder reads.
//!
//! Two kinds of time are kept apart: the *wall* time written into records, and the *monotonic*
//! time by which everything is ordered, measured and expired while the process lives
//! (invariant 8 of `docs/design.md`).

use jiff::Timestamp;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Where the program gets its time from.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time, UTC. May jump.
    fn wall(&self) -> Timestamp;
    /// Time since the clock was made. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<(Timestamp, Duration)>,
}

impl ManualClock {
    /// Starts at `wall`, with monotonic time zero.
    pub fn at(wall: Timestamp) -> Self {
        Self { now: Mutex::new((wall, Duration::ZERO)) }
    }

    /// Lets `by` pass on both clocks.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap_or_else(|e| e.into_inner());
        now.0 += by;
        now.1 += by;
    }

    /// Sets the wall clock alone, as an operator or a time server would.
    pub fn jump_to(&self, wall: Timestamp) {
        self.now.lock().unwrap_or_else(|e| e.into_inner()).0 = wall;
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        self.now.lock().unwrap_or_else(|e| e.into_inner()).0
    }
    fn monotonic(&self) -> Duration {
        self.now.lock().unwrap_or_else(|e| e.into_inner()).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_jump_leaves_monotonic_time_alone() {
        let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        clock.advance(Duration::from_secs(5));
        clock.jump_to("2020-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
        assert_eq!(clock.wall().to_string(), "2020-01-01T00:00:00Z");
    }
}
