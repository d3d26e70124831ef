//! Image files, named by their content: `images/ab/cd/abcd…`.

use plated_core::digest::Sha256;
use plated_core::error::{Context, Kind, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The folder of images.
#[derive(Clone, Debug)]
pub struct Images {
    root: PathBuf,
    incoming: PathBuf,
}

impl Images {
    /// Opens or makes the folders under `data`, and clears away what a crash left half written.
    pub fn open(data: &Path) -> Result<Self> {
        let images = Self { root: data.join("images"), incoming: data.join("incoming") };
        let failed = || format!("could not make the image folders in {}", data.display());
        fs::create_dir_all(&images.root).context(Kind::Storage, failed)?;
        if images.incoming.exists() {
            fs::remove_dir_all(&images.incoming).context(Kind::Storage, failed)?;
        }
        fs::create_dir(&images.incoming).context(Kind::Storage, failed)?;
        sync(data).context(Kind::Storage, failed)?;
        Ok(images)
    }

    /// Size of the stored file, if it is there.
    pub fn size(&self, sha256: &Sha256) -> Option<u64> {
        let (_, path) = self.place(sha256);
        fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|m| m.len())
    }

    /// Stores `bytes`, whose hash the caller has checked. Durable on return: the file is synced
    /// before it gets its name, and its folder after.
    pub fn put(&self, sha256: &Sha256, bytes: &[u8]) -> Result<()> {
        let temporary = self.incoming.join(Uuid::now_v7().to_string());
        let stored = self.write(sha256, bytes, &temporary);
        if stored.is_err() {
            // Best effort: what stays is cleared away at the next start.
            let _ = fs::remove_file(&temporary);
        }
        stored.context(Kind::Storage, || format!("could not store an image in {}", self.root.display()))
    }

    fn write(&self, sha256: &Sha256, bytes: &[u8], temporary: &Path) -> std::io::Result<()> {
        let mut file = File::create_new(temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        let (folder, path) = self.place(sha256);
        fs::create_dir_all(&folder)?;
        fs::rename(temporary, path)?;
        // Every folder on the way may be new, so each is synced in the one above it.
        folder.ancestors().take_while(|f| f.starts_with(&self.root)).try_for_each(sync)
    }

    fn place(&self, sha256: &Sha256) -> (PathBuf, PathBuf) {
        let name = sha256.to_string();
        let folder = self.root.join(&name[..2]).join(&name[2..4]);
        let path = folder.join(name);
        (folder, path)
    }
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_image_is_found_under_its_hash_and_leavings_of_a_crash_are_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let images = Images::open(dir.path()).unwrap();
        let sha256 = Sha256::of(b"picture");
        assert_eq!(images.size(&sha256), None);
        images.put(&sha256, b"picture").unwrap();
        images.put(&sha256, b"picture").unwrap();
        assert_eq!(images.size(&sha256), Some(7));

        fs::write(dir.path().join("incoming/half"), b"pic").unwrap();
        let images = Images::open(dir.path()).unwrap();
        assert_eq!(images.size(&sha256), Some(7));
        assert_eq!(fs::read_dir(dir.path().join("incoming")).unwrap().count(), 0);
    }
}
