//! Which answers count as a receipt.

use super::link::Answer;
use super::parcel::Parcel;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::signing::Trust;
use plated_core::wire::Problem;
use plated_core::wire::batch::{Receipt, SignedReceipt};
use std::collections::HashSet;
use uuid::Uuid;

/// Why a batch has no receipt.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The station understood and will not have this content; sending the same again is no use.
    Rejected(Error),
    /// Anything else; the same may work later.
    Failed(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Failed(error)
    }
}

impl Trouble {
    pub(super) fn into_error(self) -> Error {
        match self {
            Trouble::Rejected(e) | Trouble::Failed(e) => e,
        }
    }
}

/// The receipt in `answer`, if it is one for exactly this batch and a trusted key signed it (control P-12).
pub(super) fn check(
    batch: Uuid,
    parcel: &Parcel,
    answer: &Answer,
    trust: &Trust,
) -> Result<(SignedReceipt, Receipt), Trouble> {
    if !(200..300).contains(&answer.status) {
        let error = problem(answer);
        return Err(match answer.status {
            400 | 413 | 422 => Trouble::Rejected(error),
            _ => Trouble::Failed(error),
        });
    }
    let failed = |text: &str| Trouble::Failed(Error::new(Kind::Network, text));
    let signed: SignedReceipt = serde_json::from_slice(&answer.body)
        .map_err(|_| failed("the station said yes but sent no receipt that can be read; nothing was marked"))?;
    let receipt = signed.verified(trust).map_err(|e| match e.kind() {
        Kind::Refused => Trouble::Failed(Error::new(
            Kind::Refused,
            format!(
                "{e}; nothing was marked. If the station has a new key, put it into the file that transfer.receipt_keys \
                 names"
            ),
        )),
        _ => failed("the station said yes but sent no receipt that can be read; nothing was marked"),
    })?;
    if receipt.batch != batch {
        return Err(failed("the station sent the receipt of another batch; nothing was marked"));
    }
    if !names_only(&receipt, parcel) {
        return Err(failed("the station's receipt names what was not sent; nothing was marked"));
    }
    Ok((signed, receipt))
}

fn names_only(receipt: &Receipt, parcel: &Parcel) -> bool {
    let reads: HashSet<(Uuid, Sha256)> = parcel.reads.iter().map(|r| (r.id, r.sha256)).collect();
    let documents: HashSet<(Uuid, Sha256)> = parcel.documents.iter().map(|d| (d.id, d.sha256)).collect();
    let rows: HashSet<(Uuid, u64, Sha256)> = parcel.rows.iter().map(|r| (r.log, r.number, r.sha256)).collect();
    let said = |said: &plated_core::wire::batch::Verdicts, sent: &HashSet<(Uuid, Sha256)>| {
        said.durable.iter().all(|d| sent.contains(&(d.id, d.sha256)))
            && said.refused.iter().all(|r| sent.contains(&(r.id, r.sha256)))
    };
    let said_rows = &receipt.audit_rows;
    said(&receipt.reads, &reads)
        && said(&receipt.documents, &documents)
        && said_rows.durable.iter().all(|d| rows.contains(&(d.log, d.number, d.sha256)))
        && said_rows.refused.iter().all(|r| rows.contains(&(r.log, r.number, r.sha256)))
}

/// What an answer without success says, as a sentence.
pub(super) fn problem(answer: &Answer) -> Error {
    Problem::sentence(answer.status, &answer.body).after(answer.retry_after)
}
