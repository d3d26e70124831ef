//! What the station holds goes when its time is over (control P-13). Only what a receipt names is looked at, so
//! nothing goes before it (control P-12).
//!
//! A read's time is over by two clocks: so long has passed since its receipt by the vehicle's clock, and by the
//! station's as far as it is known here. One clock that is set ahead by a year, or back and right again, deletes
//! nothing early.
//!
//! With a read go its pictures, its hits, and what officers put down about it. What the station does not hold of that
//! yet, a finding that still mutes its pairing, and a canvass that is open keep the read.

use super::Store;
use super::connection::{Fault, PAGE_BYTES};
use super::readers::View;
use super::writer::Writer;
use jiff::{SignedDuration, Timestamp};
use plated_access::{Permit, Purge};
use plated_core::error::Result;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;

/// Pages that stay free in the file: new reads fill them at once.
const SLACK_PAGES: i64 = (8 << 20) / PAGE_BYTES;
/// Pages that are given back at once.
const SHRINK_PAGES: i64 = (1 << 20) / PAGE_BYTES;
/// A read that came to the station longer after it was made is one of a clock that was wrong.
const MAX_WAY: SignedDuration = SignedDuration::from_hours(60 * 24);

/// For how long a read stays once the station holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurgePolicy {
    /// A read without a hit.
    pub no_hit: SignedDuration,
    /// A read that matched an entry of a list, by itself or as it was corrected.
    pub hit: SignedDuration,
    /// A read of a canvass, also counted from the canvass's end.
    pub canvass: SignedDuration,
    /// A read without a hit goes at this age, if the station holds it. It counts from the last look.
    pub no_hit_age: Option<SignedDuration>,
}

/// What time it is by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ages {
    /// By the vehicle's clock.
    pub here: Timestamp,
    /// By the station's, at the least.
    pub at_station: Timestamp,
}

/// Reads whose time is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    reads: Vec<i64>,
    /// Of these, with a hit.
    pub hits: u64,
    /// Of these, in a canvass and without a hit.
    pub canvass: u64,
    /// Their pictures, as often as reads name them.
    pub pictures: u64,
}

impl Due {
    /// How many there are.
    pub fn reads(&self) -> u64 {
        self.reads.len() as u64
    }
}

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Reads.
    pub reads: u64,
    /// Pictures; one that a read shows which is still there stays.
    pub pictures: u64,
}

impl Store {
    /// Reads whose time is over, those first that the station has longest, so many that their pictures have about
    /// `bytes`. It says nothing of what is in them.
    ///
    /// # Errors
    /// What keeps them from being looked for.
    pub fn due(&self, policy: &PurgePolicy, now: Ages, bytes: u64) -> Result<Due> {
        let policy = *policy;
        self.look("could not look for reads whose time is over", move |view| due(view, &policy, now, bytes))
    }

    /// Deletes them. Durable on return. What is not confirmed by a receipt is passed over, whoever asks.
    ///
    /// # Errors
    /// What keeps them from being deleted; then none is.
    pub fn purge(&self, _: &Permit<Purge>, due: &Due) -> Result<Deleted> {
        let reads = due.reads.clone();
        self.ask("could not delete reads whose time is over", move |w| delete(w, &reads))
    }

    /// Gives the disk some of the room back that deleted reads took; false when there is no more to give. Where
    /// `last`, also empties the log, in which they still are.
    ///
    /// # Errors
    /// What keeps it from being done.
    pub fn shrink(&self, last: bool) -> Result<bool> {
        self.ask("could not give room back to the disk", move |w| shrink(w, last))
    }

