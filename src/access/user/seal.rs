//! Secrets of second factors on their way to a vehicle.

use plated_core::error::{Context, Error, Kind, Result};
use plated_core::sealing::{SealingKey, derive};
use plated_core::tls::write_new;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Name of the station's file of the secret, and of a vehicle's file of its key.
const FILE: &str = "seal.key";

/// The station's secret, from which the keys of its vehicles are derived. Never shown.
pub struct SealSecret(Zeroizing<[u8; 32]>);

impl fmt::Debug for SealSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealSecret(..)")
    }
}

impl SealSecret {
    /// Makes a new one in a file that must not exist yet, for the owner alone.
    ///
    /// # Errors
    /// `Refused` when the file exists.
    pub fn create_file(path: &Path) -> Result<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut *secret)
            .map_err(|_| Error::new(Kind::Internal, "the system gave no random numbers"))?;
        write(path, &secret)?;
        Ok(Self(secret))
    }

    /// The one in this file.
    ///
    /// # Errors
    /// `Missing` when there is none, `Refused` when others may read it, `Config` when it holds none.
    pub fn load(path: &Path) -> Result<Self> {
        read(path).map(Self)
    }

    /// The key of a vehicle.
    ///
    /// # Errors
    /// `Internal` when it can't be derived.
    pub fn of_vehicle(&self, vehicle: &str) -> Result<SealKey> {
        SealKey::new(&*SealKey::derive(&self.0, vehicle)?)
    }

    /// Puts the key of a vehicle beside its certificate, where the station in the folder `station` has a secret and none
    /// is there yet; gives its path.
    ///
    /// # Errors
    /// What keeps the secret from being read or the key from being written.
    pub fn give(station: &Path, vehicle: &str, folder: &Path) -> Result<Option<PathBuf>> {
        let (from, to) = (station.join(FILE), folder.join(FILE));
        if !from.exists() || to.exists() {
            return Ok(None);
        }
        write(&to, &*SealKey::derive(&*read(&from)?, vehicle)?)?;
        Ok(Some(to))
    }
}

fn write(path: &Path, key: &[u8; 32]) -> Result<()> {
    let line = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(key))));
    write_new(path, line.as_bytes(), 0o400)
}

fn read(path: &Path) -> Result<Zeroizing<[u8; 32]>> {
    let failed = || format!("could not read the key {}; the station gives it with the certificate", path.display());
    let text = Zeroizing::new(std::fs::read(path).context(Kind::Missing, failed)?);
    let mode = std::fs::metadata(path).context(Kind::Missing, failed)?.mode();
    if !plated_core::config_file::is_credential(path) && mode & 0o077 != 0 {
        let message = format!("others may read the key {0}; make it the owner's alone: chmod 400 {0}", path.display());
        return Err(Error::new(Kind::Refused, message));
    }
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), &mut *key)
        .map_err(|_| Error::new(Kind::Config, format!("{} holds no key of 64 hex digits", path.display())))?;
    Ok(key)
}

/// The key under which secrets are sealed for one vehicle. The station derives it and puts it beside
/// the vehicle's certificate; no vehicle opens what is sealed for another.
pub struct SealKey(SealingKey);

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

impl SealKey {
    /// A key of 32 random bytes.
    ///
    /// # Errors
    /// `Internal` when it can't be used.
    pub fn new(key: &[u8; 32]) -> Result<Self> {
        SealingKey::new(key).map(Self)
    }

    /// The key in a vehicle's file.
    ///
    /// # Errors
    /// `Missing` when there is none, `Refused` when others may read it, `Config` when it holds none.
    pub fn load(path: &Path) -> Result<Self> {
        Self::new(&*read(path)?)
    }

    /// The bytes of the key for this vehicle, from the station's own secret (HKDF-SHA256).
    ///
    /// # Errors
    /// `Internal` when it can't be derived.
    pub fn derive(station_secret: &[u8; 32], vehicle: &str) -> Result<Zeroizing<[u8; 32]>> {
        derive(station_secret, "plated account seal 1", vehicle)
    }

    /// Nonce, ciphertext and tag, in hex digits. It can be opened for the same `owner` only.
    pub(super) fn seal(&self, owner: &str, secret: &[u8]) -> Result<String> {
        self.0.seal(owner, secret).map(hex::encode)
    }

    /// The other way.
    pub(super) fn open(&self, owner: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.0.open(owner, &hex::decode(sealed).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vehicle_is_given_the_key_for_which_the_station_seals() {
        let dir = tempfile::tempdir().unwrap();
        let (station, vehicle) = (dir.path().join("station"), dir.path().join("vehicle"));
        [&station, &vehicle].into_iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        assert_eq!(SealSecret::give(&station, "car-1", &vehicle).unwrap(), None, "this station has none");
        let secret = SealSecret::create_file(&station.join("seal.key")).unwrap();
        let given = SealSecret::give(&station, "car-1", &vehicle).unwrap().unwrap();
        assert_eq!(SealSecret::give(&station, "car-1", &vehicle).unwrap(), None, "it has one");
        let sealed = secret.of_vehicle("car-1").unwrap().seal("jdoe", b"secret").unwrap();
        assert_eq!(**SealKey::load(&given).unwrap().open("jdoe", &sealed).unwrap(), *b"secret");
        assert!(SealSecret::load(&station.join("seal.key")).is_ok());
        assert_ne!(std::fs::read(given).unwrap(), std::fs::read(station.join("seal.key")).unwrap());
    }

    #[test]
    fn what_is_sealed_opens_for_its_vehicle_and_its_owner_only() {
        let key = |vehicle| SealKey::new(&SealKey::derive(&[7; 32], vehicle).unwrap()).unwrap();
        let (one, other) = (key("car-1"), key("car-2"));
        let sealed = one.seal("jdoe", b"secret").unwrap();
        assert!(!sealed.contains(&hex::encode("secret")));
        assert_eq!(**one.open("jdoe", &sealed).unwrap(), *b"secret");
        assert_eq!(**key("car-1").open("jdoe", &sealed).unwrap(), *b"secret");
        assert!(one.open("asmith", &sealed).is_none() && other.open("jdoe", &sealed).is_none());
        for wrong in ["", "00", "zz", &sealed[2..], &format!("{sealed}00")] {
            assert!(one.open("jdoe", wrong).is_none(), "{wrong}");
        }
        assert_ne!(one.seal("jdoe", b"secret").unwrap(), sealed, "each time under another nonce");
    }
}
