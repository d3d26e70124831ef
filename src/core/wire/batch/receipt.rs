//! What the station holds durably of a batch, signed by it.

use crate::digest::Sha256;
use crate::error::{Context, Error, Kind, Result};
use crate::signing::{Purpose, Signer, Trust};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

/// What the station says of a batch. Only what stands in it as durable may be marked transferred in the vehicle
/// (control P-12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The batch it answers.
    pub batch: Uuid,
    /// The station's name.
    pub station: String,
    /// When it was signed, by the station's clock.
    pub at: Timestamp,
    /// The reads, each with all pictures that it names.
    #[serde(default)]
    pub reads: Verdicts,
    /// The documents.
    #[serde(default)]
    pub documents: Verdicts,
    /// The rows of audit logs.
    #[serde(default)]
    pub audit_rows: RowVerdicts,
}

/// What is durable, and what the station will not take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verdicts {
    /// On the station's disk, now or from before.
    pub durable: Vec<Durable>,
    /// These stay in the vehicle.
    pub refused: Vec<Refusal>,
}

/// Content that the station holds durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Durable {
    /// Its key.
    pub id: Uuid,
    /// Hash of exactly the content that is durable.
    #[schema(value_type = String)]
    pub sha256: Sha256,
}

/// Content that the station did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    /// Its key.
    pub id: Uuid,
    /// Hash of the content that was refused.
    #[schema(value_type = String)]
    pub sha256: Sha256,
    /// For an administrator. Quotes nothing of the content.
    pub reason: String,
}

/// As [`Verdicts`], of the rows of audit logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowVerdicts {
    /// On the station's disk, now or from before.
    pub durable: Vec<DurableRow>,
    /// These are sent again.
    pub refused: Vec<RefusedRow>,
}

/// A row of an audit log that the station holds durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DurableRow {
    /// The log.
    pub log: Uuid,
    /// The number of the row.
    pub number: u64,
    /// Hash of exactly the content that is durable.
    #[schema(value_type = String)]
    pub sha256: Sha256,
}

/// A row of an audit log that the station did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedRow {
    /// The log.
    pub log: Uuid,
    /// The number of the row.
    pub number: u64,
    /// Hash of the content that was refused.
    #[schema(value_type = String)]
    pub sha256: Sha256,
    /// For an administrator.
    pub reason: String,
}

/// A receipt as it travels: who signed exactly which bytes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignedReceipt {
    /// The station's public key (Ed25519), in hex digits.
    pub key: String,
    /// The signature over the bytes of `receipt`, in hex digits.
    pub signature: String,
    /// The JSON text of a [`Receipt`], byte for byte.
    #[schema(value_type = Receipt)]
    pub receipt: Box<RawValue>,
}

impl SignedReceipt {
    /// Signs a receipt.
    ///
    /// # Errors
    /// `Internal` when it can't be written.
    pub fn sign(receipt: &Receipt, signer: &Signer) -> Result<Self> {
        let failed = || "a receipt can't be written".into();
        let text = serde_json::to_string(receipt).context(Kind::Internal, failed)?;
        let signature = hex::encode(signer.sign(Purpose::RECEIPT, text.as_bytes()));
        let receipt = RawValue::from_string(text).context(Kind::Internal, failed)?;
        Ok(Self { key: hex::encode(signer.public_key()), signature, receipt })
    }

    /// The receipt in these bytes, if a trusted key signed it.
    ///
    /// # Errors
    /// `Input` when it is no signed receipt, `Refused` when nobody who is trusted signed it.
    pub fn open(bytes: &[u8], trust: &Trust) -> Result<Receipt> {
        let signed: Self = serde_json::from_slice(bytes).map_err(|_| no_receipt())?;
        signed.verified(trust)
    }

    /// The receipt, if a trusted key signed it.
    ///
    /// # Errors
    /// As of [`SignedReceipt::open`].
    pub fn verified(&self, trust: &Trust) -> Result<Receipt> {
        let (mut key, mut signature) = ([0; 32], [0; 64]);
        hex::decode_to_slice(&self.key, &mut key).map_err(|_| no_receipt())?;
        hex::decode_to_slice(&self.signature, &mut signature).map_err(|_| no_receipt())?;
        trust
            .check(&key, Purpose::RECEIPT, self.receipt.get().as_bytes(), &signature)
            .map_err(|why| Error::new(Kind::Refused, format!("the receipt does not count: {why}")))?;
        self.content()
    }

    /// The receipt, whoever signed it: of one that was verified before it was kept.
    ///
    /// # Errors
    /// `Input` when it is none.
    pub fn content(&self) -> Result<Receipt> {
        serde_json::from_str(self.receipt.get()).map_err(|_| no_receipt())
    }
}

fn no_receipt() -> Error {
    Error::new(Kind::Input, "the answer is no signed receipt")
}
