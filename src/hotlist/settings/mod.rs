//! What a list of wanted plates is beside its file: where it comes from, how it is shown, when it
//! counts, and when it is stale. Each value is checked where it stands, so that an error names
//! its line.

mod limits;
mod list_settings;
mod rules;

pub use limits::Limits;
pub use list_settings::ListSettings;
pub use rules::{MatchRules, OtherState};

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use plated_core::record::Priority;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Name under which entries of officers stand beside the lists.
pub const OFFICERS: &str = "officers";

/// One list of wanted plates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hotlist {
    /// Name of the list in hits.
    pub name: String,
    /// The file; see `docs/reference/hotlist-formats.md`. The folder of a list of kind
    /// `folder`; empty for one of kind `station`, and for one that is only imported by hand.
    #[serde(default)]
    pub path: PathBuf,
    /// Name of its format; told from the file itself when neither this nor a map is given.
    pub format: Option<String>,
    /// Column map of its format.
    pub map: Option<PathBuf>,
    /// IANA name of the time zone of its dates; that of its format, or the system's, by default.
    pub time_zone: Option<String>,
    /// Words that stand in it where there is no plate, in place of the usual ones.
    pub junk: Option<Vec<String>>,
    /// File of mode 0400 with the password of the ZIP archive it comes in.
    pub password_file: Option<PathBuf>,
    /// Name of the list in an archive of several files.
    pub archive_member: Option<String>,
    /// When it is refused.
    #[serde(default)]
    pub limits: Limits,
    /// Priority of entries that name none.
    #[serde(default = "normal")]
    pub priority: Priority,
    /// Where it comes from.
    #[serde(default)]
    pub kind: ListKind,
    /// How hits of each category look and sound.
    #[serde(default)]
    pub categories: BTreeMap<String, Category>,
    /// Its hits are kept with the read and do not sound; only those see anything of it to whom it is granted
    /// by its name.
    #[serde(default)]
    pub covert: bool,
    /// It is a state or federal list, which only those see who have a CLETS grant (control P-08). When not
    /// given its format says so.
    pub clets: Option<bool>,
    /// When it counts.
    #[serde(default)]
    pub window: Window,
    /// When it is stale.
    #[serde(default)]
    pub stale: Stale,
    /// When a read matches an entry.
    #[serde(default, rename = "match")]
    pub rules: MatchRules,
}

impl Hotlist {
    /// A list that the station hands out and the configuration says nothing about.
    pub fn from_station(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: PathBuf::new(),
            format: None,
            map: None,
            time_zone: None,
            junk: None,
            password_file: None,
            archive_member: None,
            limits: Limits::default(),
            priority: normal(),
            kind: ListKind::Station,
            categories: BTreeMap::new(),
            covert: false,
            clets: None,
            window: Window::default(),
            stale: Stale::default(),
            rules: MatchRules::default(),
        }
    }
}

fn normal() -> Priority {
    Priority::Normal
}

/// Where a list comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// A file in the vehicle, looked at when the daemon starts, or `plated hotlist import`.
    #[default]
    File,
    /// The station.
    Station,
    /// A folder in which files appear, from a medium for instance.
    Folder,
}

impl ListKind {
    /// The word in the configuration and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Station => "station",
            Self::Folder => "folder",
        }
    }

    /// The kind of a word that the store has.
    pub fn of(word: &str) -> Self {
        match word {
            "station" => Self::Station,
            "folder" => Self::Folder,
            _ => Self::File,
        }
    }
}

/// From which age on a list is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "StaleKeys")]
pub struct Stale {
    /// Hours until a warning; 0 is never.
    pub warn_h: u32,
    /// Hours until it is critical; 0 is never.
    pub critical_h: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StaleKeys {
    warn_h: u32,
    critical_h: u32,
}

impl Default for StaleKeys {
    fn default() -> Self {
        Self { warn_h: 24, critical_h: 72 }
    }
}

impl Default for Stale {
    fn default() -> Self {
        let StaleKeys { warn_h, critical_h } = StaleKeys::default();
        Self { warn_h, critical_h }
    }
}

impl TryFrom<StaleKeys> for Stale {
    type Error = String;
    fn try_from(StaleKeys { warn_h, critical_h }: StaleKeys) -> Result<Self, String> {
        if critical_h != 0 && warn_h > critical_h {
            return Err("stale: warn_h must not be above critical_h".into());
        }
        Ok(Self { warn_h, critical_h })
    }
}

impl Stale {
    /// These hours; a warning comes no later than that it is critical.
    pub fn new(warn_h: u32, critical_h: u32) -> Self {
        let warn_h = if critical_h == 0 { warn_h } else { warn_h.min(critical_h) };
        Self { warn_h, critical_h }
    }

