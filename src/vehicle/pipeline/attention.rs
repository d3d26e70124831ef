//! Which frames are recognised: each one, but where nothing moves or the computer is to be spared.
//!
//! Where a camera's picture has not changed for some seconds, a very small one of it ([`Thumbnail`]) is compared some
//! twelve times a second with the one by which it was still, and the frame is recognised only now and then. The first
//! change ends that: every frame is recognised again, as before. Recordings are always recognised whole.

use crate::power::Pressure;
use opencv::core::Mat;
use plated_core::error::Result;
use plated_vision::frame::Frame;
use plated_vision::picture::Thumbnail;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A picture that did not change for so long is still. By then its plates have been seen often enough to alert.
const SETTLE: Duration = Duration::from_secs(3);
/// How often it is compared while it is not still,
const SAMPLE: Duration = Duration::from_millis(500);
/// every other time so much later: what blinks is not seen in the same moment of it always,
const SHIFT: Duration = Duration::from_millis(50);
/// and while it is: the first frame of something that comes waits no longer.
const CHECK: Duration = Duration::from_millis(80);

/// What is done about a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It is recognised.
    Recognise,
    /// It shows what the last recognised one does.
    Unchanged,
    /// Nobody looks at it.
    Pass,
}

/// The choice for all sources.
pub struct Attention {
    sources: Vec<Mutex<Source>>,
    /// Sources that are recordings, played as fast as can be: each frame of them counts.
    own_time: Vec<bool>,
    /// A still picture is recognised so often; zero: each of its frames.
    still: Duration,
    pressure: Arc<Pressure>,
}

#[derive(Default)]
struct Source {
    reference: Thumbnail,
    /// Monotonic time of the reference.
    since: Duration,
    is_still: bool,
    compared: Option<Duration>,
    /// The next comparison comes later than the last did.
    shifted: bool,
    recognised: Option<Duration>,
    room: Mat,
}

impl Attention {
    /// For these sources; true for those that are recordings played as fast as can be.
    pub fn new(own_time: Vec<bool>, still: Duration, pressure: Arc<Pressure>) -> Self {
        Self { sources: own_time.iter().map(|_| Mutex::default()).collect(), own_time, still, pressure }
    }

    /// What is done about this frame. Frames of a source may come in any order.
    pub fn choose(&self, source: usize, frame: &Frame) -> Choice {
        if self.is_recording(source, frame) {
            return Choice::Recognise;
        }
        let now = frame.monotonic;
        let mut source = self.lock(source);
        let passed = |then: Option<Duration>, least| then.is_none_or(|then| now.saturating_sub(then) >= least);
        if !passed(source.recognised, self.pressure.pace()) {
            return Choice::Pass;
        }
        if self.still > Duration::ZERO {
            let every = match (source.is_still, source.shifted) {
                (true, _) => CHECK,
                (false, false) => SAMPLE,
                (false, true) => SAMPLE + SHIFT,
            };
            if !passed(source.compared, every) {
                if source.is_still {
                    return Choice::Pass;
                }
            } else if source.compare(frame).is_err() {
                // It is told of where the frame is recognised.
                *source = Source::default();
            }
            if source.is_still && !passed(source.recognised, self.still) {
                return Choice::Unchanged;
            }
        }
        source.recognised = source.recognised.max(Some(now));
        Choice::Recognise
    }

    /// Whether the detector is given a smaller picture of this frame.
    pub fn is_spared(&self, source: usize, frame: &Frame) -> bool {
        !self.is_recording(source, frame) && self.pressure.is_high()
    }

    fn is_recording(&self, source: usize, frame: &Frame) -> bool {
        frame.recorded || self.own_time[source]
    }

    /// What this source's frames show is not known: recognition of one failed.
    pub fn failed(&self, source: usize) {
        *self.lock(source) = Source::default();
    }

