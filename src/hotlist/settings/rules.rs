//! When a read counts as a listed plate.

use serde::Deserialize;

/// What becomes of an entry of another state than the one read on the plate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherState {
    /// It alerts one priority lower, and says that the state differs.
    #[default]
    Lower,
    /// It alerts as if the state agreed, and says that it differs.
    Same,
    /// It is kept as a candidate and alerts nobody.
    Candidate,
}

/// When a read matches an entry of a list. A plate is found whether it is written with the letter O
/// or the digit 0; the hit says where the two differ.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchRules {
    /// Characters that may differ within a class, 0 to 2. As [`MatchRules::differences`], of
    /// plates with 5 to 11 characters only; never do more than two characters differ in all.
    pub equivalents: u8,
    /// Characters that may differ by any other, 0 or 1. With lists of thousands it finds many
    /// wrong plates.
    pub differences: u8,
    /// Characters that the read may have too many or too few, 0 or 1. It adds some 300 keys to each
    /// look-up, and is meant for short lists.
    pub extra: u8,
    /// What becomes of an entry whose state differs from the plate's.
    pub other_state: OtherState,
    /// Characters that readers take for each other.
    pub classes: Vec<String>,
    /// Other readings of the plate, as ranked by the reader, are looked up too from this
    /// probability on, 0 to 1.
    pub alternative_probability: f32,
    /// A match under this probability, 0 to 1, is not kept unless it is exact.
    pub keep_probability: f32,
    /// A match under this probability, 0 to 1, is kept but alerts nobody.
    pub alert_probability: f32,
}

impl Default for MatchRules {
    fn default() -> Self {
        Self {
            equivalents: 1,
            differences: 0,
            extra: 0,
            other_state: OtherState::default(),
            classes: ["0ODQ", "1I", "2Z", "5S", "8B", "6G"].map(String::from).to_vec(),
            alternative_probability: 0.01,
            keep_probability: 0.01,
            alert_probability: 0.05,
        }
    }
}

impl MatchRules {
    /// The key that is out of its range, and the range.
    pub fn check(&self) -> Result<(), &'static str> {
        let shares = [
            ("alternative_probability: must be from 0 to 1", self.alternative_probability),
            ("keep_probability: must be from 0 to 1", self.keep_probability),
            ("alert_probability: must be from 0 to 1", self.alert_probability),
        ];
        if let Some((message, _)) = shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(message);
        }
        if self.equivalents > 2 {
            return Err("equivalents: must be 0, 1 or 2");
        }
        if self.differences > 1 {
            return Err("differences: must be 0 or 1");
        }
        if self.extra > 1 {
            return Err("extra: must be 0 or 1");
        }
        if self.classes.iter().any(|c| c.is_empty() || !c.bytes().all(|b| b.is_ascii_alphanumeric())) {
            return Err("classes: each is a text of letters and digits");
        }
        Ok(())
    }
}
