//! Canvasses (control P-03): reads that are made while one is open carry its incident number.

use super::Store;
use super::connection::Fault;
use super::events::{self, By, What};
use super::manual::time;
use super::readers::View;
use super::writer::Writer;
use jiff::Timestamp;
use plated_access::Case;
use plated_core::error::{Error, Kind, Result};
use plated_core::user::Author;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A canvass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canvass {
    /// Its number in this store.
    pub id: i64,
    /// Number of the incident.
    pub incident: String,
    /// Why, as given.
    pub reason: String,
    /// When it was started.
    pub started: Timestamp,
    /// By whom.
    pub by: Author,
    /// When it was ended; none while it is open.
    pub ended: Option<Timestamp>,
    /// By whom.
    pub ended_by: Option<Author>,
}

impl Store {
    /// Starts a canvass (control P-03), with its event in the same transaction. [`Kind::Refused`] when one is open.
    pub fn start_canvass(&self, incident: &str, by: &By) -> Result<Canvass> {
        let (incident, by) = (incident.to_owned(), by.clone());
        self.ask("could not start a canvass", move |w| start(w, &incident, &by))
    }

    /// Ends the canvass that is open, with its event in the same transaction. [`Kind::Input`] when none is.
    pub fn end_canvass(&self, by: &By) -> Result<Canvass> {
        let by = by.clone();
        self.ask("could not end the canvass", move |w| end(w, &by))
    }

    /// The canvass that is open. It holds no ALPR data.
    pub fn open_canvass(&self) -> Result<Option<Canvass>> {
        self.look("could not look for an open canvass", in_progress)
    }

    /// Canvasses, newest first, at most `limit`. They hold no ALPR data.
    pub fn canvasses(&self, limit: usize) -> Result<Vec<Canvass>> {
        self.look("could not list canvasses", |view| newest(view, limit))
    }

    /// How many reads carry the number of this incident.
    pub fn canvass_reads(&self, incident: &str) -> Result<CanvassReads> {
        self.look("could not count the reads of a canvass", |view| count(view, incident))
    }
}

/// How many reads of a canvass there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CanvassReads {
    /// In this store.
    pub reads: u64,
    /// Of these, reads that the station holds.
    pub sent: u64,
}

/// Starts one, with its event.
pub(super) fn start(writer: &mut Writer, incident: &str, by: &By) -> Result<Canvass, Fault> {
    let incident = Case::new(incident)?.as_str().trim().to_owned();
    if incident.is_empty() {
        return Err(Error::new(Kind::Input, "give the number of the incident").into());
    }
    let (now, stamp, author) = (writer.now(), writer.stamp(), by.who.author());
    let tx = writer.write()?;
    if let Some(open) = open(&tx)? {
        let message = format!("the canvass for incident {} is open; end it first", open.incident);
        return Err(Error::new(Kind::Refused, message).into());
    }
    tx.execute(
        "INSERT INTO canvass (incident, reason, started, started_by, started_uid) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![incident, by.reason.as_str(), now, author.user, author.uid],
    )?;
    let id = tx.last_insert_rowid();
    events::write(&tx, &stamp, What::CanvassStarted, by, json!({"id": id, "case": incident}))?;
    tx.commit()?;
    let (reason, started) = (by.reason.as_str().to_owned(), time(now)?);
    Ok(Canvass { id, incident, reason, started, by: author, ended: None, ended_by: None })
}

/// Ends the one that is open, with its event.
pub(super) fn end(writer: &mut Writer, by: &By) -> Result<Canvass, Fault> {
    let (now, stamp, author) = (writer.now(), writer.stamp(), by.who.author());
    let tx = writer.write()?;
    let Some(open) = open(&tx)? else {
        return Err(Error::new(Kind::Input, "no canvass is open").into());
    };
    // Of several, as two stores may have brought over, none stays open.
    tx.execute(
        "UPDATE canvass SET ended = ?1, ended_by = ?2, ended_uid = ?3, ended_why = ?4 WHERE ended IS NULL",
        params![now, author.user, author.uid, by.reason.as_str()],
    )?;
    events::write(&tx, &stamp, What::CanvassEnded, by, json!({"id": open.id, "case": open.incident}))?;
    tx.commit()?;
    Ok(Canvass { ended: Some(time(now)?), ended_by: Some(author), ..open })
}

/// The one that is open.
pub(super) fn in_progress(view: &View<'_>) -> Result<Option<Canvass>, Fault> {
    open(view.conn())
}

/// The newest, at most `limit`.
pub(super) fn newest(view: &View<'_>, limit: usize) -> Result<Vec<Canvass>, Fault> {
    let mut find = view.conn().prepare_cached(&format!("{SELECT} ORDER BY id DESC LIMIT ?1"))?;
    let rows = find.query_map([limit as i64], |row| Ok(canvass(row)))?;
    rows.map(|row| row?).collect()
}

/// Counts the reads of an incident.
pub(super) fn count(view: &View<'_>, incident: &str) -> Result<CanvassReads, Fault> {
    let mut find = view.conn().prepare_cached(
        "SELECT count(*), count(transferred.read) FROM read LEFT JOIN transferred ON transferred.read = read.number
         WHERE canvass = ?1 AND canvass <> ''",
    )?;
    let number = |row: &Row<'_>, column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(find.query_row([incident], |row| Ok(CanvassReads { reads: number(row, 0)?, sent: number(row, 1)? }))?)
}

fn open(conn: &Connection) -> Result<Option<Canvass>, Fault> {
    let mut find = conn.prepare_cached(&format!("{SELECT} WHERE ended IS NULL ORDER BY id DESC LIMIT 1"))?;
    find.query_row([], |row| Ok(canvass(row))).optional()?.transpose()
}

const SELECT: &str =
    "SELECT id, incident, reason, started, started_by, started_uid, ended, ended_by, ended_uid FROM canvass";

fn canvass(row: &Row<'_>) -> Result<Canvass, Fault> {
    let ended: Option<i64> = row.get(6)?;
    let ended_by = row.get::<_, Option<String>>(7)?;
    let ended_uid = row.get(8)?;
    Ok(Canvass {
        id: row.get(0)?,
        incident: row.get(1)?,
        reason: row.get(2)?,
        started: time(row.get(3)?)?,
        by: Author { user: row.get(4)?, uid: row.get(5)? },
        ended: ended.map(time).transpose()?,
        ended_by: ended_by.map(|user| Author { user, uid: ended_uid }),
    })
}
