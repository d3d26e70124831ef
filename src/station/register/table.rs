//! The rows of the register.

use crate::rows::{Row, Rows};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::tls::Facts;

/// Whether a certificate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateState {
    /// It does.
    Active,
    /// It was renewed, and the new one is in use.
    Retired,
    /// Somebody took it back.
    Revoked,
}

impl CertificateState {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Active, Self::Retired, Self::Revoked].into_iter().find(|state| state.as_str() == word)
    }
}

/// That a certificate does not count any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Since when.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A certificate that the vehicle renewed by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The certificate over which it was asked for.
    pub of: Sha256,
    /// Hash of the request.
    pub request: Sha256,
    /// The new certificate (PEM).
    pub certificate: String,
}

/// A certificate of a vehicle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VehicleCertificate {
    /// What it says; its name is the vehicle's.
    pub facts: Facts,
    /// When it was entered.
    pub added: Timestamp,
    /// By whom.
    pub added_by: String,
    /// Set when the vehicle renewed it by itself.
    pub renewal: Option<Renewal>,
    /// When it was used first.
    pub first_used: Option<Timestamp>,
    /// Whether it counts.
    pub state: CertificateState,
    /// Set when it does not.
    pub end: Option<End>,
    /// Number of its last change, which grows over all rows.
    pub change: i64,
}

impl VehicleCertificate {
    /// One that counts from now on.
    pub fn new(facts: Facts, added: Timestamp, added_by: &str) -> Self {
        Self {
            facts,
            added,
            added_by: added_by.to_owned(),
            renewal: None,
            first_used: None,
            state: CertificateState::Active,
            end: None,
            change: 0,
        }
    }

    /// Makes it one that does not count any more.
    pub fn end(&mut self, state: CertificateState, at: Timestamp, by: &str, reason: &str) {
        self.state = state;
        self.end = Some(End { at, by: by.to_owned(), reason: reason.to_owned() });
    }
}

const COLUMNS: &str = "fingerprint, vehicle, serial, not_before, not_after, added, added_by, renews, request, \
                       certificate, first_used, state, ended, ended_by, reason, change";

impl Rows<'_> {
    /// The certificate of this fingerprint.
    pub fn vehicle_certificate(&self, fingerprint: &Sha256) -> Result<Option<VehicleCertificate>> {
        let sql = format!("SELECT {COLUMNS} FROM vehicle_certificates WHERE fingerprint = ?1");
        self.one(&sql, &[fingerprint], row)
    }

    /// Those that changed after this number, the last change last; all of them after 0.
    pub fn vehicle_certificates_after(&self, change: i64) -> Result<Vec<VehicleCertificate>> {
        let sql = format!("SELECT {COLUMNS} FROM vehicle_certificates WHERE change > ?1 ORDER BY change");
        self.all(&sql, &[&change], row)
    }

    /// Those of a vehicle, the last change last.
    pub fn certificates_of(&self, vehicle: &str) -> Result<Vec<VehicleCertificate>> {
        let sql = format!("SELECT {COLUMNS} FROM vehicle_certificates WHERE vehicle = ?1 ORDER BY change");
        self.all(&sql, &[&vehicle], row)
    }

    /// Adds a certificate or replaces its row; gives the number of the change.
    pub fn put_vehicle_certificate(&self, c: &VehicleCertificate) -> Result<i64> {
        let (facts, renewal, end) = (&c.facts, c.renewal.as_ref(), c.end.as_ref());
        let replaced: Vec<String> =
            COLUMNS.split(", ").skip(1).map(|column| format!("{column} = excluded.{column}")).collect();
        let sql = format!(
            "INSERT INTO vehicle_certificates ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
             ?11, ?12, ?13, ?14, ?15, (SELECT coalesce(max(change), 0) + 1 FROM vehicle_certificates))
             ON CONFLICT (fingerprint) DO UPDATE SET {} RETURNING change",
            replaced.join(", ")
        );
        let change = self.one(
            &sql,
            &[
                &facts.fingerprint,
                &facts.name,
                &facts.serial,
                &facts.not_before,
                &facts.not_after,
                &c.added,
                &c.added_by,
                &renewal.map(|r| r.of),
                &renewal.map(|r| r.request),
                &renewal.map(|r| &r.certificate),
                &c.first_used,
                &c.state.as_str(),
                &end.map(|end| end.at),
                &end.map(|end| &end.by),
                &end.map(|end| &end.reason),
            ],
            |row| row.get(0),
        )?;
        change.ok_or_else(|| Error::new(Kind::Internal, "a change of the register of vehicles had no number"))
    }
}

fn row(row: &Row<'_>) -> Result<VehicleCertificate> {
    let renewal = match row.get(7)? {
        Some(of) => Some(Renewal { of, request: row.get(8)?, certificate: row.get(9)? }),
        None => None,
    };
    let end = match row.get(12)? {
        Some(at) => Some(End { at, by: row.get(13)?, reason: row.get(14)? }),
        None => None,
    };
    let Some(state) = CertificateState::of(&row.get::<String>(11)?) else {
        return Err(Error::new(Kind::Damaged, "the register of vehicles holds a certificate of no known state"));
    };
    let (fingerprint, name, serial) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let facts = Facts { fingerprint, name, serial, not_before: row.get(3)?, not_after: row.get(4)? };
    let (added, added_by, first_used, change) = (row.get(5)?, row.get(6)?, row.get(10)?, row.get(15)?);
    Ok(VehicleCertificate { facts, added, added_by, renewal, first_used, state, end, change })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;
    use crate::key::ArchiveKey;

    #[test]
    fn a_certificate_is_kept_as_it_was_put_and_each_change_has_a_greater_number() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("station.db"), &ArchiveKey::of_tests()).unwrap();
        let at: Timestamp = "2026-11-26T08:00:00Z".parse().unwrap();
        let facts = |n: u8| Facts {
            fingerprint: Sha256::of(&[n]),
            name: "unit-7".into(),
            serial: "01af".into(),
            not_before: at,
            not_after: at,
        };
        let mut one = VehicleCertificate::new(facts(1), at, "chief");
        let mut two = VehicleCertificate::new(facts(2), at, "register");
        two.renewal = Some(Renewal { of: facts(1).fingerprint, request: Sha256::of(b"r"), certificate: "PEM".into() });
        let mut put = |c: &VehicleCertificate| database.transaction(|rows| rows.put_vehicle_certificate(c)).unwrap();
        assert_eq!((put(&one), put(&two)), (1, 2));
        one.end(CertificateState::Revoked, at, "chief", "the computer was stolen");
        assert_eq!(put(&one), 3);
        (one.change, two.change) = (3, 2);
        let all = database.transaction(|rows| rows.certificates_of("unit-7")).unwrap();
        assert_eq!(all, [two, one.clone()]);
        let after = database.transaction(|rows| rows.vehicle_certificates_after(2)).unwrap();
        assert_eq!(after, [one.clone()]);
        let found = database.transaction(|rows| rows.vehicle_certificate(&one.facts.fingerprint)).unwrap();
        assert_eq!(found, Some(one));
    }
}
