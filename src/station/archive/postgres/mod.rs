//! The archive of a region: rows on PostgreSQL, pictures in S3-compatible object storage.
//!
//! ```text
//! reads, records                   partitioned by part: one day and one class, a table of its own each
//! ARCHIVE/parts/17/0193….pack      objects: pictures of one batch, encrypted
//! ARCHIVE/held/0193….pack          pictures of one read that a hold keeps
//! ```
//!
//! Any number of stations may use one at the same time, and each may end at any moment
//! (docs/decisions/0041-postgresql-and-object-storage.md).

mod backup;
mod check;
mod holds;
mod import;
mod ingest;
mod objects;
mod parts;
mod past;
mod purge;
mod rows;
mod search;
mod stored;
mod sweep;

pub(super) use import::Target;
pub use objects::ObjectOptions;
pub(crate) use parts::{HELD, tables};

use super::audit::StationLog;
use super::batch::{CheckedBatch, Outcome};
use super::certificate::SignedCertificate;
use super::class::Retention;
use super::hold::{Hold, NewHold};
use super::query::{DocumentQuery, Page, Query, SharedRead, StoredDocument, StoredRead};
use super::report::{CheckReport, Due, PastRead, Statistics};
use super::{Archive, Engine, documents, logs, own};
use crate::database::Database;
use crate::key::ArchiveKey;
use crate::postgres::{Server, ServerOptions};
use crate::rows::Rows;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use objects::Objects;
use plated_access::audit::LogReport;
use plated_access::{Forward, Hits, HoldEvidence, Permit, Purge, Search};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::signing::{PublicKey, Purpose, Signer};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// How an archive is opened.
#[derive(Clone, Debug)]
pub struct PostgresOptions<'a> {
    /// The database.
    pub server: ServerOptions,
    /// Where pictures go.
    pub objects: ObjectOptions,
    /// The archive's key.
    pub key: ArchiveKey,
    /// The station's name, in certificates and in its audit log.
    pub station: &'a str,
    /// How long reads are kept.
    pub retention: Retention,
}

/// The archive of a region.
pub struct PostgresArchive {
    key: ArchiveKey,
    station: String,
    retention: Retention,
    deletion: Signer,
    server: Arc<Server>,
    objects: Objects,
    database: Arc<Mutex<Database>>,
}

impl PostgresArchive {
    /// Opens it, and makes its tables in an empty database.
    ///
    /// # Errors
    /// `Network` when database or object storage are not there, `Refused` when the archive was made with another key.
    pub fn open(options: &PostgresOptions<'_>) -> Result<Self> {
        let archive = Self::open_to_fill(options)?;
        if archive.server.read(|tx| Ok(tx.one("SELECT moving FROM archive", &[])?.get(0)))? {
            let message =
                "an archive is being moved into this database; run `plated-station archive move` to its end first";
            return Err(Error::new(Kind::Refused, message));
        }
        Ok(archive)
    }

    /// The same for whoever moves an archive into it.
    pub(super) fn open_to_fill(options: &PostgresOptions<'_>) -> Result<Self> {
        let server = Arc::new(Server::connect(&options.server)?);
        let fingerprint = options.key.fingerprint();
        let (id, key_id): (Uuid, Vec<u8>) = server.transaction(|tx| {
            tx.run("UPDATE archive SET key_id = $1 WHERE key_id IS NULL", &[&fingerprint.0.as_slice()])?;
            let row = tx.one("SELECT id, key_id FROM archive", &[])?;
            Ok((row.get(0), row.get(1)))
        })?;
        if key_id != fingerprint.0 {
            let message = "the archive in this database was made with another key; bring that one back as archive_key";
            return Err(Error::new(Kind::Refused, message));
        }
        let objects = Objects::open(&options.objects, id, server.handle().clone())?;
        Ok(Self {
            deletion: options.key.signer(Purpose::DELETION)?,
            key: options.key.clone(),
            station: options.station.to_owned(),
            retention: options.retention,
            database: Arc::new(Mutex::new(Database::on(server.clone()))),
            server,
            objects,
        })
    }

    /// Looks at what is kept besides reads.
    fn own<T>(&self, look: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        self.server.read(|tx| look(&Rows::of_postgres(tx)))
    }
}

impl std::fmt::Debug for PostgresArchive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresArchive").field("station", &self.station).finish_non_exhaustive()
    }
}

impl Engine for PostgresArchive {
    fn database(&self) -> &Arc<Mutex<Database>> {
        &self.database
    }

    fn audit_log(&self, clock: Arc<dyn Clock>) -> Result<StationLog> {
        StationLog::new(self.database.clone(), &self.key, &self.station, clock)
    }

    fn deletion_key(&self) -> PublicKey {
        self.deletion.public_key()
    }

    fn has_unfinished_purge(&self) -> Result<bool> {
        self.server.read(purge::is_unfinished)
    }

    fn reads_since(&self, day: Date, each: &mut dyn FnMut(Vec<PastRead>) -> Result<()>) -> Result<()> {
        past::since(self, day, each)
    }

    fn verify_own_logs(&self) -> Result<Vec<LogReport>> {
        logs::own(&self.database, &self.key, &self.station)
    }
}

impl Archive for PostgresArchive {
    fn ingest(&self, batch: CheckedBatch) -> Result<Outcome> {
        ingest::ingest(self, &batch)
    }

    fn search(&self, _: &Permit<Search>, query: &Query) -> Result<Page> {
        search::search(self, query)
    }

    fn read(&self, _: &Permit<Search>, id: Uuid) -> Result<Option<StoredRead>> {
        stored::read(self, id)
    }

    fn picture(&self, _: &Permit<Search>, read: Uuid, sha256: &Sha256) -> Result<Option<Bytes>> {
        stored::picture(self, read, sha256)
    }

    fn documents(&self, _: &Permit<Hits>, query: &DocumentQuery) -> Result<Vec<StoredDocument>> {
        self.own(|rows| documents::list(rows, query))
    }

    fn to_forward(&self, _: &Permit<Forward>, id: Uuid) -> Result<Option<SharedRead>> {
        match stored::read(self, id)? {
            Some(stored) => SharedRead::of(stored, |sha256| stored::picture(self, id, sha256)),
            None => Ok(None),
        }
    }

    fn hold(&self, permit: &Permit<HoldEvidence>, new: &NewHold, now: Timestamp) -> Result<Hold> {
        holds::begin(self, permit, new, now)
    }

    fn release(&self, permit: &Permit<HoldEvidence>, hold: Uuid, now: Timestamp) -> Result<Hold> {
        holds::release(self, permit, hold, now)
    }

    fn holds(&self, _: &Permit<HoldEvidence>) -> Result<Vec<Hold>> {
        self.own(own::holds)
    }

    fn due(&self, now: Timestamp) -> Result<Vec<Due>> {
        purge::due(self, now)
    }

    fn purge(&self, _: &Permit<Purge>, now: Timestamp) -> Result<Option<SignedCertificate>> {
        purge::purge(self, now)
    }

    fn certificates(&self) -> Result<Vec<SignedCertificate>> {
        self.own(own::certificates)
    }

    fn vehicles(&self) -> Result<Vec<String>> {
        self.own(own::vehicles)
    }

    fn statistics(&self, first: Date, last: Date) -> Result<Statistics> {
        self.server.read(|tx| {
            let here = parts::counts_of_all(tx)?;
            own::statistics(&Rows::of_postgres(tx), here, first, last)
        })
    }

    fn check(&self) -> Result<CheckReport> {
        check::check(self)
    }
}
