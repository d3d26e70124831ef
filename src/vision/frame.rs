//! One picture from one camera.

use crate::picture::Picture;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// A picture with its origin, compressed as it came until somebody looks at it. Cheap to clone.
#[derive(Clone)]
pub struct Frame {
    /// Name of the camera or file.
    pub source: Arc<str>,
    /// Number in the source, from 0. Frames between two numbers were lost: the source could not
    /// decode them, or a newer one replaced them before recognition was free.
    pub sequence: u64,
    /// Wall-clock time of capture.
    pub at: Timestamp,
    /// Monotonic time of capture; everything is ordered by this.
    pub monotonic: Duration,
    /// What it shows.
    pub picture: Picture,
}

impl Frame {
    /// Lets go of raw pixels, for a frame that is only named from here on. A JPEG is small, and
    /// shared with the one that is stored.
    pub fn drop_pixels(&mut self) {
        if matches!(self.picture, Picture::Pixels(_)) {
            self.picture = Picture::Pixels(Arc::default());
        }
    }
}
