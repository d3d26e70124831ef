//! Hits to tones. [`Repeats`] says whether a hit is news; it is persisted, and then [`Chime`] sounds
//! it; the chime needs no console. [`Quiet`] holds what officers found wrong.

mod chime;
mod dispatch;
mod output;
mod quiet;
mod tone;
mod waiting;

pub use chime::{Chime, ChimeStatus, Started};
pub use dispatch::Repeats;
pub use quiet::Quiet;
pub use tone::{Note, notes, samples};
