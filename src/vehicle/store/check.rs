//! `plated check`: is the store whole, and does every row keep its promise?
//!
//! It only reads, and it may run beside the daemon: stopping the reader to ask after its health
//! would be the wrong trade, and readers don't hold up the writer of a write-ahead log. One step
//! needs the store at rest, since it looks at the file below the transactions: the
//! authentication of pages that hold nothing at present. Beside a daemon it is left out and
//! said so; pages in use are authenticated in any case, as they are read.

use super::connection::{Fault, connect};
use super::keyid::{self, Verdict};
use super::lock::{Asked, Lock};
use super::reads::parse;
use super::{Key, audit, schema};
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::signing::Trust;
use plated_core::wire::batch::{Receipt, SignedReceipt};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Problems written out in full for each thing checked; the rest are counted.
const SHOWN: usize = 20;

/// What `plated check` found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The store.
    pub path: PathBuf,
    /// Another process has the store open, so one step was left out.
    pub beside_daemon: bool,
    /// Each thing that was checked, in order.
    pub checked: Vec<Checked>,
}

impl Report {
    /// Number of problems, of all sorts together.
    pub fn problems(&self) -> u64 {
        self.checked.iter().map(|c| c.wrong).sum()
    }
}

/// One thing that was checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What, in a few words.
    pub what: &'static str,
    /// How many were looked at.
    pub count: u64,
    /// How many of them are wrong.
    pub wrong: u64,
    /// What is wrong, for the first few. Names reads by id, never by plate.
    pub problems: Vec<String>,
}

impl Checked {
    fn new(what: &'static str) -> Self {
        Self { what, count: 0, wrong: 0, problems: Vec::new() }
    }

    fn problem(&mut self, text: impl Into<String>) {
        self.wrong += 1;
        if self.problems.len() < SHOWN {
            self.problems.push(text.into());
        }
    }
}

type Step<'a> = (&'static str, &'a dyn Fn(&Connection, &mut Checked) -> Result<(), Fault>);

const STEPS: &[Step<'static>] = &[
    ("tables and indices against a fresh store", &same_schema),
    ("pages in use", &integrity),
    ("references between tables", &foreign_keys),
    ("reads: content against its hash, columns, pictures and hits against content", &records),
    ("reads: each in the outbox or transferred, never both", &places),
    ("pictures: content against its hash, each used by a read", &images),
    ("transfers: each named by its receipt with this content", &transfers),
];