    /// The time of the newest receipt by the station's clock.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn station_time(&self) -> Result<Option<Timestamp>> {
        self.look("could not look for the newest receipt", |view| {
            let sql = "SELECT at FROM receipt ORDER BY number DESC LIMIT 1";
            let at: Option<i64> = view.conn().prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
            at.map(super::manual::time).transpose()
        })
    }

    /// Reads without a hit and outside of a canvass that were made before `then` and that no receipt confirms.
    ///
    /// # Errors
    /// What keeps them from being counted.
    pub fn unconfirmed_before(&self, then: Timestamp) -> Result<u64> {
        self.look("could not count reads without a receipt", |view| {
            let sql = "SELECT count(*) FROM outbox
                       WHERE captured < ?1 AND has_hit = 0 AND in_canvass = 0 AND state <> 'open'";
            let count: i64 = view.conn().prepare_cached(sql)?.query_row([then.as_microsecond()], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
    }
}

fn micros(span: SignedDuration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn due(view: &View<'_>, policy: &PurgePolicy, now: Ages, bytes: u64) -> Result<Due, Fault> {
    let (here, at_station) = (now.here.as_microsecond(), now.at_station.as_microsecond());
    let shortest = micros(policy.no_hit.min(policy.hit).min(policy.canvass));
    // Those that were made at a wrong time count from their receipt.
    let received_before = here - if policy.no_hit_age.is_some() { 0 } else { shortest };
    let mut find = view.conn().prepare_cached(
        "SELECT t.read, t.at, receipt.at, read.last_seen,
           EXISTS (SELECT 1 FROM hit WHERE hit.read = t.read),
           iif(read.canvass = '', NULL, coalesce((SELECT max(coalesce(ended, 1 << 62)) FROM canvass
                                                  WHERE incident = read.canvass), t.at)),
           iif(?3, instr(read.record, CAST('\"clock\":\"not_trusted\"' AS BLOB)), 0)
         FROM transferred AS t JOIN receipt ON receipt.number = t.receipt JOIN read ON read.number = t.read
         WHERE t.at <= ?1
           AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.read = t.read)
           AND NOT EXISTS (SELECT 1 FROM correction AS c JOIN document_outbox AS d
                             ON d.kind = 'correction' AND d.number = c.number WHERE c.read = read.id)
           AND NOT EXISTS (SELECT 1 FROM disposition AS f LEFT JOIN document_outbox AS d
                             ON d.kind = 'disposition' AND d.number = f.number
                           WHERE f.read = read.id AND (d.place IS NOT NULL OR f.quiet_until > ?2))
         ORDER BY t.at",
    )?;
    let mut rows = find.query(params![received_before, here, policy.no_hit_age.is_some()])?;
    let (mut due, mut size) = (Due::default(), 0);
    while let Some(row) = rows.next()? {
        let (read, received, confirmed, last_seen): (i64, i64, i64, i64) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let (has_hit, canvass, doubted): (bool, Option<i64>, bool) = (row.get(4)?, row.get(5)?, row.get(6)?);
        let age = (here - received).min(at_station - confirmed);
        let over = match canvass {
            _ if has_hit => age >= micros(policy.hit),
            Some(ended) => age >= micros(policy.canvass) && here.saturating_sub(ended) >= micros(policy.canvass),
            None => {
                let way = Some(received - last_seen).filter(|way| !doubted && (0..=micros(MAX_WAY)).contains(way));
                let old = policy.no_hit_age.is_some_and(|most| age + way.unwrap_or(0) >= micros(most));
                age >= micros(policy.no_hit) || old
            }
        };
        if !over {
            continue;
        }
        let (pictures, length) = pictures(view.conn(), read)?;
        due.reads.push(read);
        due.pictures += pictures;
        due.hits += u64::from(has_hit);
        due.canvass += u64::from(canvass.is_some() && !has_hit);
        size += length;
        if size >= bytes {
            break;
        }
    }
    Ok(due)
}

/// How many pictures a read has, and their bytes.
fn pictures(conn: &Connection, read: i64) -> rusqlite::Result<(u64, u64)> {
    let mut count = conn.prepare_cached(
        "SELECT count(*), coalesce(sum(length(jpeg)), 0) FROM read_image JOIN image ON sha256 = image WHERE read = ?1",
    )?;
    count.query_row([read], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs())))
}

fn delete(writer: &mut Writer, reads: &[i64]) -> Result<Deleted, Fault> {
    // Also a store that is full is emptied.
    let tx = writer.write_receipt()?;
    let (mut deleted, mut receipts) = (Deleted::default(), BTreeSet::new());
    for read in reads {
        let confirmed: Option<([u8; 16], i64)> = tx
            .prepare_cached(
                "SELECT id, receipt FROM read JOIN transferred ON transferred.read = number
                 WHERE number = ?1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.read = number)",
            )?
            .query_row([read], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((id, receipt)) = confirmed else { continue };
        receipts.insert(receipt);
        receipts.extend(forget_documents(&tx, id)?);
        let images: Vec<[u8; 32]> = tx
            .prepare_cached("DELETE FROM read_image WHERE read = ?1 RETURNING image")?
            .query_map([read], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for sql in [
            "DELETE FROM hit WHERE read = ?1",
            "DELETE FROM transferred WHERE read = ?1",
            "DELETE FROM medium_read WHERE read = ?1",
            "DELETE FROM read WHERE number = ?1",
        ] {
            tx.prepare_cached(sql)?.execute([read])?;
        }
        for image in images {
            let sql = "DELETE FROM image WHERE sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM read_image WHERE image = ?1)";
            deleted.pictures += tx.prepare_cached(sql)?.execute([image])? as u64;
        }
        deleted.reads += 1;
    }
    for receipt in receipts {
        // The newest tells the station's time, and when there was a link.
        tx.prepare_cached(
            "DELETE FROM receipt WHERE number = ?1 AND number < (SELECT max(number) FROM receipt)
               AND NOT EXISTS (SELECT 1 FROM transferred WHERE receipt = ?1)
               AND NOT EXISTS (SELECT 1 FROM document_transferred WHERE receipt = ?1)
               AND NOT EXISTS (SELECT 1 FROM audit_transferred WHERE receipt = ?1)",
        )?
        .execute([receipt])?;
    }
    tx.commit()?;
    Ok(deleted)
}

/// Corrections and findings about a read, all of which the station holds; gives the receipts that said so.
fn forget_documents(tx: &Connection, read: [u8; 16]) -> rusqlite::Result<Vec<i64>> {
    let mut receipts = Vec::new();
    for kind in ["correction", "disposition"] {
        let numbers: Vec<i64> = tx
            .prepare_cached(&format!("DELETE FROM {kind} WHERE read = ?1 RETURNING number"))?
            .query_map([read], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for number in numbers {
            let mut forget = tx
                .prepare_cached("DELETE FROM document_transferred WHERE kind = ?1 AND number = ?2 RETURNING receipt")?;
            for receipt in forget.query_map(params![kind, number], |row| row.get(0))? {
                receipts.push(receipt?);
            }
        }
    }
    Ok(receipts)
}

fn shrink(writer: &mut Writer, last: bool) -> Result<bool, Fault> {
    let free = |conn: &Connection| conn.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0));
    let before = free(writer.conn())?;
    if before > SLACK_PAGES {
        let pages = SHRINK_PAGES.min(before - SLACK_PAGES);
        // A row for each page.
        let mut vacuum = writer.conn().prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut given = vacuum.query([])?;
        while given.next()?.is_some() {}
    }
    let after = free(writer.conn())?;
    if last {
        writer.empty_log();
    }
    Ok(after < before && after > SLACK_PAGES)
}
