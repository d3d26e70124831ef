//! Why somebody is not logged in.

use crate::lockout::Locked;
use crate::second_factor::WrongCode;
use plated_core::error::{Error, Kind};
use plated_core::text::count;
use std::fmt;

/// Why somebody is not logged in. A page asks for the code on [`CodeNeeded`](Self::CodeNeeded).
#[derive(Debug)]
pub enum LoginRefused {
    /// Wrong name or wrong password; which one is not told.
    Credentials,
    /// Too many failures.
    Locked(Locked),
    /// The password is right, and a code of the second factor is needed too.
    CodeNeeded,
    /// The password is right and the code does not count.
    Code(WrongCode),
    /// Both are right, and the account may not be used; with the reason.
    Account(Error),
    /// It could not be checked or kept.
    Failed(Error),
}

impl From<Error> for LoginRefused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for LoginRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials => f.write_str("the name or the password is wrong"),
            Self::Locked(Locked { remaining: None }) => {
                f.write_str("the account is locked after too many failed logins; ask an administrator to release it")
            }
            Self::Locked(Locked { remaining: Some(rest) }) => {
                let minutes = count(rest.as_secs().div_ceil(60), "minute");
                write!(f, "the account is locked after too many failed logins; try again in {minutes}, or ask an ")?;
                f.write_str("administrator to release it")
            }
            Self::CodeNeeded => f.write_str("give the code that your authenticator app shows, or a recovery code"),
            Self::Code(why) => why.fmt(f),
            Self::Account(error) | Self::Failed(error) => f.write_str(&error.chain()),
        }
    }
}

impl From<LoginRefused> for Error {
    fn from(refused: LoginRefused) -> Self {
        match refused {
            LoginRefused::Account(error) | LoginRefused::Failed(error) => error,
            other => Error::new(Kind::Unauthenticated, other.to_string()),
        }
    }
}
