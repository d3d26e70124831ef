//! The rows of reads that wait to be forwarded.

use crate::rows::Rows;
use jiff::{SignedDuration, Timestamp};
use plated_core::error::Result;
use uuid::Uuid;

/// What the upstream station refused rests for so long.
const REFUSED_REST: SignedDuration = SignedDuration::from_hours(1);
/// The name under which reads wait for the upstream station.
pub const UPSTREAM: &str = "";
/// Receipts that are kept.
const MAX_RECEIPTS: i64 = 1000;

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Reads.
    pub reads: u64,
    /// Those of them that the upstream station refused.
    pub refused: u64,
    /// Since when the oldest waits.
    pub oldest: Option<Timestamp>,
}

impl Rows<'_> {
    /// Has reads wait for a receiver, each once.
    pub(crate) fn forward(&self, receiver: &str, reads: &[(Uuid, bool)], now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO forward_queue (receiver, read, has_hit, added) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO NOTHING";
        reads.iter().try_for_each(|(id, has_hit)| self.run(sql, &[&receiver, id, has_hit, &now]).map(drop))
    }

    /// What goes next to a receiver: hits first, then the oldest.
    pub(crate) fn next_to_forward(&self, receiver: &str, limit: usize, now: Timestamp) -> Result<Vec<Uuid>> {
        let rested = now.checked_sub(REFUSED_REST).unwrap_or(Timestamp::MIN);
        let sql = "SELECT read FROM forward_queue WHERE receiver = ?1 AND (refused IS NULL OR refused <= ?2)
                   ORDER BY has_hit DESC, read LIMIT ?3";
        self.all(sql, &[&receiver, &rested, &limit], |row| row.get(0))
    }

    /// These need not wait any more.
    pub(crate) fn forwarded(&self, receiver: &str, reads: impl IntoIterator<Item = Uuid>) -> Result<()> {
        let sql = "DELETE FROM forward_queue WHERE receiver = ?1 AND read = ?2";
        reads.into_iter().try_for_each(|id| self.run(sql, &[&receiver, &id]).map(drop))
    }

    /// The other side did not take it.
    pub(crate) fn forward_refused(&self, receiver: &str, read: Uuid, now: Timestamp, reason: &str) -> Result<()> {
        let sql = "UPDATE forward_queue SET refused = ?3, reason = ?4 WHERE receiver = ?1 AND read = ?2";
        self.run(sql, &[&receiver, &read, &now, &reason]).map(drop)
    }

    /// Keeps a receipt as it was signed.
    pub(super) fn keep_forward_receipt(&self, batch: Uuid, now: Timestamp, signed: &str) -> Result<()> {
        let sql = "INSERT INTO forward_receipts (batch, received, signed) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.run(sql, &[&batch, &now, &signed])?;
        self.run(
            "DELETE FROM forward_receipts WHERE batch NOT IN
               (SELECT batch FROM forward_receipts ORDER BY received DESC, batch DESC LIMIT ?1)",
            &[&MAX_RECEIPTS],
        )
        .map(drop)
    }

    /// How much waits for a receiver.
    pub fn forward_waiting(&self, receiver: &str) -> Result<Waiting> {
        let sql = "SELECT count(*), count(refused), min(added) FROM forward_queue WHERE receiver = ?1";
        let waiting = self.one(sql, &[&receiver], |row| {
            Ok(Waiting { reads: row.get(0)?, refused: row.get(1)?, oldest: row.get(2)? })
        })?;
        Ok(waiting.unwrap_or_default())
    }
}
