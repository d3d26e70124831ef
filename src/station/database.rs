//! The station's database: what it knows besides reads. A file of SQLCipher, or tables on PostgreSQL that several stations
//! share.
//!
//! In a file each transaction is synced before it counts, and it counts only if the database was at its path before it
//! and after it: what goes into a file that was removed, moved or replaced is gone when the station ends.

use super::key::ArchiveKey;
use super::postgres::Server;
pub(super) use super::rows::Rows;
pub(super) use super::sqlcipher::SqlContext;
use super::sqlcipher::{self, Access};
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::inode::InodeWatch;
use rusqlite::{Connection, TransactionBehavior};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The schema of a fresh database, in parts, for SQLite; [`super::postgres`] puts it into the words of PostgreSQL.
pub(crate) const FRESH: [&str; 12] = [
    include_str!("schema.sql"),
    include_str!("hotlists/schema.sql"),
    crate::archive::SCHEMA,
    crate::findings::SCHEMA,
    crate::forward::SCHEMA,
    include_str!("audit.sql"),
    include_str!("register/schema.sql"),
    crate::accounts::SCHEMA,
    crate::misreads::SCHEMA,
    include_str!("provision/schema.sql"),
    crate::audits::SCHEMA,
    crate::releases::SCHEMA,
];
/// `MIGRATIONS[n]` leads from version n + 1 to n + 2. No version has been shipped yet.
pub(crate) const MIGRATIONS: &[&str] = &[];
/// The version this program writes.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64 + 1;

/// How the name of a copy goes on, before its number, that was made of a displaced database.
const RESCUED: &str = ".rescued-";

/// The open database.
pub struct Database(Place);

enum Place {
    File(DatabaseFile),
    Server(Arc<Server>),
}

impl Database {
    /// Opens or makes the database in the file `path`.
    ///
    /// # Errors
    /// What keeps it from being opened.
    pub fn open(path: &Path, key: &ArchiveKey) -> Result<Self> {
        DatabaseFile::open(path, key).map(Place::File).map(Self)
    }

    /// The one on a server.
    pub(crate) fn on(server: Arc<Server>) -> Self {
        Self(Place::Server(server))
    }

    /// The server that it is on, which other stations use too.
    pub(crate) fn server(&self) -> Option<&Arc<Server>> {
        match &self.0 {
            Place::File(_) => None,
            Place::Server(server) => Some(server),
        }
    }

    /// Runs `work` in one transaction, durable on return, one at a time by all stations together. On an error nothing of
    /// it counts.
    ///
    /// # Errors
    /// `Missing` when the file is not at its path any more, `Network` when the server is not there, and what `work`
    /// itself returns.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        match &mut self.0 {
            Place::File(file) => file.transaction(work),
            Place::Server(server) => server.change_state(work),
        }
    }

    /// Looks at all rows as they are at one moment; `work` must not change any.
    ///
    /// # Errors
    /// The same.
    pub fn read<T>(&mut self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        match &mut self.0 {
            Place::File(file) => file.transaction(work),
            Place::Server(server) => server.read(|tx| work(&Rows::of_postgres(tx))),
        }
    }

    /// Sees that it can be used.
    ///
    /// # Errors
    /// `Missing` when the file is not in its place, `Network` when the server is not there.
    pub fn check_in_place(&mut self) -> Result<()> {
        match &mut self.0 {
            Place::File(file) => file.check_in_place(),
            Place::Server(server) => server.read(|tx| tx.ddl("SELECT 1")),
        }
    }

    /// Reads the database in the file `path` without changing it, while a station may be running; `None` when nothing
    /// has been made in it yet.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn read_only<T>(path: &Path, key: &ArchiveKey, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<Option<T>> {
        let failed = || format!("could not read the station's database {}", path.display());
        let connection = sqlcipher::open(path, &key.of_database()?, Access::Read)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).sql(failed)?;
        if version == 0 {
            return Ok(None);
        }
        work(&Rows::of_sqlite(&*connection.unchecked_transaction().sql(failed)?)).map(Some)
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// A database in a file: one connection.
struct DatabaseFile {
    connection: Connection,
    path: PathBuf,
    files: InodeWatch,
    /// That it is not in its place is in the log already.
    is_reported: bool,
}

