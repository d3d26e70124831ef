//! What still has to go to the station, and the receipts that say what arrived.

use super::connection::Fault;
use super::readers::View;
use super::reads::parse;
use super::writer::Writer;
use super::{audit, documents};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Kind};
use plated_core::record::ImageRef;
use plated_core::wire::batch::{Durable, Receipt, Refusal, SealedRead, SignedReceipt};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// What was refused is offered again after this many microseconds (one hour): by then somebody
/// may have mended what the station had against it.
pub(super) const REFUSED_REST: i64 = 3_600_000_000;

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

impl OutboxRead {
    /// Bytes of its record and its pictures.
    pub fn bytes(&self) -> usize {
        self.sealed.record.len() + self.images.iter().map(|image| image.bytes as usize).sum::<usize>()
    }
}

/// How much is wanted of the outbox.
#[derive(Clone, Debug, Default)]
pub struct Portion {
    /// Most reads.
    pub reads: usize,
    /// Most bytes of reads with their pictures; the first one comes in any case.
    pub bytes: usize,
    /// Most documents, and most rows of audit logs.
    pub others: usize,
    /// Reads that are not wanted now.
    pub held: HashSet<Uuid>,
}

/// What a receipt changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Reads marked as transferred by it.
    pub transferred: usize,
    /// Reads it names that were marked before.
    pub already: usize,
    /// Reads and documents it refuses; they stay in the outbox and rest for an hour.
    pub refused: usize,
    /// Reads and rows it names that are not here with that content, or are not sealed. More than none
    /// means that one of the two sides is wrong: WARN.
    pub unknown: usize,
    /// Documents marked as transferred by it.
    pub documents: usize,
    /// Rows of audit logs that the station holds now and did not before.
    pub audit_rows: usize,
}

/// The next reads to send: those with hits first, from the newest on; then those of canvasses, then the others, from
/// the oldest on.
pub(super) fn next(view: &View<'_>, wanted: &Portion) -> Result<Vec<OutboxRead>, Fault> {
    let now = view.now();
    // A refusal "in the future" means that the clock was set back; then it has rested enough.
    let mut find = view.conn().prepare_cached(
        "SELECT id, sha256, record, outbox.has_hit FROM outbox JOIN read ON number = outbox.read
         WHERE outbox.state = 'pending'
            OR outbox.state = 'refused' AND (refused_at <= ?1 - ?2 OR refused_at > ?1)
         ORDER BY outbox.has_hit DESC, (outbox.in_canvass AND NOT outbox.has_hit) DESC,
                  CASE outbox.has_hit WHEN 1 THEN -outbox.read ELSE outbox.read END",
    )?;
    let rows = find.query_map(params![now, REFUSED_REST], |row| {
        Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, Vec<u8>>(2)?, row.get(3)?))
    })?;
    let (mut reads, mut bytes) = (Vec::new(), 0);
    for row in rows {
        if reads.len() >= wanted.reads {
            break;
        }
        let (id, sha256, record, has_hit) = row?;
        let (id, sha256) = (Uuid::from_bytes(id), Sha256(sha256));
        if wanted.held.contains(&id) {
            continue;
        }
        // One that is not what was written must not keep the others from their way.
        match parse(&record).ok().filter(|_| Sha256::of(&record) == sha256) {
            Some(parsed) => {
                let sealed = SealedRead { id, sha256, record };
                let read = OutboxRead { sealed, images: parsed.images, has_hit };
                bytes += read.bytes();
                if bytes > wanted.bytes && !reads.is_empty() {
                    break;
                }
                reads.push(read);
            }
            None if !UNREADABLE.swap(true, Ordering::Relaxed) => tracing::error!(
                read = %id,
                "A read in the outbox is not what was written and is not sent; `plated check` names all such."
            ),
            None => {}
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
pub(super) fn apply(writer: &mut Writer, signed: &SignedReceipt) -> Result<Applied, Fault> {
    let now = writer.now();
    let receipt = signed.content()?;
    let mut applied = Applied::default();
    if says_nothing(&receipt) {
        return Ok(applied);
    }
    let body = serde_json::to_vec(signed)
        .context(Kind::Internal, || format!("receipt for batch {} can't be written as JSON", receipt.batch))?;
    let tx = writer.write_receipt()?;
    let number = keep(&tx, &receipt, &body, now)?;
    for Durable { id, sha256 } in &receipt.reads.durable {
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
    for Refusal { id, sha256, reason } in &receipt.reads.refused {
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
    documents::apply(&tx, &receipt.documents, number, now, &mut applied)?;
    audit::apply_receipt(&tx, &receipt.audit_rows.durable, number, &mut applied)?;
    tx.commit()?;
    Ok(applied)
}

fn says_nothing(receipt: &Receipt) -> bool {
    let Receipt { reads, documents, audit_rows, .. } = receipt;
    [reads, documents].iter().all(|said| said.durable.is_empty() && said.refused.is_empty())
        && audit_rows.durable.is_empty()
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
        "INSERT INTO receipt (batch, station, at, received, sha256, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (sha256) DO NOTHING",
        params![receipt.batch.as_bytes(), receipt.station, receipt.at.as_microsecond(), now, sha256, body],
    )?;
    conn.query_row("SELECT number FROM receipt WHERE sha256 = ?1", [sha256], |row| row.get(0))
}
