//! What officers put down beside reads, on any engine: kept, listed, and what it says of reads that are found.

use super::batch::{CheckedBatch, Document, Verdict};
use super::query::{DocumentQuery, Found, Plate, Query, StoredDocument};
use crate::rows::Rows;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::officers::{Correction, DispositionRecord, Reading};
use plated_core::plate::PlateText;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The kind of document that says what a read really says.
const CORRECTION: &str = "correction";
/// The kind of document that says what a hit was found to be.
const DISPOSITION: &str = "disposition";
/// Reads that are asked for at once.
const AT_ONCE: usize = 50;

/// Keeps a document, once.
pub(super) fn add(rows: &Rows<'_>, batch: &CheckedBatch, new: &Document) -> Result<Verdict> {
    let here: Option<Sha256> =
        rows.one("SELECT sha256 FROM documents WHERE vehicle = ?1 AND id = ?2", &[&batch.vehicle, &new.id], |row| {
            row.get(0)
        })?;
    if let Some(here) = here {
        return Ok(if here == new.sha256 { Verdict::Durable } else { Verdict::OtherContent });
    }
    rows.run(
        "INSERT INTO documents (id, kind, vehicle, read, sha256, received, batch, json, key, finding)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        &[
            &new.id,
            &new.kind,
            &batch.vehicle,
            &new.read,
            &new.sha256,
            &batch.received,
            &batch.batch,
            &&new.json[..],
            &corrected_key(new),
            &finding_of(new),
        ],
    )?;
    if new.kind == crate::findings::KIND && !rows.finding_came(&batch.vehicle, &new.json, batch.received)? {
        // It is kept as it came, and in force nowhere.
        rows.security_event(&batch.vehicle, "finding_not_signed", batch.received)?;
    }
    Ok(Verdict::Durable)
}

/// The match key of what a corrected read says, to find it by (control P-30).
fn corrected_key(document: &Document) -> Option<String> {
    if document.kind != CORRECTION {
        return None;
    }
    let correction: Correction = serde_json::from_slice(&document.json).ok()?;
    Some(PlateText::normalise(&correction.corrected.text).key().as_str().to_owned())
}

/// What a hit was found to be, to list those that were misread by (control P-30).
fn finding_of(document: &Document) -> Option<String> {
    if document.kind != DISPOSITION {
        return None;
    }
    serde_json::from_slice::<DispositionRecord>(&document.json).ok().map(|disposition| disposition.finding)
}

/// What was put down about a read, in the order in which it came.
pub(super) fn of_read(rows: &Rows<'_>, read: Uuid) -> Result<Vec<(String, Vec<u8>)>> {
    rows.all("SELECT kind, json FROM documents WHERE read = ?1 ORDER BY received, id", &[&read], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Reads of a day about which something was put down.
pub(super) fn reads_of_day(rows: &Rows<'_>, day: Date) -> Result<Vec<Uuid>> {
    let (first, end) = super::day::ids_of(day);
    rows.all("SELECT DISTINCT read FROM documents WHERE read >= ?1 AND read < ?2", &[&first, &end], |row| row.get(0))
}

/// Deletes what was put down about these reads.
pub(super) fn forget(rows: &Rows<'_>, reads: &[Uuid]) -> Result<()> {
    reads.iter().try_for_each(|read| rows.run("DELETE FROM documents WHERE read = ?1", &[read]).map(drop))
}

/// Documents of one kind, the last that came first.
pub(super) fn list(rows: &Rows<'_>, query: &DocumentQuery) -> Result<Vec<StoredDocument>> {
    rows.all(
        "SELECT vehicle, received, read, json FROM documents
         WHERE kind = ?1 AND (vehicle = ?2 OR ?2 IS NULL) AND (received >= ?3 OR ?3 IS NULL)
           AND (received < ?4 OR ?4 IS NULL)
         ORDER BY received DESC, id LIMIT ?5",
        &[&query.kind, &query.vehicle, &query.from, &query.until, &(query.limit.min(DocumentQuery::MAX) as u64)],
        |row| {
            let (received, read, json) = (row.get::<Timestamp>(1)?, row.get(2)?, row.get(3)?);
            Ok(StoredDocument { vehicle: row.get(0)?, received, read, json })
        },
    )
}

/// Ids of reads that were corrected to a plate that fits; the newest correction counts.
pub(super) fn corrected_to(rows: &Rows<'_>, query: &Query) -> Result<BTreeSet<Uuid>> {
    let Some(plate) = &query.plate else { return Ok(BTreeSet::new()) };
    let (first, last) = match plate {
        Plate::Whole(key) => (key.clone(), key.clone()),
        // After all letters and digits.
        Plate::Partial(pattern, _) => (pattern.prefix(), format!("{}~", pattern.prefix())),
    };
    let found: Vec<(Uuid, String)> = rows.all(
        "SELECT read, key FROM documents
         WHERE key BETWEEN ?1 AND ?2 AND read IS NOT NULL AND (read < ?3 OR ?3 IS NULL)",
        &[&first, &last, &query.after.map(|cursor| cursor.0)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let fits = |key: &str| match plate {
        Plate::Whole(whole) => key == whole,
        Plate::Partial(pattern, _) => pattern.fits(key),
    };
    let may_fit: BTreeSet<Uuid> = found.into_iter().filter(|(_, key)| fits(key)).map(|(id, _)| id).collect();
    let may_fit: Vec<Uuid> = may_fit.into_iter().collect();
    let state = |reading: &Reading| query.state.as_ref().is_none_or(|state| *state == reading.state);
    let newest = newest(rows, &may_fit)?.into_iter();
    Ok(newest.filter(|(_, (key, reading))| fits(key) && state(reading)).map(|(id, _)| id).collect())
}

/// Puts what reads really say beside them.
pub(super) fn put_corrections(rows: &Rows<'_>, reads: &mut [Found]) -> Result<()> {
    let ids: Vec<Uuid> = reads.iter().map(|found| found.id).collect();
    let mut newest = newest(rows, &ids)?;
    for found in reads {
        found.corrected = newest.remove(&found.id).map(|(_, reading)| reading);
    }
    Ok(())
}

/// What reads say by their newest corrections, and the match keys of that.
fn newest(rows: &Rows<'_>, reads: &[Uuid]) -> Result<BTreeMap<Uuid, (String, Reading)>> {
    let places: Vec<String> = (1..=AT_ONCE).map(|n| format!("?{n}")).collect();
    let sql = format!(
        "SELECT read, key, json FROM documents WHERE read IN ({}) AND kind = '{CORRECTION}' AND key IS NOT NULL",
        places.join(", ")
    );
    let mut newest: BTreeMap<Uuid, (Timestamp, String, Reading)> = BTreeMap::new();
    for reads in reads.chunks(AT_ONCE) {
        // The last one again and again: one statement for any number of them.
        let ids: Vec<&dyn crate::rows::Bind> =
            (0..AT_ONCE).filter_map(|n| reads.get(n).or(reads.last()).map(|id| id as &dyn crate::rows::Bind)).collect();
        rows.each(&sql, &ids, |row| {
            let (id, key, json): (Uuid, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let Ok(correction) = serde_json::from_slice::<Correction>(&json) else { return Ok(()) };
            if newest.get(&id).is_none_or(|(at, ..)| *at <= correction.at) {
                newest.insert(id, (correction.at, key, correction.corrected));
            }
            Ok(())
        })?;
    }
    Ok(newest.into_iter().map(|(id, (_, key, reading))| (id, (key, reading))).collect())
}
