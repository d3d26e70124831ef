//! Whether a hit is news: an entry alerts once in a pass, the same plate with the same entry does not
//! alert again for a while or as long as the vehicle stands in view, unless it is seen again far from
//! where it alerted, and a pairing that somebody found wrong is muted until the shift ends.

use super::{MutedPairings, Settings};
use plated_core::plate::{MatchKey, PlateText};
use plated_core::record::{Alerting, EntryRecord, HitEntry, HitRecord, Position, Priority};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Alerts of the last minutes, beside the pairings that are muted.
#[derive(Debug)]
pub struct Repeats {
    after: Duration,
    /// Metres; 0 when no distance is far.
    far: f64,
    alerted: HashMap<(MatchKey, Wanted), Alerted>,
    muted: Arc<MutedPairings>,
}

/// Bound of what is remembered. When it is reached the oldest are forgotten, so at worst an
/// alert is repeated too early.
const MAX_REMEMBERED: usize = 4096;
/// A plate that was in view less than this long ago has not left: a vehicle that stands there does
/// not alert again, however long it stands.
const LEFT_AFTER: Duration = Duration::from_secs(60);

/// What makes two entries the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Wanted {
    list: String,
    plate: String,
    category: String,
    source: String,
}

/// The last alert of a plate and an entry; times are monotonic. One more urgent than that is news.
#[derive(Clone, Copy, Debug)]
struct Alerted {
    priority: Priority,
    /// The last alert.
    alerted: Duration,
    /// When it was last in view.
    seen: Duration,
    /// Where the vehicle was at the last alert, if that is known.
    place: Option<Position>,
}

impl Wanted {
    fn of(entry: &EntryRecord) -> Self {
        Self {
            list: entry.list.clone(),
            plate: entry.plate.clone(),
            category: entry.category.clone(),
            source: entry.source.clone(),
        }
    }
}

impl Repeats {
    /// By the times and distances of these settings.
    pub fn new(settings: &Settings, muted: Arc<MutedPairings>) -> Self {
        let (after, far) = (Duration::from_secs(settings.repeat_after_s), f64::from(settings.repeat_distance_m));
        Self { after, far, alerted: HashMap::new(), muted }
    }

    /// Whether this hit, probable enough to alert, does alert at monotonic time `now`: not when its
    /// pairing is muted, and not when each of its entries alerted in this pass, whatever was read
    /// then, or alerted for this text a short while ago. `before` are the hits of this pass. If it
    /// does, it counts as alerted from here on.
    pub fn decide(&mut self, hit: &HitRecord, before: &[HitRecord], now: Duration) -> Alerting {
        if self.muted.holds(hit, now) {
            return Alerting::Quieted;
        }
        let read = PlateText::normalise(&hit.text).key();
        let alerted = before.iter().filter(|h| matches!(h.alert, Alerting::Sounded | Alerting::Repeat));
        let mut in_this_pass: HashMap<Wanted, Priority> = HashMap::new();
        for entry in alerted.flat_map(HitRecord::alerting) {
            let most = in_this_pass.entry(Wanted::of(&entry.entry)).or_insert(entry.priority);
            *most = entry.priority.max(*most);
        }
        // Each is noted, so no `any`, which would stop at the first.
        let is_news = |e: &&HitEntry| {
            let wanted = Wanted::of(&e.entry);
            let in_this_pass = in_this_pass.get(&wanted).is_some_and(|most| *most >= e.priority);
            self.is_news(&read, wanted, e.priority, in_this_pass, hit.position, now)
        };
        if hit.entries.iter().filter(is_news).count() > 0 { Alerting::Sounded } else { Alerting::Repeat }
    }

    /// The pass with these hits was still in view at the monotonic time `now`.
    pub fn seen(&mut self, hits: &[HitRecord], now: Duration) {
        for hit in hits {
            let read = PlateText::normalise(&hit.text).key();
            for entry in &hit.entries {
                if let Some(times) = self.alerted.get_mut(&(read.clone(), Wanted::of(&entry.entry))) {
                    times.seen = times.seen.max(now);
                }
            }
        }
    }

    fn is_news(
        &mut self,
        read: &MatchKey,
        wanted: Wanted,
        priority: Priority,
        in_this_pass: bool,
        place: Option<Position>,
        now: Duration,
    ) -> bool {
        let key = (read.clone(), wanted);
        // Without a time in which alerts don't repeat there is no standing either.
        let left_after = LEFT_AFTER.min(self.after);
        let far = self.far;
        if let Some(last) = self.alerted.get_mut(&key) {
            // The true distance may be less by what both places may be wrong. One that is followed was in view
            // all the while.
            let moved = |(then, now): (Position, Position)| then.metres_to(&now) - then.errors_m(&now) >= far;
            let elsewhere = far > 0.0 && last.place.zip(place).is_some_and(moved);
            let lately = !elsewhere && now.saturating_sub(last.alerted) < self.after
                || now.saturating_sub(last.seen) < left_after;
            if in_this_pass || lately && priority <= last.priority {
                last.seen = now;
                return false;
            }
        }
        if self.alerted.len() >= MAX_REMEMBERED {
            self.forget(now);
        }
        // In one pass an entry alerts once; what was read this time is noted as if it had.
        self.alerted.insert(key, Alerted { priority, alerted: now, seen: now, place });
        !in_this_pass
    }

