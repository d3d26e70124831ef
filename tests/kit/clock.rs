//! The machine's clocks, moved.

use jiff::{SignedDuration, Timestamp};
use plated_core::clock::{Clock, SystemClock};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Goes by itself, and is moved by the test. No time server keeps it unless the test says so.
pub struct Moved {
    own: SystemClock,
    by: Mutex<(SignedDuration, Duration)>,
    slept: Mutex<Duration>,
    is_kept: AtomicBool,
}

impl Moved {
    pub fn new() -> Self {
        Self { own: SystemClock::new(), by: Mutex::default(), slept: Mutex::default(), is_kept: AtomicBool::new(false) }
    }

    /// Moves the wall clock and the monotonic one.
    pub fn on(&self, wall: SignedDuration, monotonic: Duration) {
        let mut by = self.by.lock().unwrap();
        *by = (by.0 + wall, by.1 + monotonic);
    }

    /// The computer slept for so long.
    pub fn slept(&self, by: Duration) {
        *self.slept.lock().unwrap() += by;
        self.on(SignedDuration::try_from(by).unwrap(), by);
    }

    /// From now on a time server keeps it, or does not.
    pub fn keep(&self, is_kept: bool) {
        self.is_kept.store(is_kept, Ordering::Relaxed);
    }

    /// Sets the wall clock.
    pub fn set(&self, wall: Timestamp) {
        self.by.lock().unwrap().0 = wall.duration_since(self.own.wall());
    }
}

impl Clock for Moved {
    fn wall(&self) -> Timestamp {
        self.own.wall() + self.by.lock().unwrap().0
    }
    fn monotonic(&self) -> Duration {
        self.own.monotonic() + self.by.lock().unwrap().1
    }
    fn awake(&self) -> Duration {
        self.monotonic() - *self.slept.lock().unwrap()
    }
    fn is_synchronised(&self) -> Option<bool> {
        self.is_kept.load(Ordering::Relaxed).then_some(true)
    }
}
