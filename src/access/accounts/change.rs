//! Changing accounts: by administrators, by their owners, and by the station.

use super::{Accounts, LoginRefused, lock, named};
use crate::actor::{Actor, Machine};
use crate::grants::Grants;
use crate::lockout::Failures;
use crate::login_name::LoginName;
use crate::password::Password;
use crate::reason::Reason;
use crate::record::Outcome;
use crate::role::{Duty, Role};
use crate::second_factor::{Enrolment, SecondFactor, Secret, Spent, recovery_codes};
use crate::session::{Activity, Token};
use crate::user::{Disabled, ManagedBy, NewUser, SealKey, User, UserDocument};
use jiff::civil::Date;
use plated_core::error::{Error, Kind, Result};
use serde_json::json;
use std::collections::HashSet;

/// What an administrator changes of an account.
#[derive(Debug)]
pub enum Change {
    /// Name, title and agency.
    Details {
        /// As on the badge.
        full_name: String,
        /// Title or designation.
        title: String,
        /// The agency that employs them.
        agency: String,
    },
    /// What they are to the agency.
    Role(Role),
    /// Which lists they see.
    Grants(Grants),
    /// Day of their last training.
    Training(Date),
    /// A new password, which must be changed at the next login.
    Password(Password),
    /// Their second factor is gone; they set up another one.
    RemoveSecondFactor,
    /// Whom the agency's own login knows by their name is somebody else from now on; the next who logs in counts.
    Unbind,
    /// The account is not to be used any more.
    Disable,
    /// It is to be used again, also after it was unused for too long.
    Enable,
    /// It is not locked any more.
    Release,
}

impl Change {
    /// The word on record.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Details { .. } => "user_details_changed",
            Self::Role(_) => "user_role_changed",
            Self::Grants(_) => "user_grants_changed",
            Self::Training(_) => "user_training_changed",
            Self::Password(_) => "user_password_set",
            Self::RemoveSecondFactor => "user_second_factor_removed",
            Self::Unbind => "user_unbound",
            Self::Disable => "user_disabled",
            Self::Enable => "user_enabled",
            Self::Release => "user_released",
        }
    }
}

fn input(message: impl Into<String>) -> Error {
    Error::new(Kind::Input, message)
}

impl Accounts {
    /// All accounts, for those who may see them.
    ///
    /// # Errors
    /// `Forbidden` for others.
    pub fn users(&self, by: &Actor) -> Result<Vec<User>> {
        self.may(by, Duty::ReviewAccounts).or_else(|_| self.may(by, Duty::ManageUsers))?;
        self.store.users()
    }

    /// Adds an account.
    ///
    /// # Errors
    /// `Forbidden` when `by` may not, `Input` when the name is taken or the password is not good enough.
    pub fn add(&self, by: &Actor, user: NewUser, password: &Password, reason: &Reason) -> Result<User> {
        self.may(by, Duty::ManageUsers)?;
        let name = user.name.clone();
        self.rules.check(password, &[name.as_str(), &user.full_name, &user.agency])?;
        let hash = self.hashing.hash(password)?;
        let _changing = lock(&self.changing);
        if self.store.user(&name)?.is_some() {
            return Err(input(format!("there is an account {name} already; names are not used twice")));
        }
        let user = User {
            account: user.account(hash, &by.to_string(), self.clock.wall()),
            managed_by: ManagedBy::Here,
            second_factor: None,
            spent: Spent::default(),
            last_login: None,
            subject: None,
        };
        self.keep("user_added", by, reason, user)
    }

