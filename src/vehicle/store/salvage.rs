//! Bringing over what can still be read of a store that was set aside, or of one whose files were
//! removed while it was open.
//!
//! SQLCipher authenticates each page; one bad page ends all answers on a connection. So the old store
//! is asked row by row, by number, and opened anew after each answer that did not come. A read comes
//! over if the station does not hold it and if its record and all its pictures are exactly what was
//! written; it may be sent twice then, which does no harm. A read whose pass is still going on comes
//! over open, so that the pass can end in the new store; in a store of an earlier run nobody will end
//! it any more, and it comes over sealed. Lists in force, accounts, officers' entries
//! and findings come over too, and the audit log, row by row as it is, as a log that is ended. Nothing is written to the old store.

use super::connection::{Fault, PAGE_BYTES, connect};
use super::reads::{self, Sealing, parse};
use super::writer::Writer;
use super::{audit, corrections, files};
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::record::ReadRecord;
use plated_core::text::count;
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// Ends the name of the file that says what was brought over from the store it lies beside.
pub(super) const SALVAGED: &str = ".salvaged";

/// What was brought over from a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// The old store, or what lay in its place; none when its files are gone.
    pub from: Option<PathBuf>,
    /// Reads that came over, with all their pictures.
    pub reads: u64,
    /// Reads that were here already.
    pub present: u64,
    /// Reads that the station holds; they stay where they are.
    pub transferred: u64,
    /// Reads that can't be read, or are not what was written, or lack a picture.
    pub unreadable: u64,
    /// Lists in force, accounts, entries, findings and rows of the audit log that came over.
    pub rows: u64,
    /// Such rows that can't be read.
    pub unreadable_rows: u64,
    /// Audit logs whose row, with the signed head, can't be read: what was cut off of their end is not noticed.
    pub lost_logs: u64,
    /// Not even its tables can be found.
    pub unreadable_tables: bool,
}

impl fmt::Display for Salvaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unreadable_tables {
            return write!(f, "nothing of it can be read");
        }
        let Self { reads, present, transferred, unreadable, rows, unreadable_rows, .. } = self;
        write!(
            f,
            "reads: {reads} brought over, {present} were here already, {transferred} are at the station, {unreadable} \
             can't be read; lists, accounts, entries, dispositions, corrections, canvasses, performance tests and rows \
             of the audit log: {rows} brought over, {unreadable_rows} can't be read"
        )?;
        if self.lost_logs > 0 {
            let logs = count(self.lost_logs, "audit log");
            write!(
                f,
                "; the signed head of {logs} can't be read, so that nobody can say whether their last rows are here"
            )?;
        }
        Ok(())
    }
}

/// A table whose rows are copied.
struct Table {
    name: &'static str,
    key: &'static str,
    /// People name its rows by their number, which they keep where it is free.
    keeps_numbers: bool,
}

const SETTINGS: [Table; 6] = [
    Table { name: "manual_entry", key: "id", keeps_numbers: true },
    Table { name: "disposition", key: "number", keeps_numbers: false },
    Table { name: "correction", key: "number", keeps_numbers: false },
    Table { name: "vehicle_finding", key: "number", keeps_numbers: true },
    Table { name: "canvass", key: "id", keeps_numbers: true },
    Table { name: "performance_test", key: "number", keeps_numbers: true },
];
/// As they are: with the number and hash that they have in their own log.
const AUDIT: Table = Table { name: "audit", key: "id", keeps_numbers: false };
/// Small tables that are copied whole. Sessions are not: people log in again. Webhooks are not: reads have other
/// numbers here.
const WHOLE: [&str; 6] = ["list_state", "account", "subscriber", "failed_login", "webhook_delivery", "drive_test"];

/// The work on one old store, and how far it got.
pub(super) struct Salvage {
    file: Option<PathBuf>,
    conn: Option<Connection>,
    reads: Option<Numbers>,
    audit: Option<Numbers>,
    report: Salvaged,
    /// Lists, entries and findings came over; tried again until they do.
    settings_done: bool,
    /// It was given up in this run: the passes of its open reads are still going on.
    passes_go_on: bool,
}

