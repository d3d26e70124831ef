//! Which hits somebody sees (control P-08). Covert lists are shown to nobody.

use plated_access::{Scope, Source, Visibility};
use plated_core::record::Alerting;
use plated_core::record::{HitRecord, Priority, ReadRecord};
use plated_hotlist::ListSettings;

/// What somebody may know of a hit.
#[derive(Debug, PartialEq)]
pub enum Visible {
    /// The hit, with the entries that may be seen.
    Whole(Box<HitRecord>),
    /// That there is one.
    Existence,
    /// Nothing.
    Hidden,
}

/// A hit as this scope lets it be seen.
pub fn visible(hit: &HitRecord, scope: &Scope, settings: &ListSettings) -> Visible {
    // Before the scope is asked: whoever is named for a covert list does not see it here.
    let Some(mut hit) = settings.shown_hit(hit) else { return Visible::Hidden };
    let seen = |list: &str| scope.visibility(Source { list, clets: false, covert: settings.is_covert(list) });
    let exists = hit.entries.iter().any(|e| seen(&e.entry.list) == Visibility::Existence);
    hit.entries.retain(|e| seen(&e.entry.list) == Visibility::Whole);
    match hit.entries.is_empty() {
        false => Visible::Whole(Box::new(hit)),
        true if exists => Visible::Existence,
        true => Visible::Hidden,
    }
}

/// How urgent a read is by the hits that may be seen, and that alerted.
pub fn urgency(read: &ReadRecord, scope: &Scope, settings: &ListSettings) -> Option<Priority> {
    let alerted = read.hits.iter().filter(|hit| matches!(hit.alert, Alerting::Sounded | Alerting::Repeat));
    let seen = alerted.filter_map(|hit| match visible(hit, scope, settings) {
        Visible::Whole(hit) => Some(hit.priority()),
        _ => None,
    });
    seen.max()
}
