//! How urgent a read is by what somebody sees of its hits (control P-08).

use crate::visible::{self, VisibleHit};
use plated_access::Scope;
use plated_core::record::{Alerting, HitRecord, Priority};
use plated_hotlist::ListSettings;

/// How urgent a read is by those of its hits that may be seen, and that alerted.
pub fn urgency<'a>(
    hits: impl IntoIterator<Item = &'a HitRecord>,
    scope: &Scope,
    settings: &ListSettings,
) -> Option<Priority> {
    let alerted = hits.into_iter().filter(|hit| matches!(hit.alert, Alerting::Sounded | Alerting::Repeat));
    let seen = alerted.filter_map(|hit| match visible::hit(scope, settings, hit) {
        VisibleHit::Whole(hit) => Some(hit.priority()),
        VisibleHit::Existence | VisibleHit::Hidden => None,
    });
    seen.max()
}
