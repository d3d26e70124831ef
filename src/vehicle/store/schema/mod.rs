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
const MIGRATIONS: &[&str] = &[include_str!("v1_to_v2.sql"), include_str!("v2_to_v3.sql"), include_str!("v3_to_v4.sql")];
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

    /// The versions as they were shipped; never changed.
    const SHIPPED: [&str; 4] =
        [include_str!("v1.sql"), include_str!("v2.sql"), include_str!("v3.sql"), include_str!("v4.sql")];
    const V1: &str = SHIPPED[0];

    #[test]
    fn migrating_from_any_version_gives_the_fresh_schema() {
        for (shipped, from) in SHIPPED.into_iter().zip(1..) {
            let mut old = Connection::open_in_memory().unwrap();
            apply(&mut old, shipped, from).unwrap();
            migrate(&mut old).unwrap();
            assert_eq!(version(&old).unwrap(), VERSION);
            assert_eq!(describe(&old).unwrap(), describe_fresh().unwrap());
        }
    }

    #[test]
    fn events_of_version_2_are_kept_in_their_order_and_still_can_be_neither_changed_nor_removed() {
        let mut old = Connection::open_in_memory().unwrap();
        apply(&mut old, SHIPPED[1], 2).unwrap();
        let write = |conn: &Connection, what: &str| {
            let sql = "INSERT INTO event (at, user, uid, what, reason, subject) VALUES (1, 'jdoe', 7, ?1, 'why', '{}')";
            conn.execute(sql, [what])
        };
        write(&old, "search_back").unwrap();
        write(&old, "plate_shown").unwrap();
        assert!(write(&old, "hits_shown").is_err());
        migrate(&mut old).unwrap();
        write(&old, "hits_shown").unwrap();
        let all: String =
            old.query_row("SELECT group_concat(number || ' ' || what, ', ') FROM event", [], |row| row.get(0)).unwrap();
        assert_eq!(all, "1 search_back, 2 plate_shown, 3 hits_shown");
        for change in ["UPDATE event SET reason = 'another'", "DELETE FROM event"] {
            assert!(old.execute(change, []).is_err());
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it_whole() {
        let mut conn = Connection::open_in_memory().unwrap();
        apply(&mut conn, V1, 1).unwrap();
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
