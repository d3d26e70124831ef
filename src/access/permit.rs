//! Permits, and the kinds of access they are for.

use crate::actor::{Actor, Machine};
use std::fmt;
use std::marker::PhantomData;

/// Proof that an access of kind `P` passed the gate. It can't be made elsewhere, nor cloned.
pub struct Permit<P: Access> {
    record: Option<i64>,
    kind: PhantomData<P>,
}

impl<P: Access> Permit<P> {
    pub(crate) fn new(record: Option<i64>) -> Self {
        Self { record, kind: PhantomData }
    }

    /// Number of the access record; none for what the machine does by itself.
    pub fn record(&self) -> Option<i64> {
        self.record
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
    /// True when such an actor can have this kind at all.
    fn suits(actor: &Actor) -> bool {
        matches!(actor, Actor::SystemUser(_))
    }
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
    /// Reads and hits as they are made.
    Live = "live_shown";
    /// Access records and records of changes.
    Audit = "events_shown";
    /// Deleting reads.
    Purge = "purged";
    /// Reads and pictures on their way to the station.
    Transfer = "transfer";
    /// Lists on their way from the station to vehicles.
    HandOut = "list_handed_out";
    /// Entries and muted pairings, for the matching.
    Matching = "matching";
}

impl Recorded for Show {}
impl Recorded for Search {}
impl Recorded for Hits {}
impl Recorded for Export {}
impl Recorded for Live {}
impl Recorded for Audit {}
impl Recorded for Purge {
    fn suits(actor: &Actor) -> bool {
        matches!(actor, Actor::Machine(Machine::Purge))
    }
}
