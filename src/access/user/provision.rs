//! The accounts that the station hands out to a vehicle: a signed document with a serial.

use super::{Account, ManagedBy, SealKey, User};
use crate::second_factor::{SecondFactor, Secret};
use crate::signed;
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::{Purpose, Signer, Trust};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// All accounts of one vehicle at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDocument {
    /// Name of the station.
    pub station: String,
    /// The vehicle, as its certificate names it. It takes no other's document.
    pub vehicle: String,
    /// Grows with every document; one with a smaller number than another is older.
    pub serial: u64,
    /// When it was made.
    pub made: Timestamp,
    /// The accounts. One that a vehicle has from the station and that is not here was withdrawn.
    pub users: Vec<ProvisionedUser>,
}

/// One account as it is handed out. No secret in it is plain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionedUser {
    /// What is set up of it.
    #[serde(flatten)]
    pub account: Account,
    /// When there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SealedFactor>,
    /// Last login that the station knows of, in whatever vehicle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login: Option<Timestamp>,
}

/// A second factor as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedFactor {
    /// The secret, sealed for the vehicle ([`SealKey`]), in hex digits.
    pub sealed: String,
    /// Hashes of recovery codes.
    pub recovery: Vec<Sha256>,
}

impl UserDocument {
    /// Largest signed document, in bytes.
    pub const MAX_BYTES: usize = 16 << 20;

    /// Signs it; gives the JSON text `{"key", "signature", "document"}`.
    ///
    /// # Errors
    /// `Internal` when it can't be written.
    pub fn sign(&self, signer: &Signer) -> Result<String> {
        signed::sign(self, Purpose::USERS, signer)
    }

    /// The document in such a text, for this vehicle.
    ///
    /// # Errors
    /// `Refused` when it is not signed by a trusted key or is another vehicle's, `Input` when it is
    /// none or holds an account that can't be.
    pub fn open(text: &[u8], trust: &Trust, vehicle: &str) -> Result<Self> {
        const WHAT: &str = "the station's document of accounts";
        let wrong = |why: &str| Error::new(Kind::Input, format!("{WHAT} can't be used: {why}"));
        if text.len() > Self::MAX_BYTES {
            return Err(wrong("it is larger than 16 MiB"));
        }
        let document: Self = signed::open(text, WHAT, Purpose::USERS, trust)?;
        if document.vehicle != vehicle {
            return Err(Error::new(Kind::Refused, format!("{WHAT} is refused: it is for another vehicle")));
        }
        let mut names = HashSet::new();
        for user in &document.users {
            user.account.check().map_err(|why| wrong(&why))?;
            if !names.insert(&user.account.name) {
                return Err(wrong(&format!("{} is there twice", user.account.name)));
            }
        }
        Ok(document)
    }

    /// Over what is handed out of these accounts, but for when they logged in last: another one as soon as vehicles need
    /// another document.
    ///
    /// # Errors
    /// `Internal` when it can't be written.
    pub fn digest(users: &[User]) -> Result<Sha256> {
        let secrets = |user: &User| {
            let factor = user.second_factor.as_ref();
            factor.map(|factor| (Sha256::of(factor.secret.as_bytes()), user.spent.left_of(&factor.recovery)))
        };
        let all: Vec<_> = users.iter().map(|user| (&user.account, secrets(user))).collect();
        let failed = || "accounts could not be compared".into();
        Ok(Sha256::of(&serde_json::to_vec(&all).context(Kind::Internal, failed)?))
    }

    /// Refuses a document that is not newer than the one in force. (The same one again is none.)
    ///
    /// # Errors
    /// `Refused`, with the numbers.
    pub fn check_newer(&self, in_force: Option<u64>) -> Result<()> {
        match in_force {
            Some(held) if self.serial <= held => Err(Error::new(
                Kind::Refused,
                format!(
                    "the station's document of accounts is refused: it is number {}, not newer than the one in force, \
                     which is number {held}",
                    self.serial
                ),
            )),
            _ => Ok(()),
        }
    }
}

