//! Files that outlive a power cut: whatever happens, a path holds its old content or its new one.
//!
//! Content is written under a passing name in the folder of its destination, synced, renamed, and
//! the folder is synced after that. Every file of this project is written here, so that the order of
//! these steps stands in one place and a test can let any of them fail (`fault`, in tests only). What
//! nobody needs after a power cut is a [`Scratch`]: named from the start, and not synced.
//!
//! All functions block; none belongs on a thread that serves futures.

#[cfg(any(test, feature = "faults"))]
pub mod fault;
#[cfg(not(any(test, feature = "faults")))]
mod fault {
    //! Nothing to do and nothing to call outside of tests.
    use super::Step;
    use std::io;
    use std::path::Path;

    #[inline(always)]
    pub fn step(_: Step, _: &Path) -> io::Result<()> {
        Ok(())
    }
    #[inline(always)]
    pub fn renaming(_: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }
    #[inline(always)]
    pub fn created(_: &Path) {}
    #[inline(always)]
    pub fn is_dark(_: &Path) -> bool {
        false
    }
}
mod scratch;
mod writer;

pub use scratch::Scratch;
pub use writer::Writer;

pub(crate) use fault::step;

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use writer::Passing;

/// How the passing names of unfinished files end. They begin with a dot.
const UNFINISHED: &str = ".unfinished";

/// A step that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A file is created; the path is its own.
    Create,
    /// Bytes are written to a file.
    Write,
    /// A file's content is made durable.
    Sync,
    /// A file gets a name; the path is the new one.
    Rename,
    /// The names in a folder are made durable; the path is the folder.
    SyncFolder,
    /// A file or a folder is removed.
    Remove,
    /// A folder is made.
    MakeFolder,
}

/// Puts a file of this content at `path`, in the place of what was there. Mode 0600.
///
/// # Errors
/// `path` holds the old content or the new one, whole.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = Writer::create(folder_of(path), 0o600)?;
    file.write_all(content)?;
    file.finish(path)
}

/// Puts a file of this content and mode at `path`, where nothing may be yet.
///
/// # Errors
/// `AlreadyExists` when something is there; it is untouched. On any other there is nothing at
/// `path`, or all of the content.
pub fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = Writer::create(folder_of(path), mode)?;
    file.write_all(content)?;
    file.finish_new(path)
}

/// Moves a file that somebody else wrote to `to`, in the place of what was there, on the same file
/// system. Its content is synced first. Where both are names of one file already, both stay.
///
/// # Errors
/// `to` holds the old content or the new one, whole.
pub fn put_in_place(from: &Path, to: &Path) -> io::Result<()> {
    sync_file(from)?;
    rename(from, to)
}

/// As [`put_in_place`], for a file whose content is durable already or is not to be touched.
///
/// # Errors
/// `to` holds the old content or the new one, whole.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step(Step::Rename, to)?;
    fault::renaming(from, to)?;
    fs::rename(from, to)?;
    sync_folder(folder_of(to))
}

/// Gives the file `from` a second name, `to`, in the place of what was there; where the file system
/// has no second names, `to` becomes a copy.
///
/// # Errors
/// `to` holds the old content or the new one, whole.
pub fn share(from: &Path, to: &Path) -> io::Result<()> {
    let folder = folder_of(to);
    let linked = tempfile::Builder::new().prefix(".").suffix(UNFINISHED).make_in(folder, |path| {
        step(Step::Create, path)?;
        fs::hard_link(from, path)
    });
    match linked {
        Ok(linked) => {
            let passing = Passing::new(linked.into_temp_path());
            sync_file(passing.path())?;
            let path = passing.path().to_owned();
            passing.rename(to, true)?;
            // Renaming one of two names of a file to the other leaves both.
            let _ = fs::remove_file(path);
            Ok(())
        }
        Err(_) => {
            let mut copy = Writer::create(folder, 0o600)?;
            io::copy(&mut File::open(from)?, &mut copy)?;
            copy.finish(to)
        }
    }
}

/// Removes a file, durably. It is no error when none is there.
pub fn remove(path: &Path) -> io::Result<()> {
    step(Step::Remove, path)?;
    match fs::remove_file(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
        Ok(()) => sync_folder(folder_of(path)),
    }
}

/// Removes a folder and everything in it, durably. It is no error when none is there.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    step(Step::Remove, path)?;
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
        Ok(()) => sync_folder(folder_of(path)),
    }
}

/// Makes a folder and those above it, for the owner alone (0700 whatever the umask), durably.
/// Folders that are there already stay as they are.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path);
    if parent != path {
        make_folder(parent)?;
    }
    step(Step::MakeFolder, path)?;
    match DirBuilder::new().mode(0o700).create(path) {
        // Somebody else was faster, or a file is in the way.
        Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        made => made?,
    }
    if fs::metadata(path)?.mode() & 0o777 != 0o700 {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    sync_folder(parent)
}

/// Makes new names in a folder, and removed ones, durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    step(Step::SyncFolder, folder)?;
    match File::open(folder)?.sync_all() {
        // File systems of some media and networks can't sync a folder and say so like this.
        Err(e) if e.kind() == ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

/// Removes the unfinished files in a folder that a power cut or a kill left there, as far as that
/// can be done. Nobody may be writing in the folder.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if is_unfinished(&entry.file_name().to_string_lossy()) && step(Step::Remove, &path).is_ok() {
            // They only take room, and the next sweep tries again.
            let _ = fs::remove_file(path);
        }
    }
}

/// True for the passing name of a file that was never finished.
pub fn is_unfinished(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(UNFINISHED)
}

/// The folder that holds `path`.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

/// `path` with `suffix` after its name: `store.db` and `-wal` give `store.db-wal`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn sync_file(path: &Path) -> io::Result<()> {
    step(Step::Sync, path)?;
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests;
