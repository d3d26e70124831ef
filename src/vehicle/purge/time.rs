//! The station's time, as far as the vehicle knows it without asking.

use crate::store::Ages;
use jiff::{SignedDuration, Timestamp};
use plated_core::clock::Clock;
use std::time::Duration;

/// A vehicle's clock is not believed further ahead of the last receipt: every vehicle has to be at the station within
/// 30 days, and one that shows more was set wrong.
const MAX_AWAY: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The newest time of the station that is known, and when by the monotonic clock it was learnt. It is later than that
/// by now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StationTime(Option<(Timestamp, Duration)>);

impl StationTime {
    /// A receipt has this time. One of an older receipt says nothing new.
    pub fn learn(&mut self, at: Timestamp, clock: &dyn Clock) {
        let now = clock.monotonic();
        if self.counted_on(now).is_none_or(|known| at > known) {
            self.0 = Some((at, now));
        }
    }

    fn counted_on(&self, now: Duration) -> Option<Timestamp> {
        let (at, then) = self.0?;
        at.checked_add(now.saturating_sub(then)).ok()
    }

    /// What time it is at least, by both clocks; none before the first receipt. The vehicle's own clock tells how long it was parked,
    /// as long as it is trusted and does not show more than any vehicle may be away.
    pub fn now(&self, clock: &dyn Clock) -> Option<Ages> {
        let moment = clock.moment();
        let counted = self.counted_on(moment.monotonic)?;
        let ahead = moment.wall.duration_since(counted);
        let believed = moment.trusted && ahead > SignedDuration::ZERO && ahead <= MAX_AWAY;
        Some(Ages { here: moment.wall, at_station: if believed { moment.wall } else { counted } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::clock::ManualClock;

    #[test]
    fn a_parked_vehicle_knows_the_time_by_its_own_clock_but_not_one_that_is_a_year_ahead() {
        let start: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let clock = ManualClock::at(start);
        let mut time = StationTime::default();
        assert_eq!(time.now(&clock), None, "nothing was ever received");
        time.learn(start, &clock);
        clock.advance(Duration::from_secs(60));
        let later = start + SignedDuration::from_secs(60);
        assert_eq!(time.now(&clock), Some(Ages { here: later, at_station: later }));
        let weekend = later + SignedDuration::from_hours(48);
        clock.jump_to(weekend);
        assert_eq!(time.now(&clock), Some(Ages { here: weekend, at_station: weekend }));
        let (year, back) = (start + SignedDuration::from_hours(365 * 24), start - SignedDuration::from_hours(365 * 24));
        for wrong in [year, back] {
            clock.jump_to(wrong);
            assert_eq!(time.now(&clock).unwrap().at_station, later, "{wrong}");
        }
        time.learn(start, &clock);
        assert_eq!(time.now(&clock).unwrap().at_station, later, "it never goes back");
    }
}