impl ProvisionedUser {
    /// The account as a vehicle gets it.
    ///
    /// # Errors
    /// `Internal` when it can't be sealed.
    pub fn seal(user: &User, key: &SealKey) -> Result<Self> {
        let seal = |factor: &SecondFactor| {
            let sealed = key.seal(user.account.name.as_str(), factor.secret.as_bytes())?;
            Ok::<_, Error>(SealedFactor { sealed, recovery: user.spent.left_of(&factor.recovery) })
        };
        let second_factor = user.second_factor.as_ref().map(seal).transpose()?;
        Ok(Self { account: user.account.clone(), second_factor, last_login: user.last_login })
    }

    /// The account as it is kept in the vehicle. What it knows by itself (which codes were used, when
    /// somebody logged in last) is kept.
    ///
    /// # Errors
    /// `Refused` when the secret is sealed for another vehicle or person.
    pub fn open(&self, key: &SealKey, before: Option<&User>) -> Result<User> {
        let open = |factor: &SealedFactor| {
            let secret = key.open(self.account.name.as_str(), &factor.sealed);
            let secret = secret.and_then(|bytes| Secret::from_bytes(&bytes)).ok_or_else(|| {
                let message = format!("the second factor of {} is not sealed for this vehicle", self.account.name);
                Error::new(Kind::Refused, message)
            })?;
            Ok::<_, Error>(SecondFactor { secret, recovery: factor.recovery.clone() })
        };
        let second_factor = self.second_factor.as_ref().map(open).transpose()?;
        let same = before.and_then(|user| user.second_factor.as_ref()).map(|f| &f.secret)
            == second_factor.as_ref().map(|f| &f.secret);
        Ok(User {
            account: self.account.clone(),
            managed_by: ManagedBy::Station,
            spent: before.filter(|_| same).map(|user| user.spent.clone()).unwrap_or_default(),
            last_login: self.last_login.max(before.and_then(|user| user.last_login)),
            second_factor,
            subject: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::Disabled;
    use crate::{Grants, LoginName, PasswordHash, Role};
    use proptest::prelude::*;

    const GOLDEN: &str = include_str!("../../../tests/golden/users.json");

    fn key() -> SealKey {
        SealKey::new(&SealKey::derive(&[7; 32], "car-12").unwrap()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn account(name: &str) -> Account {
        Account {
            name: LoginName::new(name).unwrap(),
            full_name: "Jane Doe".into(),
            title: "Sergeant".into(),
            agency: "Example Police Department".into(),
            role: Role::Supervisor,
            trained: Some("2026-02-03".parse().unwrap()),
            grants: Grants { every_list: true, lists: ["watch".to_owned()].into(), clets: true },
            authorised_by: "chief".into(),
            authorised_at: at("2026-01-02T08:00:00Z"),
            active_since: at("2026-01-02T08:00:00Z"),
            disabled: None,
            password: PasswordHash::example(),
            must_change_password: false,
        }
    }

    fn document() -> UserDocument {
        let user = User {
            account: account("jdoe"),
            managed_by: ManagedBy::Here,
            second_factor: Some(SecondFactor {
                secret: Secret::from_bytes(&[9; 20]).unwrap(),
                recovery: vec![Sha256::of(b"code")],
            }),
            spent: Default::default(),
            last_login: Some(at("2026-11-25T06:00:00Z")),
            subject: None,
        };
        let why = Disabled { at: at("2026-11-01T00:00:00Z"), by: "chief".into(), why: "left the department".into() };
        let left = Account { disabled: Some(why), trained: None, ..account("asmith") };
        let users = vec![
            ProvisionedUser::seal(&user, &key()).unwrap(),
            ProvisionedUser { account: left, second_factor: None, last_login: None },
        ];
        let (station, vehicle) = ("station-1".into(), "car-12".into());
        UserDocument { station, vehicle, serial: 7, made: at("2026-11-26T12:00:00Z"), users }
    }

    #[test]
    fn a_document_of_accounts_reads_and_writes_as_the_golden_file_and_holds_no_plain_secret() {
        let golden: UserDocument = serde_json::from_str(GOLDEN).unwrap();
        let text = serde_json::to_value(&golden).unwrap();
        assert_eq!(text, serde_json::from_str::<serde_json::Value>(GOLDEN).unwrap());
        let user = golden.users[0].open(&key(), None).unwrap();
        assert_eq!(user.second_factor.unwrap().secret.as_bytes(), &[9; 20]);
        let mut made = document();
        // Sealed anew each time.
        made.users[0].second_factor = golden.users[0].second_factor.clone();
        assert_eq!(made, golden);
        assert!(!serde_json::to_string(&document()).unwrap().contains(&hex::encode([9; 20])));
    }

    #[test]
    fn a_document_counts_only_when_the_station_signed_it_for_this_vehicle_and_is_newer() {
        let (station, other) = (Signer::generate().unwrap(), Signer::generate().unwrap());
        let trust = Trust::only([station.public_key()]);
        let text = document().sign(&station).unwrap();
        let opened = UserDocument::open(text.as_bytes(), &trust, "car-12").unwrap();
        assert_eq!(opened.serial, 7);
        let refused = |text: &str, vehicle| UserDocument::open(text.as_bytes(), &trust, vehicle).unwrap_err().chain();
        assert!(refused(&text, "car-13").contains("another vehicle"));
        assert!(refused(&document().sign(&other).unwrap(), "car-12").contains("not trusted"));
        assert!(refused(&text.replace("supervisor", "administrator"), "car-12").contains("signature is wrong"));
        opened.check_newer(None).unwrap();
        opened.check_newer(Some(6)).unwrap();
        for held in [7, 8] {
            assert!(opened.check_newer(Some(held)).unwrap_err().chain().contains("not newer"));
        }
    }

    #[test]
    fn an_account_that_cannot_be_is_refused() {
        let station = Signer::generate().unwrap();
        let trust = Trust::only([station.public_key()]);
        let refused = |change: &dyn Fn(&mut UserDocument)| {
            let mut made = document();
            change(&mut made);
            UserDocument::open(made.sign(&station).unwrap().as_bytes(), &trust, "car-12").unwrap_err().chain()
        };
        assert!(refused(&|d| d.users[1].account.name = d.users[0].account.name.clone()).contains("twice"));
        assert!(refused(&|d| d.users[0].account.agency = " ".into()).contains("missing"));
        assert!(refused(&|d| d.users[0].account.title = "two\nlines".into()).contains("one line"));
        assert!(refused(&|d| d.users[0].account.grants.lists = ["../x".to_owned()].into()).contains("../x"));
    }

    #[test]
    fn what_a_vehicle_knows_by_itself_outlasts_a_new_document_unless_the_secret_is_another() {
        let made = &document().users[0];
        let mut before = made.open(&key(), None).unwrap();
        before.spent.step = 42;
        before.last_login = Some(at("2026-11-26T01:00:00Z"));
        let after = made.open(&key(), Some(&before)).unwrap();
        assert_eq!((after.spent.step, after.last_login), (42, before.last_login));
        before.second_factor.as_mut().unwrap().secret = Secret::from_bytes(&[1; 20]).unwrap();
        assert_eq!(made.open(&key(), Some(&before)).unwrap().spent.step, 0);
        let other = SealKey::new(&[1; 32]).unwrap();
        assert!(made.open(&other, None).unwrap_err().chain().contains("not sealed for this vehicle"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_change_of_a_byte_is_refused_without_a_panic(at: prop::sample::Index, byte: u8) {
            let station = Signer::generate().unwrap();
            let trust = Trust::only([station.public_key()]);
            let made: UserDocument = serde_json::from_str(GOLDEN).unwrap();
            let mut text = made.sign(&station).unwrap().into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            if let Ok(opened) = UserDocument::open(&text, &trust, "car-12") {
                prop_assert_eq!(opened, made);
            }
        }
    }
}
