//! Faults for tests: any step of writing a file can fail, or be the last before a power cut.
//!
//! A [`Faults`] watches one folder and everything below it, on all threads, so that tests with
//! folders of their own run beside each other. This module is not part of a production build.
//!
//! A power cut is played honestly: content that was not synced is cut off, and names that were not
//! made durable by a sync of their folder are as before if the test wants it so ([`Names`]); a
//! disk may do either. Nothing works after it until [`Faults::restore_power`].

use super::{Step, folder_of};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a power cut does to names that no sync of their folder made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// They had reached the disk.
    Kept,
    /// They had not: new ones are gone, and replaced or removed files are there again.
    Lost,
}

/// Both, to be tried one after the other.
pub const NAMES: [Names; 2] = [Names::Kept, Names::Lost];

/// Watches a folder, and lets steps in it fail. Dropping it ends that.
#[derive(Debug)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    root: PathBuf,
    done: Vec<Step>,
    fail_at: Option<(usize, ErrorKind)>,
    fail_each: Option<(Step, ErrorKind)>,
    cut_at: Option<(usize, Names)>,
    dark: bool,
    unsynced: HashSet<PathBuf>,
    names: Vec<Change>,
}

/// A change of names that no sync has made durable, and how it is undone.
#[derive(Debug)]
struct Change {
    folder: PathBuf,
    undo: Undo,
}

#[derive(Debug)]
enum Undo {
    Created(PathBuf),
    Renamed { from: PathBuf, to: PathBuf, inode: u64, before: Option<Kept> },
    Removed(PathBuf, Kept),
    MadeFolder(PathBuf),
}

/// A file as it was.
#[derive(Debug)]
struct Kept(Vec<u8>, Permissions);

