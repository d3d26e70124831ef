//! Certificates of deletion (control P-14): what a purge deleted, signed.

use super::class::Class;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_access::signed;
use plated_core::digest::{Hasher, Sha256};
use plated_core::error::Result;
use plated_core::signing::{Purpose, Signer, Trust};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What one purge deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Names the purge.
    pub id: Uuid,
    /// The station.
    pub station: String,
    /// When it was deleted.
    pub at: Timestamp,
    /// What was deleted.
    pub parts: Vec<DeletedPart>,
}

/// What was deleted of one day and class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedPart {
    /// The day on which it was made (UTC).
    pub day: Date,
    /// Its class.
    pub class: Class,
    /// Days for which it was kept.
    pub kept_days: u16,
    /// Minutes instead, where its reads were deleted one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_minutes: Option<u16>,
    /// The reads stay; only their pictures went.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pictures_only: bool,
    /// Reads.
    pub reads: u64,
    /// Pictures.
    pub pictures: u64,
    /// Over the ids of the reads, 16 bytes each, in their order: see [`DeletedPart::hash_of`].
    pub ids_sha256: Sha256,
    /// Reads of it that a hold keeps on.
    pub held: u64,
}

impl DeletedPart {
    /// The hash over these ids, which must be in their order.
    pub fn hash_of(ids: impl IntoIterator<Item = Uuid>) -> Sha256 {
        ids.into_iter().fold(Hasher::new(), |hasher, id| hasher.with(id.as_bytes())).finish()
    }
}

/// A certificate as it was signed: JSON with the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCertificate(String);

impl SignedCertificate {
    /// Signs it.
    ///
    /// # Errors
    /// `Internal` when it can't be written.
    pub fn sign(certificate: &Certificate, signer: &Signer) -> Result<Self> {
        signed::sign(certificate, Purpose::DELETION, signer).map(Self)
    }

    /// One that was kept.
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it says, if one of these keys signed it and it was not changed since.
    ///
    /// # Errors
    /// `Refused` when not.
    pub fn open(&self, trust: &Trust) -> Result<Certificate> {
        signed::open(self.0.as_bytes(), "certificate of deletion", Purpose::DELETION, trust)
    }
}
