//! Who did what, and why. A row is written in the transaction of the change it speaks of; an access to
//! data has its row before the gate gives a permit for it.

use super::connection::Fault;
use super::readers::View;
use super::writer::Writer;
use jiff::Timestamp;
use plated_access::{AccessRecord, Actor, Purpose, Reason};
use plated_core::error::{Error, Kind, Result};
use plated_core::user::SystemUser;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Who does it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The person.
    pub who: SystemUser,
    /// As given.
    pub reason: Reason,
}

/// What can be done that leaves an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A list came into force.
    ListImported,
    /// A list came into force against its checks.
    ListForced,
    /// A list did not come into force.
    ListRefused,
    /// The station does not hand out a list any more.
    ListWithdrawn,
    /// A list was written out.
    ListExported,
    /// A plate was entered.
    EntryAdded,
    /// A partial plate was entered (control P-04).
    PatternAdded,
    /// An entry or a partial plate was taken out.
    EntryRemoved,
    /// A plate was looked up in the lists.
    PlateShown,
    /// Reads already made were searched (control P-04).
    SearchBack,
    /// Hits were listed.
    HitsShown,
    /// An officer's disposition of a hit.
    Disposition,
    /// Reads and hits were shown as they were made.
    LiveShown,
    /// Events were listed.
    EventsShown,
    /// Reads were deleted.
    Purged,
    /// The system's clock jumped, or is trusted or not trusted from here on (control P-26).
    ClockChanged,
}

impl What {
    const ALL: [Self; 16] = [
        Self::ListImported,
        Self::ListForced,
        Self::ListRefused,
        Self::ListWithdrawn,
        Self::ListExported,
        Self::EntryAdded,
        Self::PatternAdded,
        Self::EntryRemoved,
        Self::PlateShown,
        Self::SearchBack,
        Self::HitsShown,
        Self::Disposition,
        Self::LiveShown,
        Self::EventsShown,
        Self::Purged,
        Self::ClockChanged,
    ];

    /// The word in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ListImported => "list_imported",
            Self::ListForced => "list_forced",
            Self::ListRefused => "list_refused",
            Self::ListWithdrawn => "list_withdrawn",
            Self::ListExported => "list_exported",
            Self::EntryAdded => "entry_added",
            Self::PatternAdded => "pattern_added",
            Self::EntryRemoved => "entry_removed",
            Self::PlateShown => "plate_shown",
            Self::SearchBack => "search_back",
            Self::HitsShown => "hits_shown",
            Self::Disposition => "disposition",
            Self::LiveShown => "live_shown",
            Self::EventsShown => "events_shown",
            Self::Purged => "purged",
            Self::ClockChanged => "clock_changed",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.as_str() == word)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// From 1, without a gap.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub who: SystemUser,
    /// What.
    pub what: What,
    /// Why, as given.
    pub reason: String,
    /// The purpose, when one was given.
    pub purpose: Option<Purpose>,
    /// To what.
    pub subject: Value,
}

/// Writes an event into the transaction that `tx` is in, and gives its number.
pub(super) fn write(tx: &Connection, now: i64, what: What, by: &By, subject: &Value) -> rusqlite::Result<i64> {
    tx.prepare_cached(
        "INSERT INTO event (at, user, uid, what, reason, purpose, subject) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .insert(params![
        now,
        by.who.user,
        by.who.uid,
        what.as_str(),
        by.reason.as_str(),
        by.reason.purpose().map_or("", |p| p.as_str()),
        subject.to_string()
    ])
}

/// Writes the record of an access, and gives its number.
pub(super) fn append(writer: &mut Writer, record: AccessRecord) -> Result<i64, Fault> {
    let AccessRecord { actor, what, reason, case, mut subject, .. } = record;
    let what = What::of(what)
        .ok_or_else(|| Error::new(Kind::Internal, format!("the store knows no access of the kind {what}")))?;
    let who = match actor {
        Actor::SystemUser(who) => who,
        Actor::User(user) => SystemUser { user: user.name().to_string(), ..SystemUser::of_this_process() },
        Actor::Machine(machine) => SystemUser { user: machine.as_str().into(), ..SystemUser::of_this_process() },
    };
    subject["case"] = case.as_str().into();
    let now = writer.now();
    let tx = writer.write()?;
    let number = write(&tx, now, what, &By { who, reason }, &subject)?;
    tx.commit()?;
    Ok(number)
}

/// Events after number `after`, in order, at most `limit`.
pub(super) fn list(view: &View<'_>, after: i64, limit: usize) -> Result<Vec<Event>, Fault> {
    let wrong = || Fault::Damaged("an event in it is not what was written".into());
    let mut find = view.conn().prepare_cached(
        "SELECT number, at, user, uid, what, reason, purpose, subject FROM event WHERE number > ?1 ORDER BY number LIMIT ?2",
    )?;
    let mut rows = find.query(params![after, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(Event {
            number: row.get(0)?,
            at: Timestamp::from_microsecond(row.get(1)?).map_err(|_| wrong())?,
            who: SystemUser { user: row.get(2)?, uid: row.get(3)? },
            what: What::of(&row.get::<_, String>(4)?).ok_or_else(wrong)?,
            reason: row.get(5)?,
            purpose: Some(row.get::<_, String>(6)?)
                .filter(|p| !p.is_empty())
                .map(|p| Purpose::new(&p).map_err(|_| wrong()))
                .transpose()?,
            subject: serde_json::from_str(&row.get::<_, String>(7)?).map_err(|_| wrong())?,
        });
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_access::{Access, Audit, Export, Hits, Live, Purge, Search, Show};

    #[test]
    fn every_kind_of_access_has_a_word_on_record() {
        for word in [Audit::WORD, Export::WORD, Hits::WORD, Live::WORD, Purge::WORD, Search::WORD, Show::WORD] {
            assert_eq!(What::of(word).unwrap().as_str(), word);
        }
    }
}
