//! `[console]`: where the console is, and what it says.

use plated_core::config_file::within;
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The officer's console.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens; on this computer alone unless another address is given.
    #[serde(default = "here")]
    pub listen: SocketAddr,
    /// Its certificate, with the chain up to the authority if there is one between, in PEM.
    pub certificate: PathBuf,
    /// The key of it, mode 0400.
    pub key: PathBuf,
    /// What everybody who wants in is told.
    #[serde(default = "notice")]
    pub notice: String,
    /// The tone of an alert that nobody has seen comes again after so many seconds.
    #[serde(default = "tones_again_s")]
    pub tones_again_s: u32,
}

fn here() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 8443).into()
}

fn notice() -> String {
    "For law enforcement only. Every look at data is recorded with your name, its purpose and its case.".into()
}

fn tones_again_s() -> u32 {
    10
}

impl Settings {
    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        within("console.tones_again_s", self.tones_again_s, 3..=300)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_is_reached_from_this_computer_alone_unless_another_address_is_given() {
        let settings: Settings = toml::from_str("certificate = \"c\"\nkey = \"k\"").unwrap();
        assert!(settings.listen.ip().is_loopback() && settings.check().is_ok());
        let settings: Settings =
            toml::from_str("listen = \"10.1.1.7:443\"\ncertificate = \"c\"\nkey = \"k\"\ntones_again_s = 0").unwrap();
        assert!(settings.check().unwrap_err().starts_with("console.tones_again_s: "));
    }
}
