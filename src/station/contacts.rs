//! When each vehicle was heard of last, and which reads it still has (control P-10). What is noted is kept in memory
//! for some seconds and written for all vehicles at once: no batch waits for it.

use super::database::Database;
use super::rows::Rows;
use super::writer::DatabaseHandle;
use jiff::Timestamp;
use plated_core::error::Result;
use plated_core::text::{age, count};
use plated_core::wire::batch::WaitingReport;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often what is noted is written.
const INTERVAL: Duration = Duration::from_secs(5);

/// `[overdue]`: how old a read may be that a vehicle still has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overdue {
    /// Days from which on it is a warning.
    pub warn_days: u32,
    /// Days from which on it is critical.
    pub critical_days: u32,
    /// Days within which each read has to be here.
    pub limit_days: u32,
}

impl Default for Overdue {
    fn default() -> Self {
        Self { warn_days: 20, critical_days: 27, limit_days: 30 }
    }
}

impl Overdue {
    /// What is wrong with it, beginning with the key.
    ///
    /// # Errors
    /// Days that are not in their order.
    pub fn check(&self) -> Result<(), String> {
        let Self { warn_days, critical_days, limit_days } = *self;
        match 0 < warn_days && warn_days <= critical_days && critical_days <= limit_days && limit_days <= 366 {
            true => Ok(()),
            false => Err("warn_days: give warn_days, critical_days and limit_days in this order, from 1 to 366".into()),
        }
    }

    /// Whether a read that came at `received` came later than it may (control P-10).
    pub fn is_late(&self, made: Timestamp, received: Timestamp) -> bool {
        received.duration_since(made).as_secs() > i64::from(self.limit_days) * 86_400
    }
}

/// How it is with a vehicle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// As it should be.
    Ok,
    /// It has to come soon.
    Warning,
    /// It has to come at once.
    Critical,
    /// A read of it has to be here by now.
    Overdue,
}

impl Standing {
    /// The word in front of a line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "WARN",
            Self::Critical => "CRITICAL",
            Self::Overdue => "OVERDUE",
        }
    }
}

/// What is known of a vehicle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// The vehicle.
    pub vehicle: String,
    /// When it was heard of last.
    pub last: Timestamp,
    /// When it last said what waits, beside what it sent then.
    pub reported: Option<Timestamp>,
    /// Reads that waited then.
    pub waiting: Option<u64>,
    /// When the oldest of them was made, by the vehicle's clock.
    pub oldest: Option<Timestamp>,
    /// Reads that came later than they may.
    pub late: u64,
    /// When one came last.
    pub last_late: Option<Timestamp>,
}

impl Contact {
    /// No read of it that is not here is older than this, as far as it said: one that had none then may have made
    /// some right after.
    pub fn since(&self) -> Timestamp {
        self.oldest.or(self.reported).unwrap_or(self.last)
    }

    /// How it is with it at `now`.
    pub fn standing(&self, now: Timestamp, overdue: &Overdue) -> Standing {
        let days = now.duration_since(self.since()).as_secs() / 86_400;
        let from = |limit: u32| days >= i64::from(limit);
        match () {
            () if from(overdue.limit_days) => Standing::Overdue,
            () if from(overdue.critical_days) => Standing::Critical,
            () if from(overdue.warn_days) => Standing::Warning,
            () => Standing::Ok,
        }
    }

    /// The same as a sentence.
    pub fn sentence(&self, now: Timestamp) -> String {
        let ago = |then: Timestamp| age(now.duration_since(then).as_secs().max(0).unsigned_abs());
        let mut text = format!("last contact {} ago", ago(self.last));
        text += &match (self.waiting, self.oldest) {
            (Some(reads), Some(oldest)) => {
                format!(", it has {} that are not here, the oldest {} old", count(reads, "read"), ago(oldest))
            }
            (Some(_), None) => ", nothing waited in it then".to_owned(),
            (None, _) => ", it never said what waits in it".to_owned(),
        };
        if let Some(at) = self.last_late {
            text += &format!("; {} came late, the last {} ago", count(self.late, "read"), ago(at));
        }
        text
    }
}

/// What was noted and is not written yet.
#[derive(Debug, Default)]
pub(super) struct Contacts(Mutex<HashMap<Arc<str>, Contact>>);

impl Contacts {
    /// A vehicle was heard of.
    pub fn heard(&self, vehicle: &Arc<str>, now: Timestamp) {
        self.change(vehicle, now, |_| ());
    }

    /// A batch of it was taken in, of whose reads `late` came later than they may.
    pub fn batch(&self, vehicle: &Arc<str>, now: Timestamp, waiting: Option<WaitingReport>, late: u64) {
        self.change(vehicle, now, |contact| {
            if let Some(WaitingReport { reads, oldest }) = waiting {
                (contact.reported, contact.waiting, contact.oldest) = (Some(now), Some(reads), oldest);
            }
            contact.late += late;
            contact.last_late = if late > 0 { Some(now) } else { contact.last_late };
        });
    }

