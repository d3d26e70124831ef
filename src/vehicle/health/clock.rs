//! Watches the system's clock: jumps and doubt are logged, put on record, and shown by `plated status`
//! (invariant 8, control P-26).

use super::{Health, Level};
use crate::store::{Store, breach_of};
use plated_core::clock::{Change, Clock, TrustedClock};
use plated_core::error::Result;
use plated_core::shutdown::Shutdown;
use plated_core::text::local;
use plated_core::thread::{Thread, guarded};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// The name of the part.
pub const CLOCK: &str = "clock";
/// How often the clocks are compared.
const INTERVAL: Duration = Duration::from_secs(1);
/// Changes that wait while the store can't write; the oldest gives way.
const MAX_WAITING: usize = 64;

/// The watch.
pub struct ClockWatch {
    clock: Arc<TrustedClock>,
    health: Arc<Health>,
    store: Store,
    waiting: VecDeque<Change>,
    /// The store could not take one, and that was logged.
    failed: bool,
}

impl ClockWatch {
    /// Watches `clock` for `health` and the events of `store`.
    pub fn new(clock: Arc<TrustedClock>, health: Arc<Health>, store: Store) -> Self {
        Self { clock, health, store, waiting: VecDeque::new(), failed: false }
    }

    /// Starts it; it ends with `shutdown`.
    ///
    /// # Errors
    /// `Internal` when the thread can't be started.
    pub fn start(mut self, shutdown: Shutdown) -> Result<Thread> {
        self.look();
        Thread::start(CLOCK, "The thread that watches the clock", move || {
            while !shutdown.wait_timeout(INTERVAL) {
                guarded("The clock was not looked at", || {
                    self.look();
                    self.record();
                });
            }
            self.record();
        })
    }

    /// Compares the clocks.
    fn look(&mut self) {
        if let Some(change) = self.clock.check() {
            log(&change);
            if let Some(breach) = breach_of(&change) {
                tracing::error!("Security: {breach}.");
            }
            if self.waiting.len() == MAX_WAITING {
                self.waiting.pop_front();
            }
            self.waiting.push_back(change);
        }
        let (level, text) = clock_part(&*self.clock);
        self.health.report(CLOCK, level, text, self.clock.wall());
    }

    /// Puts down what is new.
    fn record(&mut self) {
        while let Some(change) = self.waiting.front() {
            match self.store.clock_changed(change) {
                Ok(()) => {
                    self.waiting.pop_front();
                    self.failed = false;
                }
                Err(e) => {
                    if !std::mem::replace(&mut self.failed, true) {
                        tracing::warn!("A change of the clock is not on record yet: {}", e.chain());
                    }
                    return;
                }
            }
        }
    }
}

/// How the clock is.
pub fn clock_part(clock: &dyn Clock) -> (Level, String) {
    match (clock.doubt(), clock.is_synchronised()) {
        (Some(why), _) => {
            let text = format!(
                "not trusted: {why}. Times are counted on from what is known, and reads are marked; set the clock. If \
                 it is right, restart the daemon or let a time server say so"
            );
            (Level::Degraded, text)
        }
        (None, Some(true)) => (Level::Ok, "trusted; a time server keeps it right".into()),
        (None, Some(false)) => (Level::Ok, "trusted; no time server keeps it right".into()),
        (None, None) => (Level::Ok, "trusted; whether a time server keeps it right is not known".into()),
    }
}

fn log(change: &Change) {
    let jump = match change.jump.as_secs() {
        0 => String::new(),
        s => format!("The system's clock jumped by {s} s, from {} to {}. ", local(change.from), local(change.to)),
    };
    let now = local(change.now);
    match (&change.doubt, change.correction) {
        (Some(why), _) => {
            tracing::warn!(
                "{jump}It is not trusted: {why}. Times are counted on, it is at least {now}; reads are marked."
            );
        }
        (None, Some((by, ..))) => {
            let by = by.as_secs();
            tracing::warn!("{jump}It is trusted again; reads that were not sealed yet are dated {by} s later.");
        }
        (None, None) => tracing::warn!("{jump}It is trusted as before."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    /// A clock of which the system says this.
    struct Asked(Option<bool>);

    impl Clock for Asked {
        fn wall(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
        fn is_synchronised(&self) -> Option<bool> {
            self.0
        }
    }

    #[test]
    fn that_no_time_server_keeps_the_clock_right_is_only_told_when_the_system_says_so() {
        let text = |says| clock_part(&Asked(says)).1;
        assert!(text(Some(true)).contains("a time server keeps it right"));
        assert!(text(Some(false)).contains("no time server"));
        assert!(text(None).contains("not known"), "the system does not let it be asked");
    }
}
