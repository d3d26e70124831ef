//! Which fixes are used. A wrong place beside a read is worse than none, so what is doubtful is not.

use super::protocol::Report;
use jiff::{SignedDuration, Timestamp};
use plated_core::clock::{BUILT, Moment};
use plated_core::position::Position;
use std::fmt;
use std::time::Duration;

/// A receiver counts weeks to 1024: 19.7 years.
const ROLLOVER: SignedDuration = SignedDuration::from_hours(1024 * 7 * 24);
/// A time that is off by whole rollovers is so within this.
const ROLLOVER_SLACK: SignedDuration = SignedDuration::from_hours(48);
/// A fix whose time is off by more, by a clock that a time server keeps right, is old, or wrong.
const MAX_OFF: SignedDuration = SignedDuration::from_secs(10);
/// By a clock that nobody keeps right, though it is trusted. It may have been set by hand.
const MAX_OFF_BY_HAND: SignedDuration = SignedDuration::from_hours(24);
/// Fixes whose time stands still for longer are one old fix, told again and again.
const MAX_FROZEN: Duration = Duration::from_secs(3);
/// Another receiver is listened to only when the one in use has given no fix for so long.
const OTHER_AFTER: Duration = Duration::from_secs(5);
/// Under this speed in metres a second the direction of travel is noise.
const MIN_HEADING_SPEED: f64 = 1.0;
/// No vehicle is as fast, in metres a second.
const MAX_SPEED: f64 = 150.0;
/// No receiver errs by more and still has a fix, in metres.
const MAX_ERROR: f64 = 1e6;

/// Why a fix is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Mode 0 or 1.
    NoFix,
    /// No time, or one that can't be read.
    NoTime,
    /// No latitude or longitude, or none on the earth.
    NoPlace,
    /// Its time stands still.
    Frozen,
    /// Its time is so many times 1024 weeks back.
    Rollover(Timestamp, i64),
    /// Its time is before, or far from, what the vehicle's clock shows.
    WrongTime(Timestamp),
    /// Of a receiver that is not the one in use.
    OtherReceiver,
}

impl fmt::Display for Doubt {
    /// A part of a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        match self {
            Self::NoFix => write!(f, "the receiver has no fix; it needs a free view of the sky"),
            Self::NoTime => write!(f, "the receiver gives places without a time"),
            Self::NoPlace => write!(f, "the receiver gives fixes that are no place on the earth"),
            Self::Frozen => write!(f, "the receiver repeats an old fix; unplug it and plug it in again"),
            Self::Rollover(at, n) => write!(
                f,
                "the receiver's date is {} weeks back ({}): its GPS week counter ran over; bring its firmware up to \
                 date, or replace it",
                n * 1024,
                day(at)
            ),
            Self::WrongTime(at) => {
                write!(f, "the receiver says that it is {}, which the vehicle's clock does not confirm", day(at))
            }
            Self::OtherReceiver => write!(f, "another receiver is in use"),
        }
    }
}

/// A fix that is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    /// Where and how fast; without an age.
    pub position: Position,
    /// Monotonic time at which it came.
    pub came: Duration,
}

/// Judges one report after the other.
#[derive(Debug, Default)]
pub struct Judge {
    /// The receiver in use, and the monotonic time of its last fix that was used.
    receiver: Option<(String, Duration)>,
    /// Time of its last fix, and the monotonic time since which that is so.
    last: Option<(Timestamp, Duration)>,
}

