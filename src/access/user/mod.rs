//! Accounts: one for each person (control P-20), with title, agency and who authorised the access
//! (control P-23).

mod provision;
mod seal;

pub use provision::{ProvisionedUser, SealedFactor, UserDocument};
pub use seal::{SealKey, SealSecret};

use crate::grants::Grants;
use crate::login_name::LoginName;
use crate::password::PasswordHash;
use crate::role::Role;
use crate::second_factor::{SecondFactor, Spent};
use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::text::visible;
use serde::{Deserialize, Serialize};

/// What is set up of an account, wherever it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// For logging in, and on record.
    pub name: LoginName,
    /// As on the badge.
    pub full_name: String,
    /// Title or designation.
    pub title: String,
    /// The agency that employs them.
    pub agency: String,
    /// What they are to it.
    pub role: Role,
    /// Day of their last training in ALPR; none: never trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<Date>,
    /// Which lists they see.
    #[serde(default)]
    pub grants: Grants,
    /// Who authorised role and grants.
    pub authorised_by: String,
    /// When.
    pub authorised_at: Timestamp,
    /// Since when the account is in use: made, or enabled again.
    pub active_since: Timestamp,
    /// Set while it is not to be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// Of the password, never the password.
    pub password: PasswordHash,
    /// The password was chosen by somebody else and must be changed first of all.
    #[serde(default)]
    pub must_change_password: bool,
}

/// That an account is not to be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why, in their words.
    pub why: String,
}

/// Who sets up an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagedBy {
    /// An administrator at this computer.
    Here,
    /// The station, which handed it out.
    Station,
}

/// An account as it is kept. Holds the secret of the second factor: for an encrypted store only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// What is set up of it.
    #[serde(flatten)]
    pub account: Account,
    /// Who sets it up.
    pub managed_by: ManagedBy,
    /// When there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SecondFactor>,
    /// Which codes of the second factor were used, so that none counts twice.
    #[serde(default)]
    pub spent: Spent,
    /// Last login, here or at the station, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login: Option<Timestamp>,
    /// As the agency's own login knows them: kept at the first login by it, so that nobody comes in who gets their name
    /// there later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// What an administrator says of a new account.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// For logging in, and on record.
    pub name: LoginName,
    /// As on the badge.
    pub full_name: String,
    /// Title or designation.
    pub title: String,
    /// The agency that employs them.
    pub agency: String,
    /// What they are to it.
    pub role: Role,
    /// Day of their last training in ALPR.
    pub trained: Option<Date>,
    /// Which lists they see.
    pub grants: Grants,
    /// Whether the first password must be changed at the first login; right whenever somebody else
    /// chose it.
    pub must_change_password: bool,
}

impl NewUser {
    pub(crate) fn account(self, password: PasswordHash, by: &str, now: Timestamp) -> Account {
        Account {
            name: self.name,
            full_name: self.full_name,
            title: self.title,
            agency: self.agency,
            role: self.role,
            trained: self.trained,
            grants: self.grants,
            authorised_by: by.to_owned(),
            authorised_at: now,
            active_since: now,
            disabled: None,
            password,
            must_change_password: self.must_change_password,
        }
    }
}

impl Account {
    /// Longest of the texts, in characters. Reasons may have 500.
    pub const MAX_CHARS: usize = 600;

    /// What types can't say.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        for (what, text) in [("full name", &self.full_name), ("agency", &self.agency)] {
            if text.trim().is_empty() {
                return Err(format!("the {what} of {} is missing", self.name));
            }
        }
        let disabled = self.disabled.iter().flat_map(|d| [("who disabled it", &d.by), ("why it is disabled", &d.why)]);
        let texts = [
            ("full name", &self.full_name),
            ("title", &self.title),
            ("agency", &self.agency),
            ("who authorised it", &self.authorised_by),
        ];
        for (what, text) in texts.into_iter().chain(disabled) {
            if text.chars().count() > Self::MAX_CHARS || text.chars().any(char::is_control) {
                return Err(format!("of {}, \"{what}\" is too long or not one line: {}", self.name, visible(text)));
            }
        }
        let name = |list: &String| !plated_core::name::is_plain_name(list);
        if let Some(list) = self.grants.lists.iter().find(|list| name(list)) {
            return Err(format!("{} is granted a list whose name is none: {}", self.name, visible(list)));
        }
        Ok(())
    }
}
