//! What officers found about hits. A pairing found wrong is quiet for a while.

use super::connection::Fault;
use super::events::{self, By, What};
use super::manual::time;
use super::writer::Writer;
use crate::error::{Error, Kind};
use crate::plate::PlateText;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// What a hit was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The plate is the listed one.
    Correct,
    /// The plate says something else.
    Misread,
    /// The plate is of another state than the listed one.
    WrongState,
    /// Dispatch has no such entry.
    NotOnFile,
    /// Not looked into.
    Dismissed,
}

impl Finding {
    /// The word in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Misread => "misread",
            Self::WrongState => "wrong_state",
            Self::NotOnFile => "not_on_file",
            Self::Dismissed => "dismissed",
        }
    }

    /// True when the same pairing need not alert again this shift.
    pub fn quiets(self) -> bool {
        matches!(self, Self::Misread | Self::NotOnFile)
    }
}

/// What somebody found about a hit.
#[derive(Clone, Debug, PartialEq)]
pub struct Disposition {
    /// Key of the read.
    pub read: Uuid,
    /// Key of the hit.
    pub hit: Uuid,
    /// What it was.
    pub finding: Finding,
    /// What the hit took for listed: match key of the plate, or the partial plate.
    pub listed: String,
    /// End of the shift, until which the pairing is quiet if the finding says so.
    pub shift_ends: Timestamp,
}

/// A pairing that alerts nobody for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Match key of the read.
    pub read_key: String,
    /// Match key of the listed plate, or the partial plate.
    pub listed: String,
    /// It alerts again from then on.
    pub until: Timestamp,
}

/// Keeps it, with its event.
pub(super) fn add(writer: &mut Writer, new: &Disposition, by: &By) -> Result<(), Fault> {
    let now = writer.now();
    let tx = writer.write()?;
    // Of the hit, not of the read: the track may have got another text since.
    let record: Option<Vec<u8>> = tx
        .query_row(
            "SELECT record FROM read JOIN hit ON hit.read = number WHERE read.id = ?1 AND hit.id = ?2",
            params![new.read.as_bytes(), new.hit.as_bytes()],
            |row| row.get(0),
        )
        .optional()?;
    let Some(record) = record else {
        return Err(Error::new(Kind::Input, format!("there is no hit {} of a read {}", new.hit, new.read)).into());
    };
    let hit = super::reads::parse(&record)?.hits.into_iter().find(|h| h.id == new.hit);
    let read_key = PlateText::normalise(&hit.map(|h| h.text).unwrap_or_default()).key();
    let quiet_until = new.finding.quiets().then_some(new.shift_ends.as_microsecond());
    tx.execute(
        "INSERT INTO disposition (at, user, uid, read, hit, word, read_key, listed, quiet_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            now,
            by.who.user,
            by.who.uid,
            new.read.as_bytes(),
            new.hit.as_bytes(),
            new.finding.as_str(),
            read_key.as_str(),
            new.listed,
            quiet_until
        ],
    )?;
    let subject = json!({"read": new.read, "hit": new.hit, "finding": new.finding, "listed": new.listed});
    events::write(&tx, now, What::Disposition, by, &subject)?;
    tx.commit()?;
    Ok(())
}

/// Pairings that are quiet now.
pub(super) fn quiet(writer: &mut Writer) -> Result<Vec<Quiet>, Fault> {
    let mut find = writer.conn().prepare_cached(
        "SELECT read_key, listed, max(quiet_until) FROM disposition WHERE quiet_until > ?1 GROUP BY read_key, listed",
    )?;
    let mut rows = find.query([writer.now()])?;
    let mut quiet = Vec::new();
    while let Some(row) = rows.next()? {
        quiet.push(Quiet { read_key: row.get(0)?, listed: row.get(1)?, until: time(row.get(2)?)? });
    }
    Ok(quiet)
}