    fn change(&self, vehicle: &Arc<str>, now: Timestamp, change: impl FnOnce(&mut Contact)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let contact = all.entry(vehicle.clone()).or_default();
        contact.last = now;
        change(contact);
    }

    /// Writes what was noted. What can't be written is noted again by the next contact.
    pub async fn write(&self, writer: &DatabaseHandle) {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if noted.is_empty() {
            return;
        }
        let work = move |database: &mut Database| {
            database.transaction(|rows| noted.iter().try_for_each(|(vehicle, contact)| rows.contact(vehicle, contact)))
        };
        if let Err(e) = writer.call(work).await {
            tracing::warn!(error = %e.chain(), "When vehicles were heard of last is not kept");
        }
    }

    /// Writes what was noted, every few seconds, for ever.
    pub async fn keep(&self, writer: &DatabaseHandle) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            self.write(writer).await;
        }
    }
}

impl Rows<'_> {
    /// Adds what is new of a vehicle.
    pub(super) fn contact(&self, vehicle: &str, new: &Contact) -> Result<()> {
        self.run(
            "INSERT INTO vehicle_contacts AS old (vehicle, last, reported, waiting, oldest, late, last_late)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (vehicle) DO UPDATE SET
               last = CASE WHEN excluded.last > old.last THEN excluded.last ELSE old.last END,
               waiting =
                 CASE WHEN excluded.reported >= coalesce(old.reported, 0) THEN excluded.waiting ELSE old.waiting END,
               oldest = CASE WHEN excluded.reported >= coalesce(old.reported, 0) THEN excluded.oldest ELSE old.oldest END,
               reported =
                 CASE WHEN excluded.reported >= coalesce(old.reported, 0) THEN excluded.reported ELSE old.reported END,
               late = old.late + excluded.late,
               last_late = coalesce(excluded.last_late, old.last_late)",
            &[&vehicle, &new.last, &new.reported, &new.waiting, &new.oldest, &new.late, &new.last_late],
        )
        .map(drop)
    }

    /// What is known of all vehicles, those first that have to come first.
    pub fn contacts(&self) -> Result<Vec<Contact>> {
        let mut all: Vec<Contact> = self.all(
            "SELECT vehicle, last, reported, waiting, oldest, late, last_late FROM vehicle_contacts",
            &[],
            |row| {
                let (reported, waiting, oldest) = (row.get(2)?, row.get(3)?, row.get(4)?);
                let (late, last_late) = (row.get(5)?, row.get(6)?);
                Ok(Contact { vehicle: row.get(0)?, last: row.get(1)?, reported, waiting, oldest, late, last_late })
            },
        )?;
        all.sort_by(|a, b| (a.since(), &a.vehicle).cmp(&(b.since(), &b.vehicle)));
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    // policy: P-10
    #[test]
    fn a_vehicle_is_due_by_its_oldest_read_or_since_it_last_said_that_none_waits() {
        let now: Timestamp = "2026-11-26T08:00:00Z".parse().unwrap();
        let ago = |days: i64| now - SignedDuration::from_hours(24 * days);
        let standing = |contact: &Contact| contact.standing(now, &Overdue::default());
        let mut contact = Contact { last: ago(1), reported: Some(ago(1)), waiting: Some(3), ..Contact::default() };
        for (days, expected) in
            [(19, Standing::Ok), (20, Standing::Warning), (27, Standing::Critical), (30, Standing::Overdue)]
        {
            contact.oldest = Some(ago(days));
            assert_eq!(standing(&contact), expected, "{days}");
        }
        assert!(contact.sentence(now).contains("3 reads that are not here"), "{}", contact.sentence(now));
        // Who said that nothing waits may have made a read right after.
        let silent = Contact { last: ago(2), reported: Some(ago(28)), waiting: Some(0), ..Contact::default() };
        assert_eq!(standing(&silent), Standing::Critical);
        assert_eq!(standing(&Contact { last: ago(40), ..Contact::default() }), Standing::Overdue);
    }

    #[test]
    fn a_read_is_late_that_came_after_the_limit_and_days_have_an_order() {
        let made: Timestamp = "2026-11-01T08:00:00Z".parse().unwrap();
        let after = |days: i64| made + SignedDuration::from_hours(24 * days);
        let overdue = Overdue::default();
        assert!(!overdue.is_late(made, after(30)) && overdue.is_late(made, after(31)));
        overdue.check().unwrap();
        assert!(Overdue { warn_days: 28, ..overdue }.check().unwrap_err().starts_with("warn_days: "));
    }
}
