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
    /// Whether the clock was trusted by which `at` was told.
    pub clock_trusted: bool,
    /// `at` is the time of a recording, and not of this computer's clock.
    pub recorded: bool,
    /// Monotonic time of capture; everything is ordered by this.
    pub monotonic: Duration,
    /// What it shows.
    pub picture: Picture,
}
