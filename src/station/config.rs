//! The station's configuration file, `station.toml`. Unknown keys are refused.

use super::ArchiveKey;
use super::archive::{ArchiveSettings, Options, Retention};
use super::audits;
use super::contacts::Overdue;
use super::forward;
use super::hotlists::Source;
use super::intake;
use super::monitor;
use super::pages;
use super::push;
use super::releases;
use plated_core::config_file::{parse, placed, wrong};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::logging::LogFormat;
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
    /// File of that authority's key (PEM), readable by its owner only, where vehicles renew their certificates at this
    /// station and `plated-station vehicle issue` makes them. Without it the agency's authority makes all of them.
    #[serde(default)]
    pub authority_key: Option<PathBuf>,
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
    /// File of the secret from which the keys are derived that seal second factors for each vehicle, readable by its
    /// owner only. The running station never reads it.
    #[serde(default = "seal_key")]
    pub seal_key: PathBuf,
    /// How long reads are kept.
    #[serde(default)]
    pub retention: Retention,
    /// How old a read may be that a vehicle still has.
    #[serde(default)]
    pub overdue: Overdue,
    /// What the archive is built on.
    #[serde(default)]
    pub archive: ArchiveSettings,
    /// Where lists are fetched, how they are read, and when they are too old.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Numbers and health for a monitoring system; without it there are none.
    pub metrics: Option<monitor::Settings>,
    /// How the log is written.
    #[serde(default)]
    pub log: Log,
    /// The upstream station that reads are shared with; without it none are.
    pub forward: Option<forward::Settings>,
    /// Programs of others that reads are pushed on to.
    #[serde(default)]
    pub push: Vec<push::Settings>,
    /// Stations whose reads are taken here.
    #[serde(default)]
    pub downstream: Vec<forward::Downstream>,
    /// The pages that people log in to; none without it.
    #[serde(default)]
    pub pages: Option<pages::Settings>,
    /// How often accesses and reads are audited, and how many.
    #[serde(default)]
    pub audits: audits::Settings,
    /// To whom reads may be released.
    #[serde(default)]
    pub release: releases::Settings,
    /// What the agency asks of each access, and of accounts.
    #[serde(default)]
    pub access: plated_access::Settings,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Lines for people, or a JSON object on each line.
    pub format: LogFormat,
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

fn seal_key() -> PathBuf {
    "seal.key".into()
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
        config.archive.check().map_err(|why| wrong(&text, path, &format!("archive.{why}")))?;
        config.archive.resolve(base);
        let StationConfig {
            data,
            ca,
            certificate,
            key,
            hotlist_key,
            receipt_key,
            archive_key,
            medium_key,
            seal_key,
            ..
        } = &mut config;
        for file in [data, ca, certificate, key, hotlist_key, receipt_key, archive_key, medium_key, seal_key] {
            *file = placed(base, file, "plated-station.service");
        }
        if let Some(key) = &mut config.authority_key {
            *key = placed(base, key, "plated-station.service");
        }
        if let Some(forward) = &mut config.forward {
            forward.check().map_err(|why| wrong(&text, path, &format!("forward.{why}")))?;
            forward.resolve(base);
        }
        for (n, receiver) in config.push.iter_mut().enumerate() {
            receiver.check().map_err(|why| wrong(&text, path, &format!("push[{n}].{why}")))?;
            receiver.resolve(base);
        }
        let twice = |(n, receiver): (usize, &push::Settings)| {
            config.push[..n].iter().any(|other| other.name == receiver.name).then_some(n)
        };
        if let Some(n) = config.push.iter().enumerate().find_map(twice) {
            return Err(wrong(&text, path, &format!("push[{n}].name: another receiver has this name")));
        }
        if let Some(n) = config.downstream.iter().position(|station| !is_plain_name(&station.name)) {
            return Err(wrong(
                &text,
                path,
                &format!("downstream[{n}].name: use 1 to 64 letters, digits, '-', '_' or '.'"),
            ));
        }
        for (n, source) in config.sources.iter_mut().enumerate() {
            source.check().map_err(|why| wrong(&text, path, &format!("sources[{n}].{why}")))?;
            source.resolve(base);
        }
        if let Some(pages) = &mut config.pages {
            pages.check().map_err(|why| wrong(&text, path, &format!("pages.{why}")))?;
            pages.place(base);
        }
        if let Err(why) = config.audits.check() {
            return Err(wrong(&text, path, &format!("audits.{why}")));
        }
        if let Err(why) = config.release.check() {
            return Err(wrong(&text, path, &format!("release.{why}")));
        }
        if let Err(why) = config.access.check() {
            return Err(wrong(&text, path, &format!("access.{why}")));
        }
        if let Some(banned) = &mut config.access.accounts.banned_passwords {
            *banned = placed(base, banned, "plated-station.service");
        }
        let mut names: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|two| two[0] == two[1]) {
            let message = format!("{}: sources: \"{}\" is there twice", path.display(), twice[0]);
            return Err(Error::new(Kind::Config, message));
        }
        Ok(config)
    }

    /// With whom reads are shared as they come.
    pub(crate) fn sharing(&self) -> intake::Sharing {
        intake::Sharing { upstream: self.forward.clone(), push: self.push.clone() }
    }

    /// How the archive in the data folder is opened.
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

