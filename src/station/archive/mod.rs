//! The archive: what the station keeps of reads, and what goes when its time is over
//! (docs/decisions/0040-archive.md).
//!
//! [`Archive`] speaks of reads, holds and deletions, not of rows and SQL, so that one machine with a folder and
//! a region with a database server hold to the same promises; `tests/station/archive` has them as tests that run
//! on any engine. All methods block: whoever serves requests calls them on a thread that may. Whatever gives
//! rows out takes a permit, so it is on record before.

mod audit;
mod batch;
mod certificate;
mod class;
pub(crate) mod command;
mod contents;
mod day;
mod documents;
pub(crate) mod documents_command;
mod hold;
mod logs;
mod moving;
mod own;
mod pack;
mod postgres;
mod query;
mod report;
mod sealed;
pub(crate) mod settings;
mod sqlite;

pub use batch::{AuditRow, CheckedBatch, CheckedRead, Document, Envelope, Outcome, Picture, PictureRef, Verdict};
pub use certificate::{Certificate, DeletedPart, SignedCertificate};
pub use class::{Class, Retention};
pub use hold::{Hold, NewHold};
pub use query::{Cursor, DocumentQuery, Found, Page, Plate, Query, SharedRead, StoredDocument, StoredRead};
pub use report::{CheckReport, DayCount, Due, PastRead, Statistics, VehicleCount};

pub use audit::StationLog;
pub use logs::VehicleLog;
pub(crate) use own::SCHEMA;
pub(crate) use postgres::{HELD, tables};
pub use postgres::{ObjectOptions, PostgresArchive, PostgresOptions};
pub use settings::{ArchiveSettings, EngineKind};
pub use sqlite::{Options, SqliteArchive};

use crate::database::Database;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_access::audit::LogReport;
use plated_access::{Forward, Hits, HoldEvidence, Permit, Purge, Search};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::signing::PublicKey;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// Where the station keeps reads. Many threads may use one at once.
pub trait Archive: Send + Sync {
    /// Takes a batch in. What [`Outcome`] calls durable is on disk when this returns; the caller signs the
    /// receipt. A batch may come again, or again in part: each read, document and row is kept once.
    ///
    /// # Errors
    /// `Storage` on a full or failing disk, `Missing` when something that was open is not in its place, `Busy`
    /// when too much waits; nothing may be receipted, and the vehicle sends the batch again.
    fn ingest(&self, batch: CheckedBatch) -> Result<Outcome>;

    /// The next page of what fits, the newest first.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn search(&self, permit: &Permit<Search>, query: &Query) -> Result<Page>;

    /// One read with all that is kept of it; none when it is not here, or not any more.
    ///
    /// # Errors
    /// `Damaged` when its bytes do not fit its hash.
    fn read(&self, permit: &Permit<Search>, id: Uuid) -> Result<Option<StoredRead>>;

    /// A picture of a read; none when the read has no such picture, or it was deleted.
    ///
    /// # Errors
    /// `Damaged` when it can't be decrypted or does not fit its hash.
    fn picture(&self, permit: &Permit<Search>, read: Uuid, sha256: &Sha256) -> Result<Option<Bytes>>;

    /// What officers put down, of one kind, the last that came first.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn documents(&self, permit: &Permit<Hits>, query: &DocumentQuery) -> Result<Vec<StoredDocument>>;

    /// A read with all its pictures, to be shared with an upstream station (control P-17); none when it is not here any
    /// more, or a picture of it was deleted.
    ///
    /// # Errors
    /// `Damaged` when something of it does not fit its hash.
    fn to_forward(&self, permit: &Permit<Forward>, id: Uuid) -> Result<Option<SharedRead>>;

    /// Begins a hold (control P-15): copies the reads with their pictures to a place of their own, which no purge
    /// touches. Who and why is the permit's.
    ///
    /// # Errors
    /// `NotFound` when one of the reads is not here; nothing is held then.
    fn hold(&self, permit: &Permit<HoldEvidence>, new: &NewHold, now: Timestamp) -> Result<Hold>;

    /// Ends a hold; its copies are deleted. A read whose retention is over is gone then, unless another hold has it.
    ///
    /// # Errors
    /// `NotFound` when there is no such hold, or it was released.
    fn release(&self, permit: &Permit<HoldEvidence>, hold: Uuid, now: Timestamp) -> Result<Hold>;

    /// All holds, those that were released too, the newest first.
    ///
    /// # Errors
    /// What keeps them from being read.
    fn holds(&self, permit: &Permit<HoldEvidence>) -> Result<Vec<Hold>>;

    /// What a purge would delete at `now`.
    ///
    /// # Errors
    /// What keeps it from being looked at.
    fn due(&self, now: Timestamp) -> Result<Vec<Due>>;

    /// Deletes what is over at `now` (control P-14), and gives the certificate of it; none when nothing was due.
    /// One that was cut off is finished first, and has its own certificate.
    ///
    /// # Errors
    /// What keeps it from being deleted; the next one goes on.
    fn purge(&self, permit: &Permit<Purge>, now: Timestamp) -> Result<Option<SignedCertificate>>;

    /// The certificates of all purges, the newest first.
    ///
    /// # Errors
    /// What keeps them from being read.
    fn certificates(&self) -> Result<Vec<SignedCertificate>>;

    /// The names of all vehicles from which reads came, in their order.
    ///
    /// # Errors
    /// What keeps them from being read.
    fn vehicles(&self) -> Result<Vec<String>>;

    /// How much is here, and came on the days from `first` to `last`. No plate is in it.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn statistics(&self, first: Date, last: Date) -> Result<Statistics>;

    /// Looks at every record, picture and document and compares it with its hash.
    ///
    /// # Errors
    /// What keeps it from looking; what is damaged is in the report.
    fn check(&self) -> Result<CheckReport>;
}

/// What the station needs of an archive besides, whatever it is built on.
pub trait Engine: Archive {
    /// What the station knows besides reads.
    fn database(&self) -> &Arc<Mutex<Database>>;

    /// The station's own audit log, for the gate.
    ///
    /// # Errors
    /// `Internal` when its key can't be derived.
    fn audit_log(&self, clock: Arc<dyn Clock>) -> Result<StationLog>;

    /// By this key others know its certificates of deletion.
    fn deletion_key(&self) -> PublicKey;

    /// Whether a purge was cut off.
    ///
    /// # Errors
    /// What keeps it from being looked at.
    fn has_unfinished_purge(&self) -> Result<bool>;

    /// Gives the reads of this day (UTC) and later ones that are here, some at a time, by what decides whether they are
    /// shared.
    ///
    /// # Errors
    /// What keeps them from being read, and what `each` returns.
    fn reads_since(&self, day: Date, each: &mut dyn FnMut(Vec<PastRead>) -> Result<()>) -> Result<()>;

    /// Verifies the archive's own audit logs, the one that goes on last. No row is shown.
    ///
    /// # Errors
    /// What keeps them from being read.
    fn verify_own_logs(&self) -> Result<Vec<LogReport>>;

    /// Verifies the audit logs of vehicles, as far as they came. No row is shown.
    ///
    /// # Errors
    /// What keeps them from being read.
    fn verify_vehicle_logs(&self) -> Result<Vec<VehicleLog>> {
        logs::of_vehicles(self.database())
    }
}
