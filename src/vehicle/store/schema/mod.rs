//! The schema, its version, and the way from older versions.
//!
//! A fresh store gets `schema.sql`. An older one is brought here step by step, each step one
//! transaction together with its version number, so that a power cut leaves a whole version.

use plated_core::error::{Error, Kind, Result};
use rusqlite::{Connection, TransactionBehavior};
use std::collections::BTreeMap;

/// The schema of a fresh store.
const FRESH: &str = include_str!("schema.sql");
/// `MIGRATIONS[n]` leads from version n + 1 to n + 2.
const MIGRATIONS: &[&str] = &["ALTER TABLE read ADD COLUMN colour TEXT NOT NULL DEFAULT '';
     ALTER TABLE read ADD COLUMN make TEXT NOT NULL DEFAULT '';"];
/// The version this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64 + 1;

/// Writes the schema into an empty database.
pub(super) fn create(conn: &mut Connection) -> rusqlite::Result<()> {
    apply(conn, FRESH, VERSION)
}

/// The version of a database; 0 has none.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Its tables, but for that of the pictures.
pub(super) fn tables(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('image', 'sqlite_sequence')")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Brings a database of an older version to this one.
pub(super) fn migrate(conn: &mut Connection) -> rusqlite::Result<()> {
    migrate_by(conn, MIGRATIONS)
}

fn migrate_by(conn: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let from = version(conn)?;
    for (to, step) in (2..).zip(steps).filter(|&(to, _)| to > from) {
        apply(conn, step, to)?;
    }
    Ok(())
}

fn apply(conn: &mut Connection, sql: &str, version: i64) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(sql)?;
    tx.pragma_update(None, "user_version", version)?;
    tx.commit()
}

/// Refuses a database that a newer program wrote.
pub(super) fn refuse_newer(version: i64) -> Result<()> {
    if version > VERSION {
        return Err(Error::new(
            Kind::Refused,
            format!(
                "the store has schema version {version}, this program knows up to {VERSION}; nothing was \
                 touched. Install the newer program that wrote it"
            ),
        ));
    }
    Ok(())
}

/// Tables, indices and triggers by name, as SQL without comments and spacing, so that two
/// schemas can be compared.
pub(super) fn describe(conn: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut rows = conn.prepare("SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema")?;
    let named = rows.query_map([], |row| Ok((row.get(0)?, plain(&row.get::<_, String>(1)?))))?;
    named.collect()
}

/// What a fresh schema looks like.
pub(super) fn describe_fresh() -> rusqlite::Result<BTreeMap<String, String>> {
    let mut conn = Connection::open_in_memory()?;
    create(&mut conn)?;
    describe(&conn)
}

/// Without comments, quotes around names, and spacing that means nothing.
fn plain(sql: &str) -> String {
    let code = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    for c in code.chars().filter(|&c| c != '"') {
        let tight = |c: char| c.is_whitespace() || "(),=".contains(c);
        if c.is_whitespace() {
            if !out.ends_with(tight) {
                out.push(' ');
            }
        } else {
            if tight(c) && out.ends_with(' ') {
                out.pop();
            }
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1 as it stands, to be migrated by made-up steps.
    fn version_1() -> Connection {
        let mut conn = Connection::open_in_memory().unwrap();
        apply(&mut conn, FRESH, 1).unwrap();
        conn
    }

    #[test]
    fn a_store_is_brought_to_the_newest_version_step_by_step_with_its_rows() {
        let mut old = version_1();
        old.execute("INSERT INTO account (name, user) VALUES ('jdoe', '{}')", []).unwrap();
        let steps = ["ALTER TABLE account ADD COLUMN more TEXT;", "UPDATE list_state SET error = NULL;"];
        migrate_by(&mut old, &steps).unwrap();
        assert_eq!(version(&old).unwrap(), 3);
        let kept = "SELECT name, more FROM account";
        let row = old.query_row(kept, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)));
        assert_eq!(row.unwrap(), ("jdoe".to_owned(), None));
        // Each step is done once.
        migrate_by(&mut old, &steps).unwrap();
        assert_eq!(version(&old).unwrap(), 3);
    }

    #[test]
    fn a_fresh_store_needs_no_migration() {
        let mut fresh = Connection::open_in_memory().unwrap();
        create(&mut fresh).unwrap();
        migrate(&mut fresh).unwrap();
        assert_eq!(version(&fresh).unwrap(), VERSION);
        assert_eq!(describe(&fresh).unwrap(), describe_fresh().unwrap());
    }

    #[test]
    fn a_store_of_the_first_version_becomes_what_a_fresh_one_is() {
        let mut old = version_1();
        old.execute_batch("ALTER TABLE read DROP COLUMN colour; ALTER TABLE read DROP COLUMN make;").unwrap();
        migrate(&mut old).unwrap();
        assert_eq!(version(&old).unwrap(), VERSION);
        assert_eq!(describe(&old).unwrap(), describe_fresh().unwrap());
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it_whole() {
        let mut conn = version_1();
        let before = describe(&conn).unwrap();
        let steps = ["CREATE TABLE a (b INTEGER) STRICT;", "CREATE TABLE c (d INTEGER) STRICT; nonsense;"];
        migrate_by(&mut conn, &steps).unwrap_err();
        assert_eq!(version(&conn).unwrap(), 2);
        let after = describe(&conn).unwrap();
        assert_eq!(after.len(), before.len() + 1);
        assert!(after.contains_key("table a") && !after.contains_key("table c"));
        // The next start takes up where this one ended.
        migrate_by(&mut conn, &[steps[0], "CREATE TABLE c (d INTEGER) STRICT;"]).unwrap();
        assert_eq!(version(&conn).unwrap(), 3);
    }

    #[test]
    fn spacing_and_comments_are_no_difference_but_a_constraint_is() {
        assert_eq!(
            plain("CREATE TABLE \"a\" (\n b INTEGER -- why\n, c TEXT )"),
            plain("CREATE TABLE a(b INTEGER,c TEXT)")
        );
        assert_ne!(plain("CREATE TABLE a(b INTEGER)"), plain("CREATE TABLE a(b INTEGER NOT NULL)"));
    }
}
