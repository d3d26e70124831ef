//! One read with all that is kept of it, and its pictures.

use super::super::day::day_of;
use super::super::documents;
use super::super::query::StoredRead;
use super::SqliteArchive;
use super::pack;
use super::search::found;
use super::unit::{Name, Unit, lock};
use crate::database::could_not_read;
use crate::sqlcipher::SqlContext;
use bytes::Bytes;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use rusqlite::{Connection, OptionalExtension};
use std::sync::Arc;
use uuid::Uuid;

/// The number of a read in a unit.
pub(super) fn number_of(conn: &Connection, id: Uuid) -> Result<Option<i64>> {
    conn.prepare_cached("SELECT number FROM reads WHERE id = ?1")
        .and_then(|mut s| s.query_row([id.as_bytes()], |row| row.get(0)).optional())
        .sql(could_not_read)
}

/// Units that have this read: its part first, then holds.
pub(super) fn units_of(archive: &SqliteArchive, id: Uuid) -> Result<Vec<Arc<Unit>>> {
    let mut having = Vec::new();
    for unit in archive.units.of_day(day_of(id)).into_iter().chain(archive.units.of_holds()) {
        if unit.read(|conn| number_of(conn, id))?.is_some() {
            having.push(unit);
        }
    }
    Ok(having)
}

/// The exact bytes of a record, and the batch that brought it.
pub(super) fn record(conn: &Connection, number: i64) -> Result<(Vec<u8>, Uuid)> {
    conn.prepare_cached("SELECT record, batch FROM records WHERE number = ?1")
        .and_then(|mut s| s.query_row([number], |row| Ok((row.get(0)?, Uuid::from_bytes(row.get(1)?)))))
        .sql(could_not_read)
}

pub(super) fn read(archive: &SqliteArchive, id: Uuid) -> Result<Option<StoredRead>> {
    let units = units_of(archive, id)?;
    let Some(unit) = units.first() else { return Ok(None) };
    let stored = unit.read(|conn| {
        let Some(number) = number_of(conn, id)? else { return Ok(None) };
        Ok(Some((found(conn, number)?, record(conn, number)?)))
    })?;
    let Some((mut found, (record, batch))) = stored else { return Ok(None) };
    if Sha256::of(&record) != found.sha256 {
        let message = format!("the read {id} does not fit its hash; run `plated-station check`");
        return Err(Error::new(Kind::Damaged, message));
    }
    let holds = units.iter().filter_map(|unit| if let Name::Hold(id) = unit.name { Some(id) } else { None }).collect();
    let documents = lock(&archive.main).read(|rows| {
        documents::put_corrections(rows, std::slice::from_mut(&mut found))?;
        documents::of_read(rows, id)
    })?;
    Ok(Some(StoredRead { found, record, batch, documents, holds }))
}

pub(super) fn picture(archive: &SqliteArchive, id: Uuid, sha256: &Sha256) -> Result<Option<Bytes>> {
    for unit in units_of(archive, id)? {
        let place = unit.read(|conn| {
            conn.prepare_cached(
                "SELECT pack, start, bytes FROM pictures JOIN reads ON number = read
                 WHERE id = ?1 AND sha256 = ?2 AND pack IS NOT NULL LIMIT 1",
            )
            .and_then(|mut s| {
                s.query_row((id.as_bytes(), sha256.0), |row| {
                    Ok((Uuid::from_bytes(row.get(0)?), row.get::<_, i64>(1)?, row.get::<_, u32>(2)?))
                })
                .optional()
            })
            .sql(could_not_read)
        })?;
        let Some((pack, start, bytes)) = place else { continue };
        match pack::read(unit.folder(), &archive.key, pack, start.cast_unsigned(), bytes.into(), sha256) {
            Ok(picture) => return Ok(Some(picture.into())),
            // Deleted while it was looked for.
            Err(_) if !unit.folder().exists() => {}
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}
