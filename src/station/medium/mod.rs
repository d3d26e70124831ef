//! Media of vehicles without a link (control P-11): the same batches as over the network, in encrypted files, and the same
//! signed receipts, which go back on the medium.
//!
//! Who imports one is a command. Where no station runs, or on PostgreSQL, it takes the files in itself; beside a running
//! station that has the archive in files to itself, it hands them over encrypted by a folder ([`spool`]).

pub(super) mod command;
mod spool;

pub(super) use spool::Spool;

use super::archive::Engine;
use super::contacts::{Contact, Overdue};
use super::database::Database;
use super::intake::{self, Refused};
use super::register::{self, Signed};
use super::rows::Rows;
use super::{StationConfig, tls_files};
use jiff::Timestamp;
use plated_access::AuditLog;
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::medium::{MediumKey, Part};
use plated_core::signing::Signer;
use plated_core::tls::Identity;
use plated_core::wire::batch::SignedReceipt;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// A batch that finds the archive busy is tried so often,
const TRIES: u32 = 50;
/// with such a pause.
const PAUSE: Duration = Duration::from_millis(200);

/// What takes files in.
pub(super) struct Importer {
    identity: Identity,
    ca: PathBuf,
    key: MediumKey,
    signer: Signer,
    station: String,
    overdue: Overdue,
    sharing: intake::Sharing,
    downstream: Vec<String>,
}

/// What became of a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Taken {
    /// The vehicle that made it.
    pub vehicle: String,
    /// Reads that are durable.
    pub reads: u64,
    /// Reads, documents and rows that were refused.
    pub refused: u64,
    /// When it was taken in before.
    pub before: Option<Timestamp>,
    /// Goes back to the vehicle.
    pub receipt: SignedReceipt,
}

impl Importer {
    /// With the keys of the configuration.
    ///
    /// # Errors
    /// What keeps one of them from being used.
    pub fn load(config: &StationConfig) -> Result<Self> {
        Ok(Self {
            identity: Identity::load(&tls_files(config))?,
            ca: config.ca.clone(),
            key: MediumKey::load(&config.medium_key)?,
            signer: Signer::load(&config.receipt_key)?,
            station: config.name.clone(),
            overdue: config.overdue,
            sharing: config.sharing(),
            downstream: config.downstream.iter().map(|station| station.name.clone()).collect(),
        })
    }

    /// Takes a file in. What its receipt calls durable is on disk when this returns.
    ///
    /// # Errors
    /// `Input` when it was cut off or is no part of a medium, `Refused` when it is for another station or of nobody whose
    /// certificate counts, and what keeps the archive from taking it in. Nothing is receipted then.
    pub fn take(&self, archive: &dyn Engine, file: &[u8], clock: &Arc<dyn Clock>) -> Result<Taken> {
        let now = clock.wall();
        let part = Part::open(&self.key, file)?;
        let vehicle = part.vehicle(&self.identity, now)?;
        let facts = part.facts()?;
        let admitted = lock(archive).transaction(|rows| register::admit_signed(rows, &self.ca, &facts, now))?;
        match admitted {
            Signed::Refused(why) => return Err(Error::new(Kind::Refused, why)),
            Signed::Counts(records) if records.is_empty() => {}
            Signed::Counts(records) => {
                let log = archive.audit_log(clock.clone())?;
                records.into_iter().try_for_each(|record| log.append(record).map(drop))?;
            }
        }
        let parts = intake::whole(&vehicle, part.batch()).map_err(|refused| match refused {
            Refused::OtherVehicle => Error::new(Kind::Refused, "it names another vehicle than its certificate"),
            Refused::Malformed(e) => e,
            Refused::NoRoom(_) => Error::new(Kind::Input, "it is too large"),
        })?;
        let (sent, waiting) = (parts.header.sent.min(now), parts.header.waiting);
        let mut checked = intake::check(parts, now, self.downstream.contains(&vehicle));
        // Media come late, out of their order and more than once; over the network that would be a sign of a breach.
        checked.batch.computer = None;
        if let Some(head) = &checked.batch.audit_head
            && lock(archive).read(|rows| rows.has_newer_head(&vehicle, head))?
        {
            checked.batch.audit_head = None;
        }
        let mut tries = 0;
        let outcome = loop {
            match archive.ingest(checked.batch.clone()) {
                Err(e) if e.kind() == Kind::Busy && tries < TRIES => {
                    tries += 1;
                    std::thread::sleep(PAUSE);
                }
                done => break done?,
            }
        };
        let reads = checked.batch.reads.iter().zip(&outcome.reads).filter(|(_, verdict)| verdict.is_durable());
        let made: Vec<Timestamp> = reads.map(|(read, _)| read.envelope.last_seen).collect();
        let late = made.iter().filter(|made| self.overdue.is_late(**made, now)).count() as u64;
        let (batch, durable) = (checked.batch.batch, made.len() as u64);
        let contact = Contact {
            vehicle: vehicle.clone(),
            last: sent,
            reported: waiting.map(|_| sent),
            waiting: waiting.map(|waiting| waiting.reads),
            oldest: waiting.and_then(|waiting| waiting.oldest),
            late,
            last_late: (late > 0).then_some(now),
        };
        let shared = self.sharing.of(&checked.batch, &outcome);
        let before = lock(archive).transaction(|rows| {
            rows.contact(&vehicle, &contact)?;
            shared.iter().try_for_each(|(receiver, reads)| rows.forward(receiver, reads, now))?;
            rows.medium_import(batch, &vehicle, now, durable)
        })?;
        intake::report(&vehicle, outcome.fault, outcome.seen);
        let receipt = checked.receipt(&self.station, &outcome, now);
        let refused = receipt.reads.refused.len() + receipt.documents.refused.len() + receipt.audit_rows.refused.len();
        tracing::info!(vehicle, %batch, reads = durable, refused, late, "Took in a part of a medium");
        let receipt = SignedReceipt::sign(&receipt, &self.signer)?;
        Ok(Taken { vehicle, reads: durable, refused: refused as u64, before, receipt })
    }
}

fn lock(archive: &dyn Engine) -> MutexGuard<'_, Database> {
    archive.database().lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rows<'_> {
    /// What came on media: batches, the reads in them, and when the last of them came.
    pub(super) fn medium_imports(&self) -> Result<(u64, u64, Option<Timestamp>)> {
        let sql = "SELECT count(*), CAST(coalesce(sum(reads), 0) AS BIGINT), max(at) FROM medium_imports";
        Ok(self.one(sql, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.unwrap_or_default())
    }

    /// Notes that a batch came on a medium; gives when it came before.
    fn medium_import(&self, batch: Uuid, vehicle: &str, at: Timestamp, reads: u64) -> Result<Option<Timestamp>> {
        let sql = "SELECT at FROM medium_imports WHERE batch = ?1";
        let before = self.one(sql, &[&batch], |row| row.get(0))?;
        self.run(
            "INSERT INTO medium_imports (batch, vehicle, at, reads) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            &[&batch, &vehicle, &at, &reads],
        )?;
        Ok(before)
    }
}

/// Makes the key of media and its public part.
///
/// # Errors
/// `Storage` when one of them is there or can't be written.
pub(super) fn make_key(path: &Path) -> Result<()> {
    MediumKey::create_file(path)?.recipient().write(&path.with_extension("pub"))
}
