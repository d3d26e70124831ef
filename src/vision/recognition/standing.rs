//! How long a plate kept its place in the picture.

use super::track::centre;
use std::time::Duration;

/// A plate that kept its place for less than this did not stand: it was far away, or came straight on.
const MIN_STAND: Duration = Duration::from_secs(5);
/// It has moved when its middle is further off than this, in widths of the plate,
const MAX_SHIFT: f32 = 0.5;
/// or when the smaller of both widths is under this share of the other.
const MIN_SIZE: f32 = 0.8;

/// The place where a plate is, since when, and how long it stood elsewhere before.
pub struct Standing {
    place: [f32; 4],
    since: Duration,
    earlier: Duration,
}

impl Standing {
    /// Begins with the first look.
    pub fn new(now: Duration, bounds: [f32; 4]) -> Self {
        Self { place: bounds, since: now, earlier: Duration::ZERO }
    }

    /// Takes the next look; `last` is when the one before was.
    pub fn see(&mut self, last: Duration, now: Duration, bounds: [f32; 4]) {
        let (old, new) = (centre(&self.place), centre(&bounds));
        let width = self.place[2].max(bounds[2]).max(1.0);
        let shift = (old[0] - new[0]).hypot(old[1] - new[1]) / width;
        if shift > MAX_SHIFT || self.place[2].min(bounds[2]) / width < MIN_SIZE {
            *self = Self { place: bounds, since: now, earlier: self.stood(last) };
        }
    }

    /// True if it stood when it was seen last, at `last`.
    pub fn stands(&self, last: Duration) -> bool {
        last.saturating_sub(self.since) >= MIN_STAND
    }

    /// For how long it stood in all, up to the last look at `last`.
    pub fn stood(&self, last: Duration) -> Duration {
        let here = last.saturating_sub(self.since);
        self.earlier + if here >= MIN_STAND { here } else { Duration::ZERO }
    }
}
