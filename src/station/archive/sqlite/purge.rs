//! The purge (control P-14): units whose retention is over are moved out of the way, counted, certified and removed.
//! Cut off at any point, the next one goes on: what was moved away is certified before it is removed.

use super::super::certificate::{Certificate, DeletedPart, SignedCertificate};
use super::super::class::Class;
use super::super::day::{self, Over, date_of, day_of};
use super::super::documents;
use super::super::own::{self, Count};
use super::super::report::Due;
use super::SqliteArchive;
use super::ingest::could_not_write;
use super::statistics;
use super::stored::{number_of, units_of};
use super::unit::{Name, Unit, lock};
use super::{parts, sweep};
use crate::database::could_not_read;
use crate::sqlcipher::SqlContext;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::digest::{Hasher, Sha256};
use plated_core::durable;
use plated_core::error::{Context, Kind, Result};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// Something to delete.
struct Doomed {
    unit: Arc<Unit>,
    due: Due,
    over: Over,
}

fn all_over(archive: &SqliteArchive, now: Timestamp) -> Result<Vec<Doomed>> {
    let today = date_of(now);
    let mut all = Vec::new();
    for unit in archive.units.all() {
        let Name::Part(day, class) = unit.name else { continue };
        let youngest = || Ok(unit.span()?.and_then(|span| Timestamp::from_microsecond(span.youngest).ok()));
        let over = day::over(&archive.retention, (day, class), youngest, today)?;
        let reads = match over {
            Over::Nothing => continue,
            Over::Pictures if !has_packs(&unit)? => continue,
            Over::Reads(age) => match sweep::count(&unit, age, now)? {
                0 => continue,
                reads => reads,
            },
            _ => unit.read(|conn| Ok(statistics::of_unit(conn)?.iter().map(|count| count.reads).sum()))?,
        };
        let due = Due { day, class, pictures_only: over == Over::Pictures, reads };
        all.push(Doomed { due, unit, over });
    }
    Ok(all)
}

fn has_packs(unit: &Unit) -> Result<bool> {
    unit.read(|conn| conn.query_row("SELECT EXISTS (SELECT 1 FROM packs)", [], |row| row.get(0)).sql(could_not_read))
}

pub(super) fn due(archive: &SqliteArchive, now: Timestamp) -> Result<Vec<Due>> {
    all_over(archive, now).map(|all| all.into_iter().map(|doomed| doomed.due).collect())
}

pub(super) fn purge(archive: &SqliteArchive, now: Timestamp) -> Result<Option<SignedCertificate>> {
    let _changes = archive.changing()?;
    let mut last = finish(archive, now)?;
    let all = all_over(archive, now)?;
    let id = Uuid::now_v7();
    let doomed = doomed(archive).join(id.simple().to_string());
    let failed = || format!("could not move what is to be deleted to {}", doomed.display());
    durable::make_folder(&doomed).context(Kind::Storage, failed)?;
    for Doomed { unit, over, .. } in &all {
        match over {
            Over::Nothing => {}
            Over::Reads(age) => sweep::sweep(archive, unit, *age, now)?,
            Over::Pictures => forget_pictures(unit, id)?,
            Over::All => {
                let _alone = archive.alone();
                parts::forget(archive, unit.name)?;
                archive.units.remove(unit.name);
                unit.close();
                durable::rename(unit.folder(), &doomed.join(unit.name.folder())).context(Kind::Storage, failed)?;
            }
        }
    }
    durable::sync_folder(&archive.data.join("reads")).context(Kind::Storage, failed)?;
    last = certify(archive, id, &doomed, now)?.or(last);
    Ok(last)
}

fn doomed(archive: &SqliteArchive) -> PathBuf {
    archive.data.join("doomed")
}

/// Goes on with purges that were cut off.
fn finish(archive: &SqliteArchive, now: Timestamp) -> Result<Option<SignedCertificate>> {
    let folder = doomed(archive);
    let failed = || format!("could not look through {}", folder.display());
    durable::make_folder(&folder).context(Kind::Storage, failed)?;
    let mut last = None;
    for entry in std::fs::read_dir(&folder).context(Kind::Storage, failed)? {
        let path = entry.context(Kind::Storage, failed)?.path();
        let id = path.file_name().and_then(|name| Uuid::try_parse(&name.to_string_lossy()).ok());
        if let Some(id) = id {
            last = certify(archive, id, &path, now)?.or(last);
        }
    }
    Ok(last)
}

/// Takes the pictures of a unit out of its rows, and removes their files.
fn forget_pictures(unit: &Unit, purge: Uuid) -> Result<()> {
    unit.write(|conn| {
        let pictures: i64 = conn
            .query_row("SELECT count(*) FROM pictures WHERE pack IS NOT NULL", [], |row| row.get(0))
            .sql(could_not_read)?;
        conn.execute(
            "INSERT INTO pictures_deleted (purge, pictures) VALUES (?1, ?2)",
            params![purge.as_bytes(), pictures],
        )
        .and_then(|_| {
            conn.execute_batch(
                "UPDATE pictures SET pack = NULL, start = NULL WHERE pack IS NOT NULL;
                     UPDATE counts SET pictures = 0, bytes = 0;
                     DELETE FROM packs;",
            )
        })
        .sql(could_not_write)
    })?;
    unit.remove_orphans().map(drop)
}

/// What was deleted of one unit, and what is to be kept of it: counts.
struct Deleted {
    part: DeletedPart,
    counts: Vec<Count>,
    /// Reads whose documents go.
    documents: Vec<Uuid>,
}

