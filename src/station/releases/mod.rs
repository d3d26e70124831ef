//! Release of reads to other agencies: who may have them, what was asked for, who approved it (controls P-40, P-41,
//! P-42).
//!
//! A request of an agency that is not in the register, or may not have reads, is kept and goes to the records staff; no
//! data leaves. One that qualifies waits for a reviewer who is not the requester.

mod settings;
mod table;

pub use settings::Settings;
pub use table::Release;

use jiff::Timestamp;
use jiff::civil::Date;
use plated_access::Role;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The schema in the station's database.
pub(super) const SCHEMA: &str = include_str!("releases.sql");

/// What an agency is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgencyKind {
    /// Police, sheriff, highway patrol.
    LawEnforcement,
    /// A district attorney, an attorney general.
    Prosecutor,
    /// Anybody else. Nothing is released to them (control P-42).
    Other,
}

/// An agency of the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// Names it.
    pub id: Uuid,
    /// As it is called.
    pub name: String,
    /// What it is.
    pub kind: AgencyKind,
    /// Two letters of its state; `US` for a federal one.
    pub jurisdiction: String,
    /// For what it asks.
    pub purpose: String,
    /// By what it has a right to know.
    pub right_to_know: String,
    /// The day on which somebody looks at it again; from then on nothing is released before that.
    pub review: Date,
    /// Who put it into the register, and when.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Nothing is released to it any more.
    pub ended: bool,
}

/// What somebody of another agency asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Names it.
    pub id: Uuid,
    /// The agency, as they said it.
    pub agency: String,
    /// It in the register.
    pub partner: Option<Uuid>,
    /// Who asks there, with their designation.
    pub person: String,
    /// One of the purposes that the agency authorises.
    pub purpose: String,
    /// Number of their case.
    pub case: String,
    /// What is searched for: plate or partial plate, and the time.
    pub plate: String,
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
    /// It can't wait: a supervisor approves it (control P-41).
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
    /// Why.
    pub why: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenOut {
    /// The archive of evidence.
    pub export: Uuid,
    /// Its reads.
    pub reads: u64,
    /// Who took it out.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Why nothing may be released to an agency on this day; none where it may (controls P-40, P-42).
pub fn refusal(settings: &Settings, partner: Option<&Partner>, today: Date) -> Option<String> {
    let Some(partner) = partner else {
        return Some("The agency is not in the register: records staff answer it.".into());
    };
    match () {
        () if partner.ended => Some("Nothing is released to this agency any more.".into()),
        () if partner.kind == AgencyKind::Other => {
            Some("It is no law enforcement or prosecutorial agency: records staff answer it.".into())
        }
        () if !settings.jurisdictions.contains(&partner.jurisdiction) => Some(format!(
            "It is of {}; reads are released to agencies of {} only.",
            if partner.jurisdiction == "US" { "the federal government" } else { &partner.jurisdiction },
            settings.jurisdictions.join(", ")
        )),
        () if partner.review <= today => {
            Some("Its entry in the register is to be looked at again before anything is released.".into())
        }
        () => None,
    }
}

/// Why this person may not approve a request; none where they may (controls P-40, P-41).
pub fn may_not_approve(request: &Request, reviewer: &str, role: Role) -> Option<&'static str> {
    match role {
        _ if request.refused.is_some() => Some("It is refused; no data may leave."),
        _ if request.by == reviewer => Some("Who takes a request down does not approve it."),
        Role::Custodian => None,
        Role::Supervisor if request.exigent => None,
        _ => Some("A custodian approves it; a supervisor only what can't wait."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn partner(kind: AgencyKind, jurisdiction: &str) -> Partner {
        Partner {
            id: Uuid::nil(),
            name: "Lodi PD".into(),
            kind,
            jurisdiction: jurisdiction.into(),
            purpose: "investigations".into(),
            right_to_know: "agreement of 2026".into(),
            review: day("2027-01-01"),
            by: "clerk".into(),
            at: Timestamp::UNIX_EPOCH,
            ended: false,
        }
    }

    fn request(exigent: bool, refused: Option<&str>) -> Request {
        Request {
            id: Uuid::nil(),
            agency: "Lodi PD".into(),
            partner: Some(Uuid::nil()),
            person: "Det. Smith".into(),
            purpose: "locate_vehicle".into(),
            case: "26-1".into(),
            plate: "7ABC123".into(),
            from: Timestamp::UNIX_EPOCH,
            until: Timestamp::UNIX_EPOCH,
            exigent,
            by: "jdoe".into(),
            at: Timestamp::UNIX_EPOCH,
            refused: refused.map(str::to_owned),
        }
    }

    // policy: P-40, P-42
    #[test]
    fn only_agencies_of_the_register_that_enforce_the_law_here_qualify_and_until_their_review() {
        let (settings, today) = (Settings::default(), day("2026-11-27"));
        let why = |partner: Option<&Partner>| refusal(&settings, partner, today);
        assert_eq!(why(Some(&partner(AgencyKind::LawEnforcement, "CA"))), None);
        assert_eq!(why(Some(&partner(AgencyKind::Prosecutor, "CA"))), None);
        assert!(why(None).unwrap().contains("records staff"));
        assert!(why(Some(&partner(AgencyKind::Other, "CA"))).unwrap().contains("records staff"));
        assert!(why(Some(&partner(AgencyKind::LawEnforcement, "NV"))).unwrap().contains("of NV"));
        assert!(why(Some(&partner(AgencyKind::LawEnforcement, "US"))).unwrap().contains("federal"));
        let due = Partner { review: today, ..partner(AgencyKind::LawEnforcement, "CA") };
        assert!(why(Some(&due)).unwrap().contains("looked at again"));
        let ended = Partner { ended: true, ..partner(AgencyKind::LawEnforcement, "CA") };
        assert!(why(Some(&ended)).is_some());
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
        assert!(may_not_approve(&request(true, Some("of NV")), "clerk", Role::Custodian).is_some());
    }
}
