//! Giving everything out again, for a move to another engine: each record and picture is compared with its hash.

use super::super::batch::{CheckedRead, Picture};
use super::super::class::Class;
use super::super::moving::Exported;
use super::SqliteArchive;
use super::pack;
use super::search::found;
use super::stored::record;
use super::unit::{Name, Unit};
use crate::database::could_not_read;
use crate::sqlcipher::SqlContext;
use jiff::civil::Date;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Reads that are given out at once, with all their pictures in memory.
const AT_ONCE: i64 = 200;

impl SqliteArchive {
    /// Hands all reads of the parts to `take`, some of the same part at a time; those that are held, without a part.
    pub(in crate::archive) fn export(
        &self,
        mut take: impl FnMut(Option<(Date, Class)>, Vec<Exported>) -> Result<()>,
    ) -> Result<()> {
        for unit in self.units.all() {
            let name = match unit.name {
                Name::Part(day, class) => Some((day, class)),
                Name::Hold(_) => None,
            };
            let mut after = 0;
            loop {
                let (page, last) = self.page(&unit, after)?;
                if page.is_empty() {
                    break;
                }
                after = last;
                take(name, page)?;
            }
        }
        Ok(())
    }

    /// Hands reads that were deleted one by one to `take`, part by part: id, and how many pictures went with it.
    pub(in crate::archive) fn export_swept(
        &self,
        mut take: impl FnMut((Date, Class), &[(Uuid, i64)]) -> Result<()>,
    ) -> Result<()> {
        for unit in self.units.all() {
            let Name::Part(day, class) = unit.name else { continue };
            let swept: Vec<(Uuid, i64)> = unit.read(|conn| {
                conn.prepare_cached("SELECT id, pictures FROM swept")
                    .and_then(|mut s| {
                        s.query_map([], |row| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?)))?.collect()
                    })
                    .sql(could_not_read)
            })?;
            if !swept.is_empty() {
                take((day, class), &swept)?;
            }
        }
        Ok(())
    }

    /// The reads of a unit after the one of this number, and the number of the last of them.
    fn page(&self, unit: &Unit, after: i64) -> Result<(Vec<Exported>, i64)> {
        let rows = unit.read(|conn| {
            let numbers: Vec<i64> = conn
                .prepare_cached("SELECT number FROM records WHERE number > ?1 ORDER BY number LIMIT ?2")
                .and_then(|mut s| s.query_map([after, AT_ONCE], |row| row.get(0))?.collect())
                .sql(could_not_read)?;
            numbers
                .into_iter()
                .map(|number| Ok((number, found(conn, number)?, record(conn, number)?, places(conn, number)?)))
                .collect::<Result<Vec<_>>>()
        })?;
        let last = rows.last().map_or(after, |(number, ..)| *number);
        let export = |(_, found, (record, batch), places): (i64, super::super::Found, (Vec<u8>, Uuid), Places)| {
            if Sha256::of(&record) != found.sha256 {
                let message = format!("the read {} does not fit its hash; bring it back from a backup first", found.id);
                return Err(Error::new(Kind::Damaged, message));
            }
            let mut pictures = Vec::new();
            for (sha256, (pack, start, bytes)) in places {
                let bytes = pack::read(unit.folder(), &self.key, pack, start, bytes, &sha256)?;
                pictures.push(Picture { sha256, bytes: bytes.into() });
            }
            let read =
                CheckedRead { id: found.id, sha256: found.sha256, record: record.into(), envelope: found.envelope };
            Ok(Exported { read, received: found.received, batch, pictures })
        };
        Ok((rows.into_iter().map(export).collect::<Result<_>>()?, last))
    }
}

/// Where pictures are: pack, start and size.
type Places = BTreeMap<Sha256, (Uuid, u64, u64)>;

fn places(conn: &Connection, number: i64) -> Result<Places> {
    conn.prepare_cached("SELECT sha256, pack, start, bytes FROM pictures WHERE read = ?1 AND pack IS NOT NULL")
        .and_then(|mut s| {
            s.query_map(params![number], |row| {
                let number = |column: usize| row.get(column).map(i64::unsigned_abs);
                Ok((Sha256(row.get(0)?), (Uuid::from_bytes(row.get(1)?), number(2)?, number(3)?)))
            })?
            .collect()
        })
        .sql(could_not_read)
}
