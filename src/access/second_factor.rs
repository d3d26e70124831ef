//! The second factor: codes by time (TOTP, RFC 6238), and recovery codes for when the phone is gone.

use crate::login_name::LoginName;
use aws_lc_rs::rand;
use jiff::Timestamp;
use plated_core::digest::{Hasher, Sha256};
use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

/// Number of recovery codes that somebody gets.
pub const RECOVERY_CODES: usize = 10;
/// Seconds for which a code is shown. One of the step before or after counts too.
const STEP: i64 = 30;
/// Characters of a recovery code, 5 bits each; without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters in a recovery code: 80 bits, so that a plain hash of it can't be searched.
const CODE_CHARS: usize = 16;

/// The secret that the authenticator app shares.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Secret(Zeroizing<[u8; 20]>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl TryFrom<String> for Secret {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        let text = Zeroizing::new(text);
        let mut bytes = Zeroizing::new([0; 20]);
        hex::decode_to_slice(&*text, &mut *bytes).map_err(|_| "the secret of a second factor is not 40 hex digits")?;
        Ok(Self(bytes))
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        hex::encode(*secret.0)
    }
}

impl Secret {
    /// A new one.
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 20]);
        fill(&mut *bytes)?;
        Ok(Self(bytes))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &*self.0
    }

    fn totp(&self, name: &LoginName, issuer: &str) -> Result<Totp> {
        let issuer = issuer.replace(':', " ");
        Builder::new()
            .with_secret(*self.0)
            .with_account_name(name.as_str())
            .with_issuer(Some(issuer))
            .build()
            .map_err(|_| Error::new(Kind::Internal, "a second factor could not be made"))
    }

    /// What the authenticator app is given.
    pub(crate) fn enrolment(&self, name: &LoginName, issuer: &str) -> Result<Enrolment> {
        let totp = self.totp(name, issuer)?;
        let failed = |_| Error::new(Kind::Internal, "the address for the authenticator app could not be made");
        Ok(Enrolment { secret: totp.secret().to_base32().into(), url: totp.to_url().map_err(failed)?.into() })
    }

    /// The step of time that `code` is for, if it is one of now.
    pub(crate) fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        let seconds = u64::try_from(now.as_second()).ok()?;
        Builder::new().with_secret(*self.0).build().ok()?.check(code, seconds)
    }
}

/// What the authenticator app is given, once.
#[derive(Clone)]
pub struct Enrolment {
    /// The secret in base 32, for typing it in.
    pub secret: Zeroizing<String>,
    /// The same as an `otpauth://` address, for a QR code.
    pub url: Zeroizing<String>,
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment(..)")
    }
}

/// A second factor as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// For the codes by time.
    pub secret: Secret,
    /// Hashes of recovery codes.
    pub recovery: Vec<Sha256>,
}

/// Codes that were used and don't count again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The newest step of time whose code was used.
    pub step: u64,
    /// Hashes of used recovery codes.
    #[serde(default)]
    pub codes: Vec<Sha256>,
}

impl Spent {
    /// Those that were not used.
    pub(crate) fn left_of(&self, recovery: &[Sha256]) -> Vec<Sha256> {
        recovery.iter().filter(|code| !self.codes.contains(code)).copied().collect()
    }
}

/// Why a code does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongCode {
    /// It is none, or not one of now.
    Wrong,
    /// It was used.
    Used,
    /// It is one of now, but this computer's clock is behind the time of a code that was used before.
    ClockBehind,
}

impl fmt::Display for WrongCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wrong => "the code is wrong; give the one that the authenticator app shows now, or a recovery code",
            Self::Used => "this code was used already; wait for the next one",
            Self::ClockBehind => {
                "this computer's clock is behind the time of your last code; give a recovery code, and have the \
                 clock set"
            }
        })
    }
}

impl SecondFactor {
    /// Checks a code by time, or a recovery code, and notes it as used.
    pub(crate) fn check(
        &self,
        name: &LoginName,
        code: &str,
        now: Timestamp,
        spent: &mut Spent,
    ) -> Result<(), WrongCode> {
        let code: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(CODE_CHARS + 1).collect();
        if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
            let step = self.secret.step_of(&code, now).ok_or(WrongCode::Wrong)?;
            if step <= spent.step {
                let behind = now.as_second() / STEP + 1 < i64::try_from(spent.step).unwrap_or(i64::MAX);
                return Err(if behind { WrongCode::ClockBehind } else { WrongCode::Used });
            }
            spent.step = step;
            return Ok(());
        }
        let hash = hash_of(name, &normal(&code).ok_or(WrongCode::Wrong)?);
        if !self.recovery.contains(&hash) {
            return Err(WrongCode::Wrong);
        }
        if spent.codes.contains(&hash) {
            return Err(WrongCode::Used);
        }
        spent.codes.push(hash);
        Ok(())
    }
}

