//! What the daemon makes known in its [`Hub`](crate::events::Hub): all of it is durable, and seen only by way
//! of a permit.

use crate::store::NewImage;
use crate::visible::{self, VisibleHit};
use jiff::Timestamp;
use plated_access::{Permit, Recorded};
use plated_core::record::{HitRecord, ReadRecord};
use plated_hotlist::ListSettings;
use std::sync::Arc;
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
    /// Somebody said what a hit was, or muted its pairing.
    Disposed {
        /// The hit.
        hit: Uuid,
    },
    /// Somebody corrected a read.
    Corrected {
        /// The read.
        read: Uuid,
    },
    /// There was an alert of a list that this person may not see, where the agency lets them know that.
    Concealed {
        /// When.
        at: Timestamp,
    },
}

/// Something durable, with hits of every list, covert ones included. What somebody may see of it comes
/// against their permit.
#[derive(Clone, Debug)]
pub struct Published {
    announcement: Arc<Announcement>,
    settings: Arc<ListSettings>,
}

impl Published {
    /// With the settings of the lists, by which it is decided who sees what.
    pub fn new(announcement: Announcement, settings: Arc<ListSettings>) -> Self {
        Self { announcement: Arc::new(announcement), settings }
    }

    /// What the holder of this permit may see of it (control P-08); none when nothing. Not before
    /// that is on record.
    pub(crate) fn seen_with<P: Recorded>(&self, permit: &Permit<P>) -> Option<Announcement> {
        let (scope, settings) = (permit.scope(), &self.settings);
        match &*self.announcement {
            Announcement::Read { read, pictures } => {
                let read = Box::new(visible::read(scope, settings, read));
                Some(Announcement::Read { read, pictures: pictures.clone() })
            }
            Announcement::Hit { read, hit, captured, pictures } => match visible::hit(scope, settings, hit) {
                VisibleHit::Whole(hit) => {
                    let read = Box::new(visible::read(scope, settings, read));
                    Some(Announcement::Hit { read, hit, captured: *captured, pictures: pictures.clone() })
                }
                VisibleHit::Existence => Some(Announcement::Concealed { at: hit.at }),
                VisibleHit::Hidden => None,
            },
            Announcement::Concealed { at } => Some(Announcement::Concealed { at: *at }),
            // Says nothing of the hit but its id.
            Announcement::Disposed { hit } => Some(Announcement::Disposed { hit: *hit }),
            Announcement::Corrected { read } => Some(Announcement::Corrected { read: *read }),
        }
    }

    /// All of it, for tests of what is published.
    #[cfg(test)]
    pub(crate) fn whole(&self) -> Arc<Announcement> {
        self.announcement.clone()
    }
}
