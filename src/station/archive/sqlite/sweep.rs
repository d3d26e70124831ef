//! Reads that are kept for minutes go one by one, out of the part of their day (control P-14). The certificate comes with
//! the rest of the part, on the day after.

use super::super::day::{MAX_WAY, micros};
use super::super::documents;
use super::super::own::{self, Count};
use super::SqliteArchive;
use super::ingest::could_not_write;
use super::pack;
use super::stored::units_of;
use super::unit::{Name, Unit, lock};
use crate::archive::{Class, Picture};
use crate::database::could_not_read;
use crate::sqlcipher::SqlContext;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Reads that are deleted in one transaction.
const STEP: i64 = 1000;

/// A read counts from its last look, unless that is in the future or too long ago.
const MADE: &str = "iif(received - last_seen BETWEEN 0 AND ?2, last_seen, received)";

/// How many reads of a part are over.
pub(super) fn count(unit: &Unit, age: SignedDuration, now: Timestamp) -> Result<u64> {
    let before = now.as_microsecond() - micros(age);
    unit.read(|conn| {
        conn.prepare_cached(&format!("SELECT count(*) FROM reads WHERE {MADE} <= ?1"))
            .and_then(|mut s| s.query_row([before, micros(MAX_WAY)], |row| row.get::<_, i64>(0)))
            .map(i64::unsigned_abs)
            .sql(could_not_read)
    })
}

/// What went in one step.
#[derive(Default)]
struct Step {
    ids: Vec<Uuid>,
    counts: BTreeMap<(String, String), (u64, u64)>,
    packs: Vec<Uuid>,
}

/// Deletes them, with their pictures and what was put down about them.
pub(super) fn sweep(archive: &SqliteArchive, unit: &Unit, age: SignedDuration, now: Timestamp) -> Result<()> {
    let Name::Part(day, class) = unit.name else { return Ok(()) };
    let before = now.as_microsecond() - micros(age);
    let mut all = 0;
    loop {
        let step = unit.write(|conn| delete(archive, unit, conn, before))?;
        for id in &step.packs {
            let path = pack::path(unit.folder(), *id);
            // One that stays is removed when the station starts: no row names it.
            durable::remove(&path).context(Kind::Storage, || format!("could not delete {}", path.display()))?;
        }
        if step.ids.is_empty() {
            break;
        }
        all += step.ids.len();
        forget(archive, day, class, &step)?;
    }
    if all > 0 {
        // What was deleted is in the log as it was before.
        unit.close_writer();
        tracing::info!(day = %day, class = class.as_str(), reads = all, "Deleted reads whose minutes are over");
    }
    Ok(())
}

fn delete(archive: &SqliteArchive, unit: &Unit, conn: &Connection, before: i64) -> Result<Step> {
    let mut step = Step::default();
    let mut numbers = Vec::new();
    {
        let sql = format!("SELECT number, id, vehicle, camera, has_hit FROM reads WHERE {MADE} <= ?1 LIMIT ?3");
        let mut find = conn.prepare_cached(&sql).sql(could_not_read)?;
        let mut rows = find.query([before, micros(MAX_WAY), STEP]).sql(could_not_read)?;
        while let Some(row) = rows.next().sql(could_not_read)? {
            let number: i64 = row.get(0).sql(could_not_read)?;
            step.ids.push(Uuid::from_bytes(row.get(1).sql(could_not_read)?));
            let of = (row.get(2).sql(could_not_read)?, row.get(3).sql(could_not_read)?);
            let count = step.counts.entry(of).or_default();
            *count = (count.0 + 1, count.1 + u64::from(row.get::<_, bool>(4).sql(could_not_read)?));
            numbers.push(number);
        }
    }
    let mut packs = BTreeSet::new();
    for number in &numbers {
        packs.extend(delete_read(conn, *number).sql(could_not_write)?);
    }
    for pack in packs.into_iter().map(Uuid::from_bytes) {
        pack_anew(archive, unit, conn, pack)?;
        step.packs.push(pack);
    }
    Ok(step)
}

