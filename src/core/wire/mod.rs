//! The messages vehicle and station share, over mutual TLS: JSON, but for a batch.
//!
//! A read travels as the exact bytes the vehicle sealed; its SHA-256 is taken over those bytes,
//! so both sides can prove that they hold the same content. `tests/station/wire.rs` holds a golden file
//! for each message.
//!
//! | call | body | answer |
//! |---|---|---|
//! | `POST /v1/batches` | a [batch] | 200 [`SignedReceipt`](batch::SignedReceipt) |
//! | `POST /v1/security-events` | [`SecurityReport`] | 200 [`SecurityReceipt`] |
//! | `POST /v1/certificate` | [`CertificateRequest`] | 200 [`CertificateAnswer`] |
//! | `GET /v1/provision/users` | – | 200 the accounts of this vehicle, signed |
//! | `GET /v1/provision/settings` | – | 200 what the agency sets, signed |
//! | `GET /v1/provision/models` | – | 200 a signed [`ModelsDocument`] |
//! | `GET /v1/provision/models/{sha256}` | – | 200 a file of the models |
//! | `GET /v1/health` | – | 200 `{"status": "ok"}` |
//! | `GET /v1/hotlists` | – | 200 [`SignedManifest`] |
//! | `GET /v1/hotlists/{name}/{sha256}` | – | 200 the list, JSON of an [`EntryRecord`] on each line |
//! | `GET /v1/hotlists/{name}/{sha256}/from/{sha256}` | – | 200 a delta, see [`DeltaHeader`] |
//! | `GET /v1/findings` | – | 200 a [`FindingSet`], signed |

pub mod batch;
mod certificate;
mod findings;
mod hotlist;
mod models;
mod security;
pub use certificate::*;
pub use findings::*;
pub use hotlist::*;
pub use models::*;
pub use security::*;

use crate::digest::Sha256;
use crate::error::{Error, Kind};
use crate::text::visible;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The computer that sends a batch, by random ids: so a station notices when several use one vehicle's
/// certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Computer {
    /// Made with the vehicle's store.
    pub installation: Uuid,
    /// Made at each start.
    pub session: Uuid,
}

/// Body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
