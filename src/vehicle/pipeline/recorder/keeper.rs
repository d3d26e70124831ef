//! Reads into the store, and then to whoever wants to see them (invariant 1).

use super::VehicleLook;
use super::guarded;
use super::pending::Pending;
use super::reserve::Reserve;
use super::waiting::{Next, Waiting};
use crate::events::Hub;
use crate::pipeline::counters::Counters;
use crate::pipeline::{Announcement, Published};
use crate::store::{NewRead, Stored};
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::shutdown::Shutdown;
use plated_core::text::sentence;
use plated_hotlist::ListSettings;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Wait between tries while the store can't write.
const RETRY: Duration = Duration::from_millis(500);
/// Tries once the daemon was asked to stop; for all that waits together, since whoever stops it
/// won't wait for each.
const LAST_TRIES: u32 = 6;
/// After so many failures at one read it is tried without its pictures: text without a picture is
/// better than nothing.
const TRIES_WITH_PICTURES: u32 = 3;
/// After so many a read is given up, if others could be kept meanwhile.
const MAX_TRIES: u32 = 10;
/// What an event takes beside its pictures, in bytes.
const EVENT_BYTES: usize = 4096;

/// Writes a read; see [`crate::store::Store::put_read`].
pub type Put = Box<dyn Fn(&NewRead) -> Result<Stored> + Send>;

/// The thread that waits for the disk.
pub struct Keeper {
    pub put: Put,
    pub waiting: Arc<Waiting>,
    pub settings: Arc<ListSettings>,
    pub events: Hub<Published>,
    pub counters: Arc<Counters>,
    /// The daemon was asked to end: what waits is tried a few times more.
    pub stop: Shutdown,
    pub reserve: Reserve,
    pub clock: Arc<dyn Clock>,
    /// What looks at vehicles, on this thread: no alert waits for it.
    pub look: Arc<VehicleLook>,
}

/// How the store is getting on.
#[derive(Default)]
struct Trouble {
    /// It could not write, and that was reported; with the count of lost reads by then.
    since: Option<u64>,
    /// Failures since something was written.
    failures: u32,
    /// Reads written since the start.
    kept: u64,
    /// Hits of open passes whose alert was given while the store could not write.
    late: HashSet<Uuid>,
}

impl Keeper {
    /// Writes what comes until nothing will come any more. What waits is given up only when the
    /// daemon has to end.
    pub fn run(mut self) {
        let mut trouble = Trouble::default();
        let mut left = LAST_TRIES;
        loop {
            let last = self.waiting.has_ended() && self.stop.is_requested();
            match self.waiting.next(self.reserve.is_freed() && !last, RETRY) {
                Next::Write(pending) => {
                    let kept = guarded("A read may be lost", || Some(self.keep(*pending, &mut trouble)));
                    if kept.unwrap_or(true) {
                        continue;
                    }
                    std::thread::sleep(RETRY);
                    left -= u32::from(last);
                    if left == 0 {
                        return self.give_up();
                    }
                }
                Next::TimedOut => {}
                Next::Ended => return,
            }
            self.reserve.restore();
        }
    }

    fn give_up(&self) {
        self.waiting.give_up();
        let lost = self.counters.totals().lost_reads;
        tracing::error!(reads = lost, "Reads were lost: they waited in memory when the daemon ended.");
    }

