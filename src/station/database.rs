//! The station's database: SQLite, one connection, every transaction synced before it counts.
//!
//! A transaction counts only if the database was at its path before it and after it: what goes into a
//! file that was removed, moved or replaced is gone when the station ends.

use super::archive::{AuditRow, Document};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::inode::InodeWatch;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// The schema of a fresh database, in two parts.
const FRESH: [&str; 2] = [include_str!("schema.sql"), include_str!("hotlists/schema.sql")];
/// `MIGRATIONS[n]` leads from version n + 1 to n + 2. No version has been shipped yet.
const MIGRATIONS: &[&str] = &[];
/// The version this program writes.
const VERSION: i64 = MIGRATIONS.len() as i64 + 1;

/// How the name of a copy goes on, before its number, that was made of a displaced database.
const RESCUED: &str = ".rescued-";

/// The open database.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    path: PathBuf,
    files: InodeWatch,
    /// That it is not in its place is in the log already.
    is_reported: bool,
}

/// What the station holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads.
    pub reads: u64,
    /// Images.
    pub images: u64,
    /// Bytes of all images.
    pub image_bytes: u64,
    /// For each vehicle: its name, its reads, when the last of them came.
    pub vehicles: Vec<(String, u64, Timestamp)>,
}

impl Database {
    /// Opens or makes the database at `path`.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = || format!("could not open the station's database {}", path.display());
        let mut connection = Connection::open(path).sql(failed)?;
        // FULL: with NORMAL a receipt could outlive its reads at a power cut.
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).sql(failed)?;
        if mode != "wal" {
            return Err(Error::new(
                Kind::Storage,
                format!("{} is on a file system without shared memory; use a local disk", path.display()),
            ));
        }
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON").sql(failed)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).sql(failed)?;
        if !(0..=VERSION).contains(&version) {
            let message = format!(
                "{} has schema version {version} and this program knows {VERSION}; install a newer plated-station",
                path.display()
            );
            return Err(Error::new(Kind::Config, message));
        }
        if version < VERSION {
            bring_to_date(&mut connection, MIGRATIONS).sql(failed)?;
        }
        let files = InodeWatch::of([path.to_owned(), durable::beside(path, "-wal")])?;
        Ok(Self { connection, path: path.to_owned(), files, is_reported: false })
    }

    /// Runs `work` in one transaction, durable on return. On an error nothing of it counts.
    ///
    /// # Errors
    /// `Missing` when the database is not at its path any more, and what `work` itself returns.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        self.check_in_place()?;
        let failed = || "the station's database could not write".into();
        // Immediate: what was read first could not be written upon once a command, such as one that
        // publishes a list, has written in between.
        let result = {
            let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
            let rows = Rows(begun.sql(failed)?);
            let result = work(&rows)?;
            rows.0.commit().sql(failed)?;
            result
        };
        self.check_in_place()?;
        Ok(result)
    }

    /// Sees that the open files are those at the path. The first time that they are not, what the open
    /// ones hold is copied, and the log says what to do.
    ///
    /// # Errors
    /// `Missing` when they are not.
    pub fn check_in_place(&mut self) -> Result<()> {
        let Some(what) = self.files.displaced() else {
            if std::mem::take(&mut self.is_reported) {
                tracing::warn!("The station's database is in its place again; the station goes on");
            }
            return Ok(());
        };
        if !std::mem::replace(&mut self.is_reported, true) {
            let path = self.path.display();
            match self.rescue() {
                Ok(copy) => tracing::error!(
                    "The station's database can't be used any more: {what}. Nothing is taken until it is in its place; \
                     vehicles keep their reads. All it holds was copied to {0}. If {path} was moved, move it back. If \
                     not, stop the station, remove {path}-wal and {path}-shm, move {0} to {path}, and start it",
                    copy.display()
                ),
                Err(e) => tracing::error!(
                    "The station's database can't be used any more: {what}, and it could not be copied: {}. Nothing is \
                     taken until it is in its place; vehicles keep their reads. If {path} was moved, move it back. If \
                     not, do not stop the station before its open files are copied from /proc/{}/fd",
                    e.chain(),
                    std::process::id()
                ),
            }
        }
        Err(Error::new(Kind::Missing, format!("the station's database can't be used any more: {what}")))
    }

    /// Copies all that the open database holds to a new file beside its path, durably.
    fn rescue(&self) -> Result<PathBuf> {
        let copy = (1..).map(|n| durable::beside(&self.path, &format!("{RESCUED}{n}"))).find(|path| !path.exists());
        let copy = copy.unwrap_or_default();
        let failed = || format!("could not copy the database to {}", copy.display());
        self.connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()]).sql(failed)?;
        File::open(&copy)
            .and_then(|file| file.sync_all())
            .and_then(|()| durable::sync_folder(durable::folder_of(&copy)))
            .context(Kind::Storage, failed)?;
        Ok(copy)
    }

    /// Reads the database at `path` without changing it, while a station may be running; `None`
    /// when nothing has been made in it yet.
    pub fn read_only<T>(path: &Path, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<Option<T>> {
        let failed = || format!("could not read the station's database {}", path.display());
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).sql(failed)?;
        connection.busy_timeout(Duration::from_secs(5)).sql(failed)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).sql(failed)?;
        if version == 0 {
            return Ok(None);
        }
        work(&Rows(connection.unchecked_transaction().sql(failed)?)).map(Some)
    }
}

