//! Which reads are here from a day on, to be shared later (control P-17). No content is looked at.

use super::super::report::PastRead;
use super::SqliteArchive;
use super::unit::Name;
use crate::database::could_not_read;
use crate::sqlcipher::SqlContext;
use jiff::civil::Date;
use plated_core::error::Result;
use uuid::Uuid;

/// Reads that are looked at in one look.
const AT_ONCE: i64 = 1000;

/// Gives those of this day (UTC) and later ones, some at a time.
pub(super) fn since(
    archive: &SqliteArchive,
    since: Date,
    each: &mut dyn FnMut(Vec<PastRead>) -> Result<()>,
) -> Result<()> {
    let days = archive.units.days().into_iter().filter(|(day, _)| *day >= since);
    for unit in days.flat_map(|(_, units)| units) {
        let Name::Part(_, class) = unit.name else { continue };
        let mut after = 0;
        loop {
            let page: Vec<(i64, PastRead)> = unit.read(|conn| {
                conn.prepare_cached(
                    "SELECT number, id, vehicle, site, has_hit FROM reads WHERE number > ?1 ORDER BY number LIMIT ?2",
                )
                .and_then(|mut s| {
                    s.query_map([after, AT_ONCE], |row| {
                        let (id, vehicle, site) = (Uuid::from_bytes(row.get(1)?), row.get(2)?, row.get(3)?);
                        Ok((row.get(0)?, PastRead { id, class, vehicle, site, has_hit: row.get(4)? }))
                    })?
                    .collect()
                })
                .sql(could_not_read)
            })?;
            let Some((number, _)) = page.last() else { break };
            after = *number;
            each(page.into_iter().map(|(_, read)| read).collect())?;
        }
    }
    Ok(())
}
