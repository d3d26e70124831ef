//! The archive on one machine: SQLCipher and a folder of packs.
//!
//! ```text
//! station.db                        holds, documents, audit logs, certificates, and what else the station knows
//! reads/2026-11-26.no_hit/          a unit: reads of one day and class
//!     reads.db                      their rows
//!     0193….pack                    pictures of one batch
//! holds/0193…/                      a unit: what a hold keeps
//! doomed/0193…/2025-11-25.no_hit/   what the purge 0193… is deleting
//! restore.unfinished                a backup is being put here; nothing here counts
//! ```

mod backup;
mod check;
mod export;
mod holds;
mod ingest;
mod pack;
mod parts;
mod past;
mod purge;
mod search;
mod statistics;
mod stored;
mod sweep;
mod unit;
mod units;

use super::audit::StationLog;
use super::batch::{CheckedBatch, Outcome};
use super::certificate::SignedCertificate;
use super::class::Retention;
use super::hold::{Hold, NewHold};
use super::query::{DocumentQuery, Page, Query, SharedRead, StoredDocument, StoredRead};
use super::report::{CheckReport, Due, PastRead, Statistics};
use super::{Archive, Engine};
use super::{documents, logs, own};
use crate::database::Database;
use crate::key::ArchiveKey;
use crate::owner::Owner;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_access::audit::LogReport;
use plated_access::{Forward, Hits, HoldEvidence, Permit, Purge, Search};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::{PublicKey, Purpose, Signer};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use unit::lock;
use units::Units;
use uuid::Uuid;

/// How an archive is opened.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Its folder.
    pub data: &'a Path,
    /// Its key.
    pub key: ArchiveKey,
    /// The station's name, in certificates and in its audit log.
    pub station: &'a str,
    /// How long reads are kept.
    pub retention: Retention,
}

/// The archive on one machine.
pub struct SqliteArchive {
    key: ArchiveKey,
    data: PathBuf,
    station: String,
    retention: Retention,
    deletion: Signer,
    main: Arc<Mutex<Database>>,
    units: Units,
    /// Batches come in while it is shared; a purge takes units away while it has it alone.
    open: RwLock<()>,
    queue: Mutex<ingest::Queue>,
    turn: Mutex<()>,
    /// That no other process has it open; none beside a station.
    lock: Option<File>,
}

impl SqliteArchive {
    /// The folder that it is in.
    pub(in crate::archive) fn data(&self) -> &Path {
        &self.data
    }

    /// Opens or makes it, and clears away what a crash left half done.
    ///
    /// # Errors
    /// `Refused` when another process has it open.
    pub fn open(options: &Options<'_>) -> Result<Self> {
        let data = options.data;
        let failed = || format!("could not use the data folder {}", data.display());
        durable::make_folder(data).context(Kind::Storage, failed)?;
        backup::refuse_unfinished(data)?;
        let lock = lock_file(&data.join("station.lock"))?;
        let path = data.join("station.db");
        let database = Database::open(&path, &options.key)?;
        crate::database::report_rescued(&path);
        let units = Units::open(data, &options.key)?;
        // The database file's own name in the folder must survive a power cut too.
        durable::sync_folder(data).context(Kind::Storage, failed)?;
        let archive = Self::new(options, database, units, Some(lock))?;
        holds::finish(&archive)?;
        for (name, reads) in parts::lost(&archive)? {
            tracing::error!(
                reads,
                "{} is gone; put it back from a backup. The station goes on without it",
                archive.units.path_of(name).display()
            );
        }
        Ok(archive)
    }

    /// Opens one that is there, beside a station that runs or not: to look into it, and to hold and release.
    ///
    /// # Errors
    /// `Missing` when there is none.
    pub fn beside(options: &Options<'_>) -> Result<Self> {
        let path = options.data.join("station.db");
        if !path.exists() {
            let message = format!("there is no archive in {}; the station has not run yet", options.data.display());
            return Err(Error::new(Kind::Missing, message));
        }
        backup::refuse_unfinished(options.data)?;
        let database = Database::open(&path, &options.key)?;
        Self::new(options, database, Units::beside(options.data, &options.key)?, None)
    }

    fn new(options: &Options<'_>, database: Database, units: Units, lock: Option<File>) -> Result<Self> {
        units::allow_files();
        Ok(Self {
            deletion: options.key.signer(Purpose::DELETION)?,
            key: options.key.clone(),
            data: options.data.to_owned(),
            station: options.station.to_owned(),
            retention: options.retention,
            main: Arc::new(Mutex::new(database)),
            units,
            open: RwLock::default(),
            queue: Mutex::default(),
            turn: Mutex::default(),
            lock,
        })
    }

