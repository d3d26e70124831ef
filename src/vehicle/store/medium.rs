//! What waits, for a medium (control P-11): the same as over the network, all of it, in parts.

use super::Store;
use super::connection::Fault;
use super::events::{self, By, What};
use super::outbox::{Applied, OutboxRead};
use super::readers::View;
use super::reads::{image, parse};
use super::writer::Writer;
use super::{audit, documents};
use plated_access::{ExportMedium, Permit};
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::wire::batch::{MAX_BATCH_PICTURES, SealedDocument, SealedRead, SealedRow};
use rusqlite::{OptionalExtension, params};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Where an export goes on. The first one begins with all.
#[derive(Clone, Debug, Default)]
pub struct MediumCursor {
    read: i64,
    document: i64,
    rows: HashMap<Uuid, i64>,
    /// The last row of each audit log when the export began: it adds some itself.
    last_rows: HashMap<Uuid, i64>,
    /// Parts that are on the medium already.
    present: Vec<i64>,
}

/// Some of what waits.
#[derive(Debug, Default)]
pub struct MediumPortion {
    /// Reads, in the order in which they were made.
    pub reads: Vec<OutboxRead>,
    /// What officers put down.
    pub documents: Vec<SealedDocument>,
    /// Rows of audit logs.
    pub rows: Vec<SealedRow>,
}

impl MediumPortion {
    /// Nothing waits any more.
    pub fn is_empty(&self) -> bool {
        self.reads.is_empty() && self.documents.is_empty() && self.rows.is_empty()
    }
}

/// How much there is in one part at most.
#[derive(Clone, Copy, Debug)]
pub struct MediumLimits {
    /// Reads.
    pub reads: usize,
    /// Bytes of reads with their pictures; the first one comes in any case.
    pub bytes: usize,
    /// Documents, and rows of audit logs.
    pub others: usize,
}

impl Store {
    /// Begins an export to a medium on which files of these hashes are already; with `rest`, of what is in no file
    /// that was ever exported.
    ///
    /// # Errors
    /// What keeps them from being looked for.
    pub fn begin_medium(&self, _: &Permit<ExportMedium>, present: &[Sha256], rest: bool) -> Result<MediumCursor> {
        self.look("could not look for parts of a medium", |view| {
            let mut find = view.conn().prepare_cached("SELECT id FROM medium_part WHERE sha256 = ?1")?;
            let mut known = Vec::new();
            for sha256 in present {
                known.extend(find.query_row([sha256.0], |row| row.get::<_, i64>(0)).optional()?);
            }
            if rest {
                // A part is noted before it is written: of the last two it is not known whether they were.
                let sql = "SELECT id FROM medium_part ORDER BY id DESC LIMIT -1 OFFSET 2";
                let mut all = view.conn().prepare_cached(sql)?;
                known = all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            }
            let mut last = view.conn().prepare_cached("SELECT log, max(number) FROM audit GROUP BY log")?;
            let last = last.query_map([], |row| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?)))?;
            let last_rows = last.collect::<rusqlite::Result<_>>()?;
            Ok(MediumCursor { present: known, last_rows, ..MediumCursor::default() })
        })
    }

    /// How many reads wait that are not on the medium, and their bytes with pictures.
    ///
    /// # Errors
    /// What keeps them from being counted.
    pub fn medium_waiting(&self, _: &Permit<ExportMedium>, cursor: &MediumCursor) -> Result<(u64, u64)> {
        self.look("could not count what waits", |view| {
            let sql = format!(
                "SELECT count(*), coalesce(sum(length(read.record) + coalesce((SELECT sum(length(jpeg)) FROM read_image
                   JOIN image ON sha256 = image WHERE read_image.read = outbox.read), 0)), 0) {WAITING}"
            );
            let mut count = view.conn().prepare_cached(&sql)?;
            let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
            let (reads, bytes) = count.query_row(params![cursor.read, cursor.known()?], row)?;
            Ok((reads.unsigned_abs(), bytes.unsigned_abs()))
        })
    }

    /// The next of what waits; the cursor goes on behind it.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn next_for_medium(
        &self,
        _: &Permit<ExportMedium>,
        cursor: &mut MediumCursor,
        limits: MediumLimits,
    ) -> Result<MediumPortion> {
        self.look("could not look into the outbox", |view| next(view, cursor, limits))
    }

    /// A picture by its content, JPEG.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn medium_image(&self, _: &Permit<ExportMedium>, sha256: &Sha256) -> Result<Option<Vec<u8>>> {
        self.look("could not get a picture", |view| image(view, sha256))
    }

    /// Notes which reads are in a file for a medium.
    ///
    /// # Errors
    /// What keeps it from being written.
    pub fn note_medium_part(&self, batch: Uuid, sha256: Sha256, reads: Vec<Uuid>) -> Result<()> {
        self.ask("could not note what is on a medium", move |w| note(w, batch, &sha256, &reads))
    }

    /// Puts on record that a receipt came back, and what it changed.
    ///
    /// # Errors
    /// What keeps it from being written.
    pub fn receipt_brought(&self, applied: &Applied, by: &By) -> Result<()> {
        let (by, applied) = (by.clone(), *applied);
        self.ask("could not put a receipt on record", move |w| {
            let stamp = w.stamp();
            let tx = w.write_receipt()?;
            let subject = json!({"confirmed": applied.transferred, "already": applied.already,
                                 "refused_reads": applied.refused});
            events::write(&tx, &stamp, What::ReceiptBrought, &by, subject)?;
            Ok(tx.commit()?)
        })
    }

    /// Whether this batch was written for a medium, and its receipt is not back yet.
    ///
    /// # Errors
    /// What keeps it from being looked for.
    pub fn is_on_medium(&self, batch: Uuid) -> Result<bool> {
        self.look("could not look for a part of a medium", |view| {
            Ok(view.conn().prepare_cached("SELECT 1 FROM medium_part WHERE batch = ?1")?.exists([batch.as_bytes()])?)
        })
    }

    /// The receipt of this part is applied.
    ///
    /// # Errors
    /// What keeps it from being written.
    pub fn forget_medium_part(&self, batch: Uuid) -> Result<()> {
        self.ask("could not note that a part of a medium is receipted", move |w| {
            let tx = w.write_receipt()?;
            tx.execute(
                "DELETE FROM medium_read WHERE part = (SELECT id FROM medium_part WHERE batch = ?1)",
                [batch.as_bytes()],
            )?;
            tx.execute("DELETE FROM medium_part WHERE batch = ?1", [batch.as_bytes()])?;
            Ok(tx.commit()?)
        })
    }
}

