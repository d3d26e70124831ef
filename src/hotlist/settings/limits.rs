//! When a list of wanted plates is refused.

use serde::Deserialize;

/// When a list is refused as a whole, so that the one in force stays.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Share of lines with mistakes, 0 to 1. One such line is let pass in a short list too,
    /// unless this is 0.
    pub bad_share: f64,
    /// The share of its entries that a list may lose against the one in force, 0 to 1.
    pub shrink: f64,
    /// Whether the count in the footer must be right, where the format has one.
    pub footer: bool,
    /// Whether a list with an older date than the one in force is refused.
    pub older: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bad_share: 0.001, shrink: 0.2, footer: true, older: true }
    }
}

impl Limits {
    /// Rules that the types can't say. The error begins with the key.
    pub fn check(&self) -> Result<(), String> {
        for (key, share) in [("bad_share", self.bad_share), ("shrink", self.shrink)] {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("{key}: must be from 0 to 1"));
            }
        }
        Ok(())
    }
}