    /// Holds, releases, purges and backups are done one at a time, by all processes together.
    fn changing(&self) -> Result<File> {
        let path = self.data.join("changes.lock");
        let failed = || format!("could not lock {}", path.display());
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).context(Kind::Storage, failed)?;
        Owner::for_root(&self.data)?.give_open(&file).context(Kind::Storage, failed)?;
        file.lock().context(Kind::Storage, failed)?;
        Ok(file)
    }

    /// What only the process that has it open may do.
    fn alone_in_it(&self) -> Result<()> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(Error::new(Kind::Internal, "the archive is open beside a station")),
        }
    }

    /// Lets what is there grow to `pages` only, as if the disk were full there.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) -> Result<()> {
        use crate::sqlcipher::SqlContext;
        let limit = |conn: &rusqlite::Connection| {
            conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).sql(ingest::could_not_write)
        };
        self.units.all().iter().try_for_each(|unit| unit.write(limit))
    }

    fn open_for_ingest(&self) -> RwLockReadGuard<'_, ()> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for SqliteArchive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteArchive").field("data", &self.data).finish_non_exhaustive()
    }
}

/// Two stations on one folder would clear away each other's packs.
fn lock_file(path: &Path) -> Result<File> {
    let failed = || format!("could not lock {}", path.display());
    let file = File::options().create(true).truncate(false).write(true).open(path).context(Kind::Storage, failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            Kind::Refused,
            format!("another plated-station uses {}; stop it first", path.parent().unwrap_or(path).display()),
        )),
        Err(TryLockError::Error(e)) => Err(e).context(Kind::Storage, failed),
    }
}

impl Engine for SqliteArchive {
    fn database(&self) -> &Arc<Mutex<Database>> {
        &self.main
    }

    fn audit_log(&self, clock: Arc<dyn Clock>) -> Result<StationLog> {
        StationLog::new(self.main.clone(), &self.key, &self.station, clock)
    }

    fn deletion_key(&self) -> PublicKey {
        self.deletion.public_key()
    }

    fn has_unfinished_purge(&self) -> Result<bool> {
        Ok(std::fs::read_dir(self.data.join("doomed")).is_ok_and(|mut all| all.next().is_some()))
    }

    fn reads_since(&self, day: Date, each: &mut dyn FnMut(Vec<PastRead>) -> Result<()>) -> Result<()> {
        past::since(self, day, each)
    }

    fn verify_own_logs(&self) -> Result<Vec<LogReport>> {
        logs::own(&self.main, &self.key, &self.station)
    }
}

impl Archive for SqliteArchive {
    fn ingest(&self, batch: CheckedBatch) -> Result<Outcome> {
        self.alone_in_it()?;
        ingest::ingest(self, batch)
    }

    fn search(&self, _: &Permit<Search>, query: &Query) -> Result<Page> {
        search::search(self, query)
    }

    fn read(&self, _: &Permit<Search>, id: Uuid) -> Result<Option<StoredRead>> {
        stored::read(self, id)
    }

    fn picture(&self, _: &Permit<Search>, read: Uuid, sha256: &Sha256) -> Result<Option<Bytes>> {
        stored::picture(self, read, sha256)
    }

    fn documents(&self, _: &Permit<Hits>, query: &DocumentQuery) -> Result<Vec<StoredDocument>> {
        lock(&self.main).read(|rows| documents::list(rows, query))
    }

    fn to_forward(&self, _: &Permit<Forward>, id: Uuid) -> Result<Option<SharedRead>> {
        match stored::read(self, id)? {
            Some(stored) => SharedRead::of(stored, |sha256| stored::picture(self, id, sha256)),
            None => Ok(None),
        }
    }

    fn hold(&self, permit: &Permit<HoldEvidence>, new: &NewHold, now: Timestamp) -> Result<Hold> {
        holds::begin(self, permit, new, now)
    }

    fn release(&self, permit: &Permit<HoldEvidence>, hold: Uuid, now: Timestamp) -> Result<Hold> {
        holds::release(self, permit, hold, now)
    }

    fn holds(&self, _: &Permit<HoldEvidence>) -> Result<Vec<Hold>> {
        lock(&self.main).read(own::holds)
    }

    fn due(&self, now: Timestamp) -> Result<Vec<Due>> {
        purge::due(self, now)
    }

    fn purge(&self, _: &Permit<Purge>, now: Timestamp) -> Result<Option<SignedCertificate>> {
        self.alone_in_it()?;
        purge::purge(self, now)
    }

    fn certificates(&self) -> Result<Vec<SignedCertificate>> {
        lock(&self.main).read(own::certificates)
    }

    fn vehicles(&self) -> Result<Vec<String>> {
        lock(&self.main).read(own::vehicles)
    }

    fn statistics(&self, first: Date, last: Date) -> Result<Statistics> {
        statistics::statistics(self, first, last)
    }

    fn check(&self) -> Result<CheckReport> {
        check::check(self)
    }
}
