//! The gate: session, training, role, purpose and case, record; then the permit.

use crate::accounts::{AccountSettings, Accounts};
use crate::actor::{Actor, SessionUser};
use crate::grants::{Grants, Scope, Source, Visibility};
use crate::permit::{Access, HandOut, Matching, Permit, Recorded, Transfer};
use crate::purpose::{AuthorisedPurpose, default_purposes};
use crate::reason::{Case, Reason};
use crate::record::{AccessRecord, AuditLog, Outcome};
use crate::role::Duty;
use crate::user::User;
use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// What the agency asks of each access. In the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The purposes that the agency authorises (control P-01).
    pub purposes: Vec<AuthorisedPurpose>,
    /// An access must name one of them.
    pub purpose_required: bool,
    /// An access must name a case or incident (control P-02).
    pub case_required: bool,
    /// Nobody sees or changes anything without having logged in. When not given: as soon as there is an
    /// account.
    pub logins_required: Option<bool>,
    /// Who may not see a list still learns that there is an alert of it (control P-08).
    pub alert_existence_shown: bool,
    /// Passwords, lockout, sessions, training.
    pub accounts: AccountSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            purposes: default_purposes(),
            purpose_required: false,
            case_required: false,
            logins_required: None,
            alert_existence_shown: false,
            accounts: AccountSettings::default(),
        }
    }
}

impl Settings {
    /// Rules that the types can't say.
    ///
    /// # Errors
    /// What is wrong, beginning with the key.
    pub fn check(&self) -> Result<(), String> {
        if self.purposes.is_empty() {
            return Err("purposes: name at least one authorised purpose".into());
        }
        for (n, purpose) in self.purposes.iter().enumerate() {
            if self.purposes[..n].iter().any(|p| p.name == purpose.name) {
                return Err(format!("purposes[{n}].name: \"{}\" is used twice", purpose.name));
            }
        }
        self.accounts.check().map_err(|why| format!("accounts.{why}"))
    }
}

/// The one way to a [`Permit`].
pub struct Gate {
    log: Arc<dyn AuditLog>,
    settings: Settings,
    accounts: Option<Arc<Accounts>>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The permits of what the machine does by itself. No record is written for each of its looks: no
/// person sees what comes of them, and a store that can't write must not keep a read from being
/// matched.
#[derive(Debug)]
pub struct MachinePermits {
    /// For the transfer to the station.
    pub transfer: Permit<Transfer>,
    /// For the matching.
    pub matching: Permit<Matching>,
}

/// What the station does by itself: it hands lists out to vehicles that showed their certificate. No
/// command of the station shows reads, hits or entries to a person yet, so it has no gate.
pub fn station_permit() -> Permit<HandOut> {
    Permit::new(None, Scope::machine())
}

impl Gate {
    /// The word on record for the number of rows that were shown.
    pub const ROWS_SHOWN: &'static str = "rows_shown";
    /// The word on record for an alert that was shown to somebody.
    pub const ALERT_SHOWN: &'static str = "alert_shown";

    /// The word on record for whether an alert could be heard where it was shown.
    pub const ALERT_TONE: &'static str = "alert_tone";

    /// A gate over this log, and what the machine may do by itself. There is no other way to these
    /// permits, so they come from where the program is put together.
    pub fn new(log: Arc<dyn AuditLog>, settings: Settings) -> (Self, MachinePermits) {
        let permits = MachinePermits {
            transfer: Permit::new(None, Scope::machine()),
            matching: Permit::new(None, Scope::machine()),
        };
        (Self { log, settings, accounts: None }, permits)
    }

    /// The same for people who log in with these accounts; without them no session counts.
    pub fn with_accounts(self, accounts: Arc<Accounts>) -> Self {
        Self { accounts: Some(accounts), ..self }
    }

    /// Lets `actor` see `subject`, if everything allows it, once that is on record. `subject` is a
    /// JSON object; the case is added to it.
    ///
    /// # Errors
    /// `Unauthenticated` or `Forbidden` when it is not allowed, `Config` when purpose or case are
    /// missing or not authorised, and what kept the record from being written. Nothing may be shown.
    pub fn open<P: Recorded>(&self, actor: &Actor, reason: &Reason, case: &Case, subject: Value) -> Result<Permit<P>> {
        self.pass(actor, reason, case, subject, None)
    }

    /// The same for what comes of one list, as an export: also refused without a grant for it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_list<P: Recorded>(
        &self,
        actor: &Actor,
        reason: &Reason,
        case: &Case,
        subject: Value,
        list: Source<'_>,
    ) -> Result<Permit<P>> {
        self.pass(actor, reason, case, subject, Some(list))
    }

