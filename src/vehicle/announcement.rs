//! What the daemon makes known in its [`Hub`](crate::events::Hub): all of it is durable.

use crate::store::NewImage;
use plated_core::record::{HitRecord, ReadRecord};
use std::time::Duration;
use uuid::Uuid;

/// Something that is durable and may be shown.
#[derive(Debug)]
pub enum Announcement {
    /// The vehicle pass is over; this is the read.
    Read {
        /// What was stored.
        read: Box<ReadRecord>,
        /// Its pictures.
        pictures: Vec<NewImage>,
    },
    /// The plate matched an entry. A lead, not a fact, until somebody verified it.
    Hit {
        /// The read as it is so far.
        read: Box<ReadRecord>,
        /// The match, and whether it sounded.
        hit: Box<HitRecord>,
        /// Monotonic time at which the frame that decided it was captured.
        captured: Duration,
        /// Pictures of the read as it is so far.
        pictures: Vec<NewImage>,
    },
    /// Somebody said what a hit was.
    Disposed {
        /// The hit.
        hit: Uuid,
    },
}