    /// Makes room: what is over, and where that is not enough the older half.
    fn forget(&mut self, now: Duration) {
        let (after, last) = (self.after, |times: &Alerted| times.alerted.max(times.seen));
        self.alerted.retain(|_, times| now.saturating_sub(last(times)) < after);
        if self.alerted.len() >= MAX_REMEMBERED {
            let mut times: Vec<Duration> = self.alerted.values().map(last).collect();
            let (_, middle, _) = times.select_nth_unstable(MAX_REMEMBERED / 2);
            let middle = *middle;
            self.alerted.retain(|_, times| last(times) > middle);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use plated_core::record::{Rule, StateAgreement};
    use uuid::Uuid;

    pub fn hit(text: &str, listed: &str, entries: &[EntryRecord]) -> HitRecord {
        let shown = |entry: &EntryRecord| HitEntry {
            state: StateAgreement::Unknown,
            priority: entry.priority,
            age_days: None,
            finding: None,
            vehicle_differs: Vec::new(),
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
            kept_late: false,
            position: None,
            correction: None,
            entries: entries.iter().map(shown).collect(),
        }
    }

    fn repeats(after: u64) -> Repeats {
        Repeats::new(&Settings { repeat_after_s: after, ..Settings::default() }, Arc::default())
    }

    #[test]
    fn a_hit_is_news_when_one_of_its_entries_is() {
        let mut repeats = repeats(600);
        let (stolen, felony) =
            (entry("7ABC123", Priority::Normal, "stolen"), entry("7ABC123", Priority::High, "felony"));
        let mut decide =
            |entries: &[EntryRecord], now| repeats.decide(&hit("7ABC123", "7ABC123", entries), &[], S(now));
        assert_eq!(decide(std::slice::from_ref(&stolen), 0), Alerting::Sounded);
        assert_eq!(decide(&[stolen.clone(), felony.clone()], 1), Alerting::Sounded);
        assert_eq!(decide(&[felony, stolen], 2), Alerting::Repeat);
    }

    #[test]
    fn a_muted_pairing_does_not_alert_and_alerts_at_once_when_it_is_over() {
        let mut repeats = repeats(600);
        let wanted = hit("7ABC123", "7A8C123", &[entry("7A8C123", Priority::High, "stolen")]);
        repeats.muted.begin(&wanted, S(100));
        assert_eq!(repeats.decide(&wanted, &[], S(99)), Alerting::Quieted);
        assert_eq!(repeats.decide(&wanted, &[], S(100)), Alerting::Sounded);
        assert_eq!(repeats.decide(&wanted, &[], S(101)), Alerting::Repeat);
    }

    pub fn entry(plate: &str, priority: Priority, category: &str) -> EntryRecord {
        EntryRecord { plate: plate.to_owned(), category: category.to_owned(), priority, ..EntryRecord::default() }
    }

    pub const S: fn(u64) -> Duration = Duration::from_secs;

    impl Repeats {
        /// Whether a pass of its own with this text and entry alerts.
        fn alerts(&mut self, read: &str, entry: &EntryRecord, now: u64) -> bool {
            self.decide(&hit(read, &entry.plate, std::slice::from_ref(entry)), &[], S(now)) == Alerting::Sounded
        }
    }

    #[test]
    fn the_same_plate_and_entry_alert_once_in_the_set_time() {
        let mut repeats = repeats(600);
        let stolen = entry("7ABC123", Priority::Normal, "stolen");
        assert!(repeats.alerts("7ABC123", &stolen, 0));
        assert!(!repeats.alerts("7ABC123", &stolen, 539));
        assert!(repeats.alerts("7ABC123", &stolen, 600), "counted from the alert given");
        assert!(!repeats.alerts("7ABC123", &stolen, 601));
    }

    /// A place so many metres to the north of where the beat begins, known to so many metres.
    fn place(metres: f64, error_m: Option<f32>) -> Option<Position> {
        let lat = 38.13 + metres / 111_195.0;
        Some(Position { lat, lon: -121.27, heading: None, speed_m_s: None, error_m, age_s: 0.0 })
    }

    /// Whether a pass with this plate alerts, when the patrol car is there.
    fn alerts_at(repeats: &mut Repeats, place: Option<Position>, now: u64) -> bool {
        let wanted =
            HitRecord { position: place, ..hit("7ABC123", "7ABC123", &[entry("7ABC123", Priority::High, "x")]) };
        repeats.decide(&wanted, &[], S(now)) == Alerting::Sounded
    }

    #[test]
    fn the_same_vehicle_seen_again_300_m_from_where_it_alerted_alerts_again() {
        let mut repeats = repeats(600);
        assert!(alerts_at(&mut repeats, place(0.0, None), 0));
        assert!(!alerts_at(&mut repeats, place(290.0, None), 100));
        assert!(alerts_at(&mut repeats, place(310.0, None), 200));
        assert!(!alerts_at(&mut repeats, place(310.0, None), 300), "counted from where it alerted last");
        assert!(alerts_at(&mut repeats, place(0.0, None), 400));
    }

    #[test]
    fn without_a_position_or_with_one_that_may_be_wrong_the_time_alone_counts() {
        for (first, second) in [
            (None, place(5000.0, None)),
            (place(0.0, None), None),
            (place(0.0, Some(150.0)), place(500.0, Some(100.0))),
        ] {
            let mut repeats = repeats(600);
            assert!(alerts_at(&mut repeats, first, 0));
            assert!(!alerts_at(&mut repeats, second, 539));
            assert!(alerts_at(&mut repeats, second, 600), "no longer than without positions");
        }
        let settings = Settings { repeat_distance_m: 0, ..Settings::default() };
        let mut repeats = Repeats::new(&settings, Arc::default());
        assert!(alerts_at(&mut repeats, place(0.0, None), 0) && !alerts_at(&mut repeats, place(5000.0, None), 100));
    }

    #[test]
    fn a_vehicle_that_is_followed_does_not_alert_each_300_m() {
        let mut repeats = repeats(600);
        assert!(alerts_at(&mut repeats, place(0.0, None), 0));
        for n in 1..50 {
            assert!(!alerts_at(&mut repeats, place(100.0 * n as f64, None), 10 * n), "after {n} passes");
        }
    }

    #[test]
    fn another_plate_another_entry_or_a_raised_priority_alerts() {
        let mut repeats = repeats(600);
        assert!(repeats.alerts("7ABC123", &entry("7ABC123", Priority::Normal, "stolen"), 0));
        assert!(repeats.alerts("7A8C123", &entry("7ABC123", Priority::Normal, "stolen"), 1));
        assert!(repeats.alerts("7ABC123", &entry("7ABC123", Priority::Normal, "felony"), 1));
        assert!(repeats.alerts("7ABC123", &entry("7ABC123", Priority::High, "stolen"), 1));
        assert!(!repeats.alerts("7ABC123", &entry("7ABC123", Priority::Normal, "stolen"), 2), "less urgent is no news");
    }

    #[test]
    fn a_pass_that_flickers_between_two_texts_alerts_once_for_an_entry() {
        let mut repeats = repeats(600);
        let stolen = [entry("7ABC123", Priority::High, "stolen")];
        let mut first = hit("7ABC123", "7ABC123", &stolen);
        first.alert = repeats.decide(&first, &[], S(0));
        assert_eq!(first.alert, Alerting::Sounded);
        let second = hit("7A8C123", "7ABC123", &stolen);
        assert_eq!(repeats.decide(&second, std::slice::from_ref(&first), S(1)), Alerting::Repeat);
        // The next pass of the same vehicle begins with the other text.
        assert_eq!(repeats.decide(&second, &[], S(100)), Alerting::Repeat);
        // Also when the pass lasts longer than the time in which alerts don't repeat.
        assert_eq!(repeats.decide(&second, std::slice::from_ref(&first), S(2000)), Alerting::Repeat);
        let more = hit("7A8C123", "7ABC123", &[stolen[0].clone(), entry("7ABC123", Priority::High, "robbery")]);
        assert_eq!(repeats.decide(&more, &[first], S(2001)), Alerting::Sounded, "another entry");
    }

    #[test]
    fn a_vehicle_that_stands_in_view_does_not_alert_again_until_it_left_and_came_back() {
        let mut repeats = repeats(600);
        let stolen = entry("7ABC123", Priority::High, "stolen");
        let seen = [hit("7ABC123", "7ABC123", std::slice::from_ref(&stolen))];
        assert!(repeats.alerts("7ABC123", &stolen, 0));
        // One long pass, or many short ones.
        repeats.seen(&seen, S(3000));
        for minute in 0..60 {
            assert!(!repeats.alerts("7ABC123", &stolen, 3000 + minute * 59));
        }
        assert!(repeats.alerts("7ABC123", &stolen, 3000 + 59 * 59 + 60));
    }

    #[test]
    fn what_is_remembered_stays_bounded_and_keeps_the_newest() {
        let mut repeats = repeats(1_000_000);
        for n in 0..10_000u64 {
            let plate = format!("P{n}");
            assert!(repeats.alerts(&plate, &entry(&plate, Priority::Low, ""), n));
            assert!(repeats.alerted.len() <= MAX_REMEMBERED);
        }
        assert!(!repeats.alerts("P9999", &entry("P9999", Priority::Low, ""), 10_000));
        // All in one moment: nothing is older than the rest, and still it is bounded.
        let mut repeats = self::repeats(10);
        for n in 0..10_000u64 {
            let plate = format!("P{n}");
            repeats.alerts(&plate, &entry(&plate, Priority::Low, ""), 0);
        }
        assert!(repeats.alerted.len() <= MAX_REMEMBERED);
    }
}