/// Deletes the rows of a read, and notes that it was here; gives its packs.
fn delete_read(conn: &Connection, number: i64) -> rusqlite::Result<Vec<[u8; 16]>> {
    conn.prepare_cached(
        "UPDATE counts SET reads = counts.reads - 1, hits = counts.hits - r.has_hit,
           pictures = counts.pictures - p.pictures, bytes = counts.bytes - p.bytes
         FROM reads AS r, (SELECT count(*) AS pictures, coalesce(sum(bytes), 0) AS bytes FROM pictures
                           WHERE read = ?1 AND pack IS NOT NULL) AS p
         WHERE r.number = ?1 AND counts.vehicle = r.vehicle AND counts.camera = r.camera",
    )?
    .execute([number])?;
    conn.prepare_cached(
        "INSERT INTO swept (id, pictures)
         SELECT id, (SELECT count(*) FROM pictures WHERE read = number AND pack IS NOT NULL) FROM reads
         WHERE number = ?1 ON CONFLICT DO NOTHING",
    )?
    .execute([number])?;
    let packs = conn
        .prepare_cached("DELETE FROM pictures WHERE read = ?1 RETURNING pack")?
        .query_map([number], |row| row.get::<_, Option<[u8; 16]>>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    conn.prepare_cached("DELETE FROM records WHERE number = ?1")?.execute([number])?;
    conn.prepare_cached("DELETE FROM reads WHERE number = ?1")?.execute([number])?;
    Ok(packs.into_iter().flatten().collect())
}

/// Takes a pack out of the rows. Pictures in it that reads still show go into another one.
fn pack_anew(archive: &SqliteArchive, unit: &Unit, conn: &Connection, old: Uuid) -> Result<()> {
    let mut left = conn
        .prepare_cached("SELECT DISTINCT sha256, start, bytes FROM pictures WHERE pack = ?1")
        .sql(could_not_read)?;
    let left: Vec<([u8; 32], i64, i64)> = left
        .query_map([old.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .and_then(Iterator::collect)
        .sql(could_not_read)?;
    let mut pictures = Vec::new();
    for (sha256, start, bytes) in left {
        let sha256 = Sha256(sha256);
        let (start, length) = (start.unsigned_abs(), bytes.unsigned_abs());
        let bytes = pack::read(unit.folder(), &archive.key, old, start, length, &sha256)?;
        pictures.push(Picture { sha256, bytes: bytes.into() });
    }
    if !pictures.is_empty() {
        let new = pack::write(unit.folder(), &archive.key, &pictures)?;
        conn.execute(
            "INSERT INTO packs (id, bytes) VALUES (?1, ?2)",
            params![new.id.as_bytes(), new.bytes.cast_signed()],
        )
        .sql(could_not_write)?;
        for picture in &pictures {
            let start = new.starts.get(&picture.sha256).copied();
            let start = start.ok_or_else(|| Error::new(Kind::Internal, "a picture is in no pack"))?;
            conn.prepare_cached("UPDATE pictures SET pack = ?1, start = ?2 WHERE pack = ?3 AND sha256 = ?4")
                .and_then(|mut s| {
                    s.execute(params![new.id.as_bytes(), start.cast_signed(), old.as_bytes(), picture.sha256.0])
                })
                .sql(could_not_write)?;
        }
    }
    conn.execute("DELETE FROM packs WHERE id = ?1", [old.as_bytes()]).map(drop).sql(could_not_write)
}

/// Keeps the counts of what went, and deletes what was put down about it, unless a hold keeps the read.
fn forget(archive: &SqliteArchive, day: Date, class: Class, step: &Step) -> Result<()> {
    let held = lock(&archive.main).read(own::held)?;
    let mut gone = Vec::new();
    for id in step.ids.iter().filter(|id| !held.contains(id)) {
        if units_of(archive, *id)?.is_empty() {
            gone.push(*id);
        }
    }
    let counts: Vec<Count> = step
        .counts
        .iter()
        .map(|((vehicle, camera), (reads, hits))| Count {
            vehicle: vehicle.clone(),
            camera: camera.clone(),
            reads: *reads,
            hits: *hits,
            pictures: 0,
            bytes: 0,
        })
        .collect();
    lock(&archive.main).transaction(|rows| {
        own::keep_counts(rows, day, class, &counts)?;
        documents::forget(rows, &gone)
    })
}
