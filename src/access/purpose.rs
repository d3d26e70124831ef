//! The purposes for which the agency authorises looking at ALPR data (control P-01).

use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a purpose, such as `arrest_warrant`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Purpose(String);

impl Purpose {
    /// # Errors
    /// `Config` when it is not 1 to 64 small letters, digits and `_`.
    pub fn new(name: &str) -> Result<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            let message = "the name of a purpose must be 1 to 64 small letters, digits and '_'";
            return Err(Error::new(Kind::Config, message));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Purpose {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        Self::new(&name).map_err(|e| e.to_string())
    }
}

impl From<Purpose> for String {
    fn from(purpose: Purpose) -> Self {
        purpose.0
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A purpose that the agency authorises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorisedPurpose {
    /// Its name, on record with each access.
    pub name: Purpose,
    /// What it covers, for people.
    pub text: String,
}

/// Those of the published policies of police departments in California.
pub(crate) fn default_purposes() -> Vec<AuthorisedPurpose> {
    let all = [
        ("locate_vehicle", "Locating stolen, wanted or investigated vehicles"),
        ("arrest_warrant", "Locating persons with an arrest warrant"),
        ("violent_crime", "Locating witnesses and victims of violent crime"),
        ("missing_person", "Locating missing children and elders, Amber, Blue and Silver Alerts included"),
        ("other_agency", "Supporting other agencies"),
        ("event_protection", "Protecting participants at special events"),
        ("infrastructure", "Protecting critical infrastructure"),
    ];
    all.map(|(name, text)| AuthorisedPurpose { name: Purpose(name.into()), text: text.into() }).into()
}
