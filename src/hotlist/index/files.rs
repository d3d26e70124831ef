//! The file operations of building an index. A test can let any of them be the last before a
//! power cut.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A new file, written from front to back, for the owner alone.
pub struct Output {
    file: File,
    path: PathBuf,
}

impl Output {
    /// Makes the file, or empties one that an interrupted build left.
    pub fn create(path: &Path) -> io::Result<Self> {
        fault::step()?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Takes the file's name away: it lives as long as it is open.
    pub fn into_nameless(self) -> io::Result<File> {
        fault::step()?;
        std::fs::remove_file(&self.path)?;
        Ok(self.file)
    }

    /// Waits until everything written is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        fault::step()?;
        self.file.sync_all()?;
        fault::synced(&self.path);
        Ok(())
    }

    /// The file, to read or write elsewhere than at its end.
    pub fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        io::Seek::seek(&mut self.file, to)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::written(&self.path);
        if let Err(e) = fault::step() {
            // What a power cut leaves of a write.
            self.file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(e);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives a finished file its name, in the place of the file that had it, durably.
pub fn put_in_place(from: &Path, to: &Path) -> io::Result<()> {
    fault::step()?;
    fault::must_be_synced(from);
    std::fs::rename(from, to)?;
    fault::step()?;
    let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Removes a file that is of no use any more, if it can be.
pub fn discard(path: &Path) {
    if fault::step().is_ok() {
        let _ = std::fs::remove_file(path); // The next build of this list writes over it.
    }
}

#[cfg(not(test))]
mod fault {
    use std::io;
    use std::path::Path;

    pub fn step() -> io::Result<()> {
        Ok(())
    }
    pub fn written(_: &Path) {}
    pub fn synced(_: &Path) {}
    pub fn must_be_synced(_: &Path) {}
}

/// After a set number of operations all fail, as at a power cut, until the test says otherwise.
#[cfg(test)]
pub mod fault {
    use std::cell::{Cell, RefCell};
    use std::collections::HashSet;
    use std::io;
    use std::path::{Path, PathBuf};

    thread_local! {
        static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
        static UNSYNCED: RefCell<HashSet<PathBuf>> = RefCell::default();
    }

    /// Lets `count` more operations of this thread succeed; `None` is all.
    pub fn after(count: Option<u32>) {
        LEFT.set(count);
    }

    pub fn step() -> io::Result<()> {
        match LEFT.get() {
            None => Ok(()),
            Some(0) => Err(io::Error::other("power cut")),
            Some(left) => {
                LEFT.set(Some(left - 1));
                Ok(())
            }
        }
    }

    pub fn written(path: &Path) {
        UNSYNCED.with_borrow_mut(|files| files.insert(path.to_owned()));
    }

    pub fn synced(path: &Path) {
        UNSYNCED.with_borrow_mut(|files| files.remove(path));
    }

    /// A file that gets its name before its content is on the disk can be empty after a power cut.
    pub fn must_be_synced(path: &Path) {
        UNSYNCED.with_borrow(|files| assert!(!files.contains(path), "{} is not synced", path.display()));
    }
}
