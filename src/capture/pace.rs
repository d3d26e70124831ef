//! When the next picture of a file is due, and how long to wait before a camera is tried again.

use std::time::Duration;

/// A schedule of even steps. It counts from its start, so that waiting a little too long once
/// does not slow the whole file.
#[derive(Debug)]
pub struct Pacer {
    step: Duration,
    start: Option<Duration>,
    count: u32,
}

/// Further behind than this, the schedule starts anew rather than hurrying after it.
const GIVE_UP: Duration = Duration::from_secs(1);

impl Pacer {
    /// So many pictures a second.
    pub fn new(rate: f64) -> Self {
        Self { step: Duration::from_secs_f64(1.0 / rate), start: None, count: 0 }
    }

    /// How long to wait from `now` (monotonic) until the next picture is due.
    pub fn wait(&mut self, now: Duration) -> Duration {
        let due = self.start.map(|s| s + self.step * self.count);
        match due {
            Some(due) if now <= due + GIVE_UP => {
                self.count += 1;
                due.saturating_sub(now)
            }
            _ => {
                (self.start, self.count) = (Some(now), 1);
                Duration::ZERO
            }
        }
    }
}

/// Waits that double from a quarter of a second to ten, each shortened by up to half at random,
/// so that several cameras that failed together do not come back together.
#[derive(Debug)]
pub struct Backoff {
    failures: u32,
}

/// The longest wait.
pub const LONGEST: Duration = Duration::from_secs(10);
const FIRST: Duration = Duration::from_millis(250);

impl Backoff {
    /// No failure yet.
    pub fn new() -> Self {
        Self { failures: 0 }
    }

    /// It went well for a while.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure.
    pub fn after_failure(&mut self) -> Duration {
        let full = (FIRST * 2u32.pow(self.failures.min(10))).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Without randomness the full wait is right too.
        let share = f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX);
        full.mul_f64(1.0 - share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_late_picture_does_not_delay_those_after_it() {
        let mut p = Pacer::new(10.0);
        assert_eq!(p.wait(MS(1000)), MS(0));
        assert_eq!(p.wait(MS(1010)), MS(90));
        assert_eq!(p.wait(MS(1350)), MS(0)); // Due at 1200.
        assert_eq!(p.wait(MS(1351)), MS(0)); // Due at 1300.
        assert_eq!(p.wait(MS(1352)), MS(48)); // Due at 1400, as if nothing had been late.
    }

    #[test]
    fn after_a_long_stop_the_file_goes_on_at_its_pace() {
        let mut p = Pacer::new(10.0);
        p.wait(MS(0));
        assert_eq!(p.wait(MS(60_000)), MS(0));
        assert_eq!(p.wait(MS(60_001)), MS(99));
    }

    #[test]
    fn waits_grow_to_ten_seconds_and_stay_there() {
        let mut b = Backoff::new();
        for n in 0..40 {
            let full = (FIRST * 2u32.pow(n.min(10))).min(LONGEST);
            let wait = b.after_failure();
            assert!(wait <= full && wait >= full / 2, "{wait:?} after {n} failures");
        }
        b.reset();
        assert!(b.after_failure() <= FIRST);
    }
}