/// The rows, inside one transaction.
pub struct Rows<'a>(pub(super) Transaction<'a>);

/// A read to be added.
#[derive(Debug)]
pub struct NewRow<'a> {
    /// Key of the read.
    pub id: Uuid,
    /// Over `record`.
    pub sha256: Sha256,
    /// The vehicle that made it.
    pub vehicle: &'a str,
    /// By the vehicle's clock.
    pub first_seen: Timestamp,
    /// By the station's clock.
    pub received: Timestamp,
    /// The batch that brought it.
    pub batch: Uuid,
    /// The exact bytes.
    pub record: &'a [u8],
}

impl Rows<'_> {
    /// What the station holds.
    pub fn counts(&self) -> Result<Counts> {
        let failed = could_not_read;
        let reads = self.0.query_row("SELECT count(*) FROM reads", [], |row| count(row, 0)).sql(failed)?;
        let (images, image_bytes) = self
            .0
            .query_row("SELECT count(*), coalesce(sum(bytes), 0) FROM images", [], |row| {
                Ok((count(row, 0)?, count(row, 1)?))
            })
            .sql(failed)?;
        let mut statement = self
            .0
            .prepare("SELECT vehicle, count(*), max(received) FROM reads GROUP BY vehicle ORDER BY vehicle")
            .sql(failed)?;
        let vehicles = statement
            .query_map([], |row| {
                let last = Timestamp::from_microsecond(row.get(2)?).unwrap_or_default();
                Ok((row.get(0)?, count(row, 1)?, last))
            })
            .and_then(Iterator::collect)
            .sql(failed)?;
        Ok(Counts { reads, images, image_bytes, vehicles })
    }

    /// Hash of the content stored under `id`.
    pub fn read(&self, id: Uuid) -> Result<Option<Sha256>> {
        self.0
            .prepare_cached("SELECT sha256 FROM reads WHERE id = ?1")
            .and_then(|mut s| s.query_row([id.as_bytes()], |row| row.get(0).map(Sha256)).optional())
            .sql(could_not_read)
    }

    /// Adds a read; `id` must be new.
    pub fn add_read(&self, row: &NewRow<'_>) -> Result<()> {
        self.0
            .prepare_cached(
                "INSERT INTO reads (id, sha256, vehicle, first_seen, received, batch, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    row.id.as_bytes(),
                    row.sha256.0,
                    row.vehicle,
                    row.first_seen.as_microsecond(),
                    row.received.as_microsecond(),
                    row.batch.as_bytes(),
                    row.record,
                ])
            })
            .map(drop)
            .sql(|| "could not store a read".into())
    }

    /// Size of an image whose file was made durable.
    pub fn image(&self, sha256: &Sha256) -> Result<Option<u64>> {
        self.0
            .prepare_cached("SELECT bytes FROM images WHERE sha256 = ?1")
            .and_then(|mut s| s.query_row([sha256.0], |row| count(row, 0)).optional())
            .sql(could_not_read)
    }

    /// Notes that an image's file is durable; again does no harm.
    pub fn add_image(&self, sha256: &Sha256, bytes: u64, received: Timestamp) -> Result<()> {
        self.0
            .prepare_cached("INSERT INTO images (sha256, bytes, received) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
            .and_then(|mut s| s.execute(params![sha256.0, bytes.cast_signed(), received.as_microsecond()]))
            .map(drop)
            .sql(|| "could not note an image".into())
    }

    /// Adds a document, unless there is one of its id; gives the hash of the one that is here.
    pub fn add_document(&self, vehicle: &str, document: &Document, received: Timestamp) -> Result<Sha256> {
        let id = document.id.as_bytes();
        self.0
            .prepare_cached(
                "INSERT INTO documents (vehicle, id, kind, sha256, received, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING",
            )
            .and_then(|mut s| {
                let received = received.as_microsecond();
                s.execute(params![vehicle, id, document.kind, document.sha256.0, received, &*document.json])
            })
            .and_then(|_| self.0.prepare_cached("SELECT sha256 FROM documents WHERE vehicle = ?1 AND id = ?2"))
            .and_then(|mut s| s.query_row(params![vehicle, id], |row| row.get(0).map(Sha256)))
            .sql(|| "could not store a document".into())
    }

    /// Adds a row of a vehicle's audit log, unless it has one of its number; gives the hash of the one that is here.
    pub fn add_audit_row(&self, vehicle: &str, row: &AuditRow, received: Timestamp) -> Result<Sha256> {
        let log = row.log.as_bytes();
        self.0
            .prepare_cached(
                "INSERT INTO audit_rows (vehicle, log, number, hash, received, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING",
            )
            .and_then(|mut s| {
                let received = received.as_microsecond();
                s.execute(params![vehicle, log, row.number, row.hash.0, received, &*row.json])
            })
            .and_then(|_| {
                self.0.prepare_cached("SELECT hash FROM audit_rows WHERE vehicle = ?1 AND log = ?2 AND number = ?3")
            })
            .and_then(|mut s| s.query_row(params![vehicle, log, row.number], |row| row.get(0).map(Sha256)))
            .sql(|| "could not store a row of an audit log".into())
    }

    /// Lets the database grow to `pages` only, as if the disk were full there.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) -> Result<()> {
        self.0.pragma_update(None, "max_page_count", pages).sql(could_not_read)
    }
}

