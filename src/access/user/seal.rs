//! Secrets of second factors on their way to a vehicle.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use plated_core::error::{Error, Kind, Result};
use std::fmt;
use zeroize::Zeroizing;

/// The key under which secrets are sealed for one vehicle. The station derives it and puts it beside
/// the vehicle's certificate; no vehicle opens what is sealed for another.
pub struct SealKey(RandomizedNonceKey);

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

const NONCE: usize = 12;

fn failed(what: &str) -> Error {
    Error::new(Kind::Internal, format!("could not {what} the secret of a second factor"))
}

impl SealKey {
    /// A key of 32 random bytes.
    ///
    /// # Errors
    /// `Internal` when it can't be used.
    pub fn new(key: &[u8; 32]) -> Result<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self).map_err(|_| failed("seal"))
    }

    /// The bytes of the key for this vehicle, from the station's own secret (HKDF-SHA256).
    ///
    /// # Errors
    /// `Internal` when it can't be derived.
    pub fn derive(station_secret: &[u8; 32], vehicle: &str) -> Result<Zeroizing<[u8; 32]>> {
        let mut key = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, b"plated account seal 1")
            .extract(station_secret)
            .expand(&[vehicle.as_bytes()], HKDF_SHA256)
            .and_then(|found| found.fill(&mut *key))
            .map_err(|_| failed("seal"))?;
        Ok(key)
    }

    /// Nonce, ciphertext and tag, in hex digits. It can be opened for the same `owner` only.
    pub(super) fn seal(&self, owner: &str, secret: &[u8]) -> Result<String> {
        let mut bytes = secret.to_vec();
        let nonce =
            self.0.seal_in_place_append_tag(Aad::from(owner.as_bytes()), &mut bytes).map_err(|_| failed("seal"))?;
        Ok(hex::encode([&nonce.as_ref()[..], &bytes].concat()))
    }

    /// The other way.
    pub(super) fn open(&self, owner: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = Zeroizing::new(hex::decode(sealed).ok()?);
        let (nonce, rest) = bytes.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut rest = Zeroizing::new(rest.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(owner.as_bytes()), &mut rest).ok()?.len();
        rest.truncate(length);
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
