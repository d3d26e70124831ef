//! Pairings of a read and a listed plate that somebody found wrong, or muted by hand: they alert nobody
//! until the shift ends. Muted by hand are low and normal priority only, and that ends with the session of the
//! officer who did it, too: whoever takes over hears what they have not muted themselves (control P-06).
//!
//! The officers' service mutes, the recorder asks. The end of a mute is kept as monotonic time, so a
//! jump of the wall clock neither ends it early nor makes it last (invariant 8). What was found wrong
//! are the entries that the hit showed: one that comes later, from whatever list, alerts.

use plated_access::SessionId;
use plated_core::plate::{MatchKey, PlateText};
use plated_core::record::{EntryRecord, HitRecord, Priority};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// Pairings that can be muted at a time. One more ends the mute that would be over first.
const MAX_PAIRINGS: usize = 1024;

/// The pairings that are muted now.
#[derive(Debug, Default)]
pub struct MutedPairings {
    pairings: Mutex<HashMap<Pairing, Mute>>,
}

/// Match key of the read, and [`HitRecord::listed`].
type Pairing = (MatchKey, String);

#[derive(Debug)]
struct Mute {
    /// Of the hit that was found wrong, or muted.
    entries: Vec<EntryRecord>,
    by: By,
    /// Monotonic time.
    until: Duration,
}

/// What muted a pairing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// A finding.
    Finding,
    /// An officer's hand, in this session; a hit of high priority alerts all the same.
    Hand(Option<SessionId>),
}

impl MutedPairings {
    /// The pairing of this hit alerts nobody before the monotonic time `until`, as long as the
    /// listed plate has no other entries than the hit.
    pub fn begin(&self, hit: &HitRecord, until: Duration) {
        self.put(hit, By::Finding, until);
    }

    /// The same, unless the pairing comes with high priority, by whoever has this session; none for a system user.
    pub fn begin_by_hand(&self, hit: &HitRecord, session: Option<SessionId>, until: Duration) {
        self.put(hit, By::Hand(session), until);
    }

    fn put(&self, hit: &HitRecord, by: By, until: Duration) {
        let (pairing, mut pairings) = (pairing(hit), self.lock());
        if pairings.len() >= MAX_PAIRINGS && !pairings.contains_key(&pairing) {
            let first = pairings.iter().min_by_key(|(_, mute)| mute.until).map(|(pairing, _)| pairing.clone());
            first.map(|first| pairings.remove(&first));
        }
        let entries = hit.entries.iter().map(|e| e.entry.clone()).collect();
        pairings.insert(pairing, Mute { entries, by, until });
    }

    /// The pairing of this hit alerts again.
    pub fn end(&self, hit: &HitRecord) {
        self.lock().remove(&pairing(hit));
    }

    /// It is not wrong any more: the pairing alerts again, unless it was muted by hand.
    pub fn end_found_wrong(&self, hit: &HitRecord) {
        let mut pairings = self.lock();
        if pairings.get(&pairing(hit)).is_some_and(|mute| mute.by == By::Finding) {
            pairings.remove(&pairing(hit));
        }
    }

    /// What was muted in sessions that are over alerts again.
    pub fn end_sessions(&self, goes_on: impl Fn(SessionId) -> bool) {
        let session = |mute: &Mute| if let By::Hand(session) = mute.by { session } else { None };
        // Looked at without the lock: the recorder asks what is muted, and waits for nothing.
        let mut over: Vec<SessionId> = self.lock().values().filter_map(session).collect();
        over.retain(|id| !goes_on(*id));
        if !over.is_empty() {
            self.lock().retain(|_, mute| session(mute).is_none_or(|id| !over.contains(&id)));
        }
    }