    /// Age from which on there is a warning; zero is never.
    pub fn warn(self) -> Duration {
        Duration::from_secs(u64::from(self.warn_h) * 3600)
    }

    /// Age from which on it is critical; zero is never.
    pub fn critical(self) -> Duration {
        Duration::from_secs(u64::from(self.critical_h) * 3600)
    }
}

/// How hits of a category look and sound (control P-05).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Category {
    /// Colour on the console.
    pub colour: Option<Colour>,
    /// The chime of this priority sounds, whatever priority the entry has.
    pub tone: Option<Priority>,
}

/// A colour as `#rrggbb`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Colour(String);

impl Colour {
    /// `#rrggbb`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Colour {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix('#') {
            Some(hex) if hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(Self(text)),
            _ => Err("colour: write it as \"#rrggbb\"".into()),
        }
    }
}

/// When a list counts. Outside it, reads are not matched against it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WindowKeys")]
pub struct Window {
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
    /// Hours of each day: from, inclusive, to, exclusive; over midnight when the first is later.
    pub hours: Option<(Time, Time)>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WindowKeys {
    from: Option<String>,
    until: Option<String>,
    hours: Option<String>,
}

impl TryFrom<WindowKeys> for Window {
    type Error = String;
    fn try_from(keys: WindowKeys) -> Result<Self, String> {
        let day = |key: &str, text: Option<String>| {
            text.map(|t| t.parse::<Date>().map_err(|_| format!("window: write {key} as \"2026-11-30\""))).transpose()
        };
        let (from, until) = (day("from", keys.from)?, day("until", keys.until)?);
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            return Err("window: until must not be before from".into());
        }
        let hours = keys.hours.map(|text| hours(&text).ok_or("window: write hours as \"18:00-06:00\"")).transpose()?;
        Ok(Self { from, until, hours })
    }
}

fn hours(text: &str) -> Option<(Time, Time)> {
    let (from, to) = text.split_once('-')?;
    let time = |t: &str| {
        let (h, m) = t.trim().split_once(':')?;
        Time::new(h.parse().ok()?, m.parse().ok()?, 0, 0).ok()
    };
    let (from, to) = (time(from)?, time(to)?);
    (from != to).then_some((from, to))
}

impl Window {
    /// Whether the list counts at this moment, by the clock of this time zone.
    pub fn holds(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let local = at.to_zoned(zone.clone()).datetime();
        let (day, time) = (local.date(), local.time());
        self.from.is_none_or(|from| day >= from)
            && self.until.is_none_or(|until| day <= until)
            && self.hours.is_none_or(|(from, to)| match from < to {
                true => from <= time && time < to,
                false => from <= time || time < to,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(toml: &str) -> Result<Window, String> {
        toml::from_str(toml).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn a_window_holds_on_its_days_and_in_its_hours_also_over_midnight() {
        let night = window("from = \"2026-11-21\"\nuntil = \"2026-11-22\"\nhours = \"18:00-06:00\"").unwrap();
        let zone = TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::fixed(jiff::tz::offset(-8)));
        let holds = |local: &str| {
            let at: jiff::civil::DateTime = local.parse().unwrap();
            night.holds(at.to_zoned(zone.clone()).unwrap().timestamp(), &zone)
        };
        assert!(holds("2026-11-21T18:00:00") && holds("2026-11-22T05:59:59") && holds("2026-11-21T00:00:00"));
        assert!(!holds("2026-11-21T06:00:00") && !holds("2026-11-21T17:59:59"));
        assert!(!holds("2026-11-20T23:00:00") && !holds("2026-11-23T00:00:00"));
        assert!(Window::default().holds(Timestamp::UNIX_EPOCH, &zone));
    }

    #[test]
    fn what_is_no_window_limit_or_colour_is_refused_by_its_key() {
        assert!(window("hours = \"18-6\"").unwrap_err().contains("hours"));
        assert!(window("hours = \"06:00-06:00\"").unwrap_err().contains("hours"));
        assert!(window("from = \"21.11.2026\"").unwrap_err().contains("from"));
        assert!(window("from = \"2026-11-21\"\nuntil = \"2026-11-20\"").unwrap_err().contains("until"));
        let stale: Result<Stale, _> = toml::from_str("warn_h = 80");
        assert!(stale.unwrap_err().message().contains("warn_h"));
        assert_eq!(toml::from_str("critical_h = 0"), Ok(Stale { warn_h: 24, critical_h: 0 }));
        assert!(toml::from_str::<Category>("colour = \"red\"").unwrap_err().message().contains("colour"));
    }
}
