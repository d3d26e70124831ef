//! A file that nobody needs after a power cut.

use super::Step;
use super::fault::{self, step};
use nix::fcntl::posix_fallocate;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file on its way into another one, such as a copy or a download, or one that only takes room. It
/// has its name from the start, and mode 0600. Nothing is synced, and nothing is removed when this is
/// dropped: whoever finds it after a power cut removes it, or checks it by its hash.
#[derive(Debug)]
pub struct Scratch {
    file: File,
    path: PathBuf,
}

impl Scratch {
    /// Begins a file where nothing may be yet.
    ///
    /// # Errors
    /// `AlreadyExists` when something is there, a link among it.
    pub fn create_new(path: &Path) -> io::Result<Self> {
        Self::open(path, OpenOptions::new().write(true).create_new(true))
    }

    /// Begins a file in the place of what was there.
    ///
    /// # Errors
    /// Of the file system.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::open(path, OpenOptions::new().write(true).create(true).truncate(true))
    }

    /// Goes on at the end of a file, which is begun if it is not there.
    ///
    /// # Errors
    /// Of the file system.
    pub fn append(path: &Path) -> io::Result<Self> {
        Self::open(path, OpenOptions::new().append(true).create(true))
    }

    fn open(path: &Path, options: &mut OpenOptions) -> io::Result<Self> {
        step(Step::Create, path)?;
        let is_new = !path.exists();
        let file = options.mode(0o600).open(path)?;
        if is_new {
            fault::created(path);
        }
        Ok(Self { file, path: path.to_owned() })
    }

    /// Lets go of all that is in it.
    ///
    /// # Errors
    /// Of the file system.
    pub fn clear(&mut self) -> io::Result<()> {
        step(Step::Write, &self.path)?;
        self.file.set_len(0)
    }

    /// Takes this much room on the disk without writing it, and waits until it is taken.
    ///
    /// # Errors
    /// `StorageFull` when there is less; what was taken of it is to be given back by removing the file.
    pub fn allocate(&mut self, bytes: u64) -> io::Result<()> {
        step(Step::Write, &self.path)?;
        posix_fallocate(&self.file, 0, i64::try_from(bytes).unwrap_or(i64::MAX))?;
        step(Step::Sync, &self.path)?;
        self.file.sync_all()
    }
}

impl Write for Scratch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        step(Step::Write, &self.path)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
