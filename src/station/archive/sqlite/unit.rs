//! A unit: a folder with a database of reads and the packs of their pictures. What is deleted at once is one.

use super::pack;
use crate::database::could_not_read;
use crate::key::{ArchiveKey, FileKey};
use crate::sqlcipher::{self, Access, SqlContext};
use jiff::civil::Date;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::inode::InodeWatch;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

use super::super::class::Class;

const SCHEMA: &str = include_str!("reads.sql");
/// The version of the schema. No version has been shipped yet.
const VERSION: i64 = 1;
/// Reading connections that stay open, of all units together. Each has up to three files open.
const MAX_READERS: usize = 1024;

static READERS: AtomicUsize = AtomicUsize::new(0);

/// Names a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// Reads of one day and class.
    Part(Date, Class),
    /// What a hold keeps.
    Hold(Uuid),
}

impl Name {
    /// The name of its folder.
    pub fn folder(self) -> String {
        match self {
            Self::Part(day, class) => format!("{day}.{class}"),
            Self::Hold(id) => id.simple().to_string(),
        }
    }

    /// The part whose folder has this name.
    pub fn part_of(name: &str) -> Option<Self> {
        let (day, class) = name.split_once('.')?;
        Some(Self::Part(day.parse().ok()?, Class::of_word(class)?))
    }
}

/// Times of the reads of a unit, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub oldest: i64,
    pub youngest: i64,
    pub newest: i64,
}

/// A unit.
#[derive(Debug)]
pub(super) struct Unit {
    pub name: Name,
    folder: PathBuf,
    key: FileKey,
    writer: Mutex<Option<UnitWriter>>,
    readers: Mutex<Vec<Connection>>,
    span: Mutex<Option<Option<Span>>>,
}

#[derive(Debug)]
struct UnitWriter {
    connection: Connection,
    watch: InodeWatch,
    /// That it is not in its place is in the log already.
    is_reported: bool,
}

impl Unit {
    /// The unit of this name in `folder`, which is there or is made.
    ///
    /// # Errors
    /// `Missing` when it has pictures and no database any more.
    pub fn open(name: Name, folder: &Path, key: &ArchiveKey) -> Result<Arc<Self>> {
        let failed = || format!("could not make {}", folder.display());
        durable::make_folder(folder).context(Kind::Storage, failed)?;
        let unit = Self::at(name, folder.to_owned(), key)?;
        if !unit.path().exists() && pack::any(&unit.folder).context(Kind::Storage, failed)? {
            return Err(missing(&unit.path()));
        }
        let writer = unit.connect(Access::Make)?;
        *lock(&unit.writer) = Some(writer);
        Ok(Arc::new(unit))
    }

    /// One that is there, or is moved there later.
    pub fn at(name: Name, folder: PathBuf, key: &ArchiveKey) -> Result<Self> {
        let key = key.of_file("reads", &name.folder())?;
        Ok(Self { name, folder, key, writer: Mutex::default(), readers: Mutex::default(), span: Mutex::default() })
    }

    /// The key of its database.
    pub fn key(&self) -> &FileKey {
        &self.key
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its database.
    pub fn path(&self) -> PathBuf {
        self.folder.join("reads.db")
    }

    /// Runs `work` in one transaction, durable on return. On an error nothing of it counts.
    ///
    /// # Errors
    /// `Missing` when the database is not in its place any more, and what `work` returns.
    pub fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let failed = || format!("could not write to {}", self.path().display());
        let mut place = lock(&self.writer);
        let writer = match &mut *place {
            Some(writer) => writer,
            none => none.insert(self.connect(Access::Write)?),
        };
        let result: Result<T> = (|| {
            self.in_place(writer)?;
            let begun = writer.connection.transaction_with_behavior(TransactionBehavior::Immediate);
            let transaction = begun.sql(failed)?;
            let result = work(&transaction)?;
            transaction.commit().sql(failed)?;
            self.in_place(writer)?;
            Ok(result)
        })();
        if result.as_ref().is_err_and(|e| e.kind() == Kind::Damaged) {
            // SQLCipher gives no more answers on a connection on which a page could not be read.
            *place = None;
        }
        *lock(&self.span) = None;
        result
    }

    /// Ends the connection that writes; the log goes into the database.
    pub fn close_writer(&self) {
        if let Some(writer) = lock(&self.writer).take() {
            let put = writer.connection.busy_timeout(Duration::ZERO);
            // Whoever reads at this moment keeps it from being done; then the next close does it.
            let _ = put.and_then(|()| writer.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
        }
    }

    /// Ends all connections.
    pub fn close(&self) {
        let readers = std::mem::take(&mut *lock(&self.readers));
        READERS.fetch_sub(readers.len(), Ordering::Relaxed);
        drop(readers);
        self.close_writer();
    }

    fn connect(&self, access: Access) -> Result<UnitWriter> {
        let path = self.path();
        let failed = || format!("could not open {}", path.display());
        if access != Access::Make && !path.exists() {
            return Err(missing(&path));
        }
        if !path.exists() {
            self.make(&path)?;
        }
        let connection = sqlcipher::open(&path, &self.key, Access::Write)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).sql(failed)?;
        if version != VERSION {
            let message = format!(
                "{} has schema version {version} and this program knows {VERSION}; install a newer plated-station",
                path.display()
            );
            return Err(Error::new(Kind::Config, message));
        }
        let watch = InodeWatch::of([path.clone(), durable::beside(&path, "-wal")])?;
        Ok(UnitWriter { connection, watch, is_reported: false })
    }

