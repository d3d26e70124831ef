//! The vehicle's store as the transfer's outbox.

use super::{Applied, Outbox};
use crate::store::Store;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::wire::{Receipt, SealedRead};

impl Outbox for Store {
    fn next(&self, limit: usize) -> Result<Vec<SealedRead>> {
        Ok(self.outbox(limit)?.into_iter().map(|read| read.sealed).collect())
    }

    fn image(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>> {
        Store::image(self, sha256)
    }

    fn apply(&self, receipt: &Receipt) -> Result<Applied> {
        let applied = self.apply_receipt(receipt)?;
        Ok(Applied { transferred: applied.transferred, unknown: applied.unknown, refused: applied.refused })
    }
}
