//! What the archive tells of itself. No plate is in any of it.

use super::class::Class;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

/// How much is here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Reads that are kept now.
    pub reads: u64,
    /// Pictures that are kept now, each as often as reads name it.
    pub pictures: u64,
    /// Their bytes.
    pub picture_bytes: u64,
    /// Vehicles, by name.
    pub vehicles: Vec<VehicleCount>,
    /// Reads by the day on which they were made (UTC), camera and class; deleted ones too.
    pub days: Vec<DayCount>,
}

/// What came of one vehicle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VehicleCount {
    /// The vehicle.
    pub vehicle: String,
    /// All reads that ever came.
    pub reads: u64,
    /// When a batch came last.
    pub last_received: Timestamp,
}

/// Reads of one day, vehicle, camera and class.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayCount {
    /// The day (UTC).
    pub day: Date,
    /// The vehicle.
    pub vehicle: String,
    /// The camera.
    pub camera: String,
    /// The class.
    pub class: Class,
    /// Reads.
    pub reads: u64,
    /// Those of them with a hit.
    pub hits: u64,
}

/// Something whose retention is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The day on which it was made (UTC).
    pub day: Date,
    /// Its class.
    pub class: Class,
    /// Only the pictures are due.
    pub pictures_only: bool,
    /// Reads.
    pub reads: u64,
}

/// What a check of the whole archive found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Records that were compared with their hashes.
    pub reads: u64,
    /// Pictures.
    pub pictures: u64,
    /// Documents and rows of audit logs.
    pub documents: u64,
    /// What is wrong, in words, at most [`CheckReport::MAX_PROBLEMS`].
    pub problems: Vec<String>,
    /// How many more are wrong.
    pub more_problems: u64,
}

impl CheckReport {
    /// Most problems that are named.
    pub const MAX_PROBLEMS: usize = 100;

    /// Notes something that is wrong.
    pub fn problem(&mut self, text: String) {
        if self.problems.len() < Self::MAX_PROBLEMS {
            self.problems.push(text);
        } else {
            self.more_problems += 1;
        }
    }
}

/// A read that is here, by what decides whether it is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRead {
    /// Its id.
    pub id: Uuid,
    /// Its class.
    pub class: Class,
    /// The vehicle.
    pub vehicle: String,
    /// The fixed site at which it was made.
    pub site: Option<String>,
    /// It matched an entry.
    pub has_hit: bool,
}
