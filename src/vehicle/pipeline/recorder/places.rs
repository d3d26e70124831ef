//! Where the vehicle was when it read a plate.

use crate::gps::Fixes;
use plated_core::position::Position;
use plated_vision::recognition::TrackRead;
use std::sync::Arc;

/// Positions for reads.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// None without a receiver.
    fixes: Option<Arc<Fixes>>,
    /// Recordings: they have times of their own, and were made elsewhere.
    recordings: Vec<Arc<str>>,
}

impl Places {
    /// By these fixes, for all sources but `recordings`.
    pub fn new(fixes: Option<Arc<Fixes>>, recordings: Vec<Arc<str>>) -> Self {
        Self { fixes, recordings }
    }

    /// Where the vehicle was at the newest look of this read.
    pub fn of(&self, read: &TrackRead) -> Option<Position> {
        let fixes = self.fixes.as_ref().filter(|_| !self.recordings.contains(&read.source))?;
        fixes.at(read.captured)
    }
}
