//! Whether a hit is news: the same plate with the same entry does not alert again for a while,
//! and a pairing that somebody found wrong is quiet until the shift ends.

use super::MutedPairings;
use plated_core::plate::{MatchKey, PlateText};
use plated_core::record::{Alerting, EntryRecord, HitRecord, Priority};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Alerts of the last minutes, beside the pairings that are quiet.
#[derive(Debug)]
pub struct Repeats {
    after: Duration,
    alerted: HashMap<Alerted, Duration>,
    quiet: Arc<MutedPairings>,
}

/// Bound of what is remembered. When it is reached the oldest are forgotten, so at worst an
/// alert is repeated too early.
const REMEMBERED: usize = 4096;

/// What makes two alerts the same. An entry that became more urgent is another.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Alerted {
    read: MatchKey,
    list: String,
    plate: String,
    category: String,
    source: String,
    priority: Priority,
}

impl Repeats {
    /// `after` is [`crate::config::Alert::repeat_after_s`].
    pub fn new(after: Duration, quiet: Arc<MutedPairings>) -> Self {
        Self { after, alerted: HashMap::new(), quiet }
    }

    /// Whether this hit, probable enough to alert, does alert at monotonic time `now`: not when its
    /// pairing is quiet, and not when all its entries alerted a short while ago. If it does, it
    /// counts as alerted from here on.
    pub fn decide(&mut self, hit: &HitRecord, now: Duration) -> Alerting {
        if self.quiet.holds(hit, now) {
            return Alerting::Quieted;
        }
        let read = PlateText::normalise(&hit.text).key();
        // Each is noted, so no `any`, which would stop at the first.
        let news = hit.entries.iter().filter(|e| self.is_news(&read, &e.entry, now)).count();
        if news > 0 { Alerting::Sounded } else { Alerting::Repeat }
    }

    /// The time counts from the alert that was given, so a plate in view all the while alerts
    /// again.
    fn is_news(&mut self, read: &MatchKey, entry: &EntryRecord, now: Duration) -> bool {
        let key = Alerted {
            read: read.clone(),
            list: entry.list.clone(),
            plate: entry.plate.clone(),
            category: entry.category.clone(),
            source: entry.source.clone(),
            priority: entry.priority,
        };
        if self.alerted.get(&key).is_some_and(|then| now.saturating_sub(*then) < self.after) {
            return false;
        }
        if self.alerted.len() >= REMEMBERED {
            self.forget(now);
        }
        self.alerted.insert(key, now);
        true
    }

    /// Makes room: what is over, and where that is not enough the older half.
    fn forget(&mut self, now: Duration) {
        let after = self.after;
        self.alerted.retain(|_, then| now.saturating_sub(*then) < after);
        if self.alerted.len() >= REMEMBERED {
            let mut times: Vec<Duration> = self.alerted.values().copied().collect();
            let (_, middle, _) = times.select_nth_unstable(REMEMBERED / 2);
            let middle = *middle;
            self.alerted.retain(|_, then| *then > middle);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use plated_core::record::{HitEntry, Rule, StateAgreement};
    use uuid::Uuid;

    pub fn hit(text: &str, listed: &str, entries: &[EntryRecord]) -> HitRecord {
        let shown = |entry: &EntryRecord| HitEntry {
            state: StateAgreement::Unknown,
            priority: entry.priority,
            age_days: None,
            entry: entry.clone(),
        };
        HitRecord {
            id: Uuid::nil(),
            at: jiff::Timestamp::UNIX_EPOCH,
            text: text.into(),
            confidence: 0.9,
            rule: Rule::Equivalent,
            listed: listed.into(),
            differs: Vec::new(),
            probability: 0.5,
            alert: Alerting::Candidate,
            entries: entries.iter().map(shown).collect(),
        }
    }

    fn repeats(after: u64) -> Repeats {
        Repeats::new(S(after), Arc::default())
    }

    #[test]
    fn a_hit_is_news_when_one_of_its_entries_is() {
        let mut repeats = repeats(600);
        let (stolen, felony) =
            (entry("7ABC123", Priority::Normal, "stolen"), entry("7ABC123", Priority::High, "felony"));
        let mut decide = |entries: &[EntryRecord], now| repeats.decide(&hit("7ABC123", "7ABC123", entries), S(now));
        assert_eq!(decide(std::slice::from_ref(&stolen), 0), Alerting::Sounded);
        assert_eq!(decide(&[stolen.clone(), felony.clone()], 1), Alerting::Sounded);
        assert_eq!(decide(&[felony, stolen], 2), Alerting::Repeat);
    }

    #[test]
    fn a_quiet_pairing_does_not_alert_and_alerts_at_once_when_it_is_over() {
        let mut repeats = repeats(600);
        let wanted = hit("7ABC123", "7A8C123", &[entry("7A8C123", Priority::High, "stolen")]);
        repeats.quiet.begin(&wanted, S(100));
        assert_eq!(repeats.decide(&wanted, S(99)), Alerting::Quieted);
        assert_eq!(repeats.decide(&wanted, S(100)), Alerting::Sounded);
        assert_eq!(repeats.decide(&wanted, S(101)), Alerting::Repeat);
    }

    pub fn entry(plate: &str, priority: Priority, category: &str) -> EntryRecord {
        EntryRecord { plate: plate.to_owned(), category: category.to_owned(), priority, ..EntryRecord::default() }
    }

    fn key(plate: &str) -> MatchKey {
        PlateText::normalise(plate).key()
    }

    pub const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn the_same_plate_and_entry_alert_once_in_the_set_time() {
        let mut repeats = repeats(600);
        let stolen = entry("7ABC123", Priority::Normal, "stolen");
        assert!(repeats.is_news(&key("7ABC123"), &stolen, S(0)));
        assert!(!repeats.is_news(&key("7ABC123"), &stolen, S(599)));
        assert!(repeats.is_news(&key("7ABC123"), &stolen, S(600)), "counted from the alert given");
        assert!(!repeats.is_news(&key("7ABC123"), &stolen, S(601)));
    }

    #[test]
    fn another_plate_another_entry_or_a_raised_priority_alerts() {
        let mut repeats = repeats(600);
        assert!(repeats.is_news(&key("7ABC123"), &entry("7ABC123", Priority::Normal, "stolen"), S(0)));
        assert!(repeats.is_news(&key("7A8C123"), &entry("7ABC123", Priority::Normal, "stolen"), S(1)));
        assert!(repeats.is_news(&key("7ABC123"), &entry("7ABC123", Priority::Normal, "felony"), S(1)));
        assert!(repeats.is_news(&key("7ABC123"), &entry("7ABC123", Priority::High, "stolen"), S(1)));
    }

    #[test]
    fn what_is_remembered_stays_bounded_and_keeps_the_newest() {
        let mut repeats = repeats(1_000_000);
        for n in 0..10_000u64 {
            let plate = format!("P{n}");
            assert!(repeats.is_news(&key(&plate), &entry(&plate, Priority::Low, ""), S(n)));
            assert!(repeats.alerted.len() <= REMEMBERED);
        }
        assert!(!repeats.is_news(&key("P9999"), &entry("P9999", Priority::Low, ""), S(10_000)));
        // All in one moment: nothing is older than the rest, and still it is bounded.
        let mut repeats = self::repeats(10);
        for n in 0..10_000u64 {
            let plate = format!("P{n}");
            repeats.is_news(&key(&plate), &entry(&plate, Priority::Low, ""), S(0));
        }
        assert!(repeats.alerted.len() <= REMEMBERED);
    }
}
