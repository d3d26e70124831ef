//! From a match to a hit, and whether it alerts: the same for a pass and for a read that was corrected.

use super::Repeats;
use jiff::Timestamp;
use plated_core::clock::id_at;
use plated_core::record::{Alerting, HitRecord};
use plated_hotlist::{ListSettings, Lists, Match};
use std::time::Duration;

/// A candidate, until somebody decides that it alerts. `text` and `confidence` are those of the read.
pub fn hit(found: Match, text: &str, confidence: f32, at: Timestamp) -> HitRecord {
    HitRecord {
        id: id_at(at),
        at,
        text: text.to_owned(),
        confidence,
        rule: found.rule,
        listed: found.listed,
        differs: found.differs,
        probability: found.probability,
        alert: Alerting::Candidate,
        kept_late: false,
        position: None,
        correction: None,
        entries: found.entries,
    }
}

/// Whether a candidate alerts at the monotonic time `now`. Its entries are
/// [marked](super::VehicleFindings::mark); `is_probable` is what the match says, `before` are the hits of this pass, of
/// this camera.
pub fn decide(
    hit: &HitRecord,
    is_probable: bool,
    (camera, before): (&str, &[HitRecord]),
    (lists, settings): (&Lists, &ListSettings),
    repeats: &mut Repeats,
    now: Duration,
) -> Alerting {
    let Some(mut shown) = settings.shown_hit(hit) else { return Alerting::Covert };
    shown.entries.retain(|entry| entry.finding.is_none());
    if shown.entries.is_empty() {
        return Alerting::NotThisVehicle;
    }
    // What may be shown has to be probable enough by itself.
    if is_probable && lists.alerts(&shown) { repeats.decide(&shown, camera, before, now) } else { Alerting::Candidate }
}
