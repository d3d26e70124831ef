//! The rows of reads that wait to be forwarded.

use crate::database::{Rows, SqlContext, could_not_read};
use jiff::{SignedDuration, Timestamp};
use plated_core::error::Result;
use rusqlite::params;
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
        for (id, has_hit) in reads {
            self.0
                .prepare_cached(
                    "INSERT INTO forward_queue (read, has_hit, added) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                )
                .and_then(|mut s| s.execute(params![id.as_bytes(), has_hit, now.as_microsecond()]))
                .sql(|| "could not note that a read is to be forwarded".into())?;
        }
        Ok(())
    }

    /// What goes next: hits first, then the oldest.
    pub(super) fn next_to_forward(&self, limit: usize, now: Timestamp) -> Result<Vec<Uuid>> {
        let rested = now.checked_sub(REFUSED_REST).unwrap_or(Timestamp::MIN).as_microsecond();
        self.0
            .prepare_cached(
                "SELECT read FROM forward_queue WHERE refused IS NULL OR refused <= ?1
                 ORDER BY has_hit DESC, read LIMIT ?2",
            )
            .and_then(|mut s| {
                s.query_map(params![rested, limit as i64], |row| row.get(0).map(Uuid::from_bytes))?.collect()
            })
            .sql(could_not_read)
    }

    /// These need not wait any more.
    pub(super) fn forwarded(&self, reads: impl IntoIterator<Item = Uuid>) -> Result<()> {
        for id in reads {
            self.0
                .prepare_cached("DELETE FROM forward_queue WHERE read = ?1")
                .and_then(|mut s| s.execute([id.as_bytes()]))
                .sql(|| "could not note that a read was forwarded".into())?;
        }
        Ok(())
    }

    /// The upstream station did not take it.
    pub(super) fn forward_refused(&self, read: Uuid, now: Timestamp, reason: &str) -> Result<()> {
        self.0
            .prepare_cached("UPDATE forward_queue SET refused = ?2, reason = ?3 WHERE read = ?1")
            .and_then(|mut s| s.execute(params![read.as_bytes(), now.as_microsecond(), reason]))
            .map(drop)
            .sql(|| "could not note that a read was refused".into())
    }

    /// Keeps a receipt as it was signed.
    pub(super) fn keep_forward_receipt(&self, batch: Uuid, now: Timestamp, signed: &str) -> Result<()> {
        self.0
            .prepare_cached(
                "INSERT INTO forward_receipts (batch, received, signed) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )
            .and_then(|mut s| s.execute(params![batch.as_bytes(), now.as_microsecond(), signed]))
            .and_then(|_| {
                self.0.prepare_cached(
                    "DELETE FROM forward_receipts WHERE batch NOT IN
                       (SELECT batch FROM forward_receipts ORDER BY received DESC, batch DESC LIMIT ?1)",
                )
            })
            .and_then(|mut s| s.execute([MAX_RECEIPTS]))
            .map(drop)
            .sql(|| "could not keep a receipt".into())
    }

    /// How much waits.
    pub fn forward_waiting(&self) -> Result<Waiting> {
        let sql = "SELECT count(*), count(refused), min(added) FROM forward_queue";
        let (reads, refused, oldest): (i64, i64, Option<i64>) =
            self.0.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).sql(could_not_read)?;
        let oldest = oldest.and_then(|at| Timestamp::from_microsecond(at).ok());
        Ok(Waiting { reads: reads.unsigned_abs(), refused: refused.unsigned_abs(), oldest })
    }
}
