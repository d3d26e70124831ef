//! Performance tests (control P-31): a labelled test set, or the plates that a tester saw while driving, against
//! what was read.

mod labels;
mod replay;
mod score;

pub use labels::{Item, TestSet, label, of_csv, of_lines, of_pictures};
pub use replay::Replay;
pub use score::{Axis, Label, Miss, Score, Seen, score};

/// Plates of a drive test at most.
pub const MAX_ENTERED: usize = 1000;
/// Misses that are shown, the worst first.
pub const MAX_MISSES: usize = 20;
