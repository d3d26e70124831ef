//! Logging in and what follows: sessions, lockout, and the rules for each account.
//!
//! [`Accounts`] is the one place where somebody becomes a [`Session`]. Each login, logout, failure and
//! change of an account is on record before it counts. Where all this is kept is an [`AccountStore`].

mod change;
mod refused;
mod rules;
mod settings;
mod subscribers;
mod vouched;
#[cfg(test)]
mod tests;

pub use change::Change;
pub use refused::LoginRefused;
pub use settings::AccountSettings;
pub use vouched::Vouched;

use crate::actor::{Actor, Machine, SessionUser};
use crate::breach::Breach;
use crate::lockout::{Failures, Lockout};
use crate::login_name::LoginName;
use crate::password::{Hashing, Password, PasswordRules};
use crate::reason::{Case, Reason};
use crate::record::{AccessRecord, AuditLog, Outcome};
use crate::second_factor::Secret;
use crate::session::{Activity, Found, Means, SessionId, SessionRecord, Sessions, Token};
use crate::subscriber::SubscriberAccount;
use crate::user::{Account, ManagedBy, User};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where accounts, sessions and failed logins are kept. What a method has put is durable when it
/// returns.
pub trait AccountStore: Send + Sync {
    /// The account of that name.
    ///
    /// # Errors
    /// What kept it from being read; so all of these.
    fn user(&self, name: &LoginName) -> Result<Option<User>>;
    /// All accounts, by name.
    fn users(&self) -> Result<Vec<User>>;
    /// Adds or replaces accounts, all of them or none.
    fn put_users(&self, users: &[User]) -> Result<()>;
    /// All sessions.
    fn sessions(&self) -> Result<Vec<SessionRecord>>;
    /// Adds or replaces a session.
    fn put_session(&self, session: &SessionRecord) -> Result<()>;
    /// Removes sessions; one that is not there is fine.
    fn remove_sessions(&self, sessions: &[SessionId]) -> Result<()>;
    /// All failed logins.
    fn failures(&self) -> Result<Vec<(LoginName, Failures)>>;
    /// Replaces those of one name; a count of 0 removes them.
    fn put_failures(&self, name: &LoginName, failures: Failures) -> Result<()>;
    /// All programs that may ask for alerts, by name.
    fn subscribers(&self) -> Result<Vec<SubscriberAccount>>;
    /// The one whose token has this hash.
    fn subscriber(&self, token: &Sha256) -> Result<Option<SubscriberAccount>>;
    /// Adds one whose token has this hash.
    fn put_subscriber(&self, subscriber: &SubscriberAccount, token: &Sha256) -> Result<()>;
    /// Removes the one of this name; one that is not there is fine.
    fn remove_subscriber(&self, name: &str) -> Result<()>;
    /// Where others write to it at the same time, as several stations on one database do: what they have written.
    fn shared(&self) -> Option<&dyn SharedAccounts> {
        None
    }
}

/// What others may have written to an [`AccountStore`] since it was read.
pub trait SharedAccounts {
    /// A session.
    ///
    /// # Errors
    /// What kept it from being read; so all of these.
    fn session(&self, id: SessionId) -> Result<Option<SessionRecord>>;
    /// Failed logins by this name, and how long ago the last was.
    fn failures_of(&self, name: &LoginName) -> Result<(Failures, Duration)>;
}

/// Something that must be done before anything else is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// The password was chosen by somebody else: change it.
    Password,
    /// The agency asks for a second factor: set one up.
    SecondFactor,
}

/// A session as a request finds it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Names it.
    pub id: SessionId,
    /// Whose it is.
    pub account: Account,
    /// It needs the password before anything is shown.
    pub locked: bool,
    /// What must be done first.
    pub due: Option<Due>,
    /// By what it was opened.
    pub means: Means,
}

impl Session {
    /// The person, for the gate.
    pub fn actor(&self) -> Actor {
        Actor::User(SessionUser::new(self.id, &self.account))
    }
}

