//! The heads of vehicles' audit logs (control P-22): what a vehicle has signed it can't take back.
//!
//! The key that signed the first head of a vehicle is the one that counts for it. Of each log the newest heads
//! are kept. A head that goes back, contradicts one that is here, or is signed by another key is a security
//! event: one row for each vehicle and kind, logged the first time and once an hour. Reads are taken all the
//! same: they may be the real vehicle's.

use super::rows::Rows;
use jiff::{SignedDuration, Timestamp};
use plated_access::audit::Head;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use uuid::Uuid;

/// Heads that are kept of each log. One that comes again was late on its way.
const MAX_HEADS: i64 = 1000;
/// The same event is logged again after so long.
const REPORT_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// What is wrong with a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadFault {
    /// It can't be used, or its signature is wrong.
    Unusable,
    /// It is of another vehicle than the one that sent it.
    OtherVehicle,
    /// It is signed by another key than the first head of this vehicle.
    OtherKey,
    /// It has fewer rows than a head that is here.
    WentBack,
    /// It has as many rows as a head that is here, and another hash.
    Rewritten,
    /// The vehicle had another log before.
    AnotherLog,
    /// The content of a row is not what its hash is of.
    RowChanged,
    /// A row came, and the one before it never did.
    RowsMissing,
}

impl HeadFault {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unusable => "audit_head_unusable",
            Self::OtherVehicle => "audit_head_of_another_vehicle",
            Self::OtherKey => "audit_head_of_another_key",
            Self::WentBack => "audit_head_went_back",
            Self::Rewritten => "audit_log_rewritten",
            Self::AnotherLog => "audit_log_begun_anew",
            Self::RowChanged => "audit_row_changed",
            Self::RowsMissing => "audit_rows_missing",
        }
    }

    /// What happened, for an administrator.
    pub fn text(self) -> &'static str {
        match self {
            Self::Unusable => "the head of the audit log can't be used or its signature is wrong",
            Self::OtherVehicle => "the head of the audit log is another vehicle's",
            Self::OtherKey => "the head of the audit log is signed by another key than before",
            Self::WentBack => "the audit log has fewer rows than were signed before",
            Self::Rewritten => "the audit log was written anew: it has another row than the one that was signed before",
            Self::AnotherLog => "another audit log was begun, as when a store is lost",
            Self::RowChanged => "a row of the audit log was changed after it was written",
            Self::RowsMissing => "rows of the audit log are missing between those that came",
        }
    }

    /// That of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [
            Self::Unusable,
            Self::OtherVehicle,
            Self::OtherKey,
            Self::WentBack,
            Self::Rewritten,
            Self::AnotherLog,
            Self::RowChanged,
            Self::RowsMissing,
        ];
        all.into_iter().find(|fault| fault.as_str() == word)
    }
}

/// A security event of a vehicle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityEvent {
    /// The vehicle.
    pub vehicle: String,
    /// What happened, as a word.
    pub indicator: String,
    /// First.
    pub first_seen: Timestamp,
    /// And last.
    pub last_seen: Timestamp,
    /// How often.
    pub times: u64,
}