    fn pass<P: Recorded>(
        &self,
        actor: &Actor,
        reason: &Reason,
        case: &Case,
        mut subject: Value,
        list: Option<Source<'_>>,
    ) -> Result<Permit<P>> {
        let user = self.session(actor)?;
        let allowed = self.training(user.as_ref()).and_then(|()| self.role_and_grant::<P>(actor, user.as_ref(), list));
        let (outcome, scope) = match allowed {
            Ok(scope) => (Outcome::Done, Ok(scope)),
            // Who is logged in and wants what is not theirs is on record too.
            Err(refused) if user.is_some() => {
                if let Some(subject) = subject.as_object_mut() {
                    subject.insert("refused".into(), refused.to_string().into());
                }
                (Outcome::Refused, Err(refused))
            }
            Err(refused) => return Err(refused),
        };
        // What the machine does by itself is for no case.
        if scope.is_ok() && P::ASKS_PURPOSE && !matches!(actor, Actor::Machine(_)) {
            self.check(reason, case)?;
        }
        let (actor, reason, case) = (actor.clone(), reason.clone(), case.clone());
        let by = (actor.clone(), reason.clone());
        let record = AccessRecord { actor, what: P::WORD, reason, case, subject, outcome, rows: None, about: None };
        let number = self.log.append(record);
        let scope = scope?;
        Ok(Permit::new(Some(number?), scope).of(by.0, by.1))
    }

    /// Puts on record how many rows are about to be shown against this permit (control P-21); before
    /// they are.
    ///
    /// # Errors
    /// `Unauthenticated` when the session is over or locked by now, and what kept the record from being
    /// written. Nothing may be shown.
    pub fn shown<P: Recorded>(&self, permit: &Permit<P>, rows: u64) -> Result<()> {
        self.follow(permit, Self::ROWS_SHOWN, Value::Object(Default::default()), Some(rows))
    }

    /// The same for rows that are shown one after the other: that there will be at most so many from here
    /// on, so that not each needs a record of its own.
    ///
    /// # Errors
    /// As [`shown`](Self::shown).
    pub fn shown_ahead<P: Recorded>(&self, permit: &Permit<P>, at_most: u64) -> Result<()> {
        self.follow(permit, Self::ROWS_SHOWN, json!({"ahead": true}), Some(at_most))
    }

    /// Puts on record that an alert is about to be shown, and to whom. `subject` is a JSON object that
    /// names it.
    ///
    /// # Errors
    /// As [`shown`](Self::shown).
    pub fn alert_shown<P: Recorded>(&self, permit: &Permit<P>, subject: Value) -> Result<()> {
        self.follow(permit, Self::ALERT_SHOWN, subject, Some(1))
    }

    /// Puts on record whether an alert that was shown could be heard there. `subject` is a JSON object that names it.
    ///
    /// # Errors
    /// As [`shown`](Self::shown).
    pub fn alert_tone<P: Recorded>(&self, permit: &Permit<P>, subject: Value) -> Result<()> {
        self.follow(permit, Self::ALERT_TONE, subject, None)
    }

    /// Whether rows may still be shown against this permit: the session goes on and is not locked.
    ///
    /// # Errors
    /// `Unauthenticated` or `Forbidden`, with the reason.
    pub fn still_open<P: Recorded>(&self, permit: &Permit<P>) -> Result<()> {
        permit.by().map_or(Ok(()), |(actor, _)| self.session(actor).map(drop))
    }

    /// A record that goes on from that of the permit.
    fn follow<P: Recorded>(
        &self,
        permit: &Permit<P>,
        what: &'static str,
        subject: Value,
        rows: Option<u64>,
    ) -> Result<()> {
        let Some((actor, reason)) = permit.by().cloned() else { return Ok(()) };
        self.session(&actor)?;
        let record = AccessRecord {
            actor,
            what,
            reason,
            case: Case::none(),
            subject,
            outcome: Outcome::Done,
            rows,
            about: permit.record(),
        };
        self.log.append(record).map(drop)
    }

    /// The lists that `actor` may see, for what is shown without a record, since it says nothing of a plate,
    /// such as the ages of lists. Who may not see anything gets a scope of nothing.
    pub fn scope(&self, actor: &Actor) -> Scope {
        let grants = match (self.session(actor), actor) {
            (Ok(Some(user)), _) => user.account.grants,
            (Ok(None), Actor::SystemUser(_)) => Self::system_users(),
            _ => Grants::default(),
        };
        Scope::granted(grants, self.settings.alert_existence_shown)
    }

    /// A system user sees every list but the covert ones.
    fn system_users() -> Grants {
        Grants { every_list: true, clets: true, ..Grants::default() }
    }

