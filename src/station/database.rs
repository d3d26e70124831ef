//! The station's database: SQLite, one connection, every transaction synced before it counts.

use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// The schema of a fresh database, in two parts.
const FRESH: [&str; 2] = [include_str!("schema.sql"), include_str!("hotlists/schema.sql")];
/// `MIGRATIONS[n]` leads from version n + 1 to n + 2. No version has been shipped yet.
const MIGRATIONS: &[&str] = &[];
/// The version this program writes.
const VERSION: i64 = MIGRATIONS.len() as i64 + 1;

/// The open database.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
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
            let known = "and this program knows";
            let said = format!(
                "{} has schema version {version} {known} {VERSION}; install a newer plated-station",
                path.display()
            );
            return Err(Error::new(Kind::Config, said));
        }
        if version < VERSION {
            bring_to_date(&mut connection, MIGRATIONS).sql(failed)?;
        }
        Ok(Self { connection })
    }

    /// Runs `work` in one transaction, durable on return. On an error nothing is kept.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        let failed = || "the station's database could not write".into();
        // Immediate: what was read first could not be written upon once a command, such as one that
        // publishes a list, has written in between.
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let rows = Rows(begun.sql(failed)?);
        let result = work(&rows)?;
        rows.0.commit().sql(failed)?;
        Ok(result)
    }

    /// Looks into the database at `path` without changing it, beside a running station; `None`
    /// when nothing has been made in it yet.
    pub fn look<T>(path: &Path, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<Option<T>> {
        let failed = || format!("could not read the station's database {}", path.display());
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).sql(failed)?;
        connection.busy_timeout(Duration::from_secs(5)).sql(failed)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).sql(failed)?;
        if version == 0 {
            return Ok(None);
        }
        work(&Rows(connection.unchecked_transaction().sql(failed)?)).map(Some)
    }

    /// Counts of the database at `path`, beside a running station.
    pub fn counts(path: &Path) -> Result<Counts> {
        let failed = || format!("could not read the station's database {}", path.display());
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).sql(failed)?;
        connection.busy_timeout(Duration::from_secs(5)).sql(failed)?;
        let reads = connection.query_row("SELECT count(*) FROM reads", [], |row| count(row, 0)).sql(failed)?;
        let (images, image_bytes) = connection
            .query_row("SELECT count(*), coalesce(sum(bytes), 0) FROM images", [], |row| {
                Ok((count(row, 0)?, count(row, 1)?))
            })
            .sql(failed)?;
        let mut statement = connection
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

    /// Lets the database grow to `pages` only, as if the disk were full there.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) -> Result<()> {
        self.0.pragma_update(None, "max_page_count", pages).sql(could_not_read)
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
