//! Ed25519 signatures: who made a file or a message, and what for.
//!
//! What is signed is the [`Purpose`] and the message, so that a signature that was made for one
//! purpose never counts for another.
//!
//! Keys are text files: 64 hex digits, mode 0400 for the secret one. A file of public keys holds
//! one on each line, so that a new key can be trusted before the old one is given up.

use crate::config_file::is_credential;
use crate::durable;
use crate::error::{Context, Error, Kind, Result};
use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What a signature is for. `plated PURPOSE\n` stands in front of each message that is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose(&'static str);

impl Purpose {
    /// The index of a hotlist in the vehicle.
    pub const HOTLIST_INDEX: Self = Self("hotlist index");
    /// The station's manifest of hotlists.
    pub const HOTLIST_MANIFEST: Self = Self("hotlist manifest");
    /// The last row of an audit log.
    pub const AUDIT_HEAD: Self = Self("audit head");
    /// The accounts that the station hands out.
    pub const USERS: Self = Self("users");
    /// What an agency sets for its vehicles.
    pub const AGENCY_SETTINGS: Self = Self("agency settings");
    /// The models that the station hands out.
    pub const MODELS: Self = Self("models");
    /// What a station holds durably of a batch.
    pub const RECEIPT: Self = Self("receipt");
    /// What a purge of the station deleted.
    pub const DELETION: Self = Self("certificate of deletion");
    /// What somebody in a vehicle found about an entry, by the vehicle.
    pub const VEHICLE_FINDING: Self = Self("vehicle finding");
    /// The findings that the station hands out.
    pub const FINDINGS: Self = Self("findings");
    /// The report of an audit.
    pub const AUDIT_REPORT: Self = Self("audit report");
    /// An archive of evidence that a station exported.
    pub const EVIDENCE: Self = Self("evidence");
    /// The result of a performance test.
    pub const PERFORMANCE_TEST: Self = Self("performance test");

    fn with(self, message: &[u8]) -> Vec<u8> {
        [b"plated ", self.0.as_bytes(), b"\n", message].concat()
    }
}

/// A public key, in bytes.
pub type PublicKey = [u8; 32];
/// A signature, in bytes.
pub type Signature = [u8; 64];

/// The key of somebody who signs. Never shown.
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

    /// The key that belongs to this secret and purpose: always the same, and it tells nothing of the
    /// secret (HKDF-SHA256).
    ///
    /// # Errors
    /// `Internal` when it can't be derived.
    pub fn derived(secret: &[u8; 32], purpose: Purpose) -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, b"plated signing key 1")
            .extract(secret)
            .expand(&[purpose.0.as_bytes()], HKDF_SHA256)
            .and_then(|key| key.fill(&mut *seed))
            .ok()
            .and_then(|()| Ed25519KeyPair::from_seed_unchecked(&*seed).ok())
            .map(Self)
            .ok_or_else(|| Error::new(Kind::Internal, "could not derive a signing key"))
    }

    /// Makes a new key and puts it into `path`, which must not exist yet, for the owner alone.
    ///
    /// # Errors
    /// `Storage` when it can't be written.
    pub fn create_file(path: &Path) -> Result<Self> {
        let signer = Self::generate()?;
        let unusable = || Error::new(Kind::Internal, "a new signing key can't be written");
        let seed = signer.0.seed().map_err(|_| unusable())?;
        let seed = seed.as_be_bytes().map_err(|_| unusable())?;
        let text = Zeroizing::new(hex::encode(Zeroizing::new(seed.as_ref().to_vec())));
        write_new(path, &text, 0o400)?;
        Ok(signer)
    }

    /// The key in the file `path`.
    ///
    /// # Errors
    /// `Missing` when there is none, `Refused` when others may read it, `Config` when it holds no
    /// key.
    pub fn load(path: &Path) -> Result<Self> {
        let failed = || format!("could not read the signing key {}", path.display());
        let text = Zeroizing::new(std::fs::read_to_string(path).context(Kind::Missing, failed)?);
        let mode = std::fs::metadata(path).context(Kind::Missing, failed)?.mode();
        if !is_credential(path) && mode & 0o077 != 0 {
            return Err(Error::new(
                Kind::Refused,
                format!(
                    "others may read the signing key {0}; make it the owner's alone: chmod 400 {0}",
                    path.display()
                ),
            ));
        }
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut *seed)
            .ok()
            .and_then(|()| Ed25519KeyPair::from_seed_unchecked(&*seed).ok())
            .map(Self)
            .ok_or_else(|| Error::new(Kind::Config, format!("{} holds no key of 64 hex digits", path.display())))
    }

    /// The part that others may know, to trust what this signer makes.
    pub fn public_key(&self) -> PublicKey {
        self.0.public_key().as_ref().try_into().unwrap_or_default()
    }

    /// Signs these bytes for this purpose.
    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> Signature {
        self.0.sign(&purpose.with(message)).as_ref().try_into().unwrap_or([0; 64])
    }
}

