//! Taking batches in: packs first, then all rows in one transaction. Each step can be done again, by any station.
//!
//! Batches of one vehicle wait for each other, whichever stations have them; those of different vehicles do not. A part
//! that a purge closes meanwhile takes nothing any more: the batch begins anew and gets another one.

use super::super::batch::{CheckedBatch, CheckedRead, Outcome, Picture, Verdict};
use super::super::class::Class;
use super::super::day::{day_of, lacking};
use super::super::own;
use super::super::pack::Pack;
use super::rows::{NewRow, insert};
use super::{PostgresArchive, parts};
use crate::postgres::{Lock, Tx};
use crate::rows::Rows;
use jiff::civil::Date;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// How often a batch begins anew.
const MAX_TRIES: u32 = 5;
/// Microseconds.
const HOUR: i64 = 3_600_000_000;

type Name = (Date, Class);

/// Where reads of one name go.
struct Place {
    part: i32,
    pack: Option<Pack>,
}

pub(super) fn ingest(archive: &PostgresArchive, batch: &CheckedBatch) -> Result<Outcome> {
    for _ in 0..MAX_TRIES {
        if let Some(outcome) = attempt(archive, batch)? {
            return Ok(outcome);
        }
    }
    Err(Error::new(Kind::Busy, "the station is busy; send it again later"))
}

fn name_of(read: &CheckedRead) -> Name {
    (day_of(read.id), read.envelope.class)
}

/// None when something was changed in between; then it is to be tried again.
fn attempt(archive: &PostgresArchive, batch: &CheckedBatch) -> Result<Option<Outcome>> {
    let pictures: HashMap<Sha256, &Picture> = batch.pictures.iter().map(|p| (p.sha256, p)).collect();
    let all: Vec<&CheckedRead> = batch.reads.iter().collect();
    let here = archive.server.read(|tx| stored(tx, &all))?;
    let known: Vec<Option<Verdict>> =
        batch.reads.iter().map(|read| verdict(&here, read).or_else(|| lacking(read, &pictures))).collect();
    let mut needed: BTreeMap<Name, BTreeSet<Sha256>> = BTreeMap::new();
    for (read, _) in batch.reads.iter().zip(&known).filter(|(_, known)| known.is_none()) {
        needed.entry(name_of(read)).or_default().extend(read.envelope.pictures.iter().map(|p| p.sha256));
    }
    let mut places = BTreeMap::new();
    for (name, needed) in needed {
        let part = parts::make(&archive.server, name.0, name.1)?;
        let pack = match needed.is_empty() {
            true => None,
            false => {
                let pictures = needed.iter().filter_map(|sha256| pictures.get(sha256).copied());
                Some(archive.objects.write(part, &archive.key, pictures)?)
            }
        };
        places.insert(name, Place { part, pack });
    }
    let mut is_changed = false;
    let done = archive.server.transaction(|tx| {
        let outcome = write(tx, batch, known.clone(), &places)?;
        is_changed = outcome.is_none();
        // An error, so that nothing of it counts.
        outcome.ok_or_else(|| Error::new(Kind::Busy, "something was changed in between"))
    });
    if is_changed {
        for Place { part, pack } in places.values() {
            // As far as it goes: what stays goes with its part.
            let _ = archive.objects.remove(*part, pack.iter().map(|pack| pack.id));
        }
        return Ok(None);
    }
    done.map(Some)
}

/// The hashes of those reads that are here, in any part of their days.
fn stored(tx: &Tx<'_>, reads: &[&CheckedRead]) -> Result<HashMap<Uuid, Sha256>> {
    let days: BTreeSet<Date> = reads.iter().map(|read| day_of(read.id)).collect();
    let parts = parts::of_days(tx, &days.into_iter().collect::<Vec<_>>())?;
    if parts.is_empty() {
        return Ok(HashMap::new());
    }
    let parts: Vec<i32> = parts.iter().map(|part| part.number).collect();
    let ids: Vec<Uuid> = reads.iter().map(|read| read.id).collect();
    let rows = tx.all("SELECT id, sha256 FROM records WHERE part = ANY($1) AND id = ANY($2)", &[&parts, &ids])?;
    Ok(rows.iter().filter_map(|row| Some((row.get(0), Sha256(row.get::<_, &[u8]>(1).try_into().ok()?)))).collect())
}

fn verdict(here: &HashMap<Uuid, Sha256>, read: &CheckedRead) -> Option<Verdict> {
    here.get(&read.id).map(|here| if *here == read.sha256 { Verdict::Durable } else { Verdict::OtherContent })
}

