//! Rows that can be published: without plates, names and free texts, and still verified.

use super::entry::{ACTOR, ACTOR_KIND, CASE, ELEMENT, REASON};
use super::row::{Row, Salt, hash};
use super::verify::Link;
use aws_lc_rs::hmac;
use plated_core::digest::Sha256;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A row without what is nobody's business. Whoever has it can compute its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactedRow {
    /// As in the row.
    pub number: i64,
    /// As in the row.
    pub prev: Sha256,
    /// In the order in which they are hashed.
    pub fields: Vec<RedactedField>,
    /// As in the row.
    pub hash: Sha256,
}

/// A field of a published row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RedactedField {
    /// With its value.
    Shown {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
        /// The salt of this field.
        salt: Salt,
    },
    /// Without it.
    Hidden {
        /// Its name.
        name: String,
        /// What stands for the value in the hash.
        commitment: Sha256,
        /// HMAC-SHA-256 of the value under the key of the publication: the same for the same value
        /// anywhere in it, so that accesses to one plate or by one person can be counted.
        keyed: Sha256,
    },
}

/// Redacts rows for one publication.
pub struct Redactor {
    key: hmac::Key,
    shown_elements: BTreeSet<String>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("shown_elements", &self.shown_elements).finish_non_exhaustive()
    }
}

/// Elements that say nothing of a plate or a person. Of all others the value is hidden.
const SHOWN_ELEMENTS: [&str; 14] = [
    "list",
    "category",
    "from",
    "until",
    "limit",
    "camera",
    "entries",
    "serial",
    "priority",
    "indicator",
    "failures",
    "minutes",
    "seconds",
    "sections",
];

impl Redactor {
    /// With a key of 32 random bytes, another one for each publication; whoever has it can find out by
    /// trying what is hidden.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), shown_elements: SHOWN_ELEMENTS.map(str::to_owned).into() }
    }

    /// The row without the names of people, reasons, case numbers, and the values of elements.
    pub fn redact(&self, row: &Row) -> RedactedRow {
        let fields = row.entry.fields();
        let is_machine = fields.iter().any(|(name, value)| name == ACTOR_KIND && value == "machine");
        let hides = |name: &str| match name.strip_prefix(ELEMENT) {
            Some(element) => !self.shown_elements.contains(element),
            None => matches!(name, REASON | CASE | "uid") || name == ACTOR && !is_machine,
        };
        let redacted = |(name, value): (String, String)| {
            let salt = row.salt.of_field(&name);
            if hides(&name) {
                let commitment = salt.commitment(&value);
                RedactedField::Hidden { name, commitment, keyed: self.keyed(&value) }
            } else {
                RedactedField::Shown { name, value, salt }
            }
        };
        let fields = fields.into_iter().map(redacted).collect();
        RedactedRow { number: row.number, prev: row.prev, fields, hash: row.hash }
    }

    /// What stands for this value in the publication.
    pub fn keyed(&self, value: &str) -> Sha256 {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hmac::sign(&self.key, value.as_bytes()).as_ref()); // Both are 32 bytes long.
        Sha256(bytes)
    }
}

impl RedactedRow {
    /// What the verification looks at.
    pub fn link(&self) -> Link {
        let commitment = |field: &RedactedField| match field {
            RedactedField::Shown { name, value, salt } => (name.clone(), salt.commitment(value)),
            RedactedField::Hidden { name, commitment, .. } => (name.clone(), *commitment),
        };
        let fields: Vec<_> = self.fields.iter().map(commitment).collect();
        let computed = hash(self.number, self.prev, &fields);
        Link { number: self.number, prev: self.prev, hash: self.hash, computed }
    }
}
