//! Lists of wanted plates, and matching reads against them.
//!
//! A list is read ([`load`]), built into an [`Index`] that is never changed after, and put in
//! force in [`Lists`]; an update builds another index and swaps it (invariant 7 of
//! `docs/design.md`).

mod code;
mod csv;
mod entry;
mod index;
mod line;
mod lists;
mod matcher;

pub use csv::{load, read};
pub use entry::{List, Problem, Report};
pub use index::{Builder, Index, Manifest, Meta, PublicKey, Signer, Trust};
pub use lists::{InForce, Lists, MOST_PARTIALS, Partial, Source};
pub use matcher::{LISTED, Match, Pattern, Query, Rules};
