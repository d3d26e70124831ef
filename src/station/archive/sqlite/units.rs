//! All units of the archive.

use super::ingest::names_of;
use super::pack;
use super::unit::{Name, Unit, lock};
use crate::key::ArchiveKey;
use jiff::civil::Date;
use plated_core::durable;
use plated_core::error::{Context, Kind, Result};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// Units whose writing connection stays open.
const MAX_WRITERS: usize = 32;

/// Lets this process have as many files open as it may: each part that is looked into has up to three.
pub(super) fn allow_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if setrlimit(Resource::Nofile, limit).is_err() {
        tracing::debug!("The limit of open files stays as it is");
    }
}

/// All units, by name.
#[derive(Debug)]
pub(super) struct Units {
    reads: PathBuf,
    pub holds: PathBuf,
    key: ArchiveKey,
    all: Mutex<BTreeMap<Name, Arc<Unit>>>,
    /// Those that were written to, the last at the end.
    written: Mutex<VecDeque<Name>>,
}

impl Units {
    /// Opens those in `data`, and removes packs that no row names.
    pub fn open(data: &Path, key: &ArchiveKey) -> Result<Self> {
        let (reads, holds) = (data.join("reads"), data.join("holds"));
        let mut all = BTreeMap::new();
        let mut orphans = 0;
        for folder in [&reads, &holds] {
            let failed = || format!("could not look through {}", folder.display());
            durable::make_folder(folder).context(Kind::Storage, failed)?;
            for entry in std::fs::read_dir(folder).context(Kind::Storage, failed)? {
                let entry = entry.context(Kind::Storage, failed)?;
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let name = match folder == &reads {
                    true => Name::part_of(&name),
                    false => Uuid::try_parse(&name).ok().map(Name::Hold),
                };
                let Some(name) = name else { continue };
                if !entry.path().join("reads.db").exists()
                    && !pack::any(&entry.path()).context(Kind::Storage, failed)?
                {
                    continue; // A crash before it was made, or it is gone with all that was in it.
                }
                let unit = match Unit::open(name, &entry.path(), key) {
                    Ok(unit) => unit,
                    Err(e) if e.kind() == Kind::Missing => {
                        tracing::error!(error = %e.chain(), "A part of the archive is not there; the station goes on without it");
                        continue;
                    }
                    Err(e) => return Err(e),
                };
                unit.close_writer();
                orphans += unit.remove_orphans()?;
                all.insert(name, unit);
            }
        }
        if orphans > 0 {
            tracing::warn!(
                orphans,
                "Removed files of pictures whose reads were never written; vehicles send both again"
            );
        }
        Ok(Self { reads, holds, key: key.clone(), all: Mutex::new(all), written: Mutex::default() })
    }

    /// Those that are in `data`, beside a station that runs. Nothing is changed.
    pub fn beside(data: &Path, key: &ArchiveKey) -> Result<Self> {
        let (reads, holds) = (data.join("reads"), data.join("holds"));
        let mut all = BTreeMap::new();
        for entry in std::fs::read_dir(&reads).into_iter().flatten().flatten() {
            let name = Name::part_of(&entry.file_name().to_string_lossy());
            if let Some(name) = name.filter(|_| entry.path().join("reads.db").exists()) {
                all.insert(name, Arc::new(Unit::at(name, entry.path(), key)?));
            }
        }
        Ok(Self { reads, holds, key: key.clone(), all: Mutex::new(all), written: Mutex::default() })
    }

    /// The unit of this name, made when it is not there, to be written to.
    pub fn make(&self, name: Name) -> Result<Arc<Unit>> {
        let mut all = lock(&self.all);
        let unit = match all.get(&name) {
            Some(unit) => unit.clone(),
            None => {
                let unit = Unit::open(name, &self.folder_of(name), &self.key)?;
                all.insert(name, unit.clone());
                unit
            }
        };
        let mut written = lock(&self.written);
        written.retain(|other| *other != name);
        written.push_back(name);
        if written.len() > MAX_WRITERS
            && let Some(unit) = written.pop_front().and_then(|name| all.get(&name))
        {
            unit.close_writer();
        }
        Ok(unit)
    }

    /// Where the database of this unit lies.
    pub fn path_of(&self, name: Name) -> PathBuf {
        self.folder_of(name).join("reads.db")
    }

    fn folder_of(&self, name: Name) -> PathBuf {
        match name {
            Name::Part(..) => self.reads.join(name.folder()),
            Name::Hold(_) => self.holds.join(name.folder()),
        }
    }

    /// Adds one that was put in its place.
    pub fn add(&self, name: Name, folder: PathBuf) -> Result<()> {
        let unit = Unit::at(name, folder, &self.key)?;
        lock(&self.all).insert(name, Arc::new(unit));
        Ok(())
    }

    /// Takes one out. Its folder stays.
    pub fn remove(&self, name: Name) -> Option<Arc<Unit>> {
        lock(&self.written).retain(|other| *other != name);
        lock(&self.all).remove(&name)
    }

    /// Those of a day.
    pub fn of_day(&self, day: Date) -> Vec<Arc<Unit>> {
        let all = lock(&self.all);
        names_of(day).filter_map(|name| all.get(&name).cloned()).collect()
    }

    /// Those of the same day.
    pub fn of_day_but(&self, name: Name) -> Vec<Arc<Unit>> {
        let Name::Part(day, _) = name else { return Vec::new() };
        let mut all = self.of_day(day);
        all.retain(|unit| unit.name != name);
        all
    }

    /// Those of days, the newest day first.
    pub fn days(&self) -> Vec<(Date, Vec<Arc<Unit>>)> {
        let mut days: Vec<(Date, Vec<Arc<Unit>>)> = Vec::new();
        for (name, unit) in lock(&self.all).iter().rev() {
            let Name::Part(day, _) = *name else { continue };
            match days.last_mut() {
                Some((last, units)) if *last == day => units.push(unit.clone()),
                _ => days.push((day, vec![unit.clone()])),
            }
        }
        days
    }

    /// Those of holds, which other processes begin and release too.
    pub fn of_holds(&self) -> Vec<Arc<Unit>> {
        let entries = std::fs::read_dir(&self.holds).into_iter().flatten().flatten();
        let there: BTreeMap<Name, PathBuf> = entries
            .filter_map(|e| Some((Name::Hold(Uuid::try_parse(&e.file_name().to_string_lossy()).ok()?), e.path())))
            .collect();
        let mut all = lock(&self.all);
        all.retain(|name, _| !matches!(name, Name::Hold(_)) || there.contains_key(name));
        for (name, folder) in there {
            if let Entry::Vacant(place) = all.entry(name)
                && let Ok(unit) = Unit::at(name, folder, &self.key)
            {
                place.insert(Arc::new(unit));
            }
        }
        all.values().filter(|unit| matches!(unit.name, Name::Hold(_))).cloned().collect()
    }

    /// All.
    pub fn all(&self) -> Vec<Arc<Unit>> {
        self.of_holds();
        lock(&self.all).values().cloned().collect()
    }
}
