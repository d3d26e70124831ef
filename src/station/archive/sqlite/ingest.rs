//! Taking batches in: packs first, then the rows of the parts, then the station's own database. Each step can be
//! done again.
//!
//! Packs are written by as many threads as come. The rows of all batches that wait are written by one of them, in one
//! transaction a part and one of the database: many vehicles at once cost no more syncs than one.

use super::super::batch::{CheckedBatch, CheckedRead, Outcome, Picture, PictureRef, Verdict};
use super::super::class::Class;
use super::super::day::{day_of, lacking};
use super::super::own;
use super::super::pack::Pack;
use super::SqliteArchive;
use super::unit::{self, Name, Unit, lock};
use super::{pack, parts};
use crate::database::could_not_read;
use crate::sqlcipher::SqlContext;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Batches that wait for their rows to be written. When as many do, more are refused, and vehicles come again.
const MAX_WAITING: usize = 64;

/// A batch whose packs are durable.
struct Job {
    batch: CheckedBatch,
    /// What is known of each read without the rows: durable from before, or refused.
    known: Vec<Option<Verdict>>,
    packs: BTreeMap<Name, Option<Pack>>,
}

/// Jobs that wait, and their results.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Vec<(u64, Job)>,
    results: HashMap<u64, Result<Outcome>>,
    last: u64,
}

fn name_of(read: &CheckedRead) -> Name {
    Name::Part(day_of(read.id), read.envelope.class)
}

pub(super) fn ingest(archive: &SqliteArchive, batch: CheckedBatch) -> Result<Outcome> {
    // Nothing is deleted from under it meanwhile.
    let _open = archive.open_for_ingest();
    if lock(&archive.queue).waiting.len() >= MAX_WAITING {
        return Err(Error::new(Kind::Busy, "the station is busy; send it again later"));
    }
    let job = prepare(archive, batch)?;
    let ticket = {
        let mut queue = lock(&archive.queue);
        queue.last += 1;
        let ticket = queue.last;
        queue.waiting.push((ticket, job));
        ticket
    };
    let _turn = lock(&archive.turn);
    // Whoever had the turn before may have done it.
    let mut queue = lock(&archive.queue);
    if let Some(done) = queue.results.remove(&ticket) {
        return done;
    }
    let jobs = std::mem::take(&mut queue.waiting);
    drop(queue);
    let results = match write(archive, jobs.iter().map(|(_, job)| job)) {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect::<Vec<_>>(),
        Err(e) if jobs.len() == 1 => vec![Err(e)],
        // One by one: what is wrong with one must not harm the others.
        Err(_) => jobs
            .iter()
            .map(|(_, job)| {
                write(archive, [job])
                    .and_then(|mut all| all.pop().ok_or_else(|| Error::new(Kind::Internal, "a batch had no result")))
            })
            .collect(),
    };
    let mut queue = lock(&archive.queue);
    queue.results.extend(jobs.iter().map(|(ticket, _)| *ticket).zip(results));
    queue.results.remove(&ticket).unwrap_or_else(|| Err(Error::new(Kind::Internal, "a batch had no result")))
}

/// Writes the packs of what is new.
fn prepare(archive: &SqliteArchive, batch: CheckedBatch) -> Result<Job> {
    let pictures: HashMap<Sha256, &Picture> = batch.pictures.iter().map(|p| (p.sha256, p)).collect();
    let mut known = Vec::new();
    let mut needed: BTreeMap<Name, BTreeSet<Sha256>> = BTreeMap::new();
    for read in &batch.reads {
        let verdict = match stored(archive, read)? {
            Some(verdict) => Some(verdict),
            None => lacking(read, &pictures),
        };
        if verdict.is_none() {
            needed.entry(name_of(read)).or_default().extend(read.envelope.pictures.iter().map(|p| p.sha256));
        }
        known.push(verdict);
    }
    let mut packs = BTreeMap::new();
    for (name, needed) in needed {
        let unit = archive.units.make(name)?;
        let pack = match needed.is_empty() {
            true => None,
            false => {
                let pictures = needed.iter().filter_map(|sha256| pictures.get(sha256).copied());
                Some(pack::write(unit.folder(), &archive.key, pictures)?)
            }
        };
        packs.insert(name, pack);
    }
    Ok(Job { batch, known, packs })
}

