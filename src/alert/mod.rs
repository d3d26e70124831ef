//! Hits to tones. A hit is persisted first, then [`Repeats`] says whether it is news, then
//! [`Chime`] sounds it; the chime needs no console.

mod chime;
mod dispatch;
mod output;
mod tone;
mod waiting;

pub use chime::{Chime, ChimeStatus, Started};
pub use dispatch::Repeats;
pub use tone::{Note, notes, samples};
