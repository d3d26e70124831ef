//! Keeping a batch in the station's database.
//!
//! A read is durable only when its record is committed and the files of all its pictures were made durable before
//! (control P-12). One bad read never harms the others.

use super::archive::{AuditRow, CheckedBatch, CheckedRead, Document, Outcome, Verdict};
use super::computers::Seen;
use super::database::{Database, NewRow, Rows};
use super::images::Images;
use plated_core::error::Result;

/// Keeps `batch`, whose pictures are in `images` durably. Everything that the outcome calls durable is on disk when
/// this returns; on an error nothing of the batch was taken.
pub fn ingest(database: &mut Database, images: &Images, batch: &CheckedBatch) -> Result<Outcome> {
    database.transaction(|rows| {
        let seen = match &batch.computer {
            Some(computer) => rows.computer_seen(&batch.vehicle, computer, batch.received)?,
            None => Seen::Usual,
        };
        let fault = match &batch.audit_head {
            Some(head) => rows.audit_head(&batch.vehicle, head, batch.received)?,
            None => None,
        };
        for picture in &batch.pictures {
            rows.add_image(&picture.sha256, picture.bytes.len() as u64, batch.received)?;
        }
        let reads = batch.reads.iter().map(|read| keep(rows, images, batch, read)).collect::<Result<_>>()?;
        let documents = batch.documents.iter().map(|document| keep_document(rows, batch, document));
        let documents = documents.collect::<Result<_>>()?;
        let audit_rows = batch.audit_rows.iter().map(|row| keep_row(rows, batch, row)).collect::<Result<_>>()?;
        Ok(Outcome { reads, documents, audit_rows, seen, fault })
    })
}

fn keep(rows: &Rows<'_>, images: &Images, batch: &CheckedBatch, read: &CheckedRead) -> Result<Verdict> {
    match rows.read(read.id)? {
        Some(stored) if stored == read.sha256 => return Ok(Verdict::Durable),
        Some(_) => {
            // Sealed reads never change, so somebody or something altered one of the two.
            tracing::warn!(
                vehicle = batch.vehicle,
                read = %read.id,
                "A vehicle sent a read that is stored here with other content; the stored one is kept"
            );
            return Ok(Verdict::OtherContent);
        }
        None => {}
    }
    for picture in &read.envelope.pictures {
        match rows.image(&picture.sha256)?.filter(|bytes| images.size(&picture.sha256) == Some(*bytes)) {
            None => return Ok(Verdict::PictureMissing(picture.sha256)),
            Some(bytes) if bytes != u64::from(picture.bytes) => return Ok(Verdict::PictureSize(picture.sha256)),
            Some(_) => {}
        }
    }
    rows.add_read(&NewRow {
        id: read.id,
        sha256: read.sha256,
        vehicle: &batch.vehicle,
        first_seen: read.envelope.first_seen,
        received: batch.received,
        batch: batch.batch,
        record: &read.record,
    })?;
    Ok(Verdict::Durable)
}

fn keep_document(rows: &Rows<'_>, batch: &CheckedBatch, document: &Document) -> Result<Verdict> {
    match rows.add_document(&batch.vehicle, document, batch.received)? {
        stored if stored == document.sha256 => Ok(Verdict::Durable),
        _ => Ok(Verdict::OtherContent),
    }
}

fn keep_row(rows: &Rows<'_>, batch: &CheckedBatch, row: &AuditRow) -> Result<Verdict> {
    match rows.add_audit_row(&batch.vehicle, row, batch.received)? {
        stored if stored == row.hash => Ok(Verdict::Durable),
        _ => Ok(Verdict::OtherContent),
    }
}