/// Somebody has logged in.
#[derive(Debug)]
pub struct LoggedIn {
    /// For a cookie; it is shown nowhere else and kept nowhere.
    pub token: Token,
    /// The session.
    pub session: Session,
}

/// What raises a security event.
pub type Alarm = Box<dyn Fn(Breach) + Send + Sync>;

/// The accounts of this computer.
pub struct Accounts {
    store: Arc<dyn AccountStore>,
    log: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    alarm: Alarm,
    settings: AccountSettings,
    rules: PasswordRules,
    hashing: Hashing,
    lockout: Lockout,
    sessions: Mutex<Sessions>,
    /// Held while an account is read, changed and put back.
    changing: Mutex<()>,
    /// Second factors that are being set up.
    enrolling: Mutex<HashMap<SessionId, Secret>>,
    /// When logins failed, whoever's.
    failed: Mutex<VecDeque<Duration>>,
    /// Tokens of programs that were refused.
    refused_tokens: Mutex<subscribers::Refused>,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Accounts {
    /// Those in this store, with the sessions that went on before a restart.
    ///
    /// # Errors
    /// `Config` when the banned passwords can't be read, and what keeps the store from being read.
    pub fn open(
        store: Arc<dyn AccountStore>,
        log: Arc<dyn AuditLog>,
        clock: Arc<dyn Clock>,
        settings: AccountSettings,
        alarm: Alarm,
    ) -> Result<Self> {
        let rules = PasswordRules::new(settings.password_min_chars as usize, settings.banned_passwords.as_deref())?;
        let hashing = Hashing::new(settings.argon2_memory_kib, settings.argon2_passes)?;
        let now = clock.monotonic();
        let lockout = Lockout::new(settings.lockout(), store.failures()?, now);
        // Those that are shared are looked up when they are asked for: others go on with them meanwhile.
        let kept = if store.shared().is_some() { Vec::new() } else { store.sessions()? };
        let sessions = Sessions::new(settings.session(), kept, clock.wall(), now).into();
        let (changing, enrolling, failed, refused_tokens) = Default::default();
        Ok(Self {
            store,
            log,
            clock,
            alarm,
            settings,
            rules,
            hashing,
            lockout,
            sessions,
            changing,
            enrolling,
            failed,
            refused_tokens,
        })
    }

    /// Logs somebody in: password, then second factor where they have one, then the rules for the
    /// account. A wrong name and a wrong password are answered alike, after the same time.
    ///
    /// # Errors
    /// Why not; nobody is logged in.
    pub fn login(&self, name: &str, password: &Password, code: Option<&str>) -> Result<LoggedIn, LoginRefused> {
        let Ok(name) = LoginName::new(name) else {
            // Nobody can have it; it may be a password in the wrong field.
            self.hashing.verify(None, password)?;
            self.note_failure(None, "no such account");
            return Err(LoginRefused::Credentials);
        };
        self.begin_attempt(&name)?;
        let right = match self.is_password(&name, password) {
            Ok(right) => right,
            Err(e) => {
                self.lockout.withdraw(&name);
                return Err(e.into());
            }
        };
        let _changing = lock(&self.changing);
        let user = self.store.user(&name).inspect_err(|_| self.lockout.withdraw(&name))?;
        // Compared again, since it may have been changed while the password was hashed.
        let (Some(hash), Some(mut user)) = (right, user) else {
            return Err(self.wrong(&name, "wrong name or password"));
        };
        if user.account.password != hash {
            return Err(self.wrong(&name, "wrong name or password"));
        }
        if let Some(factor) = user.second_factor.clone() {
            let Some(code) = code else {
                self.lockout.withdraw(&name);
                return Err(LoginRefused::CodeNeeded);
            };
            if let Err(why) = factor.check(&name, code, self.clock.wall(), &mut user.spent) {
                self.wrong(&name, "wrong code");
                return Err(LoginRefused::Code(why));
            }
        }
        let admitted = self.admit(user, Some(password), Means::Password);
        self.attempted(&name, &admitted);
        admitted
    }

    /// Somebody came in, or their account may not be used: no failure of theirs.
    fn attempted(&self, name: &LoginName, admitted: &Result<LoggedIn, LoginRefused>) {
        match admitted {
            Ok(_) => {
                if let Err(e) = self.store.put_failures(name, Failures::default()) {
                    tracing::warn!("failed logins before this one count again after a restart: {}", e.chain());
                }
                self.lockout.clear(name);
            }
            Err(_) => self.lockout.withdraw(name),
        }
    }

    /// Password and code were right, or the agency's own login vouches for them.
    fn admit(&self, mut user: User, password: Option<&Password>, means: Means) -> Result<LoggedIn, LoginRefused> {
        let (wall, now) = (self.clock.wall(), self.clock.monotonic());
        let name = user.account.name.clone();
        if let Err(refused) = rules::check_use(&user, wall, &self.settings) {
            self.record(
                "login_failed",
                Machine::Accounts.into(),
                &refused.to_string(),
                Outcome::Refused,
                vouched::with_means(named(&name), means),
            )?;
            return Err(LoginRefused::Account(refused));
        }
        if let Some(password) = password
            && user.managed_by == ManagedBy::Here
            && self.hashing.is_outdated(&user.account.password)
        {
            user.account.password = self.hashing.hash(password)?;
        }
        user.last_login = Some(wall.max(user.last_login.unwrap_or(wall)));
        let token = Token::generate()?;
        let (id, due) = (token.session(), self.due(&user, means));
        let session = Session { id, account: user.account.clone(), locked: false, due, means };
        self.record("login", session.actor(), "logged in", Outcome::Done, vouched::with_means(json!({}), means))?;
        self.store.put_users(&[user])?;
        let (record, ended) = lock(&self.sessions).open(id, name, means, wall, now);
        let kept = self.store.put_session(&record).and_then(|()| self.store.remove_sessions(&ended));
        if let Err(e) = kept {
            lock(&self.sessions).end(id);
            return Err(e.into());
        }
        Ok(LoggedIn { token, session })
    }

    /// The session that a token opens, as it is now.
    ///
    /// # Errors
    /// `Unauthenticated` when there is none or it is over.
    pub fn session(&self, token: &Token, activity: Activity) -> Result<Session> {
        self.find(token.session(), activity).map(|(session, _)| session)
    }

    /// Whether a session goes on, locked or not.
    pub fn goes_on(&self, id: SessionId) -> bool {
        self.find(id, Activity::Background).is_ok()
    }

    fn find(&self, id: SessionId, activity: Activity) -> Result<(Session, User)> {
        let over = || Error::new(Kind::Unauthenticated, "the session is over; log in again");
        let kept = self.store.shared().map(|shared| shared.session(id)).transpose()?;
        let found = {
            let (mut sessions, wall, now) = (lock(&self.sessions), self.clock.wall(), self.clock.monotonic());
            if let Some(kept) = kept {
                sessions.adopt(id, kept, wall, now);
            }
            sessions.find(id, activity, wall, now)
        };
        let (name, locked, means) = match found {
            Found::None => return Err(over()),
            Found::Over => {
                let _ = self.store.remove_sessions(&[id]); // It is over after a restart too.
                return Err(over());
            }
            Found::Live { user, locked, means, keep } => {
                // A store that is full ends nobody's session; it goes on from what was kept last.
                if let Some(Err(e)) = keep.map(|record| self.store.put_session(&record)) {
                    tracing::debug!("how long a session goes on could not be kept: {}", e.chain());
                }
                (user, locked, means)
            }
        };
        let user = self.store.user(&name)?.filter(|user| user.account.disabled.is_none());
        let Some(user) = user else {
            self.end_sessions(&name, None)?;
            return Err(over());
        };
        Ok((Session { id, account: user.account.clone(), locked, due: self.due(&user, means), means }, user))
    }

    /// Unlocks a session by its owner's password.
    ///
    /// # Errors
    /// `Credentials` when it is wrong, which counts as a failed login; `Failed` when the session is over.
    pub fn unlock(&self, token: &Token, password: &Password) -> Result<Session, LoginRefused> {
        let (session, user) = self.find(token.session(), Activity::Background)?;
        self.check_own(&user, password)?;
        self.record("unlocked", session.actor(), "unlocked", Outcome::Done, json!({}))?;
        self.set_locked(session.id, false)?;
        Ok(Session { locked: false, ..session })
    }

    /// Locks a session until its owner gives the password.
    ///
    /// # Errors
    /// `Unauthenticated` when it is over, and what kept this from being kept; it is locked all the same.
    pub fn lock(&self, token: &Token) -> Result<()> {
        let (session, _) = self.find(token.session(), Activity::Background)?;
        self.set_locked(session.id, true)?;
        self.record("locked", session.actor(), "locked", Outcome::Done, json!({})).map(drop)
    }

    fn set_locked(&self, id: SessionId, locked: bool) -> Result<()> {
        let (wall, now) = (self.clock.wall(), self.clock.monotonic());
        let record = lock(&self.sessions).set_locked(id, locked, wall, now);
        record.map_or(Ok(()), |record| self.store.put_session(&record))
    }

    /// Ends a session. One that is over is fine.
    ///
    /// # Errors
    /// What kept this from being kept; it is over all the same until a restart.
    pub fn logout(&self, token: &Token) -> Result<()> {
        let id = token.session();
        let Ok((session, _)) = self.find(id, Activity::Background) else { return Ok(()) };
        lock(&self.sessions).end(id);
        self.store.remove_sessions(&[id])?;
        self.record("logout", session.actor(), "logged out", Outcome::Done, json!({})).map(drop)
    }

    /// Step 1 of the gate: the session goes on, is not locked, and nothing is due. The account as it is
    /// now.
    pub(crate) fn standing(&self, of: &SessionUser) -> Result<User> {
        let (session, user) = self.find(of.session, Activity::Background)?;
        if session.locked {
            return Err(Error::new(Kind::Unauthenticated, "the session is locked; unlock it with your password"));
        }
        rules::check_use(&user, self.clock.wall(), &self.settings)?;
        let due = match session.due {
            None => return Ok(user),
            Some(Due::Password) if user.managed_by == ManagedBy::Station => {
                "your password was chosen by somebody else; change it at the station first"
            }
            Some(Due::Password) => "your password was chosen by somebody else; change it first",
            Some(Due::SecondFactor) => "the agency asks for a second factor; set it up first",
        };
        Err(Error::new(Kind::Forbidden, due))
    }

    /// Step 2 of the gate, and what a page shows of one's own account (control P-07).
    ///
    /// # Errors
    /// `Forbidden` when training is not current, with the reason.
    pub fn check_training(&self, user: &User) -> Result<()> {
        rules::check_training(user, self.clock.wall(), &self.settings)
    }

    /// Its owner's own account, by whatever session: also a locked one's, and without training.
    ///
    /// # Errors
    /// `Unauthenticated` when the session is over.
    pub fn own(&self, token: &Token) -> Result<User> {
        self.find(token.session(), Activity::Person).map(|(_, user)| user)
    }

    /// Whether there is any account, in use or not.
    ///
    /// # Errors
    /// What kept them from being read.
    pub fn exist(&self) -> Result<bool> {
        Ok(!self.store.users()?.is_empty())
    }

    fn due(&self, user: &User, means: Means) -> Option<Due> {
        // Whoever came without the password may not even know it.
        if user.account.must_change_password && means == Means::Password {
            return Some(Due::Password);
        }
        let has_one = user.second_factor.is_some() || means == Means::Provider { second_factor: true };
        (self.settings.second_factor_required && !has_one).then_some(Due::SecondFactor)
    }

    /// The attempt counts from here on, before anything is computed.
    fn begin_attempt(&self, name: &LoginName) -> Result<(), LoginRefused> {
        let now = self.clock.monotonic();
        if let Some(shared) = self.store.shared() {
            let (failures, age) = shared.failures_of(name)?;
            self.lockout.adopt(name, failures, age, now);
        }
        if let Some(forgotten) = self.lockout.begin(name, now).map_err(LoginRefused::Locked)? {
            let _ = self.store.put_failures(&forgotten, Failures::default());
        }
        Ok(())
    }

    /// The hash, when it is that of the password; takes as long when there is no such account.
    fn is_password(&self, name: &LoginName, password: &Password) -> Result<Option<crate::PasswordHash>> {
        let hash = self.store.user(name)?.map(|user| user.account.password);
        let right = self.hashing.verify(hash.as_ref(), password)?;
        Ok(hash.filter(|_| right))
    }

    /// Checks the password of somebody who is logged in. A wrong one counts as a failed login.
    fn check_own(&self, user: &User, password: &Password) -> Result<(), LoginRefused> {
        let name = &user.account.name;
        self.begin_attempt(name)?;
        match self.hashing.verify(Some(&user.account.password), password) {
            Ok(true) => {
                self.lockout.withdraw(name);
                Ok(())
            }
            Ok(false) => Err(self.wrong(name, "wrong password")),
            Err(e) => {
                self.lockout.withdraw(name);
                Err(e.into())
            }
        }
    }

    /// Keeps that a login failed.
    fn wrong(&self, name: &LoginName, why: &str) -> LoginRefused {
        let failures = self.lockout.failures(name);
        if let Err(e) = self.store.put_failures(name, failures) {
            tracing::warn!("a failed login counts until a restart only: {}", e.chain());
        }
        let locks = if failures.locked { "; this locks the account" } else { "" };
        self.note_failure(Some(name), &format!("{why}{locks}"));
        LoginRefused::Credentials
    }

    /// Puts a failed login on record, and raises the alarm when there were many.
    fn note_failure(&self, name: Option<&LoginName>, why: &str) {
        // A name that nobody has is not kept: it may be a password in the wrong field.
        let known = name.filter(|name| matches!(self.store.user(name), Ok(Some(_))));
        let subject = known.map_or_else(|| json!({}), named);
        if let Err(e) = self.record("login_failed", Machine::Accounts.into(), why, Outcome::Refused, subject) {
            tracing::error!("a failed login could not be put on record: {}", e.chain());
        }
        let (now, window) = (self.clock.monotonic(), settings::minutes(self.settings.failure_window_minutes));
        let limit = self.settings.failed_logins_alarm;
        let mut failed = lock(&self.failed);
        failed.retain(|at| now.saturating_sub(*at) < window);
        failed.push_back(now);
        if failed.len() >= limit as usize {
            failed.clear();
            drop(failed);
            (self.alarm)(Breach::FailedLogins { failures: limit, minutes: self.settings.failure_window_minutes });
        }
    }

    fn end_sessions(&self, name: &LoginName, but: Option<SessionId>) -> Result<()> {
        let mut ended = lock(&self.sessions).end_of(name, but);
        if self.store.shared().is_some() {
            let elsewhere = self.store.sessions()?.into_iter().filter(|session| session.user == *name);
            ended.extend(elsewhere.map(|session| session.id).filter(|id| Some(*id) != but));
        }
        if ended.is_empty() { Ok(()) } else { self.store.remove_sessions(&ended) }
    }

    fn record(&self, what: &'static str, actor: Actor, why: &str, outcome: Outcome, subject: Value) -> Result<i64> {
        self.record_for(what, actor, Reason::new(why)?, outcome, subject)
    }

    fn record_for(
        &self,
        what: &'static str,
        actor: Actor,
        reason: Reason,
        outcome: Outcome,
        subject: Value,
    ) -> Result<i64> {
        let case = Case::none();
        self.log.append(AccessRecord { actor, what, reason, case, subject, outcome, rows: None, about: None })
    }
}

fn named(name: &LoginName) -> Value {
    json!({ "user": name.as_str() })
}

impl From<Machine> for Actor {
    fn from(machine: Machine) -> Self {
        Self::Machine(machine)
    }
}
