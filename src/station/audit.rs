//! The station's own audit log (control P-22): the chain of rows that [`plated_access::audit`] makes. A row is
//! written in the transaction of the change that it speaks of, and the head, signed with the key of the hotlists,
//! with it. A row follows the head that was signed last: so rows that were cut off stay missing.

use super::rows::{self, Rows};
use jiff::Timestamp;
use plated_access::audit::{Entry, Head, Report, Row, Salt, Verifier};
use plated_access::{AccessRecord, Actor, Case, Outcome, Reason};
use plated_core::error::{Context, Kind, Result};
use plated_core::signing::{Signer, Trust};
use serde_json::{Value, json};
use uuid::Uuid;

/// When something is written, in whose log, and who signs for it.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// When.
    pub at: Timestamp,
    /// The station's name.
    pub station: &'a str,
    /// The key of the hotlists.
    pub signer: &'a Signer,
}

/// What the verification of a log found.
#[derive(Clone, Debug)]
pub struct StationLog {
    /// Names it.
    pub log: Uuid,
    /// No row is added to it any more.
    pub ended: bool,
    /// Its rows.
    pub rows: Report,
    /// What is wrong besides, in words.
    pub problems: Vec<String>,
}

impl StationLog {
    /// What is wrong, in words; none when all is as it was written.
    pub fn fault(&self) -> Option<String> {
        if self.rows.is_whole() && self.problems.is_empty() {
            return None;
        }
        let faults = self.rows.faults.iter().map(ToString::to_string).chain(self.problems.iter().cloned());
        Some(faults.take(3).collect::<Vec<_>>().join("; "))
    }
}

/// The record of something that `actor` did.
///
/// # Errors
/// `Config` when the reason is none.
pub fn done(actor: &Actor, what: &'static str, reason: &str, subject: Value) -> Result<AccessRecord> {
    Ok(AccessRecord {
        actor: actor.clone(),
        what,
        reason: Reason::new(reason)?,
        case: Case::none(),
        subject,
        outcome: Outcome::Done,
        rows: None,
        about: None,
    })
}