    fn lock(&self, source: usize) -> MutexGuard<'_, Source> {
        self.sources[source].lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Source {
    fn compare(&mut self, frame: &Frame) -> Result<()> {
        let thumbnail = Thumbnail::of(&frame.picture, &mut self.room)?;
        (self.compared, self.shifted) = (Some(frame.monotonic), !self.shifted);
        if thumbnail.differs(&self.reference) {
            (self.reference, self.since, self.is_still) = (thumbnail, frame.monotonic, false);
        } else {
            self.is_still = frame.monotonic.saturating_sub(self.since) >= SETTLE;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::worker::Seen;
    use opencv::core::{CV_8UC3, Rect, Scalar};
    use opencv::imgproc;

    const STILL: Duration = Duration::from_secs(2);

    /// A frame at this time, in milliseconds; `x` is where a vehicle is.
    fn frame(millis: u64, x: i32) -> Frame {
        let mut image = Mat::new_rows_cols_with_default(360, 640, CV_8UC3, Scalar::all(90.0)).unwrap();
        let vehicle = Rect::new(x, 200, 60, 30);
        imgproc::rectangle(&mut image, vehicle, Scalar::all(200.0), -1, imgproc::LINE_8, 0).unwrap();
        Frame { monotonic: Duration::from_millis(millis), picture: image.into(), ..Seen::empty(0).frame }
    }

    /// What is done about 30 frames a second from one second to another, with the vehicle at `x`.
    fn looks(attention: &Attention, from: u64, to: u64, x: impl Fn(u64) -> i32) -> Vec<Choice> {
        (from * 30..to * 30).map(|n| attention.choose(0, &frame(n * 100 / 3, x(n)))).collect()
    }

    fn recognised(looks: &[Choice]) -> usize {
        looks.iter().filter(|look| **look == Choice::Recognise).count()
    }

    #[test]
    fn where_nothing_moves_one_frame_in_sixty_is_recognised_and_what_moves_is_recognised_at_once_and_in_full() {
        let attention = Attention::new(vec![false], STILL, Arc::default());
        assert_eq!(recognised(&looks(&attention, 0, 10, |n| n as i32)), 300, "it moves");
        assert_eq!(recognised(&looks(&attention, 10, 13, |_| 300)), 90, "it stops: no look is missing for an alert");
        let still = looks(&attention, 14, 74, |_| 300);
        assert!((29..=32).contains(&recognised(&still)), "{} in a minute", recognised(&still));
        let checked = still.iter().filter(|look| **look != Choice::Pass).count();
        assert!((590..=660).contains(&checked), "{checked} compared in a minute");
        let moving = looks(&attention, 74, 76, |n| n as i32 % 500);
        let waits = moving.iter().position(|look| *look == Choice::Recognise).unwrap();
        assert!(waits <= 3, "the first frame waits {waits} frames");
        assert_eq!(recognised(&moving), 60 - waits, "and then none is left out");
    }

    #[test]
    fn what_changes_with_every_frame_is_not_still_however_many_there_are_a_second() {
        for rate in [10, 15, 20, 25, 30, 60] {
            let attention = Attention::new(vec![false], STILL, Arc::default());
            let blinking = |n: u64| attention.choose(0, &frame(n * 1000 / rate, 100 + 200 * (n % 2) as i32));
            assert!((0..rate * 10).all(|n| blinking(n) == Choice::Recognise), "{rate} frames a second");
        }
    }

    #[test]
    fn with_no_time_set_and_of_recordings_every_frame_is_recognised() {
        let attention = Attention::new(vec![false], Duration::ZERO, Arc::default());
        assert_eq!(recognised(&looks(&attention, 0, 10, |_| 300)), 300);
        let attention = Attention::new(vec![false], STILL, Arc::default());
        let recorded = |n: u64| Frame { recorded: true, ..frame(n * 33, 300) };
        assert!((0..300).all(|n| attention.choose(0, &recorded(n)) == Choice::Recognise));
        let attention = Attention::new(vec![true], STILL, Arc::default());
        assert_eq!(recognised(&looks(&attention, 0, 10, |_| 300)), 300);
    }

    #[test]
    fn after_a_frame_that_failed_a_still_picture_is_looked_at_in_full_again() {
        let attention = Attention::new(vec![false], STILL, Arc::default());
        looks(&attention, 0, 10, |_| 300);
        attention.failed(0);
        assert_eq!(recognised(&looks(&attention, 10, 12, |_| 300)), 60);
    }
}