    /// Changes an account. Sessions of whoever is disabled, gets another role, another password or no
    /// second factor are ended.
    ///
    /// # Errors
    /// `Forbidden` when `by` may not, `NotFound` when there is no such account, `Refused` when the
    /// station manages it or it is the last administrator's.
    pub fn change(&self, by: &Actor, name: &LoginName, change: Change, reason: &Reason) -> Result<User> {
        self.may(by, Duty::ManageUsers)?;
        let (word, now) = (change.as_str(), self.clock.wall());
        let hash = match &change {
            Change::Password(password) => {
                let account = self.named(name)?.account;
                self.rules.check(password, &[name.as_str(), &account.full_name, &account.agency])?;
                Some(self.hashing.hash(password)?)
            }
            _ => None,
        };
        let _changing = lock(&self.changing);
        let mut user = self.named(name)?;
        if matches!(change, Change::Release) {
            self.record_change(word, by, reason, name)?;
            self.store.put_failures(name, Failures::default())?;
            self.lockout.clear(name);
            return Ok(user);
        }
        if user.managed_by == ManagedBy::Station {
            return Err(Error::new(Kind::Refused, format!("the station manages the account {name}; change it there")));
        }
        if matches!(change, Change::Disable | Change::Role(_)) {
            self.check_not_last(&user, &change)?;
        }
        let ends = matches!(
            change,
            Change::Disable | Change::Role(_) | Change::Password(_) | Change::RemoveSecondFactor | Change::Unbind
        );
        let account = &mut user.account;
        let authorises = matches!(change, Change::Role(_) | Change::Grants(_) | Change::Enable);
        match change {
            Change::Details { full_name, title, agency } => {
                (account.full_name, account.title, account.agency) = (full_name, title, agency);
            }
            Change::Role(role) => account.role = role,
            Change::Grants(grants) => account.grants = grants,
            Change::Training(day) => {
                let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
                if day > today.tomorrow().unwrap_or(today) {
                    return Err(input(format!("a training on {day} has not been held yet")));
                }
                account.trained = Some(day);
            }
            Change::Password(_) => account.must_change_password = true,
            Change::RemoveSecondFactor => (user.second_factor, user.spent) = (None, Spent::default()),
            Change::Unbind => user.subject = None,
            Change::Disable => {
                let why = reason.as_str().to_owned();
                account.disabled.get_or_insert(Disabled { at: now, by: by.to_string(), why });
            }
            Change::Enable => (account.disabled, account.active_since) = (None, now),
            Change::Release => {}
        }
        let account = &mut user.account;
        if let Some(hash) = hash {
            account.password = hash;
        }
        if authorises {
            (account.authorised_by, account.authorised_at) = (by.to_string(), now);
        }
        let user = self.keep(word, by, reason, user)?;
        if ends {
            self.end_sessions(name, None)?;
        }
        Ok(user)
    }

    /// Changes one's own password. All other sessions of that person are ended.
    ///
    /// # Errors
    /// `Credentials` when the old one is wrong; `Failed` when the new one is not good enough, the same,
    /// or the station manages the account.
    pub fn change_password(&self, token: &Token, old: &Password, new: &Password) -> Result<(), LoginRefused> {
        let (session, user) = self.find(token.session(), Activity::Person)?;
        let name = session.account.name.clone();
        if user.managed_by == ManagedBy::Station {
            return Err(Error::new(Kind::Refused, "the station manages your account; change the password there").into());
        }
        self.check_own(&user, old)?;
        self.rules.check(new, &[name.as_str(), &user.account.full_name, &user.account.agency])?;
        if self.hashing.verify(Some(&user.account.password), new)? {
            return Err(input("the new password is the old one; choose another").into());
        }
        let hash = self.hashing.hash(new)?;
        let _changing = lock(&self.changing);
        let mut now = self.named(&name)?;
        if now.account.password != user.account.password {
            return Err(Error::new(Kind::Busy, "the password was changed meanwhile; try again").into());
        }
        (now.account.password, now.account.must_change_password) = (hash, false);
        self.keep("password_changed", &session.actor(), &Reason::new("own password")?, now)?;
        self.end_sessions(&name, Some(session.id))?;
        Ok(())
    }

