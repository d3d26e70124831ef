//! Logging in by the agency's own login (OIDC), which vouches for a person. Account, role, grants and training stay those
//! that are kept here.

use super::{Accounts, LoggedIn, LoginRefused, lock, named};
use crate::actor::Machine;
use crate::login_name::LoginName;
use crate::record::Outcome;
use crate::role::Role;
use crate::session::Means;
use crate::user::User;
use plated_core::error::{Error, Kind, Result};
use serde_json::{Value, json};

/// For whom the agency's own login vouches. Whoever makes one has verified its signature, for whom it is and that it is of
/// now.
#[derive(Clone, Debug)]
pub struct Vouched {
    /// The login name here.
    pub name: LoginName,
    /// As the provider knows them, for ever: issuer and subject.
    pub subject: String,
    /// It asked for a second factor that counts here.
    pub second_factor: bool,
    /// Which roles it lets them have; none: it says nothing of roles.
    pub roles: Option<Vec<Role>>,
}

/// What is on record of a login says by what, where it was not the password.
pub(super) fn with_means(mut subject: Value, means: Means) -> Value {
    if let (Means::Provider { second_factor }, Some(subject)) = (means, subject.as_object_mut()) {
        subject.insert("means".into(), json!("provider"));
        subject.insert("second_factor_there".into(), json!(second_factor));
    }
    subject
}

impl Accounts {
    /// Logs in whom the agency's own login vouches for, after the second factor where they have one here and that of the
    /// provider does not count. The same rules hold as for a password: a locked, disabled or unused account is refused.
    ///
    /// # Errors
    /// Why not; nobody is logged in.
    pub fn login_vouched(&self, person: &Vouched, code: Option<&str>) -> Result<LoggedIn, LoginRefused> {
        let name = &person.name;
        self.begin_attempt(name)?;
        let _changing = lock(&self.changing);
        let user = self.store.user(name).inspect_err(|_| self.lockout.withdraw(name))?;
        let Some(mut user) = user else {
            self.lockout.withdraw(name);
            self.note_failure(None, "the agency's login vouches for somebody who has no account");
            let message = format!("the agency's login knows you as {name}, and there is no such account here");
            return Err(LoginRefused::Account(Error::new(Kind::Forbidden, message)));
        };
        let means = Means::Provider { second_factor: person.second_factor };
        if let Err(why) = fits(&user, person) {
            self.lockout.withdraw(name);
            let subject = with_means(named(name), means);
            self.record("login_failed", Machine::Accounts.into(), &why.to_string(), Outcome::Refused, subject)?;
            return Err(LoginRefused::Account(why));
        }
        if let Some(factor) = user.second_factor.clone().filter(|_| !person.second_factor) {
            let Some(code) = code else {
                self.lockout.withdraw(name);
                return Err(LoginRefused::CodeNeeded);
            };
            if let Err(why) = factor.check(name, code, self.clock.wall(), &mut user.spent) {
                self.wrong(name, "wrong code");
                return Err(LoginRefused::Code(why));
            }
        }
        user.subject.get_or_insert_with(|| person.subject.clone());
        let admitted = self.admit(user, None, means);
        self.attempted(name, &admitted);
        admitted
    }

    /// Puts on record that the agency's own login did not let somebody in, or said something that can't be believed.
    pub fn not_vouched(&self, why: &str) {
        self.note_failure(None, why);
    }

    /// Puts on record that a password was not even looked at, since the agency takes none from this name.
    pub fn no_password_taken(&self, name: &str) {
        self.note_failure(LoginName::new(name).ok().as_ref(), "passwords are not taken from this account");
    }
}

/// The account is the same person's, and has no role that the provider does not let them have.
fn fits(user: &User, person: &Vouched) -> Result<()> {
    let (account, refused) = (&user.account, |message| Err(Error::new(Kind::Forbidden, message)));
    if user.subject.as_ref().is_some_and(|known| *known != person.subject) {
        return refused(format!(
            "the agency's login knows somebody else as {} than before; an administrator has to look into that, and can \
             release the account for you",
            account.name
        ));
    }
    match &person.roles {
        Some(roles) if !roles.contains(&account.role) => refused(format!(
            "the agency's login does not let you be {}, which is the role of your account here; ask an administrator",
            account.role
        )),
        _ => Ok(()),
    }
}
