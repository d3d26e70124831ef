//! `[gps]`: where the vehicle is.

use serde::Deserialize;

/// Where the vehicle is. Without the section reads have no position.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Host and port of gpsd.
    pub address: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { address: "127.0.0.1:2947".into() }
    }
}

impl Settings {
    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        let port = self.address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
        match port.and_then(|port| port.parse::<u16>().ok()) {
            Some(1..) => Ok(()),
            _ => Err("gps.address: use a host and a port, such as 127.0.0.1:2947".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_that_of_gpsd_on_this_computer_unless_another_host_and_port_are_named() {
        assert!(Settings::default().check().is_ok());
        for (address, right) in [
            ("gps.local:2947", true),
            ("[::1]:2947", true),
            ("127.0.0.1", false),
            (":2947", false),
            ("127.0.0.1:0", false),
            ("127.0.0.1:gps", false),
            ("", false),
        ] {
            let checked = Settings { address: address.into() }.check();
            assert_eq!(checked.is_ok(), right, "{address}");
            assert!(checked.is_ok() || checked.unwrap_err().starts_with("gps.address: "));
        }
    }
}
