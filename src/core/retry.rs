//! How long to wait before something is tried again: longer with each failure, up to a limit, and
//! a little different for everybody, so that a fleet or a row of cameras does not come back at once.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::time::Duration;

/// What another side asks for is obeyed up to this, so that none can silence a vehicle for good.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Waits that double from the first to the longest, each shortened by up to a half at random.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// No failure yet. Where `longest` is shorter than `first`, it counts for both.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// Failures since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// It went well.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure.
    pub fn fail(&mut self) -> Duration {
        self.fail_with(None, random())
    }

    /// As [`Backoff::fail`], where the other side may have said how long ([`retry_after`]).
    pub fn fail_after(&mut self, asked: Option<Duration>) -> Duration {
        self.fail_with(asked, random())
    }

    /// As [`Backoff::fail_after`], with the random number.
    pub fn fail_with(&mut self, asked: Option<Duration>, random: u32) -> Duration {
        self.failures = self.failures.saturating_add(1);
        wait(self.failures, self.first, self.longest, asked, random)
    }
}

/// The wait after so many failures in a row. What the other side asked for is a lower limit, and is
/// lengthened rather than shortened at random: it says so to all at the same time.
pub fn wait(failures: u32, first: Duration, longest: Duration, asked: Option<Duration>, random: u32) -> Duration {
    let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(20));
    let full = doubled.min(longest);
    let share = full.mul_f64(0.5 * f64::from(random) / f64::from(u32::MAX));
    match asked.map(|asked| asked.min(MAX_RETRY_AFTER)) {
        Some(asked) if asked >= full - share => asked + share,
        _ => full - share,
    }
}

/// What the HTTP field `Retry-After` asks for, in seconds or as a date (RFC 9110); `None` when it
/// can't be understood. A date that is past asks for no wait.
pub fn retry_after(field: &str, now: Timestamp) -> Option<Duration> {
    let field = field.trim();
    if !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(field.parse().unwrap_or(u64::MAX)));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(field).ok()?;
    Some(date.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

/// The whole wait where the system has no random numbers.
fn random() -> u32 {
    getrandom::u32().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(60);

    proptest! {
        #[test]
        fn waits_grow_to_the_longest_and_never_vanish(failures in 1u32.., random: u32) {
            let full = |n: u32| FIRST.saturating_mul(1 << n.saturating_sub(1).min(20)).min(LONGEST);
            let wait = wait(failures, FIRST, LONGEST, None, random);
            prop_assert!(wait >= full(failures) / 2 && wait <= full(failures), "{wait:?}");
            prop_assert!(failures < 7 || wait >= LONGEST / 2);
        }

        #[test]
        fn nobody_comes_back_before_the_other_side_allows_it(failures in 1u32..100, asked in 0u64..10_000, random: u32) {
            let allowed = Duration::from_secs(asked).min(MAX_RETRY_AFTER);
            let wait = wait(failures, FIRST, LONGEST, Some(Duration::from_secs(asked)), random);
            prop_assert!(wait >= allowed && wait <= allowed.max(LONGEST) + LONGEST / 2, "{wait:?}");
        }

        #[test]
        fn any_text_of_the_field_is_read_without_a_panic(field: String, seconds in -377705116800i64..253402207200) {
            let _ = retry_after(&field, Timestamp::from_second(seconds).unwrap());
        }
    }

    #[test]
    fn the_same_random_number_gives_the_same_waits_and_success_starts_anew() {
        let mut backoff = Backoff::new(FIRST, LONGEST);
        let waits: Vec<u64> = (0..8).map(|_| backoff.fail_with(None, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        backoff.reset();
        assert_eq!(backoff.fail_with(None, u32::MAX), FIRST / 2);
        assert_eq!(backoff.failures(), 1);
    }

    #[test]
    fn a_limit_below_the_first_wait_counts() {
        assert!(Backoff::new(LONGEST, FIRST).fail() <= FIRST);
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = "2026-11-26T08:00:00Z".parse().unwrap();
        let read = |field| retry_after(field, now).map(|wait| wait.as_secs());
        assert_eq!(read(" 120 "), Some(120));
        assert_eq!(read("Thu, 26 Nov 2026 08:02:00 GMT"), Some(120));
        assert_eq!(read("Thu, 26 Nov 2026 07:02:00 GMT"), Some(0));
        assert_eq!(read("99999999999999999999999"), Some(u64::MAX));
        for wrong in ["", "soon", "-1", "1.5"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
