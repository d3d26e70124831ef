//! `[power]`: when recognition slows.

use plated_core::config_file::within;
use serde::Deserialize;
use std::path::PathBuf;

/// When recognition slows to spare the computer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where Linux says how warm it is and what it runs on.
    pub folder: PathBuf,
    /// From this temperature in °C on it slows,
    pub hot_c: f64,
    /// and from this one on it slows much.
    pub very_hot_c: f64,
    /// Whether it slows on a battery.
    pub battery: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { folder: "/sys".into(), hot_c: 88.0, very_hot_c: 95.0, battery: true }
    }
}

impl Settings {
    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        within("power.hot_c", self.hot_c, 30.0..=120.0)?;
        within("power.very_hot_c", self.very_hot_c, self.hot_c..=125.0)
    }
}
