//! What wants to come into force: checked, kept, indexed, and only then in force.

use super::{Incoming, OfficerService};
use crate::control::Import;
use crate::lists::{Each, settings_digest};
use crate::store::{By, Imported, Reason, Seen, Version};
use jiff::{SignedDuration, Timestamp};
use plated_access::Actor;
use plated_core::digest::Sha256;
use plated_core::durable::Scratch;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::thread::{give_way, spawn};
use plated_hotlist::format::open_plain;
use plated_hotlist::import::{self, Compared, ReplacedList};
use plated_hotlist::settings::{Hotlist, ListKind};
use plated_hotlist::{ImportReport, Source, Wish};
use std::path::Path;
use std::sync::Arc;

/// What would become of the file of a list. It holds no plate.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What became of its lines.
    pub report: ImportReport,
    /// Its date: its own or else its file's.
    pub dated: Option<Timestamp>,
    /// What keeps it out.
    pub refusals: Vec<String>,
}

/// How far the date of a list may be ahead of a clock that is right.
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl OfficerService {
    /// Looks at the configured file of each list of kind `file`, each on a thread of its own: a network
    /// mount that is dead can hold one for ever, and nobody waits for it.
    pub fn look_at_files_beside(self: &Arc<Self>) {
        for list in self.lists_with_files() {
            let (service, name, task) = (self.clone(), list.name.clone(), self.start_task());
            let look = move || {
                let _task = task;
                service.look_at_file(&list);
            };
            if let Err(e) = spawn("list-file", look) {
                tracing::error!(list = name, "The file of the hotlist is not looked at: {}", e.chain());
            }
        }
    }

    /// The same, and waits for it.
    pub fn look_at_files(&self) {
        self.lists_with_files().iter().for_each(|list| self.look_at_file(list));
    }

    fn lists_with_files(&self) -> Vec<Arc<Hotlist>> {
        let from_file = |l: &Arc<Hotlist>| l.kind == ListKind::File && !l.path.as_os_str().is_empty();
        self.hotlists().into_iter().filter(from_file).collect()
    }

    /// Imports what is at the path of a list, if it is new there. What is in force is what was accepted
    /// last, whoever brought it: a content that was looked at before is not looked at again, unless it
    /// was refused and the settings are others now.
    fn look_at_file(&self, list: &Arc<Hotlist>) {
        let name = &list.name;
        self.looking(name, true);
        let looked = self.look_at(list);
        self.looking(name, false);
        match looked {
            Ok(None) => tracing::info!(list = name, "The hotlist in force stays; its file has nothing new."),
            Ok(Some(import)) if import.unchanged => tracing::info!(list = name, "The hotlist in force is current."),
            Ok(Some(import)) => tracing::info!(list = name, "{}", import.report),
            Err(e) if self.has(name) => {
                tracing::error!(list = name, "The hotlist in force stays, the file was not taken: {}", e.chain());
            }
            Err(e) => tracing::error!(list = name, "The hotlist is not in force: {}", e.chain()),
        }
    }

    fn look_at(&self, list: &Hotlist) -> Result<Option<Import>> {
        let reason = Reason::new("looked at when the daemon started")?;
        let by = By { who: Actor::of_this_process(), reason };
        let (path, name) = (&list.path, &list.name);
        let failed = || format!("could not read the list {}", path.display());
        let opened = open_plain(path).context(Kind::Missing, failed);
        let looked = opened.and_then(|file| {
            let modified = file.metadata().and_then(|m| m.modified()).ok().and_then(|t| Timestamp::try_from(t).ok());
            Ok((Sha256::of_reader(&file).context(Kind::Storage, failed)?, modified))
        });
        let (sha256, modified) = looked.inspect_err(|e| {
            // Nothing was offered, so this is no event.
            if let Err(e) = self.store.list_checked(name, Some(&e.chain())) {
                tracing::error!(list = name, "{}", e.chain());
            }
        })?;
        let settings = settings_digest(list);
        let state = self.state(name)?;
        let before = state.as_ref().and_then(|s| s.seen).filter(|seen| seen.sha256 == sha256);
        let is_judged = before.is_some_and(|seen| seen.refused_by.is_none_or(|by| by == settings));
        let in_force = state.and_then(|s| s.in_force);
        if is_judged && !self.is_broken(name) && in_force.as_ref().is_some_and(|v| v.origin != sha256) {
            return Ok(None);
        }
        // From a copy: the file may change meanwhile, and reading it may take its time.
        let copy = self.list_files.incoming(path.file_name().unwrap_or_default())?;
        copy_file(path, copy.path())?;
        let incoming = Incoming { name: path, at_path: Some(settings), ..Incoming::file(copy.path(), modified) };
        self.import(name, incoming, false, &by).map(Some)
    }

    /// A version of the list is in force, and can be read.
    pub fn is_in_force(&self, name: &str) -> bool {
        self.has(name) && !self.is_broken(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.states().is_ok_and(|all| all.iter().any(|(l, s)| l.name == name && s.in_force.is_some()))
    }

    /// Brings what comes for a list into force, or refuses it and says why; either is on record.
    ///
    /// # Errors
    /// `NotFound` when no such list is configured, `Input` when it is refused, `Storage` when it
    /// can't be read or kept.
    pub fn import(&self, name: &str, incoming: Incoming<'_>, force: bool, by: &By) -> Result<Import> {
        let list = self.configured(name)?;
        let turn = self.turn(name);
        let _one = turn.lock().unwrap_or_else(|e| e.into_inner());
        let (in_force, error) = self.state(name)?.map(|s| (s.in_force, s.error)).unwrap_or_default();
        let origin = give_way("import", || hash(incoming.file));
        let seen = |refused_by| origin.as_ref().ok().map(|&sha256| Seen { sha256, refused_by });
        let accepted = incoming.at_path.and_then(|_| seen(None));
        let taken = origin.as_ref().map_err(again).and_then(|origin| match &in_force {
            Some(v) if v.origin == *origin && self.is_whole(name, v) => Ok(None),
            _ => give_way("import", || {
                self.take_in(&list, &incoming, *origin, in_force.as_ref(), force.then_some(by)).map(Some)
            }),
        });
        let (mut imported, report, source) = match (taken, in_force) {
            (Ok(Some(taken)), _) => taken,
            (Ok(None), version) => {
                self.store.list_confirmed(name, self.confirms(&incoming), accepted)?;
                let Some(version) = version else { return Ok(Import::default()) };
                if self.loaded(name) != Some(version.sha256) {
                    self.load_version(&list, &version)?;
                }
                return Ok(Import {
                    list: name.to_owned(),
                    entries: version.entries,
                    unchanged: true,
                    report: String::new(),
                    forced: Vec::new(),
                });
            }
            // Nothing was judged.
            (Err(e), _) if e.kind() == Kind::Busy => return Err(e),
            (Err(e), _) => {
                // What comes by itself and is tried again and again is one refusal.
                match incoming.by_itself && error == Some(e.chain()) {
                    true => self.store.list_checked(name, Some(&e.chain()))?,
                    false => {
                        // A full disk says nothing of the file.
                        let judged = incoming.at_path.filter(|_| matches!(e.kind(), Kind::Input | Kind::Config));
                        let seen = judged.and_then(|settings| seen(Some(settings)));
                        self.store.list_refused(name, &e.chain(), seen, by)?;
                    }
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
        imported.seen = accepted;
        // Clocks and time zones differ: what is surely past is the day before.
        if let Some(before) = imported.dated.and_then(|dated| dated.checked_sub(DAY).ok()) {
            self.clock.not_before(before);
        }
        self.store.list_imported(&imported, by)?;
        // In force from here on, whatever happens.
        self.broken.lock().unwrap_or_else(|e| e.into_inner()).remove(name);
        self.load(&imported.sha256, source);
        self.list_files.tidy(name, Some(&imported.sha256));
        let Imported { name, entries, forced, .. } = imported;
        Ok(Import { list: name, entries, unchanged: false, report: report.to_string(), forced })
    }

    /// Reads and checks what comes for a list as an import does, and changes nothing.
    ///
    /// # Errors
    /// `NotFound` when no such list is configured, `Input` when it is no list, `Storage` when it can't be read.
    pub fn preview(&self, name: &str, incoming: &Incoming<'_>) -> Result<Preview> {
        let list = self.configured(name)?;
        let in_force = self.state(name)?.and_then(|state| state.in_force);
        let compared = self.compared(incoming, in_force.as_ref());
        // So that all that keeps it out is told beside what is in it.
        let wish = Wish { compared, force: Some(import::ForceReason::new("to be looked at")?) };
        let read = || plated_hotlist::read_file(&list, incoming.file, incoming.name, wish, |_| Ok(()));
        let passed = give_way("preview", read)?;
        let refusals = passed.forced.into_iter().flat_map(|forced| forced.refusals);
        Ok(Preview {
            report: passed.summary.report,
            dated: passed.dated.or(incoming.dated),
            refusals: refusals.map(plated_hotlist::import::ImportRefusal::brief).collect(),
        })
    }

    /// What a list is compared with.
    fn compared(&self, incoming: &Incoming<'_>, in_force: Option<&Version>) -> Compared {
        let moment = self.clock.moment();
        let trusted = moment.trusted.then_some(moment.wall);
        Compared {
            in_force: in_force.map(|v| ReplacedList { entries: v.entries, date: v.comparable(trusted) }),
            file_date: incoming.dated,
            now: trusted,
        }
    }

    /// The file of what is in force is there, whole; if not, the same list mends it.
    fn is_whole(&self, name: &str, version: &Version) -> bool {
        give_way("import", || self.list_files.check(name, &version.sha256)).is_ok()
    }

    /// When a list that is the one in force was known to be the newest: what comes by itself comes
    /// now, and of a file that somebody brings its date tells.
    fn confirms(&self, incoming: &Incoming<'_>) -> Option<Timestamp> {
        let now = self.clock.wall();
        match incoming.version {
            Some(version) => Some(version.confirmed),
            None if incoming.by_itself => Some(now),
            None => incoming.dated.map(|dated| dated.min(now)),
        }
    }

    /// Reads and checks a list, keeps it on the disk with its index, and makes it ready for the
    /// matching; all that can fail, before anything else knows of it. `force` is who lets it in
    /// whatever is wrong.
    fn take_in(
        &self,
        list: &Hotlist,
        incoming: &Incoming<'_>,
        origin: Sha256,
        in_force: Option<&Version>,
        force: Option<&By>,
    ) -> Result<(Imported, ImportReport, Source)> {
        let now = self.clock.wall();
        // Who let it in at the station is on record there.
        let forced = incoming.version.and_then(|version| version.forced.as_deref());
        let wish = Wish {
            compared: self.compared(incoming, in_force),
            force: force.map(|by| by.reason.as_str()).or(forced).map(import::ForceReason::new).transpose()?,
        };
        let Incoming { file, name, .. } = *incoming;
        let (sha256, passed) = match incoming.version {
            Some(version) if version.sha256 != origin => {
                let message = "the station's list was damaged on the disk; it is fetched again";
                return Err(Error::new(Kind::Damaged, message));
            }
            Some(version) => {
                let passed = plated_hotlist::read_version(list, version, file, wish)?;
                self.list_files.share(&list.name, &origin, file)?;
                (origin, passed)
            }
            None => {
                let put = |each: Each<'_>| plated_hotlist::read_file(list, file, name, wish, |entry| each(&entry));
                self.list_files.put(&list.name, put)?
            }
        };
        let entries = passed.summary.report.entries;
        let dated = passed.dated.or(incoming.dated);
        let forced = passed.forced.iter().flat_map(|f| &f.refusals).map(ToString::to_string).collect();
        let source = self.source(list, &sha256, &Version { sha256, origin, dated, imported: now, entries })?;
        let confirmed = incoming.version.map(|version| version.confirmed);
        let name = list.name.clone();
        let imported = Imported { name, sha256, origin, dated, entries, forced, seen: None, confirmed };
        Ok((imported, passed.summary.report, source))
    }

    /// Notes that the file of a list is being read, or is not any more.
    fn looking(&self, name: &str, begins: bool) {
        let mut looking = self.looking.lock().unwrap_or_else(|e| e.into_inner());
        match begins {
            true => looking.insert(name.to_owned(), self.clock.monotonic()),
            false => looking.remove(name),
        };
    }
}

/// The same error once more, for two who need it.
fn again(e: &Error) -> Error {
    Error::new(e.kind(), e.chain())
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("could not copy the list {}", from.display());
    let mut input = open_plain(from).context(Kind::Missing, failed)?;
    let mut output = Scratch::create_new(to).context(Kind::Storage, failed)?;
    std::io::copy(&mut input, &mut output).map(drop).context(Kind::Storage, failed)
}

fn hash(file: &Path) -> Result<Sha256> {
    let failed = || format!("could not read the list {}", file.display());
    let input = open_plain(file).context(Kind::Missing, failed)?;
    Sha256::of_reader(input).context(Kind::Storage, failed)
}
