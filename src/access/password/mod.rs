//! Passwords: hashed with Argon2id (control P-20), the parameters beside each hash.

mod rules;

pub use rules::PasswordRules;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash};
use aws_lc_rs::rand;
use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// A password as somebody typed it.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Longest password in bytes. What is longer is wrong before anything is computed.
    pub const MAX_BYTES: usize = 1024;

    /// Takes it over; the copy is erased when it is dropped.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(Self::new)
    }
}

/// The hash of a password, a PHC string: `$argon2id$v=19$m=65536,t=3,p=1$SALT$HASH`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// Largest parameters that a hash may have; more could stop a small computer.
const MAX_MEMORY_KIB: u32 = 256 << 10;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 4;

impl TryFrom<String> for PasswordHash {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        let wrong = "a password hash is not one of Argon2id with parameters that this program takes";
        let hash = password_hash::phc::PasswordHash::new(&text).map_err(|_| wrong)?;
        let params = Params::try_from(&hash).map_err(|_| wrong)?;
        let whole = hash.algorithm == argon2::ARGON2ID_IDENT
            && hash.version == Some(Version::V0x13.into())
            && hash.salt.is_some_and(|salt| salt.len() >= 16)
            && hash.hash.is_some_and(|hash| hash.len() == 32)
            && params.m_cost() <= MAX_MEMORY_KIB
            && params.t_cost() <= MAX_PASSES
            && params.p_cost() <= MAX_LANES;
        if whole { Ok(Self(text)) } else { Err(wrong) }
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        hash.0
    }
}

impl PasswordHash {
    fn parsed(&self) -> Option<(password_hash::phc::PasswordHash, Params)> {
        let hash = password_hash::phc::PasswordHash::new(&self.0).ok()?;
        let params = Params::try_from(&hash).ok()?;
        Some((hash, params))
    }

    /// Of no password.
    #[cfg(test)]
    pub(crate) fn example() -> Self {
        none_with(65536, 3)
    }
}

/// A hash that no password has, for names that nobody has.
fn none_with(memory_kib: u32, passes: u32) -> PasswordHash {
    PasswordHash(format!("$argon2id$v=19$m={memory_kib},t={passes},p=1${}${}", "A".repeat(22), "A".repeat(43)))
}

/// Hashes and compares passwords.
#[derive(Debug)]
pub struct Hashing {
    params: Params,
    nobodys: PasswordHash,
    running: Mutex<usize>,
    free: Condvar,
}

/// So many passwords are hashed at a time. Each takes memory and a core, which recognition needs.
const MAX_RUNNING: usize = 2;
/// How long somebody waits for their turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

impl Hashing {
    /// With these parameters, for new hashes and for names that nobody has.
    ///
    /// # Errors
    /// `Config` when they can't be.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self> {
        let params = Params::new(memory_kib, passes, 1, Some(32))
            .map_err(|e| Error::new(Kind::Config, format!("the parameters of password hashes can't be used: {e}")))?;
        let nobodys = none_with(memory_kib, passes);
        Ok(Self { params, nobodys, running: Mutex::new(0), free: Condvar::new() })
    }

    /// # Errors
    /// `Busy` when too many others are being hashed.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash> {
        let mut salt = [0; 16];
        rand::fill(&mut salt).map_err(|_| Error::new(Kind::Internal, "the system gives no random numbers"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let hash: Result<password_hash::phc::PasswordHash, _> =
            self.in_turn(|| argon2.hash_password_with_salt(password.as_str().as_bytes(), &salt))?;
        hash.map(|hash| PasswordHash(hash.to_string())).map_err(failed)
    }

    /// True when it is the password of that hash. Takes as long without a hash, and is false then.
    ///
    /// # Errors
    /// `Busy` when too many others are being hashed.
    pub fn verify(&self, hash: Option<&PasswordHash>, password: &Password) -> Result<bool> {
        if password.as_str().len() > Password::MAX_BYTES {
            return Ok(false);
        }
        let unreadable = || Error::new(Kind::Damaged, "a password hash in the store is none");
        let (parsed, params) = hash.unwrap_or(&self.nobodys).parsed().ok_or_else(unreadable)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        match self.in_turn(|| argon2.verify_password(password.as_str().as_bytes(), &parsed))? {
            Ok(()) => Ok(hash.is_some()),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(e) => Err(failed(e)),
        }
    }

    /// True when the hash was made with smaller parameters than new ones are.
    pub fn is_outdated(&self, hash: &PasswordHash) -> bool {
        let Some((_, params)) = hash.parsed() else { return true };
        params.m_cost() < self.params.m_cost() || params.t_cost() < self.params.t_cost()
    }

    fn in_turn<T>(&self, work: impl FnOnce() -> T) -> Result<T> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut running, late) = self
            .free
            .wait_timeout_while(running, TURN_TIMEOUT, |running| *running >= MAX_RUNNING)
            .unwrap_or_else(PoisonError::into_inner);
        if late.timed_out() {
            return Err(Error::new(Kind::Busy, "too many people log in at this moment; try again"));
        }
        *running += 1;
        drop(running);
        let _turn = Turn(self);
        Ok(work())
    }
}

