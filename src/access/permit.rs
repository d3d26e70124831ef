//! Permits, and the kinds of access they are for.

use crate::actor::{Actor, Machine};
use crate::grants::Scope;
use crate::reason::Reason;
use crate::role::Role;
use crate::role::Role::{Administrator, Auditor, Custodian, Officer, Supervisor};
use std::fmt;
use std::marker::PhantomData;

/// Proof that an access of kind `P` passed the gate. It can't be made elsewhere, nor cloned.
pub struct Permit<P: Access> {
    record: Option<i64>,
    scope: Scope,
    /// Who sees it, and why; none for what the machine does by itself.
    by: Option<(Actor, Reason)>,
    kind: PhantomData<P>,
}

impl<P: Access> Permit<P> {
    pub(crate) fn new(record: Option<i64>, scope: Scope) -> Self {
        Self { record, scope, by: None, kind: PhantomData }
    }

    pub(crate) fn of(self, actor: Actor, reason: Reason) -> Self {
        Self { by: Some((actor, reason)), ..self }
    }

    pub(crate) fn by(&self) -> Option<&(Actor, Reason)> {
        self.by.as_ref()
    }

    /// Number of the access record; none for what the machine does by itself.
    pub fn record(&self) -> Option<i64> {
        self.record
    }

    /// Who has it, and why; none for what the machine does by itself.
    pub fn holder(&self) -> Option<(&Actor, &Reason)> {
        self.by.as_ref().map(|(actor, reason)| (actor, reason))
    }

    /// The lists for which it is good (control P-08). Whoever gives out entries and hits asks it for
    /// each of them.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

impl Permit<Sample> {
    /// Reads that were drawn are looked at as those that were searched for.
    pub fn into_reads(self) -> Permit<Search> {
        Permit { record: self.record, scope: self.scope, by: self.by, kind: PhantomData }
    }
}

impl<P: Access> fmt::Debug for Permit<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({}, {:?})", P::WORD, self.record)
    }
}

/// A kind of access. The kinds are those of this module.
pub trait Access: sealed::Kind {
    /// The word on record.
    const WORD: &'static str;
}

/// A kind of access that has a record each time.
pub trait Recorded: Access {
    /// The roles that have it (control P-23). None for what only the machine does.
    const ROLES: &'static [Role];
    /// The part of the program that has it, where persons do not.
    const MACHINE: Option<Machine> = None;
    /// Purpose and case are asked for, as the agency wants them.
    const ASKS_PURPOSE: bool = true;
}

mod sealed {
    pub trait Kind {}
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl sealed::Kind for $name {}
        impl Access for $name { const WORD: &'static str = $word; }
    )* };
}

kinds! {
    /// Entries of lists that name a plate.
    Show = "plate_shown";
    /// Reads.
    Search = "search_back";
    /// Hits and what was found about them.
    Hits = "hits_shown";
    /// A list as a whole.
    Export = "list_exported";
    /// Reads that a search found, as a file.
    ExportReads = "reads_exported";
    /// Reads and hits as they are made.
    Live = "live_shown";
    /// Access records and records of changes.
    Audit = "events_shown";
    /// Accesses and reads that were drawn for an audit (control P-32).
    Sample = "audit_sample_shown";
    /// Deleting reads.
    Purge = "purged";
    /// Reads go on to an upstream station (control P-17).
    Forward = "forwarded";
    /// Reads that are kept as evidence beyond their retention.
    HoldEvidence = "evidence_hold";
    /// What another agency asked for, and what was decided (controls P-40, P-41, P-42).
    Release = "release_request";
    /// The register of agencies that reads may be released to.
    Partners = "partner_changed";
    /// The audit log without plates and names, for everybody.
    PublishLog = "audit_log_published";
    /// Reads and pictures that go to a medium for the station, encrypted.
    ExportMedium = "medium_exported";
    /// Media of vehicles that are taken in.
    ImportMedium = "medium_imported";
    /// Reads and pictures on their way to the station.
    Transfer = "transfer";
    /// Lists on their way from the station to vehicles.
    HandOut = "list_handed_out";
    /// Alerts on their way to another program.
    GiveOut = "alert_given_out";
    /// Entries and muted pairings, for the matching.
    Matching = "matching";
}

// Which role sees what. Administrators set the system up, cameras included, and examine incidents; they
// do not search. Auditors see the records of access. Each person has one role.
impl Recorded for Show {
    const ROLES: &'static [Role] = &[Officer, Supervisor, Custodian];
}
impl Recorded for Search {
    const ROLES: &'static [Role] = &[Officer, Supervisor, Custodian];
}
impl Recorded for Hits {
    const ROLES: &'static [Role] = &[Officer, Supervisor, Custodian];
}
impl Recorded for Live {
    const ROLES: &'static [Role] = &[Officer, Supervisor, Administrator];
}
impl Recorded for Export {
    const ROLES: &'static [Role] = &[Supervisor, Custodian];
}
impl Recorded for ExportReads {
    const ROLES: &'static [Role] = &[Supervisor, Custodian];
}
impl Recorded for Audit {
    const ROLES: &'static [Role] = &[Administrator, Auditor, Custodian];
}
// Which purpose somebody looks for is what the audit asks of others.
impl Recorded for Sample {
    const ROLES: &'static [Role] = &[Auditor];
    const ASKS_PURPOSE: bool = false;
}
impl Recorded for HoldEvidence {
    const ROLES: &'static [Role] = &[Supervisor, Custodian];
}
// An officer takes down what somebody of another agency asks for; who approves it is for the rules of releases.
impl Recorded for Release {
    const ROLES: &'static [Role] = &[Officer, Supervisor, Custodian];
}
// It names no plate.
impl Recorded for Partners {
    const ROLES: &'static [Role] = &[Administrator, Custodian];
    const ASKS_PURPOSE: bool = false;
}
// Nobody sees plates or names in it. A person who lets it out by a command sees more, and does so by `Audit`.
impl Recorded for PublishLog {
    const ROLES: &'static [Role] = &[];
    const MACHINE: Option<Machine> = Some(Machine::Publish);
    const ASKS_PURPOSE: bool = false;
}
impl Recorded for Forward {
    const ROLES: &'static [Role] = &[];
    const MACHINE: Option<Machine> = Some(Machine::Forward);
}
// Nobody sees what is on a medium but the station.
impl Recorded for ExportMedium {
    const ROLES: &'static [Role] = &[Officer, Supervisor, Administrator, Custodian];
}
impl Recorded for ImportMedium {
    const ROLES: &'static [Role] = &[Supervisor, Administrator, Custodian];
}
impl Recorded for Purge {
    const ROLES: &'static [Role] = &[];
    const MACHINE: Option<Machine> = Some(Machine::Purge);
}
