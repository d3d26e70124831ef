//! Reads that officers corrected (control P-30). The sealed record stays as it is; a correction is a row beside it.

use super::Store;
use super::connection::Fault;
use super::events::{self, By, What};
use super::hits::{by_end, digits};
use super::manual::time;
use super::monitor;
use super::readers::View;
use super::reads::{self, NewImage, parse};
use super::writer::Writer;
use jiff::Timestamp;
use plated_access::{self as access, Permit};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::officers::{Correction, Reading};
use plated_core::plate::PlateText;
use plated_core::record::{HitRecord, ReadRecord};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;
use std::collections::HashSet;
use uuid::Uuid;

/// What a read is corrected to.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCorrection {
    /// UUIDv7; its hits name it.
    pub id: Uuid,
    /// Key of the read.
    pub read: Uuid,
    /// What the plate says.
    pub corrected: Reading,
    /// Case or incident, or empty.
    pub case: String,
    /// What that matches.
    pub hits: Vec<HitRecord>,
}

/// A correction that is durable.
#[derive(Clone, Debug)]
pub struct Corrected {
    /// The correction.
    pub correction: Correction,
    /// The read as it was made.
    pub read: ReadRecord,
    /// Its pictures.
    pub pictures: Vec<NewImage>,
}

/// A read with its corrections, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptRead {
    /// As it was made.
    pub record: ReadRecord,
    /// What was corrected of it.
    pub corrections: Vec<Correction>,
}

impl KeptRead {
    /// Its hits and those of its corrections.
    pub fn hits(&self) -> impl Iterator<Item = &HitRecord> {
        self.record.hits.iter().chain(self.corrections.iter().flat_map(|correction| &correction.hits))
    }
}

/// The end of a read's id, or all of it, by which people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadEnd(String);

impl ReadEnd {
    /// # Errors
    /// `Input` when it is fewer than 6 digits, or something else.
    pub fn parse(end: &str) -> Result<Self> {
        digits(end).map(Self).ok_or_else(|| {
            let message = format!(
                "{end:?} is no read; give its id or the end of it, at least 6 digits, as `plated hotlist search` shows \
                 them"
            );
            Error::new(Kind::Input, message)
        })
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Store {
    /// The read whose id ends in these digits, with its corrections. [`Kind::Input`] when more than one read's
    /// id does.
    pub fn find_read(&self, _: &Permit<access::Search>, end: &ReadEnd) -> Result<Option<KeptRead>> {
        self.look("could not look for a read", |view| find(view, end))
    }

    /// Keeps what a read is corrected to, and what that matches, with its event in the same transaction (control
    /// P-30). Gives back the read that it is of. [`Kind::Input`] when there is no such read.
    pub fn correct(&self, new: NewCorrection, by: &By) -> Result<Corrected> {
        let by = by.clone();
        self.ask("could not keep a correction", move |w| add(w, new, &by))
    }

    /// Corrections made since `from`, newest first, at most `limit`.
    pub fn corrections(&self, _: &Permit<access::Search>, from: Timestamp, limit: usize) -> Result<Vec<Correction>> {
        self.look("could not list corrections", |view| newest(view, from, limit))
    }
}

/// Keeps it with its hits, with its event.
pub(super) fn add(writer: &mut Writer, new: NewCorrection, by: &By) -> Result<Corrected, Fault> {
    let (now, stamp, author) = (writer.now(), writer.stamp(), by.who.author());
    let tx = writer.write()?;
    let found = tx
        .query_row("SELECT number, sha256, record FROM read WHERE id = ?1", [new.read.as_bytes()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, Vec<u8>>(2)?))
        })
        .optional()?;
    let Some((number, sha256, json)) = found else {
        return Err(Error::new(Kind::Input, format!("there is no read {}", new.read)).into());
    };
    let read = parse(&json)?;
    let correction = Correction {
        id: new.id,
        vehicle: read.vehicle.clone(),
        read: read.id,
        read_sha256: Sha256(sha256),
        original: Reading { text: read.text.clone(), state: read.state.clone() },
        corrected: new.corrected,
        at: time(now)?,
        by: author,
        reason: by.reason.as_str().to_owned(),
        case: new.case,
        hits: new.hits,
    };
    let record = serde_json::to_string(&correction)
        .context(Kind::Internal, || format!("correction {} can't be written as JSON", correction.id))?;
    let key = PlateText::normalise(&correction.corrected.text).key();
    tx.execute(
        "INSERT INTO correction (id, read, at, key, last_seen, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            correction.id.as_bytes(),
            read.id.as_bytes(),
            now,
            key.as_str(),
            read.last_seen.as_microsecond(),
            record
        ],
    )?;
    reads::add_hits(&tx, number, &correction.hits, Some(correction.id))?;
    let subject = json!({"read": read.id, "correction": correction.id, "original": correction.original,
                         "corrected": correction.corrected, "hits": correction.hits.len(), "case": correction.case});
    events::write(&tx, &stamp, What::ReadCorrected, by, subject)?;
    monitor::alerts_raised(&tx, &stamp, &read, &correction.hits, &HashSet::new())?;
    let pictures = reads::pictures(&tx, &read)?;
    tx.commit()?;
    Ok(Corrected { correction, read, pictures })
}

