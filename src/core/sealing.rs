//! Small secrets that are kept or travel encrypted: AES-256-GCM with a random nonce in front.

use crate::error::{Error, Kind, Result};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use std::fmt;
use zeroize::Zeroizing;

const NONCE: usize = 12;

/// A key for secrets. Never shown.
pub struct SealingKey(RandomizedNonceKey);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

fn failed() -> Error {
    Error::new(Kind::Internal, "a secret could not be sealed")
}

/// The bytes of the key that belongs to this secret, use and name: always the same, and they tell nothing of the secret
/// (HKDF-SHA256).
///
/// # Errors
/// `Internal` when they can't be derived.
pub fn derive(secret: &[u8; 32], used_for: &str, name: &str) -> Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, used_for.as_bytes())
        .extract(secret)
        .expand(&[name.as_bytes()], HKDF_SHA256)
        .and_then(|found| found.fill(&mut *key))
        .map_err(|_| failed())?;
    Ok(key)
}

impl SealingKey {
    /// A key of these bytes.
    ///
    /// # Errors
    /// `Internal` when it can't be used.
    pub fn new(key: &[u8; 32]) -> Result<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self).map_err(|_| failed())
    }

    /// Nonce, ciphertext and tag. It can be opened for the same `owner` only.
    ///
    /// # Errors
    /// `Internal` when it can't be sealed.
    pub fn seal(&self, owner: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let mut bytes = secret.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(owner.as_bytes()), &mut bytes).map_err(|_| failed())?;
        Ok([&nonce.as_ref()[..], &bytes].concat())
    }

    /// The other way; none when it was sealed by another key, for another owner, or changed since.
    pub fn open(&self, owner: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE)?;
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
    fn what_is_sealed_opens_by_its_key_for_its_owner_only_and_not_when_a_byte_was_changed() {
        let key = |name| SealingKey::new(&derive(&[7; 32], "a test", name).unwrap()).unwrap();
        let sealed = key("one").seal("owner", b"secret").unwrap();
        assert_eq!(**key("one").open("owner", &sealed).unwrap(), *b"secret");
        assert!(key("two").open("owner", &sealed).is_none() && key("one").open("other", &sealed).is_none());
        for n in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[n] ^= 1;
            assert!(key("one").open("owner", &changed).is_none(), "byte {n}");
            assert!(key("one").open("owner", &sealed[..n]).is_none(), "cut off at {n}");
        }
    }
}
