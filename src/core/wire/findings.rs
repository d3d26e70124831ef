//! "Not this vehicle": what the station approved, for all vehicles. It travels signed for the purpose
//! [`FINDINGS`](crate::signing::Purpose::FINDINGS), as the crate `access` writes signed documents.

use crate::officers::VehicleFinding;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Largest signed set, in bytes.
pub const MAX_FINDINGS_BYTES: usize = 8 << 20;

/// All findings that the station hands out at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingSet {
    /// Name of the station.
    pub station: String,
    /// Grows with every set; one with a smaller number than another is older.
    pub serial: u64,
    /// When it was made.
    pub made: Timestamp,
    /// Those that a supervisor approved at the station; in force in all vehicles, each until its end.
    pub findings: Vec<VehicleFinding>,
    /// Those that were refused there: they are not in force in the vehicle either that they come from.
    pub refused: Vec<Uuid>,
}