/// Certifies and removes what lies in `folder`; none when nothing was deleted.
fn certify(archive: &SqliteArchive, id: Uuid, folder: &Path, now: Timestamp) -> Result<Option<SignedCertificate>> {
    let failed = || format!("could not delete {}", folder.display());
    let known = lock(&archive.main).read(|rows| own::certificate(rows, id))?;
    let certificate = match known {
        Some(known) => Some(known),
        None => make_certificate(archive, id, folder, now)?,
    };
    durable::remove_folder(folder).context(Kind::Storage, failed)?;
    Ok(certificate)
}

fn make_certificate(
    archive: &SqliteArchive,
    id: Uuid,
    folder: &Path,
    now: Timestamp,
) -> Result<Option<SignedCertificate>> {
    let failed = || format!("could not look through {}", folder.display());
    let held = lock(&archive.main).read(own::held)?;
    let mut deleted = Vec::new();
    for entry in std::fs::read_dir(folder).context(Kind::Storage, failed)? {
        let path = entry.context(Kind::Storage, failed)?.path();
        let name = path.file_name().and_then(|name| Name::part_of(&name.to_string_lossy()));
        let Some(name @ Name::Part(day, class)) = name else { continue };
        let unit = Unit::at(name, path, &archive.key)?;
        deleted.push(look(archive, &unit, day, class, &held)?);
    }
    let mut pictures = Vec::new();
    for unit in archive.units.all() {
        let Name::Part(day, class) = unit.name else { continue };
        if let Some(part) = unit.read(|conn| deleted_pictures(archive, conn, day, class))? {
            pictures.push((unit, part));
        }
    }
    if deleted.is_empty() && pictures.is_empty() {
        return Ok(None);
    }
    let parts = deleted.iter().map(|d| &d.part).chain(pictures.iter().map(|(_, part)| part)).cloned();
    let certificate = Certificate { id, station: archive.station.clone(), at: now, parts: parts.collect() };
    let signed = SignedCertificate::sign(&certificate, &archive.deletion)?;
    lock(&archive.main).transaction(|rows| {
        own::add_certificate(rows, id, now, &signed)?;
        deleted.iter().try_for_each(|Deleted { part, counts, documents }| {
            own::keep_counts(rows, part.day, part.class, counts)?;
            documents::forget(rows, documents)
        })
    })?;
    for (unit, _) in &pictures {
        unit.write(|conn| conn.execute("DELETE FROM pictures_deleted", []).map(drop).sql(could_not_write))?;
    }
    for part in &certificate.parts {
        tracing::info!(
            certificate = %id,
            day = %part.day,
            class = part.class.as_str(),
            reads = if part.pictures_only { 0 } else { part.reads },
            pictures = part.pictures,
            held = part.held,
            "Deleted what its retention was over for"
        );
    }
    Ok(Some(signed))
}

fn look(archive: &SqliteArchive, unit: &Unit, day: Date, class: Class, held: &BTreeSet<Uuid>) -> Result<Deleted> {
    // Whose read is nowhere else, or what is about a read that never came.
    let mut documents = lock(&archive.main).read(|rows| documents::reads_of_day(rows, day))?;
    documents.retain(|read| !held.contains(read));
    let mut gone = Vec::new();
    for read in documents {
        if units_of(archive, read)?.is_empty() {
            gone.push(read);
        }
    }
    unit.read(|conn| {
        let (reads, ids_sha256) = hash(conn)?;
        let mut held_here = 0;
        for id in held.iter().filter(|id| day_of(**id) == day) {
            let swept = conn
                .prepare_cached("SELECT 1 FROM swept WHERE id = ?1")
                .and_then(|mut s| s.exists([id.as_bytes()]))
                .sql(could_not_read)?;
            held_here += u64::from(swept || number_of(conn, *id)?.is_some());
        }
        let pictures: i64 = conn
            .query_row(
                "SELECT (SELECT count(*) FROM pictures WHERE pack IS NOT NULL)
                   + (SELECT coalesce(sum(pictures), 0) FROM swept)",
                [],
                |row| row.get(0),
            )
            .sql(could_not_read)?;
        let part = DeletedPart {
            day,
            class,
            kept_days: archive.retention.days(class),
            kept_minutes: archive.retention.no_hit_minutes.filter(|_| class == Class::NoHit),
            pictures_only: false,
            reads,
            pictures: pictures.unsigned_abs(),
            ids_sha256,
            held: held_here,
        };
        Ok(Deleted { part, counts: statistics::of_unit(conn)?, documents: gone })
    })
}

/// Counts the reads of a unit, and hashes their ids.
fn hash(conn: &Connection) -> Result<(u64, Sha256)> {
    let mut all =
        conn.prepare_cached("SELECT id FROM reads UNION SELECT id FROM swept ORDER BY id").sql(could_not_read)?;
    let mut rows = all.query([]).sql(could_not_read)?;
    let (mut reads, mut hasher) = (0, Hasher::new());
    while let Some(row) = rows.next().sql(could_not_read)? {
        let id: [u8; 16] = row.get(0).sql(could_not_read)?;
        hasher.update(&id);
        reads += 1;
    }
    Ok((reads, hasher.finish()))
}

fn deleted_pictures(
    archive: &SqliteArchive,
    conn: &Connection,
    day: Date,
    class: Class,
) -> Result<Option<DeletedPart>> {
    let pictures: Option<i64> =
        conn.query_row("SELECT sum(pictures) FROM pictures_deleted", [], |row| row.get(0)).sql(could_not_read)?;
    let Some(pictures) = pictures else { return Ok(None) };
    let (reads, ids_sha256) = hash(conn)?;
    Ok(Some(DeletedPart {
        day,
        class,
        kept_days: archive.retention.picture_days(class),
        kept_minutes: None,
        pictures_only: true,
        reads,
        pictures: pictures.unsigned_abs(),
        ids_sha256,
        held: 0,
    }))
}
