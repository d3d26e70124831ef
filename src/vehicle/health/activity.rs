//! Whether a thread gets on with what it does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Since when a thread works at one thing; a thread that waits for its next one works at none.
#[derive(Debug, Default)]
pub struct Activity {
    /// Awake milliseconds, plus one; 0 between two things.
    since: AtomicU64,
}

impl Activity {
    /// It begins with something at this awake time ([`plated_core::clock::Clock::awake`]).
    pub fn begin(&self, now: Duration) {
        self.since.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX - 1) + 1, Ordering::Relaxed);
    }

    /// It is done with it.
    pub fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// Does `work`, however that ends.
    pub fn during<T>(&self, now: Duration, work: impl FnOnce() -> T) -> T {
        struct End<'a>(&'a Activity);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.end();
            }
        }
        self.begin(now);
        let _end = End(self);
        work()
    }

    /// For how long it has been working at the same thing at awake time `now`; zero between two.
    pub fn busy_for(&self, now: Duration) -> Duration {
        match self.since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => now.saturating_sub(Duration::from_millis(since - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_hangs_is_told_from_one_that_waits_and_from_one_that_failed() {
        let (activity, second) = (Activity::default(), Duration::from_secs(1));
        assert_eq!(activity.busy_for(100 * second), Duration::ZERO);
        activity.during(second, || assert_eq!(activity.busy_for(31 * second), 30 * second));
        assert_eq!(activity.busy_for(100 * second), Duration::ZERO);
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            activity.during(Duration::ZERO, || panic!("the fault of the test"))
        }));
        assert!(failed.is_err() && activity.busy_for(second) == Duration::ZERO);
    }
}
