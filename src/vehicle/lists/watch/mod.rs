//! Folders into which somebody drops lists, from a medium or by another program.
//!
//! A file is taken once its size and time of change have stayed as they are over two looks, so
//! that one which is still being written is left alone. It is copied into the vehicle's own
//! spool first: a medium may be pulled at any moment. A file is taken once for each time that it
//! appears, new or written anew, in the order in which that happens: whoever brings the content of
//! last week again wants it in force, or to hear why it is not. One that was refused is tried again
//! when the settings of its list have changed. What became of it is written beside it, where that is
//! possible.

use super::received::{could_not_read, could_not_write};
use super::state::{ListState, Origin};
use super::{Accept, Change};
use jiff::Timestamp;
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::durable::{self, Scratch};
use plated_core::error::{Context, Error, Kind, Result};
use plated_hotlist::format::open_plain;
use plated_hotlist::manifest::is_list_name;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What was written beside a file, with this at the end of its name.
const OUTCOME: &str = ".outcome.txt";
/// So many files are remembered for each list.
const REMEMBERED: usize = 1000;
/// After a full disk or the like, a file is tried again after this time.
const AGAIN: Duration = Duration::from_secs(60);

/// A folder, and the list that files in it are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Name of the list.
    pub list: String,
    /// The folder. While it is not there, as with a medium that is not plugged in, nothing is.
    pub folder: PathBuf,
    /// Digest of everything that decides whether a file of it is refused.
    pub settings: Sha256,
}

/// A file that was taken, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The list it was for.
    pub list: String,
    /// Its name in the folder.
    pub name: String,
    /// Over its bytes.
    pub sha256: Sha256,
    /// When it was taken.
    pub at: Timestamp,
    /// Whether it came into force.
    pub accepted: bool,
    /// What was done, or why it was refused.
    pub message: String,
    /// By which settings.
    settings: Sha256,
    /// What the file looked like.
    look: Look,
}

/// What a file looks like from outside. The same file on a medium that is plugged in again looks the
/// same; one that is written anew does not, also where its date is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Look {
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Look {
    fn of(meta: &Metadata) -> Self {
        let (modified, changed) = ((meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec()));
        Self { size: meta.len(), modified, changed }
    }
}

/// Watches folders by looking into them now and then.
pub struct Watcher {
    watched: Vec<Watched>,
    spool: PathBuf,
    clock: Arc<dyn Clock>,
    accept: Arc<Accept>,
    /// At the look before.
    before: HashMap<PathBuf, Look>,
    /// Files that need no more thought while they stay as they are.
    done: HashMap<PathBuf, Look>,
    /// Files to be left alone until this monotonic time.
    later: HashMap<PathBuf, Duration>,
    states: BTreeMap<String, ListState>,
}

impl Watcher {
    /// Copies go through `spool`, which is the vehicle's own folder.
    pub fn new(watched: Vec<Watched>, spool: PathBuf, clock: Arc<dyn Clock>, accept: Arc<Accept>) -> Result<Self> {
        if let Some(wrong) = watched.iter().find(|w| !is_list_name(&w.list)) {
            return Err(Error::new(Kind::Config, format!("\"{}\" can't be the name of a list", wrong.list)));
        }
        durable::make_folder(&spool).context(Kind::Storage, || could_not_write(&spool))?;
        let states = watched.iter().map(|w| (w.list.clone(), ListState::new(&w.list, Origin::Folder))).collect();
        let mut watcher = Self {
            watched,
            spool,
            clock,
            accept,
            before: HashMap::new(),
            done: HashMap::new(),
            later: HashMap::new(),
            states,
        };
        watcher.clear_spool();
        for list in watcher.watched.iter().map(|w| w.list.clone()).collect::<Vec<_>>() {
            for taken in watcher.taken(&list).iter().filter(|t| t.accepted) {
                watcher.hold(taken);
            }
        }
        Ok(watcher)
    }

    /// How each list is getting on, by name.
    pub fn states(&self) -> impl Iterator<Item = &ListState> {
        self.states.values()
    }

