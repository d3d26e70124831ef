//! What still has to go to the station, and the receipts that say what arrived.

use super::connection::Fault;
use super::readers::View;
use super::reads::parse;
use super::writer::Writer;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Kind};
use plated_core::record::ImageRef;
use plated_core::wire::{Durable, Receipt, Refusal, SealedRead};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::value::RawValue;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// A refused read is offered again after this many microseconds (one hour): by then somebody
/// may have mended what the station had against it.
const REFUSED_REST: i64 = 3_600_000_000;

/// That a read can't be sent is logged once; the outbox is read every few seconds.
static UNREADABLE: AtomicBool = AtomicBool::new(false);

/// A read to be sent.
#[derive(Debug)]
pub struct OutboxRead {
    /// The read, byte for byte as it was sealed.
    pub sealed: SealedRead,
    /// The pictures that have to be at the station with it.
    pub images: Vec<ImageRef>,
    /// It matched a hotlist entry.
    pub has_hit: bool,
}

/// What a receipt changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Reads marked as transferred by it.
    pub transferred: usize,
    /// Reads it names that were marked before.
    pub already: usize,
    /// Reads it refuses; they stay in the outbox and rest for an hour.
    pub refused: usize,
    /// Reads it names that are not here with that content, or are not sealed. More than none
    /// means that one of the two sides is wrong: WARN.
    pub unknown: usize,
}

/// The next reads to send.
pub(super) fn next(view: &View<'_>, limit: usize) -> Result<Vec<OutboxRead>, Fault> {
    let now = view.now();
    // A refusal "in the future" means that the clock was set back; then it has rested enough.
    let mut find = view.conn().prepare_cached(
        "SELECT id, sha256, record, outbox.has_hit FROM outbox JOIN read ON number = outbox.read
         WHERE outbox.state = 'pending'
            OR outbox.state = 'refused' AND (refused_at <= ?1 - ?2 OR refused_at > ?1)
         ORDER BY outbox.has_hit DESC, outbox.in_canvass DESC, outbox.read",
    )?;
    let rows = find.query_map(params![now, REFUSED_REST], |row| {
        Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, Vec<u8>>(2)?, row.get(3)?))
    })?;
    let mut reads = Vec::new();
    for row in rows {
        if reads.len() >= limit {
            break;
        }
        let (id, sha256, json, has_hit) = row?;
        let (id, sha256) = (Uuid::from_bytes(id), Sha256(sha256));
        // One that is not what was written must not keep the others from their way.
        let images = parse(&json).map(|record| record.images);
        let text = String::from_utf8(json).ok().filter(|text| Sha256::of(text.as_bytes()) == sha256);
        match (images, text.and_then(|text| RawValue::from_string(text).ok())) {
            (Ok(images), Some(record)) => {
                reads.push(OutboxRead { sealed: SealedRead { id, sha256, record }, images, has_hit });
            }
            _ if !UNREADABLE.swap(true, Ordering::Relaxed) => tracing::error!(
                read = %id,
                "A read in the outbox is not what was written and is not sent; `plated check` names all such."
            ),
            _ => {}
        }
    }
    Ok(reads)
}

/// The id that was made with this store.
pub(super) fn installation(view: &View<'_>) -> Result<Uuid, Fault> {
    let id = view.conn().query_row("SELECT id FROM installation", [], |row| row.get::<_, [u8; 16]>(0))?;
    Ok(Uuid::from_bytes(id))
}

/// Keeps a receipt and marks what it names.
pub(super) fn apply(writer: &mut Writer, receipt: &Receipt) -> Result<Applied, Fault> {
    let now = writer.now();
    let mut applied = Applied::default();
    if receipt.durable.is_empty() && receipt.refused.is_empty() {
        return Ok(applied); // says nothing about any read
    }
    let body = serde_json::to_vec(receipt)
        .context(Kind::Internal, || format!("receipt for batch {} can't be written as JSON", receipt.batch))?;
    let tx = writer.write_receipt()?;
    let number = keep(&tx, receipt, &body, now)?;
    for Durable { id, sha256 } in &receipt.durable {
        match find(&tx, *id, sha256)? {
            Some((read, Place::Waiting)) => {
                tx.prepare_cached("DELETE FROM outbox WHERE read = ?1")?.execute([read])?;
                tx.prepare_cached("INSERT INTO transferred (read, receipt, at) VALUES (?1, ?2, ?3)")?
                    .execute(params![read, number, now])?;
                applied.transferred += 1;
            }
            Some((_, Place::Transferred)) => applied.already += 1,
            Some((_, Place::Open)) | None => applied.unknown += 1,
        }
    }
    for Refusal { id, sha256, reason } in &receipt.refused {
        match find(&tx, *id, sha256)? {
            Some((read, Place::Waiting)) => {
                tx.prepare_cached("UPDATE outbox SET state = 'refused', refused_at = ?2, reason = ?3 WHERE read = ?1")?
                    .execute(params![read, now, reason])?;
                applied.refused += 1;
            }
            Some((_, Place::Transferred)) => applied.already += 1,
            Some((_, Place::Open)) | None => applied.unknown += 1,
        }
    }
    tx.commit()?;
    Ok(applied)
}

/// Where a read is on its way.
enum Place {
    Open,
    Waiting,
    Transferred,
}

/// Finds a read by its name and exactly this content.
fn find(conn: &Connection, id: Uuid, sha256: &Sha256) -> rusqlite::Result<Option<(i64, Place)>> {
    conn.prepare_cached(
        "SELECT number, outbox.state FROM read LEFT JOIN outbox ON outbox.read = number WHERE id = ?1 AND sha256 = ?2",
    )?
    .query_row(params![id.as_bytes(), sha256.0], |row| {
        let place = match row.get::<_, Option<String>>(1)?.as_deref() {
            None => Place::Transferred,
            Some("open") => Place::Open,
            Some(_) => Place::Waiting,
        };
        Ok((row.get(0)?, place))
    })
    .optional()
}

/// Writes the receipt once, however often it comes, and gives its number.
fn keep(conn: &Connection, receipt: &Receipt, body: &[u8], now: i64) -> rusqlite::Result<i64> {
    let sha256 = Sha256::of(body).0;
    conn.execute(
        "INSERT INTO receipt (batch, station, received, sha256, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (sha256) DO NOTHING",
        params![receipt.batch.as_bytes(), receipt.station, now, sha256, body],
    )?;
    conn.query_row("SELECT number FROM receipt WHERE sha256 = ?1", [sha256], |row| row.get(0))
}
