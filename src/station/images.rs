//! Image files, named by their content: `images/ab/cd/abcd…`.

use plated_core::digest::Sha256;
use plated_core::durable::{self, Writer};
use plated_core::error::{Context, Kind, Result};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

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
        durable::make_folder(&images.root)
            .and_then(|()| durable::remove_folder(&images.incoming))
            .and_then(|()| durable::make_folder(&images.incoming))
            .context(Kind::Storage, failed)?;
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
        self.write(sha256, bytes)
            .context(Kind::Storage, || format!("could not store an image in {}", self.root.display()))
    }

    fn write(&self, sha256: &Sha256, bytes: &[u8]) -> std::io::Result<()> {
        let mut file = Writer::create(&self.incoming, 0o600)?;
        file.write_all(bytes)?;
        let (folder, path) = self.place(sha256);
        durable::make_folder(&folder)?;
        file.finish(&path)?;
        // A folder on the way may have been made by another request, which has not synced it yet.
        let above = folder.ancestors().skip(1).take_while(|f| f.starts_with(&self.root));
        above.into_iter().try_for_each(durable::sync_folder)
    }

    fn place(&self, sha256: &Sha256) -> (PathBuf, PathBuf) {
        let name = sha256.to_string();
        let folder = self.root.join(&name[..2]).join(&name[2..4]);
        let path = folder.join(name);
        (folder, path)
    }
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