    /// Whether this hit alerts nobody at the monotonic time `now`.
    pub fn holds(&self, hit: &HitRecord, now: Duration) -> bool {
        let pairings = self.lock();
        let mute = pairings.get(&pairing(hit)).filter(|mute| now < mute.until);
        mute.is_some_and(|mute| {
            let counts = mute.by == By::Finding || hit.priority() < Priority::High;
            counts && hit.entries.iter().all(|e| mute.entries.contains(&e.entry))
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Pairing, Mute>> {
        self.pairings.lock().unwrap_or_else(|e| e.into_inner())
    }
}

fn pairing(hit: &HitRecord) -> Pairing {
    (PlateText::normalise(&hit.text).key(), hit.listed.clone())
}

#[cfg(test)]
mod tests {
    use super::super::dispatch::tests::{S, entry, hit};
    use super::*;

    // policy: P-06
    #[test]
    fn a_pairing_found_wrong_is_muted_until_the_shift_ends_and_others_are_not() {
        let muted = MutedPairings::default();
        let stolen = entry("7A8C123", Priority::High, "stolen");
        let holds = |text: &str, listed: &str, now| muted.holds(&hit(text, listed, std::slice::from_ref(&stolen)), now);
        muted.begin(&hit("7ABC123", "7A8C123", std::slice::from_ref(&stolen)), S(3600));
        assert!(holds("7ABC123", "7A8C123", S(3599)));
        assert!(!holds("7A8C123", "7A8C123", S(1)), "the listed plate itself");
        assert!(!holds("7ABC123", "7A8C12?", S(1)), "the same read, listed otherwise");
        assert!(!holds("7ABC123", "7A8C123", S(3600)));
        muted.end(&hit("7ABC123", "7A8C123", &[]));
        assert!(!holds("7ABC123", "7A8C123", S(1)));
    }

    #[test]
    fn an_entry_that_nobody_has_looked_into_alerts_though_the_pairing_is_muted() {
        let muted = MutedPairings::default();
        let (stolen, robbery) =
            (entry("7ABC123", Priority::Low, "stolen"), entry("7ABC123", Priority::High, "robbery"));
        let both = [stolen.clone(), robbery];
        muted.begin(&hit("7ABC123", "7ABC123", &both[..1]), S(10));
        assert!(!muted.holds(&hit("7ABC123", "7ABC123", &both), S(1)));
        assert!(muted.holds(&hit("7ABC123", "7ABC123", &both[..1]), S(1)));
        muted.begin(&hit("7ABC123", "7ABC123", &both), S(10));
        assert!((1..=2).all(|n| muted.holds(&hit("7ABC123", "7ABC123", &both[..n]), S(1))));
    }

    // policy: P-06
    #[test]
    fn what_is_muted_by_hand_lasts_over_an_answer_and_never_keeps_high_priority_quiet() {
        let muted = MutedPairings::default();
        let stray = entry("7ABC123", Priority::High, "stray"); // Another state made it less urgent.
        let mut of = hit("7ABC123", "7ABC123", &[stray]);
        of.entries[0].priority = Priority::Normal;
        muted.begin_by_hand(&of, None, S(10));
        muted.end_found_wrong(&of);
        assert!(muted.holds(&of, S(9)) && !muted.holds(&of, S(10)));
        of.entries[0].priority = Priority::High;
        assert!(!muted.holds(&of, S(1)));
        muted.end(&of);
        of.entries[0].priority = Priority::Normal;
        assert!(!muted.holds(&of, S(1)));
    }

    #[test]
    fn more_than_fit_end_those_that_are_over_first() {
        let muted = MutedPairings::default();
        let of = |n: usize| hit(&format!("P{n}"), "7ABC123", &[]);
        (0..MAX_PAIRINGS + 10).for_each(|n| muted.begin(&of(n), S(1000 + n as u64)));
        // One that is muted already takes nobody's place.
        muted.begin(&of(MAX_PAIRINGS), S(100_000));
        assert_eq!(muted.lock().len(), MAX_PAIRINGS);
        assert!((0..10).all(|n| !muted.holds(&of(n), S(0))));
        assert!((10..MAX_PAIRINGS + 10).all(|n| muted.holds(&of(n), S(0))));
    }
}
