//! Failed logins lock an account (control P-20). Counted by name, whether somebody has it or not, so
//! that nobody learns by it which names there are.
//!
//! Time is the monotonic one: setting the clock neither locks nor unlocks. What is kept over a
//! restart says only how many failures there were; they count from the restart again, so that
//! nobody unlocks an account by switching the computer off and on.

use crate::login_name::LoginName;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is kept of failed logins by one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// Failures in the time that counts; 0: nothing has to be kept.
    pub count: u32,
    /// The account is locked.
    pub locked: bool,
}

/// How many failures lock an account, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct LockoutRule {
    /// So many.
    pub failures: u32,
    /// Within this time.
    pub window: Duration,
    /// Locked for so long; `None`: until an administrator releases it.
    pub lock: Option<Duration>,
}

/// The account is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    /// For so long; `None`: until an administrator releases it.
    pub remaining: Option<Duration>,
}

/// Most names that are counted at a time. Above it the one that was longest idle, and is not locked, is
/// forgotten.
const MAX_NAMES: usize = 10_000;

/// The failed logins of all names.
#[derive(Debug)]
pub struct Lockout {
    rule: LockoutRule,
    names: Mutex<HashMap<LoginName, Attempts>>,
}

#[derive(Debug, Default)]
struct Attempts {
    /// When, the newest last.
    at: Vec<Duration>,
    locked_since: Option<Duration>,
    /// That it is locked has been kept.
    lock_is_kept: bool,
}

impl Attempts {
    fn failures(&self) -> Failures {
        let count = u32::try_from(self.at.len()).unwrap_or(u32::MAX);
        Failures { count, locked: self.locked_since.is_some() }
    }

    fn newest(&self) -> Duration {
        self.at.last().copied().unwrap_or_default()
    }
}

impl Lockout {
    /// With what was kept before the restart.
    pub fn new(rule: LockoutRule, kept: impl IntoIterator<Item = (LoginName, Failures)>, now: Duration) -> Self {
        let restore = |(name, failures): (LoginName, Failures)| {
            let count = failures.count.min(rule.failures) as usize;
            let (at, locked_since) = (vec![now; count], failures.locked.then_some(now));
            (name, Attempts { at, locked_since, lock_is_kept: failures.locked })
        };
        Self { rule, names: Mutex::new(kept.into_iter().map(restore).collect()) }
    }

    /// Before a password is looked at: the attempt counts as a failure from here on, so that many at
    /// once are counted too. Gives the name that was forgotten for it, if one was.
    ///
    /// # Errors
    /// When the account is locked; that does not count.
    pub fn begin(&self, name: &LoginName, now: Duration) -> Result<Option<LoginName>, Locked> {
        let mut names = self.names();
        let forgotten = if names.len() < MAX_NAMES || names.contains_key(name) { None } else { forget_one(&mut names) };
        let attempts = names.entry(name.clone()).or_default();
        if let Some(since) = attempts.locked_since {
            let Some(lock) = self.rule.lock else { return Err(Locked { remaining: None }) };
            match lock.checked_sub(now.saturating_sub(since)).filter(|rest| !rest.is_zero()) {
                Some(rest) => return Err(Locked { remaining: Some(rest) }),
                None => *attempts = Attempts::default(),
            }
        }
        attempts.at.retain(|at| now.saturating_sub(*at) < self.rule.window);
        attempts.at.push(now);
        if attempts.failures().count >= self.rule.failures {
            attempts.locked_since = Some(now);
        }
        Ok(forgotten)
    }

    /// Takes over what others have kept of failures by a name, `age` ago.
    pub fn adopt(&self, name: &LoginName, kept: Failures, age: Duration, now: Duration) {
        let mut names = self.names();
        // Somebody got in, or an administrator released it.
        if names.get(name).is_some_and(|attempts| attempts.lock_is_kept) && !kept.locked {
            names.remove(name);
        }
        let at = now.saturating_sub(age);
        let counts = if age < self.rule.window { kept.count.min(self.rule.failures) as usize } else { 0 };
        let locks = kept.locked && self.rule.lock.is_none_or(|lock| age < lock);
        if counts == 0 && !locks {
            return;
        }
        let attempts = names.entry(name.clone()).or_default();
        while attempts.at.len() < counts {
            attempts.at.insert(0, at);
        }
        if locks && attempts.locked_since.is_none() {
            (attempts.locked_since, attempts.lock_is_kept) = (Some(at), true);
        }
    }

