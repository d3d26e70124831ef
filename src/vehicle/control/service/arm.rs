//! Lists into the matching: what the store says is in force, from its index on the disk.
//!
//! An index is opened in the time that a hash over its keys takes. Where there is no good one it is
//! built, on a thread that gives way to capture and recognition, while all other lists are matched.

use super::OfficerService;
use crate::store::{ListState, Version};
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::EntryRecord;
use plated_core::shutdown::Shutdown;
use plated_core::thread::{give_way, guarded};
use plated_hotlist::settings::Hotlist;
use plated_hotlist::{Builder, Index, Meta, Rules, Source, Trust};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How far the lists in force are in the matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arming {
    /// Nobody matches in this process, so nobody has begun.
    NotBegun,
    /// Some are in the matching, others not yet.
    Begun,
    /// All are that can be.
    Done,
}

/// Something without which not all lists are in the matching that will be. Over when dropped.
pub struct StartTask(Arc<OfficerService>);

impl Drop for StartTask {
    fn drop(&mut self) {
        let (left, changed) = &self.0.start_tasks;
        *left.lock().unwrap_or_else(|e| e.into_inner()) -= 1;
        changed.notify_all();
    }
}

impl OfficerService {
    /// Something begins without which not all lists are in the matching.
    pub fn start_task(self: &Arc<Self>) -> StartTask {
        *self.start_tasks.0.lock().unwrap_or_else(|e| e.into_inner()) += 1;
        StartTask(self.clone())
    }

    /// Waits until the lists are in the matching and the files at their paths were looked at, for what is
    /// read from a recording, which waits for nobody. False when that takes longer than `most`.
    pub fn wait_for_lists(&self, most: Duration) -> bool {
        let (left, changed) = &self.start_tasks;
        let left = left.lock().unwrap_or_else(|e| e.into_inner());
        let (_left, waited) =
            changed.wait_timeout_while(left, most, |left| *left > 0).unwrap_or_else(|e| e.into_inner());
        !waited.timed_out()
    }

    /// What takes no time: the place of each list in the order of the configuration, what officers
    /// entered, and what they found wrong.
    pub(super) fn prepare(&self) {
        self.list_files.sweep();
        for list in self.hotlists() {
            self.lists.put(Source::memory(&list.name, [], Rules::default()));
        }
        self.try_officers();
        self.try_canvass();
        self.try_findings();
        if let Err(e) = self.arm_quiet() {
            tracing::warn!("Hits that were found wrong this shift alert again: {}", e.chain());
        }
    }

    /// Puts the lists that the store says are in force into the matching. Those with an index come
    /// first; for the others it is built, the smallest first. One that can't be read is left out,
    /// loudly; the others count.
    ///
    /// # Errors
    /// `Storage` when the store can't be read.
    pub fn arm(&self) -> Result<()> {
        self.set_arming(Arming::Begun);
        let mut to_build = Vec::new();
        for (list, state) in self.states()? {
            let Some(version) = state.in_force else { continue };
            let turn = self.turn(&list.name);
            let _one = turn.lock().unwrap_or_else(|e| e.into_inner());
            // An import may have been faster.
            if self.loaded(&list.name).is_some() {
                continue;
            }
            match self.open_index(&list, &version.sha256) {
                Some(index) => {
                    self.load(&version.sha256, Source::index(index, Rules::new(&list.rules)));
                    self.list_files.tidy(&list.name, Some(&version.sha256));
                }
                None => to_build.push((version.entries, list)),
            }
        }
        to_build.sort_by_key(|(entries, _)| *entries);
        for (_, list) in to_build {
            if self.is_stopping() {
                return Ok(());
            }
            if guarded("A hotlist is not in force", || self.arm_list(&list)).is_none() {
                self.broken.lock().unwrap_or_else(|e| e.into_inner()).insert(list.name.clone());
            }
        }
        self.set_arming(Arming::Done);
        Ok(())
    }

    /// Puts one list into the matching, whatever has to be done for it.
    fn arm_list(&self, list: &Hotlist) {
        let turn = self.turn(&list.name);
        let _one = turn.lock().unwrap_or_else(|e| e.into_inner());
        let state = self.state(&list.name);
        let armed = state.and_then(|state| match state.and_then(|s| s.in_force) {
            Some(version) if self.loaded(&list.name) != Some(version.sha256) => self.load_version(list, &version),
            _ => Ok(()),
        });
        if let Err(e) = armed {
            if self.is_stopping() {
                return;
            }
            tracing::error!(list = list.name, "The hotlist is not in force: {}", e.chain());
            self.broken.lock().unwrap_or_else(|e| e.into_inner()).insert(list.name.clone());
            if let Err(e) = self.store.list_checked(&list.name, Some(&e.chain())) {
                tracing::error!(list = list.name, "{}", e.chain());
            }
        }
    }

    /// Makes the version in force ready, and puts it into the matching. It is the list's turn.
    pub(super) fn load_version(&self, list: &Hotlist, version: &Version) -> Result<()> {
        let source = self.source(list, &version.sha256, version)?;
        self.load(&version.sha256, source);
        self.list_files.tidy(&list.name, Some(&version.sha256));
        self.broken.lock().unwrap_or_else(|e| e.into_inner()).remove(&list.name);
        Ok(())
    }

