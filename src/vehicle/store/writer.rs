//! The thread that owns the database.

use super::audit::Stamp;
use super::connection::{Fault, LOG_BYTES, PAGE_BYTES, configure, connect};
use super::key::Key;
use super::lock::Lock;
use super::monitor;
use super::open::{self, Opened};
use super::readers::Readers;
use super::salvage::{self, Salvage, Salvaged};
use super::{CLOSE_TIMEOUT, Options, files};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::inode::InodeWatch;
use plated_core::signing::Signer;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Something for the thread to do; `None` once the store is closed.
pub(super) type Job = Box<dyn FnOnce(&mut Option<Writer>) + Send>;

/// Of the allowed size, at most this many pages (1 MiB) and at most an eighth are for receipts
/// alone: a full store that could not write a receipt could never be emptied.
const RECEIPT_PAGES: i64 = 256;

/// Size of the log from which on the writer has looks wait for a moment to empty it.
const MAX_LOG_BYTES: u64 = 2 * LOG_BYTES;
/// The writer waits so long at most for the looks under way.
const LOG_PATIENCE: Duration = Duration::from_millis(100);
/// Wait before what could not be brought over, for want of room, is tried again.
const SALVAGE_RETRY: Duration = Duration::from_secs(5);

/// The database and all that is needed to write it.
pub(super) struct Writer {
    conn: Connection,
    readers: Arc<Readers>,
    files: InodeWatch,
    path: PathBuf,
    key: Key,
    vehicle: Arc<str>,
    audit_signer: Arc<Signer>,
    clock: Arc<dyn Clock>,
    max_bytes: Option<u64>,
    /// From this size of the log on it is tried again to empty it.
    trim_at: u64,
    /// What is still to be brought over from stores that were damaged or displaced.
    salvages: VecDeque<Salvage>,
    salvage_from: Instant,
    lock: Lock, // last: given up after the connection is closed
}

impl Writer {
    pub(super) fn open(options: Options, key: &Key, clock: Arc<dyn Clock>) -> Result<(Self, Opened)> {
        let Options { path, max_bytes, vehicle } = options;
        let path = real(path)?;
        let lock = Lock::take(&path)?;
        let (conn, opened) = open::open(&path, key, &*clock, &lock)?;
        let mut writer = Self {
            conn,
            readers: Arc::new(Readers::new(path.clone(), key.clone(), clock.clone())),
            files: watch(&path)?,
            path,
            key: key.clone(),
            vehicle: vehicle.into(),
            audit_signer: Arc::new(key.audit_signer()?),
            clock,
            max_bytes,
            trim_at: MAX_LOG_BYTES,
            salvages: VecDeque::new(),
            salvage_from: Instant::now(),
            lock,
        };
        let path = writer.path.clone();
        monitor::take_wrong_key(&mut writer, &path);
        for aside in opened.damaged.iter().filter(|aside| !salvage::is_done(aside)) {
            writer.begin_salvage(Salvage::of_file(aside));
        }
        Ok((writer, opened))
    }

    pub(super) fn readers(&self) -> &Arc<Readers> {
        &self.readers
    }

    /// Does jobs until there can be no more, and in between what is left to do.
    pub(super) fn run(self, jobs: &Receiver<Job>) {
        let mut writer = Some(self);
        loop {
            let wait = writer.as_ref().and_then(Writer::idle_at);
            let next = match wait {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => jobs.recv_deadline(at),
            };
            // One bad job must not take the store from everybody else; its transaction is
            // rolled back on the way out, and whoever asked gets an error.
            let done = catch_unwind(AssertUnwindSafe(|| match next {
                Ok(job) => {
                    job(&mut writer);
                    true
                }
                Err(RecvTimeoutError::Timeout) => {
                    writer.as_mut().into_iter().for_each(Writer::salvage_step);
                    true
                }
                Err(RecvTimeoutError::Disconnected) => false,
            }));
            match done {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => tracing::error!("A task of the store failed; this is a defect of the program."),
            }
        }
        if let Some(mut writer) = writer {
            writer.finish_displaced();
        }
    }

