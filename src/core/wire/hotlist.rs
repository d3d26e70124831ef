//! What the station says of the hotlists it hands out. `docs/reference/hotlist-sync.md` tells
//! how the messages are used.

use crate::digest::Sha256;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A manifest with who signed it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SignedManifest {
    /// The signer's public key (Ed25519), in hex digits.
    pub key: String,
    /// The signature over the bytes of `manifest`, in hex digits.
    pub signature: String,
    /// The JSON text of a [`Manifest`], byte for byte.
    #[schema(value_type = Manifest)]
    pub manifest: Box<RawValue>,
}

/// All lists that the station hands out at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Manifest {
    /// Name of the station.
    pub station: String,
    /// Grows with every manifest; one with a smaller number than another is older.
    pub serial: u64,
    /// When it was made.
    pub made: Timestamp,
    /// The lists. One that a vehicle has and that is not here was withdrawn.
    pub lists: Vec<ListVersion>,
    /// Versions that take the place of those of the same name at their own time (`valid_from`), also in a vehicle that
    /// does not reach the station then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coming: Vec<ListVersion>,
}

impl Manifest {
    /// The lists that count at `now`: a version whose time has come is in the place of the one before it.
    pub fn lists_at(&self, now: Timestamp) -> Vec<&ListVersion> {
        let mut lists: Vec<&ListVersion> = self.lists.iter().collect();
        let mut due: Vec<&ListVersion> =
            self.coming.iter().filter(|v| v.valid_from.is_none_or(|from| from <= now)).collect();
        due.sort_by_key(|v| v.valid_from);
        for version in due {
            match lists.iter_mut().find(|list| list.name == version.name) {
                Some(list) => *list = version,
                None => lists.push(version),
            }
        }
        lists
    }
}

/// One list as it is handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListVersion {
    /// Name of the list.
    pub name: String,
    /// Number of the version, from 1.
    pub version: u64,
    /// Over the bytes of the file.
    #[schema(value_type = String)]
    pub sha256: Sha256,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Entries, one on each line.
    pub entries: u64,
    /// When this version was published.
    pub published: Timestamp,
    /// Date of the file it was made of, as its source has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_date: Option<Timestamp>,
    /// When it was last known to be the newest at its source: the date of the same content that was brought again,
    /// or the time at which the source was asked. A vehicle counts the list's age from it.
    pub confirmed: Timestamp,
    /// Why a person let it in past the station's checks, if somebody did; the vehicle lets it in too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<String>,
    /// When it comes into force, where that is not at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// From which age on the station takes it for stale; a vehicle whose configuration says nothing of it does too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<StaleAfter>,
    /// Earlier versions from which there is a delta.
    #[serde(default)]
    pub deltas: Vec<DeltaFrom>,
}

/// From which age on a list is stale, in hours; 0 is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaleAfter {
    /// Until a warning.
    pub warn_h: u32,
    /// Until it is critical.
    pub critical_h: u32,
}

/// A version from which there is a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeltaFrom {
    /// Hash of the earlier version.
    #[schema(value_type = String)]
    pub from: Sha256,
    /// Size of the delta in bytes.
    pub bytes: u64,
}

/// First line of a delta. The lines under it are `{"removed":ENTRY}` and `{"added":ENTRY}`, in
/// the order of the entries' bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaHeader {
    /// Hash of the version it starts from.
    pub from: Sha256,
    /// Hash of the version that it makes.
    pub to: Sha256,
    /// Number of entries that go.
    pub removed: u64,
    /// Number of entries that come.
    pub added: u64,
}