    /// Looks into all folders; gives what was taken.
    pub fn look(&mut self) -> Vec<Taken> {
        let mut all = Vec::new();
        let mut seen = HashMap::new();
        for watched in self.watched.clone() {
            let error = match files(&watched.folder) {
                Ok(files) => {
                    let mut error = None;
                    for (path, look) in files {
                        seen.insert(path.clone(), look);
                        if !self.is_due(&path, look) {
                            continue;
                        }
                        match self.take(&watched, &path, look) {
                            Ok(taken) => {
                                error = taken.as_ref().filter(|t| !t.accepted).map(|t| t.message.clone());
                                all.extend(taken);
                            }
                            Err(e) => error = Some(self.put_off(&watched.list, path, &e)),
                        }
                    }
                    Ok(error)
                }
                Err(e) if matches!(e.kind(), ErrorKind::NotFound) => Ok(None),
                Err(e) => Err(format!("could not look into {}: {e}", watched.folder.display())),
            };
            self.note(&watched.list, error);
        }
        self.done.retain(|path, _| seen.contains_key(path));
        self.later.retain(|path, _| seen.contains_key(path));
        self.before = seen;
        all
    }

    fn is_due(&self, path: &Path, look: Look) -> bool {
        let at_rest = self.before.get(path) == Some(&look);
        let now = self.clock.monotonic();
        at_rest && self.done.get(path) != Some(&look) && self.later.get(path).is_none_or(|until| *until <= now)
    }

    /// Copies a file and hands it over; `None` when it changed meanwhile or was taken before.
    ///
    /// # Errors
    /// What has nothing to do with the content, such as a full disk: it is tried again.
    fn take(&mut self, watched: &Watched, path: &Path, look: Look) -> Result<Option<Taken>> {
        let copy = self.spool.join(format!("{}.incoming", uuid::Uuid::now_v7()));
        let result = self.take_by(watched, path, look, &copy);
        // Best effort; the next start clears the spool.
        let _ = fs::remove_file(&copy);
        result
    }