# The key of that authority (mode 0400). With it vehicles renew their certificates here by themselves, and
# `plated-station vehicle issue` makes the first ones. Without this line the agency's authority makes all of them, and
# `plated-station vehicle add` enters them.
authority_key = "ca.key"

# The key that signs the hotlists (mode 0400), needed by `plated-station hotlist` only. Vehicles
# have its public part, hotlist.pub, and take lists from nobody else.
hotlist_key = "hotlist.key"

# The key that signs receipts (mode 0400). Vehicles have its public part, receipt.pub, and take receipts
# from nobody else. Keep a copy in a safe place: with another key no vehicle believes this station.
receipt_key = "receipt.key"

# The key by which media of vehicles without a link are read (mode 0400): see `plated-station medium import`. Vehicles
# have its public part, medium.pub. Keep a copy in a safe place: without it no such medium can be read.
medium_key = "medium.key"

# The secret for second factors of accounts on their way to vehicles (mode 0400), needed by `plated-station user`,
# `provision` and `vehicle` only. Each vehicle has a key that is derived from it, seal.key beside its certificate.
seal_key = "seal.key"

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

# Numbers for a monitoring system (Prometheus), and whether all is well: /metrics, /healthz, /readyz, over plain HTTP on
# this computer alone unless another address is given. No plate is in them.
#
# [metrics]
# listen = "127.0.0.1:9465"

# How the log is written: "text" for people, or "json" with an object on each line. PLATED_LOG sets its level.
#
# [log]
# format = "text"

# An upstream station, such as a regional centre, with which reads are shared. What is shared is named: nothing is by
# default. It knows this station by the certificate here, and has a table [[downstream]] with its name.
#
# [forward]
# station = "https://ncric.example.gov:8443"
# ca = "forward-ca.crt"
# certificate = "forward.crt"
# key = "forward.key"                            # mode 0400
# receipt_keys = "forward-receipt.pub"           # receipt.pub of the upstream station
# classes = ["hit", "canvass"]                   # of no_hit, hit, canvass, fixed_site
# vehicles = ["unit-7"]                          # only of these; without it of all
# sites = []                                     # fixed sites that are shared; others are not, whatever their class
#
# Stations whose reads are taken here, by the names in their certificates.
#
# [[downstream]]
# name = "example-pd"

# What the archive is built on. "sqlite": encrypted files in the data folder, for one station. "postgresql": PostgreSQL 15 or
# newer, and S3-compatible storage for the pictures, which are encrypted before they go there; several stations may use
# them at once. See docs/guide/postgresql.md.
[archive]
engine = "sqlite"
# engine = "postgresql"
# database = "database.url"     # file of mode 0400 or credential (%d/database.url) with postgresql://USER:PASSWORD@HOST/DATABASE
# database_ca = "database-ca.crt" # needed unless the database is on this computer
# connections = 16
# bucket = "plated"
# endpoint = "https://s3.example.gov" # that of Amazon when not given
# region = "us-east-1"
# object_key = "object.key"     # file of mode 0400 or credential: id of the access key, and on the next line the key
# object_ca = "object-ca.crt"   # where its authority is not one that everybody trusts
# The pages that people log in to, on an address of their own. Make the first account with
# `plated-station user add`.
#
# [pages]
# listen = "127.0.0.1:8444"
# certificate = "console.crt"         # made by `init`; in service one that browsers trust
# key = "console.key"                 # mode 0400
# notice = "For law enforcement only."
# covert_lists = []                   # seen by those only to whom they are granted by name
#
# What the page /policy says, which needs no login.
# [pages.policy]
# agency = "Example Police Department"
# custodian = "Records Manager Ann Smith"
# administrator = "Captain John Doe"
# sharing = ["Reads are released on a written request of another agency only, after review."]
# document = "https://www.example.gov/policy-431.pdf"
# What everybody is shown beside the policy, without plates and names: figures by month, the audit log, certificates of
# deletion.
# [pages.policy.published]
# figures = true
# audit_log = true
# deletions = true

