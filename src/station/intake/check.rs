//! What of a batch can be taken, and its receipt.

use super::super::archive::{AuditRow, CheckedBatch, CheckedRead, Document, Outcome, Picture, Verdict};
use super::arrival::Parts;
use super::{bounds, envelope};
use axum::body::Bytes;
use jiff::Timestamp;
use plated_access::audit;
use plated_core::digest::Sha256;
use plated_core::wire::batch::{
    Durable, DurableRow, Receipt, Refusal, RefusedRow, RowVerdicts, SealedDocument, SealedRow, Verdicts,
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Longest document or row, in bytes.
const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// A checked batch, and what was refused of it already.
#[derive(Debug)]
pub struct Checked {
    pub batch: CheckedBatch,
    refused: Vec<Refusal>,
    refused_documents: Vec<Refusal>,
    refused_rows: Vec<RefusedRow>,
    /// Hashes of the rows' bytes, in their order.
    row_hashes: Vec<Sha256>,
}

/// Checks each part by itself: a bad one never harms the others. What another station sends is of its vehicles. Takes its
/// time; not for a thread that serves.
pub fn check(parts: Parts, received: Timestamp, is_station: bool) -> Checked {
    let Parts { header, reads, documents, rows, pictures } = parts;
    let mut checked = Checked {
        batch: CheckedBatch {
            vehicle: header.vehicle,
            batch: header.batch,
            received,
            computer: header.computer,
            audit_head: header.audit_head.map(|head| head.get().to_owned()),
            reads: Vec::with_capacity(reads.len()),
            // One that does not fit its hash is none of those that reads name.
            pictures: pictures
                .into_iter()
                .filter(|picture| Sha256::of(&picture.jpeg) == picture.sha256)
                .map(|picture| Picture { sha256: picture.sha256, bytes: picture.jpeg.into() })
                .collect(),
            documents: Vec::with_capacity(documents.len()),
            audit_rows: Vec::with_capacity(rows.len()),
        },
        refused: Vec::new(),
        refused_documents: Vec::new(),
        refused_rows: Vec::new(),
        row_hashes: Vec::new(),
    };
    for read in reads {
        match envelope::open(&checked.batch.vehicle, &read, is_station) {
            Ok(envelope) => {
                let (id, sha256, record) = (read.id, read.sha256, Bytes::from(read.record));
                checked.batch.reads.push(CheckedRead { id, sha256, record, envelope });
            }
            Err(reason) => checked.refused.push(Refusal { id: read.id, sha256: read.sha256, reason }),
        }
    }
    for document in documents {
        let (id, sha256) = (document.id, document.sha256);
        match open_document(&checked.batch.vehicle, document, is_station) {
            Ok(document) => checked.batch.documents.push(document),
            Err(reason) => checked.refused_documents.push(Refusal { id, sha256, reason }),
        }
    }
    for row in rows {
        let (log, number, sha256) = (row.log, row.number, row.sha256);
        match open_row(row) {
            Ok(row) => {
                checked.batch.audit_rows.push(row);
                checked.row_hashes.push(sha256);
            }
            Err(reason) => checked.refused_rows.push(RefusedRow { log, number, sha256, reason }),
        }
    }
    checked
}

/// A document. What it says is the business of whoever reads it, and one of an unknown kind is kept all the same; but it
/// is the vehicle's own, and no text in it is what a terminal would obey.
fn open_document(vehicle: &str, document: SealedDocument, is_station: bool) -> Result<Document, String> {
    let refuse = |reason: &str| Err(reason.to_owned());
    let SealedDocument { id, sha256, kind, body } = document;
    if body.len() > MAX_DOCUMENT_BYTES {
        return refuse("the document has more than 1 MiB");
    }
    if Sha256::of(&body) != sha256 {
        return refuse("the hash does not fit the document; it was changed on the way or in the vehicle's store");
    }
    let json: Value = serde_json::from_slice(&body).map_err(|_| "the document is no JSON".to_owned())?;
    if let Some(why) = bounds::text(&json, "") {
        return Err(format!("in the document {why}"));
    }
    if !is_station && json.get("vehicle").and_then(Value::as_str).is_some_and(|named| named != vehicle) {
        return refuse("the document names another vehicle");
    }
    let read = json.get("read").and_then(Value::as_str).and_then(|read| read.parse::<Uuid>().ok());
    Ok(Document { id, kind, read, sha256, json: body.into() })
}

#[derive(Deserialize)]
struct Line {
    row: Row,
}

#[derive(Deserialize)]
struct Row {
    number: i64,
    prev: Sha256,
    hash: Sha256,
}

fn open_row(row: SealedRow) -> Result<AuditRow, String> {
    if row.row.len() > MAX_DOCUMENT_BYTES {
        return Err("the row has more than 1 MiB".into());
    }
    if Sha256::of(&row.row) != row.sha256 {
        return Err("the hash does not fit the row; it was changed on the way".into());
    }
    let line: Line = serde_json::from_slice(&row.row).map_err(|_| "this is no row of an audit log".to_owned())?;
    let Row { number, prev, hash } = line.row;
    if number < 1 || u64::try_from(number) != Ok(row.number) {
        return Err("the row has another number".into());
    }
    let is_changed = is_changed(&row.row);
    Ok(AuditRow { log: row.log, number, prev, hash, is_changed, json: row.row.into() })
}

/// Whether a row says something else than its hash is of. One with words of a newer vehicle can't be judged here.
fn is_changed(line: &[u8]) -> bool {
    let Ok(json) = serde_json::from_slice::<Value>(line) else { return false };
    let Some(row) = json.get("row").and_then(|row| audit::Row::deserialize(row).ok()) else { return false };
    let is_known = serde_json::to_value(&row).is_ok_and(|again| Some(&again) == json.get("row"));
    let link = row.link();
    is_known && link.computed != link.hash
}

impl Checked {
    /// What is said of each part, once `outcome` says what is durable.
    pub fn receipt(self, station: &str, outcome: &Outcome, at: Timestamp) -> Receipt {
        let (mut reads, mut documents) = (verdicts(self.refused), verdicts(self.refused_documents));
        for (read, verdict) in self.batch.reads.iter().zip(&outcome.reads) {
            reads.add(read.id, read.sha256, *verdict);
        }
        for (document, verdict) in self.batch.documents.iter().zip(&outcome.documents) {
            documents.add(document.id, document.sha256, *verdict);
        }
        let mut rows = RowVerdicts { durable: Vec::new(), refused: self.refused_rows };
        let named = self.batch.audit_rows.iter().zip(&self.row_hashes);
        for ((row, sha256), verdict) in named.zip(&outcome.audit_rows) {
            let (log, number, sha256) = (row.log, row.number.unsigned_abs(), *sha256);
            match verdict {
                Verdict::Durable => rows.durable.push(DurableRow { log, number, sha256 }),
                why => rows.refused.push(RefusedRow { log, number, sha256, reason: why.to_string() }),
            }
        }
        let station = station.to_owned();
        Receipt { batch: self.batch.batch, station, at, reads, documents, audit_rows: rows }
    }
}

fn verdicts(refused: Vec<Refusal>) -> Verdicts {
    Verdicts { durable: Vec::new(), refused }
}

trait Add {
    fn add(&mut self, id: Uuid, sha256: Sha256, verdict: Verdict);
}

impl Add for Verdicts {
    fn add(&mut self, id: Uuid, sha256: Sha256, verdict: Verdict) {
        match verdict {
            Verdict::Durable => self.durable.push(Durable { id, sha256 }),
            why => self.refused.push(Refusal { id, sha256, reason: why.to_string() }),
        }
    }
}
