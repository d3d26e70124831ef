//! "Not this vehicle" for all vehicles: what officers found in one of them comes with its batches, a supervisor
//! approves or refuses it here, and what is approved goes to all vehicles, signed, beside the lists.

pub(super) mod calls;
pub(super) mod command;
mod decide;
mod table;

pub use table::{Decision, KIND, StationFinding};

/// The schema in the station's database.
pub(super) const SCHEMA: &str = include_str!("schema.sql");
