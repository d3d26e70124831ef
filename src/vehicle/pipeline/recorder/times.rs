//! Times of reads that were made while the clock was not trusted (invariant 8).

use plated_core::clock::Clock;
use plated_core::record::{ClockMark, HitRecord, ReadRecord};

/// Gives a read that is not sealed yet the times that its looks and hits really had, once the clock
/// was set right; `told` are its hits as they will be shown. What was sealed before stays as it is,
/// with its mark.
pub fn correct(record: &mut ReadRecord, told: &mut [(HitRecord, bool)], clock: &dyn Clock) {
    if record.clock != Some(ClockMark::NotTrusted) || !clock.moment().trusted {
        return;
    }
    let looks = record.sightings.iter_mut().chain([&mut record.best]).map(|look| &mut look.at);
    let mut any_look = false;
    for at in looks.chain([&mut record.first_seen, &mut record.last_seen]) {
        // Looks of after the clock was set right are right.
        if let Some(right) = clock.corrected(*at) {
            *at = right;
            any_look = true;
        }
    }
    for hit in record.hits.iter_mut().chain(told.iter_mut().map(|(hit, _)| hit)) {
        hit.at = clock.corrected(hit.at).unwrap_or(hit.at);
    }
    // It says that the times are right: not of a recording that has its own, or of too long ago.
    if any_look {
        record.clock = Some(ClockMark::Corrected);
    }
}
