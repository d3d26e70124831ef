//! Taking in what another engine kept. What is here already is passed by, so that it may be cut off and done again.

use super::super::class::Class;
use super::super::moving::Exported;
use super::ingest::count;
use super::parts::HELD;
use super::rows::{NewRow, insert};
use super::{PostgresArchive, parts, sweep};
use crate::postgres::Tx;
use crate::rows::{Rows, Value};
use jiff::civil::Date;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use std::collections::BTreeSet;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

impl PostgresArchive {
    /// Marks an empty archive as one that is being filled, which no station opens; one that is marked stays so.
    pub(in crate::archive) fn begin_move(&self) -> Result<()> {
        self.server.transaction(|tx| {
            if tx.one("SELECT moving FROM archive", &[])?.get(0) {
                return Ok(());
            }
            let sql = "SELECT EXISTS (SELECT 1 FROM vehicles) OR EXISTS (SELECT 1 FROM parts WHERE number <> 0)";
            if tx.one(sql, &[])?.get(0) {
                let message = "the archive on PostgreSQL is in use already; move to an empty database";
                return Err(Error::new(Kind::Refused, message));
            }
            tx.run("UPDATE archive SET moving = true", &[]).map(drop)
        })
    }

    /// Takes in some reads of one part, or of holds; gives how many are new.
    pub(in crate::archive) fn import(&self, name: Option<(Date, Class)>, reads: &[Exported]) -> Result<u64> {
        let part = match name {
            Some((day, class)) => parts::make(&self.server, day, class)?,
            None => HELD,
        };
        let ids: Vec<Uuid> = reads.iter().map(|exported| exported.read.id).collect();
        let here =
            self.server.read(|tx| tx.all("SELECT id FROM records WHERE part = $1 AND id = ANY($2)", &[&part, &ids]))?;
        let here: BTreeSet<Uuid> = here.iter().map(|row| row.get(0)).collect();
        let new: Vec<&Exported> = reads.iter().filter(|exported| !here.contains(&exported.read.id)).collect();
        // Of a hold each read has a pack of its own.
        let together = if part == HELD { 1 } else { new.len().max(1) };
        for new in new.chunks(together) {
            let mut pictures = new.iter().flat_map(|exported| &exported.pictures).peekable();
            let pack = match pictures.peek() {
                None => None,
                Some(_) => Some(self.objects.write(part, &self.key, pictures)?),
            };
            let start = |sha256: &Sha256| pack.as_ref().and_then(|pack| pack.starts.get(sha256).copied());
            let rows: Vec<NewRow<'_>> = new
                .iter()
                .map(|exported| NewRow {
                    read: &exported.read,
                    received: exported.received,
                    batch: exported.batch,
                    pack: pack.as_ref().map(|pack| pack.id).filter(|_| !exported.pictures.is_empty()),
                    starts: exported
                        .read
                        .envelope
                        .pictures
                        .iter()
                        .map(|picture| start(&picture.sha256).unwrap_or_default())
                        .collect(),
                })
                .collect();
            self.server.transaction(|tx| {
                insert(tx, part, &rows)?;
                if let Some(pack) = &pack {
                    let sql = "INSERT INTO packs (id, part, bytes) VALUES ($1, $2, $3)";
                    tx.run(sql, &[&pack.id, &part, &pack.bytes.cast_signed()])?;
                }
                if part == HELD { Ok(()) } else { count(tx, part, &rows) }
            })?;
        }
        Ok(new.len() as u64)
    }

    /// Takes in which reads of a part were deleted one by one.
    pub(in crate::archive) fn import_swept(&self, (day, class): (Date, Class), swept: &[(Uuid, i64)]) -> Result<()> {
        let part = parts::make(&self.server, day, class)?;
        let (ids, pictures): (Vec<Uuid>, Vec<i64>) = swept.iter().copied().unzip();
        self.server.transaction(|tx| sweep::note(tx, part, &ids, &pictures))
    }

    /// Replaces all that is kept besides reads, by `copy`, and lets stations open it.
    pub(in crate::archive) fn finish_move(&self, copy: impl FnOnce(&Target<'_>) -> Result<()>) -> Result<()> {
        self.server.transaction(|tx| {
            copy(&Target(tx))?;
            tx.run("UPDATE archive SET moving = false", &[]).map(drop)
        })
    }
}

/// Tables that are being filled.
pub(in crate::archive) struct Target<'a>(pub(super) &'a Tx<'a>);

impl Target<'_> {
    /// Empties a table.
    pub fn empty(&self, table: &str) -> Result<()> {
        self.0.ddl(&format!("DELETE FROM {table}"))
    }

    /// Adds a row.
    pub fn add(&self, table: &str, columns: &[String], values: &[Value<'_>]) -> Result<()> {
        let places: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
        let sql = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", "));
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        self.0.run(&sql, &values).map(drop)
    }

    /// Rows that are added later are numbered from the last on, in a table whose rows are.
    pub fn go_on_counting(&self, table: &str) -> Result<()> {
        let numbered = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attidentity <> ''";
        for row in self.0.all(numbered, &[&table])? {
            let column: &str = row.get(0);
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{column}')::regclass, max({column})) FROM {table}
                 HAVING max({column}) IS NOT NULL"
            );
            self.0.all(&sql, &[])?;
        }
        Ok(())
    }

    /// How many rows a table has.
    pub fn count(&self, table: &str) -> Result<u64> {
        let found = Rows::of_postgres(self.0).one(&format!("SELECT count(*) FROM {table}"), &[], |row| row.get(0))?;
        Ok(found.unwrap_or_default())
    }
}
