//! `[forward]` of station.toml: the upstream station, and what is shared with it.

use crate::archive::{Class, Envelope};
use plated_core::config_file::{placed, within};
use plated_core::name::is_plain_name;
use plated_core::wire::batch::MAX_BATCH_READS;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The way to the upstream station, and what goes there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `https://host:port`.
    pub station: String,
    /// PEM file of the authority that signed its certificate.
    pub ca: PathBuf,
    /// PEM file of the certificate by which this station is known there.
    pub certificate: PathBuf,
    /// PEM file of its key, mode 0400.
    pub key: PathBuf,
    /// File of the public keys whose receipts count, one on each line.
    pub receipt_keys: PathBuf,
    /// Reads of these classes are shared.
    pub classes: Vec<Class>,
    /// Only those of these vehicles, where any are named.
    #[serde(default)]
    pub vehicles: Option<Vec<String>>,
    /// Of fixed sites only those of these, whatever class they are.
    #[serde(default)]
    pub sites: Vec<String>,
    /// Reads in one batch at most.
    #[serde(default = "batch_reads")]
    pub batch_reads: usize,
    /// Seconds between looks when nothing waited.
    #[serde(default = "idle_s")]
    pub idle_s: f64,
    /// Longest wait after failures, in seconds.
    #[serde(default = "max_backoff_s")]
    pub max_backoff_s: f64,
    /// A batch of which nothing moves for so many seconds is given up.
    #[serde(default = "timeout_s")]
    pub timeout_s: f64,
}

fn batch_reads() -> usize {
    100
}
fn idle_s() -> f64 {
    5.0
}
fn max_backoff_s() -> f64 {
    300.0
}
fn timeout_s() -> f64 {
    60.0
}

impl Settings {
    /// Whether a read is shared. One of a fixed site is only where its site is named, a hit there too.
    pub fn shares(&self, read: &Envelope) -> bool {
        self.takes(read.class, &read.vehicle, read.site.as_deref())
    }

    /// The same of a read of which only this is known.
    pub fn takes(&self, class: Class, vehicle: &str, site: Option<&str>) -> bool {
        takes(&self.classes, self.vehicles.as_deref(), &self.sites, (class, vehicle, site))
    }

    /// Paths count from the configuration's folder.
    pub(crate) fn resolve(&mut self, base: &Path) {
        for path in [&mut self.ca, &mut self.certificate, &mut self.key, &mut self.receipt_keys] {
            *path = placed(base, path, "plated-station.service");
        }
    }

    /// Rules that the types can't say. The error begins with the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !self.station.starts_with("https://") {
            return Err("station: must begin with https://".into());
        }
        if self.classes.is_empty() {
            return Err("classes: name the classes of reads that are shared: no_hit, hit, canvass, fixed_site".into());
        }
        if self.sites.iter().any(|site| !is_plain_name(site)) {
            return Err("sites: name fixed sites as vehicles do".into());
        }
        within("batch_reads", self.batch_reads, 1..=MAX_BATCH_READS)?;
        within("idle_s", self.idle_s, 0.001..=86_400.0)?;
        within("max_backoff_s", self.max_backoff_s, 0.001..=86_400.0)?;
        within("timeout_s", self.timeout_s, 0.001..=86_400.0)
    }
}

/// Whether a read of this class, vehicle and site is among these. One of a fixed site is only where its site is named.
pub(crate) fn takes(
    classes: &[Class],
    vehicles: Option<&[String]>,
    sites: &[String],
    (class, vehicle, site): (Class, &str, Option<&str>),
) -> bool {
    let site = site.is_none_or(|site| sites.iter().any(|named| named == site));
    let vehicle = vehicles.is_none_or(|vehicles| vehicles.iter().any(|named| named == vehicle));
    site && vehicle && classes.contains(&class)
}

/// A station whose reads are taken here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Downstream {
    /// As its certificate names it.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str =
        "station = \"https://s:1\"\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"\nreceipt_keys = \"d\"\n";

    fn settings(more: &str) -> Settings {
        toml::from_str(&format!("{SMALL}{more}")).unwrap()
    }

    fn read(class: Class, vehicle: &str, site: Option<&str>) -> Envelope {
        let at = jiff::Timestamp::UNIX_EPOCH;
        Envelope {
            vehicle: vehicle.into(),
            camera: "front".into(),
            text: "7ABC123".into(),
            key: "7ABC123".into(),
            state: String::new(),
            confidence: 0.9,
            first_seen: at,
            last_seen: at,
            position: None,
            has_hit: class == Class::Hit,
            canvass: None,
            site: site.map(str::to_owned),
            class,
            pictures: Vec::new(),
        }
    }

    // policy: P-17
    #[test]
    fn what_is_shared_is_said_by_class_vehicle_and_site() {
        let hits = settings("classes = [\"hit\"]\nvehicles = [\"unit-7\"]\n");
        assert!(hits.shares(&read(Class::Hit, "unit-7", None)));
        assert!(!hits.shares(&read(Class::NoHit, "unit-7", None)));
        assert!(!hits.shares(&read(Class::Hit, "unit-8", None)));
        assert!(!hits.shares(&read(Class::Hit, "unit-7", Some("bridge"))), "a site is shared only where it is named");
        let site = settings("classes = [\"hit\", \"fixed_site\"]\nsites = [\"bridge\"]\n");
        assert!(site.shares(&read(Class::FixedSite, "gate-1", Some("bridge"))));
        assert!(!site.shares(&read(Class::FixedSite, "gate-1", Some("school"))));
        assert!(site.shares(&read(Class::Hit, "gate-1", Some("bridge"))));
    }

    #[test]
    fn nothing_is_shared_by_default_and_the_way_there_is_encrypted() {
        assert!(toml::from_str::<Settings>(SMALL).unwrap_err().message().contains("classes"));
        assert!(settings("classes = []").check().unwrap_err().starts_with("classes: "));
        assert!(settings("classes = [\"hit\"]\nidle_s = 0").check().unwrap_err().starts_with("idle_s: "));
        let plain: Settings =
            toml::from_str(&format!("{}classes = [\"hit\"]", SMALL.replace("https", "http"))).unwrap();
        assert!(plain.check().unwrap_err().starts_with("station: "));
    }
}
