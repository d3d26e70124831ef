//! What the agency asks of accounts. In the configuration, `[access.accounts]`.

use crate::lockout::LockoutRule;
use crate::session::SessionRule;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// What the agency asks of accounts (controls P-07 and P-20).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountSettings {
    /// Characters that a new password has at least.
    pub password_min_chars: u32,
    /// A file of passwords that are not taken, one on each line, besides the common ones.
    pub banned_passwords: Option<PathBuf>,
    /// Memory for hashing one password, in KiB.
    pub argon2_memory_kib: u32,
    /// Passes over that memory.
    pub argon2_passes: u32,
    /// Failed logins that lock an account.
    pub max_failures: u32,
    /// Within so many minutes.
    pub failure_window_minutes: u32,
    /// For so many minutes; 0: until an administrator releases it.
    pub lock_minutes: u32,
    /// Failed logins within that window, of all accounts together, that raise a security event.
    pub failed_logins_alarm: u32,
    /// A session that nobody uses is locked after so many minutes; 0: never, as in a vehicle in use.
    pub idle_lock_minutes: u32,
    /// A session is over after so many hours.
    pub session_hours: u32,
    /// An account that was not used for so many days is refused until an administrator enables it.
    pub unused_days: u32,
    /// Training counts for so many days.
    pub training_days: u32,
    /// Everybody needs a second factor.
    pub second_factor_required: bool,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self {
            password_min_chars: 12,
            banned_passwords: None,
            argon2_memory_kib: 64 << 10,
            argon2_passes: 3,
            max_failures: 5,
            failure_window_minutes: 15,
            lock_minutes: 10,
            failed_logins_alarm: 20,
            idle_lock_minutes: 30,
            session_hours: 16,
            unused_days: 90,
            training_days: 365,
            second_factor_required: false,
        }
    }
}

impl AccountSettings {
    /// Rules that the types can't say.
    ///
    /// # Errors
    /// What is wrong, beginning with the key.
    pub fn check(&self) -> Result<(), String> {
        let ranges: [(&str, u32, RangeInclusive<u32>); 9] = [
            ("password_min_chars", self.password_min_chars, 8..=64),
            ("argon2_memory_kib", self.argon2_memory_kib, 19 << 10..=256 << 10),
            ("argon2_passes", self.argon2_passes, 2..=16),
            ("max_failures", self.max_failures, 1..=10),
            ("failure_window_minutes", self.failure_window_minutes, 15..=24 * 60),
            ("failed_logins_alarm", self.failed_logins_alarm, 1..=10_000),
            ("session_hours", self.session_hours, 1..=48),
            ("unused_days", self.unused_days, 1..=3650),
            ("training_days", self.training_days, 1..=3650),
        ];
        for (key, value, range) in ranges {
            if !range.contains(&value) {
                return Err(format!("{key}: {value} is not from {} to {}", range.start(), range.end()));
            }
        }
        if !(self.lock_minutes == 0 || (10..=24 * 60).contains(&self.lock_minutes)) {
            return Err(format!("lock_minutes: {} is neither 0 nor from 10 to 1440", self.lock_minutes));
        }
        if self.idle_lock_minutes > 24 * 60 {
            return Err(format!("idle_lock_minutes: {} is not from 0 to 1440", self.idle_lock_minutes));
        }
        Ok(())
    }

    pub(super) fn lockout(&self) -> LockoutRule {
        LockoutRule {
            failures: self.max_failures,
            window: minutes(self.failure_window_minutes),
            lock: (self.lock_minutes > 0).then(|| minutes(self.lock_minutes)),
        }
    }

    pub(super) fn session(&self) -> SessionRule {
        SessionRule {
            idle: (self.idle_lock_minutes > 0).then(|| minutes(self.idle_lock_minutes)),
            lifetime: minutes(60 * self.session_hours),
        }
    }
}

pub(super) fn minutes(minutes: u32) -> Duration {
    Duration::from_secs(60 * u64::from(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_policy_and_a_setting_out_of_range_is_named() {
        AccountSettings::default().check().unwrap();
        for (text, key) in [
            ("{\"password_min_chars\":6}", "password_min_chars"),
            ("{\"lock_minutes\":5}", "lock_minutes"),
            ("{\"argon2_memory_kib\":64}", "argon2_memory_kib"),
            ("{\"training_days\":0}", "training_days"),
            ("{\"idle_lock_minutes\":100000}", "idle_lock_minutes"),
        ] {
            let settings: AccountSettings = serde_json::from_str(text).unwrap();
            assert!(settings.check().unwrap_err().starts_with(key), "{key}");
        }
        let never: AccountSettings = serde_json::from_str("{\"idle_lock_minutes\":0,\"lock_minutes\":0}").unwrap();
        never.check().unwrap();
        assert!(never.session().idle.is_none() && never.lockout().lock.is_none());
    }
}