/// Hits of corrections of this read that came over from another store without it.
pub(super) fn restore_hits(tx: &Connection, number: i64, read: Uuid) -> Result<(), Fault> {
    for correction in of_read(tx, read)? {
        reads::add_hits(tx, number, &correction.hits, Some(correction.id))?;
    }
    Ok(())
}

/// The one read whose id ends so.
pub(super) fn find(view: &View<'_>, ReadEnd(digits): &ReadEnd) -> Result<Option<KeptRead>, Fault> {
    let conn = view.conn();
    let ids: Vec<[u8; 16]> = match Uuid::parse_str(digits) {
        Ok(id) => vec![*id.as_bytes()],
        Err(_) => by_end(conn, "read", digits)?,
    };
    let id = match ids[..] {
        [id] => id,
        [] => return Ok(None),
        _ => {
            let message = format!("more than one read has an id that ends in {digits}; give more digits of it");
            return Err(Error::new(Kind::Input, message).into());
        }
    };
    by_id(view, Uuid::from_bytes(id))
}

/// The read of this id.
pub(super) fn by_id(view: &View<'_>, id: Uuid) -> Result<Option<KeptRead>, Fault> {
    let conn = view.conn();
    let mut find = conn.prepare_cached("SELECT record FROM read WHERE id = ?1")?;
    let json: Option<Vec<u8>> = find.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
    let Some(json) = json else { return Ok(None) };
    Ok(Some(KeptRead { record: parse(&json)?, corrections: of_read(conn, id)? }))
}

/// Those made since `from`, the newest first, at most `limit`.
pub(super) fn newest(view: &View<'_>, from: Timestamp, limit: usize) -> Result<Vec<Correction>, Fault> {
    let mut find = view
        .conn()
        .prepare_cached("SELECT record FROM correction WHERE at >= ?1 ORDER BY at DESC, number DESC LIMIT ?2")?;
    let rows = find.query_map(params![from.as_microsecond(), limit as i64], |row| row.get::<_, String>(0))?;
    rows.map(|json| read(&json?)).collect()
}

/// Those of a read, the newest first.
pub(super) fn of_read(conn: &Connection, id: Uuid) -> Result<Vec<Correction>, Fault> {
    let mut find =
        conn.prepare_cached("SELECT record FROM correction WHERE read = ?1 ORDER BY at DESC, number DESC")?;
    let rows = find.query_map([id.as_bytes()], |row| row.get::<_, String>(0))?;
    rows.map(|json| read(&json?)).collect()
}

/// A correction as it is kept.
pub(super) fn read(json: &str) -> Result<Correction, Fault> {
    serde_json::from_str(json).map_err(|_| Fault::Damaged("a correction in it is not what was written".into()))
}