    /// Does a job that writes. Its result counts only if the files are those at the path, before and
    /// after.
    pub(super) fn write_job<T>(&mut self, what: &str, job: impl FnOnce(&mut Writer) -> Result<T, Fault>) -> Result<T> {
        let done = self.in_place().and_then(|()| job(self)).and_then(|done| self.in_place().map(|()| done));
        let done = done.map_err(|fault| self.explain(what, fault));
        self.trim_log();
        done
    }

    fn in_place(&self) -> Result<(), Fault> {
        self.files.displaced().map_or(Ok(()), |what| Err(Fault::Displaced(what)))
    }

    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// Microseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.clock.wall().as_microsecond()
    }

    /// What a row of the audit log needs that is written now.
    pub(super) fn stamp(&self) -> Stamp {
        let moment = self.clock.moment();
        let (vehicle, signer) = (self.vehicle.clone(), self.audit_signer.clone());
        Stamp { at: moment.wall, clock_trusted: moment.trusted, vehicle, signer }
    }

    /// A transaction for reads, which leaves the receipts their room.
    pub(super) fn write(&mut self) -> Result<Transaction<'_>, Fault> {
        self.limit(true)?;
        Ok(self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    /// A transaction for receipts, which may use all the room.
    pub(super) fn write_receipt(&mut self) -> Result<Transaction<'_>, Fault> {
        self.limit(false)?;
        Ok(self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    fn limit(&self, leave_room: bool) -> Result<(), Fault> {
        let Some(max_bytes) = self.max_bytes else { return Ok(()) };
        let all = i64::try_from(max_bytes).unwrap_or(i64::MAX) / PAGE_BYTES;
        let room = if leave_room { RECEIPT_PAGES.min(all / 8) } else { 0 };
        // SQLite itself keeps the limit from falling under the present size.
        let pages = (all - room).clamp(1, i64::from(u32::MAX) - 1);
        self.conn.pragma(None, "max_page_count", pages, |_| Ok(()))?;
        Ok(())
    }

    /// Empties the log when it has grown large because there was always some look under way. Looks
    /// wait for that; the writer waits for them a moment at most and goes on otherwise.
    fn trim_log(&mut self) {
        let bytes = files::size(&files::beside(&self.path, "-wal")).ok().flatten().unwrap_or(0);
        if bytes < self.trim_at {
            // It was begun anew meanwhile.
            self.trim_at = if bytes < MAX_LOG_BYTES { MAX_LOG_BYTES } else { self.trim_at };
            return;
        }
        // A look that is in no hurry, such as `plated check`, may still be there: not at each write.
        self.trim_at = bytes + LOG_BYTES / 4;
        self.empty_log();
    }

    /// Puts the log into the database and empties it, unless a look goes on for longer than a moment: what was
    /// deleted is in the log as it was before.
    pub(super) fn empty_log(&self) {
        let Some(_paused) = self.readers.pause(LOG_PATIENCE) else { return };
        let emptied = self
            .conn
            .busy_timeout(Duration::ZERO)
            .and_then(|()| self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0)));
        let timeout = self.conn.busy_timeout(Duration::from_secs(5));
        if let Err(e) = emptied.and_then(|busy| timeout.map(|()| busy)) {
            tracing::debug!("The store's log could not be emptied: {e}");
        }
    }

    /// Puts a fault into words, and heals what can be healed.
    pub(super) fn explain(&mut self, what: &str, fault: Fault) -> Error {
        if let Fault::Displaced(lost) = &fault {
            let lost = lost.clone();
            return self.begin_anew(what, &lost, false);
        }
        if fault.breaks_connection() {
            let why = fault.say(|| "a page of it can't be read".into()).chain();
            return self.begin_anew(what, &why, true);
        }
        match fault.kind() {
            Kind::Damaged => {
                let path = self.path.display().to_string();
                fault.say(|| format!("{what}: a part of the store {path} is damaged; `plated check` says which"))
            }
            Kind::Storage => {
                let room = self.room();
                fault.say(|| format!("{what}: {room}"))
            }
            _ => fault.say(|| what.to_owned()),
        }
    }

    /// Begins a new store at the path, because the one that is open is `damaged` or no longer there,
    /// and gives the error for whoever asked: to try again. What the old one holds is brought over.
    pub(super) fn begin_anew(&mut self, what: &str, why: &str, damaged: bool) -> Error {
        match self.try_begin_anew(damaged) {
            Ok(aside) => {
                let aside = aside.map_or_else(String::new, |p| format!("; what lay there is {} now", p.display()));
                tracing::error!(
                    path = %self.path.display(),
                    "The store can't be used any more: {why}. A new one was begun{aside}. What was not transferred is \
                     being brought over."
                );
                Error::new(
                    Kind::Storage,
                    format!("{what}: the store can't be used any more ({why}); a new one was begun, try again"),
                )
            }
            Err(e) => {
                // After one bad page SQLCipher gives no more answers on a connection. The other
                // pages are good, so a new one goes on with them.
                if damaged && let Ok(conn) = connect_writer(&self.path, &self.key) {
                    self.conn = conn;
                }
                let message = format!("{what}: the store can't be used any more ({why}), nor a new one begun");
                let cause: std::result::Result<(), _> = Err(e);
                cause.context(Kind::Storage, || message.clone()).err().unwrap_or(Error::new(Kind::Storage, message))
            }
        }
    }

    fn try_begin_anew(&mut self, damaged: bool) -> Result<Option<PathBuf>> {
        self.lock.renew(&self.path)?;
        self.readers.retire();
        // The old connection must not touch the files of the new one when it is closed.
        let kept = self.conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        kept.context(Kind::Storage, || "could not let go of the old store".into())?;
        let sort = if damaged { open::DAMAGED } else { open::DISPLACED };
        let aside = open::set_aside(&self.path, &*self.clock, sort)?;
        let conn = open::begin(&self.path, &self.key)?;
        // A reader that was opened meanwhile is of the old one.
        self.readers.retire();
        let files = watch(&self.path)?;
        let old = std::mem::replace(&mut self.conn, conn);
        self.files = files;
        self.trim_at = MAX_LOG_BYTES;
        let salvage = match (&aside, damaged) {
            (Some(aside), true) => Salvage::of_file_in_use(aside),
            _ => Salvage::of_connection(old, aside.clone()),
        };
        self.begin_salvage(salvage);
        Ok(aside)
    }

    /// Lists, entries and findings are brought over at once: the alerts go by them. Reads and events
    /// follow while nobody wants anything else.
    fn begin_salvage(&mut self, mut salvage: Salvage) {
        let mut settings = || catch_unwind(AssertUnwindSafe(|| salvage.settings(self)));
        // A defect must not cost what officers entered, nor the only connection to files that were removed.
        let outcome = settings().or_else(|_| settings());
        self.salvages.push_back(salvage);
        self.salvage_from = Instant::now();
        match outcome {
            Ok(Ok(_)) => {}
            Ok(Err(fault)) => {
                let e = fault.say(|| "could not bring over what officers entered".into());
                tracing::error!("{}", e.chain());
            }
            Err(panic) => resume_unwind(panic),
        }
    }

    /// When there is something to do beside the jobs.
    fn idle_at(&self) -> Option<Instant> {
        (!self.salvages.is_empty()).then_some(self.salvage_from)
    }

    /// Brings over one more row.
    fn salvage_step(&mut self) {
        let Some(mut salvage) = self.salvages.pop_front() else { return };
        let step = catch_unwind(AssertUnwindSafe(|| self.in_place().and_then(|()| salvage.step(self))));
        match step {
            Err(panic) => {
                // It may hold the only connection to files that were removed.
                self.salvages.push_front(salvage);
                self.salvage_from = Instant::now() + SALVAGE_RETRY;
                resume_unwind(panic);
            }
            Ok(Ok(true)) => drop(salvage.finished()),
            Ok(Ok(false)) => self.salvages.push_front(salvage),
            Ok(Err(fault)) => {
                self.salvages.push_front(salvage);
                self.salvage_from = Instant::now() + SALVAGE_RETRY;
                let e = self.explain("could not bring over what a store that was set aside holds", fault);
                tracing::warn!("{}", e.chain());
            }
        }
        self.trim_log();
    }

    /// Brings over all that can be read of a store that was set aside.
    pub(super) fn salvage(&mut self, file: &Path) -> Result<Salvaged, Fault> {
        self.salvages.retain(|s| s.file() != Some(file));
        let mut salvage = Salvage::of_file(file);
        salvage.settings(self)?;
        while !salvage.step(self)? {}
        Ok(salvage.finished())
    }

    /// What only an open connection still holds would be lost with it.
    fn finish_displaced(&mut self) {
        for mut salvage in std::mem::take(&mut self.salvages).into_iter().filter(|s| s.file().is_none()) {
            loop {
                match salvage.step(self) {
                    Ok(false) => {}
                    Ok(true) => break drop(salvage.finished()),
                    Err(fault) => {
                        let e = fault.say(|| "what a store held that was removed is lost in part".into());
                        break tracing::error!("{}", e.chain());
                    }
                }
            }
        }
    }

    /// How full it is and what to do.
    fn room(&self) -> String {
        let pages = self.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap_or(0i64);
        let waiting = self.conn.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)).unwrap_or(0i64);
        let waiting = match waiting {
            1 => "1 read waits".to_owned(),
            n => format!("{n} reads wait"),
        };
        let mib = |bytes: f64| bytes / f64::from(1 << 20);
        let most = self.max_bytes.map_or_else(String::new, |m| format!(" of at most {:.1} MiB", mib(m as f64)));
        format!(
            "there is no room or the disk fails. The store {} holds {:.1} MiB{most}; {waiting} for \
             transfer, and nothing kept so far is lost. Bring the vehicle to where the station can be reached, free \
             the disk, or raise store.max_mib",
            self.path.display(),
            mib((pages * PAGE_BYTES) as f64),
        )
    }

    /// Writes the log back and closes.
    pub(super) fn close(mut self) -> Result<()> {
        self.finish_displaced();
        self.readers.close(CLOSE_TIMEOUT);
        let path = self.path.display().to_string();
        let doing = || format!("could not close the store {path} cleanly");
        // TRUNCATE leaves an empty log: all is in the one file.
        let busy: bool = self
            .conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .context(Kind::Storage, doing)?;
        if busy {
            tracing::info!("The store's log stays beside it, since a reader still uses it.");
        }
        self.conn.close().map_err(|(_, e)| e).context(Kind::Storage, doing)
    }
}

/// Of the store that was just opened at `path`: the database and its log.
fn watch(path: &Path) -> Result<InodeWatch> {
    InodeWatch::of([path.to_owned(), files::beside(path, "-wal")])
}

/// A connection that writes.
fn connect_writer(path: &Path, key: &Key) -> Result<Connection, Fault> {
    let conn = connect(path, key, true)?;
    configure(&conn)?;
    Ok(conn)
}

/// The path with links resolved, as SQLite does it, so that all files of a store lie together.
fn real(path: PathBuf) -> Result<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    let (Some(name), folder) = (path.file_name(), files::folder(&path)) else {
        return Err(Error::new(Kind::Config, format!("store.path {} names no file", path.display())));
    };
    match folder.canonicalize() {
        Ok(folder) => Ok(folder.join(name)),
        // Taking the lock will say what is wrong with it.
        Err(_) => Ok(path),
    }
}
