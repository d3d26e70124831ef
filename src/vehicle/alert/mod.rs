//! Hits to tones. [`Repeats`] says whether a hit is news, and [`Chime`] sounds it, at once; the chime
//! needs no console. [`MutedPairings`] holds what officers found wrong.

mod bell;
mod chime;
mod decision;
mod dispatch;
mod findings;
mod output;
mod muted;
mod settings;
mod tone;
mod waiting;

pub use chime::{Chime, ChimeStatus, Started};
pub use decision::{decide, hit};
pub use dispatch::Repeats;
pub use findings::VehicleFindings;
pub use muted::MutedPairings;
pub use settings::Settings;
pub use tone::{Note, notes, samples};