    /// Puts a list into the matching.
    pub(super) fn load(&self, sha256: &Sha256, source: Source) {
        let (list, entries) = (source.name().to_owned(), source.len());
        self.lists.put(source);
        // A command that looks once matches nothing.
        match self.health.get() {
            Some(_) => tracing::info!(list, entries, "The hotlist is matched against."),
            None => tracing::debug!(list, entries, "The hotlist was made ready."),
        }
        self.loaded.lock().unwrap_or_else(|e| e.into_inner()).insert(list, *sha256);
    }

    /// The version of a list that is in the matching.
    pub(super) fn loaded(&self, name: &str) -> Option<Sha256> {
        self.loaded.lock().unwrap_or_else(|e| e.into_inner()).get(name).copied()
    }

    /// A list on the disk, ready for the matching: from its index, which is built if need be. Where there
    /// is no room for one it is kept in memory (see [`Builder::finish_in_memory`]), since a full disk
    /// must not keep anybody from being found.
    pub(super) fn source(&self, list: &Hotlist, sha256: &Sha256, version: &Version) -> Result<Source> {
        let rules = Rules::new(&list.rules);
        if let Some(index) = self.open_index(list, sha256) {
            return Ok(Source::index(index, rules));
        }
        let index = give_way("index", || match self.build_index(list, sha256, version) {
            Err(e) if e.kind() == Kind::Storage => {
                tracing::warn!(list = list.name, "The index of the hotlist is kept in memory: {}", e.chain());
                let path = self.list_files.index(&list.name, sha256);
                let builder = Builder::in_memory(&path, self.store.index_signer(), self.meta(list, sha256, version));
                self.fill(builder, list, sha256)?.finish_in_memory()
            }
            built => built,
        })?;
        Ok(Source::index(index, rules))
    }

    /// The index of a list, if there is one that this vehicle built of exactly this content.
    fn open_index(&self, list: &Hotlist, sha256: &Sha256) -> Option<Index> {
        let path = self.list_files.index(&list.name, sha256);
        let index = match self.open_own(&path) {
            Ok(index) => index,
            Err(e) if e.kind() == Kind::Missing => return None,
            Err(e) => {
                tracing::warn!(list = list.name, "The index of the hotlist is built anew: {}", e.chain());
                return None;
            }
        };
        let meta = index.meta();
        if meta.name != list.name || meta.source != sha256.to_string() {
            tracing::warn!(list = list.name, "The index of the hotlist is built anew: it is that of another list.");
            return None;
        }
        Some(index)
    }

    fn open_own(&self, path: &Path) -> Result<Index> {
        Index::open(path, &Trust::only([self.store.index_signer().public_key()]))
    }

    fn build_index(&self, list: &Hotlist, sha256: &Sha256, version: &Version) -> Result<Index> {
        self.list_files.folder()?;
        let path = self.list_files.index(&list.name, sha256);
        match self.health.get() {
            Some(_) => {
                tracing::info!(list = list.name, entries = version.entries, "The index of a hotlist is being built.")
            }
            None => {
                tracing::debug!(list = list.name, entries = version.entries, "The index of a hotlist is being built.")
            }
        }
        let builder = Builder::create(&path, self.store.index_signer(), self.meta(list, sha256, version));
        self.fill(builder, list, sha256)?.finish()?;
        self.open_own(&path)
    }

    fn fill<'a>(&self, mut builder: Builder<'a>, list: &Hotlist, sha256: &Sha256) -> Result<Builder<'a>> {
        self.list_files.read(&list.name, sha256, |entry: EntryRecord| {
            if self.is_stopping() {
                return Err(Error::new(Kind::Busy, "the daemon is stopping"));
            }
            builder.add(&entry)
        })?;
        Ok(builder)
    }

    fn meta(&self, list: &Hotlist, sha256: &Sha256, version: &Version) -> Meta {
        Meta {
            name: list.name.clone(),
            source: sha256.to_string(),
            date: version.dated,
            built: self.clock.wall(),
            by: concat!("plated ", env!("CARGO_PKG_VERSION")).into(),
        }
    }

    /// The state of one list.
    pub(super) fn state(&self, name: &str) -> Result<Option<ListState>> {
        Ok(self.store.list_states()?.into_iter().find(|s| s.name == name))
    }

    /// Lists of which a version is in force that is not in the matching yet.
    pub(super) fn not_loaded(&self) -> Result<Vec<String>> {
        let all = self.states()?.into_iter().filter(|(_, s)| s.in_force.is_some()).map(|(l, _)| l.name.clone());
        Ok(all.filter(|name| self.loaded(name).is_none()).collect())
    }

    pub(super) fn arming(&self) -> Arming {
        *self.arming.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn set_arming(&self, to: Arming) {
        *self.arming.lock().unwrap_or_else(|e| e.into_inner()) = to;
    }

    /// The daemon ends: no index is built any more.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.get().is_some_and(Shutdown::is_requested)
    }
}
