//! What the transfer stands between: the outbox on one side, the network on the other.

use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::wire::{Receipt, SealedRead};
use std::time::Duration;
use uuid::Uuid;

/// Reads that wait to be transferred. Calls block; the transfer makes them off its own thread.
pub trait Outbox: Clone + Send + Sync + 'static {
    /// Up to `limit` reads that are sealed and not transferred, in the order of sending.
    fn next(&self, limit: usize) -> Result<Vec<SealedRead>>;

    /// The id of the store that the reads are in.
    fn installation(&self) -> Result<Uuid>;

    /// The signed head of the audit log, as JSON; none before its first row.
    fn audit_head(&self) -> Result<Option<String>>;

    /// The bytes of an image, or `None` when the store has none of this hash.
    fn image(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>>;

    /// Marks what the receipt calls durable, only where id and hash are exactly what is stored.
    /// Durable on return.
    fn apply(&self, receipt: &Receipt) -> Result<Applied>;
}

/// What applying a receipt did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Reads marked transferred.
    pub transferred: usize,
    /// Entries of the receipt that fit nothing in the store.
    pub unknown: usize,
    /// Reads noted as refused.
    pub refused: usize,
}

/// The way to the station. An `Err` means that no whole answer came.
pub trait Link: Clone + Send + Sync + 'static {
    /// `PUT /v1/images/{sha256}`.
    fn put_image(&self, sha256: Sha256, bytes: Vec<u8>) -> impl Future<Output = Result<Answer>> + Send;

    /// `POST /v1/batches`, with the JSON of a batch.
    fn post_batch(&self, body: Vec<u8>) -> impl Future<Output = Result<Answer>> + Send;
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