/// What is known of a read that is here already.
fn stored(archive: &SqliteArchive, read: &CheckedRead) -> Result<Option<Verdict>> {
    for unit in archive.units.of_day(day_of(read.id)) {
        if let Some(sha256) = unit.read(|conn| hash_of(conn, read.id))? {
            return Ok(Some(if sha256 == read.sha256 { Verdict::Durable } else { Verdict::OtherContent }));
        }
    }
    Ok(None)
}

fn hash_of(conn: &Connection, id: Uuid) -> Result<Option<Sha256>> {
    conn.prepare_cached("SELECT sha256 FROM records JOIN reads USING (number) WHERE id = ?1")
        .and_then(|mut s| s.query_row([id.as_bytes()], |row| row.get(0).map(Sha256)).optional())
        .sql(could_not_read)
}

/// Writes the rows of these jobs, and gives what became of each.
fn write<'a>(archive: &SqliteArchive, jobs: impl IntoIterator<Item = &'a Job>) -> Result<Vec<Outcome>> {
    let jobs: Vec<&Job> = jobs.into_iter().collect();
    let mut verdicts: Vec<Vec<Option<Verdict>>> = jobs.iter().map(|job| job.known.clone()).collect();
    let names: BTreeSet<Name> = jobs.iter().flat_map(|job| job.packs.keys().copied()).collect();
    let mut reads = Vec::new();
    for name in names {
        let unit = archive.units.make(name)?;
        let others = archive.units.of_day_but(name);
        let (done, here) = unit.write(|conn| rows_of(conn, &unit, &others, &jobs, &verdicts))?;
        for (job, read, verdict) in done {
            verdicts[job][read] = Some(verdict);
        }
        reads.push((name, here));
    }
    let mut main = lock(&archive.main);
    main.transaction(|rows| {
        reads.iter().try_for_each(|(name, here)| parts::note(rows, *name, *here))?;
        jobs.iter().zip(&verdicts).map(|(job, verdicts)| own::add_batch(rows, &job.batch, verdicts)).collect()
    })
}

/// What became of a read: which job, which of its reads, and how it ended.
type Told = (usize, usize, Verdict);