    /// Writes one read, or has it wait. False when the next try is to wait too.
    fn keep(&mut self, mut pending: Pending, trouble: &mut Trouble) -> bool {
        pending.encode(&self.look);
        // It may have waited since before the clock was set right.
        pending.correct_times(&*self.clock);
        for hit in &mut pending.new.record.hits {
            hit.kept_late |= trouble.late.contains(&hit.id);
        }
        let mut outcome = self.write(&pending);
        let lacks_room = |outcome: &Result<()>| outcome.as_ref().is_err_and(|e| e.kind() == Kind::Storage);
        if lacks_room(&outcome) && pending.has_hit() && self.reserve.can_help() {
            // A store whose files were moved away takes it in its new place.
            outcome = self.write(&pending);
            if lacks_room(&outcome) && self.reserve.free() {
                outcome = self.write(&pending);
                match &outcome {
                    Ok(()) => tracing::warn!("The disk is full: the room that was set aside is used for hits."),
                    Err(_) => self.reserve.did_not_help(),
                }
            }
        }
        match outcome {
            Ok(()) => {
                trouble.failures = 0;
                self.counters.change(|t| t.store_fails = false);
                trouble.kept += 1;
                self.waiting.kept();
                self.reserve.written();
                if !pending.new.open {
                    for hit in &pending.new.record.hits {
                        trouble.late.remove(&hit.id);
                    }
                }
                guarded("A read that is kept is not shown", || self.publish(pending));
                self.over(trouble);
                true
            }
            Err(e) => self.failed(pending, &e, trouble),
        }
    }

    fn write(&self, pending: &Pending) -> Result<()> {
        let put = || Some((self.put)(&pending.new).map(drop));
        guarded("The store failed at a read", put)
            .unwrap_or_else(|| Err(Error::new(Kind::Internal, "the store failed at a read by a defect")))
    }

    fn failed(&mut self, mut pending: Pending, error: &Error, trouble: &mut Trouble) -> bool {
        trouble.failures += 1;
        self.counters.change(|t| t.store_fails = true);
        if trouble.since.is_none() {
            trouble.since = Some(self.counters.totals().lost_reads);
            let why = sentence(&error.chain());
            tracing::error!("Reads can't be kept and wait in memory: {why} Alerts sound all the same.");
        }
        trouble.late.extend(pending.announce.iter().map(|(hit, _)| hit.id));
        pending.announce.iter_mut().for_each(|(hit, _)| hit.kept_late = true);
        if matches!(error.kind(), Kind::Storage | Kind::Busy) {
            self.waiting.put_back(pending, true);
            return false;
        }
        // It may be this read alone: the others are tried too, and it goes on without pictures.
        if pending.failed == 0 {
            pending.kept_before = trouble.kept;
        }
        pending.failed += 1;
        if pending.failed == TRIES_WITH_PICTURES && !pending.new.images.is_empty() {
            tracing::error!(read = %pending.id(), "A read is kept without its pictures: {}", error.chain());
            pending.new.images.clear();
            pending.new.record.images.clear();
        }
        if pending.failed >= MAX_TRIES && trouble.kept > pending.kept_before {
            tracing::error!(read = %pending.id(), "A read can't be kept: {}", error.chain());
            self.counters.change(|t| t.lost_reads += 1);
            return true;
        }
        self.waiting.put_back(pending, false);
        trouble.failures == 1 && self.waiting.len() > 1
    }

    /// Something was written; when nothing waits any more the trouble is over.
    fn over(&self, trouble: &mut Trouble) {
        let Some(before) = trouble.since.filter(|_| self.waiting.len() == 0) else { return };
        trouble.since = None;
        match self.counters.totals().lost_reads - before {
            0 => tracing::info!("The store can write again; nothing was lost."),
            lost => tracing::error!(reads = lost, "The store can write again. Reads were lost meanwhile."),
        }
    }

    /// It is durable: shows it.
    fn publish(&self, pending: Pending) {
        let Pending { new, announce, captured, .. } = pending;
        let publish =
            |announcement, bytes| self.events.publish(Published::new(announcement, self.settings.clone()), bytes);
        let bytes = EVENT_BYTES + new.images.iter().map(|i| i.jpeg.len()).sum::<usize>();
        for (hit, is_new) in announce {
            // A count is no secret, but of a covert list nothing is counted either.
            let counts = is_new && self.settings.shown_hit(&hit).is_some();
            self.counters.change(|t| t.hits += u64::from(counts));
            let (read, hit, pictures) = (Box::new(new.record.clone()), Box::new(hit), new.images.clone());
            publish(Announcement::Hit { read, hit, captured, pictures }, bytes);
        }
        if !new.open {
            self.counters.change(|t| t.reads += 1);
            publish(Announcement::Read { read: Box::new(new.record), pictures: new.images }, bytes);
        }
    }
}