impl Judge {
    /// The fix of this report, or why it is not used. `synchronised`: a time server keeps the clock right.
    ///
    /// # Errors
    /// The doubt.
    pub fn judge(&mut self, report: &Report, now: Moment, synchronised: bool) -> Result<Fix, Doubt> {
        if let Some((receiver, used)) = &self.receiver
            && *receiver != report.device
            && now.monotonic.saturating_sub(*used) < OTHER_AFTER
        {
            return Err(Doubt::OtherReceiver);
        }
        if report.mode < 2 {
            return Err(Doubt::NoFix);
        }
        let at = report.at().ok_or(Doubt::NoTime)?;
        // Gpsd gives the parts of a fix as they come: time and place of one moment may be told twice.
        let since = match self.last {
            Some((last, since)) if last == at => since,
            _ => now.monotonic,
        };
        self.last = Some((at, since));
        if now.monotonic.saturating_sub(since) > MAX_FROZEN {
            return Err(Doubt::Frozen);
        }
        time(at, now, synchronised)?;
        let (Some(lat), Some(lon)) = (report.lat, report.lon) else { return Err(Doubt::NoPlace) };
        let speed = report.speed.filter(|speed| (0.0..=MAX_SPEED).contains(speed));
        let moves = speed.is_none_or(|speed| speed >= MIN_HEADING_SPEED);
        let heading = report.track.filter(|track| moves && (0.0..=360.0).contains(track));
        let position = Position {
            lat: rounded(lat, 1e7),
            lon: rounded(lon, 1e7),
            heading: heading.map(|heading| rounded(heading, 10.0) as f32),
            speed_m_s: speed.map(|speed| rounded(speed, 100.0) as f32),
            error_m: report.error_m().filter(|e| *e < MAX_ERROR).map(|error| rounded(error, 10.0) as f32),
            age_s: 0.0,
        };
        if !position.is_plausible() {
            return Err(Doubt::NoPlace);
        }
        self.receiver = Some((report.device.clone(), now.monotonic));
        Ok(Fix { position, came: since })
    }
}

/// Whether a fix can be of this time.
fn time(at: Timestamp, now: Moment, synchronised: bool) -> Result<(), Doubt> {
    let off = now.wall.duration_since(at);
    if now.trusted {
        // To the nearest number of rollovers.
        let n = (off.as_secs() + ROLLOVER.as_secs() / 2) / ROLLOVER.as_secs();
        if n >= 1 && (off.as_secs() - n * ROLLOVER.as_secs()).abs() <= ROLLOVER_SLACK.as_secs() {
            return Err(Doubt::Rollover(at, n));
        }
        let most = if synchronised { MAX_OFF } else { MAX_OFF_BY_HAND };
        if off.abs() > most {
            return Err(Doubt::WrongTime(at));
        }
    } else if at < BUILT {
        // The clock can't tell, but no fix is older than the program.
        return Err(Doubt::WrongTime(at));
    }
    Ok(())
}

