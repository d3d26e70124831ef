//! Accounts, as they are asked for and shown on the socket.

use jiff::Timestamp;
use jiff::civil::Date;
use plated_access::{
    Account, Change, Disabled, Due, Grants, LoggedIn, LoginName, ManagedBy, NewUser, Password, Role, Token, User,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// A password on its way to the daemon. Shown nowhere.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Secret(Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        String::clone(&secret.0)
    }
}

impl Secret {
    /// The text, for whoever it is for.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// For whoever compares or hashes it.
    pub fn password(&self) -> Password {
        Password::new(self.0.as_str())
    }
}

/// Somebody's own session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwnSession {
    /// Opens it; kept by whoever logged in, and shown nowhere.
    pub token: Secret,
    /// Login name.
    pub name: LoginName,
    /// As on the badge.
    pub full_name: String,
    /// What they are to the agency.
    pub role: Role,
    /// What must be done before anything is shown.
    pub due: Option<Due>,
    /// Why no ALPR function is allowed, when training is not current (control P-07).
    pub training: Option<String>,
}

impl OwnSession {
    pub(super) fn of(LoggedIn { token, session }: LoggedIn, training: Option<String>) -> Self {
        let Account { name, full_name, role, .. } = session.account;
        Self { token: Secret::from(&token), name, full_name, role, due: session.due, training }
    }
}

impl From<&Token> for Secret {
    fn from(token: &Token) -> Self {
        Self(token.to_hex())
    }
}

/// What an administrator says of a new account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
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
    /// It must be changed at the first login.
    pub password: Secret,
}

impl NewAccount {
    /// The same without the password.
    pub fn user(&self) -> NewUser {
        let Self { name, full_name, title, agency, role, trained, grants, .. } = self.clone();
        NewUser { name, full_name, title, agency, role, trained, grants, must_change_password: true }
    }
}

/// What an administrator changes of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountChange {
    /// What they are to the agency.
    Role(Role),
    /// Which lists they see.
    Grants(Grants),
    /// Day of their last training.
    Training(Date),
    /// A new password, which must be changed at the next login.
    Password(Secret),
    /// Their second factor is gone.
    RemoveSecondFactor,
    /// The account is not to be used any more.
    Disable,
    /// It is to be used again, and not locked.
    Enable,
    /// It is not locked any more.
    Release,
}

impl From<&AccountChange> for Change {
    fn from(change: &AccountChange) -> Self {
        match change {
            AccountChange::Role(role) => Self::Role(*role),
            AccountChange::Grants(grants) => Self::Grants(grants.clone()),
            AccountChange::Training(day) => Self::Training(*day),
            AccountChange::Password(secret) => Self::Password(secret.password()),
            AccountChange::RemoveSecondFactor => Self::RemoveSecondFactor,
            AccountChange::Disable => Self::Disable,
            AccountChange::Enable => Self::Enable,
            AccountChange::Release => Self::Release,
        }
    }
}

/// An account as it is shown: nothing of password and second factor but whether they are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLine {
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
    /// Day of their last training; none: never trained.
    pub trained: Option<Date>,
    /// Which lists they see.
    pub grants: Grants,
    /// Who authorised role and grants, and when.
    pub authorised_by: String,
    /// When.
    pub authorised_at: Timestamp,
    /// Set while it is not to be used.
    pub disabled: Option<Disabled>,
    /// The password was chosen by somebody else and must be changed first.
    pub must_change_password: bool,
    /// There is a second factor.
    pub second_factor: bool,
    /// Who sets it up.
    pub managed_by: ManagedBy,
    /// Last login.
    pub last_login: Option<Timestamp>,
}

impl From<User> for AccountLine {
    fn from(user: User) -> Self {
        let account = user.account;
        Self {
            name: account.name,
            full_name: account.full_name,
            title: account.title,
            agency: account.agency,
            role: account.role,
            trained: account.trained,
            grants: account.grants,
            authorised_by: account.authorised_by,
            authorised_at: account.authorised_at,
            disabled: account.disabled,
            must_change_password: account.must_change_password,
            second_factor: user.second_factor.is_some(),
            managed_by: user.managed_by,
            last_login: user.last_login,
        }
    }
}
