//! The head of a log: its last row, signed.

use super::entry::Entry;
use super::row::{Row, Salt};
use crate::signed;
use jiff::Timestamp;
use plated_core::digest::{Hasher, Sha256};
use plated_core::error::{Error, Kind, Result};
use plated_core::signing::{PublicKey, Purpose, Signer, Trust};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The last row of a log, as far as it goes. Signed, it travels to the station with each batch; from
/// then on no row up to it can be changed without being found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The vehicle or station whose log it is, as its certificate names it.
    pub vehicle: String,
    /// Names the log. Another one begins only when a store is lost.
    pub log: Uuid,
    /// Number of the last row; 0: there is none yet.
    pub number: i64,
    /// Its hash.
    pub hash: Sha256,
    /// When this was so.
    pub at: Timestamp,
}

impl Head {
    /// The head of a new log.
    pub fn start(vehicle: &str, log: Uuid, at: Timestamp) -> Self {
        Self { vehicle: vehicle.to_owned(), log, number: 0, hash: start_hash(vehicle, log), at }
    }

    /// The row that follows, with a new salt, and the head with it.
    ///
    /// # Errors
    /// `Internal` when the system gives no random numbers.
    pub fn next(&self, entry: Entry) -> Result<(Row, Self)> {
        Ok(self.next_with(entry, Salt::generate()?))
    }

    pub(super) fn next_with(&self, entry: Entry, salt: Salt) -> (Row, Self) {
        let (number, at) = (self.number.saturating_add(1), entry.at);
        let row = Row::new(number, self.hash, salt, entry);
        let head = Self { number, hash: row.hash, at, ..self.clone() };
        (row, head)
    }

    /// Signs it; gives the JSON text `{"key", "signature", "document"}`.
    ///
    /// # Errors
    /// `Internal` when it can't be written.
    pub fn sign(&self, signer: &Signer) -> Result<String> {
        signed::sign(self, Purpose::AUDIT_HEAD, signer)
    }

    /// The head in such a text.
    ///
    /// # Errors
    /// `Refused` when it is not signed by a trusted key, `Input` when it is none.
    pub fn open(text: &[u8], trust: &Trust) -> Result<Self> {
        const WHAT: &str = "the head of the audit log";
        let head: Self = signed::open(text, WHAT, Purpose::AUDIT_HEAD, trust)?;
        if head.number < 0 || head.number == 0 && !head.is_start() {
            return Err(Error::new(Kind::Input, format!("{WHAT} can't be used: no log begins with it")));
        }
        Ok(head)
    }

    /// The head in such a text and the key that signed it, for whoever decides by the key itself.
    ///
    /// # Errors
    /// `Refused` when the signature is wrong, `Input` when it is none.
    pub fn signed_by(text: &[u8]) -> Result<(Self, PublicKey)> {
        let none = || Error::new(Kind::Input, "the head of the audit log can't be used: it is no signed document");
        let key = signed::key_of(text).ok_or_else(none)?;
        Ok((Self::open(text, &Trust::only([key]))?, key))
    }

    /// True for the head of a log without rows.
    pub fn is_start(&self) -> bool {
        self.number == 0 && self.hash == start_hash(&self.vehicle, self.log)
    }

    /// True when both are of the same log.
    pub fn is_of_same_log(&self, other: &Self) -> bool {
        self.vehicle == other.vehicle && self.log == other.log
    }
}

fn start_hash(vehicle: &str, log: Uuid) -> Sha256 {
    Hasher::new().with(b"plated audit log 1\n").with(log.as_bytes()).with(vehicle.as_bytes()).finish()
}
