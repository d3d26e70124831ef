//! The audit log (control P-22): rows that are only ever added, each with a hash over its content and
//! the hash of the row before it, and a signed head.
//!
//! ```text
//! row n:   fields (name, value)          value ── salt of the field ──► commitment
//!          hash = SHA-256(hash of n-1, n, name and commitment of each field)
//! head:    vehicle, log, n, hash, time   signed with the vehicle's key
//! ```
//!
//! A field goes into the hash by a commitment, SHA-256 over a secret salt and the value. So a row can
//! be published without some of its values and still hash to the same, and nobody finds out a value, a
//! plate say, by trying all there are. `docs/decisions/0026-audit-chain.md` says against whom this
//! holds.
//!
//! Where rows are kept is up to others: [`Head::next`] makes the row that follows, in the transaction
//! that keeps it.

mod entry;
mod file;
mod head;
mod kept;
mod redact;
mod row;
mod verify;

pub use entry::{Action, Entry, Who, WhoKind};
pub use file::{Line, verify_file};
pub use head::Head;
pub use kept::{KeptRow, LogReport, LogVerifier};
pub use redact::{RedactedField, RedactedRow, Redactor};
pub use row::{Row, Salt};
pub use verify::{Fault, Link, Report, Verifier, verify};

#[cfg(test)]
mod tests;
