//! Programs that are given alerts as they are made: computer-aided dispatch, the software of a mobile terminal.
//!
//! They have no session, and no person asks each time: what lets them see is the configuration. The gate is the
//! same, and so is the record: each connection and each alert is on record before it is given out, and nothing is given out
//! of a list that is not granted.

use crate::actor::{Actor, Machine};
use crate::gate::Gate;
use crate::grants::{Grants, Scope};
use crate::permit::{Access, GiveOut, Permit};
use crate::reason::{Case, Reason};
use crate::record::{AccessRecord, Outcome};
use plated_core::error::Result;
use serde_json::Value;

/// Who is given alerts.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// Its name in the configuration.
    pub name: String,
    /// The lists whose alerts it is given, by name; covert ones are never among them.
    pub grants: Grants,
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
    use crate::{AuditLog, Purpose, Settings, Source, Visibility};
    use plated_core::error::{Error, Kind};
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
