//! Lists of wanted plates, and matching reads against them.
//!
//! A file becomes rows ([`format`](self::format)), the list as a whole is checked against the one in force
//! ([`import`]), an [`Index`] is built of all lists and never changed after; an update builds
//! another and swaps it (invariant 7 of `docs/design.md`).

mod canonical;
mod code;
mod entry;
pub mod format;
pub mod import;
mod index;
mod lists;
mod load;
mod matcher;
pub mod sync;

pub use canonical::{load_canonical, read_entries};
pub use entry::{List, Problem, Report};
pub use index::{Builder, Index, Manifest, Meta, PublicKey, Signer, Trust};
pub use lists::{InForce, Lists, MOST_PARTIALS, Partial, Source};
pub use load::{load, read};
pub use matcher::{LISTED, Match, Pattern, Query, Rules};
