//! What the transfer stands between: the outbox on one side, the network on the other.

use crate::store::{Applied, OutboxRead, Portion};
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::wire::batch::{SealedDocument, SealedRow, SignedReceipt, WaitingReport};
use std::time::Duration;
use uuid::Uuid;

/// What waits to be transferred. Calls block; the transfer makes them off its own thread.
pub trait Outbox: Clone + Send + Sync + 'static {
    /// What is to be sent next, in the order of sending.
    fn next(&self, wanted: &Portion) -> Result<Waiting>;

    /// The bytes of a picture, or `None` when the store has none of this hash.
    fn image(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>>;

    /// Whether what waits is to be sent whatever the schedule says, since before this program began.
    fn is_to_send_all(&self) -> bool {
        false
    }

    /// Nothing waits any more: what was to be sent is.
    fn all_is_sent(&self) {}

    /// Marks what the receipt names, only where id and hash are exactly what is stored.
    /// Durable on return.
    fn apply(&self, receipt: &SignedReceipt) -> Result<Applied>;
}

/// What is to be sent next.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Reads that are sealed and not transferred.
    pub reads: Vec<OutboxRead>,
    /// What officers put down.
    pub documents: Vec<SealedDocument>,
    /// Rows of audit logs.
    pub rows: Vec<SealedRow>,
    /// The id of the store that all this is in, where it can tell it.
    pub installation: Option<Uuid>,
    /// The signed head of the audit log, as JSON; none before its first row.
    pub audit_head: Option<String>,
    /// What waits beside these reads, where the store can tell it.
    pub beside: Option<WaitingReport>,
}

/// The way to the station. An `Err` means that no whole answer came.
pub trait Link: Clone + Send + Sync + 'static {
    /// `POST /v1/batches`, with a batch. Given up when nothing moves for as long as `patience`.
    fn post_batch(&self, body: Vec<u8>, patience: Duration) -> impl Future<Output = Result<Answer>> + Send;
}

/// A whole answer, of whatever kind.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// How long the station asks to wait before it is tried again (`Retry-After`).
    pub retry_after: Option<Duration>,
}
