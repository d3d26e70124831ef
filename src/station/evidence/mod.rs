//! Evidence on a portable medium (control P-16): selected reads with their pictures and papers in one ZIP archive that
//! proves itself (docs/reference/evidence.md).
//!
//! Its manifest names each file by size and hash, who took it out, when and why, and is signed. The comment at the
//! archive's very end signs all bytes before it, so that nothing in it can be changed, added or put in another place.

pub mod command;
mod verify;
mod write;

pub use verify::{Fault, Report, verify};
pub use write::{Contents, ExportedRead, write};

use jiff::Timestamp;
use plated_access::audit::Who;
use plated_core::digest::Sha256;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The manifest's name in the archive.
const MANIFEST: &str = "manifest.json";
/// What the archive is; the first word of its comment, too.
const FORMAT: &str = "plated-evidence-1";
/// Length of the comment: the word, a blank, a public key and a signature in hex digits.
const COMMENT_BYTES: usize = FORMAT.len() + 1 + 64 + 128;

/// What is in an archive, and why it was taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// Names the export.
    pub id: Uuid,
    /// The station.
    pub station: String,
    /// When.
    pub at: Timestamp,
    /// Who took it out.
    pub by: Who,
    /// For which of the agency's purposes.
    pub purpose: Option<String>,
    /// Number of the case.
    pub case: String,
    /// Why, in their words.
    pub reason: String,
    /// Its reads.
    pub reads: Vec<ManifestRead>,
    /// Every file but the manifest itself, by name.
    pub files: Vec<ManifestFile>,
}

impl Manifest {
    /// What the archive is.
    pub const FORMAT: &'static str = FORMAT;
}

/// A read of an archive, and how it came to the station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRead {
    /// Its key.
    pub id: Uuid,
    /// The vehicle that made it.
    pub vehicle: String,
    /// Over its record, as the vehicle sealed it.
    pub sealed_sha256: Sha256,
    /// When the station received it.
    pub received: Timestamp,
    /// The batch that brought it.
    pub batch: Uuid,
    /// Evidence holds that keep it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Uuid>,
}

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its name there.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Over its content.
    pub sha256: Sha256,
}

/// Name of the sealed record of a read.
fn record_name(id: Uuid) -> String {
    format!("reads/{id}/record.json")
}
