//! One picture from one camera.

use jiff::Timestamp;
use opencv::core::Mat;
use std::sync::Arc;
use std::time::Duration;

/// A decoded picture with its origin. Cheap to clone: the pixels are shared.
#[derive(Clone)]
pub struct Frame {
    /// Name of the camera or file.
    pub source: Arc<str>,
    /// Number in the source, from 0, with gaps where the source itself lost frames.
    pub sequence: u64,
    /// Wall-clock time of capture.
    pub at: Timestamp,
    /// Monotonic time of capture; everything is ordered by this.
    pub monotonic: Duration,
    /// 8-bit BGR pixels. Never written to after capture.
    pub image: Arc<Mat>,
}

impl Frame {
    /// Lets go of the picture, for a frame that is only named from here on.
    pub fn drop_pixels(&mut self) {
        self.image = Arc::new(Mat::default());
    }
}
