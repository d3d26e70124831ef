//! The vehicle's store as the transfer's outbox.

use super::Outbox;
use super::link::Waiting;
use crate::store::{Applied, Portion, Store};
use plated_access::{Permit, Transfer};
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::wire::batch::SignedReceipt;
use std::sync::Arc;

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
    fn next(&self, wanted: &Portion) -> Result<Waiting> {
        let reads = self.store.outbox_within(&self.permit, wanted)?;
        // None of these keeps reads from being sent.
        let documents = self.store.documents_to_send(&self.permit, wanted.others).unwrap_or_else(|e| {
            tracing::warn!("Reads are sent without what officers put down: {}", e.chain());
            Vec::new()
        });
        let rows = self.store.audit_rows_to_send(&self.permit, wanted.others).unwrap_or_else(|e| {
            tracing::warn!("Reads are sent without the audit log: {}", e.chain());
            Vec::new()
        });
        let audit_head = self.store.audit_head().unwrap_or_else(|e| {
            tracing::warn!("Reads are sent without the head of the audit log: {}", e.chain());
            None
        });
        let sent = reads.iter().map(|read| read.sealed.id).collect();
        let beside = self.store.waiting_beside(&sent).ok();
        // The store can be begun anew while this runs. One that can't tell its id still sends its reads.
        Ok(Waiting { reads, documents, rows, installation: self.store.installation().ok(), audit_head, beside })
    }

    fn image(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>> {
        self.store.image(&self.permit, sha256)
    }

    fn is_to_send_all(&self) -> bool {
        self.store.is_to_send_all().unwrap_or(false)
    }

    fn all_is_sent(&self) {
        if self.is_to_send_all()
            && let Err(e) = self.store.send_all(false)
        {
            tracing::debug!("That all was sent is not kept: {}", e.chain());
        }
    }

    fn apply(&self, receipt: &SignedReceipt) -> Result<Applied> {
        self.store.apply_receipt(receipt)
    }
}
