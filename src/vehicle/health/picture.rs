//! Focus and light of a camera, from pictures that are looked at now and then: told once something is wrong for
//! minutes, and taken back once it is well for minutes. A tunnel, a truck ahead or one bad picture is no news.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_vision::picture::{PictureFault, Quality};
use std::time::Duration;

/// A camera's pictures are looked at so often.
pub const INTERVAL: Duration = Duration::from_secs(2);
/// So much longer must pictures be bad than good before it is told, and the other way round until it is taken back.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is wrong with a camera's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// What.
    pub fault: PictureFault,
    /// Since when.
    pub since: Timestamp,
}

impl Told {
    /// What it looks like and what to do, without a full stop.
    pub fn text(&self) -> String {
        let since = self.since.to_zoned(TimeZone::system()).strftime("%H:%M").to_string();
        match self.fault {
            PictureFault::Blurred => format!("its picture looks blurred since {since}: clean or focus the lens"),
            PictureFault::Black => {
                format!("its picture is black since {since}: uncover the lens, or look after its light and exposure")
            }
            PictureFault::White => format!("its picture is white since {since}: shade the lens, or lower its exposure"),
            PictureFault::Covered => {
                format!("nothing can be seen in its picture since {since}: look whether something covers the lens")
            }
        }
    }
}

/// The pictures of one camera.
#[derive(Clone, Debug, Default)]
pub struct PictureWatch {
    /// Monotonic time of the last look.
    last: Option<Duration>,
    fault: Option<(PictureFault, Timestamp)>,
    /// How much longer pictures were bad than good, at most [`PATIENCE`].
    bad: Duration,
    told: bool,
}

impl PictureWatch {
    /// Whether the next picture is to be looked at. Says yes once in an [`INTERVAL`].
    pub fn is_due(&mut self, now: Duration) -> bool {
        let due = self.last.is_none_or(|last| now.saturating_sub(last) >= INTERVAL);
        if due {
            self.last = Some(now);
        }
        due
    }

    /// A picture was looked at.
    pub fn look(&mut self, quality: Quality, at: Timestamp) {
        match (quality.fault, &self.fault) {
            (Some(now), Some((known, _))) if is_same(now, *known) => self.bad = (self.bad + INTERVAL).min(PATIENCE),
            // Another fault than the one that is told is not the one, and not well either.
            (Some(_), Some(_)) if self.told => {}
            (Some(now), _) => (self.fault, self.bad) = (Some((now, at)), INTERVAL),
            (None, _) => self.bad = self.bad.saturating_sub(INTERVAL),
        }
        if self.bad >= PATIENCE {
            self.told = true;
        } else if self.bad.is_zero() {
            (self.fault, self.told) = (None, false);
        }
    }

    /// What is wrong, once it is for minutes.
    pub fn told(&self) -> Option<Told> {
        self.fault.filter(|_| self.told).map(|(fault, since)| Told { fault, since })
    }
}

/// What is far out of focus may look covered now and then.
fn is_same(a: PictureFault, b: PictureFault) -> bool {
    let shapeless = [PictureFault::Blurred, PictureFault::Covered];
    a == b || shapeless.contains(&a) && shapeless.contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Quality = Quality { fine: Some(0.08), fault: None };

    fn bad(fault: PictureFault) -> Quality {
        Quality { fine: None, fault: Some(fault) }
    }

    fn at(second: u64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second as i64).unwrap()
    }

    /// Looks at pictures of these qualities, each for so many seconds.
    fn after(watch: &mut PictureWatch, from: u64, looks: &[(Quality, u64)]) -> u64 {
        let mut now = from;
        for (quality, seconds) in looks {
            for _ in (0..*seconds).step_by(2) {
                watch.look(*quality, at(now));
                now += 2;
            }
        }
        now
    }

    #[test]
    fn a_blurred_lens_is_told_after_two_minutes_with_its_beginning_and_taken_back_after_two_good_ones() {
        let mut watch = PictureWatch::default();
        let blurred = bad(PictureFault::Blurred);
        let now = after(&mut watch, 0, &[(WELL, 600), (blurred, 118)]);
        assert_eq!(watch.told(), None);
        let now = after(&mut watch, now, &[(blurred, 2)]);
        assert_eq!(watch.told(), Some(Told { fault: PictureFault::Blurred, since: at(600) }));
        assert!(watch.told().unwrap().text().ends_with(": clean or focus the lens"));
        let now = after(&mut watch, now, &[(WELL, 118)]);
        assert!(watch.told().is_some(), "not yet");
        after(&mut watch, now, &[(WELL, 2)]);
        assert_eq!(watch.told(), None);
    }

    #[test]
    fn a_tunnel_a_truck_ahead_and_a_picture_now_and_then_are_no_news() {
        let mut watch = PictureWatch::default();
        let (black, blurred) = (bad(PictureFault::Black), bad(PictureFault::Blurred));
        for _ in 0..50 {
            after(&mut watch, 0, &[(black, 60), (WELL, 60), (blurred, 4), (WELL, 4), (black, 2), (blurred, 2)]);
            assert_eq!(watch.told(), None);
        }
    }

    #[test]
    fn a_lens_whose_fault_is_now_called_this_and_now_that_is_told_all_the_same() {
        let mut watch = PictureWatch::default();
        let (covered, blurred) = (bad(PictureFault::Covered), bad(PictureFault::Blurred));
        for n in 0..15 {
            after(&mut watch, n * 8, &[(blurred, 4), (covered, 4)]);
        }
        assert_eq!(watch.told().map(|told| told.since), Some(at(0)));
    }

    #[test]
    fn pictures_are_looked_at_once_in_an_interval() {
        let mut watch = PictureWatch::default();
        let due = (0..100).filter(|n| watch.is_due(Duration::from_millis(n * 100))).count();
        assert_eq!(due, 5, "in ten seconds");
    }
}
