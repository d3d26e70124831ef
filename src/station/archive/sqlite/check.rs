//! Compares everything with its hash. Page by page, so that no look lasts long and no log grows by it.

use super::super::own::{self, AuditPlace};
use super::super::report::CheckReport;
use super::SqliteArchive;
use super::pack;
use super::unit::{Unit, lock};
use crate::database::could_not_read;
use crate::sqlcipher::SqlContext;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use uuid::Uuid;

/// Rows that are looked at in one look.
const AT_ONCE: i64 = 200;

pub(super) fn check(archive: &SqliteArchive) -> Result<CheckReport> {
    let mut report = CheckReport::default();
    for unit in archive.units.all() {
        if let Err(e) = check_unit(archive, &unit, &mut report)
            && unit.path().exists()
        {
            report.problem(format!("{} can't be read: {}", unit.path().display(), e.chain()));
        }
    }
    let mut after = Some(Default::default());
    while let Some(place) = after {
        after = lock(&archive.main).read(|rows| own::check_documents(rows, &place, &mut report))?;
    }
    let mut place = AuditPlace::default();
    while lock(&archive.main).read(|rows| own::check_audit_rows(rows, &mut place, &mut report))? {}
    Ok(report)
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
