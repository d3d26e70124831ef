//! Evidence holds (control P-15): what is held is copied, once however many holds have it, with a pack of its own, to the
//! part that no purge touches.

use super::super::batch::{CheckedRead, Picture};
use super::super::hold::{Hold, NewHold};
use super::super::{documents, own};
use super::parts::HELD;
use super::rows::{NewRow, Whole, insert};
use super::stored::{picture_of, wholes};
use super::{PostgresArchive, parts};
use crate::postgres::{Lock, Tx};
use crate::rows::Rows;
use jiff::Timestamp;
use plated_access::{HoldEvidence, Permit};
use plated_core::digest::Sha256;
use plated_core::error::Result;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Reads that are written at once.
const AT_ONCE: usize = 500;

/// A copy whose pack is durable.
struct Held {
    read: CheckedRead,
    received: Timestamp,
    batch: Uuid,
    pack: Option<(Uuid, u64)>,
    starts: Vec<u64>,
}

pub(super) fn begin(
    archive: &PostgresArchive,
    permit: &Permit<HoldEvidence>,
    new: &NewHold,
    now: Timestamp,
) -> Result<Hold> {
    let hold = own::new_hold(permit, new, now)?;
    let _changes = archive.server.hold_lock(Lock::Changes)?;
    let mut copies = Vec::new();
    let done = fill(archive, &hold.reads, &mut copies).and_then(|()| {
        archive.server.transaction(|tx| {
            for copies in copies.chunks(AT_ONCE) {
                let rows: Vec<NewRow<'_>> = copies.iter().map(Held::row).collect();
                insert(tx, HELD, &rows)?;
                for (id, bytes) in copies.iter().filter_map(|copy| copy.pack) {
                    let sql = "INSERT INTO packs (id, part, bytes) VALUES ($1, $2, $3)";
                    tx.run(sql, &[&id, &HELD, &bytes.cast_signed()])?;
                }
            }
            own::add_hold(&Rows::of_postgres(tx), &hold)
        })
    });
    if let Err(e) = done {
        // As far as it goes; the next purge clears the rest away.
        let _ = archive.objects.remove(HELD, copies.iter().filter_map(|copy| copy.pack).map(|(id, _)| id));
        return Err(e);
    }
    tracing::info!(hold = %hold.id, reads = hold.reads.len(), "An evidence hold began");
    Ok(hold)
}

impl Held {
    fn row(&self) -> NewRow<'_> {
        let Self { read, received, batch, pack, starts } = self;
        NewRow { read, received: *received, batch: *batch, pack: pack.map(|(id, _)| id), starts: starts.clone() }
    }
}

/// Copies the pictures of those reads that no other hold has.
fn fill(archive: &PostgresArchive, reads: &[Uuid], copies: &mut Vec<Held>) -> Result<()> {
    for id in reads {
        let mut all = archive.server.read(|tx| wholes(tx, *id))?;
        if all.iter().any(|whole| whole.part == HELD) {
            continue;
        }
        let whole = all.pop().ok_or_else(|| own::no_such_read(*id))?;
        let mut pictures = Vec::new();
        for placed in &whole.pictures {
            if let Some(bytes) = picture_of(archive, &whole, &placed.sha256)? {
                pictures.push(Picture { sha256: placed.sha256, bytes });
            }
        }
        let pack = match pictures.is_empty() {
            true => None,
            false => Some(archive.objects.write(HELD, &archive.key, &pictures)?),
        };
        let start =
            |sha256: &Sha256| pack.as_ref().and_then(|pack| pack.starts.get(sha256).copied()).unwrap_or_default();
        let starts = whole.pictures.iter().map(|placed| start(&placed.sha256)).collect();
        let Whole { found, record, batch, .. } = whole;
        let read = CheckedRead { id: *id, sha256: found.sha256, record: record.into(), envelope: found.envelope };
        let pack = pack.map(|pack| (pack.id, pack.bytes));
        copies.push(Held { read, received: found.received, batch, pack, starts });
    }
    Ok(())
}

pub(super) fn release(
    archive: &PostgresArchive,
    permit: &Permit<HoldEvidence>,
    id: Uuid,
    now: Timestamp,
) -> Result<Hold> {
    let _changes = archive.server.hold_lock(Lock::Changes)?;
    let (hold, packs) = archive.server.transaction(|tx| {
        let rows = Rows::of_postgres(tx);
        let hold = own::release_hold(&rows, permit, id, now)?;
        let held = own::held(&rows)?;
        let gone: Vec<Uuid> = hold.reads.iter().copied().filter(|read| !held.contains(read)).collect();
        let packs = forget(tx, &gone)?;
        documents::forget(&rows, &nowhere(tx, &gone)?)?;
        Ok((hold, packs))
    })?;
    archive.objects.remove(HELD, packs)?;
    tracing::info!(hold = %id, reads = hold.reads.len(), "An evidence hold was released");
    Ok(hold)
}

/// Deletes copies that no hold has any more; gives their packs.
fn forget(tx: &Tx<'_>, reads: &[Uuid]) -> Result<Vec<Uuid>> {
    tx.run("DELETE FROM reads WHERE part = $1 AND id = ANY($2)", &[&HELD, &reads])?;
    let deleted = tx.all("DELETE FROM records WHERE part = $1 AND id = ANY($2) RETURNING pack", &[&HELD, &reads])?;
    let packs: Vec<Uuid> = deleted.iter().filter_map(|row| row.get(0)).collect();
    tx.run("DELETE FROM packs WHERE id = ANY($1)", &[&packs])?;
    Ok(packs)
}

/// Those of these reads that are in no part that is here.
pub(super) fn nowhere(tx: &Tx<'_>, reads: &[Uuid]) -> Result<Vec<Uuid>> {
    let days: BTreeSet<_> = reads.iter().map(|id| super::super::day::day_of(*id)).collect();
    let mut parts: Vec<i32> =
        parts::of_days(tx, &days.into_iter().collect::<Vec<_>>())?.iter().map(|part| part.number).collect();
    parts.push(HELD);
    let rows = tx.all("SELECT id FROM reads WHERE part = ANY($1) AND id = ANY($2)", &[&parts, &reads])?;
    let here: BTreeSet<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    Ok(reads.iter().copied().filter(|id| !here.contains(id)).collect())
}

/// Removes what a hold or a release that was cut off left in object storage.
pub(super) fn clear(archive: &PostgresArchive) -> Result<()> {
    let rows = archive.server.read(|tx| tx.all("SELECT id FROM packs WHERE part = $1", &[&HELD]))?;
    let known: BTreeSet<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    archive.objects.remove_all_but(HELD, |id| known.contains(&id)).map(drop)
}