/// Writes the file of a public key, which must not exist yet.
pub fn write_public(path: &Path, key: &PublicKey) -> Result<()> {
    write_new(path, &hex::encode(key), 0o444)
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<()> {
    let line = Zeroizing::new(format!("{text}\n"));
    durable::write_new(path, line.as_bytes(), mode)
        .context(Kind::Storage, || format!("could not write the key {}", path.display()))
}

/// Whose signatures count.
#[derive(Clone, Debug, Default)]
pub struct Trust(Vec<PublicKey>);

impl Trust {
    /// Nobody's but theirs.
    pub fn only(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// The public keys in a file, one on each line.
    ///
    /// # Errors
    /// `Config` when it can't be read or a line is no key.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).context(Kind::Config, || {
            format!(
                "could not read the station's public key {}; `plated-station vehicle issue` puts it beside the certificate",
                path.display()
            )
        })?;
        let mut keys = Vec::new();
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let mut key = [0; 32];
            hex::decode_to_slice(line.trim(), &mut key).map_err(|_| {
                let message = format!("{} line {}: this is no public key of 64 hex digits", path.display(), n + 1);
                Error::new(Kind::Config, message)
            })?;
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(Error::new(Kind::Config, format!("{} holds no public key", path.display())));
        }
        Ok(Self(keys))
    }

    /// The reason, when `signature` is not one of a trusted key over `message` for this purpose.
    pub fn check(
        &self,
        key: &PublicKey,
        purpose: Purpose,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), &'static str> {
        if !self.0.contains(key) {
            return Err("it is signed by somebody whose key is not trusted here");
        }
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&purpose.with(message), signature)
            .map_err(|_| "its signature is wrong: it was changed after it was signed")
    }
}

/// Files of a station's public keys: of its hotlists, of its receipts, and of media for it.
const PUBLIC_KEYS: [&str; 3] = ["hotlist.pub", "receipt.pub", "medium.pub"];

/// Puts the station's public keys beside a vehicle's certificate, those that there are; gives their paths.
pub fn give_public_keys(station: &Path, vehicle: &Path) -> Result<Vec<PathBuf>> {
    let mut given = Vec::new();
    for (from, to) in PUBLIC_KEYS.map(|name| (station.join(name), vehicle.join(name))) {
        if from.exists() && !to.exists() {
            let text = std::fs::read(&from).context(Kind::Config, || format!("could not read {}", from.display()))?;
            crate::tls::write_new(&to, &text, 0o444)?;
            given.push(to);
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_the_owners_alone_is_found_again_and_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hotlist.key");
        let made = Signer::create_file(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o400);
        assert_eq!(Signer::load(&path).unwrap().public_key(), made.public_key());
        assert!(Signer::create_file(&path).is_err());
        assert_eq!(Signer::load(&path).unwrap().public_key(), made.public_key());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert!(Signer::load(&path).unwrap_err().chain().contains("chmod 400"));
    }

    #[test]
    fn only_trusted_keys_count_and_only_over_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hotlist.pub");
        let (old, new, other) = (Signer::generate().unwrap(), Signer::generate().unwrap(), Signer::generate().unwrap());
        let text = format!("{}\n\n{}\n", hex::encode(old.public_key()), hex::encode(new.public_key()));
        std::fs::write(&path, text).unwrap();
        let trust = Trust::load(&path).unwrap();
        let purpose = Purpose::HOTLIST_MANIFEST;
        let check = |key: &Signer, purpose, message: &[u8], by: &Signer| {
            trust.check(&key.public_key(), purpose, message, &by.sign(Purpose::HOTLIST_MANIFEST, b"list"))
        };
        for signer in [&old, &new] {
            assert_eq!(check(signer, purpose, b"list", signer), Ok(()));
            assert!(check(signer, purpose, b"lisp", signer).is_err());
            assert!(check(signer, Purpose::HOTLIST_INDEX, b"list", signer).is_err(), "for another purpose");
        }
        assert!(check(&other, purpose, b"list", &other).is_err());
        assert!(check(&old, purpose, b"list", &other).is_err());
        std::fs::write(&path, "abc\n").unwrap();
        assert!(Trust::load(&path).unwrap_err().chain().contains("line 1"));
        std::fs::write(&path, "\n").unwrap();
        assert!(Trust::load(&path).is_err());
    }

    #[test]
    fn a_derived_key_is_always_the_same_and_another_one_for_each_secret_and_purpose() {
        let key = |secret: u8, purpose| Signer::derived(&[secret; 32], purpose).unwrap().public_key();
        assert_eq!(key(7, Purpose::HOTLIST_INDEX), key(7, Purpose::HOTLIST_INDEX));
        assert_ne!(key(7, Purpose::HOTLIST_INDEX), key(8, Purpose::HOTLIST_INDEX));
        assert_ne!(key(7, Purpose::HOTLIST_INDEX), key(7, Purpose::HOTLIST_MANIFEST));
    }
}
