//! "Not this vehicle": findings of officers that a plate is not the vehicle an entry wants, approved by a supervisor.
//!
//! The officers' service sets what is in force, the recorder asks. As with pairings that are muted, their end is
//! kept as monotonic time (invariant 8). What can't be read is not in force: the entry alerts.

use plated_core::officers::VehicleFinding;
use plated_core::plate::{MatchKey, PlateText};
use plated_core::record::HitRecord;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The findings in force.
#[derive(Debug, Default)]
pub struct VehicleFindings {
    by_plate: Mutex<HashMap<MatchKey, Vec<(VehicleFinding, Duration)>>>,
}

impl VehicleFindings {
    /// These are in force, each until a monotonic time, and no others.
    pub fn set(&self, findings: Vec<(VehicleFinding, Duration)>) {
        let mut by_plate: HashMap<MatchKey, Vec<_>> = HashMap::new();
        for (finding, until) in findings.into_iter().filter(|(finding, _)| finding.counts()) {
            by_plate.entry(PlateText::normalise(&finding.plate).key()).or_default().push((finding, until));
        }
        *self.lock() = by_plate;
    }

    /// Marks the entries of a hit that a finding speaks of, at the monotonic time `now`, and puts them last; `state`
    /// is that of the read.
    pub fn mark(&self, hit: &mut HitRecord, state: &str, now: Duration) {
        let by_plate = self.lock();
        let Some(findings) = by_plate.get(&PlateText::normalise(&hit.text).key()) else { return };
        for entry in &mut hit.entries {
            let holds =
                |(finding, until): &&(VehicleFinding, Duration)| now < *until && finding.speaks_of(&entry.entry, state);
            entry.finding = findings.iter().find(holds).map(|(finding, _)| finding.id);
        }
        hit.entries.sort_by_key(|entry| entry.finding.is_some()); // stable: the most urgent stays first
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MatchKey, Vec<(VehicleFinding, Duration)>>> {
        self.by_plate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