/// Writes the rows of one unit; gives what became of which read of which job, and how many reads the unit has or
/// had now.
fn rows_of(
    conn: &Connection,
    unit: &Unit,
    others: &[Arc<Unit>],
    jobs: &[&Job],
    verdicts: &[Vec<Option<Verdict>>],
) -> Result<(Vec<Told>, u64)> {
    let mut done = Vec::new();
    let mut counts: BTreeMap<(&str, &str), [i64; 4]> = BTreeMap::new();
    for (j, job) in jobs.iter().enumerate() {
        let Some(pack) = job.packs.get(&unit.name) else { continue };
        let mut used = false;
        for (r, read) in job.batch.reads.iter().enumerate() {
            if verdicts[j][r].is_some() || name_of(read) != unit.name {
                continue;
            }
            let mut here = hash_of(conn, read.id)?;
            for other in others {
                if here.is_none() {
                    here = other.read(|conn| hash_of(conn, read.id))?;
                }
            }
            let verdict = match here {
                Some(sha256) if sha256 == read.sha256 => Verdict::Durable,
                Some(_) => Verdict::OtherContent,
                None => {
                    let place = |sha256: &Sha256| {
                        pack.as_ref().and_then(|pack| Some((pack.id, pack.starts.get(sha256)?.cast_signed())))
                    };
                    if !read.envelope.pictures.iter().all(|picture| place(&picture.sha256).is_some()) {
                        return Err(Error::new(Kind::Internal, "a picture is in no pack"));
                    }
                    add_read(conn, read, job.batch.received, job.batch.batch, place)?;
                    used = true;
                    let count = counts.entry((&read.envelope.vehicle, &read.envelope.camera)).or_default();
                    let pictures = &read.envelope.pictures;
                    let bytes = pictures.iter().map(|p| i64::from(p.bytes)).sum::<i64>();
                    let more = [1, i64::from(read.envelope.has_hit), pictures.len() as i64, bytes];
                    count.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
                    Verdict::Durable
                }
            };
            done.push((j, r, verdict));
        }
        if let Some(pack) = pack.as_ref().filter(|_| used) {
            conn.prepare_cached("INSERT INTO packs (id, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
                .and_then(|mut s| s.execute(params![pack.id.as_bytes(), pack.bytes.cast_signed()]))
                .sql(could_not_write)?;
        }
    }
    for ((vehicle, camera), [reads, hits, pictures, bytes]) in counts {
        conn.prepare_cached(
            "INSERT INTO counts (vehicle, camera, reads, hits, pictures, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET reads = reads + excluded.reads, hits = hits + excluded.hits,
             pictures = pictures + excluded.pictures, bytes = bytes + excluded.bytes",
        )
        .and_then(|mut s| s.execute(params![vehicle, camera, reads, hits, pictures, bytes]))
        .sql(could_not_write)?;
    }
    let here: i64 = conn
        .prepare_cached("SELECT coalesce(sum(reads), 0) FROM counts")
        .and_then(|mut s| s.query_row([], |row| row.get(0)))
        .sql(could_not_read)?;
    Ok((done, here.unsigned_abs() + parts::swept(conn)?))
}

pub(super) fn could_not_write() -> String {
    "the archive could not write".into()
}

/// Adds a read that is not here yet. `place` says in which pack a picture is, and where it begins.
pub(super) fn add_read(
    conn: &Connection,
    read: &CheckedRead,
    received: Timestamp,
    batch: Uuid,
    place: impl Fn(&Sha256) -> Option<(Uuid, i64)>,
) -> Result<()> {
    let e = &read.envelope;
    let position = e.position.as_ref().map(serde_json::to_string).transpose();
    let position = position.map_err(|_| Error::new(Kind::Internal, "a position could not be written"))?;
    let (first, last, received) =
        (e.first_seen.as_microsecond(), e.last_seen.as_microsecond(), received.as_microsecond());
    conn.prepare_cached(
        "INSERT INTO reads (id, key, text, state, vehicle, camera, first_seen, last_seen, received, latitude, longitude,
         confidence, has_hit, class, canvass, position, site)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )
    .and_then(|mut s| {
        s.execute(params![
            read.id.as_bytes(),
            e.key,
            e.text,
            e.state,
            e.vehicle,
            e.camera,
            first,
            last,
            received,
            e.position.map(|p| p.lat),
            e.position.map(|p| p.lon),
            f64::from(e.confidence),
            e.has_hit,
            e.class.as_str(),
            e.canvass,
            position,
            e.site,
        ])
    })
    .sql(could_not_write)?;
    let number = conn.last_insert_rowid();
    conn.prepare_cached("INSERT INTO records (number, sha256, batch, record) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut s| s.execute(params![number, read.sha256.0, batch.as_bytes(), &read.record[..]]))
        .sql(could_not_write)?;
    for (n, picture) in e.pictures.iter().enumerate() {
        add_picture(conn, number, n, picture, place(&picture.sha256))?;
    }
    // A first look in the future says nothing of how long a read is to be kept.
    let youngest = first.min(received);
    match unit::span(conn)? {
        None => conn.execute("INSERT INTO span VALUES (?1, ?2, ?3)", [first, youngest, last]),
        Some(_) => conn
            .prepare_cached(
                "UPDATE span SET oldest = min(oldest, ?1), youngest = max(youngest, ?2), newest = max(newest, ?3)",
            )
            .and_then(|mut s| s.execute([first, youngest, last])),
    }
    .map(drop)
    .sql(could_not_write)
}

/// Adds a picture of a read; without a place it was deleted.
fn add_picture(conn: &Connection, read: i64, n: usize, picture: &PictureRef, at: Option<(Uuid, i64)>) -> Result<()> {
    let (pack, start) = at.unzip();
    conn.prepare_cached(
        "INSERT INTO pictures (read, place, role, sha256, bytes, pack, start) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .and_then(|mut s| {
        let (pack, PictureRef { role, sha256, bytes }) = (pack.as_ref().map(Uuid::as_bytes), picture);
        s.execute(params![read, n as i64, role, sha256.0, bytes, pack, start])
    })
    .map(drop)
    .sql(could_not_write)
}

/// The classes of a day, as units may have them.
pub(super) fn names_of(day: Date) -> impl Iterator<Item = Name> {
    Class::ALL.into_iter().map(move |class| Name::Part(day, class))
}
