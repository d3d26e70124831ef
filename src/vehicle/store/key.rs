//! The key of the store: 32 random bytes, in a file of the owner or a systemd credential.

use super::settings::Settings;
use plated_core::config_file::is_credential;
use plated_core::digest::{Hasher, Sha256};
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::sealing::{self, SealingKey};
use plated_core::signing::{PublicKey, Purpose, Signer};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// The key of the store. Wiped from memory when dropped; never shown.
pub struct Key(Box<[u8; 32]>); // boxed, so that moving it leaves no copies behind

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Clone for Key {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Key {
    /// Reads the key from `store.key_file`, or, when that is not configured, from the systemd
    /// credential `store.key`.
    ///
    /// [`Kind::Missing`] when there is none, [`Kind::Refused`] when others may read the file,
    /// [`Kind::Input`] when it holds no key.
    pub fn load(config: &Settings) -> Result<Self> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Self::find(config.key_file.as_deref(), credentials.as_deref())
    }

    fn find(key_file: Option<&Path>, credentials: Option<&Path>) -> Result<Self> {
        if let Some(path) = key_file {
            let handed_over = is_credential(path) || credentials.is_some_and(|folder| path.starts_with(folder));
            return Self::read(path, !handed_over);
        }
        match credentials.map(|folder| folder.join("store.key")) {
            // systemd guards its credentials itself, partly by access lists, which show as a
            // group mode.
            Some(path) if path.exists() => Self::read(&path, false),
            _ => Err(Error::new(
                Kind::Missing,
                "there is no key for the store: neither store.key_file is set in the configuration nor is there \
                 a systemd credential \"store.key\". `plated init` makes a key for a new vehicle; for a store \
                 that exists, bring back its key",
            )),
        }
    }

    fn read(path: &Path, owner_only: bool) -> Result<Self> {
        let mut file = File::open(path).map_err(|e| {
            let missing = e.kind() == std::io::ErrorKind::NotFound;
            let advice = if missing {
                "; `plated init` makes a key for a new vehicle; for a store that exists, bring back its key"
            } else {
                ""
            };
            Error::new(Kind::Missing, format!("could not open the store's key {}: {e}{advice}", path.display()))
        })?;
        let mode =
            file.metadata().context(Kind::Missing, || format!("could not look at {}", path.display()))?.mode() & 0o7777;
        if owner_only && mode & 0o077 != 0 {
            return Err(Error::new(
                Kind::Refused,
                format!(
                    "the store's key {} may be read or written by others (mode {mode:04o}); if it was never \
                     exposed, run `chmod 0400 {0}`",
                    path.display()
                ),
            ));
        }
        let mut text = Zeroizing::new([0u8; 80]); // 64 digits and some line end
        let mut len = 0;
        loop {
            match file.read(&mut text[len..]).context(Kind::Input, || format!("could not read {}", path.display()))? {
                0 => break,
                n => len += n,
            }
        }
        let mut bytes = Box::new([0; 32]);
        if hex::decode_to_slice(text[..len].trim_ascii(), &mut *bytes).is_err() {
            bytes.zeroize();
            return Err(Error::new(
                Kind::Input,
                format!("{} holds no key: 64 hex digits on one line are expected", path.display()),
            ));
        }
        Ok(Self(bytes))
    }

    /// Makes a new random key and writes it to `path` with mode 0400, durably.
    ///
    /// A file that exists is never written over ([`Kind::Refused`]): without its old key a
    /// store can't be read again.
    pub fn create_file(path: &Path) -> Result<Self> {
        let mut bytes = Box::new([0; 32]);
        getrandom::fill(&mut *bytes)
            .map_err(|e| Error::new(Kind::Internal, format!("the system gave no random numbers: {e}")))?;
        let key = Self(bytes);
        let mut line = Zeroizing::new([b'\n'; 65]);
        // Can't fail: 32 bytes are 64 digits.
        let _ = hex::encode_to_slice(key.0.as_slice(), &mut line[..64]);
        match durable::write_new(path, &*line, 0o400) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::new(
                Kind::Refused,
                format!("there is already a file {}; a store's key is never written over", path.display()),
            )),
            other => other.context(Kind::Storage, || format!("could not write the store's key {}", path.display())),
        }?;
        Ok(key)
    }

    /// A name for the key that says nothing about it; lies beside the store to tell a wrong key
    /// from a damaged file. One-way, and a random 256-bit key can't be guessed from it.
    pub(super) fn fingerprint(&self) -> String {
        Hasher::new().with(b"plated store key id 1\0").with(self.0.as_slice()).finish().to_string()
    }

    /// A digest of a text that only who has the key can compare with a guess.
    pub(super) fn keyed_digest(&self, name: &str, text: &str) -> Sha256 {
        let hasher = Hasher::new().with(b"plated configuration 1\0").with(self.0.as_slice());
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes();
        hasher.with(&length).with(name.as_bytes()).with(text.as_bytes()).finish()
    }

    /// Signs the indexes of lists. Derived, so that only who has the store's key can make one that counts.
    pub(super) fn index_signer(&self) -> Result<Signer> {
        Signer::derived(&self.0, Purpose::HOTLIST_INDEX)
    }

    /// Signs what officers found about entries.
    pub(super) fn finding_signer(&self) -> Result<Signer> {
        Signer::derived(&self.0, Purpose::VEHICLE_FINDING)
    }

    /// Signs results of performance tests.
    pub(super) fn performance_signer(&self) -> Result<Signer> {
        Signer::derived(&self.0, Purpose::PERFORMANCE_TEST)
    }

    /// By this key others know heads that this vehicle signed.
    ///
    /// # Errors
    /// `Internal` when it can't be derived.
    pub fn audit_public_key(&self) -> Result<PublicKey> {
        Ok(self.audit_signer()?.public_key())
    }

    /// Signs the head of the audit log. Whoever has the store's key has the log: others trust a head by
    /// when the station got it.
    pub(super) fn audit_signer(&self) -> Result<Signer> {
        Signer::derived(&self.0, Purpose::AUDIT_HEAD)
    }

    /// Seals the certificate that the vehicle renewed, with its key, in the file beside the store.
    ///
    /// # Errors
    /// `Internal` when it can't be derived.
    pub fn identity_key(&self) -> Result<SealingKey> {
        SealingKey::new(&*sealing::derive(&self.0, "plated vehicle identity 1", "")?)
    }

    /// Seals what the station handed out, in files beside the store.
    ///
    /// # Errors
    /// `Internal` when it can't be derived.
    pub fn provision_key(&self) -> Result<SealingKey> {
        SealingKey::new(&*sealing::derive(&self.0, "plated provision 1", "")?)
    }

    /// The key as SQLCipher takes raw keys: `x'…'` with 64 hex digits.
    pub(super) fn sqlcipher(&self) -> Zeroizing<[u8; 67]> {
        let mut text = Zeroizing::new([b'\''; 67]);
        text[0] = b'x';
        let _ = hex::encode_to_slice(self.0.as_slice(), &mut text[2..66]);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_key_is_for_the_owner_alone_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.key");
        let made = Key::create_file(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o400);
        assert_eq!(Key::find(Some(&path), None).unwrap().fingerprint(), made.fingerprint());
        assert!(!made.fingerprint().contains(&hex::encode(*made.0)));
        assert_eq!(format!("{made:?}"), "Key(..)");
    }

    #[test]
    fn a_key_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.key");
        Key::create_file(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert_eq!(Key::create_file(&path).unwrap_err().kind(), Kind::Refused);
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.key");
        Key::create_file(&path).unwrap();
        for mode in [0o440, 0o604, 0o620] {
            set_mode(&path, mode);
            let err = Key::find(Some(&path), None).unwrap_err();
            assert_eq!(err.kind(), Kind::Refused);
            assert!(err.chain().contains(&format!("{mode:04o}")) && err.chain().contains("chmod 0400"), "{err}");
        }
        set_mode(&path, 0o600);
        Key::find(Some(&path), None).unwrap();
    }

    #[test]
    fn a_systemd_credential_serves_when_no_file_is_configured() {
        let dir = tempfile::tempdir().unwrap();
        let made = Key::create_file(&dir.path().join("store.key")).unwrap();
        set_mode(&dir.path().join("store.key"), 0o440);
        assert_eq!(Key::find(None, Some(dir.path())).unwrap().fingerprint(), made.fingerprint());
        // As `key_file = "%d/store.key"` says it.
        Key::find(Some(&dir.path().join("store.key")), Some(dir.path())).unwrap();
    }

    #[test]
    fn a_missing_key_says_how_to_make_one() {
        let dir = tempfile::tempdir().unwrap();
        for err in
            [Key::find(None, None), Key::find(Some(&dir.path().join("k")), None), Key::find(None, Some(dir.path()))]
        {
            let err = err.unwrap_err();
            assert_eq!(err.kind(), Kind::Missing);
            assert!(err.chain().contains("plated init"), "{err}");
        }
    }

    #[test]
    fn a_file_without_a_key_is_refused_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.key");
        for text in ["", "secret", &"a".repeat(63), &"g".repeat(64), &"ab".repeat(33), &"ab".repeat(500)] {
            let _ = std::fs::remove_file(&path);
            durable::write_new(&path, text.as_bytes(), 0o400).unwrap();
            let err = Key::find(Some(&path), None).unwrap_err();
            assert_eq!(err.kind(), Kind::Input);
            assert!(text.is_empty() || !err.chain().contains(text));
        }
    }
}
