//! The audit log: the chain of rows that [`plated_access::audit`] makes, kept here. Each row is written in
//! the transaction of the change it speaks of, or before the gate gives a permit, and the signed head with
//! it. A row follows the head that was signed last, not the last row that is there: so rows that were cut
//! off stay missing.

use super::connection::{Fault, connect};
use super::key::Key;
use super::outbox::Applied;
use super::readers::{Readers, View};
use super::writer::Writer;
use jiff::Timestamp;
use plated_access::audit::{Entry, Head, KeptRow, Line, LogReport, LogVerifier, Row};
use plated_access::{Access, AccessRecord, Actor, Purge};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::{Signer, Trust};
use plated_core::wire::batch::{DurableRow, SealedRow};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// When something is written, in whose log, and who signs for it.
#[derive(Clone)]
pub(super) struct Stamp {
    pub at: Timestamp,
    pub clock_trusted: bool,
    pub vehicle: Arc<str>,
    pub signer: Arc<Signer>,
}

/// A log: that of this store, or of one that had to be set aside.
#[derive(Clone, Debug)]
pub struct Log {
    /// Names it.
    pub id: Uuid,
    /// The vehicle's name then.
    pub vehicle: String,
    /// No row is added to it any more.
    pub ended: bool,
    /// Its signed head, as [`Head::sign`] gives it.
    pub head: String,
    /// Number of its last row; 0: it has none.
    pub last: i64,
}

/// Writes the record of an access, and gives its number.
pub(super) fn append(writer: &mut Writer, record: &AccessRecord) -> Result<i64, Fault> {
    let stamp = writer.stamp();
    // A store that is full is emptied by what this puts on record.
    let tx = if record.what == Purge::WORD { writer.write_receipt()? } else { writer.write()? };
    let number = write(&tx, &stamp, record)?;
    tx.commit()?;
    Ok(number)
}

/// Writes a row into the transaction that `tx` is in, and gives its number.
pub(super) fn write(tx: &Connection, stamp: &Stamp, record: &AccessRecord) -> Result<i64, Fault> {
    let head = head(tx, stamp)?;
    add(tx, stamp, &head, record)
}

fn add(tx: &Connection, stamp: &Stamp, head: &Head, record: &AccessRecord) -> Result<i64, Fault> {
    let (row, head) = head.next(Entry::of(record, stamp.at, stamp.clock_trusted)?)?;
    let kept = KeptRow::of(&row)?;
    let log = head.log.as_bytes();
    tx.prepare_cached(
        "INSERT INTO audit (log, number, at, action, prev, salt, hash, entry) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![log, kept.number, kept.at, kept.action, kept.prev, kept.salt, kept.hash, kept.entry])?;
    tx.prepare_cached("UPDATE audit_log SET head = ?2 WHERE id = ?1")?
        .execute(params![log, head.sign(&stamp.signer)?])?;
    Ok(row.number)
}

/// The head that the next row follows. A log whose head can't be used, or that is another vehicle's, is
/// ended and another one begun: nobody must be kept from entering a plate by it.
fn head(tx: &Connection, stamp: &Stamp) -> Result<Head, Fault> {
    let found: Option<([u8; 16], String)> = tx
        .prepare_cached("SELECT id, head FROM audit_log WHERE ended = 0")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((id, text)) = found else { return begin(tx, stamp) };
    let id = Uuid::from_bytes(id);
    let trust = Trust::only([stamp.signer.public_key()]);
    let why = match Head::open(text.as_bytes(), &trust) {
        Ok(head) if head.log == id && head.vehicle == *stamp.vehicle => return Ok(head),
        Ok(_) => "it is of another vehicle".to_owned(),
        Err(e) => e.chain(),
    };
    tracing::error!(
        log = %id,
        "The audit log can't be gone on with: {why}. It stays as it is and a new one is begun; `plated audit verify` \
         looks at both."
    );
    tx.execute("UPDATE audit_log SET ended = 1 WHERE ended = 0", [])?;
    let head = begin(tx, stamp)?;
    let reason = "the log before it can't be gone on with";
    add(tx, stamp, &head, &by_itself("audit_log_begun", reason, json!({"after_log": id}))?)?;
    // As it is kept now.
    self::head(tx, stamp)
}

/// A new log.
fn begin(tx: &Connection, stamp: &Stamp) -> Result<Head, Fault> {
    let head = Head::start(&stamp.vehicle, Uuid::now_v7(), stamp.at);
    tx.execute(
        "INSERT INTO audit_log (id, vehicle, ended, head) VALUES (?1, ?2, 0, ?3)",
        params![head.log.as_bytes(), head.vehicle, head.sign(&stamp.signer)?],
    )?;
    Ok(head)
}

/// Keeps the log of a store that was set aside as one that is ended, and says so in that of this store.
/// Its rows follow one by one, as they are. False when it is here already.
pub(super) fn bring_over(tx: &Connection, stamp: &Stamp, log: &Log) -> Result<bool, Fault> {
    let added = tx.execute(
        "INSERT INTO audit_log (id, vehicle, ended, head) VALUES (?1, ?2, 1, ?3) ON CONFLICT DO NOTHING",
        params![log.id.as_bytes(), log.vehicle, log.head],
    )?;
    if added == 0 {
        return Ok(false);
    }
    let reason = "the store before this one had to be set aside; what can be read of its log is kept beside this one";
    write(tx, stamp, &by_itself("audit_log_brought_over", reason, json!({"log": log.id}))?)?;
    Ok(true)
}

/// What the program does of itself with its own log.
fn by_itself(what: &'static str, reason: &str, subject: Value) -> Result<AccessRecord> {
    AccessRecord::done(&Actor::of_this_process(), what, reason, subject)
}

/// All logs, the one of this store last.
pub(super) fn logs(conn: &Connection) -> rusqlite::Result<Vec<Log>> {
    let mut find = conn.prepare_cached(
        "SELECT id, vehicle, ended, head, coalesce((SELECT max(number) FROM audit WHERE log = audit_log.id), 0)
         FROM audit_log ORDER BY ended DESC, id",
    )?;
    let log = |row: &rusqlite::Row<'_>| {
        let (id, vehicle) = (Uuid::from_bytes(row.get(0)?), row.get(1)?);
        Ok(Log { id, vehicle, ended: row.get(2)?, head: row.get(3)?, last: row.get(4)? })
    };
    find.query_map([], log)?.collect()
}