/// To so many parts of one; what the receiver does not know is not kept.
fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn noon() -> Timestamp {
        "2026-11-26T12:00:00Z".parse().unwrap()
    }

    /// So many seconds after noon, by a clock that is trusted.
    fn now(seconds: u64) -> Moment {
        Moment { wall: noon() + S(seconds), monotonic: S(100 + seconds), trusted: true }
    }

    fn report(at: Timestamp) -> Report {
        Report {
            device: "/dev/ttyACM0".into(),
            mode: 3,
            time: Some(at.to_string()),
            lat: Some(38.1302),
            lon: Some(-121.2724),
            track: Some(271.5),
            speed: Some(13.5),
            eph: Some(4.0),
            ..Report::default()
        }
    }

    fn judged(report: &Report) -> Result<Fix, Doubt> {
        Judge::default().judge(report, now(0), true)
    }

    #[test]
    fn a_good_fix_is_used_with_place_motion_and_error() {
        let fix = judged(&report(noon())).unwrap();
        let Position { lat, lon, heading, speed_m_s, error_m, .. } = fix.position;
        assert_eq!((lat, lon, heading), (38.1302, -121.2724, Some(271.5)));
        assert_eq!((speed_m_s, error_m, fix.came), (Some(13.5), Some(4.0), S(100)));
    }

    #[test]
    fn without_a_fix_a_time_or_a_place_on_the_earth_it_is_not_used() {
        let good = || report(noon());
        for mode in [0, 1, -1] {
            assert_eq!(judged(&Report { mode, ..good() }), Err(Doubt::NoFix));
        }
        assert_eq!(judged(&Report { time: None, ..good() }), Err(Doubt::NoTime));
        assert_eq!(judged(&Report { time: Some("soon".into()), ..good() }), Err(Doubt::NoTime));
        for (lat, lon) in
            [(None, Some(1.0)), (Some(91.0), Some(1.0)), (Some(1.0), Some(-200.0)), (Some(0.0), Some(0.0))]
        {
            assert_eq!(judged(&Report { lat, lon, ..good() }), Err(Doubt::NoPlace), "{lat:?} {lon:?}");
        }
    }

    #[test]
    fn a_date_that_is_1024_weeks_back_is_told_as_such() {
        let back = noon() - ROLLOVER;
        let doubt = judged(&report(back)).unwrap_err();
        assert_eq!(doubt, Doubt::Rollover(back, 1));
        assert!(doubt.to_string().contains("1024 weeks back (2007-04-12"), "{doubt}");
        assert_eq!(judged(&report(back - ROLLOVER)), Err(Doubt::Rollover(back - ROLLOVER, 2)));
    }

    #[test]
    fn a_fix_of_another_time_than_the_clocks_is_not_used_and_a_clock_set_by_hand_may_be_off_by_hours() {
        let off = |seconds: i64, synchronised, trusted| {
            let at = noon() - SignedDuration::from_secs(seconds);
            Judge::default().judge(&report(at), Moment { trusted, ..now(0) }, synchronised).map(|_| ())
        };
        let wrong = |seconds| Err(Doubt::WrongTime(noon() - SignedDuration::from_secs(seconds)));
        assert_eq!((off(9, true, true), off(11, true, true), off(-11, true, true)), (Ok(()), wrong(11), wrong(-11)));
        assert_eq!((off(7200, false, true), off(90_000, false, true)), (Ok(()), wrong(90_000)));
        // A clock that is not trusted says nothing; when the program was built does.
        assert_eq!(off(90_000, false, false), Ok(()));
        assert_eq!(off(ROLLOVER.as_secs(), false, false), wrong(ROLLOVER.as_secs()));
    }

    #[test]
    fn a_fix_that_is_told_again_and_again_gets_old_and_is_not_used() {
        let mut judge = Judge::default();
        let old = report(noon());
        assert_eq!(judge.judge(&old, now(0), false).unwrap().came, S(100));
        assert_eq!(judge.judge(&old, now(2), false).unwrap().came, S(100), "it is as old as it was");
        assert_eq!(judge.judge(&old, now(4), false), Err(Doubt::Frozen));
        assert!(judge.judge(&report(noon() + S(5)), now(5), false).is_ok());
    }

    #[test]
    fn of_two_receivers_one_is_used_until_it_gives_nothing_any_more() {
        let mut judge = Judge::default();
        let of = |device: &str, at| Report { device: device.into(), ..report(noon() + S(at)) };
        judge.judge(&of("/dev/a", 0), now(0), true).unwrap();
        assert_eq!(judge.judge(&of("/dev/b", 1), now(1), true), Err(Doubt::OtherReceiver));
        judge.judge(&of("/dev/b", 6), now(6), true).unwrap();
        assert_eq!(judge.judge(&of("/dev/a", 7), now(7), true), Err(Doubt::OtherReceiver));
    }

    #[test]
    fn a_vehicle_that_stands_has_no_heading_and_an_impossible_speed_is_left_out() {
        let stands = judged(&Report { speed: Some(0.3), ..report(noon()) }).unwrap().position;
        assert_eq!((stands.heading, stands.speed_m_s), (None, Some(0.3)));
        let flies = judged(&Report { speed: Some(900.0), track: Some(400.0), ..report(noon()) }).unwrap().position;
        assert_eq!((flies.heading, flies.speed_m_s), (None, None));
    }

    proptest! {
        #[test]
        fn whatever_is_reported_what_is_used_is_a_place_on_the_earth(
            mode in -1i64..5, seconds in -1_000_000_000_000i64..1_000_000_000_000,
            lat: f64, lon: f64, track: f64, speed: f64, eph: f64, trusted: bool, synchronised: bool,
        ) {
            let time = Timestamp::from_second(seconds).ok().map(|at| at.to_string());
            let report = Report {
                mode, time, lat: Some(lat), lon: Some(lon), track: Some(track), speed: Some(speed), eph: Some(eph),
                ..Report::default()
            };
            if let Ok(fix) = Judge::default().judge(&report, Moment { trusted, ..now(0) }, synchronised) {
                prop_assert!(mode >= 2 && fix.position.is_plausible());
                prop_assert!(fix.position.speed_m_s.is_none_or(|s| (0.0..=150.0).contains(&s)));
                prop_assert!(fix.position.error_m.is_none_or(|e| e.is_finite() && e >= 0.0));
            }
        }
    }
}
