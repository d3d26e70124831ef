//! How much is in the store, and how long the oldest read waits.

use super::connection::Fault;
use super::readers::View;
use jiff::Timestamp;
use plated_core::wire::batch::WaitingReport;
use rusqlite::{OptionalExtension, params};
use std::collections::HashSet;
use uuid::Uuid;

/// Counts of what the store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Reads, in whatever state.
    pub reads: u64,
    /// Hits of these reads.
    pub hits: u64,
    /// Different pictures.
    pub images: u64,
    /// Reads whose pass is still going on; they are not sent yet.
    pub open: u64,
    /// Sealed reads that wait for transfer.
    pub pending: u64,
    /// Reads that the station would not take; they are kept and offered again.
    pub refused: u64,
    /// Reads that a receipt confirms.
    pub transferred: u64,
    /// Capture time of the oldest read that no receipt confirms, in whatever state (control
    /// P-10).
    pub oldest_pending: Option<Timestamp>,
    /// Receipts kept.
    pub receipts: u64,
    /// Last look of the newest read.
    pub newest_read: Option<Timestamp>,
    /// When the last receipt came.
    pub last_receipt: Option<Timestamp>,
}

/// Counts.
pub(super) fn stats(view: &View<'_>) -> Result<Stats, Fault> {
    let conn = view.conn();
    let counted = conn
        .prepare_cached(
            "SELECT (SELECT count(*) FROM read), (SELECT count(*) FROM hit), (SELECT count(*) FROM image),
                    (SELECT count(*) FROM transferred), (SELECT min(captured) FROM outbox),
                    (SELECT count(*) FROM receipt),
                    (SELECT last_seen FROM read ORDER BY number DESC LIMIT 1),
                    (SELECT received FROM receipt ORDER BY number DESC LIMIT 1)",
        )?
        .query_row([], |row| {
            let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            let time =
                |column| row.get::<_, Option<i64>>(column).map(|t| t.and_then(|t| Timestamp::from_microsecond(t).ok()));
            Ok(Stats {
                reads: count(0)?,
                hits: count(1)?,
                images: count(2)?,
                transferred: count(3)?,
                oldest_pending: time(4)?,
                receipts: count(5)?,
                newest_read: time(6)?,
                last_receipt: time(7)?,
                ..Stats::default()
            })
        });
    let mut stats = counted?;
    let mut states = conn.prepare_cached("SELECT state, count(*) FROM outbox GROUP BY state")?;
    let rows = states.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    for row in rows {
        match row? {
            (state, n) if state == "open" => stats.open = n,
            (state, n) if state == "refused" => stats.refused = n,
            (_, n) => stats.pending = n,
        }
    }
    Ok(stats)
}

/// The last look of the newest read of a camera, if it is not before `from`.
pub(super) fn last_read_of(view: &View<'_>, camera: &str, from: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT last_seen FROM read WHERE last_seen >= ?1 AND camera = ?2 ORDER BY last_seen DESC LIMIT 1";
    let mut find = view.conn().prepare_cached(sql)?;
    let found: Option<i64> = find.query_row(params![from.as_microsecond(), camera], |row| row.get(0)).optional()?;
    Ok(found.and_then(|at| Timestamp::from_microsecond(at).ok()))
}

/// Reads that no receipt confirms and that were made before `then`.
pub(super) fn waiting_since(view: &View<'_>, then: Timestamp) -> Result<u64, Fault> {
    let sql = "SELECT count(*) FROM outbox WHERE captured < ?1";
    let count: i64 = view.conn().prepare_cached(sql)?.query_row([then.as_microsecond()], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// What no receipt confirms, but for these reads.
pub(super) fn waiting_beside(view: &View<'_>, sent: &HashSet<Uuid>) -> Result<WaitingReport, Fault> {
    let all: i64 = view.conn().prepare_cached("SELECT count(*) FROM outbox")?.query_row([], |row| row.get(0))?;
    let mut find = view.conn().prepare_cached(
        "SELECT captured, id FROM outbox JOIN read ON number = outbox.read ORDER BY captured",
    )?;
    let mut rows = find.query([])?;
    let mut oldest = None;
    while let Some(row) = rows.next()? {
        let (captured, id): (i64, [u8; 16]) = (row.get(0)?, row.get(1)?);
        if !sent.contains(&Uuid::from_bytes(id)) {
            oldest = Timestamp::from_microsecond(captured).ok();
            break;
        }
    }
    Ok(WaitingReport { reads: all.unsigned_abs().saturating_sub(sent.len() as u64), oldest })
}
