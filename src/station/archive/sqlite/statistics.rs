//! How much is here. No plate is in it.

use super::super::class::Class;
use super::super::report::{DayCount, Statistics, VehicleCount};
use super::SqliteArchive;
use super::unit::{Name, lock};
use crate::database::{Rows, could_not_read};
use crate::sqlcipher::SqlContext;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::error::Result;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Reads of one camera in a unit.
#[derive(Debug)]
pub(super) struct Count {
    pub vehicle: String,
    pub camera: String,
    pub reads: u64,
    pub hits: u64,
    pub pictures: u64,
    pub bytes: u64,
}

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

impl Rows<'_> {
    /// Holds that go on, the reads that they keep, and when something was deleted last.
    pub(crate) fn holds_and_purges(&self) -> Result<(u64, u64, Option<Timestamp>)> {
        let sql = "SELECT (SELECT count(*) FROM holds WHERE released IS NULL),
                          (SELECT count(DISTINCT read) FROM hold_reads JOIN holds ON holds.id = hold
                           WHERE released IS NULL),
                          (SELECT max(at) FROM certificates)";
        let counts: (i64, i64, Option<i64>) =
            self.0.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).sql(could_not_read)?;
        let at = counts.2.and_then(|at| Timestamp::from_microsecond(at).ok());
        Ok((counts.0.unsigned_abs(), counts.1.unsigned_abs(), at))
    }
}

pub(super) fn statistics(archive: &SqliteArchive, first: Date, last: Date) -> Result<Statistics> {
    let mut all = Statistics::default();
    let mut vehicles: BTreeMap<String, u64> = BTreeMap::new();
    let mut days: BTreeMap<(Date, String, String, Class), (u64, u64)> = BTreeMap::new();
    let mut day_count = |day: Date, class, vehicle: String, camera, reads, hits| {
        *vehicles.entry(vehicle.clone()).or_default() += reads;
        if (first..=last).contains(&day) {
            let count = days.entry((day, vehicle, camera, class)).or_default();
            *count = (count.0 + reads, count.1 + hits);
        }
    };
    for unit in archive.units.all() {
        let Name::Part(day, class) = unit.name else { continue };
        let counts = match unit.read(of_unit) {
            // Deleted meanwhile.
            Err(_) if !unit.path().exists() => continue,
            counts => counts?,
        };
        for Count { vehicle, camera, reads, hits, pictures, bytes } in counts {
            all.reads += reads;
            all.pictures += pictures;
            all.picture_bytes += bytes;
            day_count(day, class, vehicle, camera, reads, hits);
        }
    }
    let last_received: Vec<(String, i64)> = lock(&archive.main).transaction(|rows| {
        let mut past = rows
            .0
            .prepare_cached("SELECT day, class, vehicle, camera, reads, hits FROM past_days")
            .sql(could_not_read)?;
        let mut past = past.query([]).sql(could_not_read)?;
        while let Some(row) = past.next().sql(could_not_read)? {
            let text = |column: usize| row.get::<_, String>(column).sql(could_not_read);
            let number = |column: usize| row.get(column).map(i64::unsigned_abs).sql(could_not_read);
            let (day, class) = (text(0)?.parse::<Date>().ok(), Class::of_word(&text(1)?));
            if let Some((day, class)) = day.zip(class) {
                day_count(day, class, text(2)?, text(3)?, number(4)?, number(5)?);
            }
        }
        rows.0
            .prepare_cached("SELECT vehicle, last_received FROM vehicles ORDER BY vehicle")
            .and_then(|mut s| s.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .sql(could_not_read)
    })?;
    all.vehicles = last_received
        .into_iter()
        .map(|(vehicle, at)| VehicleCount {
            reads: vehicles.get(&vehicle).copied().unwrap_or_default(),
            last_received: Timestamp::from_microsecond(at).unwrap_or_default(),
            vehicle,
        })
        .collect();
    all.days = days
        .into_iter()
        .map(|((day, vehicle, camera, class), (reads, hits))| DayCount { day, vehicle, camera, class, reads, hits })
        .collect();
    Ok(all)
}
