//! Evidence holds (control P-15): what is held is copied to a unit of its own, which no purge touches.

use super::super::batch::{CheckedRead, Picture};
use super::super::documents;
use super::super::hold::{Hold, NewHold};
use super::super::own;
use super::SqliteArchive;
use super::ingest::{add_read, could_not_write};
use super::pack;
use super::search::found;
use super::stored::{number_of, record, units_of};
use super::unit::{Name, Unit, lock};
use crate::owner::Owner;
use crate::sqlcipher::SqlContext;
use jiff::Timestamp;
use plated_access::{HoldEvidence, Permit};
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Kind, Result};
use rusqlite::params;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// How the folder of a hold is called while it is being filled.
const MAKING: &str = ".making-";
/// Reads that are copied at once, with all their pictures in memory.
const AT_ONCE: usize = 100;

pub(super) fn begin(
    archive: &SqliteArchive,
    permit: &Permit<HoldEvidence>,
    new: &NewHold,
    now: Timestamp,
) -> Result<Hold> {
    let owner = Owner::for_root(&archive.data)?;
    let hold = own::new_hold(permit, new, now)?;
    let _changes = archive.changing()?;
    let id = hold.id;
    let name = Name::Hold(id);
    let (making, folder) =
        (archive.units.holds.join(format!("{MAKING}{}", name.folder())), archive.units.holds.join(name.folder()));
    let failed = || format!("could not write the hold {id}");
    let done = fill(archive, name, &making, &hold.reads).and_then(|()| {
        // The station has to be able to read it, and to remove it once it is released.
        owner.give_folder(&making).context(Kind::Storage, failed)?;
        durable::rename(&making, &folder).context(Kind::Storage, failed)?;
        archive.units.add(name, folder.clone())?;
        lock(&archive.main).transaction(|rows| own::add_hold(rows, &hold))
    });
    if let Err(e) = done {
        archive.units.remove(name);
        // As far as it goes; the next start clears the rest away.
        let _ = durable::remove_folder(&making).and_then(|()| durable::remove_folder(&folder));
        return Err(e);
    }
    tracing::info!(hold = %id, reads = hold.reads.len(), "An evidence hold began");
    Ok(hold)
}

/// Copies reads with their pictures.
fn fill(archive: &SqliteArchive, name: Name, folder: &std::path::Path, reads: &[Uuid]) -> Result<()> {
    let unit = Unit::open(name, folder, &archive.key)?;
    for reads in reads.chunks(AT_ONCE) {
        let mut copies = Vec::new();
        let mut pictures: HashMap<Sha256, Picture> = HashMap::new();
        for id in reads {
            let missing = || own::no_such_read(*id);
            let from = units_of(archive, *id)?.into_iter().next().ok_or_else(missing)?;
            let (found, (record, batch)) = from.read(|conn| {
                let number = number_of(conn, *id)?.ok_or_else(missing)?;
                Ok((found(conn, number)?, record(conn, number)?))
            })?;
            for picture in &found.envelope.pictures {
                if !pictures.contains_key(&picture.sha256)
                    && let Some(bytes) = super::stored::picture(archive, *id, &picture.sha256)?
                {
                    pictures.insert(picture.sha256, Picture { sha256: picture.sha256, bytes });
                }
            }
            let read = CheckedRead { id: *id, sha256: found.sha256, record: record.into(), envelope: found.envelope };
            copies.push((read, found.received, batch));
        }
        let pack = match pictures.is_empty() {
            true => None,
            false => Some(pack::write(folder, &archive.key, pictures.values())?),
        };
        unit.write(|conn| {
            if let Some(pack) = &pack {
                conn.execute(
                    "INSERT INTO packs (id, bytes) VALUES (?1, ?2)",
                    params![pack.id.as_bytes(), pack.bytes.cast_signed()],
                )
                .sql(could_not_write)?;
            }
            let place = |sha256: &Sha256| {
                pack.as_ref().and_then(|pack| Some((pack.id, pack.starts.get(sha256)?.cast_signed())))
            };
            copies.iter().try_for_each(|(read, received, batch)| add_read(conn, read, *received, *batch, place))
        })?;
    }
    unit.close();
    Ok(())
}

pub(super) fn release(
    archive: &SqliteArchive,
    permit: &Permit<HoldEvidence>,
    id: Uuid,
    now: Timestamp,
) -> Result<Hold> {
    let _changes = archive.changing()?;
    let hold = lock(&archive.main).transaction(|rows| own::release_hold(rows, permit, id, now))?;
    if let Some(unit) = archive.units.remove(Name::Hold(id)) {
        unit.close();
    }
    remove(archive, id)?;
    forget_documents(archive, &hold.reads)?;
    tracing::info!(hold = %id, reads = hold.reads.len(), "An evidence hold was released");
    Ok(hold)
}

fn remove(archive: &SqliteArchive, id: Uuid) -> Result<()> {
    durable::remove_folder(&archive.units.holds.join(Name::Hold(id).folder()))
        .context(Kind::Storage, || format!("could not delete what the hold {id} kept; the next start does it"))
}

/// Deletes documents about reads that are nowhere any more.
fn forget_documents(archive: &SqliteArchive, reads: &[Uuid]) -> Result<()> {
    let mut gone = Vec::new();
    for read in reads {
        if units_of(archive, *read)?.is_empty() {
            gone.push(*read);
        }
    }
    lock(&archive.main).transaction(|rows| documents::forget(rows, &gone))
}

/// At the start: finishes what a crash left half done.
pub(super) fn finish(archive: &SqliteArchive) -> Result<()> {
    let _changes = archive.changing()?;
    let failed = || format!("could not clear up {}", archive.units.holds.display());
    for entry in std::fs::read_dir(&archive.units.holds).context(Kind::Storage, failed)? {
        let entry = entry.context(Kind::Storage, failed)?;
        if entry.file_name().to_string_lossy().starts_with(MAKING) {
            durable::remove_folder(&entry.path()).context(Kind::Storage, failed)?;
        }
    }
    let active = active(archive)?;
    for unit in archive.units.of_holds() {
        if let Name::Hold(id) = unit.name
            && !active.contains_key(&unit.name)
        {
            archive.units.remove(unit.name);
            unit.close();
            remove(archive, id)?;
        }
    }
    Ok(())
}

/// Those that keep something now: their units, and how many reads each has.
pub(super) fn active(archive: &SqliteArchive) -> Result<BTreeMap<Name, u64>> {
    let all = lock(&archive.main).read(own::holds)?;
    let active = all.into_iter().filter(|hold| hold.released.is_none());
    Ok(active.map(|hold| (Name::Hold(hold.id), hold.reads.len() as u64)).collect())
}
