//! Cameras and files to frames. One thread a source; recognition takes the newest frame of each
//! and never holds a camera up (invariant 6 of `docs/design.md`).
//!
//! ```text
//! reader (file, folder, RTSP, V4L2) ──► supervisor thread ──► slot ──► next()
//!   opens, advances, decodes           stamps, paces, reopens   newest wins, fair over sources
//! ```

mod folder;
mod image;
mod pace;
mod settings;
mod slot;
mod supervisor;
mod video;

pub use image::load_image;
pub use settings::{Input, Pace, RtspUrl, Source};
pub use supervisor::{Capture, Next, SourceStatus, State, Taken};
pub use video::{VideoFrame, VideoReader};

use opencv::core::Mat;
use plated_core::error::Result;

/// Something that yields pictures one after the other.
///
/// Advancing and decoding are apart, so that a frame is stamped when it arrived and not when it
/// was decoded, and so that a file can be paced before it is decoded.
trait Reader {
    /// Goes to the next picture; waits for a camera. False when there is none any more.
    fn advance(&mut self) -> Result<bool>;
    /// The picture gone to, 8-bit BGR. `None` when it can't be used and the next one should be
    /// tried; the reason has been logged.
    fn decode(&mut self) -> Result<Option<Mat>>;
    /// Pictures a second, as the file or the configuration says.
    fn rate(&self) -> f64;
}
