//! The vehicle's one configuration file, `plated.toml`.
//!
//! Unknown keys are refused; an error names the key and the line. Every key has a default but
//! the sources and the vehicle's name. `plated init` writes it with every key explained.

use crate::lists::HotlistSync;
use crate::{alert, console, gps, metrics, power, provision, purge, store, subscribers, transfer};
use plated_core::config_file::{parse, placed, within, wrong};
use plated_core::name::is_plain_name;
use plated_hotlist::settings::{Hotlist, ListKind, OFFICERS};
use plated_vision::capture::{CameraUrl, CaptureSource, Input};
use plated_vision::recognition::Recognition;

use plated_core::error::{Context, Kind, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the vehicle; its certificate carries the same.
    pub vehicle: String,
    /// Cameras and files.
    pub sources: Vec<CaptureSource>,
    /// Fixed sites, each with the cameras that stand there. Their reads are kept and shared by rules of their own.
    #[serde(default)]
    pub sites: BTreeMap<String, Vec<String>>,
    /// Detector, reader and tracker.
    #[serde(default)]
    pub recognition: Recognition,
    /// Lists of wanted plates.
    #[serde(default)]
    pub hotlists: Vec<Hotlist>,
    /// Sound.
    #[serde(default)]
    pub alert: alert::Settings,
    /// Where the vehicle is; without it reads have no position.
    pub gps: Option<gps::Settings>,
    /// Programs that are sent alerts.
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<subscribers::Webhook>,
    /// What the agency asks of each access to data.
    #[serde(default)]
    pub access: plated_access::Settings,
    /// What officers enter.
    #[serde(default)]
    pub shift: Shift,
    /// The daemon's socket for the command line.
    #[serde(default)]
    pub control: Control,
    /// The officer's console; without it there is none.
    pub console: Option<console::Settings>,
    /// Numbers for a monitoring system; without it there are none.
    pub metrics: Option<metrics::Settings>,
    /// When recognition slows to spare the computer.
    #[serde(default)]
    pub power: power::Settings,
    /// The encrypted database.
    pub store: store::Settings,
    /// How long what the station holds stays here.
    #[serde(default)]
    pub purge: purge::Settings,
    /// The way to the station; without it reads stay in the vehicle.
    pub transfer: Option<transfer::Settings>,
    /// Lists from the station.
    pub hotlist_sync: Option<HotlistSync>,
    /// Accounts, what the agency sets, and models from the station.
    pub provision: Option<provision::Settings>,
    /// Its text by section, to tell which of them changed since the last start.
    #[serde(skip)]
    pub sections: BTreeMap<String, String>,
}

/// The daemon's socket for the command line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Control {
    /// The socket; beside the store when not given.
    pub socket: Option<PathBuf>,
}

/// The shift, by which what officers enter ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shift {
    /// Entries of officers are over so many hours after they were made, unless they say otherwise.
    pub hours: u32,
}

impl Default for Shift {
    fn default() -> Self {
        Self { hours: 12 }
    }
}

