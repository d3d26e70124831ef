//! Why data is looked at or changed, and for which case.

use crate::purpose::Purpose;
use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};

/// Why somebody does something: in that person's words and, when given, one of the agency's
/// purposes. In JSON a string, or `{"text": …, "purpose": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Reason {
    text: String,
    purpose: Option<Purpose>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    #[serde(rename_all = "snake_case")]
    Purpose {
        text: String,
        purpose: Purpose,
    },
}

impl Reason {
    /// Longest reason in characters.
    pub const MAX_CHARS: usize = 500;

    /// # Errors
    /// `Config` when it says nothing, is too long, or holds control characters.
    pub fn new(text: &str) -> Result<Self> {
        let text = text.trim();
        let refuse = |why: &str| Err(Error::new(Kind::Config, format!("the reason {why}")));
        if !text.chars().any(char::is_alphanumeric) {
            return refuse("is missing; say in a few words why");
        }
        if text.chars().count() > Self::MAX_CHARS {
            return refuse("is longer than 500 characters");
        }
        if text.chars().any(char::is_control) {
            return refuse("holds control characters; write it on one line");
        }
        Ok(Self { text: text.to_owned(), purpose: None })
    }

    /// The same for this purpose.
    pub fn for_purpose(self, purpose: Option<Purpose>) -> Self {
        Self { purpose, ..self }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The purpose, when one was given.
    pub fn purpose(&self) -> Option<&Purpose> {
        self.purpose.as_ref()
    }
}

impl TryFrom<Written> for Reason {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        let (text, purpose) = match written {
            Written::Text(text) => (text, None),
            Written::Purpose { text, purpose } => (text, Some(purpose)),
        };
        Ok(Self::new(&text).map_err(|e| e.to_string())?.for_purpose(purpose))
    }
}

impl From<Reason> for Written {
    fn from(Reason { text, purpose }: Reason) -> Self {
        match purpose {
            None => Self::Text(text),
            Some(purpose) => Self::Purpose { text, purpose },
        }
    }
}

/// Number of a case or incident (control P-02), or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case(String);

impl Case {
    /// Longest number in characters.
    pub const MAX_CHARS: usize = 64;

    /// An empty text is none.
    ///
    /// # Errors
    /// `Input` when it is too long or not one line.
    pub fn new(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.chars().count() > Self::MAX_CHARS || text.chars().any(char::is_control) {
            return Err(Error::new(Kind::Input, "the case number is longer than 64 characters or not one line"));
        }
        Ok(Self(text.to_owned()))
    }

    /// No case.
    pub fn none() -> Self {
        Self::default()
    }

    /// The number; empty for none.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // policy: P-01
    #[test]
    fn a_reason_must_say_something() {
        for none in ["", "  ", "--", ".", "two\nlines", "bell \u{7}", &"x".repeat(501)] {
            assert!(Reason::new(none).is_err(), "{none:?}");
        }
        assert_eq!(Reason::new(" BOLO, radio ").unwrap().as_str(), "BOLO, radio");
        for none in ["\" \"", r#"{"text":" ","purpose":"arrest_warrant"}"#, r#"{"text":"why","purpose":"A B"}"#] {
            assert!(serde_json::from_str::<Reason>(none).is_err(), "nor by way of a message: {none}");
        }
    }

    #[test]
    fn a_reason_travels_as_text_or_with_its_purpose() {
        let plain = Reason::new("traffic stop").unwrap();
        let with = plain.clone().for_purpose(Some(Purpose::new("locate_vehicle").unwrap()));
        for (reason, json) in
            [(plain, r#""traffic stop""#), (with, r#"{"text":"traffic stop","purpose":"locate_vehicle"}"#)]
        {
            assert_eq!(serde_json::to_string(&reason).unwrap(), json);
            assert_eq!(serde_json::from_str::<Reason>(json).unwrap(), reason);
        }
    }

    // policy: P-02
    #[test]
    fn a_case_number_is_one_short_line_or_none() {
        assert_eq!(Case::new("").unwrap(), Case::none());
        assert_eq!(Case::new(" 26-1234 ").unwrap().as_str(), "26-1234");
        for wrong in ["26\n1234", &"9".repeat(65)] {
            assert!(Case::new(wrong).is_err(), "{wrong:?}");
        }
    }
}
