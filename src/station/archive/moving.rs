//! Moving an archive from files to PostgreSQL. Reads are copied part by part, each record and picture compared with its hash;
//! then all that is kept besides them in one transaction, after which stations may open it. Cut off at any point, it is
//! begun again and passes by what is there.

use super::batch::{CheckedRead, Picture};
use super::postgres::{PostgresArchive, Target};
use super::report::CheckReport;
use super::{Archive, Engine, SqliteArchive};
use crate::rows::{Rows, Value};
use crate::shared_files::SharedFiles;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::error::{Error, Kind, Result};
use std::sync::PoisonError;
use uuid::Uuid;

/// A read as it is given out, with those of its pictures that are there.
#[derive(Debug)]
pub(super) struct Exported {
    pub read: CheckedRead,
    pub received: Timestamp,
    pub batch: Uuid,
    pub pictures: Vec<Picture>,
}

/// Copies everything; `progress` is told how many reads were looked at. What is at the old place stays there.
///
/// # Errors
/// `Damaged` when something does not fit its hash, `Refused` when the new place is in use.
pub(super) fn copy(from: &SqliteArchive, to: &PostgresArchive, mut progress: impl FnMut(u64)) -> Result<CheckReport> {
    if from.has_unfinished_purge()? {
        let message = "a purge of the archive in files was cut off; run `plated-station purge` first";
        return Err(Error::new(Kind::Refused, message));
    }
    to.begin_move()?;
    // What they hand out, from the folder that they have it in.
    SharedFiles::of(&to.database().lock().unwrap_or_else(PoisonError::into_inner), from.data()).push_all()?;
    let mut reads = 0;
    from.export(|name, page| {
        to.import(name, &page)?;
        reads += page.len() as u64;
        progress(reads);
        Ok(())
    })?;
    from.export_swept(|name, reads| to.import_swept(name, reads))?;
    // All hashes once more, as they are at the new place now, before anybody relies on it.
    let report = to.check()?;
    let (here, there) = (from.statistics(Date::MIN, Date::MAX)?, to.statistics(Date::MIN, Date::MAX)?);
    if (here.reads, here.pictures, here.picture_bytes) != (there.reads, there.pictures, there.picture_bytes) {
        let message = format!(
            "{} reads with {} pictures were to be moved, and {} with {} are there; nothing was given free",
            here.reads, here.pictures, there.reads, there.pictures
        );
        return Err(Error::new(Kind::Damaged, message));
    }
    if !report.problems.is_empty() {
        return Ok(report);
    }
    let mut database = from.database().lock().unwrap_or_else(PoisonError::into_inner);
    database.read(|rows| to.finish_move(|target| tables(rows, target)))?;
    drop(database);
    to.check()
}

/// Copies all tables of the station's database.
fn tables(rows: &Rows<'_>, to: &Target<'_>) -> Result<()> {
    // In the order in which they were made: what is referred to comes first.
    let all: Vec<String> = rows.all(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'file_parts'
         ORDER BY rowid",
        &[],
        |row| row.get(0),
    )?;
    all.iter().rev().try_for_each(|table| to.empty(table))?;
    for table in &all {
        let sql = "SELECT name FROM pragma_table_info(?1) ORDER BY cid";
        let columns: Vec<String> = rows.all(sql, &[table], |row| row.get(0))?;
        let mut copied: u64 = 0;
        rows.each(&format!("SELECT {} FROM {table}", columns.join(", ")), &[], |row| {
            let values = (0..columns.len()).map(|n| row.value(n)).collect::<Result<Vec<Value<'_>>>>()?;
            copied += 1;
            to.add(table, &columns, &values)
        })?;
        if to.count(table)? != copied {
            return Err(Error::new(Kind::Internal, format!("the table {table} was not copied whole")));
        }
        to.go_on_counting(table)?;
    }
    Ok(())
}
