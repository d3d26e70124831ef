//! A connection to SQLCipher, how it is set, and what its errors mean.

use super::key::Key;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{Connection, OpenFlags, ffi};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Once;

/// Size of a page of the database: SQLCipher's own default, said so that it stays.
pub(super) const PAGE_BYTES: i64 = 4096;

/// Usual size of the log, to which it shrinks again when a long look made it grow.
pub(super) const LOG_BYTES: u64 = 8 << 20;

/// Why a job on the database failed, before it is put into words.
pub(super) enum Fault {
    /// SQLCipher said so.
    Sql(rusqlite::Error),
    /// The content contradicts itself: what is wrong with it.
    Damaged(String),
    /// The database at the path is another one than the one that is open: what happened.
    Displaced(String),
    /// Said already.
    Own(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(e: rusqlite::Error) -> Self {
        Fault::Sql(e)
    }
}

impl From<Error> for Fault {
    fn from(e: Error) -> Self {
        Fault::Own(e)
    }
}

impl Fault {
    /// The sort of failure.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Fault::Own(e) => e.kind(),
            Fault::Damaged(_) => Kind::Damaged,
            Fault::Displaced(_) => Kind::Storage,
            Fault::Sql(e) => e.sqlite_error().map_or(Kind::Internal, |e| Kind::of_sqlite(e.extended_code)),
        }
    }

    /// A page could not be read: after that SQLCipher gives no more answers on the connection.
    pub(super) fn breaks_connection(&self) -> bool {
        matches!(self, Fault::Sql(_)) && self.kind() == Kind::Damaged
    }

    /// The error as a person meets it; `what` was being done.
    pub(super) fn say(self, what: impl FnOnce() -> String) -> Error {
        let kind = self.kind();
        match self {
            Fault::Own(e) => e,
            Fault::Damaged(why) | Fault::Displaced(why) => Error::new(kind, format!("{}: {why}", what())),
            Fault::Sql(e) => match Err::<Infallible, _>(e).context(kind, what) {
                Err(e) => e,
                Ok(never) => match never {},
            },
        }
    }
}

/// Makes SQLCipher ready, once, and lets all others wait for that. SQLite calls itself ready before SQLCipher's
/// own part is (`SQLITE_EXTRA_INIT` runs after `isInit` is set, outside the lock), so of two threads that open
/// their first database at once one is refused with an error that names no reason.
fn initialise() {
    static READY: Once = Once::new();
    #[allow(unsafe_code, reason = "there is no safe call for it")]
    // SAFETY: it has no arguments, and may be called at any time and by any thread. If it fails, so does opening.
    READY.call_once(|| unsafe {
        ffi::sqlite3_initialize();
    });
}

/// Opens a database that exists, with its key. Nothing is read yet.
pub(super) fn connect(path: &Path, key: &Key, write: bool) -> rusqlite::Result<Connection> {
    initialise();
    let access = if write { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    set_key(&conn, key)?;
    // SQLCipher writes to stderr of its own accord; we say what there is to say ourselves.
    conn.pragma(None, "cipher_log_level", "NONE", |_| Ok(()))?;
    conn.pragma(None, "cipher_page_size", PAGE_BYTES, |_| Ok(()))?;
    Ok(conn)
}

/// Hands the key over by the C function, since the text of a `PRAGMA key` would stay in
/// buffers that nobody wipes.
fn set_key(conn: &Connection, key: &Key) -> rusqlite::Result<()> {
    let text = key.sqlcipher();
    #[allow(unsafe_code, reason = "SQLCipher's key is set by a C function")]
    // SAFETY: the handle lives as long as `conn`; SQLCipher copies the bytes before it returns.
    let code = unsafe { ffi::sqlite3_key(conn.handle(), text.as_ptr().cast(), text.len() as i32) };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)) }
}

/// Settings of the connection that writes.
///
/// Left as SQLCipher has it: `cipher_memory_security` is off, because the same texts and
/// pictures lie in this process's memory as frames and records anyway, and it costs time on
/// every page; key material is locked and wiped in either case.
pub(super) fn configure(conn: &Connection) -> Result<(), Fault> {
    // Readers (`plated check`) don't hold up the writer.
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Error::new(Kind::Storage, "the store's folder does not allow a write-ahead log").into());
    }
    // A commit is on the disk when it returns; NORMAL could lose the last ones to a power cut.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // What was deleted is written over: whoever has the key must not find it in a page that is not used.
    conn.pragma(None, "secure_delete", true, |_| Ok(()))?;
    // Nothing is ever spilled to a file in clear.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    // The log shrinks again after a long reader made it grow; see `Writer::trim_log`.
    conn.pragma(None, "journal_size_limit", LOG_BYTES as i64, |_| Ok(()))?;
    Ok(())
}
