//! `[pages.oidc]`: the agency's own login (OpenID Connect), by which people come in at the station's pages.

use plated_access::{LoginName, Role};
use plated_core::config_file::placed;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The agency's own login.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whose it is, as the button of the login says.
    pub agency: String,
    /// Address of the provider, as it names itself (`iss`).
    pub issuer: String,
    /// Name of the station at the provider.
    pub client_id: String,
    /// File of the station's secret there, readable by its owner only; none for a provider that asks for none.
    pub client_secret_file: Option<PathBuf>,
    /// PEM file of the authorities of the provider's certificate.
    pub ca: PathBuf,
    /// Address of these pages as browsers have it, without a path.
    pub address: String,
    /// The claim that has the login name.
    #[serde(default = "claim")]
    pub claim: String,
    /// Names are `NAME@domain`, and what stands before is the login name. Those of another domain are refused.
    pub domain: Option<String>,
    /// What is asked for besides `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// Levels of assurance, one of which the provider must have reached (`acr`); none: any.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// Words of the provider (`amr`, `acr`) each of which says that it asked for a second factor; none counts here
    /// without.
    #[serde(default)]
    pub second_factor: Vec<String>,
    /// Whoever is logged in at the provider need not log in there again.
    #[serde(default)]
    pub single_sign_on: bool,
    /// Passwords of the station's accounts are taken too.
    #[serde(default = "yes")]
    pub local_login: bool,
    /// Otherwise from these accounts alone, for the day on which the provider is down.
    #[serde(default)]
    pub break_glass: Vec<LoginName>,
    /// The claim that has the groups.
    #[serde(default = "groups")]
    pub groups_claim: String,
    /// By role the groups one of which somebody of that role has to be in; without any of them it is not asked.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<String>>,
}

fn claim() -> String {
    "preferred_username".into()
}

fn scopes() -> Vec<String> {
    vec!["profile".into()]
}

fn groups() -> String {
    "groups".into()
}

fn yes() -> bool {
    true
}

impl Settings {
    /// Rules that the types can't say.
    ///
    /// # Errors
    /// What is wrong, beginning with the key.
    pub(in crate::pages) fn check(&self) -> Result<(), String> {
        let after = |address: &str| address.strip_prefix("https://").map(str::to_owned);
        let plain =
            |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'?' && b != b'#');
        if !after(&self.issuer).is_some_and(|rest| plain(&rest)) {
            return Err("issuer: give the address by which the provider names itself, https://…".into());
        }
        if !after(&self.address).is_some_and(|rest| plain(&rest) && !rest.contains('/')) {
            return Err("address: give that of the pages as browsers have it, https://HOST or https://HOST:PORT".into());
        }
        if self.agency.trim().is_empty() || self.agency.len() > 100 || self.agency.chars().any(char::is_control) {
            return Err("agency: give a name of one line, at most 100 bytes".into());
        }
        for (key, text) in
            [("client_id", &self.client_id), ("claim", &self.claim), ("groups_claim", &self.groups_claim)]
        {
            if text.is_empty() {
                return Err(format!("{key}: it is empty"));
            }
        }
        if self.domain.as_ref().is_some_and(|domain| domain.is_empty() || domain.contains('@')) {
            return Err("domain: give what stands behind the @, without it".into());
        }
        if let Some(role) = self.groups.keys().find(|role| Role::of(role).is_none()) {
            return Err(format!("groups.{role}: there is no such role"));
        }
        if !self.local_login && self.break_glass.is_empty() {
            return Err(
                "local_login: name an administrator in break_glass, or nobody comes in when the provider is down"
                    .into(),
            );
        }
        if self.local_login && !self.break_glass.is_empty() {
            return Err(
                "break_glass: with local_login passwords are taken from everybody; leave one of them out".into()
            );
        }
        Ok(())
    }

    /// Relative paths count from the file's folder.
    pub(in crate::pages) fn place(&mut self, base: &Path) {
        self.ca = placed(base, &self.ca, "plated-station.service");
        if let Some(file) = &mut self.client_secret_file {
            *file = placed(base, file, "plated-station.service");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_is_named_by_its_key() {
        let text = "agency = \"A\"\nissuer = \"https://i.example/x\"\nclient_id = \"c\"\nca = \"ca\"\naddress = \"https://s:8444\"\n";
        let checked = |more: &str, from: &str, to: &str| {
            toml::from_str::<Settings>(&format!("{}{more}", text.replace(from, to))).unwrap().check()
        };
        checked("", "", "").unwrap();
        checked("local_login = false\nbreak_glass = [\"chief\"]\n", "", "").unwrap();
        for (more, from, to, key) in [
            ("", "https://i", "http://i", "issuer"),
            ("", "https://s:8444", "https://s/pages", "address"),
            ("domain = \"@pd.gov\"\n", "", "", "domain"),
            ("groups = { chief = [\"x\"] }\n", "", "", "groups.chief"),
            ("local_login = false\n", "", "", "local_login"),
            ("break_glass = [\"chief\"]\n", "", "", "break_glass"),
        ] {
            let wrong = checked(more, from, to).unwrap_err();
            assert!(wrong.starts_with(&format!("{key}:")), "{wrong}");
        }
    }
}
