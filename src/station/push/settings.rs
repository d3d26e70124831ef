//! `[[push]]` of station.toml: a receiver, what it gets, and how large its pictures may be.

use crate::archive::Class;
use crate::forward::takes;
use plated_core::config_file::{placed, within};
use plated_core::name::is_plain_name;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Somebody to whom reads are pushed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Names it, in the log and in the queue.
    pub name: String,
    /// `https://host/path`.
    pub url: String,
    /// PEM file of the authority that signed its certificate.
    pub ca: PathBuf,
    /// File of the token that is sent, mode 0400; else the credential `push-NAME.token` of systemd.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// Reads of these classes are pushed.
    pub classes: Vec<Class>,
    /// Only those of these vehicles, where any are named.
    #[serde(default)]
    pub vehicles: Option<Vec<String>>,
    /// Of fixed sites only those of these, whatever class they are.
    #[serde(default)]
    pub sites: Vec<String>,
    /// Largest picture of a plate in bytes; a larger one is written anew, smaller.
    #[serde(default)]
    pub plate_bytes: Option<usize>,
    /// The same of a vehicle.
    #[serde(default)]
    pub overview_bytes: Option<usize>,
    /// Seconds between looks when nothing waited.
    #[serde(default = "idle_s")]
    pub idle_s: f64,
    /// Longest wait after failures, in seconds.
    #[serde(default = "max_backoff_s")]
    pub max_backoff_s: f64,
    /// An answer that takes longer counts as a failure.
    #[serde(default = "timeout_s")]
    pub timeout_s: f64,
}

fn idle_s() -> f64 {
    5.0
}
fn max_backoff_s() -> f64 {
    300.0
}
fn timeout_s() -> f64 {
    30.0
}

impl Settings {
    /// Whether a read goes to this receiver.
    pub fn takes(&self, class: Class, vehicle: &str, site: Option<&str>) -> bool {
        takes(&self.classes, self.vehicles.as_deref(), &self.sites, (class, vehicle, site))
    }

    /// Paths count from the configuration's folder.
    pub(crate) fn resolve(&mut self, base: &Path) {
        for path in std::iter::once(&mut self.ca).chain(&mut self.token_file) {
            *path = placed(base, path, "plated-station.service");
        }
    }

    /// Rules that the types can't say. The error begins with the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !is_plain_name(&self.name) {
            return Err("name: use 1 to 64 letters, digits, '-', '_' or '.'".into());
        }
        if !self.url.starts_with("https://") {
            return Err("url: must begin with https://".into());
        }
        if self.classes.is_empty() {
            return Err("classes: name the classes of reads that are pushed: no_hit, hit, canvass, fixed_site".into());
        }
        within("plate_bytes", self.plate_bytes.unwrap_or(1000), 1000..=1_000_000)?;
        within("overview_bytes", self.overview_bytes.unwrap_or(1000), 1000..=10_000_000)?;
        within("idle_s", self.idle_s, 0.001..=86_400.0)?;
        within("max_backoff_s", self.max_backoff_s, 0.001..=86_400.0)?;
        within("timeout_s", self.timeout_s, 0.001..=3_600.0)
    }
}
