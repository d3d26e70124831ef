//! `[pages]`: where the station's pages are, and what they say.

use super::agency;
use crate::transparency::Published;
use plated_core::config_file::placed;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The station's pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where they listen. Vehicles have an address of their own.
    pub listen: SocketAddr,
    /// Their certificate, with the chain up to the authority if there is one between, in PEM.
    pub certificate: PathBuf,
    /// The key of it, mode 0400.
    pub key: PathBuf,
    /// What everybody who wants in is told.
    #[serde(default = "notice")]
    pub notice: String,
    /// Lists that are covert, beside those that are not published here: they are seen by those only to whom they are
    /// granted by name.
    #[serde(default)]
    pub covert_lists: Vec<String>,
    /// What the public policy page says of the agency (controls P-23, P-24).
    #[serde(default)]
    pub policy: Policy,
    /// The agency's own login; none without.
    pub oidc: Option<agency::Settings>,
}

/// The agency, as the public policy page tells of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Its name.
    pub agency: String,
    /// Title and name of the official custodian.
    pub custodian: String,
    /// Title and name of the administrator of the system.
    pub administrator: String,
    /// How data is shared with others, a sentence or several.
    pub sharing: Vec<String>,
    /// Address of the whole policy; empty for none.
    pub document: String,
    /// What everybody is shown beside it.
    pub published: Published,
}

fn notice() -> String {
    "For law enforcement only. Every look at data is recorded with your name, its purpose and its case.".into()
}

impl Settings {
    /// Rules that the types can't say.
    ///
    /// # Errors
    /// What is wrong, beginning with the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.oidc.as_ref().map_or(Ok(()), |oidc| oidc.check().map_err(|why| format!("oidc.{why}")))
    }

    /// Relative paths count from the file's folder.
    pub(crate) fn place(&mut self, base: &Path) {
        for file in [&mut self.certificate, &mut self.key] {
            *file = placed(base, file, "plated-station.service");
        }
        if let Some(oidc) = &mut self.oidc {
            oidc.place(base);
        }
    }
}
