//! Connections to SQLCipher, how they are set, and what their errors mean.

use super::key::FileKey;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{Connection, OpenFlags, ffi};
use std::path::Path;
use std::sync::Once;
use std::time::Duration;
use zeroize::Zeroizing;

/// Usual size of a log, to which it shrinks again when a long look made it grow.
const LOG_BYTES: i64 = 8 << 20;
/// How long a lock of another process is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How a database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Made when it is not there.
    Make,
    /// To be written to; it has to be there.
    Write,
    /// To be read only.
    Read,
}

/// Makes SQLCipher ready, once, and lets all others wait for that. SQLite calls itself ready before SQLCipher's
/// own part is, so of two threads that open their first database at once one would be refused.
fn initialise() {
    static READY: Once = Once::new();
    #[allow(unsafe_code, reason = "there is no safe call for it")]
    // SAFETY: it has no arguments, and may be called at any time and by any thread. If it fails, so does opening.
    READY.call_once(|| unsafe {
        ffi::sqlite3_initialize();
    });
}

/// Opens a database with its key, ready to be used.
pub(super) fn open(path: &Path, key: &FileKey, access: Access) -> Result<Connection> {
    let failed = || format!("could not open the database {}", path.display());
    let connection = connect(path, key, access).sql(failed)?;
    if access == Access::Read {
        return Ok(connection);
    }
    // Whoever only looks does not hold up who writes.
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).sql(failed)?;
    if mode != "wal" {
        return Err(Error::new(
            Kind::Storage,
            format!("{} is on a file system without shared memory; use a local disk", path.display()),
        ));
    }
    // FULL: with NORMAL a receipt could outlive its reads at a power cut. What is deleted is written over.
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON")
        .and_then(|()| connection.pragma(None, "journal_size_limit", LOG_BYTES, |_| Ok(())))
        .sql(failed)?;
    Ok(connection)
}

/// The same without more than its key.
pub(super) fn connect(path: &Path, key: &FileKey, access: Access) -> rusqlite::Result<Connection> {
    initialise();
    let flags = match access {
        Access::Make => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    set_key(&connection, key)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // SQLCipher writes to stderr of its own accord; we say what there is to say ourselves.
    connection.pragma(None, "cipher_log_level", "NONE", |_| Ok(()))?;
    // Nothing is ever spilled to a file in clear.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Hands the key over by the C function, since the text of a `PRAGMA key` would stay in buffers that nobody wipes.
fn set_key(connection: &Connection, key: &FileKey) -> rusqlite::Result<()> {
    let mut text = Zeroizing::new([b'\''; 67]);
    text[0] = b'x';
    // Can't fail: 32 bytes are 64 digits.
    let _ = hex::encode_to_slice(key.as_slice(), &mut text[2..66]);
    #[allow(unsafe_code, reason = "SQLCipher's key is set by a C function")]
    // SAFETY: the handle lives as long as `connection`; SQLCipher copies the bytes before it returns.
    let code = unsafe { ffi::sqlite3_key(connection.handle(), text.as_ptr().cast(), text.len() as i32) };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)) }
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
