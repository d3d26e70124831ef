//! The rows of what is handed out.

use crate::rows::{Row, Rows};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::Result;

/// What is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvisionKind {
    /// The accounts of one vehicle.
    Users,
    /// What the agency sets.
    Settings,
    /// Detector and reader.
    Models,
}

impl ProvisionKind {
    /// The word in the database and in the call.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Settings => "settings",
            Self::Models => "models",
        }
    }
}

/// A document that is handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provision {
    /// Which.
    pub kind: ProvisionKind,
    /// For which vehicle; empty for all.
    pub vehicle: String,
    /// Its number.
    pub serial: u64,
    /// When it was made.
    pub made: Timestamp,
    /// By whom.
    pub by: String,
    /// As it was signed.
    pub signed: String,
    /// Digest of the accounts in it, to tell whether they changed since.
    pub digest: Option<Sha256>,
}

impl Rows<'_> {
    /// What is handed out of this kind, for this vehicle or for all.
    pub fn provision(&self, kind: ProvisionKind, vehicle: &str) -> Result<Option<Provision>> {
        let sql =
            "SELECT vehicle, serial, made, by_user, signed, digest FROM provisions WHERE kind = ?1 AND vehicle = ?2";
        self.one(sql, &[&kind.as_str(), &vehicle], |row| provision(kind, row))
    }

    /// All of this kind, by vehicle.
    pub fn provisions(&self, kind: ProvisionKind) -> Result<Vec<Provision>> {
        let sql =
            "SELECT vehicle, serial, made, by_user, signed, digest FROM provisions WHERE kind = ?1 ORDER BY vehicle";
        self.all(sql, &[&kind.as_str()], |row| provision(kind, row))
    }

    /// Hands out a document from now on, in the place of the one before.
    pub fn put_provision(&self, p: &Provision) -> Result<()> {
        self.run(
            "INSERT INTO provisions (kind, vehicle, serial, made, by_user, signed, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (kind, vehicle) DO UPDATE SET serial = excluded.serial, made = excluded.made,
               by_user = excluded.by_user, signed = excluded.signed, digest = excluded.digest",
            &[&p.kind.as_str(), &p.vehicle, &p.serial, &p.made, &p.by, &p.signed, &p.digest],
        )
        .map(drop)
    }
}

fn provision(kind: ProvisionKind, row: &Row<'_>) -> Result<Provision> {
    let (vehicle, serial, made) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Provision { kind, vehicle, serial, made, by: row.get(3)?, signed: row.get(4)?, digest: row.get(5)? })
}