    fn take_by(&mut self, watched: &Watched, path: &Path, look: Look, copy: &Path) -> Result<Option<Taken>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut before = self.taken(&watched.list);
        let settled = |t: &Taken| t.accepted || t.settings == watched.settings;
        if let Some(taken) = before.iter().find(|t| t.name == name && t.look == look && settled(t)) {
            write_outcome(path, taken);
            self.done.insert(path.to_owned(), look);
            return Ok(None);
        }
        let Some(sha256) = copy_at_rest(path, look, copy)? else { return Ok(None) };
        let (list, copied) = (watched.list.clone(), copy.to_owned());
        let change = Change::File { list: list.clone(), path: copied, name: name.clone(), sha256 };
        let (accepted, message) = match (self.accept)(&change) {
            Ok(message) => (true, message),
            Err(e) if matches!(e.kind(), Kind::Storage | Kind::Busy | Kind::Network | Kind::Internal) => return Err(e),
            Err(e) => (false, e.chain()),
        };
        let (at, settings) = (self.clock.wall(), watched.settings);
        let taken = Taken { list, name, sha256, at, accepted, message, settings, look };
        before.retain(|t| t.name != taken.name);
        before.push(taken.clone());
        let from = before.len().saturating_sub(REMEMBERED);
        self.remember(&watched.list, &before[from..])?;
        write_outcome(path, &taken);
        self.done.insert(path.to_owned(), look);
        if accepted {
            tracing::info!(list = taken.list, file = taken.name, "A file was taken: {}", taken.message);
            self.hold(&taken);
        } else {
            tracing::error!(list = taken.list, file = taken.name, "A file was refused: {}", taken.message);
        }
        Ok(Some(taken))
    }

    fn put_off(&mut self, list: &str, path: PathBuf, e: &Error) -> String {
        tracing::warn!(list, error = %e.chain(), "A file can't be taken at present; it is tried again");
        self.later.insert(path, self.clock.monotonic() + AGAIN);
        e.chain()
    }

    /// An error stays until a file was accepted or, where the folder could not be read, until it can.
    fn note(&mut self, list: &str, outcome: Result<Option<String>, String>) {
        let now = self.clock.wall();
        let Some(state) = self.states.get_mut(list) else { return };
        state.last_check = Some(now);
        match outcome {
            Ok(None) => {}
            Ok(Some(refused)) => state.last_error = Some(refused),
            Err(unreadable) => {
                if state.last_error.as_ref() != Some(&unreadable) {
                    tracing::warn!(list, "{unreadable}");
                }
                state.last_error = Some(unreadable);
            }
        }
    }

    fn hold(&mut self, taken: &Taken) {
        if let Some(state) = self.states.get_mut(&taken.list) {
            state.sha256 = Some(taken.sha256);
            state.last_success = Some(taken.at);
            state.last_error = None;
        }
    }

    /// What was taken for a list before, oldest first. A damaged memory only means that a file
    /// is taken once more.
    fn taken(&self, list: &str) -> Vec<Taken> {
        fs::read(self.memory(list)).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    fn remember(&self, list: &str, taken: &[Taken]) -> Result<()> {
        let path = self.memory(list);
        let text = serde_json::to_vec(taken).context(Kind::Internal, || could_not_write(&path))?;
        durable::write(&path, &text).context(Kind::Storage, || could_not_write(&path))
    }

    fn memory(&self, list: &str) -> PathBuf {
        memory(&self.spool, list)
    }

    fn clear_spool(&self) {
        for file in fs::read_dir(&self.spool).into_iter().flatten().flatten() {
            if file.path().extension().is_some_and(|e| e == "incoming") {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

fn memory(spool: &Path, list: &str) -> PathBuf {
    spool.join(format!("{list}.taken.json"))
}

/// Lets every file of a list be taken as if it came for the first time: nothing of it is in force. No
/// watcher may be looking.
pub fn forget(spool: &Path, list: &str) {
    let memory = memory(spool, list);
    if let Err(e) = durable::remove(&memory) {
        tracing::warn!(list, "Files that were taken before are not taken again: {}: {e}", memory.display());
    }
}

/// Plain files of a folder, the one that changed last at the end. Links are left alone, since
/// they could lead anywhere in the vehicle; so are hidden files and outcomes.
fn files(folder: &Path) -> io::Result<Vec<(PathBuf, Look)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name.ends_with(OUTCOME) {
            continue;
        }
        // It may have gone meanwhile.
        if let Ok(meta) = entry.path().symlink_metadata()
            && meta.is_file()
        {
            files.push((entry.path(), Look::of(&meta)));
        }
    }
    files.sort_by(|(a_path, a), (b_path, b)| (a.modified, a_path).cmp(&(b.modified, b_path)));
    Ok(files)
}

/// Copies a file and gives its hash; `None` when it did not stay as it was.
fn copy_at_rest(from: &Path, look: Look, to: &Path) -> Result<Option<Sha256>> {
    let unreadable = || could_not_read(from);
    let mut source = open_plain(from).context(Kind::Storage, unreadable)?;
    let stays = |file: &File| file.metadata().map(|m| Look::of(&m) == look).context(Kind::Storage, unreadable);
    if !stays(&source)? {
        return Ok(None);
    }
    let mut copy = Scratch::create_new(to).context(Kind::Storage, || could_not_write(to))?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let n = match source.read(&mut buffer) {
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            other => other.context(Kind::Storage, unreadable)?,
        };
        if n == 0 {
            break;
        }
        copy.write_all(&buffer[..n]).context(Kind::Storage, || could_not_write(to))?;
    }
    if !stays(&source)? {
        return Ok(None);
    }
    // From the copy: that is what is handed over.
    Sha256::of_file(to).map(Some).context(Kind::Storage, || could_not_read(to))
}

/// Writes what became of a file beside it, if the folder takes it. By a new file that is
/// renamed: a link of that name, laid there by somebody, must not lead the write elsewhere.
fn write_outcome(path: &Path, taken: &Taken) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let to = path.with_file_name(format!("{name}{OUTCOME}"));
    let word = if taken.accepted { "accepted" } else { "refused" };
    let text =
        format!("{word} for the list {} at {}\n{}\nSHA-256 {}\n", taken.list, taken.at, taken.message, taken.sha256);
    if to.symlink_metadata().is_ok_and(|m| m.is_file()) && fs::read(&to).is_ok_and(|t| t == text.as_bytes()) {
        return;
    }
    let written = durable::Writer::create(durable::folder_of(&to), 0o644).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.finish(&to)
    });
    if let Err(e) = written {
        tracing::debug!(error = %e, "What became of a file could not be written beside it");
    }
}

#[cfg(test)]
mod tests;