/// New recovery codes, to be shown once, and their hashes.
pub(crate) fn recovery_codes(name: &LoginName) -> Result<(Vec<String>, Vec<Sha256>)> {
    let (mut shown, mut hashes) = (Vec::new(), Vec::new());
    for _ in 0..RECOVERY_CODES {
        let mut random = Zeroizing::new([0; CODE_CHARS]);
        fill(&mut *random)?;
        let code: Vec<u8> = random.iter().map(|b| ALPHABET[usize::from(b % 32)]).collect();
        let code = String::from_utf8_lossy(&code).into_owned();
        hashes.push(hash_of(name, &code));
        let groups: Vec<&str> = (0..CODE_CHARS / 4).map(|n| &code[4 * n..4 * n + 4]).collect();
        shown.push(groups.join("-"));
    }
    Ok((shown, hashes))
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    rand::fill(bytes).map_err(|_| Error::new(Kind::Internal, "the system gives no random numbers"))
}

/// A recovery code as it was made, whatever capitals and look-alikes somebody typed.
fn normal(code: &str) -> Option<String> {
    let code: String = code
        .chars()
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    (code.len() == CODE_CHARS && code.bytes().all(|b| ALPHABET.contains(&b))).then_some(code)
}

fn hash_of(name: &LoginName, code: &str) -> Sha256 {
    Hasher::new()
        .with(b"plated recovery code 1\n")
        .with(name.as_str().as_bytes())
        .with(b"\n")
        .with(code.as_bytes())
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn jdoe() -> LoginName {
        LoginName::new("jdoe").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// What an authenticator app shows then.
    fn shown(secret: &Secret, second: i64) -> String {
        secret.totp(&jdoe(), "x").unwrap().generate(second as u64).to_string()
    }

    fn factor() -> SecondFactor {
        SecondFactor { secret: Secret::from_bytes(b"12345678901234567890").unwrap(), recovery: Vec::new() }
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = factor().secret;
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            assert_eq!(secret.step_of(code, at(second)), Some(second as u64 / 30), "{second}");
        }
    }

    // policy: P-20
    #[test]
    fn a_code_counts_one_step_early_or_late_and_only_once() {
        let (factor, now) = (factor(), 1_800_000_000);
        for (late, counts) in [(0, true), (-30, true), (30, true), (-61, false), (61, false)] {
            let code = shown(&factor.secret, now + late);
            let mut spent = Spent::default();
            assert_eq!(factor.check(&jdoe(), &code, at(now), &mut spent).is_ok(), counts, "{late} s");
            if counts {
                let again = factor.check(&jdoe(), &code, at(now), &mut spent);
                assert_eq!(again, Err(WrongCode::Used), "{late} s");
            }
        }
        let mut spent = Spent::default();
        factor.check(&jdoe(), &shown(&factor.secret, now), at(now), &mut spent).unwrap();
        let before = shown(&factor.secret, now - 30);
        assert_eq!(factor.check(&jdoe(), &before, at(now), &mut spent), Err(WrongCode::Used), "nor one of before");
        let behind = now - 3600;
        let code = shown(&factor.secret, behind);
        assert_eq!(factor.check(&jdoe(), &code, at(behind), &mut spent), Err(WrongCode::ClockBehind));
    }

    // policy: P-20
    #[test]
    fn each_of_ten_recovery_codes_counts_once_however_it_is_typed() {
        let (shown, recovery) = recovery_codes(&jdoe()).unwrap();
        let factor = SecondFactor { recovery, ..factor() };
        let mut spent = Spent::default();
        assert_eq!((shown.len(), shown[0].len()), (10, 19));
        for (n, code) in shown.iter().enumerate() {
            let typed = if n % 2 == 0 { code.clone() } else { code.to_lowercase().replace('-', " ").replace('0', "o") };
            factor.check(&jdoe(), &typed, at(0), &mut spent).unwrap();
            assert_eq!(factor.check(&jdoe(), code, at(0), &mut spent), Err(WrongCode::Used));
            assert_eq!(spent.left_of(&factor.recovery).len(), 9 - n);
        }
        let other = LoginName::new("asmith").unwrap();
        let hers = factor.check(&other, &shown[0], at(0), &mut Spent::default());
        assert_eq!(hers, Err(WrongCode::Wrong), "another person's");
    }

    #[test]
    fn what_the_app_is_given_names_account_and_agency() {
        let enrolment = factor().secret.enrolment(&jdoe(), "Example PD: north").unwrap();
        assert!(enrolment.url.starts_with("otpauth://totp/Example%20PD"), "{}", *enrolment.url);
        assert!(enrolment.url.contains("jdoe") && enrolment.url.contains(&*enrolment.secret));
        assert_eq!(format!("{enrolment:?} {:?}", factor().secret), "Enrolment(..) Secret(..)");
    }

    proptest! {
        #[test]
        fn no_text_is_a_code_by_chance_or_panics(text in "\\PC{0,40}", second in -10_i64..4_000_000_000) {
            let (factor, mut spent) = (factor(), Spent::default());
            if shown(&factor.secret, second.max(0)) != text {
                prop_assert!(text.len() == 6 || factor.check(&jdoe(), &text, at(second), &mut spent).is_err());
            }
        }
    }
}
