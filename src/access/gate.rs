//! The gate: session, training, role, purpose and case, record; then the permit.

use crate::actor::Actor;
use crate::permit::{Access, HandOut, Matching, Permit, Recorded, Transfer};
use crate::purpose::{AuthorisedPurpose, default_purposes};
use crate::reason::{Case, Reason};
use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
}

impl Default for Settings {
    fn default() -> Self {
        Self { purposes: default_purposes(), purpose_required: false, case_required: false }
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
        Ok(())
    }
}

/// What is put on record of an access.
#[derive(Clone, Debug)]
pub struct AccessRecord {
    /// Who.
    pub actor: Actor,
    /// The kind of access, [`Access::WORD`].
    pub what: &'static str,
    /// Why.
    pub reason: Reason,
    /// For which case.
    pub case: Case,
    /// What was asked for: a JSON object with the plate or other elements queried.
    pub subject: Value,
}

/// Where access records are kept.
pub trait AuditLog: Send + Sync {
    /// Keeps a record and returns its number once it is durable.
    ///
    /// # Errors
    /// Nothing is shown then.
    fn append(&self, record: AccessRecord) -> Result<i64>;
}

/// The one way to a [`Permit`].
pub struct Gate {
    log: Arc<dyn AuditLog>,
    settings: Settings,
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
    Permit::new(None)
}

impl Gate {
    /// A gate over this log, and what the machine may do by itself. There is no other way to these
    /// permits, so they come from where the program is put together.
    pub fn new(log: Arc<dyn AuditLog>, settings: Settings) -> (Self, MachinePermits) {
        let permits = MachinePermits { transfer: Permit::new(None), matching: Permit::new(None) };
        (Self { log, settings }, permits)
    }

    /// Lets `actor` see `subject`, if everything allows it, once that is on record. `subject` is a
    /// JSON object; the case is added to it.
    ///
    /// # Errors
    /// `Unauthenticated` or `Forbidden` when it is not allowed, `Config` when purpose or case are
    /// missing or not authorised, and what kept the record from being written. Nothing may be shown.
    pub fn open<P: Recorded>(&self, actor: &Actor, reason: &Reason, case: &Case, subject: Value) -> Result<Permit<P>> {
        session(actor)?;
        training(actor)?;
        role::<P>(actor)?;
        self.purpose_and_case(reason, case)?;
        let (actor, reason, case) = (actor.clone(), reason.clone(), case.clone());
        let number = self.log.append(AccessRecord { actor, what: P::WORD, reason, case, subject })?;
        Ok(Permit::new(Some(number)))
    }

    fn purpose_and_case(&self, reason: &Reason, case: &Case) -> Result<()> {
        let known = || self.settings.purposes.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        match reason.purpose() {
            Some(purpose) if self.settings.purposes.iter().all(|p| p.name != *purpose) => {
                let message = format!("{purpose} is not a purpose that the agency authorises; there are: {}", known());
                return Err(Error::new(Kind::Config, message));
            }
            None if self.settings.purpose_required => {
                let message = format!("no purpose is given; give one of: {}", known());
                return Err(Error::new(Kind::Config, message));
            }
            _ => {}
        }
        if self.settings.case_required && case.as_str().is_empty() {
            return Err(Error::new(Kind::Config, "no case number is given, and the agency asks for one"));
        }
        Ok(())
    }
}

/// Step 1. A system user passes: until there are logins, the kernel vouches for who it is.
fn session(actor: &Actor) -> Result<()> {
    match actor {
        Actor::SystemUser(_) | Actor::Machine(_) => Ok(()),
    }
}

/// Step 2 (control P-07). A system user passes: no training is on record before there are logins.
fn training(actor: &Actor) -> Result<()> {
    match actor {
        Actor::SystemUser(_) | Actor::Machine(_) => Ok(()),
    }
}

/// Step 3 (control P-08). A machine gets its own kind only. A system user passes: roles and grants
/// for sources come with logins; until then the modes of socket and files say who may come at all.
fn role<P: Recorded>(actor: &Actor) -> Result<()> {
    if P::suits(actor) {
        return Ok(());
    }
    let message = format!("{actor} may not have access of the kind {}", <P as Access>::WORD);
    Err(Error::new(Kind::Refused, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Audit, Machine, Purge, Purpose, Search};
    use plated_core::user::SystemUser;
    use serde_json::json;
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
        let (gate, log) = gate(Settings::default());
        let (purge, none) = (Actor::Machine(Machine::Purge), Case::none());
        assert_eq!(gate.open::<Audit>(&purge, &why(), &none, json!({})).unwrap_err().kind(), Kind::Refused);
        assert_eq!(gate.open::<Purge>(&officer(), &why(), &none, json!({})).unwrap_err().kind(), Kind::Refused);
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
