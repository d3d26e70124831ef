//! Lists that come by themselves.

use plated_core::config_file::within;
use serde::Deserialize;
use std::path::PathBuf;

/// Lists from the station, and how often to look for newer ones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HotlistSync {
    /// File of the station's public key; lists signed by no key in it are refused.
    pub key: PathBuf,
    /// Folder of the lists in the vehicle; see [`crate::config::Config::hotlist_folder`].
    pub folder: Option<PathBuf>,
    /// Seconds between looks for newer lists.
    #[serde(default = "interval_s")]
    pub interval_s: f64,
}

fn interval_s() -> f64 {
    900.0
}

impl HotlistSync {
    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        within("hotlist_sync.interval_s", self.interval_s, 0.001..=86_400.0)
    }
}