impl DatabaseFile {
    fn open(path: &Path, key: &ArchiveKey) -> Result<Self> {
        let failed = || format!("could not open the station's database {}", path.display());
        let mut connection = sqlcipher::open(path, &key.of_database()?, Access::Make)?;
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

    fn transaction<T>(&mut self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        self.check_in_place()?;
        let failed = || "the station's database could not write".into();
        // Immediate: what was read first could not be written upon once a command, such as one that
        // publishes a list, has written in between.
        let result = {
            let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
            let transaction = begun.sql(failed)?;
            let result = work(&Rows::of_sqlite(&transaction))?;
            transaction.commit().sql(failed)?;
            result
        };
        self.check_in_place()?;
        Ok(result)
    }

    /// Sees that the open files are those at the path. The first time that they are not, what the open
    /// ones hold is copied, and the log says what to do.
    fn check_in_place(&mut self) -> Result<()> {
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

pub(super) fn could_not_read() -> String {
    "the station's database could not be read".into()
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

    fn add(rows: &Rows<'_>, vehicle: &str) -> Result<()> {
        rows.run("INSERT INTO vehicles VALUES (?1, 1)", &[&vehicle]).map(drop)
    }

    fn has(rows: &Rows<'_>, vehicle: &str) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM vehicles WHERE vehicle = ?1)";
        Ok(rows.one(sql, &[&vehicle], |row| row.get(0))?.unwrap_or_default())
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("station.db");
        drop(Database::open(&path, &ArchiveKey::of_tests()).unwrap());
        let connection = sqlcipher::open(&path, &ArchiveKey::of_tests().of_database().unwrap(), Access::Make).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(Database::open(&path, &ArchiveKey::of_tests()).unwrap_err().chain().contains("install a newer"));
    }

    #[test]
    fn a_database_of_an_older_version_keeps_its_rows_and_is_migrated_in_one_step_or_not_at_all() {
        let mut database = Connection::open_in_memory().unwrap();
        bring_to_date(&mut database, MIGRATIONS).unwrap();
        database.execute("INSERT INTO vehicles VALUES ('unit-7', 1)", []).unwrap();
        let state = |database: &Connection| -> (i64, i64) {
            let version = database.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
            (version, database.query_row("SELECT count(*) FROM vehicles", [], |row| row.get(0)).unwrap())
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
        let mut database = Database::open(&path, &ArchiveKey::of_tests()).unwrap();
        let (first, second) = ("unit-1", "unit-2");
        database.transaction(|rows| add(rows, first)).unwrap();
        let refused = database.transaction(|rows| {
            std::fs::remove_file(&path).unwrap();
            add(rows, second)
        });
        assert_eq!(refused.unwrap_err().kind(), Kind::Missing);
        assert_eq!(database.transaction(|_| Ok(())).unwrap_err().kind(), Kind::Missing);
        // All of it is in the copy, and in one only.
        let mut copy = Database::open(&dir.path().join("station.db.rescued-1"), &ArchiveKey::of_tests()).unwrap();
        for vehicle in [first, second] {
            assert!(copy.transaction(|rows| has(rows, vehicle)).unwrap());
        }
        assert!(!dir.path().join("station.db.rescued-2").exists());
    }

    #[test]
    fn an_error_inside_a_transaction_keeps_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("station.db"), &ArchiveKey::of_tests()).unwrap();
        let failed: Result<()> = database.transaction(|rows| {
            add(rows, "unit-7")?;
            Err(Error::new(Kind::Internal, "stop"))
        });
        assert!(failed.is_err());
        assert!(!database.transaction(|rows| has(rows, "unit-7")).unwrap());
    }
}