/// Given back even after a panic.
struct Turn<'a>(&'a Hashing);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.free.notify_one();
    }
}

fn failed(error: password_hash::Error) -> Error {
    Error::new(Kind::Internal, format!("a password could not be hashed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hashing() -> Hashing {
        Hashing::new(64, 1).unwrap()
    }

    // policy: P-20
    #[test]
    fn a_password_is_kept_as_argon2id_with_its_parameters_and_a_salt_of_its_own() {
        let (hashing, password) = (hashing(), Password::new("correct horse battery"));
        let (one, other) = (hashing.hash(&password).unwrap(), hashing.hash(&password).unwrap());
        assert!(one.0.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", one.0);
        assert_ne!(one, other);
        assert!(hashing.verify(Some(&one), &password).unwrap());
        assert!(!hashing.verify(Some(&one), &Password::new("correct horse batterz")).unwrap());
        assert!(!hashing.verify(None, &password).unwrap());
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<PasswordHash>(&text).unwrap(), one);
        assert_eq!(format!("{one:?} {password:?}"), "PasswordHash(..) Password(..)");
    }

    #[test]
    fn a_hash_with_smaller_parameters_still_counts_and_is_known_as_outdated() {
        let (old, new) = (hashing(), Hashing::new(128, 2).unwrap());
        let password = Password::new("correct horse battery");
        let hash = old.hash(&password).unwrap();
        assert!(new.verify(Some(&hash), &password).unwrap());
        assert!(new.is_outdated(&hash) && !old.is_outdated(&hash));
        assert!(!old.is_outdated(&new.hash(&password).unwrap()), "larger ones are kept");
    }

    #[test]
    fn a_password_that_is_too_long_is_wrong_without_being_hashed() {
        let (hashing, long) = (hashing(), Password::new("x".repeat(Password::MAX_BYTES + 1)));
        let hash = hashing.hash(&long).unwrap();
        assert!(!hashing.verify(Some(&hash), &long).unwrap());
    }

    #[test]
    fn a_hash_of_another_kind_or_of_absurd_parameters_is_refused() {
        let good = String::from(PasswordHash::example());
        PasswordHash::try_from(good.clone()).unwrap();
        for (from, to) in [
            ("argon2id", "argon2i"),
            ("m=65536", "m=4000000000"),
            ("t=3", "t=1000"),
            ("p=1", "p=64"),
            ("v=19", "v=16"),
            ("$argon2id$", ""),
            ("AAAAAA", "AA"),
        ] {
            let wrong = good.replace(from, to);
            assert!(wrong != good && PasswordHash::try_from(wrong.clone()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_as_a_hash(text in "\\$?[ -~]{0,120}", cut: prop::sample::Index) {
            let _ = PasswordHash::try_from(text);
            let good = String::from(PasswordHash::example());
            prop_assert!(PasswordHash::try_from(good[..cut.index(good.len())].to_owned()).is_err());
        }
    }
}
