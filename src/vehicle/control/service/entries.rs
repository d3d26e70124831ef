//! Plates and partial plates that officers enter (control P-04).

use super::{Answer, OfficerService};
use crate::control::Reply;
use crate::store::{By, ManualEntry, NewManual};
use crate::visible;
use jiff::{SignedDuration, Timestamp};
use plated_access::{Case, Permit, Show};
use plated_core::clock::Moment;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::EntryRecord;
use plated_hotlist::settings::OFFICERS;
use plated_hotlist::{Partial, Rules, Source};
use serde_json::json;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Clocks are set a little all the time.
const MIN_DIFFERENCE: SignedDuration = SignedDuration::from_secs(2);

impl OfficerService {
    pub(super) fn add(&self, new: NewManual, by: &By) -> Result<ManualEntry> {
        let mut officers = self.officers();
        let entry = self.store.add_manual(new, by)?;
        let until = ends(&entry, self.clock.wall(), self.clock.monotonic());
        officers.push((entry.clone(), until));
        self.rearm(&officers)?;
        Ok(entry)
    }

    pub(super) fn remove(&self, id: i64, by: &By) -> Result<ManualEntry> {
        let mut officers = self.officers();
        let entry = self.store.remove_manual(id, by)?;
        officers.retain(|(e, _)| e.id != id);
        self.rearm(&officers)?;
        Ok(entry)
    }

    /// What officers entered and is in force, in the order in which it was entered.
    pub(super) fn list_entries(&self, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        let permit: Permit<Show> = self.gate.open(&by.who, &by.reason, &Case::new(case)?, json!({"list": OFFICERS}))?;
        let entries = self.entries_in_force()?.into_iter();
        let seen = entries.filter(|entry| visible::shows_entry(permit.scope(), &self.sets, &entry.record()));
        let rows = seen.map(Reply::Entered).collect();
        self.give(&permit, rows, answer)
    }

    /// Lets go of what is over, also by a clock that is trusted again. Called about once a second.
    ///
    /// # Errors
    /// `Refused` when partial plates can't be set in force.
    pub fn expire(&self) -> Result<()> {
        if self.officers_error().is_some() {
            self.try_officers();
        }
        self.try_canvass();
        self.try_findings();
        self.end_hand_mutes();
        let now = self.clock.moment();
        let mut officers = self.officers();
        if self.doubted.swap(!now.trusted, Ordering::Relaxed) && now.trusted {
            // A time that was given as an end is reached when the clock shows it; a span is counted from the entry.
            for (entry, until) in officers.iter_mut().filter(|(e, _)| !e.entry.is_span) {
                *until = ends(entry, now.wall, now.monotonic);
            }
        }
        let before = officers.len();
        officers.retain(|(_, until)| now.monotonic < *until);
        if officers.len() < before {
            tracing::info!(entries = before - officers.len(), "Entries of officers are over.");
            self.rearm(&officers)?;
        }
        Ok(())
    }

    /// Puts in force what officers entered before; where that fails, the status says so and
    /// [`OfficerService::expire`] tries again.
    pub(super) fn try_officers(&self) {
        let error = self.arm_officers().err().map(|e| e.chain());
        let mut last = self.officers_error.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(error) = error.as_ref().filter(|error| last.as_ref() != Some(error)) {
            tracing::error!("What officers entered is not in force: {error}");
        }
        *last = error;
    }

    /// Why nothing that officers entered is in force, if so.
    pub(super) fn officers_error(&self) -> Option<String> {
        self.officers_error.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    fn arm_officers(&self) -> Result<()> {
        let Moment { wall, monotonic, trusted } = self.clock.moment();
        self.doubted.store(!trusted, Ordering::Relaxed);
        let entries = self.store.manual_entries(&self.matching)?;
        let mut officers = self.officers();
        *officers = entries.into_iter().map(|e| (ends(&e, wall, monotonic), e)).map(|(t, e)| (e, t)).collect();
        self.rearm(&officers)
    }

    /// Sets what officers entered in force. The matching knows no end of it: it would go by the clock
    /// of the wall.
    pub(super) fn rearm(&self, officers: &[(ManualEntry, Duration)]) -> Result<()> {
        let records = |partial| {
            let of_kind = officers.iter().map(|(e, _)| e).filter(move |e| e.partial == partial);
            of_kind.map(|e| EntryRecord { expires: None, ..e.record() })
        };
        self.lists.put(Source::memory(OFFICERS, records(false), Rules::default()));
        let partials = records(true).filter_map(|entry| {
            let id = entry.id.clone();
            // One that an older program let in must not take the others with it.
            let message = |e: &Error| tracing::error!(entry = id, "A partial plate is not in force: {}", e.chain());
            Partial::new(entry, Rules::default()).inspect_err(message).ok()
        });
        self.lists.set_partials(partials.collect())
    }

    /// What officers entered, each with the time at which it is over by the clock as it is now: by a
    /// clock that has jumped since it is another one.
    pub(super) fn officers_now(&self) -> Vec<ManualEntry> {
        let now = self.clock.moment();
        let with_end = |(entry, until): &(ManualEntry, Duration)| {
            let mut entry = entry.clone();
            let ends = now.wall.saturating_add(until.saturating_sub(now.monotonic)).unwrap_or(Timestamp::MAX);
            if ends.duration_since(entry.entry.expires).abs() >= MIN_DIFFERENCE {
                entry.entry.expires = ends;
            }
            entry
        };
        self.officers().iter().map(with_end).collect()
    }

    pub(super) fn officers(&self) -> MutexGuard<'_, Vec<(ManualEntry, Duration)>> {
        self.officers.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// The monotonic time at which an entry is over.
fn ends(entry: &ManualEntry, wall: Timestamp, monotonic: Duration) -> Duration {
    monotonic.saturating_add(left(entry.entry.expires, wall))
}

/// Time until then; none when it is over.
pub(super) fn left(until: Timestamp, wall: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(wall)).unwrap_or_default()
}

pub(super) fn later(from: Timestamp, by: Duration) -> Result<Timestamp> {
    from.checked_add(by).context(Kind::Internal, || "the clock shows a time beyond the calendar".into())
}
