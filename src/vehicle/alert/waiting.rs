//! Chimes that wait to be played: few, the most urgent first.

use plated_core::record::Priority;
use std::time::Duration;

/// Bounded queue of chimes with the time at which each was asked for.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// In the order of asking.
    chimes: Vec<(Priority, Duration)>,
}

/// More than this nobody could tell apart.
pub const CAPACITY: usize = 8;

/// What became of a chime that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits.
    Waits,
    /// It waits, and a less urgent one was dropped for it.
    Displaced,
    /// It was dropped: all that wait are more urgent, or as urgent and older.
    Dropped,
    /// It is of high priority and the queue is full of those; one of them sounds for it too.
    Merged,
}

impl Waiting {
    /// Adds a chime asked for at `now`. When full, the least urgent is dropped, of those the newest; high priority
    /// never is.
    pub fn push(&mut self, priority: Priority, now: Duration) -> Pushed {
        if self.chimes.len() < CAPACITY {
            self.chimes.push((priority, now));
            return Pushed::Waits;
        }
        let least = self.chimes.iter().enumerate().rev().min_by_key(|(_, (p, _))| *p);
        match least {
            Some((at, (p, _))) if *p < priority => {
                self.chimes.remove(at);
                self.chimes.push((priority, now));
                Pushed::Displaced
            }
            _ if priority == Priority::High => Pushed::Merged,
            _ => Pushed::Dropped,
        }
    }

    /// The chime to play next, with the time at which it was asked for: the most urgent, of
    /// those the oldest.
    pub fn pop(&mut self) -> Option<(Priority, Duration)> {
        let most = self.chimes.iter().enumerate().rev().max_by_key(|(_, (p, _))| *p)?.0;
        Some(self.chimes.remove(most))
    }

    /// Lets go of low and normal chimes asked for before `then`, and says how many: a chime that
    /// comes much too late misleads. High priority stays.
    pub fn forget_before(&mut self, then: Duration) -> u64 {
        let before = self.chimes.len();
        self.chimes.retain(|(p, at)| *p == Priority::High || *at >= then);
        (before - self.chimes.len()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn high_priority_is_never_dropped_and_the_queue_stays_short(ops in proptest::collection::vec(0..5u8, 0..60)) {
            let mut waiting = Waiting::default();
            let (mut high_asked, mut high_out) = (0, 0);
            for op in ops {
                let priority = match op {
                    0 => Priority::Low,
                    1 => Priority::Normal,
                    2 | 3 => Priority::High,
                    _ => {
                        high_out += u32::from(matches!(waiting.pop(), Some((Priority::High, _))));
                        continue;
                    }
                };
                let pushed = waiting.push(priority, Duration::ZERO);
                if priority == Priority::High {
                    prop_assert_ne!(pushed, Pushed::Dropped);
                    high_asked += u32::from(pushed != Pushed::Merged);
                }
                prop_assert!(waiting.chimes.len() <= CAPACITY);
            }
            waiting.forget_before(Duration::MAX);
            while matches!(waiting.pop(), Some((Priority::High, _))) {
                high_out += 1;
            }
            prop_assert_eq!(high_asked, high_out);
        }
    }

    #[test]
    fn the_most_urgent_sounds_first_and_the_older_of_two() {
        let mut waiting = Waiting::default();
        let s = Duration::from_secs;
        waiting.push(Priority::Low, s(0));
        waiting.push(Priority::High, s(1));
        waiting.push(Priority::Normal, s(2));
        assert_eq!(waiting.pop(), Some((Priority::High, s(1))));
        assert_eq!(waiting.forget_before(s(1)), 1);
        assert_eq!((waiting.pop(), waiting.pop()), (Some((Priority::Normal, s(2))), None));
    }

    #[test]
    fn a_full_queue_drops_the_least_urgent() {
        let mut waiting = Waiting::default();
        waiting.push(Priority::Low, Duration::ZERO);
        (1..CAPACITY).for_each(|_| assert_eq!(waiting.push(Priority::Normal, Duration::ZERO), Pushed::Waits));
        assert_eq!(waiting.push(Priority::Low, Duration::ZERO), Pushed::Dropped);
        assert_eq!(waiting.push(Priority::High, Duration::ZERO), Pushed::Displaced);
        assert_eq!(waiting.push(Priority::Normal, Duration::ZERO), Pushed::Dropped);
        (1..CAPACITY).for_each(|_| assert_eq!(waiting.push(Priority::High, Duration::ZERO), Pushed::Displaced));
        assert_eq!(waiting.push(Priority::High, Duration::ZERO), Pushed::Merged);
    }
}
