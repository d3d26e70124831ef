//! What officers put down beside sealed reads and entries, in the form in which it goes to the station.

use crate::digest::Sha256;
use crate::record::{EntryRecord, HitRecord};
use crate::user::Author;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Registration number and issuing state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// A–Z and 0–9.
    pub text: String,
    /// Two letters, or empty.
    pub state: String,
}

/// A read that somebody corrected (control P-30). The read itself stays as it was sealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// UUIDv7.
    pub id: Uuid,
    /// The vehicle that made the read.
    pub vehicle: String,
    /// Key of the read.
    pub read: Uuid,
    /// Over the content of the read as it was then; it can only change while the pass goes on.
    pub read_sha256: Sha256,
    /// As it was read.
    pub original: Reading,
    /// As it is.
    pub corrected: Reading,
    /// When it was corrected.
    pub at: Timestamp,
    /// Who corrected it.
    pub by: Author,
    /// Why, as given.
    pub reason: String,
    /// Case or incident, or empty.
    pub case: String,
    /// What the corrected text matched.
    pub hits: Vec<HitRecord>,
}

/// What somebody found about a hit, as it goes to the station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispositionRecord {
    /// The vehicle that made the read.
    pub vehicle: String,
    /// Key of the read.
    pub read: Uuid,
    /// Key of the hit.
    pub hit: Uuid,
    /// When it was found.
    pub at: Timestamp,
    /// Who found it.
    pub by: Author,
    /// What it was, as a word such as `confirmed` or `misread`.
    pub finding: String,
    /// The plate or partial plate of the list.
    pub listed: String,
}

/// Who did something, when, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Who.
    pub by: Author,
    /// When.
    pub at: Timestamp,
    /// Why, as given.
    pub reason: String,
}

/// "Not this vehicle": a plate is not the vehicle that an entry wants. It counts once a supervisor approved it,
/// for this entry as it is: another one of the plate, or a changed one, alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VehicleFinding {
    /// UUIDv7.
    pub id: Uuid,
    /// The vehicle in which it was proposed.
    pub vehicle: String,
    /// The plate that is not the wanted one, A–Z and 0–9.
    pub plate: String,
    /// Its state, two letters; empty when unknown.
    pub state: String,
    /// The entry.
    pub entry: EntryRecord,
    /// The hit that led to it.
    pub hit: Uuid,
    /// Case or incident, or empty.
    pub case: String,
    /// From then on the entry alerts again.
    pub until: Timestamp,
    /// Who found it.
    pub proposed: Signed,
    /// The supervisor who approved it; another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Signed>,
    /// Who ended it, if somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Signed>,
}

impl VehicleFinding {
    /// True when it was approved and not withdrawn. It may be over.
    pub fn counts(&self) -> bool {
        self.approved.is_some() && self.withdrawn.is_none()
    }

    /// Whether it speaks of this entry, as it is, beside a plate of this state. A state that is not known is no
    /// reason to alert; another one is.
    pub fn speaks_of(&self, entry: &EntryRecord, state: &str) -> bool {
        self.entry == *entry && (self.state.is_empty() || state.is_empty() || self.state == state)
    }
}
