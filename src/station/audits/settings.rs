//! `[audits]`: how often, and how much is looked at.

use serde::Deserialize;

/// What an audit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Days after which the next one is due.
    pub every_days: u32,
    /// Accesses that are drawn.
    pub accesses: u32,
    /// Reads with pictures that are drawn.
    pub reads: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { every_days: 91, accesses: 10, reads: 10 }
    }
}

impl Settings {
    /// What is wrong with it, beginning with the key.
    ///
    /// # Errors
    /// Numbers out of their bounds.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self { every_days: 0 | 367.., .. } => Err("every_days: must be from 1 to 366".into()),
            // The control asks for five at least.
            Self { accesses: ..5 | 201.., .. } => Err("accesses: must be from 5 to 200".into()),
            Self { reads: ..5 | 201.., .. } => Err("reads: must be from 5 to 200".into()),
            _ => Ok(()),
        }
    }
}
