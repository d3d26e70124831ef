//! Backups: all rows as they are at one moment, and then the packs that they name, beside stations that run. Nothing is
//! deleted meanwhile. The key is not in it.
//!
//! ```text
//! backup.json                    the files with their hashes; written last
//! database/description           the statements that make the tables, and what of each is here
//! database/TABLE                 rows as COPY writes text, the form that any newer PostgreSQL takes
//! packs/17/0193….pack            as in the bucket
//! ```
//!
//! What is in `database` is compressed and encrypted (`archive/sealed.rs`): in rows plates stand in clear.

use super::super::contents::{Contents, FileOf, be_empty, could_not_read};
use super::super::sealed;
use super::import::Target;
use super::objects::Objects;
use super::{PostgresArchive, PostgresOptions, parts};
use crate::key::ArchiveKey;
use crate::postgres::{Lock, Server, Tx, schema_of};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::durable::{self, Writer};
use plated_core::error::{Context, Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

const DESCRIPTION: &str = "description";
/// Rows are the same text on any server that way.
const AS_TEXT: &str = "SET LOCAL datestyle = 'ISO'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1";

/// What of the database is in a backup.
#[derive(Debug, Serialize, Deserialize)]
struct Description {
    /// Names the archive in object storage.
    archive: Uuid,
    /// The statements that make the tables.
    schema: String,
    /// In the order in which rows are put in: what is referred to comes first.
    tables: Vec<Table>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Table {
    name: String,
    columns: Vec<String>,
    rows: u64,
}

/// What was copied.
#[derive(Debug)]
pub(in crate::archive) struct Copied {
    pub files: u64,
    pub bytes: u64,
    /// Packs that rows name and that are not in the bucket, or not whole.
    pub lost: Vec<String>,
}

/// A pack, and in which part it lies.
struct PackOf {
    part: i32,
    id: Uuid,
    bytes: u64,
}

impl PackOf {
    /// Where it lies in a backup.
    fn path(&self) -> PathBuf {
        PathBuf::from(format!("packs/{}/{}.pack", self.part, self.id.simple()))
    }

    /// The other way.
    fn of(path: &Path) -> Option<(i32, Uuid)> {
        let mut words = path.strip_prefix("packs").ok()?.to_str()?.strip_suffix(".pack")?.split('/');
        let (part, id) = (words.next()?, words.next()?);
        Some((part.parse().ok()?, Uuid::try_parse(id).ok()?))
    }
}

impl PostgresArchive {
    /// Copies all of it to `to`, which must be empty or not there yet; `progress` is told how many packs are copied. No
    /// read is deleted meanwhile, and vehicles go on sending. Packs that are lost do not keep the rest from being copied.
    ///
    /// # Errors
    /// `Refused` when something is there, `Storage` when it can't be written. Only one that returns is a backup.
    pub(in crate::archive) fn backup(
        &self,
        to: &Path,
        now: Timestamp,
        mut progress: impl FnMut(u64),
    ) -> Result<Copied> {
        let _changes = self.server.hold_lock(Lock::Changes)?;
        be_empty(to)?;
        let id = Uuid::now_v7();
        let mut contents = Contents { database: Some(id), ..Contents::new(&self.station, now, &self.key) };
        let database = Files { folder: to.join("database"), key: &self.key, backup: id };
        let packs = self.server.read(|tx| {
            if !parts::doomed(tx)?.is_empty() {
                let message = "a purge of the archive was cut off; run `plated-station purge` first";
                return Err(Error::new(Kind::Refused, message));
            }
            tx.ddl(AS_TEXT)?;
            let description = database.write_all(tx, &mut contents.files)?;
            let json = serde_json::to_vec(&description);
            let json = json.context(Kind::Internal, || "could not describe the backup".into())?;
            contents.files.push(database.write(DESCRIPTION, |file| file(&json))?);
            let packs = tx.all("SELECT part, id, bytes FROM packs ORDER BY part, id", &[])?;
            let of = |row: &tokio_postgres::Row| {
                let bytes: i64 = row.get(2);
                PackOf { part: row.get(0), id: row.get(1), bytes: bytes.unsigned_abs() }
            };
            Ok(packs.iter().map(of).collect::<Vec<_>>())
        })?;
        let mut lost = Vec::new();
        for (pack, done) in packs.iter().zip(1..) {
            let place = pack.path();
            match self.objects.get(pack.part, pack.id, 0, pack.bytes)? {
                None => lost.push(self.objects.key(pack.part, pack.id).to_string()),
                Some(bytes) => {
                    let whole = to.join(&place);
                    durable::make_folder(durable::folder_of(&whole))
                        .and_then(|()| durable::write(&whole, &bytes))
                        .context(Kind::Storage, || format!("could not write to {}", to.display()))?;
                    contents.files.push(FileOf { path: place, bytes: pack.bytes, sha256: Sha256::of(&bytes) });
                }
            }
            progress(done);
        }
        contents.write(to)?;
        let bytes = contents.files.iter().map(|file| file.bytes).sum();
        Ok(Copied { files: contents.files.len() as u64, bytes, lost })
    }

    /// Puts a backup into a database and a bucket that have nothing of an archive, and opens it. Each file is compared with
    /// its hash; rows come last, in one transaction, so that no station opens half of it.
    ///
    /// # Errors
    /// `Refused` when something is there or the key is another one, `Damaged` when the backup is not what was written.
    pub(in crate::archive) fn restore(
        options: &PostgresOptions<'_>,
        from: &Path,
        progress: impl FnMut(u64),
    ) -> Result<Self> {
        let contents = Contents::read(from, &options.key)?;
        let Some(id) = contents.database else {
            let message = format!("{} is of an archive in files; this one is on PostgreSQL", from.display());
            return Err(Error::new(Kind::Refused, message));
        };
        let database = Files { folder: from.join("database"), key: &options.key, backup: id };
        for file in contents.files.iter().filter(|file| !file.path.starts_with("packs")) {
            let failed = || format!("{}: {}", could_not_read(from), file.path.display());
            let there = FileOf::of(from, file.path.clone()).context(Kind::Damaged, failed)?;
            file.compare(from, (there.bytes, there.sha256))?;
        }
        let mut json = Vec::new();
        database.read(DESCRIPTION)?.read_to_end(&mut json).context(Kind::Damaged, || could_not_read(from))?;
        let description: Description = serde_json::from_slice(&json).context(Kind::Damaged, || could_not_read(from))?;

        let server = Server::reach(&options.server)?;
        server.read(be_without_tables)?;
        let objects = Objects::open(&options.objects, description.archive, server.handle().clone())?;
        objects.begin_restore()?;
        let put = put_packs(&objects, &contents, from, progress).and_then(|()| {
            server.transaction(|tx| {
                tx.lock(Lock::State)?;
                be_without_tables(tx)?;
                put_rows(tx, &description, &database)
            })
        });
        match put {
            Ok(()) => objects.end_restore()?,
            Err(e) => {
                // As far as it goes: the next restore clears what is left.
                let _ = objects.clear();
                return Err(e);
            }
        }
        drop(server);
        Self::open(options)
    }
}

/// Refuses a database that is used for something.
fn be_without_tables(tx: &Tx<'_>) -> Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_class
               WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace)";
    match tx.one(sql, &[])?.get(0) {
        false => Ok(()),
        true => Err(Error::new(
            Kind::Refused,
            "the database has tables already; make an empty one (`createdb`) and name it in archive.database",
        )),
    }
}

fn put_packs(objects: &Objects, contents: &Contents, from: &Path, mut progress: impl FnMut(u64)) -> Result<()> {
    let packs = contents.files.iter().filter(|file| file.path.starts_with("packs"));
    for (file, done) in packs.zip(1..) {
        let failed = || format!("{}: {}", could_not_read(from), file.path.display());
        let (part, id) = PackOf::of(&file.path).ok_or_else(|| Error::new(Kind::Damaged, failed()))?;
        let bytes = fs::read(from.join(&file.path)).context(Kind::Damaged, failed)?;
        file.compare(from, (bytes.len() as u64, Sha256::of(&bytes)))?;
        objects.put(part, id, bytes.into())?;
        progress(done);
    }
    Ok(())
}

fn put_rows(tx: &Tx<'_>, description: &Description, database: &Files<'_>) -> Result<()> {
    tx.ddl(&description.schema)?;
    // With what is put into a new database.
    let all: Vec<&str> = description.tables.iter().map(|table| table.name.as_str()).collect();
    tx.ddl(&format!("TRUNCATE {}", all.join(", ")))?;
    tx.ddl(AS_TEXT)?;
    for table in &description.tables {
        let sql = format!("COPY {} ({}) FROM STDIN", table.name, quoted(&table.columns));
        let rows = tx.copy_in(&sql, database.read(&table.name)?)?;
        if rows != table.rows {
            let message =
                format!("{}: {rows} of {} rows of {}", could_not_read(&database.folder), table.rows, table.name);
            return Err(Error::new(Kind::Damaged, message));
        }
        Target(tx).go_on_counting(&table.name)?;
    }
    Ok(())
}

fn quoted(columns: &[String]) -> String {
    columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
}

/// The encrypted files of a backup.
struct Files<'a> {
    folder: PathBuf,
    key: &'a ArchiveKey,
    backup: Uuid,
}

