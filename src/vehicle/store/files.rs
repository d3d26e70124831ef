//! The files of a store beside each other, and how they are written so that a power cut
//! leaves either the old or the new.

use plated_core::error::{Context, Kind, Result};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// `path` with `suffix` after its name: `store.db` and `-wal` give `store.db-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The folder that holds `path`.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a rename or a new name in the folder of `path` durable.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    let folder = folder(path);
    File::open(folder)
        .and_then(|f| f.sync_all())
        .context(Kind::Storage, || format!("could not make a change in the folder {} durable", folder.display()))
}

/// Creates a file that must not exist yet, for the owner alone.
pub(super) fn create_new(path: &Path, mode: u32, content: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file is worse than none; that it can't be removed changes nothing.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Moves a finished file to its place, durably.
pub(super) fn put_in_place(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to)
        .context(Kind::Storage, || format!("could not rename {} to {}", from.display(), to.display()))?;
    sync_folder(to)
}

/// Removes a file if it is there.
pub(super) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).context(Kind::Storage, || format!("could not remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Size of a file in bytes, or `None` if it isn't there.
pub(super) fn size(path: &Path) -> Result<Option<u64>> {
    match std::fs::metadata(path) {
        Ok(m) => Ok(Some(m.len())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).context(Kind::Storage, || format!("could not look at {}", path.display())),
    }
}
