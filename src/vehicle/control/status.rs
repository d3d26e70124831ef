//! How lists, store and transfer are, at a glance.

use crate::health::{Level, Part};
use crate::store::{Staleness, Stats};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::record::Priority;
use plated_hotlist::settings::ListKind;
use serde::{Deserialize, Serialize};

/// Age in seconds from which on a read that is not transferred is a warning, and critical
/// (control P-10).
const WAITING: (u64, u64) = (20 * 86_400, 27 * 86_400);

/// Overall status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// When.
    pub at: Timestamp,
    /// False: no daemon is running, so nothing is read and nobody is alerted.
    pub daemon: bool,
    /// Cameras, recognition, sound: how each part of the running daemon is.
    pub parts: Vec<Part>,
    /// Each list of the configuration.
    pub lists: Vec<ListLine>,
    /// What officers entered; no plates here.
    pub officers: Vec<OfficerLine>,
    /// The store and the way to the station.
    pub store: StoreLine,
}

impl StatusReport {
    /// The worst that is said anywhere in it.
    pub fn worst(&self) -> Level {
        let parts = self.parts.iter().map(|part| part.level);
        let ages = self.lists.iter().map(|list| list.staleness).chain([self.store.staleness]).map(|age| match age {
            Staleness::Fresh => Level::Ok,
            Staleness::Warn => Level::Degraded,
            Staleness::Critical => Level::Failed,
        });
        let daemon = if self.daemon { Level::Ok } else { Level::Failed };
        parts.chain(ages).chain([daemon]).max().unwrap_or(Level::Ok)
    }
}

/// One list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListLine {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub kind: ListKind,
    /// Of entries that name none.
    pub priority: Priority,
    /// `fresh`, `warn` or `critical`.
    pub staleness: Staleness,
    /// Age in seconds, by its own date or that of its file; none when there is no list in force.
    pub age_s: Option<u64>,
    /// Version in force.
    pub version: Option<Sha256>,
    /// Number of entries in force.
    pub entries: u64,
    /// When it came into force.
    pub imported: Option<Timestamp>,
    /// When a list was last looked for.
    pub checked: Option<Timestamp>,
    /// What was wrong then.
    pub error: Option<String>,
    /// It counts now, by its window.
    pub counts: bool,
    /// Roles that may see its details. Not enforced yet.
    pub authorised: Vec<String>,
    /// Its hits are kept and neither shown nor sounded.
    pub covert: bool,
}

/// What an officer entered, without the plate: to see that takes a reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfficerLine {
    /// Names it.
    pub id: i64,
    /// It is a partial plate.
    pub partial: bool,
    /// Who entered it.
    pub by: String,
    /// When.
    pub created: Timestamp,
    /// It is over then.
    pub expires: Timestamp,
    /// Case or incident, or empty.
    pub case: String,
}

/// The store and the way to the station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreLine {
    /// Reads.
    pub reads: u64,
    /// Hits.
    pub hits: u64,
    /// Last look of the newest read.
    pub newest_read: Option<Timestamp>,
    /// Reads that no receipt confirms.
    pub waiting: u64,
    /// Of these, reads that the station would not take.
    pub refused: u64,
    /// Age in seconds of the oldest of them.
    pub oldest_waiting_s: Option<u64>,
    /// Whether that is too old.
    pub staleness: Staleness,
    /// When the last receipt came.
    pub last_receipt: Option<Timestamp>,
}

impl StoreLine {
    pub(super) fn of(stats: &Stats, now: Timestamp) -> Self {
        let oldest = stats.oldest_pending.map(|t| now.duration_since(t).as_secs().max(0).unsigned_abs());
        Self {
            reads: stats.reads,
            hits: stats.hits,
            newest_read: stats.newest_read,
            waiting: stats.open + stats.pending + stats.refused,
            refused: stats.refused,
            oldest_waiting_s: oldest,
            staleness: match oldest {
                Some(age) if age >= WAITING.1 => Staleness::Critical,
                Some(age) if age >= WAITING.0 => Staleness::Warn,
                _ => Staleness::Fresh,
            },
            last_receipt: stats.last_receipt,
        }
    }
}