static WATCHED: Mutex<Vec<Arc<Mutex<State>>>> = Mutex::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Faults {
    /// Watches `folder`. Nothing fails yet.
    pub fn in_folder(folder: &Path) -> Self {
        let state = Arc::new(Mutex::new(State { root: folder.to_owned(), ..State::default() }));
        lock(&WATCHED).push(state.clone());
        COUNT.fetch_add(1, Ordering::SeqCst);
        Self(state)
    }

    /// The steps that were begun, failed ones among them.
    pub fn steps(&self) -> Vec<Step> {
        lock(&self.0).done.clone()
    }

    /// Lets the step fail that comes after `count` more.
    pub fn fail_after(&self, count: usize, with: ErrorKind) {
        let mut state = lock(&self.0);
        state.fail_at = Some((state.done.len() + count, with));
    }

    /// Lets each step of this sort fail, as a full disk does with writing.
    pub fn fail_each(&self, step: Step, with: ErrorKind) {
        lock(&self.0).fail_each = Some((step, with));
    }

    /// Cuts the power at the step that comes after `count` more.
    pub fn cut_power_after(&self, count: usize, names: Names) {
        let mut state = lock(&self.0);
        state.cut_at = Some((state.done.len() + count, names));
    }

    /// True from the power cut on.
    pub fn power_is_cut(&self) -> bool {
        lock(&self.0).dark
    }

    /// Everything works again, with what the disk holds.
    pub fn restore_power(&self) {
        let mut state = lock(&self.0);
        *state = State { root: std::mem::take(&mut state.root), ..State::default() };
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        lock(&WATCHED).retain(|other| !Arc::ptr_eq(other, &self.0));
        COUNT.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `with` for each watch over `path`.
fn for_each(path: &Path, mut with: impl FnMut(&mut State) -> io::Result<()>) -> io::Result<()> {
    if COUNT.load(Ordering::SeqCst) == 0 {
        return Ok(());
    }
    for state in &*lock(&WATCHED) {
        let mut state = lock(state);
        if path.starts_with(&state.root) {
            with(&mut state)?;
        }
    }
    Ok(())
}

/// Called before a step is taken.
pub(crate) fn step(step: Step, path: &Path) -> io::Result<()> {
    for_each(path, |state| state.step(step, path))
}

/// Called before a file is renamed, after its step.
pub(super) fn renaming(from: &Path, to: &Path) -> io::Result<()> {
    for_each(to, |state| {
        let undo = Undo::Renamed {
            from: from.to_owned(),
            to: to.to_owned(),
            inode: fs::metadata(from)?.ino(),
            before: Kept::of(to),
        };
        state.names.push(Change { folder: folder_of(to).to_owned(), undo });
        if state.unsynced.remove(from) {
            state.unsynced.insert(to.to_owned());
        }
        Ok(())
    })
}

/// Called after a file was created.
pub(super) fn created(path: &Path) {
    let _ = for_each(path, |state| {
        state.unsynced.insert(path.to_owned());
        state.names.push(Change { folder: folder_of(path).to_owned(), undo: Undo::Created(path.to_owned()) });
        Ok(())
    });
}

/// True once the power is cut: then nobody clears up.
pub(super) fn is_dark(path: &Path) -> bool {
    for_each(path, |state| if state.dark { Err(power_cut()) } else { Ok(()) }).is_err()
}

fn power_cut() -> io::Error {
    io::Error::other("power cut")
}

impl State {
    fn step(&mut self, step: Step, path: &Path) -> io::Result<()> {
        if self.dark {
            return Err(power_cut());
        }
        let number = self.done.len();
        self.done.push(step);
        if let Some((_, names)) = self.cut_at.filter(|(at, _)| *at == number) {
            self.cut(names);
            return Err(power_cut());
        }
        if let Some((_, with)) = self.fail_at.filter(|(at, _)| *at == number) {
            return Err(with.into());
        }
        if let Some((_, with)) = self.fail_each.filter(|(each, _)| *each == step) {
            return Err(with.into());
        }
        self.note(step, path);
        Ok(())
    }

    fn note(&mut self, step: Step, path: &Path) {
        match step {
            Step::Write => {
                self.unsynced.insert(path.to_owned());
            }
            Step::Sync => {
                self.unsynced.remove(path);
            }
            Step::SyncFolder => self.names.retain(|change| change.folder != path),
            Step::Remove => {
                if let Some(kept) = Kept::of(path) {
                    self.names.push(Change {
                        folder: folder_of(path).to_owned(),
                        undo: Undo::Removed(path.to_owned(), kept),
                    });
                }
            }
            Step::MakeFolder if !path.exists() => {
                let undo = Undo::MadeFolder(path.to_owned());
                self.names.push(Change { folder: folder_of(path).to_owned(), undo });
            }
            Step::Create | Step::Rename | Step::MakeFolder => {}
        }
    }

    /// Leaves what a disk holds after a power cut.
    fn cut(&mut self, names: Names) {
        self.dark = true;
        for path in self.unsynced.drain() {
            // Half of it is worse than nothing of it: it can look whole.
            if let Ok(size) = fs::metadata(&path).map(|m| m.len())
                && let Ok(file) = OpenOptions::new().write(true).open(&path)
            {
                let _ = file.set_len(size / 2);
            }
        }
        if names == Names::Lost {
            while let Some(change) = self.names.pop() {
                change.undo.now();
            }
        }
    }
}

impl Kept {
    fn of(path: &Path) -> Option<Self> {
        let meta = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some(Self(fs::read(path).ok()?, meta.permissions()))
    }

    fn put_back(self, path: &Path) {
        let put = File::create(path).and_then(|mut file| {
            io::Write::write_all(&mut file, &self.0)?;
            file.set_permissions(self.1)
        });
        let _ = put; // The test that counts on it fails then.
    }
}

impl Undo {
    fn now(self) {
        match self {
            Undo::Created(path) => drop(fs::remove_file(path)),
            Undo::MadeFolder(path) => drop(fs::remove_dir_all(path)),
            Undo::Removed(path, kept) => kept.put_back(&path),
            // Only if it came to that.
            Undo::Renamed { from, to, inode, before } if fs::metadata(&to).is_ok_and(|m| m.ino() == inode) => {
                let _ = fs::rename(&to, from);
                if let Some(kept) = before {
                    kept.put_back(&to);
                }
            }
            Undo::Renamed { .. } => {}
        }
    }
}
