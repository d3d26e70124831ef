//! How much is here. No plate is in it.

use super::super::own::{self, Count};
use super::super::report::Statistics;
use super::SqliteArchive;
use super::unit::{Name, lock};
use crate::database::could_not_read;
use crate::sqlcipher::SqlContext;
use jiff::civil::Date;
use plated_core::error::Result;
use rusqlite::Connection;

/// What a unit counts.
pub(super) fn of_unit(conn: &Connection) -> Result<Vec<Count>> {
    conn.prepare_cached("SELECT vehicle, camera, reads, hits, pictures, bytes FROM counts")
        .and_then(|mut s| {
            s.query_map([], |row| {
                let number = |column: usize| row.get(column).map(i64::unsigned_abs);
                Ok(Count {
                    vehicle: row.get(0)?,
                    camera: row.get(1)?,
                    reads: number(2)?,
                    hits: number(3)?,
                    pictures: number(4)?,
                    bytes: number(5)?,
                })
            })?
            .collect()
        })
        .sql(could_not_read)
}

pub(super) fn statistics(archive: &SqliteArchive, first: Date, last: Date) -> Result<Statistics> {
    let mut here = Vec::new();
    for unit in archive.units.all() {
        let Name::Part(day, class) = unit.name else { continue };
        let counts = match unit.read(of_unit) {
            // Deleted meanwhile.
            Err(_) if !unit.path().exists() => continue,
            counts => counts?,
        };
        here.extend(counts.into_iter().map(|count| (day, class, count)));
    }
    lock(&archive.main).read(|rows| own::statistics(rows, here, first, last))
}