    /// Whether nobody sees anything without having logged in.
    ///
    /// # Errors
    /// What keeps the accounts from being looked at; then it is so.
    pub fn logins_required(&self) -> Result<bool> {
        match (self.settings.logins_required, &self.accounts) {
            (Some(required), _) => Ok(required),
            (None, Some(accounts)) => accounts.exist(),
            (None, None) => Ok(false),
        }
    }

    /// Whether `actor` may do this. What is done has its record in its own transaction.
    ///
    /// # Errors
    /// `Unauthenticated` or `Forbidden`, with the reason.
    pub fn allow(&self, actor: &Actor, duty: Duty) -> Result<()> {
        let user = self.session(actor)?;
        if duty.needs_training() {
            self.training(user.as_ref())?;
        }
        match (actor, &user) {
            (Actor::Machine(_), _) => Err(forbidden(format!("{actor} may not {duty}"))),
            (_, Some(user)) if !duty.roles().contains(&user.account.role) => {
                Err(forbidden(format!("the role {} may not {duty}", user.account.role)))
            }
            _ => Ok(()),
        }
    }

    /// Step 1: the session goes on and is not locked, and the account may be used. Gives the account as
    /// it is now. A system user passes as long as logins are not required.
    fn session(&self, actor: &Actor) -> Result<Option<User>> {
        let unauthenticated = |message: &str| Err(Error::new(Kind::Unauthenticated, message));
        match (actor, &self.accounts) {
            (Actor::User(session), Some(accounts)) => accounts.standing(session).map(Some),
            (Actor::User(SessionUser { .. }), None) => unauthenticated("nobody can be logged in here"),
            (Actor::SystemUser(_), _) if self.logins_required()? => {
                unauthenticated("nobody is logged in; log in first: plated login NAME")
            }
            (Actor::SystemUser(_) | Actor::Machine(_), _) => Ok(None),
        }
    }

    /// Step 2 (control P-07). For whoever has an account.
    fn training(&self, user: Option<&User>) -> Result<()> {
        match (user, &self.accounts) {
            (Some(user), Some(accounts)) => accounts.check_training(user),
            _ => Ok(()),
        }
    }

    /// Step 3 (control P-08). A machine gets its own kind only; a person what the role has, and of that
    /// what the grants name. A system user has no covert list.
    fn role_and_grant<P: Recorded>(
        &self,
        actor: &Actor,
        user: Option<&User>,
        list: Option<Source<'_>>,
    ) -> Result<Scope> {
        let word = <P as Access>::WORD;
        let scope = match (actor, user) {
            (Actor::Machine(machine), _) if P::MACHINE == Some(*machine) => Scope::machine(),
            (Actor::SystemUser(_), _) if P::MACHINE.is_none() => Scope::granted(Self::system_users(), false),
            (Actor::User(_), Some(user)) if P::ROLES.contains(&user.account.role) => {
                Scope::granted(user.account.grants.clone(), self.settings.alert_existence_shown)
            }
            (Actor::User(_), Some(user)) => {
                return Err(forbidden(format!(
                    "the role {} may not have access of the kind {word}",
                    user.account.role
                )));
            }
            _ => return Err(forbidden(format!("{actor} may not have access of the kind {word}"))),
        };
        match list {
            Some(list) if scope.visibility(list) != Visibility::Whole => {
                let covert = if list.covert { ", which is covert" } else { "" };
                Err(forbidden(format!("{actor} is not authorised for the list {}{covert}", list.list)))
            }
            _ => Ok(scope),
        }
    }

    /// Step 4 (controls P-01 and P-02): whether purpose and case are what the agency asks for.
    ///
    /// # Errors
    /// `Config` when they are not, with what to give.
    pub fn check(&self, reason: &Reason, case: &Case) -> Result<()> {
        self.check_purpose(reason)?;
        if self.settings.case_required && case.as_str().is_empty() {
            return Err(Error::new(Kind::Config, "no case number is given, and the agency asks for one: --case"));
        }
        Ok(())
    }

    /// The purpose alone.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_purpose(&self, reason: &Reason) -> Result<()> {
        let known = || self.settings.purposes.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        match reason.purpose() {
            Some(purpose) if self.settings.purposes.iter().all(|p| p.name != *purpose) => {
                let message = format!("{purpose} is not a purpose that the agency authorises; there are: {}", known());
                return Err(Error::new(Kind::Config, message));
            }
            None if self.settings.purpose_required => {
                let message = format!("no purpose is given; give one of these with --purpose: {}", known());
                return Err(Error::new(Kind::Config, message));
            }
            _ => {}
        }
        Ok(())
    }

    /// Keeps a record, and gives its number.
    pub(crate) fn keep(&self, record: AccessRecord) -> Result<i64> {
        self.log.append(record)
    }
}

