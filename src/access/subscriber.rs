//! Programs that are given alerts as they are made: computer-aided dispatch, the software of a mobile terminal.
//!
//! They have no session, and no person asks each time: what lets them see is the configuration, or an
//! administrator who added them and gave them a token. The gate is the same, and so is the record: each connection and each alert is on record before it is given out, and nothing is given out
//! of a list that is not granted.

use crate::actor::{Actor, Machine};
use crate::gate::Gate;
use crate::grants::{Grants, Scope};
use crate::permit::{Access, GiveOut, Permit};
use crate::purpose::Purpose;
use crate::reason::{Case, Reason};
use crate::record::{AccessRecord, Outcome};
use jiff::Timestamp;
use plated_core::error::{Error, Kind, Result};
use plated_core::name::is_plain_name;
use plated_core::record::Priority;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// Who is given alerts.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// Its name, in the configuration or as it was added.
    pub name: String,
    /// The lists whose alerts it is given, by name; covert ones are never among them.
    pub grants: Grants,
}

/// What somebody says of a program that may ask for alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSubscriber {
    /// Its name on record.
    pub name: String,
    /// The lists whose alerts it is given, by name.
    pub lists: BTreeSet<String>,
    /// Entries of state and federal systems too.
    #[serde(default)]
    pub clets: bool,
    /// Less urgent alerts it is not given.
    #[serde(default)]
    pub priority: Priority,
    /// The purpose that goes on record, one of the agency's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
}

impl NewSubscriber {
    /// Rules that the types can't say.
    ///
    /// # Errors
    /// `Input` with what is wrong.
    pub fn check(&self) -> Result<()> {
        let input = |message: &str| Err(Error::new(Kind::Input, message));
        if !is_plain_name(&self.name) {
            return input("the name of a program must be 1 to 64 letters, digits, '-', '_' or '.'");
        }
        if self.lists.is_empty() {
            return input("name at least one list whose alerts the program is given");
        }
        Ok(())
    }
}

/// A program that may ask for alerts, as it is kept, beside the hash of its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberAccount {
    /// What was said of it.
    pub subscriber: NewSubscriber,
    /// Who authorised it.
    pub authorised_by: String,
    /// When.
    pub authorised_at: Timestamp,
}

impl SubscriberAccount {
    /// As the gate knows it.
    pub fn subscriber(&self) -> Subscriber {
        let NewSubscriber { name, lists, clets, .. } = self.subscriber.clone();
        Subscriber { name, grants: Grants { every_list: false, lists, clets } }
    }
}

impl Gate {
    /// Lets a program be given `subject`, once that is on record; `subject` is a JSON object, to which its name is
    /// added. `rows`: how many alerts that is.
    ///
    /// # Errors
    /// `Config` when the purpose is missing or not authorised, and what kept the record from being written.
    /// Nothing may be given out.
    pub fn give_out(
        &self,
        subscriber: &Subscriber,
        reason: &Reason,
        mut subject: Value,
        rows: Option<u64>,
    ) -> Result<Permit<GiveOut>> {
        self.check_purpose(reason)?;
        if let Some(subject) = subject.as_object_mut() {
            subject.insert("subscriber".into(), subscriber.name.clone().into());
        }
        let record = AccessRecord {
            actor: Actor::Machine(Machine::Subscriber),
            what: GiveOut::WORD,
            reason: reason.clone(),
            // A program has none; the answer of a person to the alert has.
            case: Case::none(),
            subject,
            outcome: Outcome::Done,
            rows,
            about: None,
        };
        let number = self.keep(record)?;
        // Granted one by one: not what comes later, and no hint that there is more.
        let grants = Grants { every_list: false, ..subscriber.grants.clone() };
        Ok(Permit::new(Some(number), Scope::granted(grants, false)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuditLog, Settings, Source, Visibility};
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct Log(Mutex<Vec<AccessRecord>>);

    impl AuditLog for Log {
        fn append(&self, record: AccessRecord) -> Result<i64> {
            let mut rows = self.0.lock().unwrap();
            rows.push(record);
            Ok(rows.len() as i64)
        }
    }

    struct Full;

    impl AuditLog for Full {
        fn append(&self, _: AccessRecord) -> Result<i64> {
            Err(Error::new(Kind::Storage, "the disk is full"))
        }
    }

    fn cad() -> Subscriber {
        let grants = Grants { every_list: true, lists: ["svs".to_owned()].into(), clets: false };
        Subscriber { name: "cad".into(), grants }
    }

    // policy: P-08, P-21
    #[test]
    fn a_program_is_given_what_its_lists_have_once_that_is_on_record() {
        let log = Arc::new(Log::default());
        let (gate, _) = Gate::new(log.clone(), Settings::default());
        let reason = Reason::new("alerts for dispatch").unwrap();
        let permit = gate.give_out(&cad(), &reason, serde_json::json!({"hit": 7}), Some(1)).unwrap();
        assert_eq!(permit.record(), Some(1));
        let row = log.0.lock().unwrap().remove(0);
        assert_eq!((row.what, row.rows), ("alert_given_out", Some(1)));
        assert_eq!(row.subject, serde_json::json!({"hit": 7, "subscriber": "cad"}));
        let seen = |list, clets, covert| permit.scope().visibility(Source { list, clets, covert });
        assert_eq!(seen("svs", false, false), Visibility::Whole);
        assert_eq!(seen("svs", true, false), Visibility::Hidden, "without a CLETS grant");
        assert_eq!(seen("bolo", false, false), Visibility::Hidden, "one by one");
    }

    // policy: P-01, P-21
    #[test]
    fn without_a_record_or_with_a_purpose_that_the_agency_does_not_authorise_nothing_is_given_out() {
        let reason = Reason::new("alerts for dispatch").unwrap();
        let (full, _) = Gate::new(Arc::new(Full), Settings::default());
        assert!(full.give_out(&cad(), &reason, serde_json::json!({}), None).is_err());
        let settings = Settings { purpose_required: true, ..Settings::default() };
        let (gate, _) = Gate::new(Arc::new(Log::default()), settings);
        assert!(gate.give_out(&cad(), &reason, serde_json::json!({}), None).is_err());
        let unknown = reason.for_purpose(Some(Purpose::new("advertising").unwrap()));
        assert!(gate.give_out(&cad(), &unknown, serde_json::json!({}), None).is_err());
    }
}
