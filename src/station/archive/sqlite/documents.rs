//! What officers put down beside reads: listed, and what it says of reads that are found.

use super::super::query::{DocumentQuery, Found, Plate, Query, StoredDocument};
use super::SqliteArchive;
use super::ingest::CORRECTION;
use super::unit::lock;
use crate::database::{Rows, could_not_read};
use crate::sqlcipher::SqlContext;
use jiff::Timestamp;
use plated_core::error::Result;
use plated_core::officers::{Correction, Reading};
use rusqlite::{ToSql, params};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) fn documents(archive: &SqliteArchive, query: &DocumentQuery) -> Result<Vec<StoredDocument>> {
    let (from, until) = (query.from.map(|t| t.as_microsecond()), query.until.map(|t| t.as_microsecond()));
    let limit = query.limit.min(DocumentQuery::MAX) as i64;
    let time = |us: i64| Timestamp::from_microsecond(us).unwrap_or_default();
    lock(&archive.main).transaction(|rows| {
        rows.0
            .prepare_cached(
                "SELECT vehicle, received, read, json FROM documents
                 WHERE kind = ?1 AND (?2 IS NULL OR vehicle = ?2) AND (?3 IS NULL OR received >= ?3)
                   AND (?4 IS NULL OR received < ?4)
                 ORDER BY received DESC, id LIMIT ?5",
            )
            .and_then(|mut s| {
                s.query_map(params![query.kind, query.vehicle, from, until, limit], |row| {
                    let read = row.get::<_, Option<[u8; 16]>>(2)?.map(Uuid::from_bytes);
                    Ok(StoredDocument { vehicle: row.get(0)?, received: time(row.get(1)?), read, json: row.get(3)? })
                })?
                .collect()
            })
            .sql(could_not_read)
    })
}

/// Ids of reads that were corrected to a plate that fits; the newest correction counts.
pub(super) fn corrected_to(archive: &SqliteArchive, query: &Query) -> Result<BTreeSet<Uuid>> {
    let Some(plate) = &query.plate else { return Ok(BTreeSet::new()) };
    let (first, last) = match plate {
        Plate::Whole(key) => (key.clone(), key.clone()),
        // After all letters and digits.
        Plate::Partial(pattern, _) => (pattern.prefix(), format!("{}~", pattern.prefix())),
    };
    let after = query.after.map(|cursor| *cursor.0.as_bytes());
    let values: [&dyn ToSql; 3] = [&first, &last, &after];
    lock(&archive.main).transaction(|rows| {
        let found: Vec<([u8; 16], String)> = rows
            .0
            .prepare_cached(
                "SELECT read, key FROM documents
                 WHERE key BETWEEN ?1 AND ?2 AND read IS NOT NULL AND (?3 IS NULL OR read < ?3)",
            )
            .and_then(|mut s| s.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .sql(could_not_read)?;
        let fits = |key: &str| match plate {
            Plate::Whole(whole) => key == whole,
            Plate::Partial(pattern, _) => pattern.fits(key),
        };
        let mut ids = BTreeSet::new();
        for (id, key) in found {
            let id = Uuid::from_bytes(id);
            let state = |reading: &Reading| query.state.as_ref().is_none_or(|state| *state == reading.state);
            if fits(&key) && newest(rows, id)?.is_some_and(|(newest, reading)| newest == key && state(&reading)) {
                ids.insert(id);
            }
        }
        Ok(ids)
    })
}

/// Puts what reads really say beside them.
pub(super) fn put_corrections(archive: &SqliteArchive, reads: &mut [Found]) -> Result<()> {
    lock(&archive.main).transaction(|rows| {
        for found in &mut *reads {
            found.corrected = newest(rows, found.id)?.map(|(_, reading)| reading);
        }
        Ok(())
    })
}

/// What a read says by its newest correction, and the match key of that.
fn newest(rows: &Rows<'_>, read: Uuid) -> Result<Option<(String, Reading)>> {
    let all: Vec<(String, Vec<u8>)> = rows
        .0
        .prepare_cached("SELECT key, json FROM documents WHERE read = ?1 AND kind = ?2 AND key IS NOT NULL")
        .and_then(|mut s| {
            s.query_map(params![read.as_bytes(), CORRECTION], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .sql(could_not_read)?;
    let read = |(key, json): (String, Vec<u8>)| {
        let correction: Correction = serde_json::from_slice(&json).ok()?;
        Some((correction.at, key, correction.corrected))
    };
    let newest = all.into_iter().filter_map(read).max_by_key(|(at, ..)| *at);
    Ok(newest.map(|(_, key, reading)| (key, reading)))
}
