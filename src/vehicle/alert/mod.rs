//! Hits to tones. [`Repeats`] says whether a hit is news; it is persisted, and then [`Chime`] sounds
//! it; the chime needs no console. [`MutedPairings`] holds what officers found wrong.

mod chime;
mod dispatch;
mod output;
mod muted;
mod tone;
mod waiting;

pub use chime::{Chime, ChimeStatus, Started};
pub use dispatch::Repeats;
pub use muted::MutedPairings;
pub use tone::{Note, notes, samples};
