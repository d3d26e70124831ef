//! A wall clock that is not taken at its word (invariant 8).
//!
//! Vehicle computers without a battery start in 1970, 2000 or wherever a backup stopped, clocks are
//! set wrong by hand, and time servers are not always there. What this clock shows is counted on by
//! the monotonic clock from the last time that was believed, or from the latest time that is known to
//! be past: when the program was built, and whatever the store and the lists in force have. So no jump
//! of the system's clock is seen by anybody before [`TrustedClock::check`] has judged it. Why the
//! limits are as they are is in `docs/decisions/0028-trust-in-the-clock.md`.

use super::{Clock, Moment};
use crate::text::local;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// When this program was built, or before: `SOURCE_DATE_EPOCH` of the build where it is set, else the
/// date of the source. No clock that shows less can be right.
pub const BUILT: Timestamp = Timestamp::constant(built(), 0);

/// Date of the source, raised with each release. A test sees that it is not ahead of the clock.
const SOURCE_DATE: i64 = 1_795_219_200; // 2026-11-21

/// A clock this little behind is one that was set a little.
const MAX_BEHIND: SignedDuration = SignedDuration::from_secs(60);
/// A clock that was trusted and jumps ahead by more than this was set wrong, unless the system says
/// that a time server did it.
const MAX_JUMP: SignedDuration = SignedDuration::from_hours(24);
/// No clock is this far ahead of what is known to be past: vehicles are used more often, and programs
/// are brought up to date more often, than once in ten years.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);
/// A difference under this is no jump: clocks are slewed.
const MIN_JUMP: SignedDuration = SignedDuration::from_secs(2);
/// Stretches of doubt that are remembered for [`Clock::corrected`].
const MAX_SPANS: usize = 16;

/// The wall clock that the vehicle works with, over the system's clocks.
pub struct TrustedClock {
    system: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// What [`TrustedClock::check`] found to be new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What the system's clock would show now without the jump.
    pub from: Timestamp,
    /// What it shows.
    pub to: Timestamp,
    /// By how much it jumped; zero when only the trust in it changed.
    pub jump: SignedDuration,
    /// Why it is not trusted now, if it is not.
    pub doubt: Option<String>,
    /// What this clock shows now.
    pub now: Timestamp,
    /// The clock is trusted again, and so much is added to the times of before, from the first to the
    /// last that this clock showed while it was not.
    pub correction: Option<(SignedDuration, Timestamp, Timestamp)>,
}

struct State {
    /// What this clock showed at a monotonic time; it counts on from there.
    anchor: (Timestamp, Duration),
    /// It was trusted since the start, so that the monotonic clock tells how late it is.
    known: bool,
    doubt: Option<Doubt>,
    /// The latest that is known to be past, and what shows it.
    bound: (Timestamp, &'static str),
    /// Stretches in which it was not trusted, the newest last.
    spans: VecDeque<Span>,
    /// What the system's clock showed at the last check.
    shown: (Timestamp, Duration),
    /// Whether it was trusted then.
    told: bool,
}

/// Why the system's clock is not trusted.
#[derive(Clone, Debug)]
enum Doubt {
    /// It shows a time that is past.
    Behind { shown: Timestamp, bound: Timestamp, of: &'static str },
    /// It shows a time that can't be yet.
    Ahead { shown: Timestamp },
    /// It was right, and jumped.
    Jumped { shown: Timestamp, expected: Timestamp },
}

/// A stretch in which this clock was not trusted, by the times it showed.
struct Span {
    from: Timestamp,
    until: Option<Timestamp>,
    /// What it showed at a monotonic time of the stretch.
    anchor: (Timestamp, Duration),
    /// By how much what it showed was too early, once that is known.
    by: Option<SignedDuration>,
}

impl TrustedClock {
    /// Over the system's clocks, with only the date of the program known to be past.
    pub fn over(system: Arc<dyn Clock>) -> Arc<Self> {
        let (shown, now) = (system.wall(), system.monotonic());
        let mut state = State {
            anchor: (shown, now),
            known: false,
            doubt: None,
            bound: (BUILT, "this program was built"),
            spans: VecDeque::new(),
            shown: (shown, now),
            told: true,
        };
        state.begin(shown, now, system.is_synchronised());
        Arc::new(Self { system, state: Mutex::new(state) })
    }

    /// At the start: `at` is known to be past, since `what`, as in "the newest record of the store was
    /// written". The system's clock is judged by it.
    pub fn begin_after(&self, at: Timestamp, what: &'static str) {
        let (shown, now) = (self.system.wall(), self.system.monotonic());
        let mut state = self.lock();
        if at > state.bound.0 {
            state.bound = (at, what);
            state.begin(shown, now, self.system.is_synchronised());
        }
    }

