//! The canvass that is open (control P-03), as the recorder asks for it: from memory, never from the store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The canvass that is open, and the last one that was. Times are monotonic.
#[derive(Debug, Default)]
pub struct OpenCanvass {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Incident number, and since when.
    open: Option<(Arc<str>, Duration)>,
    /// A pass that began before its end still carries its number.
    last: Option<(Arc<str>, Duration, Duration)>,
}

impl OpenCanvass {
    /// From `now` on reads carry this incident number.
    pub fn begin(&self, incident: &str, now: Duration) {
        self.lock().open = Some((incident.into(), now));
    }

    /// From `now` on they carry none.
    pub fn end(&self, now: Duration) {
        let mut state = self.lock();
        if let Some((incident, since)) = state.open.take() {
            state.last = Some((incident, since, now));
        }
    }

    /// The incident number of what is open now.
    pub fn incident(&self) -> Option<Arc<str>> {
        self.lock().open.as_ref().map(|(incident, _)| incident.clone())
    }

    /// The number that a pass carries which was in view from `from` to `to`: that of the canvass that was open
    /// for a part of it, the newer one of two.
    pub fn of_pass(&self, from: Duration, to: Duration) -> Option<String> {
        let state = self.lock();
        let open = state.open.as_ref().filter(|(_, since)| *since <= to).map(|(incident, _)| incident);
        let last = state.last.as_ref().filter(|(_, since, end)| *since <= to && from < *end);
        open.or(last.map(|(incident, ..)| incident)).map(|incident| incident.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // policy: P-03
    #[test]
    fn a_pass_carries_the_number_of_the_canvass_that_was_open_for_a_part_of_it() {
        let canvass = OpenCanvass::default();
        let of = |from, to| canvass.of_pass(Duration::from_secs(from), Duration::from_secs(to));
        assert_eq!(of(0, 5), None);
        canvass.begin("26-1", Duration::from_secs(10));
        assert_eq!(of(8, 9), None, "over before");
        assert_eq!(of(8, 11).as_deref(), Some("26-1"));
        canvass.end(Duration::from_secs(20));
        assert_eq!((of(19, 30).as_deref(), of(20, 21)), (Some("26-1"), None));
        canvass.begin("26-2", Duration::from_secs(25));
        assert_eq!((of(19, 30).as_deref(), of(19, 22).as_deref()), (Some("26-2"), Some("26-1")));
        assert_eq!(canvass.incident().as_deref(), Some("26-2"));
    }
}