fn write(
    tx: &Tx<'_>,
    batch: &CheckedBatch,
    mut verdicts: Vec<Option<Verdict>>,
    places: &BTreeMap<Name, Place>,
) -> Result<Option<Outcome>> {
    tx.lock(Lock::Vehicle(&batch.vehicle))?;
    let numbers: Vec<i32> = places.values().map(|place| place.part).collect();
    for part in &numbers {
        tx.lock(Lock::Filling(*part))?;
    }
    let open = tx.all("SELECT number, packs_after FROM parts WHERE number = ANY($1) AND purge IS NULL", &[&numbers])?;
    let open: HashMap<i32, Option<Uuid>> = open.iter().map(|row| (row.get(0), row.get(1))).collect();
    let is_open = |place: &Place| {
        let pack = place.pack.as_ref().map(|pack| pack.id);
        open.get(&place.part).is_some_and(|after| pack.is_none_or(|pack| Some(pack) > *after))
    };
    if !places.values().all(is_open) {
        return Ok(None);
    }
    let new: Vec<&CheckedRead> =
        batch.reads.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_none()).map(|(read, _)| read).collect();
    let mut here = if new.is_empty() { HashMap::new() } else { stored(tx, &new)? };
    let mut rows: BTreeMap<Name, Vec<NewRow<'_>>> = BTreeMap::new();
    for (read, known) in batch.reads.iter().zip(&mut verdicts).filter(|(_, known)| known.is_none()) {
        *known = verdict(&here, read);
        if known.is_some() {
            continue;
        }
        let pack = places.get(&name_of(read)).and_then(|place| place.pack.as_ref());
        let start = |sha256: &Sha256| pack.and_then(|pack| pack.starts.get(sha256).copied());
        let starts: Option<Vec<u64>> = read.envelope.pictures.iter().map(|picture| start(&picture.sha256)).collect();
        let starts = starts.ok_or_else(|| Error::new(Kind::Internal, "a picture is in no pack"))?;
        let pack = pack.filter(|_| !starts.is_empty()).map(|pack| pack.id);
        let row = NewRow { read, received: batch.received, batch: batch.batch, pack, starts };
        rows.entry(name_of(read)).or_default().push(row);
        here.insert(read.id, read.sha256);
        *known = Some(Verdict::Durable);
    }
    for (name, place) in places {
        let Some(rows) = rows.get(name) else { continue };
        if insert(tx, place.part, rows)? != rows.len() as u64 {
            return Ok(None);
        }
        if let Some(pack) = place.pack.as_ref().filter(|pack| rows.iter().any(|row| row.pack == Some(pack.id))) {
            let sql = "INSERT INTO packs (id, part, bytes) VALUES ($1, $2, $3)";
            tx.run(sql, &[&pack.id, &place.part, &pack.bytes.cast_signed()])?;
        }
        count(tx, place.part, rows)?;
    }
    own::add_batch(&Rows::of_postgres(tx), batch, &verdicts).map(Some)
}

/// Adds reads to the counts and the times of their part.
pub(super) fn count(tx: &Tx<'_>, part: i32, rows: &[NewRow<'_>]) -> Result<()> {
    let mut counts: BTreeMap<(&str, &str), [i64; 4]> = BTreeMap::new();
    let (mut oldest, mut youngest, mut newest) = (i64::MAX, i64::MIN, i64::MIN);
    for NewRow { read, received, pack, .. } in rows {
        let e = &read.envelope;
        let pictures = if pack.is_some() { &e.pictures[..] } else { &[] };
        let bytes = pictures.iter().map(|p| i64::from(p.bytes)).sum::<i64>();
        let more = [1, i64::from(e.has_hit), pictures.len() as i64, bytes];
        let sums = counts.entry((&e.vehicle, &e.camera)).or_default();
        sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        let first = e.first_seen.as_microsecond();
        oldest = oldest.min(first);
        // A first look in the future says nothing of how long a read is to be kept.
        youngest = youngest.max(first.min(received.as_microsecond()));
        newest = newest.max(e.last_seen.as_microsecond());
    }
    let of = |n: usize| counts.values().map(|sums| sums[n]).collect::<Vec<i64>>();
    let (vehicles, cameras): (Vec<&str>, Vec<&str>) = counts.keys().copied().unzip();
    tx.run(
        "INSERT INTO counts (part, vehicle, camera, reads, hits, pictures, bytes)
         SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
         ON CONFLICT (part, vehicle, camera) DO UPDATE SET reads = counts.reads + excluded.reads,
           hits = counts.hits + excluded.hits, pictures = counts.pictures + excluded.pictures,
           bytes = counts.bytes + excluded.bytes",
        &[&part, &vehicles, &cameras, &of(0), &of(1), &of(2), &of(3)],
    )?;
    let hour = |us: i64| us.div_euclid(HOUR) * HOUR;
    let end = hour(newest.saturating_add(HOUR - 1));
    tx.run(
        "UPDATE parts SET oldest = least(oldest, $2), youngest = greatest(youngest, $3), newest = greatest(newest, $4)
         WHERE number = $1 AND (oldest IS NULL OR oldest > $2 OR youngest < $3 OR newest < $4)",
        &[&part, &hour(oldest), &hour(youngest), &end],
    )
    .map(drop)
}
