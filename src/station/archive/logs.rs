//! The verification of the audit logs that the archive keeps (control P-22): its own, and those of vehicles as far as
//! they came. Page by page, so that no look lasts long and no log of the database grows by it.

use super::report::CheckReport;
use crate::database::Database;
use crate::key::ArchiveKey;
use crate::rows::{self as found, Rows};
use jiff::Timestamp;
use plated_access::audit::{Head, KeptRow, Link, LogReport, LogVerifier, Row, Verifier};
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::signing::{Purpose, Trust};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// Rows that are looked at in one look.
const AT_ONCE: u32 = 200;

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
pub(super) fn of_vehicles(database: &Mutex<Database>) -> Result<Vec<VehicleLog>> {
    let logs = look(database, logs)?;
    logs.into_iter().map(|(vehicle, log)| of_vehicle(database, vehicle, log)).collect()
}

fn look<T>(database: &Mutex<Database>, look: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
    database.lock().unwrap_or_else(PoisonError::into_inner).read(look)
}

/// Vehicle and id of each log of which there is a row or a head.
fn logs(rows: &Rows<'_>) -> Result<BTreeSet<(String, Uuid)>> {
    let of = |row: &found::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let signed = rows.all("SELECT vehicle, log FROM audit_heads GROUP BY vehicle, log", &[], of)?;
    let mut all: BTreeSet<(String, Uuid)> = signed.into_iter().collect();
    // From log to log, over their rows.
    let sql = "SELECT vehicle, log FROM vehicle_audit WHERE (vehicle, log) > (?1, ?2) ORDER BY vehicle, log LIMIT 1";
    let mut after = (String::new(), Uuid::nil());
    while let Some(next) = rows.one(sql, &[&after.0, &after.1], of)? {
        all.insert(next.clone());
        after = next;
    }
    Ok(all)
}

/// A row as vehicles export it.
#[derive(serde::Deserialize)]
struct Line {
    row: Row,
}

fn of_vehicle(database: &Mutex<Database>, vehicle: String, log: Uuid) -> Result<VehicleLog> {
    let start = Head::start(&vehicle, log, Timestamp::UNIX_EPOCH);
    let (mut verifier, start) = (Verifier::new(start.clone())?, start.hash);
    let (last, key, heads) = look(database, |rows| signed(rows, &vehicle, log))?;
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
    let mut after = 0_i64;
    loop {
        let sql = "SELECT number, prev, hash, json FROM vehicle_audit
                   WHERE vehicle = ?1 AND log = ?2 AND number > ?3 ORDER BY number LIMIT ?4";
        let page: Vec<(i64, Sha256, Sha256, Vec<u8>)> = look(database, |rows| {
            rows.all(sql, &[&vehicle, &log, &after, &AT_ONCE], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
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

fn signed(rows: &Rows<'_>, vehicle: &str, log: Uuid) -> Result<Signed> {
    let sql = "SELECT max(number) FROM vehicle_audit WHERE vehicle = ?1 AND log = ?2";
    let last: Option<i64> = rows.one(sql, &[&vehicle, &log], |row| row.get(0))?.flatten();
    let key = rows.one("SELECT key FROM audit_keys WHERE vehicle = ?1", &[&vehicle], |row| row.get(0))?;
    let sql = "SELECT signed FROM audit_heads WHERE vehicle = ?1 AND log = ?2 ORDER BY number";
    let heads = rows.all(sql, &[&vehicle, &log], |row| row.get(0))?;
    Ok((last.unwrap_or(0), key, heads))
}

/// The archive's own logs, the one that goes on last.
pub(super) fn own(database: &Mutex<Database>, key: &ArchiveKey, station: &str) -> Result<Vec<LogReport>> {
    let logs: Vec<(Uuid, String)> = look(database, |rows| {
        rows.all("SELECT id, head FROM audit_log ORDER BY id", &[], |row| Ok((row.get(0)?, row.get(1)?)))
    })?;
    let trust = Trust::only([key.signer(Purpose::AUDIT_HEAD)?.public_key()]);
    let count = logs.len();
    logs.into_iter()
        .enumerate()
        .map(|(n, (log, head))| {
            let owner = Head::signed_by(head.as_bytes()).map_or_else(|_| station.to_owned(), |(h, _)| h.vehicle);
            let mut verifier = LogVerifier::new(log, &owner, n + 1 < count, &head, &trust)?;
            let mut after = 0;
            loop {
                let page = look(database, |rows| kept(rows, log, after))?;
                let Some(last) = page.last() else { return Ok(verifier.finish()) };
                after = last.number;
                page.iter().for_each(|row| verifier.push(row));
            }
        })
        .collect()
}

fn kept(rows: &Rows<'_>, log: Uuid, after: i64) -> Result<Vec<KeptRow>> {
    let sql = "SELECT number, at, action, prev, salt, hash, entry FROM audit
               WHERE log = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    rows.all(sql, &[&log, &after, &AT_ONCE], |row| {
        let (number, at, action, prev) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(KeptRow { number, at, action, prev, salt: row.get(4)?, hash: row.get(5)?, entry: row.get(6)? })
    })
}

/// Looks at each log of a vehicle: it is as it was written, as far as it came.
pub(super) fn check(database: &Mutex<Database>, report: &mut CheckReport) -> Result<()> {
    for VehicleLog { vehicle, log, .. } in of_vehicles(database)? {
        report.documents += log.rows.rows;
        if let Some(fault) = log.fault() {
            report.problem(format!("the audit log {} of {vehicle}: {fault}", log.log));
        }
    }
    Ok(())
}