/// Reads behind ?1 that wait and are not in the parts ?2; also those that the station refused.
const WAITING: &str = "FROM outbox JOIN read ON number = outbox.read
    WHERE outbox.read > ?1 AND outbox.state <> 'open' AND NOT EXISTS
      (SELECT 1 FROM medium_read WHERE medium_read.read = outbox.read AND part IN (SELECT value FROM json_each(?2)))";

impl MediumCursor {
    fn known(&self) -> Result<String, Fault> {
        serde_json::to_string(&self.present).map_err(|_| Fault::Damaged("a list of numbers".into()))
    }
}

fn next(view: &View<'_>, cursor: &mut MediumCursor, limits: MediumLimits) -> Result<MediumPortion, Fault> {
    let conn = view.conn();
    let mut portion = MediumPortion::default();
    let sql =
        format!("SELECT outbox.read, read.id, read.sha256, read.record, outbox.has_hit {WAITING} ORDER BY outbox.read");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(params![cursor.read, cursor.known()?])?;
    let (mut bytes, mut pictures) = (0, 0);
    while portion.reads.len() < limits.reads {
        let Some(row) = rows.next()? else { break };
        let (number, id, sha256): (i64, [u8; 16], [u8; 32]) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (record, has_hit): (Vec<u8>, bool) = (row.get(3)?, row.get(4)?);
        let (id, sha256) = (Uuid::from_bytes(id), Sha256(sha256));
        match parse(&record).ok().filter(|_| Sha256::of(&record) == sha256) {
            Some(parsed) => {
                let read = OutboxRead { sealed: SealedRead { id, sha256, record }, images: parsed.images, has_hit };
                (bytes, pictures) = (bytes + read.bytes(), pictures + read.images.len());
                let full = bytes > limits.bytes || pictures > MAX_BATCH_PICTURES;
                if full && !portion.reads.is_empty() {
                    break;
                }
                portion.reads.push(read);
            }
            None => {
                tracing::error!(read = %id, "A read is not what was written and is not exported; run `plated check`")
            }
        }
        cursor.read = number;
    }
    portion.documents = documents::after(view, &mut cursor.document, limits.others)?;
    portion.rows = audit::to_send_after(view, &mut cursor.rows, limits.others)?;
    let last = |row: &SealedRow| cursor.last_rows.get(&row.log).copied().unwrap_or_default().unsigned_abs();
    portion.rows.retain(|row| row.number <= last(row));
    Ok(portion)
}

fn note(writer: &mut Writer, batch: Uuid, sha256: &Sha256, reads: &[Uuid]) -> Result<(), Fault> {
    let now = writer.now();
    // Also a store that is full can be brought to the station.
    let tx = writer.write_receipt()?;
    tx.execute(
        "INSERT INTO medium_part (batch, sha256, at) VALUES (?1, ?2, ?3)",
        params![batch.as_bytes(), sha256.0, now],
    )?;
    let part = tx.last_insert_rowid();
    for read in reads.iter().collect::<HashSet<_>>() {
        tx.prepare_cached("INSERT INTO medium_read (part, read) SELECT ?1, number FROM read WHERE id = ?2")?
            .execute(params![part, read.as_bytes()])?;
    }
    Ok(tx.commit()?)
}