/// Rows of a log after number `after`, in order, at most `limit`.
pub(super) fn rows(view: &View<'_>, log: Uuid, after: i64, limit: usize) -> Result<Vec<Row>, Fault> {
    let mut find = view.conn().prepare_cached(
        "SELECT number, at, action, prev, salt, hash, entry FROM audit
         WHERE log = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    )?;
    let mut found = find.query(params![log.as_bytes(), after, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut rows = Vec::new();
    while let Some(found) = found.next()? {
        let wrong = || Fault::Damaged("a row of the audit log is not what was written".into());
        rows.push(kept(found)?.row().ok_or_else(wrong)?);
    }
    Ok(rows)
}

/// Rows that the station does not hold yet, in their order of each log, at most `limit`. What is behind a row that
/// can't be read waits with it.
pub(super) fn to_send(view: &View<'_>, limit: usize) -> Result<Vec<SealedRow>, Fault> {
    to_send_after(view, &mut HashMap::new(), limit)
}

/// The same, of each log behind the row that `after` has for it, which goes on behind them.
pub(super) fn to_send_after(
    view: &View<'_>,
    after: &mut HashMap<Uuid, i64>,
    limit: usize,
) -> Result<Vec<SealedRow>, Fault> {
    // One look at the index for each log.
    let mut find = view.conn().prepare_cached(
        "WITH RECURSIVE logs (log) AS (SELECT min(log) FROM audit UNION ALL
           SELECT (SELECT min(log) FROM audit WHERE log > logs.log) FROM logs WHERE log IS NOT NULL)
         SELECT logs.log, coalesce(number, 0) FROM logs LEFT JOIN audit_transferred ON audit_transferred.log = logs.log
         WHERE logs.log IS NOT NULL",
    )?;
    let logs = find.query_map([], |row| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?)))?;
    let logs: Vec<(Uuid, i64)> = logs.collect::<rusqlite::Result<_>>()?;
    let mut sealed = Vec::new();
    for (log, held) in logs {
        let room = limit - sealed.len();
        let from = after.get(&log).copied().unwrap_or_default().max(held);
        for row in rows(view, log, from, room).unwrap_or_default() {
            after.insert(log, row.number);
            sealed.push(seal(log, row)?);
        }
    }
    Ok(sealed)
}

fn seal(log: Uuid, row: Row) -> Result<SealedRow, Fault> {
    let number = row.number.unsigned_abs();
    let json = serde_json::to_vec(&Line::Row(Box::new(row)));
    Ok(SealedRow::new(log, number, json.context(Kind::Internal, || "a row of the audit log can't be written".into())?))
}

