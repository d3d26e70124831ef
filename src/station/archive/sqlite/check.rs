//! Compares everything with its hash. Page by page, so that no look lasts long and no log grows by it.

use super::super::report::CheckReport;
use super::super::{logs, own};
use super::unit::{Name, Unit, lock};
use super::{SqliteArchive, pack, parts};
use crate::database::could_not_read;
use crate::sqlcipher::SqlContext;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::text::count;
use std::collections::BTreeMap;
use std::path::PathBuf;
use uuid::Uuid;

/// Rows that are looked at in one look.
const AT_ONCE: i64 = 200;

pub(super) fn check(archive: &SqliteArchive) -> Result<CheckReport> {
    let mut report = CheckReport::default();
    // Before the parts are looked at: meanwhile they only grow.
    let promised = parts::promised(archive)?;
    for unit in archive.units.all() {
        let all = promised.get(&unit.name).copied().unwrap_or_default();
        match whole(archive, &unit, &mut report) {
            Ok(here) if here < all => {
                let all = count(all, "read");
                report.problem(format!("{} has {here} of {all} that were taken in", unit.path().display()));
            }
            Ok(_) => {}
            Err(e) if unit.path().exists() => {
                report.problem(format!("{} can't be read: {}", unit.path().display(), e.chain()));
            }
            // Deleted meanwhile, or lost.
            Err(_) => {}
        }
    }
    for (name, reads) in parts::lost(archive)? {
        let path = archive.units.path_of(name);
        report.problem(format!("{} is gone with {}; put it back from a backup", path.display(), count(reads, "read")));
    }
    for folder in unknown(archive, &promised) {
        let path = folder.join("reads.db");
        report.problem(format!("{} is gone, and pictures lie beside it; put it back from a backup", path.display()));
    }
    let mut after = Some(Default::default());
    while let Some(place) = after {
        after = lock(&archive.main).read(|rows| own::check_documents(rows, &place, &mut report))?;
    }
    logs::check(&archive.main, &mut report)?;
    Ok(report)
}

/// Folders of parts with pictures and without a database, of which the station's database does not know either.
fn unknown(archive: &SqliteArchive, promised: &BTreeMap<Name, u64>) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(archive.data.join("reads")).into_iter().flatten().flatten();
    let named = folders.filter_map(|entry| Some((Name::part_of(&entry.file_name().to_string_lossy())?, entry.path())));
    let unknown = named.filter(|(name, folder)| {
        // One that goes away meanwhile was deleted.
        !promised.contains_key(name) && pack::any(folder).unwrap_or_default() && !folder.join("reads.db").exists()
    });
    unknown.filter(|(_, folder)| folder.exists()).map(|(_, folder)| folder).collect()
}

/// Checks all reads of a unit; gives how many are here, or were deleted one by one, as in parts that are kept for minutes.
fn whole(archive: &SqliteArchive, unit: &Unit, report: &mut CheckReport) -> Result<u64> {
    let before = report.reads;
    check_unit(archive, unit, report)?;
    Ok(report.reads - before + unit.read(parts::swept)?)
}

type PictureRow = (Uuid, Sha256, u32, Uuid, i64);

fn check_unit(archive: &SqliteArchive, unit: &Unit, report: &mut CheckReport) -> Result<()> {
    // Every page has an authentication code.
    let wrong: Vec<String> = unit.read(|conn| {
        conn.prepare("PRAGMA cipher_integrity_check")
            .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
            .sql(could_not_read)
    })?;
    for wrong in wrong {
        report.problem(format!("{}: {wrong}", unit.path().display()));
    }
    let mut after = 0;
    loop {
        let (records, pictures) = unit.read(|conn| {
            let records: Vec<(i64, Uuid, Sha256, Sha256)> = conn
                .prepare_cached(
                    "SELECT number, id, sha256, record FROM records JOIN reads USING (number)
                     WHERE number > ?1 ORDER BY number LIMIT ?2",
                )
                .and_then(|mut s| {
                    s.query_map([after, AT_ONCE], |row| {
                        let real = Sha256::of(row.get_ref(3)?.as_blob().unwrap_or_default());
                        Ok((row.get(0)?, Uuid::from_bytes(row.get(1)?), Sha256(row.get(2)?), real))
                    })?
                    .collect()
                })
                .sql(could_not_read)?;
            let last = records.last().map_or(after, |(number, ..)| *number);
            let pictures: Vec<PictureRow> = conn
                .prepare_cached(
                    "SELECT id, sha256, bytes, pack, start FROM pictures JOIN reads ON number = read
                     WHERE read > ?1 AND read <= ?2 AND pack IS NOT NULL ORDER BY pack, start",
                )
                .and_then(|mut s| {
                    s.query_map([after, last], |row| {
                        let (id, pack) = (Uuid::from_bytes(row.get(0)?), Uuid::from_bytes(row.get(3)?));
                        Ok((id, Sha256(row.get(1)?), row.get(2)?, pack, row.get(4)?))
                    })?
                    .collect()
                })
                .sql(could_not_read)?;
            Ok((records, pictures))
        })?;
        for (_, id, sha256, real) in &records {
            report.reads += 1;
            if sha256 != real {
                report.problem(format!("the read {id} does not fit its hash"));
            }
        }
        for (id, sha256, bytes, pack, start) in pictures {
            report.pictures += 1;
            let read = pack::read(unit.folder(), &archive.key, pack, start.cast_unsigned(), bytes.into(), &sha256);
            if let Err(e) = read
                && unit.folder().exists()
            {
                report.problem(format!("a picture of the read {id}: {}", e.chain()));
            }
        }
        match records.last() {
            Some((number, ..)) => after = *number,
            None => return Ok(()),
        }
    }
}