impl Config {
    /// Reads and checks the file. Relative paths in it count from the file's own folder.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .context(Kind::Config, || format!("could not read the configuration {}", path.display()))?;
        Self::of_text(&text, path)
    }

    /// The same of a text that is, or is to be, in the file `path`.
    ///
    /// # Errors
    /// `Config` with the key and the line.
    pub fn of_text(text: &str, path: &Path) -> Result<Self> {
        let mut config: Config = parse(text, path)?;
        let table = text.parse::<toml::Table>().unwrap_or_default();
        config.sections = table.into_iter().map(|(name, value)| (name, value.to_string())).collect();
        let base = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        config.resolve(base);
        config.check().map_err(|e| wrong(text, path, &e))?;
        Ok(config)
    }

    /// The fixed site of each camera that stands at one.
    pub fn site_of_cameras(&self) -> HashMap<String, String> {
        let of = |(site, cameras): (&String, &Vec<String>)| {
            cameras.iter().map(|camera| (camera.clone(), site.clone())).collect::<Vec<_>>()
        };
        self.sites.iter().flat_map(of).collect()
    }

    /// Where the daemon listens for the command line.
    pub fn control_socket(&self) -> PathBuf {
        self.control.socket.clone().unwrap_or_else(|| {
            let mut path = self.store.path.clone().into_os_string();
            path.push(".control");
            path.into()
        })
    }

    /// Folder of the lists that come by themselves: beside the store by default.
    pub fn hotlist_folder(&self) -> PathBuf {
        let message = self.hotlist_sync.as_ref().and_then(|sync| sync.folder.clone());
        message.unwrap_or_else(|| self.store.path.with_file_name("hotlists"))
    }

    fn resolve(&mut self, base: &Path) {
        let fix = |p: &mut PathBuf| *p = placed(base, p, "plated.service");
        for source in &mut self.sources {
            match &mut source.input {
                Input::Video { path, .. }
                | Input::Images { path, .. }
                | Input::Watch { path }
                | Input::V4l2 { device: path, .. } => fix(path),
                Input::Rtsp(CameraUrl::File(path)) | Input::Mjpeg(CameraUrl::File(path)) => fix(path),
                Input::Rtsp(CameraUrl::Plain(_)) | Input::Mjpeg(CameraUrl::Plain(_)) | Input::Gige(_) => {}
            }
        }
        let r = &mut self.recognition;
        for path in
            [&mut r.models, &mut r.detector, &mut r.reader, &mut r.vehicle, &mut r.runtime].into_iter().flatten()
        {
            fix(path);
        }
        for list in &mut self.hotlists {
            let path = Some(&mut list.path).filter(|p| !p.as_os_str().is_empty());
            path.into_iter().chain(&mut list.map).chain(&mut list.password_file).for_each(fix);
        }
        self.control.socket.iter_mut().for_each(fix);
        self.webhooks.iter_mut().flat_map(|w| w.token_file.iter_mut().chain(&mut w.ca)).for_each(fix);
        fix(&mut self.power.folder);
        fix(&mut self.store.path);
        self.store.key_file.iter_mut().for_each(fix);
        if let Some(t) = &mut self.transfer {
            let keys = [&mut t.receipt_keys, &mut t.medium_recipient];
            [&mut t.ca, &mut t.certificate, &mut t.key].into_iter().chain(keys).for_each(fix);
        }
        if let Some(console) = &mut self.console {
            [&mut console.certificate, &mut console.key].into_iter().for_each(fix);
        }
        if let Some(sync) = &mut self.hotlist_sync {
            std::iter::once(&mut sync.key).chain(&mut sync.folder).for_each(fix);
        }
        if let Some(provision) = &mut self.provision {
            [&mut provision.key, &mut provision.seal_key].into_iter().for_each(fix);
        }
    }

    /// Rules that the types can't say. The error names the key.
    fn check(&self) -> std::result::Result<(), String> {
        if !is_plain_name(&self.vehicle) {
            return Err("vehicle: use 1 to 64 letters, digits, '-', '_' or '.'".into());
        }
        if self.sources.is_empty() {
            return Err("sources: name at least one camera or file".into());
        }
        for (i, s) in self.sources.iter().enumerate() {
            if !is_plain_name(&s.name) {
                return Err(format!("sources[{i}].name: use 1 to 64 letters, digits, '-', '_' or '.'"));
            }
            if self.sources[..i].iter().any(|o| o.name == s.name) {
                return Err(format!("sources[{i}].name: \"{}\" is used twice", s.name));
            }
        }
        let mut placed = HashSet::new();
        for (site, cameras) in &self.sites {
            if !is_plain_name(site) {
                return Err(format!("sites: \"{site}\": use 1 to 64 letters, digits, '-', '_' or '.'"));
            }
            for camera in cameras {
                if self.sources.iter().all(|source| source.name != *camera) {
                    return Err(format!("sites.{site}: no source is named \"{camera}\""));
                }
                if !placed.insert(camera) {
                    return Err(format!("sites.{site}: the source \"{camera}\" stands at another site already"));
                }
            }
        }
        for (i, list) in self.hotlists.iter().enumerate() {
            let name = &list.name;
            if !is_plain_name(name) || name.starts_with('.') {
                return Err(format!(
                    "hotlists[{i}].name: use 1 to 64 letters, digits, '-', '_' or '.', and no '.' at its beginning"
                ));
            }
            if self.hotlists[..i].iter().any(|o| o.name == *name) {
                return Err(format!("hotlists[{i}].name: \"{name}\" is used twice"));
            }
            if name == OFFICERS {
                return Err(format!("hotlists[{i}].name: \"{OFFICERS}\" is the name of what officers enter"));
            }
            if list.format.is_some() && list.map.is_some() {
                return Err(format!("hotlists[{i}]: give either format or map"));
            }
            if let Some(zone) = &list.time_zone
                && jiff::tz::TimeZone::get(zone).is_err()
            {
                return Err(format!(
                    "hotlists[{i}].time_zone: \"{zone}\" is not known here; use a name such as America/Los_Angeles \
                     (package tzdata)"
                ));
            }
            list.limits.check().map_err(|why| format!("hotlists[{i}].limits.{why}"))?;
            list.rules.check().map_err(|message| format!("hotlists[{i}].match.{message}"))?;
            match (list.kind, list.path.as_os_str().is_empty()) {
                (ListKind::Station, false) => {
                    return Err(format!("hotlists[{i}].path: a list of kind \"station\" has none"));
                }
                (ListKind::Folder, true) => {
                    return Err(format!("hotlists[{i}].path: a list of kind \"folder\" needs the folder"));
                }
                _ => {}
            }
        }
        self.access.check().map_err(|why| format!("access.{why}"))?;
        within("shift.hours", self.shift.hours, 1..=168)?;
        self.alert.check()?;
        self.gps.as_ref().map_or(Ok(()), gps::Settings::check)?;
        for (i, webhook) in self.webhooks.iter().enumerate() {
            webhook.check().map_err(|why| format!("webhook[{i}].{why}"))?;
            if self.webhooks[..i].iter().any(|other| other.name == webhook.name) {
                return Err(format!("webhook[{i}].name: \"{}\" is used twice", webhook.name));
            }
        }
        self.store.check()?;
        self.purge.check()?;
        self.recognition.check()?;
        self.power.check()?;
        if let Some(sync) = &self.hotlist_sync {
            sync.check()?;
            if self.transfer.is_none() {
                return Err("hotlist_sync: needs [transfer], which says where the station is".into());
            }
        }
        if let Some(provision) = &self.provision {
            provision.check()?;
            if self.transfer.is_none() {
                return Err("provision: needs [transfer], which says where the station is".into());
            }
        }
        self.console.as_ref().map_or(Ok(()), console::Settings::check)?;
        self.transfer.as_ref().map_or(Ok(()), transfer::Settings::check)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_hotlist::settings::{Limits, Window};

    const SMALL: &str = "vehicle = \"unit-7\"\n[[sources]]\nname = \"front\"\nkind = \"video\"\npath = \"drive.mp4\"\n[store]\npath = \"s.db\"\n";

    fn load(text: &str) -> Result<Config> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plated.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    #[test]
    fn a_small_file_is_enough_and_paths_count_from_it() {
        let c = load(SMALL).unwrap();
        assert!(c.store.path.is_absolute());
        assert_eq!(c.recognition.alert_looks, 2);
        assert!(c.transfer.is_none());
    }

    #[test]
    fn a_camera_stands_at_one_fixed_site_at_most() {
        let sites = load(&format!("{SMALL}[sites]\nbridge = [\"front\"]\n")).unwrap().site_of_cameras();
        assert_eq!(sites.get("front").map(String::as_str), Some("bridge"));
        for (table, expected) in [
            ("bridge = [\"rear\"]", "sites.bridge: no source is named \"rear\""),
            ("bridge = [\"front\"]\ngate = [\"front\"]", "at another site already"),
            ("\"a bridge\" = [\"front\"]", "use 1 to 64 letters"),
        ] {
            let err = load(&format!("{SMALL}[sites]\n{table}\n")).unwrap_err().chain();
            assert!(err.contains(expected), "{err}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let err = load(&format!("{SMALL}[alert]\nsuond = true\n")).unwrap_err().chain();
        assert!(err.contains("line 9") && err.contains("suond"), "{err}");
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_its_key() {
        let err = load(&format!("{SMALL}[recognition]\nkeep_confidence = 3.0\n")).unwrap_err().chain();
        assert!(err.contains("recognition.keep_confidence"), "{err}");
    }

    #[test]
    fn a_list_set_is_checked_and_its_errors_name_key_and_line() {
        let with = |keys: &str| load(&format!("{SMALL}[[hotlists]]\nname = \"svs\"\n{keys}"));
        let list = with("path = \"svs.csv\"\n").unwrap().hotlists.remove(0);
        assert_eq!((list.kind, list.stale.warn_h, list.stale.critical_h), (ListKind::File, 24, 72));
        assert!(!list.covert && list.window == Window::default());
        with("kind = \"folder\"\npath = \"in\"\ncovert = true\n[hotlists.window]\nhours = \"22:00-06:00\"\n[hotlists.stale]\nwarn_h = 1\n[hotlists.categories.stolen_vehicle]\ncolour = \"#c00000\"\ntone = \"high\"\n").unwrap();
        for (keys, expected) in [
            ("[hotlists.stale]\nwarn_h = 99\n", &["line 10", "warn_h"][..]),
            ("[hotlists.window]\nhours = \"all\"\n", &["line 10", "hours"]),
            ("[hotlists.categories.stolen]\ncolour = \"red\"\n", &["line 11", "colour"]),
            ("kind = \"web\"\n", &["line 10", "web"]),
            ("kind = \"folder\"\n", &["hotlists[0].path"]),
            ("kind = \"station\"\npath = \"x\"\n", &["hotlists[0].path"]),
            ("[[hotlists]]\nname = \"svs\"\n", &["hotlists[1].name", "used twice"]),
            ("[[hotlists]]\nname = \"officers\"\n", &["hotlists[1].name"]),
        ] {
            let message = with(keys).unwrap_err().chain();
            assert!(expected.iter().all(|e| message.contains(e)), "{message}");
        }
    }

    #[test]
    fn a_list_has_a_format_or_a_map_and_limits_that_are_shares() {
        let list = |keys: &str| load(&format!("{SMALL}[[hotlists]]\nname = \"svs\"\npath = \"svs.tbl\"\n{keys}\n"));
        let c = list("map = \"maps/svs.toml\"\nlimits.shrink = 0.5").unwrap();
        let (map, limits) = (c.hotlists[0].map.as_ref().unwrap(), &c.hotlists[0].limits);
        assert!(map.is_absolute(), "paths count from the file");
        assert_eq!(*limits, Limits { shrink: 0.5, ..Limits::default() });
        let zone = list("time_zone = \"California\"").unwrap_err().chain();
        assert!(zone.contains("hotlists[0].time_zone: \"California\""), "{zone}");
        let packed = list("password_file = \"zip.key\"\njunk = []\n").unwrap();
        let packed = &packed.hotlists[0];
        assert!(packed.password_file.as_ref().unwrap().ends_with("zip.key"));
        assert_eq!(packed.junk.as_deref(), Some(&[][..]), "no word stands for no plate");
        let both = list("format = \"ncic\"\nmap = \"map.toml\"").unwrap_err().chain();
        assert!(both.contains("hotlists[0]: give either format or map"), "{both}");
        let limits = list("limits.bad_share = 10").unwrap_err().chain();
        assert!(limits.contains("hotlists[0].limits.bad_share: must be from 0 to 1"), "{limits}");
    }

    #[test]
    fn lists_from_the_station_need_the_station() {
        let sync = format!("{SMALL}[hotlist_sync]\nkey = \"hotlist.pub\"\n");
        assert!(load(&sync).unwrap_err().chain().contains("needs [transfer]"));
        let station = "[transfer]\nstation = \"https://s:1\"\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"\n";
        let config = load(&format!("{sync}{station}")).unwrap();
        assert_eq!(config.hotlist_folder(), config.store.path.with_file_name("hotlists"));
        let read = config.hotlist_sync.unwrap();
        assert!(read.key.is_absolute() && read.interval_s == 900.0);
        let error = load(&format!("{sync}interval_s = 0\n{station}")).unwrap_err().chain();
        assert!(error.contains("hotlist_sync.interval_s"), "{error}");
    }

    #[test]
    fn rules_of_a_list_have_defaults_and_their_limits_are_kept() {
        let list = |rules: &str| {
            let table = format!("[[hotlists]]\nname = \"svs\"\npath = \"svs.csv\"\n{rules}");
            load(&SMALL.replace("[store]", &format!("{table}\n[store]")))
        };
        assert_eq!(list("").unwrap().hotlists[0].rules.equivalents, 1);
        assert_eq!(list("match.equivalents = 2").unwrap().hotlists[0].rules.differences, 0);
        for (rules, message) in [
            ("match.equivalents = 3", "hotlists[0].match.equivalents"),
            ("match.differences = 2", "hotlists[0].match.differences"),
            ("match.alert_probability = 30", "hotlists[0].match.alert_probability"),
            ("match.classes = [\"8 B\"]", "hotlists[0].match.classes"),
            ("match.classe = []", "classe"),
            ("[[hotlists]]\nname = \"svs\"\npath = \"x\"", "used twice"),
        ] {
            let err = list(rules).unwrap_err().chain();
            assert!(err.contains(message), "{err}");
        }
    }

    #[test]
    fn a_source_name_used_twice_is_refused() {
        let twice = SMALL
            .replace("[store]", "[[sources]]\nname = \"front\"\nkind = \"v4l2\"\ndevice = \"/dev/video0\"\n[store]");
        assert!(load(&twice).unwrap_err().chain().contains("used twice"));
    }

    #[test]
    fn every_number_has_bounds_that_its_error_names_with_the_key_and_the_line() {
        let source = |line: &str| SMALL.replace("path = \"drive.mp4\"", &format!("path = \"drive.mp4\"\n{line}"));
        let images = |line: &str| source(line).replace("kind = \"video\"", "kind = \"images\"");
        let section = |name: &str, line: &str| format!("{SMALL}[{name}]\n{line}\n");
        let transfer = |line: &str| {
            section(
                "transfer",
                &format!("station = \"https://x\"\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"\n{line}"),
            )
        };
        let store = |line: &str| format!("{SMALL}{line}\n");
        let list = |line: &str| format!("{SMALL}[[hotlists]]\nname = \"x\"\n{line}\n");
        for (text, key) in [
            (section("recognition", "workers = 100000"), "workers"),
            (section("recognition", "keep_confidence = nan"), "keep_confidence"),
            (section("recognition", "alert_confidence = 1.5"), "alert_confidence"),
            (section("recognition", "alert_looks = 0"), "alert_looks"),
            (section("recognition", "gone_after_s = 1e-300"), "gone_after_s"),
            (section("recognition", "gone_after_s = inf"), "gone_after_s"),
            (images("rate = 1e-300"), "rate"),
            (images("rate = nan"), "rate"),
            (section("alert", "repeat_after_s = 999999999"), "repeat_after_s"),
            (section("alert", "repeat_distance_m = 999999999"), "repeat_distance_m"),
            (section("gps", "address = \"gps\""), "address"),
            (section("shift", "hours = 0"), "hours"),
            (store("max_mib = 18446744073709551615"), "max_mib"),
            (transfer("batch_reads = 0"), "batch_reads"),
            (transfer("idle_s = 1e-300"), "idle_s"),
            (transfer("timeout_s = nan"), "timeout_s"),
            (transfer("max_backoff_s = inf"), "max_backoff_s"),
            (list("match = { equivalents = 9 }"), "equivalents"),
            (list("match = { alert_probability = nan }"), "alert_probability"),
            (list("limits = { shrink = nan }"), "shrink"),
        ] {
            let error = load(&text).expect_err(key).chain();
            assert!(error.contains(" line ") && error.contains(key), "{key}: {error}");
        }
    }
}
