//! When the next picture of a file is due, which pictures of a camera are old, and how long to wait
//! before a camera is tried again.

use std::time::{Duration, Instant};

/// A schedule by the times in a file. It counts from its start, so that waiting a little too long
/// once does not slow the whole file.
#[derive(Debug, Default)]
pub struct Pacer {
    /// Monotonic time and time in the file from which it counts.
    start: Option<(Duration, Duration)>,
}

/// Further behind than this, the schedule starts anew rather than hurrying after it.
const MAX_DELAY: Duration = Duration::from_secs(1);

impl Pacer {
    /// How long to wait from `now` (monotonic) until the picture of this time in the file is due.
    pub fn wait(&mut self, now: Duration, time: Duration) -> Duration {
        let due = self.start.map(|(now, then)| now + time.saturating_sub(then));
        match due {
            Some(due) if now <= due + MAX_DELAY => due.saturating_sub(now),
            _ => {
                self.start = Some((now, time));
                Duration::ZERO
            }
        }
    }
}

/// Tells the pictures that were kept while a stream was being opened from those that are new: the
/// old ones come faster than they were taken.
#[derive(Debug)]
pub struct Backlog {
    /// When the last picture came, and its time in the stream in seconds.
    last: (Instant, f64),
    old: u32,
    over: bool,
}

/// So many are old for sure. Opening takes many, and the first two often carry one time.
const MIN_OLD: u32 = 2;
/// Five seconds of a fast camera. One whose time runs wrong loses no more than these.
const MAX_OLD: u32 = 300;

impl Backlog {
    /// Of a stream opened `now`.
    pub fn new(now: Instant) -> Self {
        Self { last: (now, 0.0), old: 0, over: false }
    }

    /// Whether the picture that came `now`, with this time in the stream in seconds, is an old one.
    /// From the first that is not, none is.
    pub fn holds(&mut self, now: Instant, time: f64) -> bool {
        let (then, before) = std::mem::replace(&mut self.last, (now, time));
        // A quarter is for jitter.
        let fast = now.saturating_duration_since(then).as_secs_f64() < 0.75 * (time - before);
        let old = self.old < MIN_OLD || fast && self.old < MAX_OLD;
        self.over |= !old;
        self.old += u32::from(!self.over);
        !self.over
    }
}

/// Waits before a camera is tried again grow from the first to the longest.
pub const MIN_RETRY: Duration = Duration::from_millis(250);
/// The longest wait for a USB camera.
pub const MAX_USB_RETRY: Duration = Duration::from_secs(1);
/// The longest wait for others.
pub const MAX_RETRY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_late_picture_does_not_delay_those_after_it() {
        let mut p = Pacer::default();
        assert_eq!(p.wait(MS(1000), MS(0)), MS(0));
        assert_eq!(p.wait(MS(1010), MS(100)), MS(90));
        assert_eq!(p.wait(MS(1350), MS(200)), MS(0)); // Due at 1200.
        assert_eq!(p.wait(MS(1351), MS(300)), MS(0)); // Due at 1300.
        assert_eq!(p.wait(MS(1352), MS(400)), MS(48)); // Due at 1400, as if nothing had been late.
    }

    #[test]
    fn after_a_long_stop_the_file_goes_on_at_its_pace() {
        let mut p = Pacer::default();
        p.wait(MS(0), MS(0));
        assert_eq!(p.wait(MS(60_000), MS(100)), MS(0));
        assert_eq!(p.wait(MS(60_001), MS(200)), MS(99));
    }

    #[test]
    fn pictures_from_before_the_stream_was_open_are_old_and_later_ones_are_not() {
        let start = Instant::now();
        let mut b = Backlog::new(start);
        for (ms, time, old) in [(1, 0.0, true), (5, 0.0, true), (9, 0.1, true), (100, 0.2, false), (101, 0.3, false)] {
            assert_eq!(b.holds(start + MS(ms), time), old, "at {ms} ms");
        }
    }

    #[test]
    fn a_camera_whose_time_is_wrong_is_still_used() {
        let now = Instant::now();
        for (step, lost) in [(0.0, MIN_OLD), (-1.0, MIN_OLD), (f64::NAN, MIN_OLD), (100.0, MAX_OLD)] {
            let mut b = Backlog::new(now);
            let old = (0..2000).filter(|n| b.holds(now, f64::from(*n) * step)).count();
            assert_eq!(old, lost as usize, "with steps of {step} s");
        }
    }
}