# The agency's own login (OpenID Connect: Entra ID, Okta, Keycloak, login.gov), by which people come in besides. It says
# who they are; account, role, lists and training stay those of this station. Enter {{address}}/login/agency/back there.
# [pages.oidc]
# agency = "Example PD"                 # the button says "Sign in with Example PD"
# issuer = "https://login.example.gov/realms/police"
# client_id = "plated"
# client_secret_file = "oidc.secret"    # mode 0400, or a credential: "%d/oidc.secret"; none for a public client
# ca = "oidc-ca.crt"                    # /etc/ssl/certs/ca-certificates.crt: the public authorities
# address = "https://station.example.gov:8444" # of these pages, as browsers have it
# claim = "preferred_username"          # which has the login name; "email" counts when it was verified
# domain = "example.gov"                # jdoe@example.gov is the account jdoe, and those of other domains are refused
# scopes = ["profile"]
# acr_values = []                       # one of these levels must have been reached
# second_factor = []                    # words of amr or acr that count as our second factor, such as ["mfa"]
# single_sign_on = false                # true: whoever is logged in there need not log in again
# local_login = true                    # false: passwords are taken from these accounts alone
# break_glass = []                      # such as ["chief"], for the day on which the provider is down
# groups_claim = "groups"
# [pages.oidc.groups]                   # who has a role here must be in one of its groups there; left out: not asked
# officer = ["plated-officers"]

# Audits on the pages: each is due so many days after the one before, and draws so many accesses and reads with pictures.
[audits]
every_days = 91
accesses = 10
reads = 10

# Programs of others to which reads are pushed on as they come, each as the JSON that OpenALPR's agents post for a group of
# plates (docs/reference/alpr-group.md). plate_bytes and overview_bytes make pictures fit a receiver: 3000 and 25000 for the
# UK's service.
# [[push]]
# name = "centre"
# url = "https://centre.example.org/alpr"
# ca = "centre-ca.crt"
# token_file = "centre.token"
# classes = ["hit"]
# plate_bytes = 3000
# overview_bytes = 25000

# To which states' agencies reads may be released, once a second person approved it; US stands for federal ones.
[release]
jurisdictions = ["CA"]

# What is asked of each access and of accounts. See docs/reference/policy.md.
#
# [access]
# case_required = false
# [access.accounts]
# second_factor_required = false
# idle_lock_minutes = 30

# Lists: where they are fetched, how they are read, and when they are too old. `plated-station hotlist fetch` fetches
# them, and plated-station-lists.service does so by this schedule. See docs/reference/hotlist-sync.md.
#
# [[sources]]
# name = "svs"
# url = "https://lists.example.gov/svs.zip"      # without url and command: brought by `hotlist import`
# user = "agency-12"                             # basic authentication
# password_file = "svs.password"                 # mode 0400, or a credential: "%d/svs.password"
# ca = "/etc/ssl/certs/ca-certificates.crt"      # who vouches for the server; this file: the public authorities
# # or by a program, without a shell; it writes to its standard output, or to what stands for {{file}}:
# # command = ["sftp", "-q", "-i", "%d/svs.ssh", "agency@lists.example.gov:svs.zip", "{{file}}"]
# interval_s = 3600                              # between looks
# timeout_s = 600                                # a look takes at most so long
# max_mib = 1024                                 # largest file
# format = "ca_doj:svs"                          # or map = "svs.toml"
# zip_password_file = "svs.zip.password"         # mode 0400
# stale = {{ warn_h = 24, critical_h = 72 }}       # too old from these ages on, here and in the vehicles; 0: never
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
