//! `[release]`: to whom reads may be released.

use serde::Deserialize;

/// To whom reads may be released.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Two letters of the states whose agencies qualify; `US` for federal ones.
    pub jurisdictions: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { jurisdictions: vec!["CA".into()] }
    }
}

impl Settings {
    /// What is wrong with it, beginning with the key.
    ///
    /// # Errors
    /// What is no state.
    pub fn check(&self) -> Result<(), String> {
        match self.jurisdictions.iter().all(|text| is_jurisdiction(text)) {
            true => Ok(()),
            false => Err("jurisdictions: give the two letters of each state, or US for federal agencies".into()),
        }
    }
}

/// Whether a text is two capitals.
pub(super) fn is_jurisdiction(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}
