//! An alert as other programs are given it.

use crate::store::{Finding, KeptAlert};
use jiff::Timestamp;
use plated_core::position::Position;
use plated_core::record::{CameraPosition, ClockMark, Difference, HitEntry, HitRecord, Priority, Rule};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of the form. Keys may be added within one; receivers pass over what they don't know.
const VERSION: u32 = 1;

/// An alert: a plate that was read may be a listed one. A lead, not a fact, until somebody verified it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertMessage {
    /// Of the form.
    pub version: u32,
    /// Key of the alert, UUIDv7. It may come more than once; with the same key it is the same alert.
    pub id: Uuid,
    /// Key of the read.
    pub read: Uuid,
    /// The vehicle that made it.
    pub vehicle: String,
    /// The camera.
    pub camera: String,
    /// Which way from the vehicle it looks, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera_position: Option<CameraPosition>,
    /// When the match was found.
    pub at: Timestamp,
    /// Mark of the times, when the vehicle's clock was not trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockMark>,
    /// How urgent it is.
    pub priority: Priority,
    /// No officer has said yet that CLETS or dispatch confirmed it.
    pub unverified: bool,
    /// Plate as it was read.
    pub text: String,
    /// State as it was read, two letters, or empty.
    pub state: String,
    /// Probability that `text` is right.
    pub confidence: f32,
    /// The plate as the list has it, or the partial plate.
    pub listed: String,
    /// The rule that found it.
    pub rule: Rule,
    /// Characters in which the two differ.
    pub differs: Vec<Difference>,
    /// Probability that the plate is the listed one.
    pub probability: f32,
    /// Where the vehicle was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The entries that the subscriber may see, the most urgent first; at least one.
    pub entries: Vec<HitEntry>,
}

impl AlertMessage {
    /// Of this alert, with what may be seen of its hit.
    pub fn of(alert: &KeptAlert, hit: &HitRecord) -> Self {
        let verified = alert.findings.last().is_some_and(|found| found.finding == Finding::Confirmed);
        Self {
            version: VERSION,
            id: hit.id,
            read: alert.read.id,
            vehicle: alert.read.vehicle.clone(),
            camera: alert.read.camera.clone(),
            camera_position: alert.read.camera_position,
            at: hit.at,
            clock: alert.read.clock,
            priority: hit.priority(),
            unverified: !verified,
            text: hit.text.clone(),
            state: alert.read.state.clone(),
            confidence: hit.confidence,
            listed: hit.listed.clone(),
            rule: hit.rule,
            differs: hit.differs.clone(),
            probability: hit.probability,
            position: hit.position,
            entries: hit.entries.clone(),
        }
    }
}
