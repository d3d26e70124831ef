//! Time, behind a trait, so that tests can move it and a wall-clock jump can't reorder reads.
//!
//! Two kinds of time are kept apart: the *wall* time written into records, and the *monotonic*
//! time by which everything is ordered, measured and expired while the process lives
//! (invariant 8 of `docs/design.md`). What the vehicle works with is a [`TrustedClock`]: it does not
//! take the system's wall clock at its word.

mod trusted;

pub use trusted::{BUILT, Change, TrustedClock};

use jiff::Timestamp;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Where the program gets its time from.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time, UTC. May jump.
    fn wall(&self) -> Timestamp;
    /// Time since the clock was made, the computer's sleep included. Never goes back.
    fn monotonic(&self) -> Duration;

    /// The same without the time that the computer slept: by it a thread is judged that seems to hang.
    fn awake(&self) -> Duration {
        self.monotonic()
    }

    /// Whether the system says that a time server keeps the wall clock right; `None` where it does not say.
    fn is_synchronised(&self) -> Option<bool> {
        None
    }
    /// Both times at once, and whether the wall clock is trusted.
    fn moment(&self) -> Moment {
        Moment { wall: self.wall(), monotonic: self.monotonic(), trusted: true }
    }
    /// Why the wall clock is not trusted, as a part of a sentence; `None` when it is.
    fn doubt(&self) -> Option<String> {
        None
    }
    /// What time it really was when this clock showed `at` and was not trusted. `None` where that is
    /// not known, or `at` is not a time of a clock that was not trusted.
    fn corrected(&self, _at: Timestamp) -> Option<Timestamp> {
        None
    }
    /// Something shows that `at` is past. A clock that is not trusted goes on from there, if that is
    /// later; one that is trusted knows better.
    fn not_before(&self, _at: Timestamp) {}
}

/// A moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Wall-clock time, UTC.
    pub wall: Timestamp,
    /// See [`Clock::monotonic`].
    pub monotonic: Duration,
    /// Whether `wall` is trusted.
    pub trusted: bool,
}

/// A UUIDv7 of this time.
pub fn id_at(at: Timestamp) -> Uuid {
    let (seconds, nanos) = (at.as_second().max(0) as u64, at.subsec_nanosecond().max(0) as u32);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    /// Time since the computer was started, its sleep included.
    start: Duration,
    start_awake: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self { start: since_boot(), start_awake: Instant::now() }
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
        since_boot().saturating_sub(self.start)
    }
    fn awake(&self) -> Duration {
        self.start_awake.elapsed()
    }
    fn is_synchronised(&self) -> Option<bool> {
        // Only asks: no mode is set. `TIME_ERROR` is what an unsynchronised clock answers.
        #[allow(unsafe_code, reason = "a call into the system that fills the structure it is given")]
        let (answer, status) = unsafe {
            let mut state: nix::libc::timex = std::mem::zeroed();
            (nix::libc::adjtimex(&mut state), state.status)
        };
        (answer >= 0).then_some(answer != nix::libc::TIME_ERROR && status & nix::libc::STA_UNSYNC == 0)
    }
}

/// Time since the computer was started, its sleep included; [`Instant`] stands still meanwhile.
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<(Timestamp, Duration)>,
    slept: Mutex<Duration>,
    synchronised: AtomicBool,
}

impl ManualClock {
    /// Starts at `wall`, with monotonic time zero.
    pub fn at(wall: Timestamp) -> Self {
        Self { now: Mutex::new((wall, Duration::ZERO)), slept: Mutex::default(), synchronised: AtomicBool::new(false) }
    }

    /// From now on a time server keeps it right, or does not.
    pub fn synchronise(&self, synchronised: bool) {
        self.synchronised.store(synchronised, Ordering::Relaxed);
    }

    /// Lets `by` pass on both clocks.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap_or_else(|e| e.into_inner());
        now.0 += by;
        now.1 += by;
    }

    /// Lets `by` pass on both clocks while the computer sleeps.
    pub fn sleep(&self, by: Duration) {
        self.advance(by);
        *self.slept.lock().unwrap_or_else(|e| e.into_inner()) += by;
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
    fn awake(&self) -> Duration {
        self.monotonic() - *self.slept.lock().unwrap_or_else(|e| e.into_inner())
    }
    fn is_synchronised(&self) -> Option<bool> {
        Some(self.synchronised.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_two_clocks_differ_by_its_sleep_alone() {
        let clock = SystemClock::new();
        let (awake, all) = (clock.awake(), clock.monotonic());
        assert!(all + Duration::from_secs(1) > awake && clock.monotonic() >= all && clock.awake() >= awake);
    }

    #[test]
    fn a_wall_clock_jump_leaves_monotonic_time_alone() {
        let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        clock.advance(Duration::from_secs(5));
        clock.jump_to("2020-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
        assert_eq!(clock.wall().to_string(), "2020-01-01T00:00:00Z");
    }
}
