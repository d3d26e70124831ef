//! The vehicle's store as the transfer's outbox.

use super::{Applied, Outbox};
use crate::store::Store;
use plated_access::{Permit, Transfer};
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::wire::{Receipt, SealedRead};
use std::sync::Arc;
use uuid::Uuid;

/// The store, and what lets the transfer see it.
#[derive(Clone)]
pub struct StoreOutbox {
    store: Store,
    permit: Arc<Permit<Transfer>>,
}

impl StoreOutbox {
    /// An outbox over this store.
    pub fn new(store: Store, permit: Permit<Transfer>) -> Self {
        Self { store, permit: Arc::new(permit) }
    }
}

impl Outbox for StoreOutbox {
    fn next(&self, limit: usize) -> Result<Vec<SealedRead>> {
        Ok(self.store.outbox(&self.permit, limit)?.into_iter().map(|read| read.sealed).collect())
    }

    fn installation(&self) -> Result<Uuid> {
        self.store.installation()
    }

    fn audit_head(&self) -> Result<Option<String>> {
        self.store.audit_head()
    }

    fn image(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>> {
        self.store.image(&self.permit, sha256)
    }

    fn apply(&self, receipt: &Receipt) -> Result<Applied> {
        let applied = self.store.apply_receipt(receipt)?;
        Ok(Applied { transferred: applied.transferred, unknown: applied.unknown, refused: applied.refused })
    }
}
