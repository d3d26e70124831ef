//! Lists of wanted plates, and matching reads against them.
//!
//! A list is read whole and looked at ([`accept`]), kept on the [`Shelf`], and put in force in
//! [`Lists`], where an update takes its place while reads are matched (invariant 7 of
//! `docs/design.md`).

mod accept;
#[allow(dead_code, reason = "patterns use a part of it")]
mod code;
mod csv;
mod entry;
mod index;
mod line;
mod lists;
mod matcher;
#[path = "matcher/pattern.rs"]
#[allow(dead_code, reason = "probabilities come with the other rules")]
mod pattern;
mod sets;
mod shelf;

pub use accept::{Accepted, accept};
pub use csv::{load, read};
pub use entry::{List, Problem, Report};
pub use index::Index;
pub use lists::{InForce, Lists, Partial, Rules, Source};
pub use matcher::Match;
pub use pattern::Pattern;
pub use sets::Sets;
pub use shelf::{INCOMING, Shelf};
