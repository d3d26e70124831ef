//! Sessions of the command line: logging in and out, and what people do with their own account.

use super::{Answer, OfficerService};
use crate::control::{Call, OwnSession, Reply, Request, Secret};
use plated_access::{Activity, Actor, LoginRefused, Token};
use plated_core::error::{Error, Kind, Result};
use std::path::Path;

impl OfficerService {
    /// Does what is asked by whoever has the session of this call or, without one, by the system user
    /// `caller`. `file` is what an import brings.
    ///
    /// # Errors
    /// What keeps it from being done; a sentence for who asked.
    pub fn call(&self, call: Call, caller: Actor, file: Option<&Path>, answer: Answer<'_>) -> Result<()> {
        let Call { session, request } = call;
        match request {
            Request::Login { name, password, code } => {
                let accounts = self.accounts()?;
                let logged_in = match accounts.login(&name, &password.password(), code.as_ref().map(Secret::text)) {
                    Err(LoginRefused::CodeNeeded) => return answer(Reply::CodeNeeded),
                    done => done?,
                };
                // The session before it is not gone on with.
                if let Some(before) = session.as_ref().and_then(|s| Token::parse(s.text())) {
                    accounts.logout(&before)?;
                }
                let own = accounts.own(&logged_in.token)?;
                let training = accounts.check_training(&own).err().map(|e| e.to_string());
                answer(Reply::LoggedIn(Box::new(OwnSession::of(logged_in, training))))
            }
            Request::Logout => match &session {
                Some(session) => {
                    self.accounts()?.logout(&token(session)?)?;
                    self.logged_out();
                    Ok(())
                }
                None => Ok(()),
            },
            Request::ChangePassword { old, new } => {
                let accounts = self.accounts()?;
                Ok(accounts.change_password(&own(session.as_ref())?, &old.password(), &new.password())?)
            }
            Request::BeginSecondFactor { password } => {
                let token = own(session.as_ref())?;
                let made = self.accounts()?.begin_second_factor(&token, &password.password())?;
                let (secret, url) = (made.secret.as_str().to_owned(), made.url.as_str().to_owned());
                answer(Reply::Enrolment { secret: secret.into(), url: url.into() })
            }
            Request::ConfirmSecondFactor { code } => {
                let token = own(session.as_ref())?;
                let codes = self.accounts()?.confirm_second_factor(&token, code.text())?;
                answer(Reply::RecoveryCodes(codes.into_iter().map(Secret::from).collect()))
            }
            Request::RenewRecoveryCodes { password } => {
                let token = own(session.as_ref())?;
                let codes = self.accounts()?.renew_recovery_codes(&token, &password.password())?;
                answer(Reply::RecoveryCodes(codes.into_iter().map(Secret::from).collect()))
            }
            // How all is, is told also to whose session is over.
            Request::Status => {
                let actor = self.actor(session.as_ref(), caller.clone()).unwrap_or(caller);
                self.answer(Request::Status, &actor, file, answer)
            }
            request => self.answer(request, &self.actor(session.as_ref(), caller)?, file, answer),
        }
    }

    /// Who asks: the person whose session it is or, without one, `caller`.
    ///
    /// # Errors
    /// `Unauthenticated` when the session is over.
    pub fn actor(&self, session: Option<&Secret>, caller: Actor) -> Result<Actor> {
        let Some(session) = session else { return Ok(caller) };
        let token = token(session)?;
        Ok(self.accounts()?.session(&token, Activity::Person)?.actor())
    }
}

fn token(session: &Secret) -> Result<Token> {
    let none = || Error::new(Kind::Unauthenticated, "this is no session; log in again: plated login NAME");
    Token::parse(session.text()).ok_or_else(none)
}

/// The session of what people do with their own account.
fn own(session: Option<&Secret>) -> Result<Token> {
    let none = || Error::new(Kind::Unauthenticated, "nobody is logged in; log in first: plated login NAME");
    token(session.ok_or_else(none)?)
}

/// What needs the token of a session came without it.
pub(super) fn not_by_a_call() -> Error {
    Error::new(Kind::Internal, "sessions are begun and ended by calls that bring their token")
}
