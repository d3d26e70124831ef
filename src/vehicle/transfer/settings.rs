//! `[transfer]`: the way to the station.

use super::network::{Network, StationNetwork};
use super::when::{Schedule, When, Window};
use plated_core::config_file::within;
use plated_core::name::is_plain_name;
use plated_core::wire::batch::MAX_BATCH_READS;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// The way to the station.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `https://host:port`.
    pub station: String,
    /// PEM file of the authority that signed the station's certificate.
    pub ca: PathBuf,
    /// PEM file of the vehicle's certificate.
    pub certificate: PathBuf,
    /// PEM file of the vehicle's key, mode 0400.
    pub key: PathBuf,
    /// File of the public keys whose receipts count, one on each line.
    #[serde(default = "receipt_keys")]
    pub receipt_keys: PathBuf,
    /// File of the station's key for media, for `plated medium export`.
    #[serde(default = "medium_recipient")]
    pub medium_recipient: PathBuf,
    /// Reads in one batch at most; how many there are is what the link takes in some ten seconds.
    #[serde(default = "batch_reads")]
    pub batch_reads: usize,
    /// Seconds between looks at the outbox when it was empty.
    #[serde(default = "idle_s")]
    pub idle_s: f64,
    /// Longest wait after failures, in seconds.
    #[serde(default = "max_backoff_s")]
    pub max_backoff_s: f64,
    /// A batch is given up when nothing of it moves for this many seconds; any other request takes at most as many.
    #[serde(default = "timeout_s")]
    pub timeout_s: f64,
    /// Batches take at most so many kbit/s of the link.
    #[serde(default)]
    pub bandwidth_kbit_s: Option<u32>,
    /// When batches go.
    #[serde(default)]
    pub when: When,
    /// For `when = "window"`.
    #[serde(default)]
    pub windows: Vec<Window>,
    /// Days from which on a read that waits is a warning (control P-10).
    #[serde(default = "warn_days")]
    pub warn_days: u32,
    /// Days from which on it is critical.
    #[serde(default = "critical_days")]
    pub critical_days: u32,
    /// Days within which each read has to be at the station.
    #[serde(default = "limit_days")]
    pub limit_days: u32,
    /// For `when = "station_network"`: network interface that is up there.
    #[serde(default)]
    pub station_interface: Option<String>,
    /// Name of the wireless network there.
    #[serde(default)]
    pub station_ssid: Option<String>,
    /// Network to which the computer has a route of its own there.
    #[serde(default)]
    pub station_route: Option<Network>,
}

fn receipt_keys() -> PathBuf {
    "receipt.pub".into()
}

fn medium_recipient() -> PathBuf {
    "medium.pub".into()
}

fn batch_reads() -> usize {
    MAX_BATCH_READS
}
fn idle_s() -> f64 {
    2.0
}
fn max_backoff_s() -> f64 {
    60.0
}
fn timeout_s() -> f64 {
    30.0
}
fn warn_days() -> u32 {
    20
}
fn critical_days() -> u32 {
    27
}
fn limit_days() -> u32 {
    30
}

/// How old a read may be that waits for the station (control P-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeLimits {
    /// From here on it is a warning.
    pub warn: Duration,
    /// From here on it is critical.
    pub critical: Duration,
    /// By then it has to be there. One that is older stays, and is called overdue.
    pub limit: Duration,
}

impl AgeLimits {
    fn of_days(warn: u32, critical: u32, limit: u32) -> Self {
        let days = |days: u32| Duration::from_secs(u64::from(days) * 86_400);
        Self { warn: days(warn), critical: days(critical), limit: days(limit) }
    }
}

impl Default for AgeLimits {
    fn default() -> Self {
        Self::of_days(warn_days(), critical_days(), limit_days())
    }
}

impl Settings {
    /// When batches go.
    pub(super) fn schedule(&self) -> Schedule {
        Schedule { when: self.when, windows: self.windows.clone(), network: self.network() }
    }

    fn network(&self) -> StationNetwork {
        let (interface, ssid) = (self.station_interface.clone(), self.station_ssid.clone());
        StationNetwork { interface, ssid, route: self.station_route }
    }

    /// How old a read may be that waits.
    pub fn age_limits(&self) -> AgeLimits {
        AgeLimits::of_days(self.warn_days, self.critical_days, self.limit_days)
    }

    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !self.station.starts_with("https://") {
            return Err("transfer.station: must begin with https://".into());
        }
        if self.when == When::Window && self.windows.is_empty() {
            return Err("transfer.windows: give at least one, or another transfer.when".into());
        }
        if self.windows.iter().any(|window| window.from == window.to) {
            return Err("transfer.windows: one begins and ends at the same time".into());
        }
        if self.when == When::StationNetwork && self.network().is_empty() {
            return Err("transfer.when: give station_interface, station_ssid or station_route, which tell the \
                        station's network"
                .into());
        }
        if self.station_interface.as_deref().is_some_and(|name| !is_plain_name(name)) {
            return Err("transfer.station_interface: name the network interface, such as wlan0".into());
        }
        if self.station_ssid.as_deref().is_some_and(|ssid| !(1..=32).contains(&ssid.len())) {
            return Err("transfer.station_ssid: the name of a wireless network has 1 to 32 bytes".into());
        }
        within("transfer.batch_reads", self.batch_reads, 1..=MAX_BATCH_READS)?;
        within("transfer.limit_days", self.limit_days, 1..=366)?;
        within("transfer.critical_days", self.critical_days, 1..=self.limit_days)?;
        within("transfer.warn_days", self.warn_days, 1..=self.critical_days)?;
        within("transfer.idle_s", self.idle_s, 0.001..=86_400.0)?;
        within("transfer.max_backoff_s", self.max_backoff_s, 0.001..=86_400.0)?;
        within("transfer.bandwidth_kbit_s", self.bandwidth_kbit_s.unwrap_or(4), 4..=10_000_000)?;
        within("transfer.timeout_s", self.timeout_s, 0.001..=86_400.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_station_is_encrypted_and_its_numbers_have_bounds() {
        let settings = |station: &str, more: &str| {
            let text = format!("station = \"{station}\"\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"\n{more}");
            toml::from_str::<Settings>(&text).unwrap().check()
        };
        settings("https://s:1", "").unwrap();
        assert!(settings("http://s:1", "").unwrap_err().starts_with("transfer.station: "));
        for (line, key) in [
            ("batch_reads = 0", "transfer.batch_reads: "),
            ("idle_s = 1e-300", "transfer.idle_s: "),
            ("timeout_s = nan", "transfer.timeout_s: "),
            ("max_backoff_s = inf", "transfer.max_backoff_s: "),
            ("bandwidth_kbit_s = 0", "transfer.bandwidth_kbit_s: "),
            ("when = \"window\"", "transfer.windows: "),
            ("when = \"station_network\"", "transfer.when: give station_interface"),
            ("station_interface = \"\"", "transfer.station_interface: "),
            ("station_ssid = \"\"", "transfer.station_ssid: "),
            ("warn_days = 28", "transfer.warn_days: must be from 1 to 27"),
            ("critical_days = 31", "transfer.critical_days: must be from 1 to 30"),
            ("limit_days = 0", "transfer.limit_days: "),
        ] {
            assert!(settings("https://s:1", line).unwrap_err().starts_with(key), "{line}");
        }
    }
}