    /// Makes a database beside its place and puts it there whole: whoever looks finds all of its tables, or none.
    fn make(&self, path: &Path) -> Result<()> {
        let failed = || format!("could not make {}", path.display());
        let making = durable::beside(path, ".making");
        durable::remove(&making).context(Kind::Storage, failed)?;
        let connection = sqlcipher::connect(&making, &self.key, Access::Make).sql(failed)?;
        connection
            .execute_batch(SCHEMA)
            .and_then(|()| connection.pragma_update(None, "user_version", VERSION))
            .sql(failed)?;
        drop(connection);
        durable::put_in_place(&making, path).context(Kind::Storage, failed)
    }

    /// Sees that the open files are those at the path. The first time that they are not, what the open ones hold is
    /// copied, and the log says what to do.
    fn in_place(&self, writer: &mut UnitWriter) -> Result<()> {
        let Some(what) = writer.watch.displaced() else {
            if std::mem::take(&mut writer.is_reported) {
                tracing::warn!("{} is in its place again; the station goes on", self.path().display());
            }
            return Ok(());
        };
        if !std::mem::replace(&mut writer.is_reported, true) {
            let copy =
                (1..).map(|n| durable::beside(&self.path(), &format!(".rescued-{n}"))).find(|path| !path.exists());
            let copy = copy.unwrap_or_default();
            let copied = writer
                .connection
                .execute("VACUUM INTO ?1", [copy.to_string_lossy()])
                .sql(|| format!("could not copy it to {}", copy.display()))
                .and_then(|_| {
                    let synced = File::open(&copy).and_then(|file| file.sync_all());
                    synced.and_then(|()| durable::sync_folder(&self.folder)).context(Kind::Storage, || "no sync".into())
                });
            let copied = match copied {
                Ok(()) => format!("All it holds was copied to {}", copy.display()),
                Err(e) => format!("It could not be copied: {}", e.chain()),
            };
            tracing::error!(
                "A part of the archive can't be used any more: {what}. {copied}. Nothing of that day is taken until it is \
                 in its place; vehicles keep their reads. If it was moved, move it back; if not, stop the station and \
                 put the copy there"
            );
        }
        Err(Error::new(Kind::Missing, format!("a part of the archive can't be used any more: {what}")))
    }

    /// Looks at it as it is at one moment, beside whoever writes.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let pooled = lock(&self.readers).pop();
        let connection = match pooled {
            Some(connection) => {
                READERS.fetch_sub(1, Ordering::Relaxed);
                connection
            }
            None if !self.path().exists() => {
                if let Some(writer) = &mut *lock(&self.writer) {
                    self.in_place(writer)?;
                }
                return Err(missing(&self.path()));
            }
            None => {
                let connection = sqlcipher::open(&self.path(), &self.key, Access::Read)?;
                connection.pragma_update(None, "cache_size", -512).sql(could_not_read)?;
                connection
            }
        };
        let result = {
            let snapshot = connection.unchecked_transaction().sql(could_not_read)?;
            work(&snapshot)?
        };
        if READERS.fetch_add(1, Ordering::Relaxed) < MAX_READERS {
            lock(&self.readers).push(connection);
        } else {
            READERS.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(result)
    }

    /// The times of its reads; none when it has none.
    pub fn span(&self) -> Result<Option<Span>> {
        if let Some(span) = *lock(&self.span) {
            return Ok(span);
        }
        let span = self.read(span)?;
        *lock(&self.span) = Some(span);
        Ok(span)
    }

    /// Removes packs that no row names, as a crash leaves them.
    pub fn remove_orphans(&self) -> Result<u64> {
        let known: HashSet<[u8; 16]> = self.read(|conn| {
            let mut all = conn.prepare_cached("SELECT id FROM packs").sql(could_not_read)?;
            all.query_map([], |row| row.get(0)).and_then(Iterator::collect).sql(could_not_read)
        })?;
        pack::remove_orphans(&self.folder, |id| known.contains(id.as_bytes()))
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.close();
    }
}

/// The times of the reads in a unit.
pub(super) fn span(conn: &Connection) -> Result<Option<Span>> {
    conn.prepare_cached("SELECT oldest, youngest, newest FROM span")
        .and_then(|mut s| {
            s.query_row([], |row| Ok(Span { oldest: row.get(0)?, youngest: row.get(1)?, newest: row.get(2)? }))
                .optional()
        })
        .sql(could_not_read)
}

fn missing(path: &Path) -> Error {
    let message = format!("{} was removed or moved away; put it back, or from a backup", path.display());
    Error::new(Kind::Missing, message)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