impl Files<'_> {
    /// Writes the rows of all tables.
    fn write_all(&self, tx: &Tx<'_>, files: &mut Vec<FileOf>) -> Result<Description> {
        let numbers = tx.all("SELECT number FROM parts ORDER BY number", &[])?;
        let numbers: Vec<i32> = numbers.iter().map(|row| row.get(0)).collect();
        let gone = tx.all("SELECT number FROM parts WHERE gone IS NOT NULL", &[])?;
        let gone: Vec<i32> = gone.iter().map(|row| row.get(0)).collect();
        let numbers: Vec<i32> = numbers.into_iter().filter(|number| !gone.contains(number)).collect();
        let schema = schema_of(&numbers);
        let mut tables = Vec::new();
        for name in tables_of(&schema) {
            let sql = "SELECT attname::text, relkind = 'p' FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
                       WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
            let found = tx.all(sql, &[&name])?;
            // The rows of one that is partitioned are in its partitions.
            if found.first().is_some_and(|row| row.get(1)) {
                continue;
            }
            let columns: Vec<String> = found.iter().map(|row| row.get(0)).collect();
            let mut rows = 0;
            files.push(self.write(name, |file| {
                tx.copy_out(&format!("COPY {name} ({}) TO STDOUT", quoted(&columns)), |bytes| {
                    rows += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
                    file(bytes)
                })
            })?);
            tables.push(Table { name: name.to_owned(), columns, rows });
        }
        let archive = tx.one("SELECT id FROM archive", &[])?.get(0);
        Ok(Description { archive, schema, tables })
    }

    /// Writes what `fill` hands over.
    fn write(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>,
    ) -> Result<FileOf> {
        let failed = || format!("could not write to {}", self.folder.display());
        durable::make_folder(&self.folder).context(Kind::Storage, failed)?;
        let output = Writer::create(&self.folder, 0o600).context(Kind::Storage, failed)?;
        let mut output = sealed::seal(self.key, &self.key_name(name), output)?;
        fill(&mut |bytes| output.write_all(bytes).context(Kind::Storage, failed))?;
        let path = PathBuf::from("database").join(name);
        let finished = output.finish().and_then(|file| file.finish(&self.folder.join(name)));
        finished.and_then(|()| FileOf::of(durable::folder_of(&self.folder), path)).context(Kind::Storage, failed)
    }

    fn read(&self, name: &str) -> Result<impl Read + use<>> {
        let path = self.folder.join(name);
        let file = File::open(&path).context(Kind::Damaged, || format!("could not read {}", path.display()))?;
        sealed::open(self.key, &self.key_name(name), BufReader::new(file))
    }

    /// By it a file is told from one of the same table in another backup.
    fn key_name(&self, name: &str) -> String {
        format!("{}/{name}", self.backup)
    }
}

/// The tables that these statements make, in their order.
fn tables_of(schema: &str) -> impl Iterator<Item = &str> {
    schema
        .split("CREATE TABLE ")
        .skip(1)
        .filter_map(|rest| rest.trim_start_matches("IF NOT EXISTS ").split([' ', '(', '\n']).next())
}