/// Numbers of rows that are still to be looked at.
struct Numbers {
    next: i64,
    last: i64,
}

impl Salvage {
    /// Of a store that was set aside before this run, or in it before any read was written.
    pub(super) fn of_file(path: &Path) -> Self {
        Self {
            file: Some(path.to_owned()),
            conn: None,
            reads: None,
            audit: None,
            report: Salvaged { from: Some(path.to_owned()), ..Salvaged::default() },
            settings_done: false,
            passes_go_on: false,
        }
    }

    /// Of a store that was set aside while it was in use.
    pub(super) fn of_file_in_use(path: &Path) -> Self {
        Self { passes_go_on: true, ..Self::of_file(path) }
    }

    /// Of a store whose files went away while it was in use, by the connection that still has them. What
    /// lay at its path is `aside` now, and is brought over at the next start if this comes to no end.
    pub(super) fn of_connection(conn: Connection, aside: Option<PathBuf>) -> Self {
        Self {
            file: None,
            conn: Some(conn),
            reads: None,
            audit: None,
            report: Salvaged { from: aside, ..Salvaged::default() },
            settings_done: false,
            passes_go_on: true,
        }
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Brings over lists in force, accounts, entries and findings, and which audit logs there are.
    pub(super) fn settings(&mut self, writer: &mut Writer) -> Result<(), Fault> {
        let tables = self.ask(writer, |old| old.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())));
        self.report.unreadable_tables = tables.is_none();
        for table in WHOLE {
            let columns = columns(writer, table, "")?;
            let rows = self.ask(writer, |old| {
                let mut all = old.prepare(&format!("SELECT {} FROM {table}", columns.join(", ")))?;
                all.query_map([], |row| values(row, columns.len()))?.collect::<rusqlite::Result<Vec<_>>>()
            });
            let tx = writer.write()?;
            for row in rows.unwrap_or_default() {
                let sql = insert(table, &columns);
                self.report.rows += tx.execute(&sql, params_from_iter(row))? as u64;
            }
            tx.commit()?;
        }
        let logs = self.ask(writer, audit::logs).unwrap_or_default();
        let stamp = writer.stamp();
        let tx = writer.write()?;
        for log in &logs {
            self.report.rows += u64::from(audit::bring_over(&tx, &stamp, log)?);
        }
        tx.commit()?;
        for table in &SETTINGS {
            let mut present = present(writer, table)?;
            let numbers = self.numbers(writer, table.name, table.key);
            for number in numbers.next..=numbers.last {
                self.copy(writer, table, number, &mut present)?;
            }
        }
        self.settings_done = true;
        Ok(())
    }

    /// Brings over one more read or row of an audit log; true when there are no more.
    ///
    /// # Errors
    /// Only what the store that is written to has against it; the same row is tried again then.
    pub(super) fn step(&mut self, writer: &mut Writer) -> Result<bool, Fault> {
        if !self.settings_done {
            self.settings(writer)?;
            return Ok(false);
        }
        if self.reads.is_none() {
            self.reads = Some(self.numbers(writer, "read", "number"));
        }
        if let Some(number) = self.reads.as_ref().and_then(Numbers::next) {
            self.read(writer, number)?;
            self.reads.iter_mut().for_each(|numbers| numbers.next += 1);
            return Ok(false);
        }
        if self.audit.is_none() {
            self.audit = Some(self.numbers(writer, AUDIT.name, AUDIT.key));
        }
        let Some(number) = self.audit.as_ref().and_then(Numbers::next) else {
            let lost = "SELECT count(DISTINCT log) FROM audit WHERE log NOT IN (SELECT id FROM audit_log)";
            let lost: i64 = writer.conn().query_row(lost, [], |row| row.get(0))?;
            self.report.lost_logs = lost.unsigned_abs();
            return Ok(true);
        };
        // A row is known by its log and number.
        self.copy(writer, &AUDIT, number, &mut HashSet::new())?;
        self.audit.iter_mut().for_each(|numbers| numbers.next += 1);
        Ok(false)
    }

    /// Says what came of it, in the log and beside the old store, so that it is not begun again at
    /// each start.
    pub(super) fn finished(self) -> Salvaged {
        let report = self.report;
        let from = report.from.as_ref().map_or_else(String::new, |p| p.display().to_string());
        if report.unreadable + report.unreadable_rows + report.lost_logs > 0 || report.unreadable_tables {
            tracing::error!(from, "A store that was set aside was brought over as far as it can be read; {report}.");
        } else {
            tracing::warn!(from, "A store that was set aside was brought over; {report}.");
        }
        if let Some(path) = &report.from {
            let note = files::beside(path, SALVAGED);
            if let Err(e) = durable::write(&note, format!("{report}\n").as_bytes()) {
                // It is begun again at the next start, and then finds everything here.
                tracing::warn!("{} can't be written: {e}", note.display());
            }
        }
        report
    }

    fn read(&mut self, writer: &mut Writer, number: i64) -> Result<(), Fault> {
        let row = self.ask(writer, |old| {
            old.query_row("SELECT id, sha256, record FROM read WHERE number = ?1", [number], |row| {
                Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, Vec<u8>>(2)?))
            })
            .optional()
        });
        let (id, sha256, json) = match row {
            Some(Some(row)) => row,
            Some(None) => return Ok(()), // a number that was never used
            None => {
                self.report.unreadable += 1;
                return Ok(());
            }
        };
        let transferred =
            self.ask(writer, |old| old.prepare_cached("SELECT 1 FROM transferred WHERE read = ?1")?.exists([number]));
        if transferred == Some(true) {
            self.report.transferred += 1;
            return Ok(());
        }
        let sha256 = Sha256(sha256);
        let record = parse(&json).ok().filter(|r| r.id.as_bytes() == &id && Sha256::of(&json) == sha256);
        let whole = record.and_then(|record| self.pictures(writer, &record).map(|jpegs| (record, jpegs)));
        let Some((record, jpegs)) = whole else {
            self.report.unreadable += 1;
            return Ok(());
        };
        let open = self.passes_go_on && self.may_be_open(writer, number);
        let now = writer.now();
        let tx = writer.write()?;
        let present: Option<i64> =
            tx.prepare_cached("SELECT number FROM read WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
        if let Some(number) = present {
            corrections::restore_hits(&tx, number, record.id)?;
            tx.commit()?;
            self.report.present += 1;
            return Ok(());
        }
        let new = Sealing { record: &record, json: &json, sha256, open, now };
        let number = reads::write(&tx, &new, &jpegs)?;
        reads::queue(&tx, number, &new)?;
        corrections::restore_hits(&tx, number, record.id)?;
        tx.commit()?;
        self.report.reads += 1;
        Ok(())
    }

    /// Whether its pass may still be going on. Where that can't be read it may: an open read is sealed at
    /// the next start at the latest, and what is sealed too early loses its end.
    fn may_be_open(&mut self, writer: &Writer, number: i64) -> bool {
        let is_open = "SELECT 1 FROM outbox WHERE read = ?1 AND state = 'open'";
        self.ask(writer, |old| old.prepare_cached(is_open)?.exists([number])).unwrap_or(true)
    }

    /// The pictures of a record, if each is there and what was written.
    fn pictures(&mut self, writer: &Writer, record: &ReadRecord) -> Option<Vec<Vec<u8>>> {
        let picture = |sha256: Sha256| {
            let found = self.ask(writer, |old| {
                let mut find = old.prepare_cached("SELECT jpeg FROM image WHERE sha256 = ?1")?;
                find.query_row([sha256.0], |row| row.get::<_, Vec<u8>>(0)).optional()
            });
            found.flatten().filter(|jpeg| Sha256::of(jpeg) == sha256)
        };
        record.images.iter().map(|i| i.sha256).map(picture).collect()
    }

    /// Copies a row, unless the same one is here.
    fn copy(
        &mut self,
        writer: &mut Writer,
        table: &Table,
        number: i64,
        present: &mut HashSet<String>,
    ) -> Result<(), Fault> {
        let Table { name, key, keeps_numbers } = table;
        let mut columns = columns(writer, name, key)?;
        let row = self.ask(writer, |old| {
            let sql = format!("SELECT {} FROM {name} WHERE {key} = ?1", columns.join(", "));
            old.prepare_cached(&sql)?.query_row([number], |row| values(row, columns.len())).optional()
        });
        let row = match row {
            Some(Some(row)) => row,
            Some(None) => return Ok(()),
            None => {
                self.report.unreadable_rows += 1;
                return Ok(());
            }
        };
        let text = format!("{row:?}");
        if present.contains(&text) {
            return Ok(());
        }
        let tx = writer.write()?;
        let plain = insert(name, &columns);
        let mut written = 0;
        if *keeps_numbers {
            columns.push((*key).to_owned());
            let sql = insert(name, &columns);
            written = tx.execute(&sql, params_from_iter(row.iter().chain([&Value::Integer(number)])))?;
        }
        if written == 0 {
            written = tx.execute(&plain, params_from_iter(&row))?;
        }
        tx.commit()?;
        present.insert(text);
        self.report.rows += written as u64;
        Ok(())
    }

    /// The numbers that a row of this table can have, as far as that can be read.
    fn numbers(&mut self, writer: &Writer, table: &str, key: &str) -> Numbers {
        let one = |old: &Connection, sql: &str| old.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        let first = self.ask(writer, |old| one(old, &format!("SELECT min({key}) FROM {table}"))).flatten();
        let last = [
            format!("SELECT max({key}) FROM {table}"),
            format!("SELECT max(seq) FROM sqlite_sequence WHERE name = '{table}'"),
        ];
        let last = last.iter().filter_map(|sql| self.ask(writer, |old| one(old, sql)).flatten()).max();
        Numbers { next: first.unwrap_or(1), last: last.unwrap_or(0) }
    }

    /// Asks the old store; `None` when it gives no answer.
    fn ask<T>(&mut self, writer: &Writer, job: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        if self.conn.is_none() {
            let file = self.file.as_deref()?;
            // SQLite removes the log of a database that is empty.
            files::size(file).ok().flatten().filter(|bytes| *bytes >= PAGE_BYTES.unsigned_abs())?;
            let conn = connect(file, writer.key(), false).ok()?;
            conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).ok()?;
            self.conn = Some(conn);
        }
        let answer = job(self.conn.as_ref()?);
        if answer.is_err() && self.file.is_some() {
            self.conn = None;
        }
        answer.ok()
    }
}

