//! The station's configuration file, `station.toml`. Unknown keys are refused.

use super::ArchiveKey;
use super::contacts::Overdue;
use super::archive::{Options, Retention};
use super::hotlists::Source;
use plated_core::config_file::{parse, placed, wrong};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::name::is_plain_name;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationConfig {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The station's name in receipts.
    pub name: String,
    /// Folder of the database and the images.
    pub data: PathBuf,
    /// PEM file of the authority that signs vehicles' certificates.
    pub ca: PathBuf,
    /// PEM file of the station's certificate.
    pub certificate: PathBuf,
    /// PEM file of the station's key, readable by its owner only.
    pub key: PathBuf,
    /// File of the key that signs what the station says of its hotlists and its audit log, readable by its owner
    /// only. The running station never reads it.
    #[serde(default = "hotlist_key")]
    pub hotlist_key: PathBuf,
    /// File of the key that signs receipts, readable by its owner only.
    #[serde(default = "receipt_key")]
    pub receipt_key: PathBuf,
    /// File of the key of the archive, readable by its owner only. Without it nothing of the archive can be read.
    #[serde(default = "archive_key")]
    pub archive_key: PathBuf,
    /// File of the key by which media of vehicles are read, readable by its owner only. Needed by
    /// `plated-station medium` alone, and while one is imported.
    #[serde(default = "medium_key")]
    pub medium_key: PathBuf,
    /// How long reads are kept.
    #[serde(default)]
    pub retention: Retention,
    /// How old a read may be that a vehicle still has.
    #[serde(default)]
    pub overdue: Overdue,
    /// How lists are read.
    #[serde(default)]
    pub sources: Vec<Source>,
}

fn receipt_key() -> PathBuf {
    "receipt.key".into()
}

fn medium_key() -> PathBuf {
    "medium.key".into()
}

fn archive_key() -> PathBuf {
    "archive.key".into()
}

fn hotlist_key() -> PathBuf {
    "hotlist.key".into()
}

impl StationConfig {
    /// Reads and checks the file. Relative paths in it count from the file's own folder.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).context(Kind::Config, || {
            format!("could not read the configuration {}; `plated-station init` makes one", path.display())
        })?;
        let mut config: StationConfig = parse(&text, path)?;
        if !is_plain_name(&config.name) {
            return Err(Error::new(
                Kind::Config,
                format!("{}: name: use 1 to 64 letters, digits, '-', '_' or '.'", path.display()),
            ));
        }
        let base = path.parent().unwrap_or(Path::new("."));
        if let Err(why) = config.retention.check() {
            return Err(Error::new(Kind::Config, format!("{}: retention.{why}", path.display())));
        }
        if let Err(why) = config.overdue.check() {
            return Err(Error::new(Kind::Config, format!("{}: overdue.{why}", path.display())));
        }
        let StationConfig { data, ca, certificate, key, hotlist_key, receipt_key, archive_key, medium_key, .. } =
            &mut config;
        for file in [data, ca, certificate, key, hotlist_key, receipt_key, archive_key, medium_key] {
            *file = placed(base, file, "plated-station.service");
        }
        for (n, source) in config.sources.iter_mut().enumerate() {
            source.check().map_err(|why| wrong(&text, path, &format!("sources[{n}].{why}")))?;
            source.resolve(base);
        }
        let mut names: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|two| two[0] == two[1]) {
            let message = format!("{}: sources: \"{}\" is there twice", path.display(), twice[0]);
            return Err(Error::new(Kind::Config, message));
        }
        Ok(config)
    }

    /// How the archive is opened.
    pub fn archive(&self, key: ArchiveKey) -> Options<'_> {
        Options { data: &self.data, key, station: &self.name, retention: self.retention }
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data.join("station.db")
    }
}

/// The text of an annotated file.
pub(super) fn template(name: &str, listen: SocketAddr) -> String {
    format!(
        r#"# Configuration of plated-station. Relative paths count from this file's folder.

# Address and port to listen on. Port 0 takes a free one; the line printed at start names it.
listen = "{listen}"

# Name of this station in its receipts.
name = "{name}"

# Folder of the archive. Give it the disk with the room.
data = "data"

# The key of the archive (mode 0400). Everything in it is encrypted: keep a copy of the key in another place,
# since without it nothing can be read again, a backup neither.
archive_key = "archive.key"

# The authority whose certificates vehicles must show, and this station's own certificate and
# key (mode 0400). Those made by `plated-station init` are for development and trials; in
# service put the files of the agency's authority here.
ca = "ca.crt"
certificate = "station.crt"
key = "station.key"

# The key that signs the hotlists (mode 0400), needed by `plated-station hotlist` only. Vehicles
# have its public part, hotlist.pub, and take lists from nobody else.
hotlist_key = "hotlist.key"

# The key that signs receipts (mode 0400). Vehicles have its public part, receipt.pub, and take receipts
# from nobody else. Keep a copy in a safe place: with another key no vehicle believes this station.
receipt_key = "receipt.key"

# The key by which media of vehicles without a link are read (mode 0400): see `plated-station medium import`. Vehicles
# have its public part, medium.pub. Keep a copy in a safe place: without it no such medium can be read.
medium_key = "medium.key"

# For how many days reads are kept; they are deleted on the day after. What is under an evidence hold stays.
[retention]
no_hit = 365
hit = 365
canvass = 365
fixed_site = 365
fixed_site_pictures = 30
# For an agency that may keep no read without a hit longer: it is gone so many minutes after it was made, 1 to 1440, and
# no_hit does not count. One that comes later goes at once.
#no_hit_minutes = 3

# Each read has to be here within limit_days of when it was made. `plated-station vehicles` names the vehicles that have
# to come: from warn_days on a warning, from critical_days on critical.
[overdue]
warn_days = 20
critical_days = 27
limit_days = 30

# How lists are read that have to be read in a certain way. See docs/reference/hotlist-sync.md.
#
# [[sources]]
# name = "svs"
# format = "ca_doj:svs"               # or map = "svs.toml"
# zip_password_file = "svs.password"  # mode 0400
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annotated_file_loads_and_an_unknown_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("station.toml");
        let text = template("station-1", "[::1]:8443".parse().unwrap());
        std::fs::write(&path, &text).unwrap();
        assert_eq!(StationConfig::load(&path).unwrap().database(), dir.path().join("data/station.db"));
        std::fs::write(&path, text + "colour = 1\n").unwrap();
        assert!(StationConfig::load(&path).unwrap_err().chain().contains("colour"));
    }
}
