//! What a backup holds, on any engine: files with their hashes, listed in one that is written last.

use crate::key::ArchiveKey;
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::durable::{self, Writer};
use plated_core::error::{Context, Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use uuid::Uuid;

/// Without this file a backup was cut off, and is none.
const CONTENTS: &str = "backup.json";

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Contents {
    pub station: String,
    pub at: Timestamp,
    /// Tells by which key it can be read.
    pub key_id: Sha256,
    /// Of an archive on PostgreSQL: names this backup, and so the marks in its files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Uuid>,
    pub files: Vec<FileOf>,
}

/// A file of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FileOf {
    pub path: PathBuf,
    pub bytes: u64,
    pub sha256: Sha256,
}

impl Contents {
    /// Those of a backup that has no files yet.
    pub fn new(station: &str, at: Timestamp, key: &ArchiveKey) -> Self {
        Self { station: station.to_owned(), at, key_id: key.fingerprint(), database: None, files: Vec::new() }
    }

    /// Makes a whole backup of the files in `to`. Durable on return.
    pub fn write(&self, to: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).context(Kind::Internal, || "could not list the backup".into())?;
        durable::write(&to.join(CONTENTS), &json)
            .context(Kind::Storage, || format!("could not write to {}", to.display()))
    }

    /// Those of the backup in `from`, made with this key.
    pub fn read(from: &Path, key: &ArchiveKey) -> Result<Self> {
        let failed = || could_not_read(from);
        let json = fs::read(from.join(CONTENTS)).context(Kind::NotFound, failed)?;
        let contents: Self = serde_json::from_slice(&json).context(Kind::Damaged, failed)?;
        if contents.key_id != key.fingerprint() {
            let message =
                format!("{}: it was made with another key of the archive; bring that one back", from.display());
            return Err(Error::new(Kind::Refused, message));
        }
        let strays = |file: &&FileOf| file.path.components().any(|part| !matches!(part, Component::Normal(_)));
        match contents.files.iter().find(strays) {
            None => Ok(contents),
            Some(file) => {
                Err(Error::new(Kind::Damaged, format!("{}: {} is no path in it", failed(), file.path.display())))
            }
        }
    }
}

impl FileOf {
    /// The file of this name as it lies in `folder` now.
    pub fn of(folder: &Path, path: PathBuf) -> io::Result<Self> {
        let whole = folder.join(&path);
        Ok(Self { bytes: fs::metadata(&whole)?.len(), sha256: Sha256::of_file(&whole)?, path })
    }

    /// Refuses bytes that are not those of this file of the backup in `from`.
    pub fn compare(&self, from: &Path, (bytes, sha256): (u64, Sha256)) -> Result<()> {
        if (bytes, sha256) == (self.bytes, self.sha256) {
            return Ok(());
        }
        let message = format!("{}: {} does not fit its hash", could_not_read(from), self.path.display());
        Err(Error::new(Kind::Damaged, message))
    }
}

/// Refuses a folder with something in it, and makes one that is not there.
pub(super) fn be_empty(folder: &Path) -> Result<()> {
    let failed = || format!("could not use {}", folder.display());
    durable::make_folder(folder).context(Kind::Storage, failed)?;
    let mut there = fs::read_dir(folder).context(Kind::Storage, failed)?.flatten();
    // But for what a crash left of a file that was never finished.
    match there.find(|entry| !durable::is_unfinished(&entry.file_name().to_string_lossy())) {
        None => Ok(()),
        Some(_) => Err(Error::new(Kind::Refused, format!("{} is not empty; give an empty folder", folder.display()))),
    }
}

/// Copies a file durably; gives its size and hash.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<(u64, Sha256)> {
    let failed = || format!("could not copy {} to {}", from.display(), to.display());
    let copy = || -> io::Result<(u64, Sha256)> {
        let folder = durable::folder_of(to);
        durable::make_folder(folder)?;
        let mut file = Writer::create(folder, 0o600)?;
        let bytes = io::copy(&mut File::open(from)?, &mut file)?;
        file.finish(to)?;
        Ok((bytes, Sha256::of_file(to)?))
    };
    copy().context(Kind::Storage, failed)
}

pub(super) fn could_not_read(from: &Path) -> String {
    format!("could not read the backup {}", from.display())
}
