//! The station's tables on PostgreSQL: those that it shares with SQLite, in other words, and the parts of the archive.

use super::{Lock, MIN_VERSION, Tx};
use crate::archive::{HELD, tables};
use crate::database::{FRESH, MIGRATIONS, VERSION};
use plated_core::error::{Error, Kind, Result};

/// What only PostgreSQL has.
const PARTS: &str = include_str!("../archive/postgres/parts.sql");

/// The same tables in the words of PostgreSQL.
fn translated(sql: &str) -> String {
    sql.replace(") STRICT, WITHOUT ROWID", ")")
        .replace(") STRICT", ")")
        .replace(" BLOB", " BYTEA")
        .replace(" INTEGER", " BIGINT")
        .replace(" REAL", " DOUBLE PRECISION")
        .replace(" TEXT", " TEXT COLLATE \"C\"")
}

/// Makes the tables in an empty database. Several stations may do it at the same time: one does.
pub(super) fn bring_to_date(tx: &Tx<'_>) -> Result<()> {
    let server: i32 = tx.one("SELECT current_setting('server_version_num')::int4", &[])?.get(0);
    if server < MIN_VERSION {
        let message = format!("the database is PostgreSQL {}; 15 or newer is needed", server / 10_000);
        return Err(Error::new(Kind::Config, message));
    }
    let fsync: String = tx.one("SELECT current_setting('fsync')", &[])?.get(0);
    if fsync != "on" {
        tracing::error!(
            "The database does not sync what it writes (fsync is {fsync}): receipts can outlive their reads. Set fsync = on \
             in postgresql.conf"
        );
    }
    tx.lock(Lock::State)?;
    tx.ddl("CREATE TABLE IF NOT EXISTS plated (version BIGINT NOT NULL)")?;
    let version: Option<i64> = tx.one("SELECT max(version) FROM plated", &[])?.get(0);
    match version {
        Some(VERSION) => Ok(()),
        Some(version) if (1..VERSION).contains(&version) => {
            for sql in MIGRATIONS.iter().skip(version as usize - 1) {
                tx.ddl(&translated(sql))?;
            }
            tx.run("INSERT INTO plated (version) VALUES ($1)", &[&VERSION]).map(drop)
        }
        Some(version) => {
            let message = format!(
                "the database has schema version {version} and this program knows {VERSION}; install a newer plated-station"
            );
            Err(Error::new(Kind::Config, message))
        }
        None => {
            for sql in FRESH {
                tx.ddl(&translated(sql))?;
            }
            tx.ddl(PARTS)?;
            tx.ddl(&tables(HELD))?;
            tx.run("INSERT INTO plated (version) VALUES ($1)", &[&VERSION]).map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_that_only_sqlite_knows_is_left() {
        for sql in FRESH.map(translated) {
            for word in ["STRICT", "ROWID", "BLOB", "INTEGER", "REAL ", "AUTOINCREMENT"] {
                assert!(!sql.contains(word), "{word} in {sql}");
            }
        }
    }
}
