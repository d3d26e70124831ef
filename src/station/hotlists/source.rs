//! `[[sources]]` of station.toml: where a list is fetched, how its file is read, and when it is refused or too old.

use plated_core::config_file::{placed, within};
use plated_core::digest::Sha256;
use plated_core::record::Priority;
use plated_core::wire::StaleAfter;
use plated_hotlist::manifest::is_list_name;
use plated_hotlist::settings::{Hotlist, Limits, Stale};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Its credentials are those of the service that fetches lists.
const UNIT: &str = "plated-station-lists.service";

/// One list, where it is fetched and how it is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name of the list.
    pub name: String,
    /// Name of its format; told from the file itself when neither this nor a map is given.
    pub format: Option<String>,
    /// Column map of its format.
    pub map: Option<PathBuf>,
    /// IANA name of the time zone of its dates.
    pub time_zone: Option<String>,
    /// Words that stand in it where there is no plate, in place of the usual ones.
    pub junk: Option<Vec<String>>,
    /// File of mode 0400 with the password of the ZIP archive it comes in.
    pub zip_password_file: Option<PathBuf>,
    /// Name of the list in an archive of several files.
    pub archive_member: Option<String>,
    /// Priority of entries that name none.
    #[serde(default)]
    pub priority: Option<Priority>,
    /// When it is refused.
    #[serde(default)]
    pub limits: Limits,
    /// So many versions are kept.
    #[serde(default = "keep")]
    pub keep: u16,
    /// From which age on it is stale, here and in the vehicles.
    #[serde(default)]
    pub stale: Stale,
    /// Where its file is fetched: `https://…`.
    pub url: Option<String>,
    /// Name for basic authentication there.
    pub user: Option<String>,
    /// File of mode 0400, or credential, with the password.
    pub password_file: Option<PathBuf>,
    /// PEM file of the authorities one of which signed the server's certificate.
    pub ca: Option<PathBuf>,
    /// Or a program that gets the file, with its arguments: it writes it to its standard output, or to the path that is
    /// put in the place of `{file}`. No shell has part in it.
    pub command: Option<Vec<String>>,
    /// Where files of entries that come and that go are fetched between looks at the whole list.
    pub increments: Option<Increments>,
    /// Seconds between looks.
    #[serde(default = "interval_s")]
    pub interval_s: f64,
    /// A look takes at most so many seconds.
    #[serde(default = "timeout_s")]
    pub timeout_s: f64,
    /// Largest file, in MiB.
    #[serde(default = "max_mib")]
    pub max_mib: u32,
}

/// Files of entries that come to a list, and of entries that go from it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Increments {
    /// Those that come.
    pub add: Option<Place>,
    /// Those that go.
    pub remove: Option<Place>,
    /// Seconds between looks.
    #[serde(default = "increments_s")]
    pub interval_s: f64,
}

/// Where a file is: an address as in `url`, with its name, password and authorities, or a program as in `command`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// `https://…`.
    Url(String),
    /// A program and its arguments.
    Command(Vec<String>),
}

impl Place {
    /// The same as of a whole list.
    pub fn origin(&self) -> Origin<'_> {
        match self {
            Self::Url(url) => Origin::Https(url),
            Self::Command(command) => Origin::Command(command),
        }
    }
}

fn increments_s() -> f64 {
    900.0
}
fn keep() -> u16 {
    10
}
fn interval_s() -> f64 {
    3600.0
}
fn timeout_s() -> f64 {
    600.0
}
fn max_mib() -> u32 {
    1024
}

