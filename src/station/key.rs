//! The key of the archive: 32 random bytes in a file of the owner, or in a systemd credential. Each file of the
//! archive has a key of its own, derived from it.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use plated_core::digest::{Hasher, Sha256};
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::{Purpose, Signer};
use std::fmt;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// The name of the systemd credential.
const CREDENTIAL: &str = "archive.key";

/// The key of the archive. Wiped from memory when dropped; never shown.
#[derive(Clone)]
pub struct ArchiveKey(Box<[u8; 32]>); // boxed, so that moving it leaves no copies behind

/// A key of one file.
pub type FileKey = Zeroizing<[u8; 32]>;

impl Drop for ArchiveKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for ArchiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArchiveKey(..)")
    }
}

impl ArchiveKey {
    /// Makes a new random key and writes it to `path` with mode 0400, durably.
    ///
    /// # Errors
    /// `Refused` when the file exists: without its old key an archive can't be read again.
    pub fn create_file(path: &Path) -> Result<Self> {
        let mut key = Self(Box::new([0; 32]));
        getrandom::fill(&mut *key.0)
            .map_err(|e| Error::new(Kind::Internal, format!("the system gave no random numbers: {e}")))?;
        let line = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(*key.0))));
        match durable::write_new(path, line.as_bytes(), 0o400) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(Error::new(
                Kind::Refused,
                format!("there is already a file {}; an archive's key is never written over", path.display()),
            )),
            other => other.context(Kind::Storage, || format!("could not write the archive's key {}", path.display())),
        }?;
        Ok(key)
    }

    /// The key in the systemd credential `archive.key`, or else in the file `path`.
    ///
    /// # Errors
    /// `Missing` when there is none, `Refused` when others may read the file, `Config` when it holds no key.
    pub fn load(path: &Path) -> Result<Self> {
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| PathBuf::from(folder).join(CREDENTIAL));
        match credential.filter(|path| path.exists()) {
            // systemd guards its credentials itself, partly by access lists, which show as a group mode.
            Some(path) => Self::read(&path, false),
            None => Self::read(path, !path.starts_with("/run/credentials")),
        }
    }

    /// One that is the same in all tests.
    #[cfg(test)]
    pub(super) fn of_tests() -> Self {
        Self(Box::new([7; 32]))
    }

    fn read(path: &Path, owner_only: bool) -> Result<Self> {
        let failed = || {
            format!(
                "could not read the archive's key {}; `plated-station init` makes one for a new station; for an archive \
                 that exists, bring back its key",
                path.display()
            )
        };
        let mode = std::fs::metadata(path).context(Kind::Missing, failed)?.mode() & 0o7777;
        if owner_only && mode & 0o077 != 0 {
            return Err(Error::new(
                Kind::Refused,
                format!(
                    "the archive's key {0} may be read or written by others (mode {mode:04o}); if it was never exposed, \
                     run `chmod 0400 {0}`",
                    path.display()
                ),
            ));
        }
        let text = Zeroizing::new(std::fs::read(path).context(Kind::Missing, failed)?);
        let mut key = Self(Box::new([0; 32]));
        hex::decode_to_slice(text.trim_ascii(), &mut *key.0).map_err(|_| {
            Error::new(Kind::Config, format!("{} holds no key: 64 hex digits on one line are expected", path.display()))
        })?;
        Ok(key)
    }

    /// The key of the file of this kind and name.
    ///
    /// # Errors
    /// `Internal` when it can't be derived.
    pub(super) fn of_file(&self, kind: &str, name: &str) -> Result<FileKey> {
        let mut key = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, b"plated archive 1")
            .extract(&*self.0)
            .expand(&[kind.as_bytes(), b"\n", name.as_bytes()], HKDF_SHA256)
            .and_then(|derived| derived.fill(&mut *key))
            .map_err(|_| Error::new(Kind::Internal, "a key could not be derived"))?;
        Ok(key)
    }

    /// Signs for this purpose.
    ///
    /// # Errors
    /// `Internal` when its key can't be derived.
    pub(super) fn signer(&self, purpose: Purpose) -> Result<Signer> {
        Signer::derived(&self.0, purpose)
    }

    /// The key of the station's database, as SQLCipher takes it, for whoever looks into it by other means.
    ///
    /// # Errors
    /// `Internal` when it can't be derived.
    pub fn of_database(&self) -> Result<FileKey> {
        self.of_file("database", "station")
    }

    /// A name for the key that says nothing about it, to tell a wrong key from a damaged file.
    pub fn fingerprint(&self) -> Sha256 {
        Hasher::new().with(b"plated archive key id 1\0").with(&*self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    // policy: P-25
    #[test]
    fn a_key_is_the_owners_alone_is_never_written_over_and_one_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive.key");
        let made = ArchiveKey::create_file(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o400);
        assert_eq!(ArchiveKey::load(&path).unwrap().fingerprint(), made.fingerprint());
        assert_eq!(ArchiveKey::create_file(&path).unwrap_err().kind(), Kind::Refused);
        assert_eq!(format!("{made:?}"), "ArchiveKey(..)");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert!(ArchiveKey::load(&path).unwrap_err().chain().contains("chmod 0400"));
        let missing = ArchiveKey::load(&dir.path().join("none")).unwrap_err();
        assert!(missing.kind() == Kind::Missing && missing.chain().contains("plated-station init"));
    }

    #[test]
    fn each_file_has_a_key_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let key = ArchiveKey::create_file(&dir.path().join("archive.key")).unwrap();
        let derive = |kind, name| *key.of_file(kind, name).unwrap();
        assert_eq!(derive("pack", "a"), derive("pack", "a"));
        assert_ne!(derive("pack", "a"), derive("pack", "b"));
        assert_ne!(derive("pack", "a"), derive("reads", "a"));
    }
}
