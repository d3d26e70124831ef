//! Which parts there are, and how many reads were receipted of each, by the station's database: so a part that is gone,
//! or was put back from an older copy, is noticed, whatever is left of its folder.

use super::super::class::Class;
use super::unit::{Name, lock};
use super::{SqliteArchive, holds};
use crate::database::could_not_read;
use crate::rows::Rows;
use crate::sqlcipher::SqlContext;
use plated_core::error::Result;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Notes that a part has, or had, so many reads.
pub(super) fn note(rows: &Rows<'_>, name: Name, reads: u64) -> Result<()> {
    let Name::Part(day, class) = name else { return Ok(()) };
    rows.run(
        "INSERT INTO file_parts (day, class, reads) VALUES (?1, ?2, ?3)
         ON CONFLICT (day, class) DO UPDATE SET reads = excluded.reads WHERE file_parts.reads < excluded.reads",
        &[&day.to_string(), &class.as_str(), &reads],
    )
    .map(drop)
}

/// How many reads of a unit were deleted one by one.
pub(super) fn swept(conn: &Connection) -> Result<u64> {
    conn.prepare_cached("SELECT count(*) FROM swept")
        .and_then(|mut s| s.query_row([], |row| row.get::<_, i64>(0)))
        .map(i64::unsigned_abs)
        .sql(could_not_read)
}

/// A part is about to be deleted.
pub(super) fn forget(archive: &SqliteArchive, name: Name) -> Result<()> {
    let Name::Part(day, class) = name else { return Ok(()) };
    let sql = "DELETE FROM file_parts WHERE day = ?1 AND class = ?2";
    lock(&archive.main).transaction(|rows| rows.run(sql, &[&day.to_string(), &class.as_str()]).map(drop))
}

/// All parts, and how many reads were receipted of each.
fn receipted(archive: &SqliteArchive) -> Result<BTreeMap<Name, u64>> {
    let all: Vec<(String, String, u64)> = lock(&archive.main).read(|rows| {
        rows.all("SELECT day, class, reads FROM file_parts", &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    })?;
    let part = |(day, class, reads): (String, String, u64)| {
        Some((Name::Part(day.parse().ok()?, Class::of_word(&class)?), reads))
    };
    Ok(all.into_iter().filter_map(part).collect())
}

/// What each unit has to have: reads that were receipted, or are held.
pub(super) fn promised(archive: &SqliteArchive) -> Result<BTreeMap<Name, u64>> {
    let mut all = receipted(archive)?;
    all.extend(holds::active(archive)?);
    Ok(all)
}

/// Units that are not in their places, and how many reads they have to have.
pub(super) fn lost(archive: &SqliteArchive) -> Result<Vec<(Name, u64)>> {
    let mut lost: Vec<_> = promised(archive)?.into_iter().collect();
    lost.retain(|(name, _)| !archive.units.path_of(*name).exists());
    if !lost.is_empty() {
        // Not those that were deleted or released while this looked.
        let now = promised(archive)?;
        lost.retain(|(name, _)| now.contains_key(name));
    }
    Ok(lost)
}