    /// Compares the system's wall clock with its monotonic clock and says what is new. To be called
    /// about once a second; in between this clock goes on by the monotonic one.
    pub fn check(&self) -> Option<Change> {
        let synchronised = self.system.is_synchronised();
        let (shown, now) = (self.system.wall(), self.system.monotonic());
        let mut state = self.lock();
        let expected = count_on(state.shown, now);
        let jump = shown.duration_since(expected);
        state.shown = (shown, now);
        let trusted = state.judge(shown, now, synchronised);
        let was = std::mem::replace(&mut state.told, trusted);
        if jump.abs() < MIN_JUMP && was == trusted {
            return None;
        }
        let jump = if jump.abs() < MIN_JUMP { SignedDuration::ZERO } else { jump };
        Some(Change {
            from: expected,
            to: shown,
            jump,
            doubt: state.doubt.as_ref().map(ToString::to_string),
            now: state.wall(now),
            correction: state
                .spans
                .back()
                .filter(|_| trusted && !was)
                .and_then(|span| Some((span.by?, span.from, span.until?))),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Clock for TrustedClock {
    fn wall(&self) -> Timestamp {
        self.moment().wall
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic()
    }

    fn awake(&self) -> Duration {
        self.system.awake()
    }

    fn is_synchronised(&self) -> Option<bool> {
        self.system.is_synchronised()
    }

    fn moment(&self) -> Moment {
        let state = self.lock();
        let monotonic = self.system.monotonic();
        Moment { wall: state.wall(monotonic), monotonic, trusted: state.doubt.is_none() }
    }

    fn doubt(&self) -> Option<String> {
        self.lock().doubt.as_ref().map(ToString::to_string)
    }

    fn corrected(&self, at: Timestamp) -> Option<Timestamp> {
        self.lock().spans.iter().rev().find_map(|span| span.corrected(at))
    }

    fn not_before(&self, at: Timestamp) {
        let now = self.system.monotonic();
        let mut state = self.lock();
        let ahead = at.duration_since(state.wall(now));
        if state.doubt.is_some() && !state.known && ahead > SignedDuration::ZERO && ahead <= MAX_AHEAD {
            state.bound = (at, "the list in force was made");
            state.count_from(at, now);
        }
    }
}

impl State {
    /// What this clock shows at a monotonic time.
    fn wall(&self, now: Duration) -> Timestamp {
        count_on(self.anchor, now)
    }

    /// At the start, when nothing but `bound` is known.
    fn begin(&mut self, shown: Timestamp, now: Duration, synchronised: Option<bool>) {
        self.spans.clear();
        (self.known, self.doubt, self.anchor) = (false, None, (self.bound.0, now));
        self.judge(shown, now, synchronised);
    }

    /// Decides whether the system's clock is trusted, and goes by it if so.
    fn judge(&mut self, shown: Timestamp, now: Duration, synchronised: Option<bool>) -> bool {
        let expected = self.wall(now);
        let ahead = shown.duration_since(expected);
        let behind = |bound: Timestamp| shown.duration_since(bound) < -MAX_BEHIND;
        let (bound, of) = self.bound;
        let doubt = if behind(BUILT) {
            Some(Doubt::Behind { shown, bound, of })
        } else if ahead > MAX_AHEAD {
            Some(Doubt::Ahead { shown })
        } else if synchronised == Some(true) {
            // The store may hold times of a clock that was wrong; a time server knows better.
            None
        } else if self.known && (behind(expected) || ahead > MAX_JUMP) {
            Some(Doubt::Jumped { shown, expected })
        } else if behind(expected) {
            Some(Doubt::Behind { shown, bound, of })
        } else {
            None
        };
        match (self.doubt.is_some(), doubt.is_some()) {
            (false, true) => self.count_from(expected, now),
            (true, false) => self.believe(shown, now),
            (false, false) => self.anchor = (shown, now),
            (true, true) => {}
        }
        self.known |= doubt.is_none();
        self.doubt = doubt;
        self.doubt.is_none()
    }

    /// Not trusted from here on: counts on from `at`.
    fn count_from(&mut self, at: Timestamp, now: Duration) {
        let before = self.wall(now);
        if let Some(last) = self.spans.back_mut().filter(|span| span.until.is_none()) {
            last.until = Some(before);
        }
        self.anchor = (at, now);
        if self.spans.len() == MAX_SPANS {
            self.spans.pop_front();
        }
        self.spans.push_back(Span { from: at, until: None, anchor: self.anchor, by: None });
    }

    /// Trusted from here on.
    fn believe(&mut self, shown: Timestamp, now: Duration) {
        let before = self.wall(now);
        for span in &mut self.spans {
            span.until.get_or_insert(before);
            span.by.get_or_insert(shown.duration_since(count_on(span.anchor, now)));
        }
        self.anchor = (shown, now);
    }
}

impl Span {
    fn corrected(&self, at: Timestamp) -> Option<Timestamp> {
        let (until, by) = (self.until?, self.by?);
        let mut first = self.from;
        if by.is_negative() {
            // The clock was set back, so that it shows the same times once more: those nearer to the
            // end of the stretch are of the stretch.
            first = first.max(until.saturating_add(by / 2).unwrap_or(until));
        }
        (first <= at && at <= until).then(|| at.saturating_add(by).unwrap_or(at))
    }
}

/// A time, counted on by the monotonic clock.
fn count_on((at, then): (Timestamp, Duration), now: Duration) -> Timestamp {
    at.saturating_add(now.saturating_sub(then)).unwrap_or(at)
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind { shown, bound, of } => {
                write!(f, "the system's clock shows {}, but {of} at {}", local(*shown), local(*bound))
            }
            Self::Ahead { shown } => {
                write!(f, "the system's clock shows {}, which is years ahead of all that is known", local(*shown))
            }
            Self::Jumped { shown, expected } => {
                write!(f, "the system's clock was set to {}, when it was {}", local(*shown), local(*expected))
            }
        }
    }
}

/// Seconds since 1970 at the build.
const fn built() -> i64 {
    let Some(text) = option_env!("SOURCE_DATE_EPOCH") else { return SOURCE_DATE };
    let (digits, mut seconds, mut i) = (text.as_bytes(), 0, 0);
    while i < digits.len() {
        if !digits[i].is_ascii_digit() || i >= 11 {
            return SOURCE_DATE;
        }
        seconds = seconds * 10 + (digits[i] - b'0') as i64;
        i += 1;
    }
    // An epoch of zero, which some builds set, says nothing.
    if seconds > SOURCE_DATE { seconds } else { SOURCE_DATE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use proptest::prelude::*;

    const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
    const NEWEST: &str = "2026-12-01T08:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A system whose clock shows `shown` at the start, with a store whose newest record is of [`NEWEST`].
    fn started(shown: &str) -> (Arc<ManualClock>, Arc<TrustedClock>) {
        let system = Arc::new(ManualClock::at(at(shown)));
        let clock = TrustedClock::over(system.clone());
        clock.begin_after(at(NEWEST), "the newest record of the store was written");
        (system, clock)
    }

    #[test]
    fn the_date_of_the_source_is_not_ahead_of_the_clock() {
        assert!(BUILT <= Timestamp::now(), "{BUILT}: SOURCE_DATE says a date that is not yet");
        assert!(BUILT.as_second() >= SOURCE_DATE);
    }

    #[test]
    fn a_clock_that_starts_in_1970_is_not_trusted_and_counts_on_from_the_newest_record() {
        let (system, clock) = started("1970-01-01T00:00:07Z");
        system.advance(Duration::from_secs(90));
        assert_eq!(clock.wall(), at("2026-12-01T08:01:30Z"));
        assert!(!clock.moment().trusted);
        let change = clock.check().unwrap();
        assert!(change.doubt.unwrap().contains("newest record of the store"));
        assert_eq!((change.jump, clock.check()), (SignedDuration::ZERO, None), "it is told once");
    }

    #[test]
    fn without_a_store_the_date_of_the_program_is_what_is_known() {
        let clock = TrustedClock::over(Arc::new(ManualClock::at(at("2006-01-01T00:00:00Z"))));
        assert_eq!(clock.wall(), BUILT);
        assert!(clock.doubt().unwrap().contains("built"));
        let clock = TrustedClock::over(Arc::new(ManualClock::at(at("2080-01-01T00:00:00Z"))));
        assert!(clock.doubt().unwrap().contains("years ahead"));
    }

    #[test]
    fn a_clock_that_is_set_right_later_corrects_the_times_of_before_by_the_monotonic_clock() {
        let (system, clock) = started("1970-01-01T00:00:00Z");
        system.advance(Duration::from_secs(60));
        let read = clock.wall();
        assert_eq!(clock.corrected(read), None, "nothing is known yet");
        system.advance(Duration::from_secs(60));
        system.jump_to(at("2026-12-24T18:02:00Z"));
        let change = clock.check().unwrap();
        assert_eq!((change.doubt, change.to), (None, at("2026-12-24T18:02:00Z")));
        assert!(change.jump > YEAR);
        assert_eq!(
            clock.moment(),
            Moment { wall: at("2026-12-24T18:02:00Z"), monotonic: Duration::from_secs(120), trusted: true }
        );
        assert_eq!(clock.corrected(read), Some(at("2026-12-24T18:01:00Z")));
        assert_eq!(clock.corrected(clock.wall()), None, "this one was right");
    }

    #[test]
    fn a_jump_of_a_year_is_told_and_changes_nothing_and_the_clock_is_trusted_when_it_is_back() {
        for year in [YEAR, -YEAR] {
            let (system, clock) = started("2026-12-02T08:00:00Z");
            assert_eq!(clock.check(), None);
            system.advance(Duration::from_secs(1));
            system.jump_to(system.wall() + year);
            let change = clock.check().unwrap();
            assert_eq!((change.jump, change.from), (year, at("2026-12-02T08:00:01Z")));
            assert!(change.doubt.is_some());
            system.advance(Duration::from_secs(9));
            assert_eq!(clock.wall(), at("2026-12-02T08:00:10Z"));
            assert_eq!(clock.check(), None);
            system.jump_to(system.wall() - year);
            let change = clock.check().unwrap();
            assert_eq!((change.jump, change.doubt), (-year, None));
            assert_eq!(change.correction.unwrap().0, SignedDuration::ZERO);
            assert_eq!(clock.wall(), at("2026-12-02T08:00:10Z"));
        }
    }

    // policy: P-26
    #[test]
    fn a_night_of_sleep_is_no_jump_and_a_clock_that_was_set_back_in_it_is_one() {
        let (system, clock) = started("2026-12-01T09:00:00Z");
        assert_eq!(clock.check(), None);
        system.sleep(Duration::from_secs(60 * 3600));
        assert_eq!((clock.check(), clock.moment().trusted), (None, true), "longer than any jump that is believed");
        assert_eq!(clock.monotonic() - clock.awake(), Duration::from_secs(60 * 3600));
        system.sleep(Duration::from_secs(3600));
        system.jump_to(at("2026-12-01T09:00:00Z"));
        let change = clock.check().unwrap();
        assert!(change.jump < -SignedDuration::from_hours(60) && change.doubt.is_some(), "{change:?}");
    }

    #[test]
    fn a_clock_that_a_time_server_keeps_is_believed_against_the_store_and_never_against_the_program() {
        let (system, clock) = started("2026-11-27T08:00:00Z");
        clock.check();
        assert!(clock.doubt().is_some(), "the store is of a clock that was ahead, or this one is behind");
        system.synchronise(true);
        assert_eq!(clock.check().unwrap().doubt, None);
        assert_eq!(clock.wall(), at("2026-11-27T08:00:00Z"));
        system.jump_to(at("1970-01-01T00:00:00Z"));
        assert!(clock.check().unwrap().doubt.is_some());
    }

    #[test]
    fn a_vehicle_without_a_time_server_has_a_trusted_clock_and_may_be_parked_for_a_year() {
        for (shown, trusted) in
            [("2026-12-01T07:59:30Z", true), ("2027-11-30T08:00:00Z", true), ("2026-12-01T07:58:00Z", false)]
        {
            assert_eq!(started(shown).1.moment().trusted, trusted, "{shown}");
        }
    }

    #[test]
    fn an_accepted_list_moves_a_clock_that_is_not_trusted_and_no_other() {
        let (system, clock) = started("1970-01-01T00:00:00Z");
        let read = clock.wall();
        clock.not_before(at("2026-12-20T00:00:00Z"));
        assert_eq!(clock.wall(), at("2026-12-20T00:00:00Z"));
        clock.not_before(at("2026-12-10T00:00:00Z"));
        clock.not_before(at("2099-01-01T00:00:00Z"));
        assert_eq!(clock.wall(), at("2026-12-20T00:00:00Z"));
        system.advance(Duration::from_secs(10));
        system.jump_to(at("2026-12-24T00:00:10Z"));
        assert_eq!(clock.check().unwrap().doubt, None);
        assert_eq!(clock.corrected(read), Some(at("2026-12-24T00:00:00Z")), "also of before the list came");
        clock.not_before(at("2027-06-01T00:00:00Z"));
        assert_eq!(clock.wall(), at("2026-12-24T00:00:10Z"));
    }

    proptest! {
        #[test]
        fn whatever_the_system_shows_no_time_goes_back_a_minute_or_ahead_a_day_without_a_time_server(
            steps in proptest::collection::vec((0u64..100_000, -2_000_000_000i64..2_000_000_000, any::<bool>()), 1..40)
        ) {
            let (system, clock) = started("2026-12-02T08:00:00Z");
            let mut last = clock.wall();
            for (seconds, jump, jumps) in steps {
                system.advance(Duration::from_secs(seconds));
                if jumps {
                    system.jump_to(system.wall().saturating_add(SignedDuration::from_secs(jump)).unwrap());
                }
                clock.check();
                let passed = clock.wall().duration_since(last) - SignedDuration::from_secs(seconds as i64);
                prop_assert!(passed >= -MAX_BEHIND && passed <= MAX_JUMP, "{passed:?}");
                last = clock.wall();
            }
        }
    }
}