/// Notes how far the station holds each log. Only rows that follow each other count.
pub(super) fn apply_receipt(
    tx: &Connection,
    durable: &[DurableRow],
    receipt: i64,
    applied: &mut Applied,
) -> Result<(), Fault> {
    let mut durable = durable.to_vec();
    durable.sort_unstable_by_key(|named| (named.log, named.number));
    for named in durable {
        let log = named.log.as_bytes();
        let held: Option<i64> = tx
            .prepare_cached("SELECT number FROM audit_transferred WHERE log = ?1")?
            .query_row([log], |row| row.get(0))
            .optional()?;
        let held = held.unwrap_or(0);
        let number = i64::try_from(named.number).unwrap_or(0);
        if number <= held {
            continue;
        }
        let here = tx
            .prepare_cached(
                "SELECT number, at, action, prev, salt, hash, entry FROM audit WHERE log = ?1 AND number = ?2",
            )?
            .query_row(params![log, number], kept)
            .optional()?;
        let kept = here.and_then(|here| here.row()).map(|row| seal(named.log, row)).transpose()?;
        if number != held + 1 || kept.is_none_or(|kept| kept.sha256 != named.sha256) {
            applied.unknown += 1;
            continue;
        }
        tx.prepare_cached("INSERT OR REPLACE INTO audit_transferred (log, number, receipt) VALUES (?1, ?2, ?3)")?
            .execute(params![log, number, receipt])?;
        applied.audit_rows += 1;
    }
    Ok(())
}

/// `number, at, action, prev, salt, hash, entry`.
fn kept(found: &rusqlite::Row<'_>) -> rusqlite::Result<KeptRow> {
    Ok(KeptRow {
        number: found.get(0)?,
        at: found.get(1)?,
        action: found.get(2)?,
        prev: found.get(3)?,
        salt: found.get(4)?,
        hash: found.get(5)?,
        entry: found.get(6)?,
    })
}

/// Verifies all logs of the store at `path` without writing to it; also beside a daemon.
///
/// # Errors
/// `Missing` when there is none, and what keeps it from being read.
pub fn verify(path: &Path, key: &Key) -> Result<Vec<LogReport>> {
    if !path.exists() {
        return Err(Error::new(Kind::Missing, format!("there is no store at {}", path.display())));
    }
    let say = |fault: Fault| fault.say(|| format!("could not verify the audit log of the store {}", path.display()));
    super::keyid::compare(path, key)?;
    let trust = Trust::only([key.audit_signer()?.public_key()]);
    let conn = connect(path, key, false).map_err(|e| say(e.into()))?;
    let _snapshot = conn.unchecked_transaction().map_err(|e| say(e.into()))?;
    verify_all(&conn, &trust).map_err(say)
}

/// The same on an open store.
pub(super) fn verify_all(conn: &Connection, trust: &Trust) -> Result<Vec<LogReport>, Fault> {
    logs(conn)?
        .into_iter()
        .map(|log| {
            let mut check = LogCheck::begin(&log, trust)?;
            while check.page(conn, i64::MAX, i64::MAX)? {}
            Ok(check.end())
        })
        .collect()
}

/// The same on a store in use: page by page, so that no look lasts long, each log as it was at the beginning.
pub(super) fn verify_by_pages(readers: &Readers) -> Result<Vec<LogReport>> {
    const WHAT: &str = "could not verify the audit log";
    let trust = readers.audit_trust()?;
    let (logs, last) = readers.look(WHAT, |view| {
        let last = view.conn().query_row("SELECT coalesce(max(id), 0) FROM audit", [], |row| row.get(0))?;
        Ok((logs(view.conn())?, last))
    })?;
    let each = logs.into_iter().map(|log| {
        let mut check = LogCheck::begin(&log, &trust)?;
        while readers.look(WHAT, |view| check.page(view.conn(), last, PAGE))? {}
        Ok(check.end())
    });
    each.collect()
}

/// Rows that are verified in one look.
const PAGE: i64 = 500;

/// One log under verification.
struct LogCheck {
    log: Uuid,
    verifier: LogVerifier,
    /// The last row that was looked at, in the order in which they were kept.
    after: i64,
}

impl LogCheck {
    fn begin(log: &Log, trust: &Trust) -> Result<Self> {
        let verifier = LogVerifier::new(log.id, &log.vehicle, log.ended, &log.head, trust)?;
        Ok(Self { log: log.id, verifier, after: 0 })
    }

    /// Looks at the next rows, at most `limit`, up to the row `last`; false when there are no more.
    fn page(&mut self, conn: &Connection, last: i64, limit: i64) -> Result<bool, Fault> {
        let mut all = conn.prepare_cached(
            "SELECT number, at, action, prev, salt, hash, entry, id FROM audit
             WHERE log = ?1 AND id > ?2 AND id <= ?3 ORDER BY id LIMIT ?4",
        )?;
        let mut found = all.query(params![self.log.as_bytes(), self.after, last, limit])?;
        let mut some = false;
        while let Some(found) = found.next()? {
            (some, self.after) = (true, found.get(7)?);
            self.verifier.push(&kept(found)?);
        }
        Ok(some)
    }

    fn end(self) -> LogReport {
        self.verifier.finish()
    }
}
