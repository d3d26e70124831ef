//! Are the files that are open still those at their paths?
//!
//! A database that is removed, moved or replaced while it is in use goes on taking commits, and all
//! of them are gone when it is closed. So whoever keeps one compares the inodes at the paths with
//! those of the open files, before and after each commit.

use crate::error::{Context, Kind, Result};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Device and inode of a file.
type Identity = (u64, u64);

/// Files that are open, by the inodes that were at their paths when they were opened.
#[derive(Debug)]
pub struct InodeWatch(Vec<(PathBuf, Identity)>);

impl InodeWatch {
    /// Notes which files are at these paths now. They must have been opened just before.
    ///
    /// # Errors
    /// `Storage` when one of them isn't there.
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let note = |path: PathBuf| {
            let found = identity(&path).context(Kind::Storage, || format!("could not examine {}", path.display()));
            found.map(|identity| (path, identity))
        };
        paths.into_iter().map(note).collect::<Result<_>>().map(Self)
    }

    /// What happened to the first of the files that is not at its path any more; none when all are.
    pub fn displaced(&self) -> Option<String> {
        self.0.iter().find_map(|(path, expected)| match identity(path) {
            Ok(found) if found == *expected => None,
            Ok(_) => Some(format!("another file was put in the place of {}", path.display())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Some(format!("{} was removed or moved away", path.display()))
            }
            Err(e) => Some(format!("{} can't be examined: {e}", path.display())),
        })
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|m| (m.dev(), m.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_is_removed_moved_or_replaced_is_noticed_and_one_that_is_written_to_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&path, "one").unwrap();
        let _open = fs::File::open(&path).unwrap(); // so that its inode is not given away again
        let watch = InodeWatch::of([path.clone()]).unwrap();
        fs::write(&path, "two").unwrap();
        assert_eq!(watch.displaced(), None);
        fs::rename(&path, &other).unwrap();
        assert!(watch.displaced().unwrap().contains("removed or moved away"));
        fs::write(&path, "two").unwrap();
        assert!(watch.displaced().unwrap().contains("another file"));
        fs::rename(&other, &path).unwrap();
        assert_eq!(watch.displaced(), None, "it is back");
        fs::remove_file(&path).unwrap();
        assert!(watch.displaced().is_some() && InodeWatch::of([path]).is_err());
    }
}