/// Checks a store without writing to it.
///
/// An error only when it can't be looked at at all: no such file, another key, a newer schema,
/// or unreadable from the first page on. What is wrong inside is in the report.
pub fn check(path: &Path, key: &Key) -> Result<Report> {
    if !path.exists() {
        return Err(Error::new(Kind::NotFound, format!("there is no store at {}", path.display())));
    }
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let known = keyid::compare(&path, key)?;
    let asked = Lock::ask(&path)?;
    let say = |fault: Fault| {
        fault.say(|| match known {
            Verdict::Same => {
                format!("the store {} can't be read; its key is right, so the file is damaged", path.display())
            }
            Verdict::Unknown => {
                format!("the store {} can't be read; the key is wrong or the file is damaged", path.display())
            }
        })
    };
    let open = || connect(&path, key, false).map_err(Fault::from);
    let mut conn = open().map_err(say)?;
    schema::refuse_newer(schema::version(&conn).map_err(|e| say(e.into()))?)?;
    let mut checked = Vec::new();
    let trust = Trust::only([key.audit_signer()?.public_key()]);
    let chain = |conn: &Connection, out: &mut Checked| audit_log(conn, &trust, out);
    let last: [Step<'_>; 1] = [("audit log: each row as it was written, none missing, up to the signed head", &chain)];
    let mut at_rest: Vec<Step<'_>> = vec![];
    if matches!(asked, Asked::Ours(_)) {
        at_rest.push(("pages in the file, used or not", &all_pages as _));
    }
    for (what, step) in at_rest.iter().chain(STEPS).chain(&last) {
        let mut result = Checked::new(what);
        // Each step sees one state of the store, whatever a daemon writes meanwhile, and gives
        // it back soon, so that the log needn't grow for long.
        let stopped = conn.unchecked_transaction().map_err(Fault::from).and_then(|_tx| step(&conn, &mut result));
        if let Err(fault) = stopped {
            result.problem(fault.say(|| "the rest could not be looked at".into()).chain());
            // After one bad page a connection gives no more answers.
            conn = open().map_err(say)?;
        }
        checked.push(result);
    }
    Ok(Report { beside_daemon: matches!(asked, Asked::Held(_)), path, checked })
}

/// Refuses a store that [`Store::open`](super::Store::open) would set aside, and touches nothing: whoever only
/// looks must not change what there is. One that another process has open is that process's matter.
///
/// # Errors
/// `Damaged`, with what to do.
pub fn refuse_damaged(path: &Path, key: &Key) -> Result<()> {
    if !path.exists() || keyid::compare(path, key)? == Verdict::Unknown || matches!(Lock::ask(path)?, Asked::Held(_)) {
        return Ok(()); // Opening it says what is to be said.
    }
    let looked = connect(path, key, false).map_err(Fault::from).and_then(|conn| {
        if schema::version(&conn)? == 0 {
            return Err(Fault::Damaged("the database holds no schema".into()));
        }
        for table in schema::tables(&conn)? {
            conn.query_row(&format!("SELECT 1 FROM \"{table}\" LIMIT 1"), [], |_| Ok(())).optional()?;
        }
        Ok(conn.query_row("SELECT count(*) FROM outbox WHERE state = 'open'", [], |_| Ok(()))?)
    });
    match looked {
        Err(fault) if fault.kind() == Kind::Damaged => Err(fault.say(|| {
            format!(
                "the store {} is damaged, and nothing was touched: `plated check` says what of it. The daemon sets it \
                 aside when it starts, begins a new one and brings over what can still be read",
                path.display()
            )
        })),
        // What else there may be is said when it is opened.
        _ => Ok(()),
    }
}

fn count(conn: &Connection, sql: &str) -> rusqlite::Result<u64> {
    Ok(conn.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

fn all_pages(conn: &Connection, out: &mut Checked) -> Result<(), Fault> {
    out.count = count(conn, "PRAGMA page_count")?;
    let mut bad = conn.prepare("PRAGMA cipher_integrity_check")?;
    for row in bad.query_map([], |row| row.get::<_, String>(0))? {
        out.problem(row?);
    }
    Ok(())
}

fn same_schema(conn: &Connection, out: &mut Checked) -> Result<(), Fault> {
    let version = schema::version(conn)?;
    if version < schema::VERSION {
        out.problem(format!(
            "schema version {version} is older than {}; starting the daemon migrates it",
            schema::VERSION
        ));
        return Ok(());
    }
    let (mut here, fresh) = (schema::describe(conn)?, schema::describe_fresh()?);
    // Only there once a table with AUTOINCREMENT, or ANALYZE, made it.
    here.retain(|name, _| fresh.contains_key(name) || !name.contains(" sqlite_"));
    out.count = fresh.len() as u64;
    for (name, sql) in &fresh {
        match here.remove(name) {
            None => out.problem(format!("{name} is missing")),
            Some(other) if other != *sql => out.problem(format!("{name} is not as it should be")),
            Some(_) => {}
        }
    }
    here.keys().for_each(|name| out.problem(format!("{name} does not belong here")));
    Ok(())
}

fn integrity(conn: &Connection, out: &mut Checked) -> Result<(), Fault> {
    out.count = count(conn, "PRAGMA page_count")?.saturating_sub(count(conn, "PRAGMA freelist_count")?);
    let mut rows = conn.prepare("PRAGMA integrity_check")?;
    for row in rows.query_map([], |row| row.get::<_, String>(0))? {
        let line = row?;
        if line != "ok" {
            out.problem(line);
        }
    }
    Ok(())
}

fn foreign_keys(conn: &Connection, out: &mut Checked) -> Result<(), Fault> {
    out.count = count(
        conn,
        "SELECT (SELECT count(*) FROM read_image) * 2 + (SELECT count(*) FROM hit) + (SELECT count(*) FROM outbox)
                + (SELECT count(*) FROM transferred) * 2",
    )?;
    let mut rows = conn.prepare("PRAGMA foreign_key_check")?;
    for row in rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?)))? {
        let (table, parent) = row?;
        out.problem(format!("a row of {table} points to a row of {parent} that is not there"));
    }
    Ok(())
}

