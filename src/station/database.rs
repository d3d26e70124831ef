//! The station's database: SQLite, one connection, every transaction synced before it counts.

use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

const SCHEMA: &str = include_str!("schema.sql");
/// What version 2 added to version 1.
const HOTLISTS: &str = include_str!("hotlists/schema.sql");
const VERSION: i64 = 2;

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
        match version {
            VERSION => {}
            0 | 1 => {
                // Two may open it at the same time, the station and a command: one makes it.
                let make = connection.transaction_with_behavior(TransactionBehavior::Immediate).sql(failed)?;
                let version: i64 = make.query_row("PRAGMA user_version", [], |row| row.get(0)).sql(failed)?;
                if version == 0 {
                    make.execute_batch(SCHEMA).sql(failed)?;
                }
                if version < 2 {
                    make.execute_batch(HOTLISTS).sql(failed)?;
                }
                make.pragma_update(None, "user_version", VERSION).sql(failed)?;
                make.commit().sql(failed)?;
            }
            newer => {
                return Err(Error::new(
                    Kind::Config,
                    format!(
                        "{} has schema version {newer} and this program knows {VERSION}; install a newer plated-station",
                        path.display()
                    ),
                ));
            }
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
    /// when it is of a version that has no lists.
    pub fn look<T>(path: &Path, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<Option<T>> {
        let failed = || format!("could not read the station's database {}", path.display());
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).sql(failed)?;
        connection.busy_timeout(Duration::from_secs(5)).sql(failed)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).sql(failed)?;
        if version < 2 {
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
    fn a_database_of_the_first_version_keeps_its_rows_and_gets_the_tables_of_the_lists() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("station.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(SCHEMA).unwrap();
        old.execute("INSERT INTO images VALUES (?1, 1, 0)", [Sha256::of(b"x").0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);
        assert_eq!(Database::look(&path, |rows| rows.list_versions()).unwrap(), None);
        let mut database = Database::open(&path).unwrap();
        let kept = database.transaction(|rows| Ok((rows.image(&Sha256::of(b"x"))?, rows.manifest()?))).unwrap();
        assert_eq!(kept, (Some(1), None));
        assert_eq!(Database::look(&path, |rows| rows.list_versions()).unwrap(), Some(Vec::new()));
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
