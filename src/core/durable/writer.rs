//! A file that is written from front to back and gets its name at the end.

use super::fault::{self, step};
use super::{Step, UNFINISHED, folder_of, sync_folder};
use std::fs::{File, Permissions};
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use tempfile::{Builder, TempPath};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 << 10;

/// A file being written. It has a passing name until [`Writer::finish`]; dropped before that,
/// nothing of it is left.
#[derive(Debug)]
pub struct Writer {
    out: BufWriter<Output>,
    passing: Passing,
}

impl Writer {
    /// Begins a file in `folder`, which has to be on the file system of its destination. `mode` is
    /// what it has from the start, whatever the umask; a file system without modes keeps its own.
    pub fn create(folder: &Path, mode: u32) -> io::Result<Self> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let permissions = Permissions::from_mode(mode);
        let mut builder = Builder::new();
        builder.prefix(".").suffix(UNFINISHED).permissions(permissions.clone());
        step(Step::Create, folder)?;
        let (file, passing) = builder.tempfile_in(folder)?.into_parts();
        if file.metadata()?.mode() & 0o7777 != mode
            && let Err(e) = file.set_permissions(permissions)
            && e.kind() != ErrorKind::PermissionDenied
        {
            return Err(e);
        }
        fault::created(&passing);
        let path = passing.to_path_buf();
        let passing = Passing::new(passing);
        Ok(Self { out: BufWriter::with_capacity(BUFFER, Output { file, path, synced: false }), passing })
    }

    /// Its passing name. What [`Writer::sync`] made durable can be read back there.
    pub fn path(&self) -> &Path {
        self.passing.path()
    }

    /// Bytes written up to now, which is the size of a file written from front to back.
    ///
    /// # Errors
    /// As of a write.
    pub fn size(&mut self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.out.get_ref().file.metadata()?.len())
    }

    /// Gives the file to this user and group. Only root may.
    pub fn give_to(&mut self, uid: u32, gid: u32) -> io::Result<()> {
        self.out.get_mut().synced = false;
        fchown(&self.out.get_ref().file, Some(uid), Some(gid))
    }

    /// Waits until everything written is on the disk.
    pub fn sync(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_mut().sync()
    }

    /// Makes the content durable, and puts the file at `path` in the place of what was there.
    ///
    /// # Errors
    /// `path` holds the old content or the new one, whole.
    pub fn finish(mut self, path: &Path) -> io::Result<()> {
        self.sync()?;
        self.passing.rename(path, true)
    }

    /// As [`Writer::finish`], where nothing may be yet.
    ///
    /// # Errors
    /// `AlreadyExists` when something is there; it is untouched.
    pub fn finish_new(mut self, path: &Path) -> io::Result<()> {
        self.sync()?;
        self.passing.rename(path, false)
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Seek for Writer {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.out.seek(to)
    }
}

/// The passing name of a file, which is removed with this value.
#[derive(Debug)]
pub(super) struct Passing {
    path: PathBuf,
    name: Option<TempPath>,
}

impl Passing {
    pub(super) fn new(name: TempPath) -> Self {
        Self { path: name.to_path_buf(), name: Some(name) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file, which is synced, its name, durably.
    pub(super) fn rename(mut self, to: &Path, replace: bool) -> io::Result<()> {
        step(Step::Rename, to)?;
        fault::renaming(&self.path, to)?;
        if let Some(name) = self.name.take() {
            let renamed = if replace { name.persist(to) } else { name.persist_noclobber(to) };
            renamed.map_err(|e| e.error)?;
        }
        sync_folder(folder_of(to))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Some(name) = &mut self.name
            && fault::is_dark(&self.path)
        {
            name.disable_cleanup(true); // Without power nobody clears up.
        }
    }
}

#[derive(Debug)]
struct Output {
    file: File,
    path: PathBuf,
    synced: bool,
}

impl Output {
    fn sync(&mut self) -> io::Result<()> {
        if !self.synced {
            step(Step::Sync, &self.path)?;
            self.file.sync_all()?;
            self.synced = true;
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.synced = false;
        step(Step::Write, &self.path)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Output {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
