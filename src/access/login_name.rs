//! The name by which somebody logs in.

use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name by which somebody logs in: 1 to 64 small letters, digits, `.`, `_`, `-` and `@`,
/// beginning with a letter or digit. Capital letters count as small ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LoginName(String);

impl LoginName {
    /// # Errors
    /// `Input` when it is none.
    pub fn new(name: &str) -> Result<Self> {
        let name = name.trim().to_ascii_lowercase();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-@".contains(&b);
        let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if !begins || name.len() > 64 || !name.bytes().all(plain) {
            let message = "a login name must be 1 to 64 letters, digits, '.', '_', '-' and '@', beginning with a \
                           letter or digit";
            return Err(Error::new(Kind::Input, message));
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LoginName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        Self::new(&name).map_err(|e| e.to_string())
    }
}

impl From<LoginName> for String {
    fn from(name: LoginName) -> Self {
        name.0
    }
}

impl fmt::Display for LoginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // policy: P-20
    #[test]
    fn a_login_name_is_one_word_whatever_its_capitals() {
        assert_eq!(LoginName::new(" JDoe ").unwrap().as_str(), "jdoe");
        for name in ["jdoe", "4711", "j.doe@lodi.example", "j_d-o"] {
            LoginName::new(name).unwrap();
        }
        for wrong in ["", " ", "-rf", ".hidden", "j doe", "j\ndoe", "jos\u{e9}", &"x".repeat(65)] {
            assert!(LoginName::new(wrong).is_err(), "{wrong:?}");
        }
        assert!(serde_json::from_str::<LoginName>("\"a b\"").is_err(), "nor by way of a message");
    }
}
