//! Which reads are here from a day on, to be shared later (control P-17). No content is looked at.

use super::super::report::PastRead;
use super::{PostgresArchive, parts};
use jiff::civil::Date;
use plated_core::error::Result;
use uuid::Uuid;

/// Reads that are looked at in one look.
const AT_ONCE: i64 = 1000;

/// Gives those of this day (UTC) and later ones, some at a time.
pub(super) fn since(
    archive: &PostgresArchive,
    since: Date,
    each: &mut dyn FnMut(Vec<PastRead>) -> Result<()>,
) -> Result<()> {
    let sql = "SELECT id, vehicle, site, has_hit FROM reads WHERE part = $1 AND id > $2 ORDER BY id LIMIT $3";
    for part in archive.server.read(parts::all)?.into_iter().filter(|part| part.day >= since) {
        let mut after = Uuid::nil();
        loop {
            let rows = archive.server.read(|tx| tx.all(sql, &[&part.number, &after, &AT_ONCE]))?;
            let Some(last) = rows.last() else { break };
            after = last.get(0);
            let read = |row: &tokio_postgres::Row| PastRead {
                id: row.get(0),
                class: part.class,
                vehicle: row.get(1),
                site: row.get(2),
                has_hit: row.get(3),
            };
            each(rows.iter().map(read).collect())?;
        }
    }
    Ok(())
}