impl Numbers {
    fn next(&self) -> Option<i64> {
        (self.next <= self.last).then_some(self.next)
    }
}

/// True when this store was brought over already.
pub(super) fn is_done(aside: &Path) -> bool {
    files::beside(aside, SALVAGED).exists()
}

/// What the store that is written to has of this table.
fn present(writer: &Writer, table: &Table) -> Result<HashSet<String>, Fault> {
    let columns = columns(writer, table.name, table.key)?;
    let mut all = writer.conn().prepare(&format!("SELECT {} FROM {}", columns.join(", "), table.name))?;
    let rows = all.query_map([], |row| values(row, columns.len()).map(|row| format!("{row:?}")))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn values(row: &rusqlite::Row<'_>, count: usize) -> rusqlite::Result<Vec<Value>> {
    (0..count).map(|column| row.get(column)).collect()
}

/// The columns of a table but for its key.
fn columns(writer: &Writer, table: &str, key: &str) -> rusqlite::Result<Vec<String>> {
    let mut all =
        writer.conn().prepare_cached("SELECT name FROM pragma_table_info(?1) WHERE name <> ?2 ORDER BY cid")?;
    all.query_map([table, key], |row| row.get(0))?.collect()
}

fn insert(table: &str, columns: &[String]) -> String {
    format!(
        "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
        columns.join(", "),
        vec!["?"; columns.len()].join(", ")
    )
}
