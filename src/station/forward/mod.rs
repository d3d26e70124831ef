//! Forwarding to an upstream station (control P-17), by the protocol of vehicles: what is taken in and is shared waits in
//! a queue, goes in batches with all pictures, and leaves the queue by a receipt that the upstream station signed. What
//! goes twice is there once.

pub(super) mod command;
mod queue;
mod sender;
mod settings;

pub use queue::{UPSTREAM, Waiting};
pub use sender::Forwarder;
pub(crate) use settings::takes;
pub use settings::{Downstream, Settings};

/// The schema in the station's database.
pub(super) const SCHEMA: &str = include_str!("schema.sql");
