//! Release of reads to other agencies: who may have them, what was asked for, who approved it, and what left (controls
//! P-40, P-41, P-42).
//!
//! A request of an agency that is not in the register, or may not have reads, is kept and goes to the records staff; no
//! data leaves. One that qualifies waits for a reviewer who is not the requester.

pub(crate) mod command;
mod partner;
mod settings;
mod table;

pub use partner::{AgencyKind, NewPartner, Partner, refusal};
pub use settings::Settings;
pub use table::{Release, Which};

use crate::archive::{Plate, Query};
use jiff::Timestamp;
use plated_access::Role;
use plated_core::area::Area;
use plated_core::error::Result;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The schema in the station's database.
pub(super) const SCHEMA: &str = include_str!("releases.sql");

/// Which reads are asked for. All of it is in the past when it is taken down: nothing that is still to come is released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sought {
    /// Plate or partial plate; empty where a place is asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub plate: String,
    /// A point or two corners, as they were entered; empty where a plate is asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub near: String,
    /// So many metres around the point.
    #[serde(default)]
    pub metres: f64,
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
}

impl Sought {
    /// The same as a search.
    ///
    /// # Errors
    /// When plate or place can't be read.
    pub fn query(&self) -> Result<Query> {
        let given = |text: &str| !text.is_empty();
        Ok(Query {
            plate: given(&self.plate).then(|| Plate::parse(&self.plate)).transpose()?,
            area: given(&self.near).then(|| Area::parse(&self.near, self.metres)).transpose()?,
            from: Some(self.from),
            until: Some(self.until),
            ..Query::default()
        })
    }
}

/// What somebody of another agency asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Names it.
    pub id: Uuid,
    /// The agency, as it is called.
    pub agency: String,
    /// It in the register.
    pub partner: Option<Uuid>,
    /// Who asks there, with their title.
    pub person: String,
    /// One of the purposes that this agency authorises.
    pub purpose: String,
    /// Number of their case.
    pub case: String,
    /// What they need it for.
    pub need: String,
    /// What is asked for.
    pub sought: Sought,
    /// It can't wait: a supervisor's approval is enough (control P-41).
    pub exigent: bool,
    /// Who of this agency took it down.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why no data may leave for it; none where it may, once it is approved.
    pub refused: Option<String>,
}

/// What a reviewer said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Data may leave.
    pub approved: bool,
    /// Why, or how it was answered.
    pub why: String,
    /// Who.
    pub by: String,
    /// Their role then.
    pub role: Role,
    /// When.
    pub at: Timestamp,
}

/// What left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenOut {
    /// The archive of evidence, as its manifest names it.
    pub export: Uuid,
    /// Its reads.
    pub reads: u64,
    /// Who took it out.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Why this person may not approve a request; none where they may (controls P-40, P-41).
pub fn may_not_approve(request: &Request, reviewer: &str, role: Role) -> Option<&'static str> {
    match role {
        _ if request.refused.is_some() => Some("no data may leave for this request; say how it was answered"),
        _ => may_not_decide(request, reviewer, role),
    }
}

/// Why this person may not say anything about a request: neither that it is approved nor that it is not.
pub fn may_not_decide(request: &Request, reviewer: &str, role: Role) -> Option<&'static str> {
    match role {
        // What is refused anyhow is answered by records staff, whoever of them took it down.
        Role::Custodian if request.refused.is_some() => None,
        _ if request.by == reviewer => Some("whoever took a request down does not decide on it"),
        Role::Custodian => None,
        Role::Supervisor if request.exigent && request.refused.is_none() => None,
        _ => Some("a records custodian decides on it; a supervisor on what can't wait"),
    }
}

/// Why this person may not take the reads of a request out; none where they may.
pub fn may_not_give_out(release: &Release, role: Role) -> Option<&'static str> {
    match role {
        _ if !release.decision.as_ref().is_some_and(|decision| decision.approved) => {
            Some("the request is not approved")
        }
        Role::Custodian => None,
        Role::Supervisor if release.request.exigent => None,
        _ => Some("a records custodian takes the reads out; a supervisor those of what can't wait"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(exigent: bool, refused: Option<&str>) -> Request {
        let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        Request {
            id: Uuid::nil(),
            agency: "Lodi PD".into(),
            partner: Some(Uuid::nil()),
            person: "Det. Smith".into(),
            purpose: "locate_vehicle".into(),
            case: "26-1".into(),
            need: "burglary".into(),
            sought: Sought { plate: "7ABC123".into(), near: String::new(), metres: 0.0, from, until },
            exigent,
            by: "jdoe".into(),
            at: Timestamp::UNIX_EPOCH,
            refused: refused.map(str::to_owned),
        }
    }

    // policy: P-40, P-41
    #[test]
    fn nobody_approves_their_own_request_and_a_supervisor_only_what_can_not_wait() {
        let usual = request(false, None);
        assert!(may_not_approve(&usual, "jdoe", Role::Custodian).is_some());
        assert!(may_not_approve(&usual, "sarge", Role::Supervisor).is_some());
        assert!(may_not_approve(&usual, "mlee", Role::Officer).is_some());
        assert!(may_not_approve(&usual, "clerk", Role::Custodian).is_none());
        let exigent = request(true, None);
        assert!(may_not_approve(&exigent, "sarge", Role::Supervisor).is_none());
        assert!(may_not_approve(&exigent, "jdoe", Role::Supervisor).is_some());
    }

    // policy: P-42
    #[test]
    fn what_is_refused_is_approved_by_nobody_and_answered_by_records_staff() {
        let refused = request(true, Some("of NV"));
        for role in Role::ALL {
            assert!(may_not_approve(&refused, "other", role).is_some(), "{role}");
        }
        assert!(may_not_decide(&refused, "clerk", Role::Custodian).is_none());
        assert!(may_not_decide(&refused, "jdoe", Role::Custodian).is_none());
        assert!(may_not_decide(&refused, "sarge", Role::Supervisor).is_some());
    }

    // policy: P-40
    #[test]
    fn nothing_is_given_out_before_it_is_approved() {
        let decision = |approved| {
            let (why, by) = ("in order".into(), "clerk".into());
            Some(Decision { approved, why, by, role: Role::Custodian, at: Timestamp::UNIX_EPOCH })
        };
        let release = |decision| Release { request: request(false, None), decision, given_out: Vec::new() };
        assert!(may_not_give_out(&release(None), Role::Custodian).is_some());
        assert!(may_not_give_out(&release(decision(false)), Role::Custodian).is_some());
        assert!(may_not_give_out(&release(decision(true)), Role::Custodian).is_none());
        assert!(may_not_give_out(&release(decision(true)), Role::Supervisor).is_some());
    }
}
