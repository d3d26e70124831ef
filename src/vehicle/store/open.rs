//! Opening a store: whose it is, whether it is whole, and what to do when it is not.
//!
//! A store at its path is always whole: a fresh one is made under another name and renamed.
//! So a file that can't be read, or is empty, was damaged later. It is then set aside under a
//! name that says when, never written over, and a fresh store begins: the vehicle goes on
//! reading, and what can still be read of the damaged file is brought over (`salvage`).

use super::connection::{Fault, configure, connect};
use super::files::{self, beside};
use super::key::Key;
use super::keyid::{self, Verdict};
use super::lock::Lock;
use super::monitor;
use super::salvage::SALVAGED;
use super::schema;
use plated_core::clock::Clock;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension};
use std::path::{Path, PathBuf};

/// What was found when a store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// A fresh store was begun, because there was none or it was set aside.
    pub created: bool,
    /// A damaged store was set aside just now. An operator has to know: ERROR.
    pub set_aside: Option<SetAside>,
    /// Every store that was ever set aside, damaged or displaced, and still lies here; oldest first.
    pub damaged: Vec<PathBuf>,
    /// Reads whose pass was cut off by the end of the last run; sealed now as they were.
    pub released: usize,
}

/// A damaged store that was moved out of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Its database now; its log lies beside it with `-wal` after the name.
    pub path: PathBuf,
    /// What was wrong with it.
    pub why: String,
}

/// Opens or begins the store at `path`; the caller holds the lock.
pub(super) fn open(path: &Path, key: &Key, clock: &dyn Clock, _lock: &Lock) -> Result<(Connection, Opened)> {
    let mut opened = Opened::default();
    let verdict = keyid::compare(path, key).inspect_err(|e| {
        if e.kind() == Kind::Damaged {
            monitor::note_wrong_key(path, clock);
        }
    })?;
    remove_unfinished(path)?;
    let mut found = None;
    if files::size(path)?.is_some() || files::size(&beside(path, "-wal"))?.is_some_and(|bytes| bytes > 0) {
        match examine(path, key) {
            Ok(conn) => found = Some(conn),
            Err(fault) if fault.kind() != Kind::Damaged => {
                return Err(fault.say(|| {
                    format!("could not open the store {}; look at its owner, its mode and the disk", path.display())
                }));
            }
            Err(_) if verdict == Verdict::Unknown => {
                return Err(Error::new(
                    Kind::Damaged,
                    format!(
                        "the store {0} can't be read, and {0}.keyid, which would tell whether the key is wrong or the \
                         file is damaged, is not there; nothing was touched. Bring back the right key, or move the \
                         store away yourself",
                        path.display()
                    ),
                ));
            }
            Err(fault) => {
                let why = fault.say(|| "it can't be read".into()).chain();
                opened.set_aside = set_aside(path, clock, DAMAGED)?.map(|path| SetAside { path, why });
            }
        }
    }
    if verdict == Verdict::Unknown {
        keyid::write(path, key)?;
    }
    let mut conn = match found {
        Some(conn) => {
            let failed = |f: Fault| f.say(|| format!("could not open the store {}", path.display()));
            conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(|e| failed(e.into()))?;
            configure(&conn).map_err(failed)?;
            conn
        }
        None => {
            opened.created = true;
            begin(path, key)?
        }
    };
    schema::migrate(&mut conn).map_err(Fault::from).map_err(|f| {
        f.say(|| format!("could not bring the store {} to schema version {}", path.display(), schema::VERSION))
    })?;
    opened.released = conn
        .execute("UPDATE outbox SET state = 'pending' WHERE state = 'open'", [])
        .map_err(Fault::from)
        .map_err(|f| f.say(|| "could not seal the reads that the last run left open".into()))?;
    opened.damaged = aside_beside(path)?;
    Ok((conn, opened))
}

/// Opens a store that exists and looks whether it is whole, without writing to it.
///
/// Only the first page, the first of each table and the outbox are read here: a look at all of them would keep
/// the camera waiting. SQLCipher authenticates each page when it is read, the daemon looks at those
/// that don't hold pictures once it is at work ([`super::Store::check_in_background`]), and
/// `plated check` looks at everything.
fn examine(path: &Path, key: &Key) -> Result<Connection, Fault> {
    if files::size(path)?.is_none_or(|bytes| bytes == 0) {
        return Err(Fault::Damaged("the database is empty or gone while its log is there".into()));
    }
    let conn = connect(path, key, true)?;
    // Whatever is found, closing again leaves the files as they were.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let version = schema::version(&conn)?;
    schema::refuse_newer(version)?;
    if version == 0 {
        return Err(Fault::Damaged("the database holds no schema".into()));
    }
    if conn.is_readonly("main")? {
        return Err(Error::new(Kind::Storage, format!("the store {} can't be written to", path.display())).into());
    }
    for table in schema::tables(&conn)? {
        conn.query_row(&format!("SELECT 1 FROM \"{table}\" LIMIT 1"), [], |_| Ok(())).optional()?;
    }
    // All of the outbox is needed to seal the reads that the last run left open.
    conn.query_row("SELECT count(*) FROM outbox WHERE state = 'open'", [], |_| Ok(()))?;
    Ok(conn)
}