    /// Begins to set up one's own second factor: what the authenticator app is given, once. It counts
    /// when a code of it was given ([`confirm_second_factor`](Self::confirm_second_factor)).
    ///
    /// # Errors
    /// `Credentials` when the password is wrong; `Failed` when the station manages the account.
    pub fn begin_second_factor(&self, token: &Token, password: &Password) -> Result<Enrolment, LoginRefused> {
        let (session, user) = self.find(token.session(), Activity::Person)?;
        if user.managed_by == ManagedBy::Station {
            return Err(Error::new(Kind::Refused, "the station manages your account; set it up there").into());
        }
        self.check_own(&user, password)?;
        let secret = Secret::generate()?;
        let enrolment = secret.enrolment(&user.account.name, &format!("plated {}", user.account.agency))?;
        let mut enrolling = lock(&self.enrolling);
        if enrolling.len() >= MAX_ENROLLING {
            enrolling.clear(); // Whoever is not done begins again.
        }
        enrolling.insert(session.id, secret);
        Ok(enrolment)
    }

    /// The second factor counts from now on. Gives the recovery codes, to be shown once.
    ///
    /// # Errors
    /// `Code` when the code is not one of the new secret; it can be given again.
    pub fn confirm_second_factor(&self, token: &Token, code: &str) -> Result<Vec<String>, LoginRefused> {
        let (session, _) = self.find(token.session(), Activity::Person)?;
        let name = session.account.name.clone();
        let secret = lock(&self.enrolling).get(&session.id).cloned();
        let secret = secret.ok_or_else(|| input("no second factor is being set up; begin again"))?;
        let (shown, recovery) = recovery_codes(&name)?;
        let (factor, mut spent) = (SecondFactor { secret, recovery }, Spent::default());
        factor.check(&name, code, self.clock.wall(), &mut spent).map_err(LoginRefused::Code)?;
        let _changing = lock(&self.changing);
        let mut user = self.named(&name)?;
        (user.second_factor, user.spent) = (Some(factor), spent);
        self.keep("second_factor_set_up", &session.actor(), &Reason::new("own second factor")?, user)?;
        lock(&self.enrolling).remove(&session.id);
        self.end_sessions(&name, Some(session.id))?;
        Ok(shown)
    }

    /// New recovery codes instead of the old ones, to be shown once.
    ///
    /// # Errors
    /// `Credentials` when the password is wrong; `Failed` without a second factor.
    pub fn renew_recovery_codes(&self, token: &Token, password: &Password) -> Result<Vec<String>, LoginRefused> {
        let (session, user) = self.find(token.session(), Activity::Person)?;
        let name = &session.account.name;
        if user.managed_by == ManagedBy::Station {
            return Err(Error::new(Kind::Refused, "the station manages your account; get new codes there").into());
        }
        self.check_own(&user, password)?;
        let (shown, recovery) = recovery_codes(name)?;
        let _changing = lock(&self.changing);
        let mut user = self.named(name)?;
        let factor = user.second_factor.as_mut().ok_or_else(|| input("you have no second factor; set it up first"))?;
        factor.recovery = recovery;
        user.spent.codes.clear();
        self.keep("recovery_codes_renewed", &session.actor(), &Reason::new("own recovery codes")?, user)?;
        Ok(shown)
    }

