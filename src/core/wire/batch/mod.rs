//! A batch: some reads with all their pictures, what officers found, and rows of the audit log, as one
//! row of frames; and the signed receipt that answers it. `docs/reference/transfer.md` has the tables.
//!
//! The same bytes go over the network and into a file. [`BatchWriter`] writes them, [`BatchReader`] takes
//! them in pieces of any size and gives out what is complete, with bounded memory.

mod frames;
mod packed;
mod reader;
mod receipt;
mod writer;

pub use reader::{BatchReader, Event};
pub use receipt::{Durable, DurableRow, Receipt, Refusal, RefusedRow, RowVerdicts, SignedReceipt, Verdicts};
pub use writer::BatchWriter;

use super::Computer;
use crate::digest::{Hasher, Sha256};
use crate::error::{Error, Kind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Content type of a batch.
pub const BATCH_CONTENT_TYPE: &str = "application/vnd.plated.batch";
/// The first bytes of a batch; the last one is the version of the form.
pub const BATCH_MAGIC: &[u8; 8] = b"PLATEDB1";
/// Largest batch that is read, in bytes, as it travels and again as it is unpacked. A vehicle makes smaller ones,
/// unless a single read needs more.
pub const MAX_BATCH_BYTES: usize = 64 << 20;
/// Largest picture, in bytes.
pub const MAX_PICTURE_BYTES: usize = 16 << 20;
/// Most reads in one batch.
pub const MAX_BATCH_READS: usize = 500;
/// Most documents in one batch.
pub const MAX_BATCH_DOCUMENTS: usize = 500;
/// Most rows of audit logs in one batch.
pub const MAX_BATCH_ROWS: usize = 1000;
/// Most pictures in one batch.
pub const MAX_BATCH_PICTURES: usize = 2000;
/// Largest content of a header.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// Largest content of a frame with a read, document or row. A record may have 1 MiB; what is larger, up to
/// this, is refused by itself.
const MAX_TEXT_BYTES: usize = 2 << 20;
/// Largest packed frame as it travels, and as it is unpacked.
const MAX_PACKED_BYTES: usize = 4 << 20;
const MAX_UNPACKED_BYTES: usize = 8 << 20;

/// The first frame: whose batch it is and what follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchHeader {
    /// Names this batch in logs of both sides, and in its receipt. Each sending has a new one.
    pub batch: Uuid,
    /// The vehicle, as its certificate names it.
    pub vehicle: String,
    /// The computer that sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer: Option<Computer>,
    /// When it was sent, by the vehicle's clock.
    pub sent: Timestamp,
    /// What waits in the vehicle beside this batch (control P-10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingReport>,
    /// The signed head of the vehicle's audit log, as the crate `access` writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_head: Option<Box<RawValue>>,
    /// What follows.
    pub counts: BatchCounts,
}

/// Reads in a vehicle that no receipt confirms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingReport {
    /// How many.
    pub reads: u64,
    /// When the oldest was made, by the vehicle's clock; none when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
}

/// How many of each kind a batch holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCounts {
    /// Reads, at most [`MAX_BATCH_READS`].
    pub reads: usize,
    /// Pictures, at most [`MAX_BATCH_PICTURES`].
    pub pictures: usize,
    /// Documents, at most [`MAX_BATCH_DOCUMENTS`].
    pub documents: usize,
    /// Rows of audit logs, at most [`MAX_BATCH_ROWS`].
    pub audit_rows: usize,
}

/// One read as the vehicle sealed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRead {
    /// Key of the read, UUIDv7.
    pub id: Uuid,
    /// Over `record`, as the vehicle says.
    pub sha256: Sha256,
    /// The JSON text of a [`ReadRecord`](crate::record::ReadRecord), byte for byte.
    pub record: Vec<u8>,
}

/// What an officer found, as the vehicle wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedDocument {
    /// Key of the document.
    pub id: Uuid,
    /// Over `body`, as the vehicle says.
    pub sha256: Sha256,
    /// What it is, such as `correction`: 1 to 64 small letters, digits and `_`.
    pub kind: String,
    /// JSON, byte for byte.
    pub body: Vec<u8>,
}

/// A row of an audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// The log.
    pub log: Uuid,
    /// The number of the row in it, from 1.
    pub number: u64,
    /// Over `row`, as the vehicle says.
    pub sha256: Sha256,
    /// JSON as `plated audit export` writes it.
    pub row: Vec<u8>,
}

/// A picture of one read or of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPicture {
    /// Over `jpeg`, as the vehicle says.
    pub sha256: Sha256,
    /// The JPEG.
    pub jpeg: Vec<u8>,
}

impl BatchCounts {
    /// Which of them is more than a batch may hold.
    pub fn excess(&self) -> Option<&'static str> {
        let table = [
            (self.reads > MAX_BATCH_READS, "reads"),
            (self.pictures > MAX_BATCH_PICTURES, "pictures"),
            (self.documents > MAX_BATCH_DOCUMENTS, "documents"),
            (self.audit_rows > MAX_BATCH_ROWS, "rows of the audit log"),
        ];
        table.into_iter().find_map(|(excess, name)| excess.then_some(name))
    }
}

impl SealedDocument {
    /// A document of this kind with these bytes. Its key is made of its content (UUIDv8): what was changed in the
    /// vehicle, such as a finding that was approved, is another document, and the station keeps both.
    pub fn new(kind: &str, body: Vec<u8>) -> Self {
        let whole = Hasher::new().with(b"plated document\n").with(kind.as_bytes()).with(b"\n").with(&body).finish();
        let mut id = [0; 16];
        id.copy_from_slice(&whole.0[..16]);
        let id = uuid::Builder::from_custom_bytes(id).into_uuid();
        Self { id, sha256: Sha256::of(&body), kind: kind.to_owned(), body }
    }
}

impl SealedRow {
    /// The row of this log.
    pub fn new(log: Uuid, number: u64, row: Vec<u8>) -> Self {
        Self { log, number, sha256: Sha256::of(&row), row }
    }
}

/// Whether this is the name of a kind of document.
pub fn is_document_kind(kind: &str) -> bool {
    (1..=64).contains(&kind.len()) && kind.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn malformed(what: impl Into<String>) -> Error {
    Error::new(Kind::Input, format!("this is not a whole batch: {}", what.into()))
}

#[cfg(test)]
mod tests;