    /// What is to be kept of this name, and is from now on.
    pub fn failures(&self, name: &LoginName) -> Failures {
        let mut names = self.names();
        let Some(attempts) = names.get_mut(name) else { return Failures::default() };
        let failures = attempts.failures();
        attempts.lock_is_kept = failures.locked;
        failures
    }

    /// The attempt was neither right nor wrong; those before it still count.
    pub fn withdraw(&self, name: &LoginName) {
        let mut names = self.names();
        let Some(attempts) = names.get_mut(name) else { return };
        attempts.at.pop();
        if attempts.failures().count < self.rule.failures {
            attempts.locked_since = None;
        }
        if attempts.at.is_empty() {
            names.remove(name);
        }
    }

    /// Forgets all failures by this name: somebody got in, or an administrator released it.
    pub fn clear(&self, name: &LoginName) {
        self.names().remove(name);
    }

    fn names(&self) -> MutexGuard<'_, HashMap<LoginName, Attempts>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_one(names: &mut HashMap<LoginName, Attempts>) -> Option<LoginName> {
    let oldest = names.iter().min_by_key(|(_, attempts)| (attempts.locked_since.is_some(), attempts.newest()));
    let name = oldest.map(|(name, _)| name.clone())?;
    names.remove(&name);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: LockoutRule =
        LockoutRule { failures: 5, window: Duration::from_secs(900), lock: Some(Duration::from_secs(600)) };

