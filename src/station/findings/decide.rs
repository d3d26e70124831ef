//! Approving and refusing.

use super::table::{Decision, StationFinding};
use crate::hotlists::Publisher;
use jiff::{SignedDuration, Timestamp};
use plated_access::{AccessRecord, Actor, Permit, Show};
use plated_core::error::{Error, Kind, Result};
use plated_core::officers::Signed;
use serde_json::json;

/// The farthest end of a finding.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 2);

impl Publisher<'_> {
    /// Approves a finding: it is in force in all vehicles until `until`, or the end that was proposed.
    ///
    /// # Errors
    /// `NotFound` when there is none of this number, `Refused` when it may not be approved: by the same person, after
    /// its end, or when the vehicle withdrew it.
    pub fn approve_finding(
        &mut self,
        permit: &Permit<Show>,
        number: i64,
        until: Option<Timestamp>,
        actor: &Actor,
        reason: &str,
    ) -> Result<StationFinding> {
        let now = self.clock.wall();
        let found = self.find(permit, number)?;
        let refuse = |why: &str| Err(Error::new(Kind::Refused, format!("finding {number} {why}")));
        let until = until.unwrap_or(found.finding.until);
        if until <= now {
            return refuse("is over; give a later end with --until, or have it proposed again");
        }
        if until.duration_since(now) > MAX_AHEAD {
            return refuse(
                "would last longer than two years, so that it is forgotten; give an earlier end with --until",
            );
        }
        if found.finding.withdrawn.is_some() {
            return refuse("was withdrawn in the vehicle that it comes from");
        }
        let by = actor.author();
        // By name alone: a login of a vehicle and a user of this computer of one name are one person.
        if found.finding.proposed.by.user.eq_ignore_ascii_case(&by.user) {
            return refuse("was proposed by the same person; another one has to approve it");
        }
        let by = Signed { by, at: now, reason: reason.to_owned() };
        self.decide(found, Decision { is_approved: true, by, until }, actor, "finding_approved", reason)
    }

    /// Refuses a finding, also one that was approved: it is in force in no vehicle.
    ///
    /// # Errors
    /// `NotFound` when there is none of this number.
    pub fn refuse_finding(
        &mut self,
        permit: &Permit<Show>,
        number: i64,
        actor: &Actor,
        reason: &str,
    ) -> Result<StationFinding> {
        let found = self.find(permit, number)?;
        let by = Signed { by: actor.author(), at: self.clock.wall(), reason: reason.to_owned() };
        let decision = Decision { is_approved: false, by, until: found.finding.until };
        self.decide(found, decision, actor, "finding_refused", reason)
    }

    fn find(&mut self, permit: &Permit<Show>, number: i64) -> Result<StationFinding> {
        let found = self.database.transaction(|rows| rows.finding(permit, number))?;
        found.ok_or_else(|| {
            let message = format!("there is no finding {number}; `plated-station finding list` shows them");
            Error::new(Kind::NotFound, message)
        })
    }

    fn decide(
        &mut self,
        found: StationFinding,
        decision: Decision,
        actor: &Actor,
        what: &'static str,
        reason: &str,
    ) -> Result<StationFinding> {
        let finding = &found.finding;
        let subject = json!({
            "number": found.number, "id": finding.id, "vehicle": finding.vehicle, "plate": finding.plate,
            "state": finding.state, "list": finding.entry.list, "until": decision.until, "case": finding.case,
        });
        let record = AccessRecord::done(actor, what, reason, subject)?;
        // What is handed out is signed in the same transaction.
        self.change(&record, "a finding was decided", |rows| {
            rows.decide_finding(found.number, &decision).map(|()| true)
        })?;
        Ok(StationFinding { decision: Some(decision), ..found })
    }
}