/// Logs that copies of a displaced database still lie beside this one: their reads may not be in it.
pub(super) fn report_rescued(path: &Path) {
    let prefix = durable::beside(path, RESCUED);
    let copies = std::fs::read_dir(durable::folder_of(path)).into_iter().flatten().flatten().map(|file| file.path());
    for copy in copies.filter(|copy| copy.to_string_lossy().starts_with(&*prefix.to_string_lossy())) {
        tracing::error!(
            "{} is a copy of a database that was removed or replaced while the station ran. If its reads are not in {}, \
             stop the station and put the copy in its place; if they are, move the copy away",
            copy.display(),
            path.display()
        );
    }
}

/// SQLite counts with a sign; none of ours is below zero.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(i64::unsigned_abs)
}

pub(super) fn could_not_read() -> String {
    "the station's database could not be read".into()
}

/// Tells a full or failing disk and a damaged file apart from defects.
pub(super) trait SqlContext<T> {
    fn sql(self, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T> SqlContext<T> for rusqlite::Result<T> {
    fn sql(self, message: impl FnOnce() -> String) -> Result<T> {
        let result = self.as_ref().err().and_then(rusqlite::Error::sqlite_error);
        let kind = result.map_or(Kind::Internal, |e| Kind::of_sqlite(e.extended_code));
        self.context(kind, message)
    }
}

/// Makes a fresh database, or brings an older one to the version behind the last of `migrations`, in one
/// transaction. Two may do it at the same time, the station and a command: one does.
fn bring_to_date(connection: &mut Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let make = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = make.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let steps = match version {
        0 => &FRESH[..],
        from => migrations.get(from as usize - 1..).unwrap_or_default(),
    };
    steps.iter().try_for_each(|sql| make.execute_batch(sql))?;
    make.pragma_update(None, "user_version", migrations.len() as i64 + 1)?;
    make.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("station.db");
        drop(Database::open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(Database::open(&path).unwrap_err().chain().contains("install a newer"));
    }

    #[test]
    fn a_database_of_an_older_version_keeps_its_rows_and_is_migrated_in_one_step_or_not_at_all() {
        let mut database = Connection::open_in_memory().unwrap();
        bring_to_date(&mut database, MIGRATIONS).unwrap();
        database.execute("INSERT INTO images VALUES (?1, 1, 0)", [Sha256::of(b"x").0]).unwrap();
        let state = |database: &Connection| -> (i64, i64) {
            let version = database.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
            (version, database.query_row("SELECT count(*) FROM images", [], |row| row.get(0)).unwrap())
        };
        let made_up = ["CREATE TABLE made_up (a INTEGER) STRICT", "ALTER TABLE made_up ADD COLUMN b TEXT"];
        assert!(bring_to_date(&mut database, &[made_up[0], "CREATE TABEL"]).is_err());
        assert_eq!(state(&database), (1, 1));
        assert!(database.prepare("SELECT a FROM made_up").is_err());
        bring_to_date(&mut database, &made_up).unwrap();
        assert_eq!(state(&database), (3, 1));
        assert!(database.prepare("SELECT a, b FROM made_up").is_ok());
    }

    #[test]
    fn what_is_committed_into_a_file_without_a_name_does_not_count_and_is_copied() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("station.db");
        let mut database = Database::open(&path).unwrap();
        let (first, second) = (Sha256::of(b"1"), Sha256::of(b"2"));
        database.transaction(|rows| rows.add_image(&first, 1, Timestamp::UNIX_EPOCH)).unwrap();
        let refused = database.transaction(|rows| {
            std::fs::remove_file(&path).unwrap();
            rows.add_image(&second, 1, Timestamp::UNIX_EPOCH)
        });
        assert_eq!(refused.unwrap_err().kind(), Kind::Missing);
        assert_eq!(database.transaction(|_| Ok(())).unwrap_err().kind(), Kind::Missing);
        // All of it is in the copy, and in one only.
        let mut copy = Database::open(&dir.path().join("station.db.rescued-1")).unwrap();
        for image in [first, second] {
            assert_eq!(copy.transaction(|rows| rows.image(&image)).unwrap(), Some(1));
        }
        assert!(!dir.path().join("station.db.rescued-2").exists());
    }

    #[test]
    fn an_error_inside_a_transaction_keeps_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("station.db")).unwrap();
        let sha256 = Sha256::of(b"x");
        let failed: Result<()> = database.transaction(|rows| {
            rows.add_image(&sha256, 1, Timestamp::UNIX_EPOCH)?;
            Err(Error::new(Kind::Internal, "stop"))
        });
        assert!(failed.is_err());
        assert_eq!(database.transaction(|rows| rows.image(&sha256)).unwrap(), None);
    }
}