    fn name(text: &str) -> LoginName {
        LoginName::new(text).unwrap()
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn lockout() -> Lockout {
        Lockout::new(RULE, [], s(0))
    }

    /// Fails so many times, once a second.
    fn fail(lockout: &Lockout, times: u64, from: u64) {
        for n in 0..times {
            lockout.begin(&name("jdoe"), s(from + n)).unwrap();
        }
    }

    // policy: P-20
    // policy: P-20
    #[test]
    fn failures_at_two_that_share_them_count_together_and_a_release_at_one_counts_at_the_other() {
        let (one, other, jdoe) = (Lockout::new(RULE, [], s(0)), Lockout::new(RULE, [], s(0)), name("jdoe"));
        for at in 0..3 {
            one.begin(&jdoe, s(at)).unwrap();
        }
        let kept = one.failures(&jdoe);
        for at in 3..5 {
            other.adopt(&jdoe, kept, s(at - 2), s(at));
            other.begin(&jdoe, s(at)).unwrap();
        }
        let kept = other.failures(&jdoe);
        assert_eq!(kept, Failures { count: 5, locked: true });
        one.adopt(&jdoe, kept, s(1), s(5));
        assert!(one.begin(&jdoe, s(5)).is_err());
        // Old ones count no more; a lock is over when its time is.
        let third = Lockout::new(RULE, [], s(0));
        third.adopt(&jdoe, kept, s(900), s(2000));
        third.begin(&jdoe, s(2000)).unwrap();
        assert_eq!(third.failures(&jdoe).count, 1);
        // Somebody released it at the other one.
        one.adopt(&jdoe, Failures::default(), s(0), s(6));
        one.begin(&jdoe, s(6)).unwrap();
        // What is under way here is not forgotten for that.
        let busy = Lockout::new(RULE, [], s(0));
        for at in 0..5 {
            busy.adopt(&jdoe, Failures::default(), s(0), s(at));
            busy.begin(&jdoe, s(at)).unwrap();
        }
        busy.adopt(&jdoe, Failures::default(), s(0), s(5));
        assert!(busy.begin(&jdoe, s(5)).is_err());
    }

    #[test]
    fn five_failures_in_fifteen_minutes_lock_a_name_for_ten_minutes() {
        let lockout = lockout();
        fail(&lockout, 5, 0);
        assert_eq!(lockout.begin(&name("jdoe"), s(5)), Err(Locked { remaining: Some(s(599)) }));
        assert_eq!(
            lockout.begin(&name("jdoe"), s(603)),
            Err(Locked { remaining: Some(s(1)) }),
            "and trying adds nothing"
        );
        lockout.begin(&name("asmith"), s(5)).unwrap();
        fail(&lockout, 4, 604);
        assert!(!lockout.failures(&name("jdoe")).locked, "counted from the beginning");
    }

    #[test]
    fn failures_far_apart_or_before_a_login_do_not_lock() {
        let lockout = lockout();
        fail(&lockout, 4, 0);
        fail(&lockout, 1, 910);
        assert_eq!(lockout.failures(&name("jdoe")), Failures { count: 1, locked: false });
        fail(&lockout, 3, 911);
        lockout.clear(&name("jdoe"));
        fail(&lockout, 4, 915);
        assert!(!lockout.failures(&name("jdoe")).locked);
    }

    #[test]
    fn an_attempt_that_was_neither_right_nor_wrong_is_withdrawn_and_those_before_it_count() {
        let lockout = lockout();
        fail(&lockout, 5, 0);
        lockout.withdraw(&name("jdoe"));
        assert_eq!(lockout.failures(&name("jdoe")), Failures { count: 4, locked: false });
        fail(&lockout, 1, 10);
        assert!(lockout.begin(&name("jdoe"), s(11)).is_err());
    }

    #[test]
    fn a_lock_outlasts_a_restart_and_without_a_time_it_lasts_until_it_is_released() {
        let before = lockout();
        fail(&before, 5, 100);
        let kept = [(name("jdoe"), before.failures(&name("jdoe")))];
        let after = Lockout::new(RULE, kept.clone(), s(0));
        assert_eq!(after.begin(&name("jdoe"), s(1)), Err(Locked { remaining: Some(s(599)) }));
        let forever = Lockout::new(LockoutRule { lock: None, ..RULE }, kept, s(0));
        assert_eq!(forever.begin(&name("jdoe"), s(1_000_000)), Err(Locked { remaining: None }));
        forever.clear(&name("jdoe"));
        forever.begin(&name("jdoe"), s(1_000_001)).unwrap();
    }

    #[test]
    fn names_without_end_are_forgotten_but_not_the_locked_ones() {
        let lockout = lockout();
        fail(&lockout, 5, 0);
        let mut forgotten = 0;
        for n in 0..MAX_NAMES + 5 {
            forgotten += u32::from(lockout.begin(&name(&format!("x{n}")), s(10)).unwrap().is_some());
        }
        assert_eq!((forgotten, lockout.names().len()), (6, MAX_NAMES));
        assert!(lockout.begin(&name("jdoe"), s(11)).is_err());
    }

    proptest! {
        /// Against a model that only counts: whatever the order of failures, logins and waiting, five
        /// failures in the window lock, and nothing else does.
        #[test]
        fn a_name_is_locked_exactly_when_the_rule_says_so(steps in prop::collection::vec((0u64..400, 0u8..4), 1..60)) {
            let (lockout, jdoe) = (lockout(), name("jdoe"));
            let (mut now, mut failed, mut locked): (u64, Vec<u64>, Option<u64>) = (0, Vec::new(), None);
            for (wait, step) in steps {
                now += wait;
                if locked.is_some_and(|since| now >= since + 600) {
                    (locked, failed) = (None, Vec::new());
                }
                let begun = lockout.begin(&jdoe, s(now));
                prop_assert_eq!(begun.is_err(), locked.is_some());
                if begun.is_err() {
                    continue;
                }
                failed.retain(|at| now - at < 900);
                match step {
                    0 => { lockout.clear(&jdoe); failed.clear(); }
                    1 => lockout.withdraw(&jdoe),
                    _ => failed.push(now),
                }
                locked = (failed.len() >= 5).then_some(now);
                prop_assert_eq!(lockout.failures(&jdoe).count as usize, failed.len());
            }
        }
    }
}
