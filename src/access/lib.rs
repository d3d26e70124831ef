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
//! rows(&Permit { record: None, scope: todo!(), by: None, kind: std::marker::PhantomData::<Search> });
//! ```
//!
//! ```compile_fail,E0624
//! use plated_access::{Permit, Search};
//! fn rows(_: &Permit<Search>) {}
//! rows(&Permit::new(None, todo!()));
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
//!
//! Nobody but [`Accounts`] can say that somebody is logged in.
//!
//! ```compile_fail,E0451
//! use plated_access::{Actor, LoginName, Role, SessionId, SessionUser};
//! fn forge(session: SessionId, name: LoginName) -> Actor {
//!     Actor::User(SessionUser { session, name, agency: String::new(), role: Role::Officer })
//! }
//! ```

mod role; // what a person is to the agency
mod grants; // which lists somebody sees
mod purpose; // the purposes that the agency authorises
mod reason; // why, and for which case
mod agency; // what an agency sets for its vehicles
pub mod signed; // JSON documents with who signed them
mod login_name; // the name by which somebody logs in
mod password; // hashes, and which passwords are taken
mod second_factor; // codes by time, recovery codes
mod user; // accounts, and how the station hands them out
mod lockout; // failed logins
mod session; // who is logged in
mod actor; // who: a session, a system user, a part of the program
mod record; // what is put on record
mod breach; // signs that somebody tries to get in
mod accounts; // logging in, and changing accounts
mod permit; // proof that an access is on record
mod gate; // the only way to a permit
mod subscriber; // programs that are given alerts
pub mod audit; // the chain of records: rows, heads, verification, redaction

pub use accounts::{
    AccountSettings, AccountStore, Accounts, Alarm, Change, Due, LoggedIn, LoginRefused, Session, SharedAccounts,
    Vouched,
};
pub use actor::{Actor, Machine, SessionUser};
pub use agency::AgencySettings;
pub use breach::Breach;
pub use gate::{Gate, MachinePermits, Settings, station_permit};
pub use grants::{Grants, Scope, Source, Visibility};
pub use lockout::{Failures, Locked};
pub use login_name::LoginName;
pub use password::{Password, PasswordHash};
pub use permit::{
    Access, Audit, Export, ExportMedium, ExportReads, Forward, GiveOut, HandOut, Hits, HoldEvidence, ImportMedium,
    Live, Matching, Partners, Permit, PublishLog, Purge, Recorded, Release, Sample, Search, Show, Transfer,
};
pub use purpose::{AuthorisedPurpose, Purpose};
pub use reason::{Case, Reason};
pub use record::{AccessRecord, AuditLog, Outcome};
pub use role::{Duty, Role};
pub use second_factor::{Enrolment, SecondFactor, Spent, WrongCode};
pub use session::{Activity, Means, SessionId, SessionRecord, Token};
pub use subscriber::{NewSubscriber, Subscriber, SubscriberAccount};
pub use user::{
    Account, Disabled, ManagedBy, NewUser, ProvisionedUser, SealKey, SealSecret, SealedFactor, User, UserDocument,
};
