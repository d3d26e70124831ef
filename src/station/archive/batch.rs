//! A batch as it is handed to the archive, parsed and checked, and what became of it.

use super::class::Class;
use crate::computers::Seen;
use crate::heads::HeadFault;
use bytes::Bytes;
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::position::Position;
use plated_core::wire::Computer;
use std::fmt;
use uuid::Uuid;

/// A batch whose parts fit their hashes, and whose reads are the vehicle's own, within their bounds. Whoever
/// makes one has seen to that: the archive does not parse.
#[derive(Clone, Debug)]
pub struct CheckedBatch {
    /// The vehicle, as its certificate names it.
    pub vehicle: String,
    /// Names the batch in logs of both sides.
    pub batch: Uuid,
    /// By the station's clock.
    pub received: Timestamp,
    /// The computer that sent it.
    pub computer: Option<Computer>,
    /// The signed head of the vehicle's audit log, as it came.
    pub audit_head: Option<String>,
    /// Reads.
    pub reads: Vec<CheckedRead>,
    /// All pictures that came with it.
    pub pictures: Vec<Picture>,
    /// What officers found.
    pub documents: Vec<Document>,
    /// Rows of the vehicle's audit log.
    pub audit_rows: Vec<AuditRow>,
}

/// A read.
#[derive(Clone, Debug)]
pub struct CheckedRead {
    /// Its key, a UUIDv7.
    pub id: Uuid,
    /// Over `record`.
    pub sha256: Sha256,
    /// The exact bytes as they were sealed.
    pub record: Bytes,
    /// What the archive has to know of it.
    pub envelope: Envelope,
}

/// What the archive knows of a read besides its bytes: what is searched for. Other words of a record, such as
/// those of a newer vehicle, do not matter here.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The vehicle.
    pub vehicle: String,
    /// The camera.
    pub camera: String,
    /// Registration number as read.
    pub text: String,
    /// Its match key (`plated_core::plate`).
    pub key: String,
    /// Issuing state, or empty.
    pub state: String,
    /// Probability that the text is right, 0 to 1.
    pub confidence: f32,
    /// First look, by the vehicle's clock.
    pub first_seen: Timestamp,
    /// Last look.
    pub last_seen: Timestamp,
    /// Where, if it is known.
    pub position: Option<Position>,
    /// It matched an entry of a list.
    pub has_hit: bool,
    /// Incident number of the canvass in which it was made.
    pub canvass: Option<String>,
    /// The fixed site at which it was made.
    pub site: Option<String>,
    /// Decides how long it is kept.
    pub class: Class,
    /// Pictures that it names.
    pub pictures: Vec<PictureRef>,
}

/// A picture that a read names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureRef {
    /// What it shows, as a word; a newer vehicle may have more of them.
    pub role: String,
    /// Over its bytes.
    pub sha256: Sha256,
    /// Its size.
    pub bytes: u32,
}

/// A picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Over `bytes`.
    pub sha256: Sha256,
    /// JPEG.
    pub bytes: Bytes,
}

/// Something that was put down beside reads: a disposition, a correction, a finding. Kept as it came, of any kind.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its key.
    pub id: Uuid,
    /// What it is, as a word.
    pub kind: String,
    /// The read that it is about; it goes with it.
    pub read: Option<Uuid>,
    /// Over `json`.
    pub sha256: Sha256,
    /// The exact bytes.
    pub json: Bytes,
}

/// A row of a vehicle's audit log.
#[derive(Clone, Debug)]
pub struct AuditRow {
    /// The log.
    pub log: Uuid,
    /// Its number in it, from 1.
    pub number: i64,
    /// Hash of the row before it.
    pub prev: Sha256,
    /// Its own hash.
    pub hash: Sha256,
    /// That is not the hash of what it says.
    pub is_changed: bool,
    /// As `plated audit export` writes it.
    pub json: Bytes,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Of each read, in their order.
    pub reads: Vec<Verdict>,
    /// Of each document.
    pub documents: Vec<Verdict>,
    /// Of each row of the audit log.
    pub audit_rows: Vec<Verdict>,
    /// What the computer tells.
    pub seen: Seen,
    /// What is wrong with the audit log's head or rows and is to be logged now.
    pub fault: Option<HeadFault>,
}

/// What became of a part of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is on disk, now or from before, with exactly this content.
    Durable,
    /// Something else is here under its id or number. What is here stays.
    OtherContent,
    /// A picture that it names is not in the batch.
    PictureMissing(Sha256),
    /// A picture that it names has another size than it says.
    PictureSize(Sha256),
}

impl Verdict {
    /// Whether it may be receipted.
    pub fn is_durable(self) -> bool {
        self == Self::Durable
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Durable => f.write_str("it is durable"),
            Self::OtherContent => f.write_str("something else is stored here under its id"),
            Self::PictureMissing(sha256) => write!(f, "its picture {sha256} did not come with it"),
            Self::PictureSize(sha256) => write!(f, "its picture {sha256} has another size than it says"),
        }
    }
}
