//! Evidence holds (control P-15): what is held is copied to a unit of its own, which no purge touches.

use super::super::batch::{CheckedRead, Picture};
use super::super::hold::{Hold, NewHold};
use super::SqliteArchive;
use super::ingest::{add_read, could_not_write};
use super::pack;
use super::search::found;
use super::stored::{number_of, record, units_of};
use super::unit::{Name, Unit, lock};
use crate::database::{Rows, could_not_read};
use crate::owner::Owner;
use crate::sqlcipher::SqlContext;
use jiff::Timestamp;
use plated_access::audit::Who;
use plated_access::{Actor, HoldEvidence, Permit, Reason};
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{OptionalExtension, Row, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    let (actor, reason) = holder(permit)?;
    let reads: Vec<Uuid> = new.reads.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    if new.case.trim().is_empty() {
        return Err(Error::new(Kind::Input, "a hold needs the number of its case"));
    }
    if reads.is_empty() || reads.len() > NewHold::MAX_READS {
        let message = format!("a hold has 1 to {} reads; begin another one for the rest", NewHold::MAX_READS);
        return Err(Error::new(Kind::Input, message));
    }
    let owner = Owner::for_root(&archive.data)?;
    let _changes = archive.changing()?;
    let id = Uuid::now_v7();
    let hold = Hold {
        id,
        case: new.case.trim().to_owned(),
        reason: reason.as_str().to_owned(),
        by: Who::from(actor),
        since: now,
        reads,
        released: None,
    };
    let name = Name::Hold(id);
    let (making, folder) =
        (archive.units.holds.join(format!("{MAKING}{}", name.folder())), archive.units.holds.join(name.folder()));
    let failed = || format!("could not write the hold {id}");
    let done = fill(archive, name, &making, &hold.reads).and_then(|()| {
        // The station has to be able to read it, and to remove it once it is released.
        owner.give_folder(&making).context(Kind::Storage, failed)?;
        durable::rename(&making, &folder).context(Kind::Storage, failed)?;
        archive.units.add(name, folder.clone())?;
        lock(&archive.main).transaction(|rows| write(rows, &hold))
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

fn holder(permit: &Permit<HoldEvidence>) -> Result<(&Actor, &Reason)> {
    permit.holder().ok_or_else(|| Error::new(Kind::Internal, "a hold needs somebody who holds"))
}

/// Copies reads with their pictures.
fn fill(archive: &SqliteArchive, name: Name, folder: &std::path::Path, reads: &[Uuid]) -> Result<()> {
    let unit = Unit::open(name, folder, &archive.key)?;
    for reads in reads.chunks(AT_ONCE) {
        let mut copies = Vec::new();
        let mut pictures: HashMap<Sha256, Picture> = HashMap::new();
        for id in reads {
            let missing = || Error::new(Kind::NotFound, format!("there is no read {id} in the archive"));
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

fn write(rows: &Rows<'_>, hold: &Hold) -> Result<()> {
    rows.0
        .execute(
            "INSERT INTO holds (id, case_number, reason, by, since) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![hold.id.as_bytes(), hold.case, hold.reason, as_json(&hold.by)?, hold.since.as_microsecond()],
        )
        .sql(could_not_write)?;
    let mut add = rows.0.prepare_cached("INSERT INTO hold_reads (hold, read) VALUES (?1, ?2)").sql(could_not_write)?;
    hold.reads
        .iter()
        .try_for_each(|read| add.execute(params![hold.id.as_bytes(), read.as_bytes()]).map(drop).sql(could_not_write))
}

fn as_json(who: &Who) -> Result<String> {
    serde_json::to_string(who).context(Kind::Internal, || "a name could not be written".into())
}

pub(super) fn release(
    archive: &SqliteArchive,
    permit: &Permit<HoldEvidence>,
    id: Uuid,
    now: Timestamp,
) -> Result<Hold> {
    let (actor, reason) = holder(permit)?;
    let _changes = archive.changing()?;
    let hold = lock(&archive.main).transaction(|rows| {
        let changed = rows
            .0
            .execute(
                "UPDATE holds SET released = ?2, released_by = ?3, release_reason = ?4 WHERE id = ?1 AND released IS NULL",
                params![id.as_bytes(), now.as_microsecond(), as_json(&Who::from(actor))?, reason.as_str()],
            )
            .sql(could_not_write)?;
        match one(rows, id)? {
            Some(hold) if changed == 1 => Ok(hold),
            Some(_) => Err(Error::new(Kind::NotFound, format!("the hold {id} was released already"))),
            None => Err(Error::new(Kind::NotFound, format!("there is no hold {id}"))),
        }
    })?;
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
    lock(&archive.main).transaction(|rows| {
        let mut delete = rows.0.prepare_cached("DELETE FROM documents WHERE read = ?1").sql(could_not_write)?;
        gone.iter().try_for_each(|read| delete.execute([read.as_bytes()]).map(drop).sql(could_not_write))
    })
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
    let active = all(archive)?.into_iter().filter(|hold| hold.released.is_none());
    Ok(active.map(|hold| (Name::Hold(hold.id), hold.reads.len() as u64)).collect())
}

pub(super) fn all(archive: &SqliteArchive) -> Result<Vec<Hold>> {
    lock(&archive.main).transaction(|rows| {
        let ids: Vec<[u8; 16]> = rows
            .0
            .prepare("SELECT id FROM holds ORDER BY since DESC, id DESC")
            .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
            .sql(could_not_read)?;
        ids.into_iter().filter_map(|id| one(rows, Uuid::from_bytes(id)).transpose()).collect()
    })
}

fn one(rows: &Rows<'_>, id: Uuid) -> Result<Option<Hold>> {
    let hold = |row: &Row<'_>| {
        let who = |column: usize| -> rusqlite::Result<Option<Who>> {
            let text: Option<String> = row.get(column)?;
            let wrong = |e: serde_json::Error| {
                rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, e.into())
            };
            text.map(|text| serde_json::from_str(&text)).transpose().map_err(wrong)
        };
        let time = |us: i64| Timestamp::from_microsecond(us).unwrap_or_default();
        let released: Option<i64> = row.get(4)?;
        let released = match (released, who(5)?, row.get(6)?) {
            (Some(at), Some(by), Some(why)) => Some((time(at), by, why)),
            _ => None,
        };
        let by = who(2)?.ok_or(rusqlite::Error::InvalidQuery)?;
        Ok(Hold {
            id,
            case: row.get(0)?,
            reason: row.get(1)?,
            by,
            since: time(row.get(3)?),
            reads: Vec::new(),
            released,
        })
    };
    let found = rows
        .0
        .prepare_cached(
            "SELECT case_number, reason, by, since, released, released_by, release_reason FROM holds WHERE id = ?1",
        )
        .and_then(|mut s| s.query_row([id.as_bytes()], hold).optional())
        .sql(could_not_read)?;
    let Some(mut hold) = found else { return Ok(None) };
    hold.reads = rows
        .0
        .prepare_cached("SELECT read FROM hold_reads WHERE hold = ?1 ORDER BY read")
        .and_then(|mut s| s.query_map([id.as_bytes()], |row| Ok(Uuid::from_bytes(row.get(0)?)))?.collect())
        .sql(could_not_read)?;
    Ok(Some(hold))
}

/// The reads that holds keep now.
pub(super) fn held(rows: &Rows<'_>) -> Result<BTreeSet<Uuid>> {
    rows.0
        .prepare_cached("SELECT DISTINCT read FROM hold_reads JOIN holds ON id = hold WHERE released IS NULL")
        .and_then(|mut s| s.query_map([], |row| Ok(Uuid::from_bytes(row.get(0)?)))?.collect())
        .sql(could_not_read)
}
