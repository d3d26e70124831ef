//! Lists from their files into force: the configured ones at start, the station's whenever a newer
//! version is on the shelf.

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::error::{Context, Kind, Result};
use crate::hotlist::{self, Builder, Index, List, Lists, Meta, Rules, Signer, Source, Trust, sync};
use crate::wire::{EntryRecord, ListVersion, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Brings lists into force.
pub struct Arming {
    lists: Arc<Lists>,
    signer: Signer,
    clock: Arc<dyn Clock>,
    store: PathBuf,
    configured: Vec<String>,
    /// Lists of the station that are in force, with the hash of each.
    station: BTreeMap<String, Sha256>,
}

impl Arming {
    /// Loads the configured lists. One that can't be used is left out, loudly; the others count.
    pub fn start(config: &Config, clock: Arc<dyn Clock>) -> Result<Self> {
        let mut arming = Self {
            lists: Arc::default(),
            signer: Signer::generate()?,
            clock,
            store: config.store.path.clone(),
            configured: config.hotlists.iter().map(|list| list.name.clone()).collect(),
            station: BTreeMap::new(),
        };
        for configured in &config.hotlists {
            match hotlist::load(configured) {
                Ok(list) => arming.configured(&list, configured),
                Err(e) => tracing::error!(list = configured.name, "The hotlist is not in force: {}", e.chain()),
            }
        }
        if config.hotlist_sync.is_some() {
            arming.follow(&config.hotlist_folder());
        }
        Ok(arming)
    }

    /// The lists in force.
    pub fn lists(&self) -> Arc<Lists> {
        self.lists.clone()
    }

    fn configured(&self, list: &List, from: &config::Hotlist) {
        report(list);
        let rules = Rules::new(&from.rules);
        let source = from.path.display().to_string();
        let index =
            self.index(&list.name, source, |builder| list.entries.iter().try_for_each(|entry| builder.add(entry)));
        self.lists.put(match index {
            Ok(index) => Source::index(index, rules),
            // A full disk must not keep anybody from being found.
            Err(e) => {
                tracing::warn!(list = list.name, "The hotlist is kept in memory: {}", e.chain());
                Source::memory(&list.name, list.entries.iter().map(|e| (**e).clone()), rules)
            }
        });
    }

    /// Puts what is on the shelf of the station's lists into force, and takes out what has gone. A
    /// list that can't be used leaves the version before in force.
    pub fn follow(&mut self, folder: &Path) {
        let shelf = sync::accepted(folder);
        for (version, path) in &shelf {
            if self.station.get(&version.name) == Some(&version.sha256) {
                continue;
            }
            match self.from_station(version, path) {
                Ok(entries) => {
                    tracing::info!(list = version.name, version = version.version, entries, "A list is in force.");
                    self.station.insert(version.name.clone(), version.sha256);
                }
                Err(e) => tracing::error!(list = version.name, "The station's list is not in force: {}", e.chain()),
            }
        }
        let lists = &self.lists;
        self.station.retain(|name, _| {
            let stays = shelf.iter().any(|(version, _)| version.name == *name);
            if !stays {
                lists.remove(name);
                tracing::info!(list = name, "The station withdrew a list.");
            }
            stays
        });
    }

    fn from_station(&self, version: &ListVersion, path: &Path) -> Result<u64> {
        if self.configured.contains(&version.name) {
            let said = "a list of the same name is configured in the vehicle; rename one of them".to_owned();
            return Err(crate::error::Error::new(Kind::Config, said));
        }
        let source = format!("station, version {}", version.version);
        let mut entries: Vec<EntryRecord> = Vec::new();
        let index = self.index(&version.name, source, |builder| {
            let mut added = Ok(());
            hotlist::read_entries(path, |entry| {
                if added.is_ok() {
                    added = builder.add(&entry);
                }
            })?;
            added
        });
        let source = match index {
            Ok(index) => Source::index(index, Rules::default()),
            Err(e) if e.kind() == Kind::Storage => {
                tracing::warn!(list = version.name, "The hotlist is kept in memory: {}", e.chain());
                hotlist::read_entries(path, |entry| entries.push(entry))?;
                Source::memory(&version.name, entries, Rules::default())
            }
            Err(e) => return Err(e),
        };
        let count = source.len();
        self.lists.put(source);
        Ok(count)
    }

    /// Builds the index of a list. Its file has no name any more when this returns, and its space is
    /// free again when the list goes or the daemon ends, however that happens.
    fn index(&self, name: &str, source: String, fill: impl FnOnce(&mut Builder<'_>) -> Result<()>) -> Result<Index> {
        let mut path = self.store.clone().into_os_string();
        path.push(format!("-hotlist-{}", hex::encode(name)));
        let path = PathBuf::from(path);
        let meta = Meta {
            name: name.to_owned(),
            source,
            date: None,
            built: self.clock.wall(),
            by: concat!("plated ", env!("CARGO_PKG_VERSION")).into(),
        };
        let mut builder = Builder::create(&path, &self.signer, meta);
        fill(&mut builder)?;
        builder.finish()?;
        let index = Index::open(&path, &Trust::only([self.signer.public_key()]));
        std::fs::remove_file(&path).context(Kind::Storage, || format!("could not remove {}", path.display()))?;
        index
    }
}

fn report(list: &List) {
    tracing::info!(list = list.name, "{}", list.report);
    for bad in &list.report.bad_lines {
        tracing::warn!(list = list.name, line = bad.line, field = bad.field, "A line was left out: {}", bad.reason);
    }
}
