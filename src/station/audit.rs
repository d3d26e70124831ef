//! The station's own audit log (control P-22): the chain of rows that [`plated_access::audit`] makes. A row is
//! written in the transaction of the change that it speaks of, and the head, signed with the key of the hotlists,
//! with it. A row follows the head that was signed last: so rows that were cut off stay missing.

use super::rows::Rows;
use jiff::Timestamp;
use plated_access::audit::{Entry, Head, KeptRow, LogReport, LogVerifier};
use plated_access::{AccessRecord, Actor};
use plated_core::error::Result;
use plated_core::signing::{Signer, Trust};
use serde_json::json;
use uuid::Uuid;

/// Rows that are looked at at once.
const AT_ONCE: u32 = 1000;

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

impl Rows<'_> {
    /// Adds a row to the station's log, in this transaction.
    pub fn record(&self, stamp: &Stamp<'_>, record: &AccessRecord) -> Result<()> {
        let head = self.audit_head_to_follow(stamp)?;
        self.add_to_log(stamp, &head, record)
    }

    fn add_to_log(&self, stamp: &Stamp<'_>, head: &Head, record: &AccessRecord) -> Result<()> {
        let (row, head) = head.next(Entry::of(record, stamp.at, true)?)?;
        let KeptRow { number, at, action, prev, salt, hash, entry } = KeptRow::of(&row)?;
        self.run(
            "INSERT INTO station_audit (log, number, at, action, prev, salt, hash, entry)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &[&head.log, &number, &at, &action, &prev, &salt, &hash, &entry],
        )?;
        let sql = "UPDATE station_audit_log SET head = ?2 WHERE id = ?1";
        self.run(sql, &[&head.log, &head.sign(stamp.signer)?]).map(drop)
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
        let begun = AccessRecord::done(&actor, "audit_log_begun", "the log before it can't be gone on with", subject)?;
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
    pub fn verify_log(&self, trust: &Trust) -> Result<Vec<LogReport>> {
        let logs: Vec<(Uuid, String, bool, String)> =
            self.all("SELECT id, station, ended, head FROM station_audit_log ORDER BY ended DESC, id", &[], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
        logs.into_iter()
            .map(|(log, station, ended, head)| {
                self.verify_one(log, LogVerifier::new(log, &station, ended, &head, trust)?)
            })
            .collect()
    }

    fn verify_one(&self, log: Uuid, mut verifier: LogVerifier) -> Result<LogReport> {
        let sql = "SELECT number, at, action, prev, salt, hash, entry FROM station_audit WHERE log = ?1 AND number > ?2
                   ORDER BY number LIMIT ?3";
        let mut after = 0_i64;
        loop {
            let page = self.all(sql, &[&log, &after, &AT_ONCE], |row| {
                let (number, at, action, prev) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(KeptRow { number, at, action, prev, salt: row.get(4)?, hash: row.get(5)?, entry: row.get(6)? })
            })?;
            let Some(last) = page.last() else { return Ok(verifier.finish()) };
            after = last.number;
            page.iter().for_each(|row| verifier.push(row));
        }
    }
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
        let record = || {
            AccessRecord::done(&Actor::of_this_process(), "hotlist_published", "a test", json!({ "list": "svs" }))
                .unwrap()
        };
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
