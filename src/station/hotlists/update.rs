//! Incremental files: entries that come to a list and entries that go from it, made against one version of it.

use super::inactive::EntryName;
use super::publish::{Each, Publication, Published, Publisher, whole};
use super::table::HotlistVersion;
use jiff::Timestamp;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::EntryRecord;
use plated_core::text::entries;
use plated_hotlist::format::{Count, Summary};
use plated_hotlist::import::{Compared, check};
use plated_hotlist::{ImportReport, Passed, Wish, read_file};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The files.
#[derive(Clone, Copy, Debug)]
pub struct Increment<'a> {
    /// The version that they were made against: its number, or the beginning of its hash.
    pub base: &'a str,
    /// Entries that come.
    pub add: Option<&'a Path>,
    /// Entries that go.
    pub remove: Option<&'a Path>,
}

/// What was removed and what could not be.
#[derive(Debug, Default)]
struct Removals {
    /// By plate; true once it was found.
    named: HashMap<String, Vec<(EntryName, bool)>>,
}

impl Removals {
    fn add(&mut self, entry: &EntryRecord) -> Result<()> {
        let name = EntryName::new(&entry.plate, &entry.state, &entry.id)?;
        self.named.entry(entry.plate.clone()).or_default().push((name, false));
        Ok(())
    }

    /// Whether this entry goes.
    fn take(&mut self, entry: &EntryRecord) -> bool {
        let mut goes = false;
        for (name, found) in self.named.get_mut(&entry.plate).into_iter().flatten() {
            if name.names(entry) {
                (*found, goes) = (true, true);
            }
        }
        goes
    }

    fn all(&self) -> impl Iterator<Item = bool> {
        self.named.values().flatten().map(|(_, found)| *found)
    }
}

impl Publisher<'_> {
    /// Adds and removes entries of a list that is handed out.
    ///
    /// # Errors
    /// `Refused` when the files were made against another version than the one that is handed out or are older than it,
    /// `NotFound` when none is handed out, `Input` when they are refused as a list is.
    pub fn update(&mut self, what: &Publication<'_>, files: &Increment<'_>) -> Result<Published> {
        let name = what.source.name.as_str();
        let versions = self.versions(name)?;
        let Some(current) = versions.iter().find(|v| v.current).cloned() else {
            let message = format!("the station hands out no list \"{name}\"; import the whole list first");
            return Err(Error::new(Kind::NotFound, message));
        };
        is_base(files.base, &current, &versions)?;
        let list = what.source.hotlist();
        // What is wrong with one file keeps it out; what comes of them is judged as a whole.
        let mut part = list.clone();
        part.limits.shrink = 1.0;
        let (now, place) = (self.clock.wall(), self.place(name)?);
        let read = |path: Option<&Path>, each: Each<'_>| -> Result<Option<Timestamp>> {
            let Some(path) = path else { return Ok(None) };
            let compared = Compared { in_force: None, file_date: what.file_date, now: Some(now) };
            let passed = read_file(&part, path, path, Wish { compared, force: what.force.clone() }, each)?;
            in_order(path, passed.summary.date, &current)?;
            Ok(passed.summary.date)
        };
        self.bring(what, |wish, each| {
            let mut removals = Removals::default();
            let removed = read(files.remove, &mut |entry| removals.add(&entry))?;
            // An entry that comes takes the place of one with the same id.
            let mut ids: HashSet<(String, String)> = HashSet::new();
            let mut report = ImportReport::default();
            let mut give = |entry: EntryRecord| {
                report.lines += 1;
                report.entries += 1;
                each(entry)
            };
            let added = read(files.add, &mut |entry| {
                if !entry.id.is_empty() {
                    ids.insert((entry.plate.clone(), entry.id.clone()));
                }
                give(entry)
            })?;
            whole(&place, &current.sha256, &mut |entry| {
                let is_replaced = ids.contains(&(entry.plate.clone(), entry.id.clone()));
                if removals.take(&entry) || is_replaced { Ok(()) } else { give(entry) }
            })?;
            let (all, left) = (removals.all().count() as u64, removals.all().filter(|found| !found).count() as u64);
            if left > allowed(all, list.limits.bad_share) && wish.force.is_none() {
                let message = format!(
                    "{left} of the {} that are to go are not in version {} of {name}: the files were made against \
                     another list. Bring the whole list",
                    entries(all),
                    current.version
                );
                return Err(Error::new(Kind::Refused, message));
            }
            let summary = Summary { report, date: removed.max(added), footer: Count::Unused };
            let dated = wish.compared.date(&summary);
            let forced = check(&summary, &wish.compared, &list.limits, wish.force)?.forced;
            Ok(Passed { summary, dated, forced })
        })
    }
}

/// Whether `base` names the version that is handed out.
fn is_base(base: &str, current: &HotlistVersion, versions: &[HotlistVersion]) -> Result<()> {
    let names = |v: &HotlistVersion| match base.parse::<u64>() {
        Ok(number) if base.len() < 8 => v.version == number,
        _ => base.len() >= 8 && v.sha256.to_string().starts_with(&base.to_ascii_lowercase()),
    };
    if names(current) {
        return Ok(());
    }
    let HotlistVersion { name, version, .. } = current;
    let message = match versions.iter().find(|v| names(v)) {
        Some(other) if other.version < *version => format!(
            "the files were made against version {} of {name}, and version {version} is handed out: they were applied \
             already, or another increment or list came before them. Bring increments in their order, or the whole list",
            other.version
        ),
        _ => format!(
            "the files were made against {base}, which is no version of {name} that was handed out here; version \
             {version} is. An increment before them is missing, or they are of another list; bring the whole list"
        ),
    };
    Err(Error::new(Kind::Refused, message))
}

/// An increment is not older than what it goes on from.
fn in_order(path: &Path, date: Option<Timestamp>, current: &HotlistVersion) -> Result<()> {
    match (date, current.file_date) {
        (Some(date), Some(of)) if date < of => Err(Error::new(
            Kind::Refused,
            format!(
                "{} is of {date:.0}, older than version {} of {}, which is of {of:.0}: it is out of order. Bring \
                 increments in their order, or the whole list",
                path.display(),
                current.version,
                current.name
            ),
        )),
        _ => Ok(()),
    }
}

/// So many entries may be missing that are to go: one slip, or the share of mistakes that a list may have.
fn allowed(all: u64, share: f64) -> u64 {
    let slip = u64::from(share > 0.0 && all > 1);
    ((all as f64 * share + 1e-6) as u64).max(slip)
}
