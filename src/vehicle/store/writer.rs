//! The thread that owns the database.

use super::connection::{Fault, PAGE_BYTES, configure, connect};
use super::key::Key;
use super::lock::Lock;
use super::open::{self, Opened};
use super::{Options, files};
use crossbeam_channel::Receiver;
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

/// Something for the thread to do; `None` once the store is closed.
pub(super) type Job = Box<dyn FnOnce(&mut Option<Writer>) + Send>;

/// Of the allowed size, at most this many pages (1 MiB) and at most an eighth are for receipts
/// alone: a full store that could not write a receipt could never be emptied.
const RECEIPT_PAGES: i64 = 256;

/// The database and all that is needed to write it.
pub(super) struct Writer {
    conn: Connection,
    path: PathBuf,
    key: Key,
    clock: Arc<dyn Clock>,
    max_bytes: Option<u64>,
    _lock: Lock, // last: given up after the connection is closed
}

impl Writer {
    pub(super) fn open(options: Options, key: &Key, clock: Arc<dyn Clock>) -> Result<(Self, Opened)> {
        let Options { path, max_bytes } = options;
        let path = real(path)?;
        let lock = Lock::take(&path)?;
        let (conn, opened) = open::open(&path, key, &*clock, &lock)?;
        Ok((Self { conn, path, key: key.clone(), clock, max_bytes, _lock: lock }, opened))
    }

    /// Does jobs until there can be no more.
    pub(super) fn run(self, jobs: &Receiver<Job>) {
        let mut writer = Some(self);
        for job in jobs {
            // One bad job must not take the store from everybody else; its transaction is
            // rolled back on the way out, and whoever asked gets an error.
            if catch_unwind(AssertUnwindSafe(|| job(&mut writer))).is_err() {
                tracing::error!("A task of the store failed; this is a defect of the program.");
            }
        }
    }

    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Microseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.clock.wall().as_microsecond()
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

    /// Puts a fault into words, and heals what can be healed.
    pub(super) fn explain(&mut self, what: &str, fault: Fault) -> Error {
        match fault.kind() {
            Kind::Damaged => {
                // After one bad page SQLCipher gives no more answers on a connection. The other
                // pages are good, so a new one goes on with them.
                if let Ok(conn) = connect(&self.path, &self.key, true).map_err(Fault::from).and_then(|conn| {
                    configure(&conn)?;
                    Ok(conn)
                }) {
                    self.conn = conn;
                }
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

    /// How full it is and what to do.
    fn room(&self) -> String {
        let pages = self.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap_or(0i64);
        let waiting = self.conn.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)).unwrap_or(0i64);
        let mib = |bytes: f64| bytes / f64::from(1 << 20);
        let most = self.max_bytes.map_or_else(String::new, |m| format!(" of at most {:.1} MiB", mib(m as f64)));
        format!(
            "there is no room or the disk fails. The store {} holds {:.1} MiB{most}; {waiting} reads wait for \
             transfer, and nothing kept so far is lost. Bring the vehicle to where the station can be reached, free \
             the disk, or raise store.max_mib",
            self.path.display(),
            mib((pages * PAGE_BYTES) as f64),
        )
    }

    /// Writes the log back and closes.
    pub(super) fn close(self) -> Result<()> {
        let doing = || format!("could not close the store {} cleanly", self.path.display());
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
