//! Whether an account may be used, and for ALPR data.

use super::AccountSettings;
use crate::user::User;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_core::error::{Error, Kind, Result};

/// The time by which accounts are judged: a clock that was set back behind what is known to be past
/// makes nobody's training current again.
fn at_least(now: Timestamp, user: &User) -> Timestamp {
    now.max(user.account.authorised_at).max(user.account.active_since).max(user.last_login.unwrap_or(now))
}

fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours() / 24
}

fn day(at: Timestamp) -> jiff::civil::Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Disabled or unused accounts are refused.
///
/// # Errors
/// `Forbidden`, with the reason.
pub fn check_use(user: &User, now: Timestamp, settings: &AccountSettings) -> Result<()> {
    let account = &user.account;
    if let Some(disabled) = &account.disabled {
        let message =
            format!("this account was disabled on {} by {}; ask an administrator", day(disabled.at), disabled.by);
        return Err(Error::new(Kind::Forbidden, message));
    }
    let last = account.active_since.max(user.last_login.unwrap_or(account.active_since));
    let unused = days_between(last, at_least(now, user));
    if unused > i64::from(settings.unused_days) {
        let message = format!(
            "this account was not used for {unused} days, and the agency's limit is {}; ask an administrator to enable it",
            settings.unused_days
        );
        return Err(Error::new(Kind::Forbidden, message));
    }
    Ok(())
}

/// Without current training no ALPR function is allowed (control P-07).
///
/// # Errors
/// `Forbidden`, with the reason.
pub fn check_training(user: &User, now: Timestamp, settings: &AccountSettings) -> Result<()> {
    let limit = i64::from(settings.training_days);
    let message = match user.account.trained {
        None => "no ALPR training is on record for you, and the agency asks for it; ask an administrator".to_owned(),
        Some(trained) => {
            let age = (day(at_least(now, user)) - trained).get_days();
            if i64::from(age) <= limit {
                return Ok(());
            }
            format!(
                "your ALPR training of {trained} is {age} days old, and the agency's limit is {limit}; take the training \
                 and have its date entered"
            )
        }
    };
    Err(Error::new(Kind::Forbidden, message))
}
