//! Are the files that are open still those at the store's path?
//!
//! A database that is removed, moved or replaced while it is in use goes on taking commits, and all
//! of them are gone when it is closed. So the files at the path are compared with the open ones
//! before and after each commit.

use super::files::beside;
use plated_core::error::{Context, Kind, Result};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Device and number of a file.
type Identity = (u64, u64);

/// The files of a store that is open: the database and its log.
pub(super) struct Place([(PathBuf, Identity); 2]);

impl Place {
    /// Of the store that was just opened at `path`, with its log.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let identity = |path: PathBuf| {
            let found = std::fs::metadata(&path).map(|m| (m.dev(), m.ino()));
            found.context(Kind::Storage, || format!("could not look at {}", path.display())).map(|i| (path, i))
        };
        Ok(Self([identity(path.to_owned())?, identity(beside(path, "-wal"))?]))
    }

    /// What happened to one of the files, if anything did.
    pub(super) fn lost(&self) -> Option<String> {
        self.0.iter().find_map(|(path, identity)| match std::fs::metadata(path) {
            Ok(m) if (m.dev(), m.ino()) == *identity => None,
            Ok(_) => Some(format!("another file was put in the place of {}", path.display())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Some(format!("{} was removed or moved away", path.display()))
            }
            Err(e) => Some(format!("{} can't be looked at: {e}", path.display())),
        })
    }
}
