//! Which answers count as a receipt.

use super::link::Answer;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::wire::{Batch, Problem, Receipt};
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

/// The receipt in `answer`, if it is one for exactly `batch` (control P-12).
pub(super) fn check(batch: &Batch, answer: &Answer) -> Result<Receipt, Trouble> {
    if !(200..300).contains(&answer.status) {
        let error = problem(answer);
        return Err(match answer.status {
            400 | 413 | 422 => Trouble::Rejected(error),
            _ => Trouble::Failed(error),
        });
    }
    let failed = |text: &str| Trouble::Failed(Error::new(Kind::Network, text));
    let receipt: Receipt = serde_json::from_slice(&answer.body)
        .map_err(|_| failed("the station said yes but sent no receipt that can be read; nothing was marked"))?;
    if receipt.batch != batch.batch {
        return Err(failed("the station sent the receipt of another batch; nothing was marked"));
    }
    let sent: HashSet<(Uuid, Sha256)> = batch.reads.iter().map(|r| (r.id, r.sha256)).collect();
    let durable = receipt.durable.iter().map(|d| (d.id, d.sha256));
    let refused = receipt.refused.iter().map(|r| (r.id, r.sha256));
    if !durable.chain(refused).all(|named| sent.contains(&named)) {
        return Err(failed("the station's receipt names reads that were not sent; nothing was marked"));
    }
    Ok(receipt)
}

/// What an answer without success says, as a sentence.
pub(super) fn problem(answer: &Answer) -> Error {
    Problem::sentence(answer.status, &answer.body).after(answer.retry_after)
}
