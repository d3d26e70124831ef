//! The desk: every change and every look, each with its event.

use super::status::{ListLine, OfficerLine, StatusReport, StoreLine};
use super::{Import, Reply, Request, Shown};
use crate::clock::Clock;
use crate::config::{Config, Hotlist, ListKind, OFFICERS};
use crate::error::{Context, Error, Kind, Result};
use crate::hotlist::{self, Lists, Partial, Rules, Shelf, Source};
use crate::plate::PlateText;
use crate::store::{By, Imported, ListState, ManualEntry, NewManual, Reason, Staleness, Store, Version, Wanted, What};
use crate::who::Who;
use crate::wire::{EntryRecord, Sha256};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use sha2::{Digest, Sha256 as Hasher};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;

/// Takes one answer after the other.
pub type Answer<'a> = &'a mut dyn FnMut(Reply) -> Result<()>;

/// Where lists and entries are changed and looked at.
pub struct Desk {
    store: Store,
    shelf: Shelf,
    lists: Arc<Lists>,
    /// As configured, and behind them what else the station hands out.
    hotlists: RwLock<Vec<Arc<Hotlist>>>,
    shift: Duration,
    clock: Arc<dyn Clock>,
    /// The lists in force are in `lists`.
    armed: AtomicBool,
    /// One import at a time.
    importing: Mutex<()>,
    /// What officers entered and is in force, with the monotonic time at which it is over: a jump
    /// of the wall clock must not end a search for a vehicle (invariant 8).
    officers: Mutex<Vec<(ManualEntry, Duration)>>,
    /// What was last said of each list's age.
    said: Mutex<HashMap<String, Staleness>>,
}

impl Desk {
    /// A desk over an open store. Nothing is in force before [`Desk::arm`].
    pub fn open(config: &Config, store: Store, clock: Arc<dyn Clock>) -> Self {
        // A full disk must not keep the lists of yesterday out of force.
        if let Err(e) = store.configure_lists(&config.hotlists) {
            tracing::error!("Lists that are new in the configuration can't come into force: {}", e.chain());
        }
        let mut hotlists: Vec<_> = config.hotlists.iter().cloned().map(Arc::new).collect();
        let known = store.list_states().unwrap_or_default().into_iter();
        let station = known.filter(|s| s.kind == ListKind::Station && s.in_force.is_some());
        for state in station.filter(|s| config.hotlists.iter().all(|l| l.name != s.name)) {
            hotlists.push(Arc::new(Hotlist::from_station(&state.name)));
        }
        Self {
            store,
            shelf: Shelf::beside(&config.store.path),
            lists: Arc::default(),
            hotlists: RwLock::new(hotlists),
            shift: Duration::from_secs(u64::from(config.shift.hours) * 3600),
            clock,
            armed: AtomicBool::new(false),
            importing: Mutex::default(),
            officers: Mutex::default(),
            said: Mutex::default(),
        }
    }

    /// The lists in force, for the matching.
    pub fn lists(&self) -> &Arc<Lists> {
        &self.lists
    }

    /// Puts in force what the store says is: the lists of the shelf, and what officers entered.
    /// A list that can't be read is left out, loudly; the others count.
    ///
    /// # Errors
    /// `Storage` when the store can't be read.
    pub fn arm(&self) -> Result<()> {
        self.shelf.sweep();
        for (list, state) in self.states()? {
            // Each has its place, so that the order is that of the configuration.
            self.lists.put(Source::memory(&list.name, [], Rules));
            let Some(version) = state.in_force else { continue };
            match self.shelf.entries(&list.name, &version.sha256) {
                Ok(entries) => self.lists.put(Source::memory(&list.name, entries, Rules)),
                Err(e) => {
                    tracing::error!(list = list.name, "The hotlist is not in force: {}", e.chain());
                    if let Err(e) = self.store.list_checked(&list.name, Some(&e.chain())) {
                        tracing::error!(list = list.name, "{}", e.chain());
                    }
                }
            }
        }
        let (wall, monotonic) = (self.clock.wall(), self.clock.monotonic());
        let entries = self.store.manual_entries()?;
        let mut officers = self.officers();
        *officers = entries.into_iter().map(|e| (ends(&e, wall, monotonic), e)).map(|(t, e)| (e, t)).collect();
        self.rearm(&officers)?;
        self.armed.store(true, Ordering::Release);
        Ok(())
    }

