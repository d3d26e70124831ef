//! Rows, and what goes into their hash.

use super::entry::Entry;
use super::verify::Link;
use aws_lc_rs::{hmac, rand};
use plated_core::digest::{Hasher, Sha256};
use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The secret salt of a row, or of a field.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt([u8; 32]);

impl Salt {
    pub(super) fn generate() -> Result<Self> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| Error::new(Kind::Internal, "the system gives no random numbers"))?;
        Ok(Self(bytes))
    }

    /// The salt of 32 random bytes, as they were kept.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The salt of one field. It tells nothing of the row's, nor of another field's.
    pub(super) fn of_field(&self, name: &str) -> Self {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), name.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref()); // Both are 32 bytes long.
        Self(bytes)
    }

    /// Stands for this value in the hash of a row.
    pub(super) fn commitment(&self, value: &str) -> Sha256 {
        Hasher::new().with(b"plated audit field 1\n").with(&self.0).with(value.as_bytes()).finish()
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

impl TryFrom<String> for Salt {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(|_| "a salt is not 64 hex digits")?;
        Ok(Self(bytes))
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        hex::encode(salt.0)
    }
}

/// A row of the log. As JSON, one line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// From 1, without a gap.
    pub number: i64,
    /// Hash of the row before it.
    pub prev: Sha256,
    /// Secret as long as something of the row is.
    pub salt: Salt,
    /// What it says.
    pub entry: Entry,
    /// Over all of this.
    pub hash: Sha256,
}

impl Row {
    /// The row of this number after the row with the hash `prev`.
    pub(super) fn new(number: i64, prev: Sha256, salt: Salt, entry: Entry) -> Self {
        let mut row = Self { number, prev, salt, entry, hash: prev };
        row.hash = row.computed();
        row
    }

    /// The hash that its content has.
    pub(super) fn computed(&self) -> Sha256 {
        let commitment = |(name, value): &(String, String)| (name.clone(), self.salt.of_field(name).commitment(value));
        let fields: Vec<_> = self.entry.fields().iter().map(commitment).collect();
        hash(self.number, self.prev, &fields)
    }

    /// What the verification looks at.
    pub fn link(&self) -> Link {
        Link { number: self.number, prev: self.prev, hash: self.hash, computed: self.computed() }
    }
}

/// The hash of a row. Lengths stand before what has none of its own, so that no two rows have the same
/// bytes.
pub(super) fn hash(number: i64, prev: Sha256, fields: &[(String, Sha256)]) -> Sha256 {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let mut hasher = Hasher::new()
        .with(b"plated audit row 1\n")
        .with(&prev.0)
        .with(&number.to_be_bytes())
        .with(&length(fields.len()));
    for (name, commitment) in fields {
        hasher.update(&length(name.len()));
        hasher.update(name.as_bytes());
        hasher.update(&commitment.0);
    }
    hasher.finish()
}
