//! Taking in a batch: what is durable, what is missing, what is refused and why.
//!
//! A read stands in the receipt as durable only when its record is committed and the files of
//! all its images were made durable before (control P-12). One bad read never harms the others.

mod bounds;

use super::computers::Seen;
use super::database::{Database, NewRow, Rows};
use super::images::Images;
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Kind, Result};
use plated_core::record::ReadRecord;
use plated_core::wire::{Batch, Durable, Receipt, Refusal, SealedRead};
use std::collections::BTreeSet;

enum Verdict {
    Durable,
    Missing(Vec<Sha256>),
    Refused(String),
}

/// Takes in `batch`, which comes from the vehicle named in it. Everything the receipt calls
/// durable is on disk when this returns; on an error nothing of the batch was taken.
pub fn ingest(
    database: &mut Database,
    images: &Images,
    station: &str,
    batch: &Batch,
    now: Timestamp,
) -> Result<Receipt> {
    let (receipt, seen, fault) = database.transaction(|rows| {
        let seen = match &batch.computer {
            Some(computer) => rows.computer_seen(&batch.vehicle, computer, now)?,
            None => Seen::Usual,
        };
        let fault = match &batch.audit_head {
            Some(head) => rows.audit_head(&batch.vehicle, head.get(), now)?,
            None => None,
        };
        let mut durable = Vec::new();
        let mut missing = BTreeSet::new();
        let mut refused = Vec::new();
        for read in &batch.reads {
            let (id, sha256) = (read.id, read.sha256);
            match judge(rows, images, batch, read, now)? {
                Verdict::Durable => durable.push(Durable { id, sha256 }),
                Verdict::Missing(images) => missing.extend(images),
                Verdict::Refused(reason) => refused.push(Refusal { id, sha256, reason }),
            }
        }
        let missing_images = missing.into_iter().collect();
        let receipt = Receipt { batch: batch.batch, station: station.to_owned(), durable, missing_images, refused };
        Ok((receipt, seen, fault))
    })?;
    if let Some(fault) = fault {
        tracing::error!(vehicle = batch.vehicle, "Security: of a vehicle, {}", fault.text());
    }
    if seen == (Seen::Cloned { report: true }) {
        tracing::error!(
            vehicle = batch.vehicle,
            "Security: several computers send reads with the certificate of one vehicle. Find out which is the real \
             one and have a new certificate made for it; `plated-station status` shows since when"
        );
    }
    Ok(receipt)
}

fn judge(rows: &Rows<'_>, images: &Images, batch: &Batch, read: &SealedRead, now: Timestamp) -> Result<Verdict> {
    let refuse = |reason: &str| Ok(Verdict::Refused(reason.to_owned()));
    let text = read.record.get();
    if text.len() > bounds::MAX_RECORD_BYTES {
        return refuse("the record has more than 1 MiB");
    }
    if Sha256::of(text.as_bytes()) != read.sha256 {
        return refuse("the hash does not fit the record; it was changed on the way or in the vehicle's store");
    }
    match rows.read(read.id)? {
        Some(stored) if stored == read.sha256 => return Ok(Verdict::Durable),
        Some(_) => {
            // Sealed reads never change, so somebody or something altered one of the two.
            tracing::warn!(
                vehicle = batch.vehicle,
                read = %read.id,
                "A vehicle sent a read that is stored here with other content; the stored one is kept"
            );
            return refuse("a read of this id is stored here with other content");
        }
        None => {}
    }
    let record: ReadRecord = match serde_json::from_str(text) {
        Ok(record) => record,
        // Only the place: the parser's own message may quote the plate.
        Err(e) => {
            return refuse(&format!("the record is not a read (line {}, column {})", e.line(), e.column()));
        }
    };
    if record.id != read.id {
        return refuse("the record has another id than the read");
    }
    if read.id.get_version_num() != 7 {
        return refuse("the id is not a UUID of version 7");
    }
    if record.vehicle != batch.vehicle {
        return refuse("the record names another vehicle");
    }
    let json = serde_json::from_str(text).context(Kind::Internal, || "a record could not be examined".into())?;
    if let Some(why) = bounds::violation(&record, &json) {
        return refuse(&format!("in the record {why}"));
    }
    let mut missing = Vec::new();
    for image in &record.images {
        match rows.image(&image.sha256)?.filter(|bytes| images.size(&image.sha256) == Some(*bytes)) {
            None => missing.push(image.sha256),
            Some(bytes) if bytes != u64::from(image.bytes) => {
                return refuse("the record gives another size for an image than the image has");
            }
            Some(_) => {}
        }
    }
    if !missing.is_empty() {
        return Ok(Verdict::Missing(missing));
    }
    rows.add_read(&NewRow {
        id: read.id,
        sha256: read.sha256,
        vehicle: &batch.vehicle,
        first_seen: record.first_seen,
        received: now,
        batch: batch.batch,
        record: text.as_bytes(),
    })?;
    Ok(Verdict::Durable)
}

#[cfg(test)]
mod tests;
