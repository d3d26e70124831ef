//! Whether a hit is news: the same plate with the same entry does not alert again for a while.

use crate::plate::MatchKey;
use crate::wire::{EntryRecord, Priority};
use std::collections::HashMap;
use std::time::Duration;

/// Alerts of the last minutes.
#[derive(Debug)]
pub struct Repeats {
    after: Duration,
    alerted: HashMap<Alerted, Duration>,
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
    pub fn new(after: Duration) -> Self {
        Self { after, alerted: HashMap::new() }
    }

    /// True when this hit is to alert, at monotonic time `now`. The time counts from the alert
    /// that was given, so a plate in view all the while alerts again.
    pub fn is_news(&mut self, read: &MatchKey, entry: &EntryRecord, now: Duration) -> bool {
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
mod tests {
    use super::*;
    use crate::plate::PlateText;

    fn entry(plate: &str, priority: Priority, category: &str) -> EntryRecord {
        EntryRecord { plate: plate.to_owned(), category: category.to_owned(), priority, ..EntryRecord::default() }
    }

    fn key(plate: &str) -> MatchKey {
        PlateText::normalise(plate).key()
    }

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn the_same_plate_and_entry_alert_once_in_the_set_time() {
        let mut repeats = Repeats::new(S(600));
        let stolen = entry("7ABC123", Priority::Normal, "stolen");
        assert!(repeats.is_news(&key("7ABC123"), &stolen, S(0)));
        assert!(!repeats.is_news(&key("7ABC123"), &stolen, S(599)));
        assert!(repeats.is_news(&key("7ABC123"), &stolen, S(600)), "counted from the alert given");
        assert!(!repeats.is_news(&key("7ABC123"), &stolen, S(601)));
    }

    #[test]
    fn another_plate_another_entry_or_a_raised_priority_alerts() {
        let mut repeats = Repeats::new(S(600));
        assert!(repeats.is_news(&key("7ABC123"), &entry("7ABC123", Priority::Normal, "stolen"), S(0)));
        assert!(repeats.is_news(&key("7A8C123"), &entry("7ABC123", Priority::Normal, "stolen"), S(1)));
        assert!(repeats.is_news(&key("7ABC123"), &entry("7ABC123", Priority::Normal, "felony"), S(1)));
        assert!(repeats.is_news(&key("7ABC123"), &entry("7ABC123", Priority::High, "stolen"), S(1)));
    }

    #[test]
    fn what_is_remembered_stays_bounded_and_keeps_the_newest() {
        let mut repeats = Repeats::new(S(1_000_000));
        for n in 0..10_000u64 {
            let plate = format!("P{n}");
            assert!(repeats.is_news(&key(&plate), &entry(&plate, Priority::Low, ""), S(n)));
            assert!(repeats.alerted.len() <= REMEMBERED);
        }
        assert!(!repeats.is_news(&key("P9999"), &entry("P9999", Priority::Low, ""), S(10_000)));
        // All in one moment: nothing is older than the rest, and still it is bounded.
        let mut repeats = Repeats::new(S(10));
        for n in 0..10_000u64 {
            let plate = format!("P{n}");
            repeats.is_news(&key(&plate), &entry(&plate, Priority::Low, ""), S(0));
        }
        assert!(repeats.alerted.len() <= REMEMBERED);
    }
}