impl Rows<'_> {
    /// Adds a row to the station's log, in this transaction.
    pub fn record(&self, stamp: &Stamp<'_>, record: &AccessRecord) -> Result<()> {
        let head = self.audit_head_to_follow(stamp)?;
        self.add_to_log(stamp, &head, record)
    }

    fn add_to_log(&self, stamp: &Stamp<'_>, head: &Head, record: &AccessRecord) -> Result<()> {
        let (row, head) = head.next(Entry::of(record, stamp.at, true)?)?;
        let entry = serde_json::to_string(&row.entry)
            .context(Kind::Internal, || "a row of the audit log can't be written as JSON".into())?;
        let (log, signed, action) = (head.log, head.sign(stamp.signer)?, row.entry.action.as_str());
        self.run(
            "INSERT INTO station_audit (log, number, at, action, prev, salt, hash, entry)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &[&log, &row.number, &row.entry.at, &action, &row.prev, row.salt.as_bytes(), &row.hash, &entry],
        )?;
        self.run("UPDATE station_audit_log SET head = ?2 WHERE id = ?1", &[&log, &signed]).map(drop)
    }

    /// The head that the next row follows. A log whose head can't be used, or that another key signed, is ended and
    /// another one begun, which says so.
    fn audit_head_to_follow(&self, stamp: &Stamp<'_>) -> Result<Head> {
        let found: Option<(Uuid, String)> =
            self.one("SELECT id, head FROM station_audit_log WHERE ended = 0", &[], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let Some((id, text)) = found else { return self.begin_log(stamp) };
        let why = match Head::open(text.as_bytes(), &Trust::only([stamp.signer.public_key()])) {
            Ok(head) if head.log == id && head.vehicle == stamp.station => return Ok(head),
            Ok(_) => "it is of another station".to_owned(),
            Err(e) => e.chain(),
        };
        tracing::error!(log = %id, "The station's audit log can't be gone on with: {why}. Another one is begun");
        self.run("UPDATE station_audit_log SET ended = 1 WHERE ended = 0", &[])?;
        let head = self.begin_log(stamp)?;
        let actor = Actor::of_this_process();
        let subject = json!({ "after_log": id });
        let begun = done(&actor, "audit_log_begun", "the log before it can't be gone on with", subject)?;
        self.add_to_log(stamp, &head, &begun)?;
        self.audit_head_to_follow(stamp)
    }

    fn begin_log(&self, stamp: &Stamp<'_>) -> Result<Head> {
        let head = Head::start(stamp.station, Uuid::now_v7(), stamp.at);
        let signed = head.sign(stamp.signer)?;
        self.run(
            "INSERT INTO station_audit_log (id, station, ended, head) VALUES (?1, ?2, 0, ?3)",
            &[&head.log, &head.vehicle, &signed],
        )?;
        Ok(head)
    }

    /// Verifies all logs of the station, the one that goes on last. No row is shown.
    pub fn verify_log(&self, trust: &Trust) -> Result<Vec<StationLog>> {
        let logs: Vec<(Uuid, String, bool, String)> =
            self.all("SELECT id, station, ended, head FROM station_audit_log ORDER BY ended DESC, id", &[], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
        logs.into_iter()
            .map(|(log, station, ended, head)| self.verify_one(log, &station, ended, &head, trust))
            .collect()
    }

    fn verify_one(&self, log: Uuid, station: &str, ended: bool, head: &str, trust: &Trust) -> Result<StationLog> {
        let mut verifier = Verifier::new(Head::start(station, log, Timestamp::UNIX_EPOCH))?;
        let mut problems = Vec::new();
        if let Err(e) = Head::open(head.as_bytes(), trust).and_then(|head| verifier.head(head)) {
            problems.push(e.chain());
        }
        self.all(
            "SELECT number, prev, salt, hash, entry, at, action FROM station_audit WHERE log = ?1 ORDER BY number",
            &[&log],
            |found| {
                let number: i64 = found.get(0)?;
                let Some(row) = row(found)? else {
                    problems.push(format!("row {number} is no row"));
                    return Ok(());
                };
                let beside: (i64, String) = (found.get(5)?, found.get(6)?);
                if beside != (row.entry.at.as_microsecond(), row.entry.action.as_str().to_owned()) {
                    problems.push(format!("row {number}: the columns beside the entry differ from it"));
                }
                verifier.push(row.link());
                Ok(())
            },
        )?;
        Ok(StationLog { log, ended, rows: verifier.finish(), problems })
    }
}

/// `number, prev, salt, hash, entry`; `None` when it is no row.
fn row(found: &rows::Row<'_>) -> Result<Option<Row>> {
    let entry: String = found.get(4)?;
    let (number, prev, salt, hash) = (found.get(0)?, found.get(1)?, found.get(2)?, found.get(3)?);
    Ok(serde_json::from_str(&entry).ok().map(|entry| Row { number, prev, salt: Salt::new(salt), entry, hash }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;
    use crate::key::ArchiveKey;

    // policy: P-22
    #[test]
    fn a_row_of_the_stations_log_that_was_changed_or_cut_off_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("station.db");
        let signer = Signer::generate().unwrap();
        let stamp = Stamp { at: "2026-11-26T08:00:00Z".parse().unwrap(), station: "station-1", signer: &signer };
        let record =
            || done(&Actor::of_this_process(), "hotlist_published", "a test", json!({ "list": "svs" })).unwrap();
        let write = |database: &mut Database| database.transaction(|rows| rows.record(&stamp, &record())).unwrap();
        let mut database = Database::open(&path, &ArchiveKey::of_tests()).unwrap();
        (0..3).for_each(|_| write(&mut database));
        let trust = Trust::only([signer.public_key()]);
        let verify = |database: &mut Database| {
            let logs = database.transaction(|rows| rows.verify_log(&trust)).unwrap();
            logs.iter().map(|log| (log.ended, log.fault().is_some())).collect::<Vec<_>>()
        };
        assert_eq!(verify(&mut database), [(false, false)]);
        let change = |database: &mut Database, sql: &str| {
            database.transaction(|rows| rows.run(sql, &[])).unwrap();
        };
        change(&mut database, "DELETE FROM station_audit WHERE number = 3");
        write(&mut database);
        assert_eq!(verify(&mut database), [(false, true)], "what was cut off stays missing");
        // A log with a head of somebody else is ended, and the one that follows says why.
        change(&mut database, "UPDATE station_audit_log SET head = replace(head, '\"number\":4', '\"number\":2')");
        write(&mut database);
        assert_eq!(verify(&mut database), [(true, true), (false, false)]);
        let sql = "SELECT action FROM station_audit ORDER BY log DESC, number LIMIT 1";
        let begun: Option<String> = database.transaction(|rows| rows.one(sql, &[], |row| row.get(0))).unwrap();
        assert_eq!(begun.as_deref(), Some("audit_log_begun"));
    }
}
