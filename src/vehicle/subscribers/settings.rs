//! `[[webhook]]`: programs that are sent alerts.

use plated_access::{Grants, Purpose, Subscriber};
use plated_core::config_file::within;
use plated_core::name::is_plain_name;
use plated_core::record::Priority;
use reqwest::Url;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

/// A program that is sent alerts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its name on record.
    pub name: String,
    /// Where alerts are posted to: https, or http on this computer.
    pub url: String,
    /// File of mode 0400 with the token that is sent along. Without it the systemd credential
    /// `webhook-NAME.token` is used.
    pub token_file: Option<PathBuf>,
    /// PEM file of the authority that signed the program's certificate; needed for https.
    pub ca: Option<PathBuf>,
    /// The lists whose alerts it is sent, by name.
    pub lists: BTreeSet<String>,
    /// Entries of state and federal systems too; they need an agreement with the program's owner.
    #[serde(default)]
    pub clets: bool,
    /// Alerts less urgent than that are not sent.
    #[serde(default)]
    pub priority: Priority,
    /// The purpose that goes on record, one of the agency's.
    pub purpose: Option<Purpose>,
    /// One request takes at most this many seconds.
    #[serde(default = "timeout_s")]
    pub timeout_s: f64,
}

fn timeout_s() -> f64 {
    10.0
}

impl Webhook {
    /// As the gate knows it.
    pub(super) fn subscriber(&self) -> Subscriber {
        let grants = Grants { every_list: false, lists: self.lists.clone(), clets: self.clets };
        Subscriber { name: self.name.clone(), grants }
    }

    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !is_plain_name(&self.name) {
            return Err("name: use 1 to 64 letters, digits, '-', '_' or '.'".into());
        }
        let url = self.address().ok_or("url: use an address such as https://cad.example/alerts")?;
        match url.scheme() {
            "https" if self.ca.is_none() => {
                return Err("ca: name the PEM file of the authority that signed the program's certificate".into());
            }
            "https" => {}
            "http" if is_this_computer(&url) => {}
            _ => return Err("url: use https, or http to 127.0.0.1 or [::1]".into()),
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err("url: leave out what stands before @ and from ? on; the token goes into token_file".into());
        }
        if self.lists.is_empty() {
            return Err("lists: name at least one list".into());
        }
        within("timeout_s", self.timeout_s, 0.1..=120.0)
    }

    /// Where alerts are posted to, if it is an address at all.
    pub(super) fn address(&self) -> Option<Url> {
        Url::parse(&self.url).ok().filter(Url::has_host)
    }
}

/// By its number: a name could be another computer's.
fn is_this_computer(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(keys: &str) -> Result<(), String> {
        let webhook: Webhook = toml::from_str(&format!("name = \"cad\"\nlists = [\"svs\"]\n{keys}")).unwrap();
        webhook.check()
    }

    #[test]
    fn alerts_go_over_https_or_stay_on_this_computer() {
        assert_eq!(checked("url = \"https://cad.example/alerts\"\nca = \"ca.pem\""), Ok(()));
        assert_eq!(checked("url = \"http://127.0.0.1:8080/alerts\""), Ok(()));
        assert_eq!(checked("url = \"http://[::1]:8080/alerts\""), Ok(()));
        for (keys, key) in [
            ("url = \"https://cad.example/alerts\"", "ca: "),
            ("url = \"http://cad.example/alerts\"", "url: "),
            ("url = \"http://localhost/alerts\"", "url: "),
            ("url = \"http://127.0.0.1.evil.example/alerts\"", "url: "),
            ("url = \"ftp://127.0.0.1/alerts\"", "url: "),
            ("url = \"alerts\"", "url: "),
            ("url = \"http://me:secret@127.0.0.1/alerts\"", "url: "),
            ("url = \"http://127.0.0.1/alerts?key=secret\"", "url: "),
            ("url = \"http://127.0.0.1/alerts\"\ntimeout_s = 0", "timeout_s: "),
        ] {
            let why = checked(keys).unwrap_err();
            assert!(why.starts_with(key) && !why.contains("secret"), "{keys}: {why}");
        }
    }

    #[test]
    fn a_webhook_without_a_list_is_refused() {
        let webhook: Webhook = toml::from_str("name = \"cad\"\nlists = []\nurl = \"http://127.0.0.1/\"").unwrap();
        assert!(webhook.check().unwrap_err().starts_with("lists: "));
    }
}