    /// Imports the file of each list of kind `file` that is another one than the one in force. A
    /// file that is refused leaves what is in force.
    pub fn look_at_files(&self) {
        let who = Who::of_this_process();
        let Ok(reason) = Reason::new("looked at when the daemon started") else { return };
        let by = By { who, reason };
        let from_file = |l: &Arc<Hotlist>| l.kind == ListKind::File && !l.path.as_os_str().is_empty();
        for list in self.hotlists().into_iter().filter(from_file) {
            let dated = std::fs::metadata(&list.path).and_then(|m| m.modified()).ok();
            let dated = dated.and_then(|t| Timestamp::try_from(t).ok());
            match self.import(&list.name, &list.path, dated, false, &by) {
                Ok(import) if import.unchanged => tracing::info!(list = list.name, "The hotlist in force is current."),
                Ok(import) => tracing::info!(list = list.name, "{}", import.report),
                Err(e) if self.has(&list.name) => {
                    tracing::error!(
                        list = list.name,
                        "The hotlist in force stays, the file was not taken: {}",
                        e.chain()
                    );
                }
                Err(e) => tracing::error!(list = list.name, "The hotlist is not in force: {}", e.chain()),
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.states().is_ok_and(|all| all.iter().any(|(l, s)| l.name == name && s.in_force.is_some()))
    }

    /// Does what is asked, for `who`. `file` is what an import brings.
    ///
    /// # Errors
    /// What keeps it from being done; a sentence for who asked.
    pub fn answer(&self, request: Request, who: &Who, file: Option<&Path>, answer: Answer<'_>) -> Result<()> {
        let by = |reason| By { who: who.clone(), reason };
        match request {
            Request::Add { plate, state, category, priority, reason, case, expires, search_back } => {
                let expires = match expires {
                    Some(expires) => expires,
                    None => later(self.clock.wall(), self.shift)?,
                };
                let new = NewManual { plate, state, category, priority, case, expires };
                let by = by(reason);
                let entry = self.add(new, &by)?;
                answer(Reply::Added(entry.clone()))?;
                match search_back {
                    Some(window) => self.search(&entry.entry.plate, window, &entry.entry.case, &by, answer),
                    None => Ok(()),
                }
            }
            Request::Remove { id, reason } => answer(Reply::Removed(self.remove(id, &by(reason))?)),
            Request::Show { plate, reason, case } => self.show(&plate, &case, &by(reason), answer),
            Request::Search { plate, window, reason, case } => self.search(&plate, window, &case, &by(reason), answer),
            Request::Import { list, modified, force, reason, .. } => {
                let file =
                    file.ok_or_else(|| Error::new(Kind::Input, "the list's file did not come with the request"))?;
                answer(Reply::Imported(self.import(&list, file, modified, force, &by(reason))?))
            }
            Request::Export { list, reason } => self.export(&list, &by(reason), answer),
            Request::Status => answer(Reply::Status(Box::new(self.status()?))),
        }
    }

    fn add(&self, new: NewManual, by: &By) -> Result<ManualEntry> {
        let mut officers = self.officers();
        let entry = self.store.add_manual(new, by)?;
        let until = ends(&entry, self.clock.wall(), self.clock.monotonic());
        officers.push((entry.clone(), until));
        self.rearm(&officers)?;
        Ok(entry)
    }

    fn remove(&self, id: i64, by: &By) -> Result<ManualEntry> {
        let mut officers = self.officers();
        let entry = self.store.remove_manual(id, by)?;
        officers.retain(|(e, _)| e.id != id);
        self.rearm(&officers)?;
        Ok(entry)
    }

    /// Lets go of what is over. Called about once a second.
    ///
    /// # Errors
    /// `Refused` when partial plates can't be set in force.
    pub fn expire(&self) -> Result<()> {
        let now = self.clock.monotonic();
        let mut officers = self.officers();
        let before = officers.len();
        officers.retain(|(_, until)| now < *until);
        if officers.len() < before {
            tracing::info!(entries = before - officers.len(), "Entries of officers are over.");
            self.rearm(&officers)?;
        }
        Ok(())
    }

    /// Sets what officers entered in force. The matching knows no end of it: it would go by the clock
    /// of the wall.
    fn rearm(&self, officers: &[(ManualEntry, Duration)]) -> Result<()> {
        let records = |partial| {
            let of_kind = officers.iter().map(|(e, _)| e).filter(move |e| e.partial == partial);
            of_kind.map(|e| EntryRecord { expires: None, ..e.record() })
        };
        self.lists.put(Source::memory(OFFICERS, records(false), Rules));
        self.lists.set_partials(records(true).map(|entry| Partial::new(entry, Rules)).collect::<Result<_>>()?)
    }

    /// Brings the file of a list into force, or refuses it and says why; either is on record.
    /// `dated` is the date of the file, for a list that gives itself none.
    ///
    /// # Errors
    /// `Config` when no such list is configured, `Input` when it is refused, `Storage` when it
    /// can't be read or kept.
    pub fn import(&self, name: &str, file: &Path, dated: Option<Timestamp>, force: bool, by: &By) -> Result<Import> {
        let list = self.configured(name)?;
        let _one = self.importing.lock().unwrap_or_else(|e| e.into_inner());
        let state = self.states()?.into_iter().find(|(l, _)| l.name == name);
        let in_force = state.and_then(|(_, s)| s.in_force);
        let taken = hash(file).and_then(|origin| match &in_force {
            Some(v) if v.origin == origin && self.shelf.lines(name, &v.sha256).is_ok() => Ok(None),
            _ => {
                let accepted = hotlist::accept(&list, file, in_force.as_ref().map(|v| v.entries), force)?;
                Ok(Some((origin, accepted)))
            }
        });
        let unchanged = |v: &Version| Import {
            list: name.to_owned(),
            entries: v.entries,
            unchanged: true,
            report: String::new(),
            forced: Vec::new(),
        };
        let (origin, accepted) = match (taken, in_force) {
            (Ok(Some(taken)), _) => taken,
            (Ok(None), version) => {
                self.store.list_checked(name, None)?;
                return Ok(version.as_ref().map(unchanged).unwrap_or_default());
            }
            (Err(e), _) => {
                self.store.list_refused(name, &e.chain(), by)?;
                return Err(e);
            }
        };
        for bad in &accepted.report.bad_lines {
            tracing::warn!(list = name, line = bad.line, field = bad.field, "A line was left out: {}", bad.reason);
        }
        let sha256 = self.shelf.put(name, accepted.entries.iter().map(|e| &**e))?;
        let entries = accepted.entries.len() as u64;
        let dated = accepted.dated.or(dated);
        let imported = Imported { name: name.to_owned(), sha256, origin, dated, entries, forced: accepted.forced };
        self.store.list_imported(&imported, by)?;
        // In force from here on, whatever happens.
        self.shelf.tidy(name, &sha256);
        if self.armed.load(Ordering::Acquire) {
            self.lists.put(Source::memory(name, accepted.entries.iter().map(|e| (**e).clone()), Rules));
        }
        let report = accepted.report.to_string();
        Ok(Import { list: imported.name, entries, unchanged: false, report, forced: imported.forced })
    }

    fn show(&self, plate: &str, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        if !self.armed.load(Ordering::Acquire) {
            self.arm()?;
        }
        let key = PlateText::normalise(plate).key();
        if key.as_str().len() < 2 || plate.contains(['?', '*']) {
            return Err(Error::new(Kind::Input, "give a whole plate of at least 2 characters"));
        }
        self.store.note(What::PlateShown, by, json!({"plate": key.as_str(), "case": case}))?;
        let (now, states) = (self.clock.wall(), self.states()?);
        let in_force = self.lists.in_force();
        let listed = in_force.sources().iter().flat_map(|s| s.entries(key.as_str()));
        let partial = in_force.patterns().iter().filter(|p| p.pattern.fits(key.as_str()));
        let ends: HashMap<String, Timestamp> =
            self.officers().iter().map(|(e, _)| (e.id.to_string(), e.entry.expires)).collect();
        for mut entry in listed.chain(partial.map(|p| (*p.entry).clone())) {
            if entry.list == OFFICERS {
                entry.expires = ends.get(&entry.id).copied();
            }
            let of = states.iter().find(|(l, _)| l.name == entry.list);
            answer(Reply::Entry(Box::new(Shown {
                list_age_s: of.and_then(|(_, s)| s.age(now)).map(|age| age.as_secs()),
                authorised: of.map(|(l, _)| l.authorised.clone()).unwrap_or_default(),
                covert: of.is_some_and(|(l, _)| l.covert),
                entry,
            })))?;
        }
        Ok(())
    }

    fn search(&self, plate: &str, window: u64, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        let from = self.clock.wall().checked_sub(Duration::from_secs(window));
        let from = from.map_err(|_| Error::new(Kind::Config, "the window to search reaches too far back"))?;
        let mut next = Some(self.store.begin_search(Wanted::parse(plate)?, from, case, by)?);
        while let Some(search) = next {
            let (found, more) = self.store.search_page(search)?;
            found.into_iter().try_for_each(|read| answer(Reply::Read(read)))?;
            next = more;
        }
        Ok(())
    }

    fn export(&self, name: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        if name == OFFICERS {
            let entries = self.store.manual_entries()?;
            let mut lines = entries.iter().map(|e| serde_json::to_string(&e.record())).collect::<Result<Vec<_>, _>>();
            if let Ok(lines) = &mut lines {
                lines.sort_unstable();
            }
            let lines = lines.context(Kind::Internal, || "an entry can't be written as JSON".into())?;
            self.store.note(What::ListExported, by, json!({"list": name, "entries": lines.len()}))?;
            return lines.into_iter().try_for_each(|line| answer(Reply::Line(line)));
        }
        self.configured(name)?;
        let state = self.states()?.into_iter().find(|(l, _)| l.name == name);
        let Some(version) = state.and_then(|(_, s)| s.in_force) else {
            return Err(Error::new(Kind::Missing, format!("no version of the list {name} is in force yet")));
        };
        let lines = self.shelf.lines(name, &version.sha256)?;
        let subject = json!({"list": name, "version": version.sha256, "entries": version.entries});
        self.store.note(What::ListExported, by, subject)?;
        lines.into_iter().try_for_each(|line| answer(Reply::Line(line?)))
    }

    /// How all is.
    ///
    /// # Errors
    /// `Storage` when the store can't be read.
    pub fn status(&self) -> Result<StatusReport> {
        let (now, zone) = (self.clock.wall(), TimeZone::system());
        let line = |(list, state): (Arc<Hotlist>, ListState)| ListLine {
            name: state.name.clone(),
            kind: list.kind,
            priority: list.priority,
            staleness: state.staleness(now),
            age_s: state.age(now).map(|age| age.as_secs()),
            version: state.in_force.as_ref().map(|v| v.sha256),
            entries: state.in_force.as_ref().map_or(0, |v| v.entries),
            imported: state.in_force.as_ref().map(|v| v.imported),
            checked: state.checked,
            error: state.error,
            counts: list.window.holds(now, &zone),
            authorised: list.authorised.clone(),
            covert: list.covert,
        };
        let officer = |e: ManualEntry| OfficerLine {
            id: e.id,
            partial: e.partial,
            by: e.by.to_string(),
            created: e.created,
            expires: e.entry.expires,
            case: e.entry.case,
        };
        Ok(StatusReport {
            at: now,
            daemon: self.armed.load(Ordering::Acquire),
            lists: self.states()?.into_iter().map(line).collect(),
            officers: self.store.manual_entries()?.into_iter().map(officer).collect(),
            store: StoreLine::of(&self.store.stats()?, now),
        })
    }

    /// Says of each list once when it has become stale, and once more when critical; gives what
    /// was said.
    ///
    /// # Errors
    /// `Storage` when the store can't be read.
    pub fn warn_stale(&self) -> Result<Vec<(String, Staleness)>> {
        let now = self.clock.wall();
        let mut said = self.said.lock().unwrap_or_else(|e| e.into_inner());
        let mut news = Vec::new();
        for (list, state) in self.states()? {
            let level = state.staleness(now);
            let before = said.insert(list.name.clone(), level).unwrap_or(Staleness::Fresh);
            if level <= before {
                continue;
            }
            let hours = state.age(now).map(|age| age.as_secs() / 3600);
            match (level, hours) {
                // Why, was said when it was tried.
                (Staleness::Critical, None) if state.error.is_some() => {}
                (Staleness::Critical, None) => {
                    tracing::error!(
                        list = list.name,
                        "No version of this hotlist is in force: nothing on it is found."
                    );
                }
                (Staleness::Critical, Some(hours)) => {
                    tracing::error!(list = list.name, hours, "The hotlist is too old to rely on; bring a new one.");
                }
                (_, hours) => tracing::warn!(list = list.name, hours, "The hotlist is older than it should be."),
            }
            news.push((list.name.clone(), level));
        }
        Ok(news)
    }

    /// Brings a list of the station into force, also one that the configuration says nothing about;
    /// `dated` is its date by the manifest.
    ///
    /// # Errors
    /// As [`Desk::import`].
    pub fn import_from_station(&self, name: &str, file: &Path, dated: Option<Timestamp>, by: &By) -> Result<Import> {
        if self.configured(name).is_err() {
            let list = Hotlist::from_station(name);
            self.store.configure_lists(std::slice::from_ref(&list))?;
            self.hotlists.write().unwrap_or_else(|e| e.into_inner()).push(Arc::new(list));
        }
        self.import(name, file, dated, false, by)
    }

    /// Takes a list out of force that the station does not hand out any more.
    ///
    /// # Errors
    /// `Config` when there is no such list, `Storage` when it can't be recorded; then it stays.
    pub fn withdraw(&self, name: &str, by: &By) -> Result<()> {
        self.configured(name)?;
        let _one = self.importing.lock().unwrap_or_else(|e| e.into_inner());
        self.store.list_withdrawn(name, by)?;
        self.lists.remove(name);
        Ok(())
    }

    /// All lists in their order, each with its state.
    fn states(&self) -> Result<Vec<(Arc<Hotlist>, ListState)>> {
        let mut states: HashMap<String, ListState> =
            self.store.list_states()?.into_iter().map(|s| (s.name.clone(), s)).collect();
        Ok(self
            .hotlists()
            .into_iter()
            .filter_map(|list| states.remove(&list.name).map(|state| (list, state)))
            .collect())
    }

    fn hotlists(&self) -> Vec<Arc<Hotlist>> {
        self.hotlists.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    fn configured(&self, name: &str) -> Result<Arc<Hotlist>> {
        let lists = self.hotlists();
        lists.iter().find(|l| l.name == name).cloned().ok_or_else(|| {
            let names: Vec<&str> = lists.iter().map(|l| l.name.as_str()).collect();
            let known = if names.is_empty() { "none is configured".to_owned() } else { names.join(", ") };
            Error::new(Kind::Config, format!("no list {name:?} is configured in [[hotlists]]; there are: {known}"))
        })
    }

    /// The folder into which a file that comes over the socket is put.
    pub(super) fn folder(&self) -> Result<&Path> {
        self.shelf.folder()
    }

    fn officers(&self) -> MutexGuard<'_, Vec<(ManualEntry, Duration)>> {
        self.officers.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// The monotonic time at which an entry is over.
fn ends(entry: &ManualEntry, wall: Timestamp, monotonic: Duration) -> Duration {
    let left = Duration::try_from(entry.entry.expires.duration_since(wall)).unwrap_or_default();
    monotonic.saturating_add(left)
}

fn later(from: Timestamp, by: Duration) -> Result<Timestamp> {
    from.checked_add(by).context(Kind::Internal, || "the clock shows a time beyond the calendar".into())
}

fn hash(file: &Path) -> Result<Sha256> {
    let failed = || format!("could not read the list {}", file.display());
    let mut input = File::open(file).context(Kind::Missing, failed)?;
    let (mut hasher, mut buffer) = (Hasher::new(), vec![0; 64 << 10]);
    loop {
        match input.read(&mut buffer).context(Kind::Storage, failed)? {
            0 => return Ok(Sha256(hasher.finalize().into())),
            n => hasher.update(&buffer[..n]),
        }
    }
}
