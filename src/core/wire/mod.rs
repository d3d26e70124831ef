//! The messages vehicle and station share, as JSON over mutual TLS.
//!
//! A read travels as the exact bytes the vehicle sealed; its SHA-256 is taken over those bytes,
//! so both sides can prove that they hold the same content. `tests/station/wire.rs` holds a golden file
//! for each message.
//!
//! | call | body | answer |
//! |---|---|---|
//! | `PUT /v1/images/{sha256}` | the image bytes | 201 stored, 200 already there, 422 hash differs |
//! | `POST /v1/batches` | [`Batch`] | 200 [`Receipt`] |
//! | `POST /v1/security-events` | [`SecurityReport`] | 200 [`SecurityReceipt`] |
//! | `GET /v1/health` | – | 200 `{"status": "ok"}` |
//! | `GET /v1/hotlists` | – | 200 [`SignedManifest`] |
//! | `GET /v1/hotlists/{name}/{sha256}` | – | 200 the list, JSON of an [`EntryRecord`] on each line |
//! | `GET /v1/hotlists/{name}/{sha256}/from/{sha256}` | – | 200 a delta, see [`DeltaHeader`] |

pub mod batch;
mod hotlist;
mod security;
pub use hotlist::*;
pub use security::*;

use crate::digest::Sha256;
use crate::error::{Error, Kind};
use crate::text::visible;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Largest body of a batch that a station accepts, in bytes.
pub const MAX_BATCH_BYTES: usize = 4 << 20;
/// Largest image that a station accepts, in bytes.
pub const MAX_IMAGE_BYTES: usize = 16 << 20;
/// Most reads in one batch.
pub const MAX_BATCH_READS: usize = 500;

/// Some reads on their way to the station. Sending it twice does no harm.
#[derive(Debug, Serialize, Deserialize)]
pub struct Batch {
    /// Names this batch in logs of both sides.
    pub batch: Uuid,
    /// The vehicle, as its certificate names it.
    pub vehicle: String,
    /// The computer that sends it; older vehicles don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer: Option<Computer>,
    /// The signed head of the vehicle's audit log, as the crate `access` writes it; older vehicles send none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_head: Option<Box<RawValue>>,
    /// At most [`MAX_BATCH_READS`].
    pub reads: Vec<SealedRead>,
}

/// The computer that sends a batch, by random ids: so a station notices when several use one vehicle's
/// certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computer {
    /// Made with the vehicle's store.
    pub installation: Uuid,
    /// Made at each start.
    pub session: Uuid,
}

/// One read as the vehicle sealed it.
#[derive(Debug, Serialize, Deserialize)]
pub struct SealedRead {
    /// Key of the read, UUIDv7; the same as `record.id`.
    pub id: Uuid,
    /// Over the bytes of `record`.
    pub sha256: Sha256,
    /// The JSON text of a [`ReadRecord`], byte for byte.
    pub record: Box<RawValue>,
}

/// What the station says it holds durably. Only what stands in `durable` may be marked
/// transferred in the vehicle (control P-12).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The batch it answers.
    pub batch: Uuid,
    /// The station's name.
    pub station: String,
    /// Reads that are on the station's disk with all their images, now or from before.
    pub durable: Vec<Durable>,
    /// Images the station lacks; reads that need them are not durable yet.
    pub missing_images: Vec<Sha256>,
    /// Reads the station will not take, with the reason. They stay in the vehicle.
    pub refused: Vec<Refusal>,
}

/// A read that the station holds durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durable {
    /// Key of the read.
    pub id: Uuid,
    /// Hash of exactly the content that is durable.
    pub sha256: Sha256,
}

/// A read that the station did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Key of the read.
    pub id: Uuid,
    /// Hash of the content that was refused.
    pub sha256: Sha256,
    /// For an administrator.
    pub reason: String,
}

/// Body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What happened and what to do.
    pub error: String,
}

impl Problem {
    /// The error that an answer without success stands for.
    pub fn sentence(status: u16, body: &[u8]) -> Error {
        let problem = serde_json::from_slice::<Problem>(body).map(|p| p.error).unwrap_or_default();
        // It comes from outside and goes to logs and screens.
        let problem = visible(&problem).at_most(300).to_string();
        let kind = match status {
            401 | 403 => Kind::Refused,
            _ => Kind::Network,
        };
        match problem.as_str() {
            "" => Error::new(kind, format!("the station answered {status}")),
            _ => Error::new(kind, format!("the station answered {status}: {problem}")),
        }
    }
}

/// The tag of content with this hash, as it stands in `ETag`.
pub fn etag(sha256: &Sha256) -> String {
    format!("\"{sha256}\"")
}
