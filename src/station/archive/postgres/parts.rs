//! Parts: one day and one class, a partition of each of the two tables. What is deleted at once is one.

use super::super::class::Class;
use super::super::own::Count;
use crate::postgres::{Lock, Server, Tx};
use jiff::civil::Date;
use plated_core::error::{Error, Kind, Result};
use tokio_postgres::Row;
use uuid::Uuid;

/// The part of what evidence holds keep.
pub(crate) const HELD: i32 = 0;

/// A part that is of a day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub number: i32,
    pub day: Date,
    pub class: Class,
    /// Microseconds, to the hour.
    pub oldest: Option<i64>,
    pub youngest: Option<i64>,
    pub newest: Option<i64>,
    /// The purge that deletes it.
    pub purge: Option<Uuid>,
}

const COLUMNS: &str = "number, day::text, class, oldest, youngest, newest, purge";

fn part(row: &Row) -> Result<Part> {
    let damaged = || Error::new(Kind::Damaged, format!("part {} of the archive is of no day", row.get::<_, i32>(0)));
    let (day, class): (&str, &str) = (row.get(1), row.get(2));
    Ok(Part {
        number: row.get(0),
        day: day.parse().map_err(|_| damaged())?,
        class: Class::of_word(class).ok_or_else(damaged)?,
        oldest: row.get(3),
        youngest: row.get(4),
        newest: row.get(5),
        purge: row.get(6),
    })
}

/// Those that are here, the newest day first.
pub(super) fn all(tx: &Tx<'_>) -> Result<Vec<Part>> {
    let sql = format!("SELECT {COLUMNS} FROM parts WHERE purge IS NULL AND day IS NOT NULL ORDER BY day DESC, class");
    tx.all(&sql, &[])?.iter().map(part).collect()
}

/// Those of these days.
pub(super) fn of_days(tx: &Tx<'_>, days: &[Date]) -> Result<Vec<Part>> {
    let days: Vec<String> = days.iter().map(Date::to_string).collect();
    let sql = format!("SELECT {COLUMNS} FROM parts WHERE purge IS NULL AND day = ANY($1::text[]::date[])");
    tx.all(&sql, &[&days])?.iter().map(part).collect()
}

/// Those that are being deleted.
pub(super) fn doomed(tx: &Tx<'_>) -> Result<Vec<Part>> {
    let sql = format!("SELECT {COLUMNS} FROM parts WHERE purge IS NOT NULL AND gone IS NULL ORDER BY day, class");
    tx.all(&sql, &[])?.iter().map(part).collect()
}

/// The part of this day and class to put reads into, made when there is none.
pub(super) fn make(server: &Server, day: Date, class: Class) -> Result<i32> {
    let day = day.to_string();
    server.transaction(|tx| {
        tx.lock(Lock::Parts)?;
        let find = "SELECT number FROM parts WHERE day = $1::text::date AND class = $2 AND purge IS NULL";
        if let Some(row) = tx.all(find, &[&day, &class.as_str()])?.first() {
            return Ok(row.get(0));
        }
        let add = "INSERT INTO parts (day, class) VALUES ($1::text::date, $2) RETURNING number";
        let number: i32 = tx.one(add, &[&day, &class.as_str()])?.get(0);
        tx.ddl(&tables(number))?;
        Ok(number)
    })
}

/// Makes the tables of a part beside the others and attaches them whole: nobody waits for it.
pub(crate) fn tables(number: i32) -> String {
    // `part` is in the indexes too, so that they alone answer what is asked of plates.
    format!(
        "CREATE TABLE reads_p{number} (LIKE reads);
         ALTER TABLE reads_p{number} ADD PRIMARY KEY (id), ADD CHECK (part = {number});
         CREATE INDEX ON reads_p{number} (key, id) INCLUDE (part);
         CREATE INDEX ON reads_p{number} (reverse(key), id) INCLUDE (key, part);
         ALTER TABLE reads ATTACH PARTITION reads_p{number} FOR VALUES IN ({number});
         CREATE TABLE records_p{number} (LIKE records);
         ALTER TABLE records_p{number} ADD PRIMARY KEY (id), ADD CHECK (part = {number});
         ALTER TABLE records ATTACH PARTITION records_p{number} FOR VALUES IN ({number});"
    )
}

fn count(row: &Row, from: usize) -> Count {
    let number = |n: usize| row.get::<_, i64>(from + n).unsigned_abs();
    Count {
        vehicle: row.get(from),
        camera: row.get(from + 1),
        reads: number(2),
        hits: number(3),
        pictures: number(4),
        bytes: number(5),
    }
}

/// What a part counts.
pub(super) fn counts(tx: &Tx<'_>, part: i32) -> Result<Vec<Count>> {
    let sql = "SELECT vehicle, camera, reads, hits, pictures, bytes FROM counts WHERE part = $1";
    Ok(tx.all(sql, &[&part])?.iter().map(|row| count(row, 0)).collect())
}

/// What the parts count that are here.
pub(super) fn counts_of_all(tx: &Tx<'_>) -> Result<Vec<(Date, Class, Count)>> {
    let sql = "SELECT day::text, class, vehicle, camera, reads, hits, pictures, bytes FROM counts
               JOIN parts ON number = part WHERE purge IS NULL AND day IS NOT NULL";
    let rows = tx.all(sql, &[])?;
    let of = |row: &Row| {
        let (day, class): (&str, &str) = (row.get(0), row.get(1));
        Some((day.parse().ok()?, Class::of_word(class)?, count(row, 2)))
    };
    Ok(rows.iter().filter_map(of).collect())
}