impl Rows<'_> {
    /// Keeps the head that came with a batch of `vehicle`; gives what is to be logged of it.
    pub fn audit_head(&self, vehicle: &str, signed: &str, now: Timestamp) -> Result<Option<HeadFault>> {
        let fault = match Head::signed_by(signed.as_bytes()) {
            Ok((head, key)) if head.vehicle == vehicle => self.keep_head(&head, &key, signed, now)?,
            Ok(_) => Some(HeadFault::OtherVehicle),
            Err(_) => Some(HeadFault::Unusable),
        };
        let Some(fault) = fault else { return Ok(None) };
        Ok(self.security_event(vehicle, fault.as_str(), now)?.then_some(fault))
    }

    /// Whether a head of the same log with more rows is here, and this one is not.
    pub(super) fn has_newer_head(&self, vehicle: &str, signed: &str) -> Result<bool> {
        // What can't be used is told of where heads are kept.
        let Ok((head, _)) = Head::signed_by(signed.as_bytes()) else { return Ok(false) };
        let sql = "SELECT EXISTS (SELECT 1 FROM audit_heads WHERE vehicle = ?1 AND log = ?2 AND number > ?3)
                     AND NOT EXISTS (SELECT 1 FROM audit_heads WHERE vehicle = ?1 AND log = ?2 AND number = ?3)";
        let newer = self.one(sql, &[&vehicle, &head.log, &head.number], |row| row.get(0))?;
        Ok(newer.unwrap_or_default())
    }

    fn keep_head(&self, head: &Head, key: &[u8; 32], signed: &str, now: Timestamp) -> Result<Option<HeadFault>> {
        let vehicle = &head.vehicle;
        self.run(
            "INSERT INTO audit_keys (vehicle, key, first_seen) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            &[vehicle, key, &now],
        )?;
        let known: Option<[u8; 32]> =
            self.one("SELECT key FROM audit_keys WHERE vehicle = ?1", &[vehicle], |row| row.get(0))?;
        if known != Some(*key) {
            return Ok(Some(HeadFault::OtherKey));
        }
        let log = &head.log;
        let same: Option<Sha256> = self.one(
            "SELECT hash FROM audit_heads WHERE vehicle = ?1 AND log = ?2 AND number = ?3",
            &[vehicle, log, &head.number],
            |row| row.get(0),
        )?;
        match same {
            Some(hash) if hash == head.hash => return Ok(None),
            Some(_) => return Ok(Some(HeadFault::Rewritten)),
            None => {}
        }
        let (newest, logs): (Option<i64>, i64) = self
            .one(
                "SELECT (SELECT max(number) FROM audit_heads WHERE vehicle = ?1 AND log = ?2),
                        (SELECT count(*) FROM audit_heads WHERE vehicle = ?1)",
                &[vehicle, log],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?
            .unwrap_or_default();
        if newest.is_some_and(|newest| head.number < newest) {
            return Ok(Some(HeadFault::WentBack));
        }
        // The row that is signed may be here already.
        let row: Option<Sha256> = self.one(
            "SELECT hash FROM vehicle_audit WHERE vehicle = ?1 AND log = ?2 AND number = ?3",
            &[vehicle, log, &head.number],
            |row| row.get(0),
        )?;
        if row.is_some_and(|hash| hash != head.hash) {
            return Ok(Some(HeadFault::Rewritten));
        }
        self.run(
            "INSERT INTO audit_heads (vehicle, log, number, hash, at, received, signed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            &[vehicle, log, &head.number, &head.hash, &head.at, &now, &signed],
        )?;
        self.run(
            "DELETE FROM audit_heads WHERE vehicle = ?1 AND log = ?2 AND number <=
               (SELECT number FROM audit_heads WHERE vehicle = ?1 AND log = ?2
                ORDER BY number DESC LIMIT 1 OFFSET ?3)",
            &[vehicle, log, &MAX_HEADS],
        )?;
        Ok((newest.is_none() && logs > 0).then_some(HeadFault::AnotherLog))
    }

    /// Whether a row contradicts a head that the vehicle signed.
    pub(super) fn contradicts_head(&self, vehicle: &str, log: Uuid, number: i64, hash: &Sha256) -> Result<bool> {
        let signed: Option<Sha256> = self.one(
            "SELECT hash FROM audit_heads WHERE vehicle = ?1 AND log = ?2 AND number = ?3",
            &[&vehicle, &log, &number],
            |row| row.get(0),
        )?;
        Ok(signed.is_some_and(|signed| signed != *hash))
    }

    /// Notes a security event; true when it is to be logged.
    pub(super) fn security_event(&self, vehicle: &str, indicator: &str, now: Timestamp) -> Result<bool> {
        let before: Option<i64> = self.one(
            "SELECT last_seen FROM security_events WHERE vehicle = ?1 AND indicator = ?2",
            &[&vehicle, &indicator],
            |row| row.get(0),
        )?;
        self.run(
            "INSERT INTO security_events (vehicle, indicator, first_seen, last_seen, times) VALUES (?1, ?2, ?3, ?3, 1)
             ON CONFLICT (vehicle, indicator) DO UPDATE
             SET last_seen = excluded.last_seen, times = security_events.times + 1",
            &[&vehicle, &indicator, &now],
        )?;
        let again = REPORT_AGAIN.as_micros().unsigned_abs();
        Ok(before.is_none_or(|before| u128::from(now.as_microsecond().abs_diff(before)) >= again))
    }

    /// All security events, by vehicle.
    pub fn security_events(&self) -> Result<Vec<SecurityEvent>> {
        self.all(
            "SELECT vehicle, indicator, first_seen, last_seen, times FROM security_events ORDER BY vehicle, indicator",
            &[],
            |row| {
                let (first_seen, last_seen, times) = (row.get(2)?, row.get(3)?, row.get(4)?);
                Ok(SecurityEvent { vehicle: row.get(0)?, indicator: row.get(1)?, first_seen, last_seen, times })
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;
    use plated_core::signing::Signer;

    // policy: P-22, P-26
    #[test]
    fn a_head_that_goes_back_or_contradicts_what_was_signed_is_a_security_event_and_a_late_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("station.db"), &crate::key::ArchiveKey::of_tests()).unwrap();
        let (signer, now) = (Signer::generate().unwrap(), "2026-11-26T08:00:00Z".parse::<Timestamp>().unwrap());
        let start = Head::start("unit-7", Uuid::now_v7(), now);
        let head = |number: i64, mark: &str| Head { number, hash: Sha256::of(mark.as_bytes()), ..start.clone() };
        let sign = |head: &Head| head.sign(&signer).unwrap();
        let mut send =
            |vehicle: &str, text: &str| database.transaction(|rows| rows.audit_head(vehicle, text, now)).unwrap();
        let five = sign(&head(5, "5"));
        assert_eq!(send("unit-7", &five), None, "the first one, by the key that counts from then on");
        assert_eq!(send("unit-7", &sign(&head(9, "9"))), None);
        assert_eq!(send("unit-7", &five), None, "it was late on its way");
        assert_eq!(send("unit-7", &sign(&head(7, "7"))), Some(HeadFault::WentBack));
        assert_eq!(send("unit-7", &sign(&head(8, "8"))), None, "told of already in this hour");
        assert_eq!(send("unit-7", &sign(&head(9, "another 9"))), Some(HeadFault::Rewritten));
        assert_eq!(send("unit-8", &sign(&head(12, "12"))), Some(HeadFault::OtherVehicle));
        let other = Signer::generate().unwrap();
        assert_eq!(send("unit-7", &head(12, "12").sign(&other).unwrap()), Some(HeadFault::OtherKey));
        assert_eq!(send("unit-7", &five.replace("\"number\":5", "\"number\":15")), Some(HeadFault::Unusable));
        let anew = Head { number: 1, hash: Sha256::of(b"1"), ..Head::start("unit-7", Uuid::now_v7(), now) };
        assert_eq!(send("unit-7", &sign(&anew)), Some(HeadFault::AnotherLog));
        assert_eq!(send("unit-7", &sign(&head(10, "10"))), None, "and the log before may go on");
        let events = database.transaction(|rows| rows.security_events()).unwrap();
        let times = |word: &str| events.iter().find(|e| e.indicator == word).map_or(0, |e| e.times);
        assert_eq!((times("audit_head_went_back"), times("audit_log_rewritten"), events.len()), (2, 1, 6));
    }
}