fn records(conn: &Connection, out: &mut Checked) -> Result<(), Fault> {
    let mut images = conn.prepare("SELECT role, image FROM read_image WHERE read = ?1 ORDER BY position")?;
    let mut hits = conn.prepare("SELECT id FROM hit WHERE read = ?1 AND correction IS NULL")?;
    let mut all = conn.prepare(
        "SELECT number, id, sha256, record, camera, text, first_seen, state, has_hit, canvass FROM read ORDER BY number",
    )?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        out.count += 1;
        let (number, id): (i64, [u8; 16]) = (row.get(0)?, row.get(1)?);
        let id = Uuid::from_bytes(id);
        let json: Vec<u8> = row.get(3)?;
        if Sha256::of(&json).0 != row.get::<_, [u8; 32]>(2)? {
            out.problem(format!("read {id}: the record does not have its hash"));
            continue;
        }
        let Ok(record) = parse(&json) else {
            out.problem(format!("read {id}: the record is not readable"));
            continue;
        };
        let columns = (id, row.get::<_, String>(4)?, row.get::<_, String>(5)?, row.get::<_, i64>(6)?);
        let more = (row.get::<_, String>(7)?, row.get::<_, bool>(8)?, row.get::<_, String>(9)?);
        if columns != (record.id, record.camera, record.text, record.first_seen.as_microsecond())
            || more != (record.state, !record.hits.is_empty(), record.canvass.unwrap_or_default())
        {
            out.problem(format!("read {id}: the columns beside the record differ from it"));
        }
        let named: Vec<_> = record.images.iter().map(|i| (i.role.as_str().to_owned(), i.sha256.0)).collect();
        let there: Vec<(String, [u8; 32])> =
            images.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        if named != there {
            out.problem(format!("read {id}: its pictures are not those that the record names"));
        }
        let named: HashSet<[u8; 16]> = record.hits.iter().map(|h| h.id.into_bytes()).collect();
        let there: HashSet<[u8; 16]> = hits.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        if named != there {
            out.problem(format!("read {id}: its hits are not those that the record names"));
        }
    }
    Ok(())
}

fn places(conn: &Connection, out: &mut Checked) -> Result<(), Fault> {
    let mut all = conn.prepare(
        "SELECT id, outbox.read IS NOT NULL, transferred.read IS NOT NULL FROM read
         LEFT JOIN outbox ON outbox.read = number LEFT JOIN transferred ON transferred.read = number",
    )?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        out.count += 1;
        let id = Uuid::from_bytes(row.get(0)?);
        match (row.get(1)?, row.get(2)?) {
            (true, true) => out.problem(format!("read {id} is in the outbox and marked as transferred")),
            (false, false) => {
                out.problem(format!("read {id} is neither in the outbox nor transferred; it would never be sent"))
            }
            _ => {}
        }
    }
    for _ in 0..count(conn, "SELECT count(*) FROM outbox WHERE read NOT IN (SELECT number FROM read)")? {
        out.problem("a row of the outbox has no read");
    }
    Ok(())
}

fn images(conn: &Connection, out: &mut Checked) -> Result<(), Fault> {
    let mut all = conn.prepare(
        "SELECT sha256, jpeg, EXISTS (SELECT 1 FROM read_image WHERE read_image.image = image.sha256) FROM image",
    )?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        out.count += 1;
        let sha256 = Sha256(row.get(0)?);
        if Sha256::of(row.get_ref(1)?.as_blob().unwrap_or_default()) != sha256 {
            out.problem(format!("picture {sha256} does not have its hash"));
        }
        if !row.get::<_, bool>(2)? {
            out.problem(format!("picture {sha256} belongs to no read"));
        }
    }
    Ok(())
}

fn transfers(conn: &Connection, out: &mut Checked) -> Result<(), Fault> {
    let mut receipts = conn.prepare("SELECT number, sha256, body FROM receipt ORDER BY number")?;
    let mut of_receipt =
        conn.prepare("SELECT id, sha256 FROM transferred JOIN read ON number = transferred.read WHERE receipt = ?1")?;
    let mut rows = receipts.query([])?;
    while let Some(row) = rows.next()? {
        let (number, sha256, body): (i64, [u8; 32], Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let signed = serde_json::from_slice::<SignedReceipt>(&body).ok().filter(|_| Sha256::of(&body).0 == sha256);
        let Some(receipt): Option<Receipt> = signed.and_then(|signed| signed.content().ok()) else {
            out.problem(format!("receipt {number} is not what was written"));
            continue;
        };
        let named: HashSet<_> = receipt.reads.durable.iter().map(|d| (d.id.into_bytes(), d.sha256.0)).collect();
        for row in of_receipt.query_map(params![number], |row| Ok((row.get(0)?, row.get(1)?)))? {
            out.count += 1;
            let transferred: ([u8; 16], [u8; 32]) = row?;
            if !named.contains(&transferred) {
                out.problem(format!(
                    "read {} is marked by a receipt that does not name it",
                    Uuid::from_bytes(transferred.0)
                ));
            }
        }
    }
    Ok(())
}

fn audit_log(conn: &Connection, trust: &Trust, out: &mut Checked) -> Result<(), Fault> {
    for report in audit::verify_all(conn, trust)? {
        out.count += report.rows.rows;
        let faults = report.rows.faults.iter().map(ToString::to_string).chain(report.problems);
        faults.for_each(|fault| out.problem(format!("audit log {}: {fault}", report.log)));
        out.wrong += report.rows.more;
    }
    let strays = "SELECT count(*) FROM audit WHERE log NOT IN (SELECT id FROM audit_log)";
    for _ in 0..count(conn, strays)? {
        out.problem("a row of the audit log is of a log that is not there");
    }
    Ok(())
}
