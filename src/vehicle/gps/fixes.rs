//! The fixes of the last minutes. The receiver's task writes them, whoever makes a read asks for one; neither
//! waits for the other.

use super::judge::Fix;
use arc_swap::ArcSwap;
use plated_core::position::Position;
use std::sync::Arc;
use std::time::Duration;

/// Fixes that are kept: two minutes of them. A read is sealed up to a minute after it was made.
const MAX_FIXES: usize = 256;
/// Those that came closer together are not all kept.
const MIN_STEP: Duration = Duration::from_millis(450);
/// A fix that came longer before or after a frame says nothing of it.
pub const MAX_AGE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug, Default)]
pub struct Fixes(ArcSwap<Vec<Fix>>);

impl Fixes {
    /// One more; it came after all others.
    pub fn add(&self, fix: Fix) {
        let mut all = Vec::clone(&self.0.load());
        // The newest is always there, and those before it at their distance.
        if let [.., before, last] = &all[..]
            && last.came.saturating_sub(before.came) < MIN_STEP
        {
            all.pop();
        }
        if all.len() >= MAX_FIXES {
            all.remove(0);
        }
        all.push(fix);
        self.0.store(Arc::new(all));
    }

    /// Where the vehicle was at this monotonic time, by the fix that is nearest to it.
    pub fn at(&self, when: Duration) -> Option<Position> {
        let all = self.0.load();
        let nearest = all.iter().min_by_key(|fix| fix.came.abs_diff(when))?;
        if nearest.came.abs_diff(when) > MAX_AGE {
            return None;
        }
        let age = when.as_secs_f32() - nearest.came.as_secs_f32();
        Some(Position { age_s: (age * 10.0).round() / 10.0 + 0.0, ..nearest.position })
    }

    /// What is known is of before, as when the computer slept.
    pub fn forget(&self) {
        self.0.store(Arc::default());
    }

    /// The newest, and the monotonic time at which it came.
    pub fn newest(&self) -> Option<Fix> {
        self.0.load().last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(ms: u64, lat: f64) -> Fix {
        let position = Position { lat, lon: 1.0, heading: None, speed_m_s: None, error_m: None, age_s: 0.0 };
        Fix { position, came: Duration::from_millis(ms) }
    }

    #[test]
    fn a_frame_has_the_fix_that_is_nearest_to_it_and_its_age_and_none_that_is_far() {
        let fixes = Fixes::default();
        assert_eq!(fixes.at(Duration::ZERO), None);
        (0..30).for_each(|n| fixes.add(fix(100_000 + n * 1000, n as f64)));
        let at = |ms: u64| fixes.at(Duration::from_millis(ms)).map(|p| (p.lat, p.age_s));
        assert_eq!(at(110_300), Some((10.0, 0.3)));
        assert_eq!(at(110_700), Some((11.0, -0.3)), "it came after the frame");
        assert_eq!(at(134_000), Some((29.0, 5.0)));
        assert_eq!((at(134_100), at(94_900)), (None, None));
    }

    #[test]
    fn what_was_known_before_the_computer_slept_is_forgotten() {
        let fixes = Fixes::default();
        fixes.add(fix(1000, 1.0));
        fixes.forget();
        assert_eq!((fixes.at(Duration::from_secs(1)), fixes.newest()), (None, None));
    }

    #[test]
    fn a_fast_receiver_fills_no_more_memory_and_its_newest_fix_is_there() {
        let fixes = Fixes::default();
        (0..10_000).for_each(|n| fixes.add(fix(n * 100, n as f64)));
        assert!(fixes.0.load().len() <= MAX_FIXES);
        assert_eq!(fixes.newest().unwrap().position.lat, 9999.0);
        let old = fixes.at(Duration::from_millis(999_900 - 60_000)).unwrap();
        assert!(old.age_s.abs() <= 0.5, "a minute back it is known to half a second: {old:?}");
    }
}
