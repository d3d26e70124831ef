//! Who built an index: Ed25519.

use crate::error::{Context, Error, Kind, Result};
use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// A public key, in bytes.
pub type PublicKey = [u8; 32];
/// A signature, in bytes.
pub type Signature = [u8; 64];

/// The key of somebody who builds indexes. Never shown.
pub struct Signer(Ed25519KeyPair);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", hex::encode(self.public_key()))
    }
}

impl Signer {
    /// A new key, which lives as long as this value.
    ///
    /// # Errors
    /// `Internal` when the system gives no random numbers.
    pub fn generate() -> Result<Self> {
        Ed25519KeyPair::generate().map(Self).map_err(|_| Error::new(Kind::Internal, "could not make a signing key"))
    }

    /// The key in the file `path`: its 32 secret bytes in 64 hex digits, mode 0400. When there is
    /// no such file, a new key is made and put there.
    ///
    /// # Errors
    /// `Refused` when others may read the file, `Input` when it holds no key, `Storage` or
    /// `Missing` when it can't be written or read.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                let mode = std::fs::metadata(path).map_or(0o777, |m| m.mode() & 0o7777);
                if mode & 0o077 != 0 {
                    let said = format!(
                        "the signing key {} may be read or written by others (mode {mode:04o}); remove it, and a \
                         new one is made",
                        path.display()
                    );
                    return Err(Error::new(Kind::Refused, said));
                }
                let mut seed = Zeroizing::new([0; 32]);
                let key = hex::decode_to_slice(text.trim(), &mut *seed)
                    .ok()
                    .and_then(|()| Ed25519KeyPair::from_seed_unchecked(&*seed).ok());
                key.map(Self).ok_or_else(|| {
                    Error::new(Kind::Input, format!("{} holds no signing key of 64 hex digits", path.display()))
                })
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let signer = Self::generate()?;
                let seed = signer.0.seed().map_err(|_| Error::new(Kind::Internal, "a new key can't be written"))?;
                let seed = seed.as_be_bytes().map_err(|_| Error::new(Kind::Internal, "a new key can't be written"))?;
                let text = Zeroizing::new(hex::encode(Zeroizing::new(seed.as_ref().to_vec())));
                let mut options = OpenOptions::new();
                options
                    .write(true)
                    .create_new(true)
                    .mode(0o400)
                    .open(path)
                    .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
                    .context(Kind::Storage, || format!("could not write the signing key {}", path.display()))?;
                Ok(signer)
            }
            Err(e) => Err(e).context(Kind::Missing, || format!("could not read the signing key {}", path.display())),
        }
    }

    /// The part that others may know, to trust what this signer builds.
    pub fn public_key(&self) -> PublicKey {
        self.0.public_key().as_ref().try_into().unwrap_or_default()
    }

    pub(super) fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(message).as_ref().try_into().unwrap_or([0; 64])
    }
}

/// Whose indexes are accepted.
#[derive(Clone, Debug, Default)]
pub struct Trust(Vec<PublicKey>);

impl Trust {
    /// Nobody's but theirs.
    pub fn only(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// The reason, when `signature` is not one of a trusted key over `message`.
    pub(super) fn check(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), &'static str> {
        if !self.0.contains(key) {
            return Err("it was built by somebody whose key is not trusted here");
        }
        UnparsedPublicKey::new(&ED25519, key)
            .verify(message, signature)
            .map_err(|_| "its signature is wrong: it was changed after it was built")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_for_the_owner_alone_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hotlist.key");
        let made = Signer::load_or_create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o400);
        let again = Signer::load_or_create(&path).unwrap();
        assert_eq!(made.public_key(), again.public_key());
        let signature = again.sign(b"list");
        let trust = Trust::only([made.public_key()]);
        assert_eq!(trust.check(&made.public_key(), b"list", &signature), Ok(()));
        assert!(trust.check(&made.public_key(), b"lisp", &signature).is_err());
        assert!(Trust::default().check(&made.public_key(), b"list", &signature).is_err());
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hotlist.key");
        Signer::load_or_create(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert_eq!(Signer::load_or_create(&path).unwrap_err().kind(), Kind::Refused);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "secret").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        let said = Signer::load_or_create(&path).unwrap_err();
        assert!(said.kind() == Kind::Input && !said.chain().contains("secret"));
    }
}
