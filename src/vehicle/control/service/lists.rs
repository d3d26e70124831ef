//! Lists into force and out of it.

use super::{Answer, Incoming, OfficerService, actor};
use crate::control::{Import, Reply};
use crate::lists::Each;
use crate::store::{By, Imported, Reason, Staleness, Version};
use jiff::Timestamp;
use plated_access::{Case, Export, Permit};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::EntryRecord;
use plated_core::user::SystemUser;
use plated_hotlist;
use plated_hotlist::format::open_plain;
use plated_hotlist::import;
use plated_hotlist::import::{Compared, InForce};
use plated_hotlist::settings::{Hotlist, ListKind, OFFICERS};
use plated_hotlist::{Builder, Index, Meta, Report, Rules, Signer, Source, Trust, Wish};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl OfficerService {
    /// Puts in force what the store says is: the lists of the shelf, what officers entered, and
    /// what they found wrong.
    /// A list that can't be read is left out, loudly; the others count.
    ///
    /// # Errors
    /// `Storage` when the store can't be read.
    pub fn arm(&self) -> Result<()> {
        self.shelf.sweep();
        for (list, state) in self.states()? {
            // Each has its place, so that the order is that of the configuration.
            self.lists.put(Source::memory(&list.name, [], Rules::default()));
            let Some(version) = state.in_force else { continue };
            match self.source(&list, &version.sha256, version.dated) {
                Ok(source) => self.lists.put(source),
                Err(e) => {
                    tracing::error!(list = list.name, "The hotlist is not in force: {}", e.chain());
                    self.broken.lock().unwrap_or_else(|e| e.into_inner()).insert(list.name.clone());
                    if let Err(e) = self.store.list_checked(&list.name, Some(&e.chain())) {
                        tracing::error!(list = list.name, "{}", e.chain());
                    }
                }
            }
        }
        if let Err(e) = self.arm_officers() {
            tracing::error!("What officers entered is not in force: {}", e.chain());
        }
        if let Err(e) = self.arm_quiet() {
            tracing::warn!("Hits that were found wrong this shift alert again: {}", e.chain());
        }
        self.armed.store(true, Ordering::Release);
        Ok(())
    }

    /// A list of the shelf, ready for the matching: in its index or, where there is no room for
    /// one, in memory, since a full disk must not keep anybody from being found.
    fn source(&self, list: &Hotlist, sha256: &Sha256, dated: Option<Timestamp>) -> Result<Source> {
        let rules = Rules::new(&list.rules);
        match self.index(list, sha256, dated) {
            Ok(index) => Ok(Source::index(index, rules)),
            Err(e) if e.kind() == Kind::Storage => {
                tracing::warn!(list = list.name, "The hotlist is kept in memory: {}", e.chain());
                let mut entries = Vec::new();
                self.shelf.read(&list.name, sha256, |entry| {
                    entries.push(EntryRecord { list: list.name.clone(), ..entry });
                    Ok(())
                })?;
                Ok(Source::memory(&list.name, entries, rules))
            }
            Err(e) => Err(e),
        }
    }

    /// Builds the index of a list. Its file has no name any more when this returns, and its space is
    /// free again when the list goes or the daemon ends, however that happens.
    fn index(&self, list: &Hotlist, sha256: &Sha256, dated: Option<Timestamp>) -> Result<Index> {
        let path = self.shelf.folder()?.join(format!("{}.index", list.name));
        let signer = Signer::generate()?;
        let meta = Meta {
            name: list.name.clone(),
            source: format!("{} {sha256}", list.kind.as_str()),
            date: dated,
            built: self.clock.wall(),
            by: concat!("plated ", env!("CARGO_PKG_VERSION")).into(),
        };
        let mut builder = Builder::create(&path, &signer, meta);
        self.shelf.read(&list.name, sha256, |entry| builder.add(&entry))?;
        builder.finish()?;
        let index = Index::open(&path, &Trust::only([signer.public_key()]));
        std::fs::remove_file(&path).context(Kind::Storage, || format!("could not remove {}", path.display()))?;
        index
    }

    /// Imports the file of each list of kind `file` that is another one than the one in force. A
    /// file that is refused leaves what is in force.
    pub fn look_at_files(&self) {
        let who = SystemUser::of_this_process();
        let Ok(reason) = Reason::new("looked at when the daemon started") else { return };
        let by = By { who, reason };
        let from_file = |l: &Arc<Hotlist>| l.kind == ListKind::File && !l.path.as_os_str().is_empty();
        for list in self.hotlists().into_iter().filter(from_file) {
            let dated = std::fs::metadata(&list.path).and_then(|m| m.modified()).ok();
            let dated = dated.and_then(|t| Timestamp::try_from(t).ok());
            match self.import(&list.name, Incoming::file(&list.path, dated), false, &by) {
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

    pub(super) fn has(&self, name: &str) -> bool {
        self.states().is_ok_and(|all| all.iter().any(|(l, s)| l.name == name && s.in_force.is_some()))
    }

    /// Brings what comes for a list into force, or refuses it and says why; either is on record.
    ///
    /// # Errors
    /// `Config` when no such list is configured, `Input` when it is refused, `Storage` when it
    /// can't be read or kept.
    pub fn import(&self, name: &str, incoming: Incoming<'_>, force: bool, by: &By) -> Result<Import> {
        let list = self.configured(name)?;
        let _one = self.importing.lock().unwrap_or_else(|e| e.into_inner());
        let state = self.states()?.into_iter().find(|(l, _)| l.name == name);
        let (in_force, error) = state.map(|(_, s)| (s.in_force, s.error)).unwrap_or_default();
        let taken = hash(incoming.file).and_then(|origin| match &in_force {
            Some(v) if v.origin == origin && self.shelf.lines(name, &v.sha256).is_ok() => Ok(None),
            _ => self.take_in(&list, &incoming, origin, in_force.as_ref(), force.then_some(by)).map(Some),
        });
        let unchanged = |v: &Version| Import {
            list: name.to_owned(),
            entries: v.entries,
            unchanged: true,
            report: String::new(),
            forced: Vec::new(),
        };
        let (imported, report, source) = match (taken, in_force) {
            (Ok(Some(taken)), _) => taken,
            (Ok(None), version) => {
                self.store.list_checked(name, None)?;
                return Ok(version.as_ref().map(unchanged).unwrap_or_default());
            }
            (Err(e), _) => {
                // What comes by itself and is tried again and again is one refusal.
                match incoming.by_itself && error == Some(e.chain()) {
                    true => self.store.list_checked(name, Some(&e.chain()))?,
                    false => self.store.list_refused(name, &e.chain(), by)?,
                }
                return Err(e);
            }
        };
        for bad in &report.bad_lines {
            tracing::warn!(list = name, line = bad.line, field = bad.field, "A line was left out: {}", bad.reason);
        }
        if report.partials_set_aside > 0 {
            tracing::warn!(
                list = name,
                count = report.partials_set_aside,
                "Partial plates of a list are not matched: it has too many."
            );
        }
        self.store.list_imported(&imported, by)?;
        // In force from here on, whatever happens.
        self.broken.lock().unwrap_or_else(|e| e.into_inner()).remove(name);
        self.shelf.tidy(name, Some(&imported.sha256));
        source.into_iter().for_each(|source| self.lists.put(source));
        let Imported { name, entries, forced, .. } = imported;
        Ok(Import { list: name, entries, unchanged: false, report: report.to_string(), forced })
    }

    /// Reads and checks a list, puts it on the shelf, and makes it ready for the matching; all that
    /// can fail, before anything else knows of it. `force` is who lets it in whatever is wrong.
    fn take_in(
        &self,
        list: &Hotlist,
        incoming: &Incoming<'_>,
        origin: Sha256,
        in_force: Option<&Version>,
        force: Option<&By>,
    ) -> Result<(Imported, Report, Option<Source>)> {
        let wish = Wish {
            compared: Compared {
                in_force: in_force.map(|v| InForce { entries: v.entries, date: v.dated }),
                file_date: incoming.dated,
                now: Some(self.clock.wall()),
            },
            force: force.map(|by| import::Reason::new(by.reason.as_str())).transpose()?,
        };
        let Incoming { file, name, .. } = *incoming;
        let (sha256, passed) = match incoming.version {
            Some(version) if version.sha256 != origin => {
                let said = "the station's list was damaged on the disk; it is fetched again";
                return Err(Error::new(Kind::Damaged, said));
            }
            Some(version) => {
                let passed = plated_hotlist::read_version(list, version, file, wish)?;
                self.shelf.share(&list.name, &origin, file)?;
                (origin, passed)
            }
            None => {
                let put = |each: Each<'_>| plated_hotlist::read_file(list, file, name, wish, |entry| each(&entry));
                self.shelf.put(&list.name, put)?
            }
        };
        let entries = passed.summary.report.entries;
        let dated = passed.dated.or(incoming.dated);
        let forced = passed.forced.iter().flat_map(|f| &f.refusals).map(ToString::to_string).collect();
        let armed = self.armed.load(Ordering::Acquire);
        let source = armed.then(|| self.source(list, &sha256, dated)).transpose()?;
        Ok((
            Imported { name: list.name.clone(), sha256, origin, dated, entries, forced },
            passed.summary.report,
            source,
        ))
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
        self.shelf.tidy(name, None);
        Ok(())
    }

    pub(super) fn export(&self, name: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        if name == OFFICERS {
            let permit = self.gate.open(&actor(by), &by.reason, &Case::none(), json!({"list": name}))?;
            let entries = self.store.export_manual(&permit)?;
            let mut lines = entries.iter().map(|e| serde_json::to_string(&e.record())).collect::<Result<Vec<_>, _>>();
            if let Ok(lines) = &mut lines {
                lines.sort_unstable();
            }
            let lines = lines.context(Kind::Internal, || "an entry can't be written as JSON".into())?;
            return lines.into_iter().try_for_each(|line| answer(Reply::Line(line)));
        }
        self.configured(name)?;
        let state = self.states()?.into_iter().find(|(l, _)| l.name == name);
        let Some(version) = state.and_then(|(_, s)| s.in_force) else {
            return Err(Error::new(Kind::Missing, format!("no version of the list {name} is in force yet")));
        };
        let lines = self.shelf.lines(name, &version.sha256)?;
        let subject = json!({"list": name, "version": version.sha256, "entries": version.entries});
        let _on_record: Permit<Export> = self.gate.open(&actor(by), &by.reason, &Case::none(), subject)?;
        lines.into_iter().try_for_each(|line| answer(Reply::Line(line?)))
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
            let level = self.staleness(&state, now);
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
}

fn hash(file: &Path) -> Result<Sha256> {
    let failed = || format!("could not read the list {}", file.display());
    let input = open_plain(file).context(Kind::Missing, failed)?;
    Sha256::of_reader(input).context(Kind::Storage, failed)
}
