//! The rows of reads that wait to be forwarded.

use crate::rows::Rows;
use jiff::{SignedDuration, Timestamp};
use plated_core::error::Result;
use uuid::Uuid;

/// What the upstream station refused rests for so long.
const REFUSED_REST: SignedDuration = SignedDuration::from_hours(1);
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
    /// Has reads wait, each once.
    pub(crate) fn forward(&self, reads: &[(Uuid, bool)], now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO forward_queue (read, has_hit, added) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        reads.iter().try_for_each(|(id, has_hit)| self.run(sql, &[id, has_hit, &now]).map(drop))
    }

    /// What goes next: hits first, then the oldest.
    pub(super) fn next_to_forward(&self, limit: usize, now: Timestamp) -> Result<Vec<Uuid>> {
        let rested = now.checked_sub(REFUSED_REST).unwrap_or(Timestamp::MIN);
        let sql = "SELECT read FROM forward_queue WHERE refused IS NULL OR refused <= ?1
                   ORDER BY has_hit DESC, read LIMIT ?2";
        self.all(sql, &[&rested, &limit], |row| row.get(0))
    }

    /// These need not wait any more.
    pub(super) fn forwarded(&self, reads: impl IntoIterator<Item = Uuid>) -> Result<()> {
        let mut reads = reads.into_iter();
        reads.try_for_each(|id| self.run("DELETE FROM forward_queue WHERE read = ?1", &[&id]).map(drop))
    }

    /// The upstream station did not take it.
    pub(super) fn forward_refused(&self, read: Uuid, now: Timestamp, reason: &str) -> Result<()> {
        let sql = "UPDATE forward_queue SET refused = ?2, reason = ?3 WHERE read = ?1";
        self.run(sql, &[&read, &now, &reason]).map(drop)
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

    /// How much waits.
    pub fn forward_waiting(&self) -> Result<Waiting> {
        let waiting = self.one("SELECT count(*), count(refused), min(added) FROM forward_queue", &[], |row| {
            Ok(Waiting { reads: row.get(0)?, refused: row.get(1)?, oldest: row.get(2)? })
        })?;
        Ok(waiting.unwrap_or_default())
    }
}
