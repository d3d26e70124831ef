//! Who did what, and why. A row is written in the transaction of the change it speaks of; a look
//! at data has its row before anything is shown.

use super::connection::Fault;
use super::writer::Writer;
use jiff::Timestamp;
use plated_core::error::{Error, Kind, Result};
use plated_core::user::SystemUser;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Why somebody does something, in that person's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Reason(String);

impl Reason {
    /// Longest reason in characters.
    pub const MOST: usize = 500;

    /// # Errors
    /// `Config` when it says nothing, is too long, or holds characters that are none.
    pub fn new(text: &str) -> Result<Self> {
        let text = text.trim();
        let refuse = |why: &str| Err(Error::new(Kind::Config, format!("the reason {why}")));
        if !text.chars().any(char::is_alphanumeric) {
            return refuse("is missing; say in a few words why");
        }
        if text.chars().count() > Self::MOST {
            return refuse("is longer than 500 characters");
        }
        if text.chars().any(char::is_control) {
            return refuse("holds control characters; write it on one line");
        }
        Ok(Self(text.to_owned()))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::new(&text).map_err(|e| e.to_string())
    }
}

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
    /// Somebody said what a hit was.
    Disposition,
}

impl What {
    const ALL: [Self; 12] = [
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
    /// To what.
    pub subject: Value,
}

/// Writes an event into the transaction that `tx` is in, and gives its number.
pub(super) fn write(tx: &Connection, now: i64, what: What, by: &By, subject: &Value) -> rusqlite::Result<i64> {
    tx.prepare_cached("INSERT INTO event (at, user, uid, what, reason, subject) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .insert(params![now, by.who.user, by.who.uid, what.as_str(), by.reason.as_str(), subject.to_string()])
}

/// Writes an event that speaks of a look, not of a change.
pub(super) fn note(writer: &mut Writer, what: What, by: &By, subject: &Value) -> Result<i64, Fault> {
    let now = writer.now();
    let tx = writer.write()?;
    let number = write(&tx, now, what, by, subject)?;
    tx.commit()?;
    Ok(number)
}

/// Events after number `after`, in order, at most `limit`.
pub(super) fn list(writer: &mut Writer, after: i64, limit: usize) -> Result<Vec<Event>, Fault> {
    let wrong = || Fault::Damaged("an event in it is not what was written".into());
    let mut find = writer.conn().prepare_cached(
        "SELECT number, at, user, uid, what, reason, subject FROM event WHERE number > ?1 ORDER BY number LIMIT ?2",
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
            subject: serde_json::from_str(&row.get::<_, String>(6)?).map_err(|_| wrong())?,
        });
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    // policy: P-01
    #[test]
    fn a_reason_must_say_something() {
        for none in ["", "  ", "--", ".", "two\nlines", "bell \u{7}", &"x".repeat(501)] {
            assert!(Reason::new(none).is_err(), "{none:?}");
        }
        assert_eq!(Reason::new(" BOLO, radio ").unwrap().as_str(), "BOLO, radio");
        assert!(serde_json::from_str::<Reason>("\" \"").is_err(), "nor by way of a message");
    }
}
