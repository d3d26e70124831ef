//! The rows of what is handed out.

use crate::database::{Rows, SqlContext, could_not_read};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use rusqlite::{OptionalExtension, params};

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
        self.0
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row([kind.as_str(), vehicle], |row| provision(kind, row)).optional())
            .sql(could_not_read)
    }

    /// All of this kind, by vehicle.
    pub fn provisions(&self, kind: ProvisionKind) -> Result<Vec<Provision>> {
        let sql =
            "SELECT vehicle, serial, made, by_user, signed, digest FROM provisions WHERE kind = ?1 ORDER BY vehicle";
        self.0
            .prepare_cached(sql)
            .and_then(|mut s| s.query_map([kind.as_str()], |row| provision(kind, row))?.collect())
            .sql(could_not_read)
    }

    /// Hands out a document from now on, in the place of the one before.
    pub fn put_provision(&self, p: &Provision) -> Result<()> {
        self.0
            .prepare_cached(
                "INSERT OR REPLACE INTO provisions (kind, vehicle, serial, made, by_user, signed, digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .and_then(|mut s| {
                let (serial, made) = (p.serial.cast_signed(), p.made.as_microsecond());
                let digest = p.digest.map(|digest| digest.0);
                s.execute(params![p.kind.as_str(), p.vehicle, serial, made, p.by, p.signed, digest])
            })
            .map(drop)
            .sql(|| "could not keep what is handed out to vehicles".into())
    }
}

fn provision(kind: ProvisionKind, row: &rusqlite::Row<'_>) -> rusqlite::Result<Provision> {
    Ok(Provision {
        kind,
        vehicle: row.get(0)?,
        serial: row.get::<_, i64>(1)?.unsigned_abs(),
        made: Timestamp::from_microsecond(row.get(2)?).unwrap_or_default(),
        by: row.get(3)?,
        signed: row.get(4)?,
        digest: row.get::<_, Option<[u8; 32]>>(5)?.map(Sha256),
    })
}
