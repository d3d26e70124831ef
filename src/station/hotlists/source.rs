//! `[[sources]]` of station.toml: how the file of a list is read, and when it is refused.

use plated_core::config_file::within;
use plated_core::record::Priority;
use plated_hotlist::manifest::is_list_name;
use plated_hotlist::settings::{Hotlist, Limits};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// One list, and how it is read.
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
}

fn keep() -> u16 {
    10
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
        }
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
        for path in [&mut self.map, &mut self.zip_password_file] {
            *path = path.take().map(|path| base.join(path));
        }
    }

    /// Rules that the types can't say. The error begins with the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !is_list_name(&self.name) {
            return Err("name: use 1 to 64 letters, digits, '-', '_' or '.', and no '.' at the beginning".into());
        }
        within("keep", self.keep, 1..=1000)?;
        self.limits.check().map_err(|why| format!("limits.{why}"))?;
        match (&self.format, &self.map) {
            (Some(_), Some(_)) => Err("map: a list has a format or a map, not both".into()),
            _ => Ok(()),
        }
    }
}