    /// Brings the station's accounts into force. One that was handed out before and is not among them
    /// is disabled. Sessions of whoever is disabled, or has another role, password or second factor, are
    /// ended. The caller has checked that the document is newer, and keeps its serial afterwards; taking
    /// in the same one again does no harm.
    ///
    /// # Errors
    /// `Refused` when a secret is sealed for another vehicle; nothing has changed then.
    pub fn provision(&self, document: &UserDocument, key: &SealKey) -> Result<()> {
        let (_changing, now) = (lock(&self.changing), self.clock.wall());
        let (mut put, mut ended, mut names) = (Vec::new(), Vec::new(), HashSet::new());
        for made in &document.users {
            let name = &made.account.name;
            let before = self.store.user(name)?;
            let user = made.open(key, before.as_ref())?;
            names.insert(name);
            let Some(before) = before else {
                put.push(user);
                continue;
            };
            let (old, new) = (&before.account, &user.account);
            let same = old.password == new.password && old.role == new.role;
            let secret = |user: &User| user.second_factor.as_ref().map(|f| f.secret.clone());
            if !same || new.disabled.is_some() || secret(&before) != secret(&user) {
                ended.push(name.clone());
            }
            if before != user {
                put.push(user);
            }
        }
        for mut user in self.store.users()? {
            let withdrawn = user.managed_by == ManagedBy::Station && !names.contains(&user.account.name);
            if withdrawn && user.account.disabled.is_none() {
                let why = "the station does not hand out this account any more".to_owned();
                user.account.disabled = Some(Disabled { at: now, by: document.station.clone(), why });
                ended.push(user.account.name.clone());
                put.push(user);
            }
        }
        if put.is_empty() && ended.is_empty() {
            return Ok(());
        }
        let subject = json!({
            "station": document.station, "serial": document.serial,
            "accounts": document.users.len(), "changed": put.len(),
        });
        let why = "accounts of the station";
        self.record("users_provisioned", Machine::Accounts.into(), why, Outcome::Done, subject)?;
        self.store.put_users(&put)?;
        ended.iter().try_for_each(|name| self.end_sessions(name, None))
    }

    /// Whether somebody may do this with accounts. A system user may as long as nobody can log in who
    /// may, so that there is a first administrator, and root always: root holds the key of the store.
    pub(super) fn may(&self, by: &Actor, duty: Duty) -> Result<()> {
        let role = match by {
            Actor::User(session) => self.standing(session)?.account.role,
            Actor::SystemUser(user) if user.uid == 0 || self.administrators()? == 0 => return Ok(()),
            _ => {
                let message = format!("{by} may not {duty}; log in as an administrator");
                return Err(Error::new(Kind::Unauthenticated, message));
            }
        };
        if duty.roles().contains(&role) {
            return Ok(());
        }
        Err(Error::new(Kind::Forbidden, format!("the role {role} may not {duty}")))
    }

    /// Administrators who are not disabled.
    fn administrators(&self) -> Result<usize> {
        let counts = |user: &User| user.account.role == Role::Administrator && user.account.disabled.is_none();
        Ok(self.store.users()?.iter().filter(|user| counts(user)).count())
    }

    fn check_not_last(&self, user: &User, change: &Change) -> Result<()> {
        let stays = matches!(change, Change::Role(Role::Administrator));
        let is_one = user.account.role == Role::Administrator && user.account.disabled.is_none();
        if is_one && !stays && self.administrators()? <= 1 {
            let message = format!("{} is the last administrator; add another one first", user.account.name);
            return Err(Error::new(Kind::Refused, message));
        }
        Ok(())
    }

    fn named(&self, name: &LoginName) -> Result<User> {
        let none = || Error::new(Kind::NotFound, format!("there is no account {name}"));
        self.store.user(name)?.ok_or_else(none)
    }

    /// Puts a change on record and keeps it.
    fn keep(&self, word: &'static str, by: &Actor, reason: &Reason, user: User) -> Result<User> {
        user.account.check().map_err(input)?;
        self.record_change(word, by, reason, &user.account.name)?;
        self.store.put_users(std::slice::from_ref(&user))?;
        Ok(user)
    }

    fn record_change(&self, word: &'static str, by: &Actor, reason: &Reason, name: &LoginName) -> Result<()> {
        self.record_for(word, by.clone(), reason.clone(), Outcome::Done, named(name)).map(drop)
    }
}

/// Most people who set up a second factor at a time.
const MAX_ENROLLING: usize = 100;
