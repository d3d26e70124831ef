//! Deletes what the station holds when its time is over (control P-13): a little at a time, on a thread of its own, so
//! that neither a read nor an alert waits for it. Each step is on record before it is done, in numbers.

mod settings;
mod time;

pub use settings::Settings;

use crate::health::{Health, Level, PURGED_READS};
use crate::store::{Deleted, PurgePolicy, Store};
use jiff::Timestamp;
use plated_access::{Actor, Case, Gate, Machine, Reason};
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::shutdown::Shutdown;
use plated_core::text::{count, local};
use plated_core::thread::{Thread, guarded};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use time::StationTime;

/// The name of the part.
pub const PURGE: &str = "purge";
/// Pictures of so many bytes are deleted at once: the store writes nothing else meanwhile.
const STEP_BYTES: u64 = 4 << 20;
/// Between two steps the store belongs to the others.
const PAUSE: Duration = Duration::from_millis(200);
/// How often it is looked whether it is to end, or time for a round.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What deletes.
pub struct Purger {
    store: Store,
    gate: Arc<Gate>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    policy: PurgePolicy,
    time: StationTime,
    last: Option<Timestamp>,
    all: Deleted,
    failed: bool,
}

impl Purger {
    /// One that has deleted nothing.
    pub fn new(store: Store, gate: Arc<Gate>, clock: Arc<dyn Clock>, settings: Settings, shift_h: u32) -> Self {
        let (policy, time) = (settings.policy(shift_h), StationTime::default());
        Self { store, gate, clock, settings, policy, time, last: None, all: Deleted::default(), failed: false }
    }

    /// Looks now and then; ends with `stop`.
    ///
    /// # Errors
    /// `Internal` when the thread can't be started.
    pub fn start(mut self, health: Arc<Health>, stop: Shutdown) -> Result<Thread> {
        Thread::start(PURGE, "The thread that deletes what the station holds", move || {
            let mut next = Duration::ZERO;
            while !stop.wait_timeout(POLL_INTERVAL) {
                if self.clock.monotonic() < next {
                    continue;
                }
                next = self.clock.monotonic() + self.settings.interval();
                let done = guarded("Reads whose time is over are still here", || {
                    self.round(&mut || stop.wait_timeout(PAUSE))
                });
                if let Some(done) = done {
                    let (level, text) = self.part(done.err().map(|e| e.chain()));
                    health.report(PURGE, level, text, self.clock.wall());
                    health.measure(PURGED_READS, self.all.reads as f64);
                }
            }
        })
    }

    /// Deletes all that is over now, in steps. `pause` is called between two of them; true ends it there.
    ///
    /// # Errors
    /// What keeps it from being done; the next round goes on.
    pub fn round(&mut self, pause: &mut dyn FnMut() -> bool) -> Result<Deleted> {
        if let Some(at) = self.store.station_time()? {
            self.time.learn(at, &*self.clock);
        }
        let mut done = Deleted::default();
        while let Some(now) = self.time.now(&*self.clock) {
            let due = self.store.due(&self.policy, now, STEP_BYTES)?;
            if due.reads() == 0 {
                break;
            }
            let subject = json!({"reads": due.reads(), "with_hit": due.hits, "in_canvass": due.canvass,
                                 "pictures": due.pictures});
            let reason = Reason::new("the station holds them, and their time here is over")?;
            let permit = self.gate.open(&Actor::Machine(Machine::Purge), &reason, &Case::none(), subject)?;
            let Deleted { reads, pictures } = self.store.purge(&permit, &due)?;
            (done.reads, done.pictures) = (done.reads + reads, done.pictures + pictures);
            if reads == 0 || pause() {
                break;
            }
        }
        if done.reads > 0 {
            (self.all.reads, self.all.pictures) = (self.all.reads + done.reads, self.all.pictures + done.pictures);
            self.last = Some(self.clock.wall());
            tracing::info!(reads = done.reads, pictures = done.pictures, "Deleted what the station holds");
            while self.store.shrink(false)? && !pause() {}
            self.store.shrink(true)?;
        }
        Ok(done)
    }

    /// How it is, as a part of the vehicle.
    fn part(&mut self, error: Option<String>) -> (Level, String) {
        if let Some(error) = error {
            if !std::mem::replace(&mut self.failed, true) {
                tracing::error!("What the station holds can't be deleted here; tried again: {error}");
            }
            return (Level::Degraded, format!("what the station holds can't be deleted here: {error}"));
        }
        self.failed = false;
        let last = self.last.map_or_else(String::new, |at| format!(", the last at {}", local(at)));
        let text = format!("{} deleted since the start{last}", count(self.all.reads, "read"));
        match self.kept_too_long() {
            0 => (Level::Ok, text),
            kept => {
                let minutes = self.settings.no_hit_minutes.unwrap_or_default();
                let text = format!(
                    "{} without a hit older than {} (purge.no_hit_minutes) and still here, since the station has not \
                     confirmed them: bring the vehicle to where the station can be reached; {text}",
                    count(kept, "read"),
                    count(minutes.into(), "minute")
                );
                (Level::Failed, text)
            }
        }
    }

    /// Reads without a hit that would have to be gone, but for the station's receipt.
    fn kept_too_long(&self) -> u64 {
        let Some(minutes) = self.settings.no_hit_minutes else { return 0 };
        let then = self.clock.wall().checked_sub(Duration::from_secs(u64::from(minutes) * 60));
        then.map_or(0, |then| self.store.unconfirmed_before(then).unwrap_or(0))
    }
}
