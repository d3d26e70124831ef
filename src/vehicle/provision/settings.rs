//! `[provision]`: accounts, settings and models from the station.

use plated_core::config_file::within;
use serde::Deserialize;
use std::path::PathBuf;

/// Accounts, what the agency sets, and models from the station, and how often to look for newer ones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// File of the station's public keys; what no key in it signed is refused.
    #[serde(default = "key")]
    pub key: PathBuf,
    /// File of this vehicle's key for second factors, readable by its owner only.
    #[serde(default = "seal_key")]
    pub seal_key: PathBuf,
    /// Seconds between looks, while `transfer.when` lets anything go.
    #[serde(default = "interval_s")]
    pub interval_s: f64,
}

fn key() -> PathBuf {
    "hotlist.pub".into()
}

fn seal_key() -> PathBuf {
    "seal.key".into()
}

fn interval_s() -> f64 {
    900.0
}

impl Settings {
    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        within("provision.interval_s", self.interval_s, 0.001..=86_400.0)
    }
}
