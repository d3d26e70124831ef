//! One file for each area of pages: its routes, and how its view models are filled.

pub mod aiming;
pub mod alerts;
pub mod canvass;
pub mod entries;
pub mod events;
pub mod findings;
pub mod import;
pub mod live;
pub mod office;
pub mod performance;
pub mod pictures;
pub mod purpose;
pub mod reads;
pub mod search;
pub mod shift;
pub mod stream;
