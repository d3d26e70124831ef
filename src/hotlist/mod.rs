//! Lists of wanted plates, and matching reads against them.
//!
//! A list is read whole ([`load`]), an [`Index`] is built of all lists and never changed after;
//! an update builds another and swaps it (invariant 7 of `docs/design.md`).

mod canonical;
mod csv;
mod entry;
mod index;
mod line;
mod matcher;
pub mod sync;

pub use canonical::{load_canonical, read_entries};
pub use csv::{load, read};
pub use entry::{List, Problem, Report};
pub use index::Index;
pub use matcher::Match;