/// From where a list is fetched.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// A server.
    Https(&'a str),
    /// What a program gives.
    Command(&'a [String]),
}

impl Source {
    /// A list that the configuration says nothing about.
    pub fn by_hand(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            format: None,
            map: None,
            time_zone: None,
            junk: None,
            zip_password_file: None,
            archive_member: None,
            priority: None,
            limits: Limits::default(),
            keep: keep(),
            stale: Stale::default(),
            url: None,
            user: None,
            password_file: None,
            ca: None,
            command: None,
            increments: None,
            interval_s: interval_s(),
            timeout_s: timeout_s(),
            max_mib: max_mib(),
        }
    }

    /// From where it is fetched; from nowhere where it is brought by hand.
    pub fn origin(&self) -> Option<Origin<'_>> {
        let url = self.url.as_deref().map(Origin::Https);
        url.or_else(|| self.command.as_deref().map(Origin::Command))
    }

    /// From which age on it is stale, as vehicles are told.
    pub fn stale_after(&self) -> StaleAfter {
        StaleAfter { warn_h: self.stale.warn_h, critical_h: self.stale.critical_h }
    }

    /// Digest of all that decides how it is fetched and read.
    pub fn digest(&self) -> Sha256 {
        let map = self.map.as_deref().and_then(|path| std::fs::read(path).ok());
        Sha256::of(format!("{} {self:?} {map:?}", env!("CARGO_PKG_VERSION")).as_bytes())
    }

    /// Whether a CLETS grant is needed to see its entries (control P-08).
    pub fn needs_clets(&self) -> bool {
        self.format.as_deref().is_some_and(|format| format.starts_with("ncic") || format.starts_with("ca_doj"))
    }

    /// The settings as the importer takes them.
    pub fn hotlist(&self) -> Hotlist {
        let mut list = Hotlist::from_station(&self.name);
        list.format.clone_from(&self.format);
        list.map.clone_from(&self.map);
        list.time_zone.clone_from(&self.time_zone);
        list.junk.clone_from(&self.junk);
        list.password_file.clone_from(&self.zip_password_file);
        list.archive_member.clone_from(&self.archive_member);
        list.priority = self.priority.unwrap_or(list.priority);
        list.limits = self.limits.clone();
        list
    }

    /// Paths count from the configuration's folder.
    pub(crate) fn resolve(&mut self, base: &Path) {
        for path in [&mut self.map, &mut self.zip_password_file, &mut self.password_file, &mut self.ca] {
            *path = path.take().map(|path| placed(base, &path, UNIT));
        }
        let increments = self.increments.iter_mut().flat_map(|i| i.add.iter_mut().chain(&mut i.remove));
        let commands = increments.filter_map(|place| match place {
            Place::Command(command) => Some(command),
            Place::Url(_) => None,
        });
        let arguments = self.command.iter_mut().chain(commands).flatten();
        for argument in arguments.filter(|argument| argument.starts_with("%d/")) {
            *argument = placed(base, Path::new(&*argument), UNIT).to_string_lossy().into_owned();
        }
    }

    /// Rules that the types can't say. The error begins with the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !is_list_name(&self.name) {
            return Err("name: use 1 to 64 letters, digits, '-', '_' or '.', and no '.' at the beginning".into());
        }
        within("keep", self.keep, 1..=1000)?;
        self.limits.check().map_err(|why| format!("limits.{why}"))?;
        within("interval_s", self.interval_s, 0.01..=604_800.0)?;
        within("timeout_s", self.timeout_s, 0.01..=86_400.0)?;
        within("max_mib", self.max_mib, 1..=4096)?;
        if self.format.is_some() && self.map.is_some() {
            return Err("map: a list has a format or a map, not both".into());
        }
        self.check_increments().map_err(|why| format!("increments.{why}"))?;
        match (&self.url, &self.command) {
            (Some(_), Some(_)) => Err("command: a list has a url or a command, not both".into()),
            (Some(url), None) => self.check_url(url),
            (None, Some(command)) if command.first().is_none_or(String::is_empty) => {
                Err("command: name the program and its arguments, each by itself: [\"scp\", \"-q\", …]".into())
            }
            (None, _) if self.user.is_some() => {
                Err("user: a name is for a url; a command has its own arguments".into())
            }
            (None, _) if self.ca.is_some() => Err("ca: an authority is for a url".into()),
            _ => Ok(()),
        }
    }

    fn check_increments(&self) -> Result<(), String> {
        let Some(increments) = &self.increments else { return Ok(()) };
        within("interval_s", increments.interval_s, 0.01..=604_800.0)?;
        if self.origin().is_none() {
            return Err("add: they go on from a whole list; give its url or command too".into());
        }
        let places = [("add", &increments.add), ("remove", &increments.remove)];
        if places.iter().all(|(_, place)| place.is_none()) {
            return Err("add: give add, remove, or both".into());
        }
        for (key, place) in places {
            match place {
                Some(Place::Url(url)) => self.check_url(url).map_err(|why| format!("{key}: {why}"))?,
                Some(Place::Command(command)) if command.first().is_none_or(String::is_empty) => {
                    return Err(format!("{key}: name the program and its arguments, each by itself"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_url(&self, url: &str) -> Result<(), String> {
        let rest = url.strip_prefix("https://").ok_or("url: must begin with https://")?;
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        if host.is_empty() || url.contains(char::is_whitespace) {
            return Err("url: give the address of the file: https://host/path".into());
        }
        if host.contains('@') {
            return Err("url: give the name as user and the password in password_file, not in the address".into());
        }
        if self.user.is_some() != self.password_file.is_some() {
            return Err("user: give user and password_file together".into());
        }
        match self.ca {
            Some(_) => Ok(()),
            None => Err("ca: name the file of the authorities by which the server is known, such as \
                         /etc/ssl/certs/ca-certificates.crt for the public ones"
                .into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Source, String> {
        let source: Source = toml::from_str(&format!("name = \"svs\"\n{text}")).map_err(|e| e.message().to_owned())?;
        source.check().map(|()| source)
    }

    #[test]
    fn a_source_is_a_server_or_a_command_and_a_password_stands_in_a_file() {
        let https = "url = \"https://lists.example/svs.zip\"\nca = \"ca.crt\"\n";
        let source = checked(&format!("{https}user = \"a\"\npassword_file = \"p\"\n")).unwrap();
        assert!(matches!(source.origin(), Some(Origin::Https("https://lists.example/svs.zip"))));
        assert!(matches!(checked("command = [\"scp\", \"-q\"]").unwrap().origin(), Some(Origin::Command([_, _]))));
        assert!(checked("").unwrap().origin().is_none());
        for (text, expected) in [
            (&*format!("{https}command = [\"scp\"]"), "command: "),
            ("url = \"http://lists.example/\"", "url: must begin with https://"),
            ("url = \"https://a:b@lists.example/\"\nca = \"c\"", "url: give the name as user"),
            ("url = \"https://\"\nca = \"c\"", "url: "),
            ("url = \"https://lists.example/\"", "ca: "),
            (&format!("{https}user = \"a\""), "user: "),
            (&format!("{https}password_file = \"a\""), "user: "),
            ("command = []", "command: "),
            ("command = [\"scp\"]\nuser = \"a\"", "user: "),
            ("interval_s = 0", "interval_s: "),
            ("increments = { add = [\"cat\", \"a\"] }", "increments.add: they go on from a whole list"),
            ("command = [\"scp\"]\nincrements = {}", "increments.add: give add"),
            ("command = [\"scp\"]\nincrements = { remove = [] }", "increments.remove: name the program"),
            ("command = [\"scp\"]\nincrements = { add = \"http://lists.example/\" }", "increments.add: url: must"),
            ("command = [\"scp\"]\nincrements = { add = [\"a\"], interval_s = 0 }", "increments.interval_s: "),
            ("stale = { warn_h = 80 }", "stale: "),
            ("password = \"hunter2\"", "password"),
        ] {
            let why = checked(text).unwrap_err();
            assert!(why.contains(expected), "{text}: {why}");
        }
    }
}
