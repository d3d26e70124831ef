//! Access to ALPR data: nothing is given out before it is on record who sees it, and why
//! (controls P-01, P-02 and P-21).
//!
//! A [`Gate`] takes an [`Actor`], a [`Reason`], a [`Case`] and what is asked for, goes through its
//! steps in their order, has the access record written, and gives a [`Permit`] when that is durable.
//! Whatever keeps data (the vehicle's store, the station's archive) takes a permit of the right kind
//! in every method that gives rows out; so rows that are not on record are a compile error:
//!
//! ```
//! use plated_access::{Permit, Search};
//! fn rows(_: &Permit<Search>) {}
//! fn look(permit: Permit<Search>) {
//!     rows(&permit)
//! }
//! ```
//!
//! Nobody but the gate can make a permit,
//!
//! ```compile_fail,E0451
//! use plated_access::{Permit, Search};
//! fn rows(_: &Permit<Search>) {}
//! rows(&Permit { record: None, kind: std::marker::PhantomData::<Search> });
//! ```
//!
//! ```compile_fail,E0624
//! use plated_access::{Permit, Search};
//! fn rows(_: &Permit<Search>) {}
//! rows(&Permit::new(None));
//! ```
//!
//! none can be copied to be used elsewhere,
//!
//! ```compile_fail,E0308
//! use plated_access::{Permit, Search};
//! fn twice(permit: &Permit<Search>) -> Permit<Search> {
//!     permit.clone()
//! }
//! ```
//!
//! none is good for another kind of access,
//!
//! ```compile_fail,E0308
//! use plated_access::{Hits, Permit, Search};
//! fn rows(_: &Permit<Search>) {}
//! fn look(permit: Permit<Hits>) {
//!     rows(&permit)
//! }
//! ```
//!
//! no further kinds can be invented,
//!
//! ```compile_fail,E0277
//! use plated_access::Access;
//! struct Everything;
//! impl Access for Everything {
//!     const WORD: &'static str = "everything";
//! }
//! ```
//!
//! and what the machine does by itself (transfer, matching) can't be opened in a person's name.
//!
//! ```compile_fail,E0277
//! use plated_access::{Actor, Case, Gate, Reason, Transfer};
//! fn look(gate: &Gate, actor: &Actor, reason: &Reason) {
//!     let _ = gate.open::<Transfer>(actor, reason, &Case::none(), serde_json::json!({}));
//! }
//! ```
//!
//! The same with a kind that persons have:
//!
//! ```
//! use plated_access::{Actor, Case, Gate, Reason, Search};
//! fn look(gate: &Gate, actor: &Actor, reason: &Reason) {
//!     let _ = gate.open::<Search>(actor, reason, &Case::none(), serde_json::json!({}));
//! }
//! ```

mod actor; // who: a system user, a part of the program
mod gate; // the only way to a permit
mod permit; // proof that an access is on record
mod purpose; // the purposes that the agency authorises
mod reason; // why, and for which case

pub use actor::{Actor, Machine, Role};
pub use gate::{AccessRecord, AuditLog, Gate, MachinePermits, Settings, station_permit};
pub use permit::{
    Access, Audit, Export, HandOut, Hits, Live, Matching, Permit, Purge, Recorded, Search, Show, Transfer,
};
pub use purpose::{AuthorisedPurpose, Purpose};
pub use reason::{Case, Reason};