fn forbidden(message: String) -> Error {
    Error::new(Kind::Forbidden, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Audit, Machine, Purge, Purpose, Search};
    use plated_core::user::SystemUser;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Log {
        records: Mutex<Vec<AccessRecord>>,
        full: bool,
    }

    impl AuditLog for Log {
        fn append(&self, record: AccessRecord) -> Result<i64> {
            if self.full {
                return Err(Error::new(Kind::Storage, "no room"));
            }
            let mut records = self.records.lock().unwrap();
            records.push(record);
            Ok(records.len() as i64)
        }
    }

    fn officer() -> Actor {
        Actor::SystemUser(SystemUser { user: "jdoe".into(), uid: 1007 })
    }

    fn why() -> Reason {
        Reason::new("traffic stop").unwrap()
    }

    fn gate(settings: Settings) -> (Gate, Arc<Log>) {
        let log = Arc::new(Log::default());
        (Gate::new(log.clone(), settings).0, log)
    }

    // policy: P-21
    #[test]
    fn a_permit_is_given_once_who_what_why_and_case_are_on_record_and_not_otherwise() {
        let (gate, log) = gate(Settings::default());
        let case = Case::new("26-1234").unwrap();
        let permit = gate.open::<Search>(&officer(), &why(), &case, json!({"plate": "7ABC123"})).unwrap();
        assert_eq!(permit.record(), Some(1));
        let records = log.records.lock().unwrap();
        let record = &records[0];
        assert_eq!((&record.actor, record.what, &record.reason), (&officer(), "search_back", &why()));
        assert_eq!((record.case.as_str(), &record.subject["plate"]), ("26-1234", &json!("7ABC123")));

        let full = Gate::new(Arc::new(Log { full: true, ..Log::default() }), Settings::default()).0;
        let refused = full.open::<Search>(&officer(), &why(), &case, json!({})).unwrap_err();
        assert_eq!(refused.kind(), Kind::Storage);
    }

    // policy: P-01
    #[test]
    fn a_purpose_must_be_one_that_the_agency_authorises() {
        let (gate, log) = gate(Settings { purpose_required: true, ..Settings::default() });
        let ask = |name: Option<&str>| {
            let purpose = name.map(|n| Purpose::new(n).unwrap());
            gate.open::<Search>(&officer(), &why().for_purpose(purpose), &Case::none(), json!({}))
        };
        for (purpose, expected) in [(Some("curiosity"), "curiosity"), (None, "no purpose")] {
            let refused = ask(purpose).unwrap_err().chain();
            assert!(refused.contains(expected) && refused.contains("locate_vehicle"), "{refused}");
        }
        assert!(log.records.lock().unwrap().is_empty());
        for purpose in default_purposes() {
            ask(Some(purpose.name.as_str())).unwrap();
        }
    }

    // policy: P-02
    #[test]
    fn an_agency_can_make_the_case_number_mandatory() {
        let (gate, _) = gate(Settings { case_required: true, ..Settings::default() });
        let ask = |case: &str| gate.open::<Search>(&officer(), &why(), &Case::new(case).unwrap(), json!({}));
        assert!(ask(" ").unwrap_err().chain().contains("case number"));
        ask("26-1234").unwrap();
    }

    #[test]
    fn a_machine_gets_its_own_kind_of_access_only_and_a_person_never_that_of_a_machine() {
        let (gate, log) = gate(Settings { case_required: true, purpose_required: true, ..Settings::default() });
        let (purge, none) = (Actor::Machine(Machine::Purge), Case::none());
        assert_eq!(gate.open::<Audit>(&purge, &why(), &none, json!({})).unwrap_err().kind(), Kind::Forbidden);
        assert_eq!(gate.open::<Purge>(&officer(), &why(), &none, json!({})).unwrap_err().kind(), Kind::Forbidden);
        assert!(log.records.lock().unwrap().is_empty());
        gate.open::<Purge>(&purge, &why(), &none, json!({})).unwrap();
        assert_eq!(log.records.lock().unwrap()[0].actor.to_string(), "purge");
    }

    #[test]
    fn settings_name_each_purpose_once() {
        let mut settings = Settings::default();
        settings.check().unwrap();
        settings.purposes.push(settings.purposes[0].clone());
        assert!(settings.check().unwrap_err().contains("purposes[7].name"));
        settings.purposes.clear();
        assert!(settings.check().unwrap_err().contains("at least one"));
    }
}
