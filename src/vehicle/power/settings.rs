//! `[power]`: when recognition slows, and what ends reading.

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
    /// The file that shows the ignition; without it reading does not end with it.
    pub ignition_file: Option<PathBuf>,
    /// What the file's first word is when the ignition is off; or `present` or `absent`, when the file itself says it.
    pub ignition_off: String,
    /// For how many seconds it must be off: it dips while the engine starts.
    pub ignition_delay_s: f64,
    /// Whether systemd's logind is asked when the computer shuts down or sleeps.
    pub logind: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            folder: "/sys".into(),
            hot_c: 88.0,
            very_hot_c: 95.0,
            battery: true,
            ignition_file: None,
            ignition_off: "0".into(),
            ignition_delay_s: 0.5,
            logind: true,
        }
    }
}

impl Settings {
    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        within("power.hot_c", self.hot_c, 30.0..=120.0)?;
        within("power.very_hot_c", self.very_hot_c, self.hot_c..=125.0)?;
        within("power.ignition_delay_s", self.ignition_delay_s, 0.0..=60.0)?;
        if self.ignition_off.is_empty() || self.ignition_off.contains(char::is_whitespace) {
            return Err("power.ignition_off: give one word, such as \"0\", or \"present\" or \"absent\"".into());
        }
        Ok(())
    }
}
