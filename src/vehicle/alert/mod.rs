//! Hits to tones. [`Repeats`] says whether a hit is news, and [`Chime`] sounds it, at once; the chime
//! needs no console. [`MutedPairings`] holds what officers found wrong.

mod bell;
mod chime;
mod dispatch;
mod output;
mod muted;
mod settings;
mod tone;
mod waiting;

pub use chime::{Chime, ChimeStatus, Started};
pub use dispatch::Repeats;
pub use muted::MutedPairings;
pub use settings::Settings;
pub use tone::{Note, notes, samples};