/// What is wrong with the pages that don't hold pictures, if anything is.
pub(super) fn quick_check(conn: &Connection, table: &str) -> Result<Option<String>, Fault> {
    let answer: String = conn.query_row(&format!("PRAGMA quick_check(\"{table}\")"), [], |row| row.get(0))?;
    Ok((answer != "ok").then_some(answer))
}

/// Begins a fresh store, and opens it for writing.
pub(super) fn begin(path: &Path, key: &Key) -> Result<Connection> {
    let made = |f: Fault| f.say(|| format!("could not make the store {}", path.display()));
    remove_unfinished(path)?;
    create(path, key)?;
    let conn = connect(path, key, true).map_err(|e| made(e.into()))?;
    configure(&conn).map_err(made)?;
    // Whatever is read first makes the log, by which the store is known too.
    schema::version(&conn).map_err(|e| made(e.into()))?;
    Ok(conn)
}

/// Removes what is left of a fresh store that was not finished; nothing was ever in it.
fn remove_unfinished(path: &Path) -> Result<()> {
    [".new", ".new-journal"].iter().try_for_each(|suffix| {
        let left = beside(path, suffix);
        durable::remove(&left).context(Kind::Storage, || format!("could not remove {}", left.display()))
    })
}

/// Makes a fresh store, whole or not at all.
fn create(path: &Path, key: &Key) -> Result<()> {
    let new = beside(path, ".new");
    let doing = || format!("could not make the store {}", path.display());
    durable::write_new(&new, b"", 0o600).context(Kind::Storage, doing)?;
    let made = connect(&new, key, true).and_then(|mut conn| {
        // Before the first table: a purge gives the disk its room back, a little at a time.
        conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        schema::create(&mut conn)?;
        conn.close().map_err(|(_, e)| e)
    });
    made.map_err(Fault::from).map_err(|f| f.say(doing))?;
    durable::put_in_place(&new, path).context(Kind::Storage, doing)
}

/// How the names of stores go on that were set aside: those that are damaged,
pub(super) const DAMAGED: &str = ".damaged-";
/// and what lay at the path of a store that was removed or replaced while it was in use.
pub(super) const DISPLACED: &str = ".displaced-";

/// Moves what lies at the path and beside it, if anything does, to a new name. The database goes first: the other
/// way round, a power cut in between would leave a database without its log, which looks whole
/// and has lost its last reads.
pub(super) fn set_aside(path: &Path, clock: &dyn Clock, sort: &str) -> Result<Option<PathBuf>> {
    let stamp = clock.wall().strftime("%Y%m%dT%H%M%SZ").to_string();
    let taken =
        |to: &Path| -> Result<bool> { Ok(files::size(to)?.is_some() || files::size(&beside(to, "-wal"))?.is_some()) };
    let mut to = beside(path, &format!("{sort}{stamp}"));
    let mut n = 1;
    while taken(&to)? {
        n += 1;
        to = beside(path, &format!("{sort}{stamp}.{n}"));
    }
    let mut moved = false;
    for suffix in ["", "-wal", "-shm"] {
        let from = beside(path, suffix);
        if files::size(&from)?.is_some() {
            // Not synced: a damaged disk may refuse that, and nothing more is to be lost.
            durable::rename(&from, &beside(&to, suffix))
                .context(Kind::Storage, || format!("could not set {} aside", from.display()))?;
            moved = true;
        }
    }
    Ok(moved.then_some(to))
}

/// Stores that were set aside before, oldest first.
fn aside_beside(path: &Path) -> Result<Vec<PathBuf>> {
    let prefixes = [DAMAGED, DISPLACED].map(|sort| beside(path, sort).to_string_lossy().into_owned());
    let doing = || format!("could not look for stores that were set aside beside {}", path.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(files::folder(path)).context(Kind::Storage, doing)? {
        let path = entry.context(Kind::Storage, doing)?.path();
        let name = path.to_string_lossy();
        let other = ["-wal", "-shm", SALVAGED].iter().any(|end| name.ends_with(end));
        let stamp = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).filter(|_| !other);
        if let Some(stamp) = stamp.map(str::to_owned) {
            found.push((stamp, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}
