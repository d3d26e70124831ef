//! The verification of the audit logs that the archive keeps (control P-22): its own, and those of vehicles as far as
//! they came. Page by page, so that no look lasts long and no log of the database grows by it.

use super::SqliteArchive;
use super::unit::lock;
use crate::database::{Rows, could_not_read};
use crate::sqlcipher::SqlContext;
use jiff::Timestamp;
use plated_access::audit::{Head, KeptRow, Link, LogReport, LogVerifier, Row, Verifier};
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::signing::{Purpose, Trust};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Rows that are looked at in one look.
const AT_ONCE: i64 = 200;

/// An audit log of a vehicle, as far as it came.
#[derive(Clone, Debug)]
pub struct VehicleLog {
    /// The vehicle.
    pub vehicle: String,
    /// What is here of it.
    pub log: LogReport,
    /// The last row that the vehicle signed, where that did not come yet.
    pub to_come: Option<i64>,
}

/// All logs of vehicles, by vehicle.
pub(super) fn of_vehicles(archive: &SqliteArchive) -> Result<Vec<VehicleLog>> {
    let logs = lock(&archive.main).transaction(logs)?;
    logs.into_iter().map(|(vehicle, log)| of_vehicle(archive, vehicle, log)).collect()
}

/// Vehicle and id of each log of which there is a row or a head.
fn logs(rows: &Rows<'_>) -> Result<BTreeSet<(String, [u8; 16])>> {
    let signed = rows.0.prepare("SELECT vehicle, log FROM audit_heads GROUP BY vehicle, log");
    let mut all: BTreeSet<(String, [u8; 16])> = signed
        .and_then(|mut s| s.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .sql(could_not_read)?;
    // From log to log, over their rows.
    let mut after = (String::new(), [0; 16]);
    loop {
        let next: Option<(String, [u8; 16])> = rows
            .0
            .prepare_cached(
                "SELECT vehicle, log FROM vehicle_audit WHERE (vehicle, log) > (?1, ?2) ORDER BY vehicle, log LIMIT 1",
            )
            .and_then(|mut s| s.query_row((&after.0, after.1), |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .sql(could_not_read)?;
        let Some(next) = next else { return Ok(all) };
        all.insert(next.clone());
        after = next;
    }
}

/// A row as vehicles export it.
#[derive(serde::Deserialize)]
struct Line {
    row: Row,
}

fn of_vehicle(archive: &SqliteArchive, vehicle: String, id: [u8; 16]) -> Result<VehicleLog> {
    let log = Uuid::from_bytes(id);
    let start = Head::start(&vehicle, log, Timestamp::UNIX_EPOCH);
    let (mut verifier, start) = (Verifier::new(start.clone())?, start.hash);
    let (last, key, heads) = lock(&archive.main).transaction(|rows| signed(rows, &vehicle, &id))?;
    let (mut problems, mut to_come) = (Vec::new(), None);
    if let Some(key) = key {
        let trust = Trust::only([key]);
        for text in heads {
            match Head::open(text.as_bytes(), &trust) {
                Ok(head) if head.number > last => to_come = to_come.max(Some(head.number)),
                Ok(head) => verifier.head(head).unwrap_or_else(|e| problems.push(e.chain())),
                Err(e) => problems.push(e.chain()),
            }
        }
    }
    let mut after = 0;
    loop {
        let page: Vec<(i64, Sha256, Sha256, Vec<u8>)> = lock(&archive.main).transaction(|rows| {
            rows.0
                .prepare_cached(
                    "SELECT number, prev, hash, json FROM vehicle_audit
                     WHERE vehicle = ?1 AND log = ?2 AND number > ?3 ORDER BY number LIMIT ?4",
                )
                .and_then(|mut s| {
                    s.query_map(params![vehicle, id, after, AT_ONCE], |row| {
                        Ok((row.get(0)?, Sha256(row.get(1)?), Sha256(row.get(2)?), row.get(3)?))
                    })?
                    .collect()
                })
                .sql(could_not_read)
        })?;
        let Some((number, ..)) = page.last() else { break };
        after = *number;
        for (number, prev, hash, json) in page {
            // Content that a newer vehicle writes otherwise is counted, and its place in the chain looked at. How such a log
            // begins is not known here.
            let content = serde_json::from_slice::<Line>(&json).ok().map(|line| line.row.link());
            let computed = content.map_or(hash, |link| link.computed);
            if content.is_some_and(|link| (link.number, link.prev, link.hash) != (number, prev, hash)) {
                problems.push(format!("row {number}: the columns beside it differ from it"));
            }
            let prev = if content.is_none() && number == 1 { start } else { prev };
            verifier.push(Link { number, prev, hash, computed });
        }
    }
    let rows = verifier.finish();
    Ok(VehicleLog { vehicle, log: LogReport { log, ended: false, rows, problems }, to_come })
}

/// The last row that is here, the key that counts for the vehicle, and what it signed of this log.
type Signed = (i64, Option<[u8; 32]>, Vec<String>);

fn signed(rows: &Rows<'_>, vehicle: &str, log: &[u8; 16]) -> Result<Signed> {
    let last: Option<i64> = rows
        .0
        .query_row(
            "SELECT max(number) FROM vehicle_audit WHERE vehicle = ?1 AND log = ?2",
            params![vehicle, log],
            |row| row.get(0),
        )
        .sql(could_not_read)?;
    let key = rows
        .0
        .query_row("SELECT key FROM audit_keys WHERE vehicle = ?1", [vehicle], |row| row.get(0))
        .optional()
        .sql(could_not_read)?;
    let heads = rows
        .0
        .prepare_cached("SELECT signed FROM audit_heads WHERE vehicle = ?1 AND log = ?2 ORDER BY number")
        .and_then(|mut s| s.query_map(params![vehicle, log], |row| row.get(0))?.collect())
        .sql(could_not_read)?;
    Ok((last.unwrap_or(0), key, heads))
}

/// The archive's own logs, the one that goes on last.
pub(super) fn own(archive: &SqliteArchive) -> Result<Vec<LogReport>> {
    let logs: Vec<([u8; 16], String)> = lock(&archive.main).transaction(|rows| {
        let all = rows.0.prepare("SELECT id, head FROM audit_log ORDER BY id");
        all.and_then(|mut s| s.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()).sql(could_not_read)
    })?;
    let trust = Trust::only([archive.key.signer(Purpose::AUDIT_HEAD)?.public_key()]);
    let count = logs.len();
    logs.into_iter()
        .enumerate()
        .map(|(n, (id, head))| {
            let log = Uuid::from_bytes(id);
            let owner = Head::signed_by(head.as_bytes()).map_or_else(|_| archive.station.clone(), |(h, _)| h.vehicle);
            let mut verifier = LogVerifier::new(log, &owner, n + 1 < count, &head, &trust)?;
            let mut after = 0;
            loop {
                let page = lock(&archive.main).transaction(|rows| kept(rows, &id, after))?;
                let Some(last) = page.last() else { return Ok(verifier.finish()) };
                after = last.number;
                page.iter().for_each(|row| verifier.push(row));
            }
        })
        .collect()
}

fn kept(rows: &Rows<'_>, log: &[u8; 16], after: i64) -> Result<Vec<KeptRow>> {
    rows.0
        .prepare_cached(
            "SELECT number, at, action, prev, salt, hash, entry FROM audit
             WHERE log = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
        )
        .and_then(|mut s| {
            s.query_map(params![log, after, AT_ONCE], |row| {
                Ok(KeptRow {
                    number: row.get(0)?,
                    at: row.get(1)?,
                    action: row.get(2)?,
                    prev: row.get(3)?,
                    salt: row.get(4)?,
                    hash: row.get(5)?,
                    entry: row.get(6)?,
                })
            })?
            .collect()
        })
        .sql(could_not_read)
}
