//! Cameras and files to frames. One thread a source; recognition takes the newest frame of each
//! and never holds a camera up (invariant 6 of `docs/design.md`).
//!
//! ```text
//! reader (file, folder, RTSP, V4L2) ──► supervisor thread ──► slot ──► next()
//!   opens, advances, fetches           stamps, paces, reopens   newest wins, fair over sources
//! ```

mod container;
mod ffmpeg;
mod folder;
pub mod gige;
mod image;
mod kind;
mod media_time;
mod pace;
mod probe;
mod settings;
mod slot;
mod supervisor;
mod uncounted;
pub mod v4l2;
mod video;
mod view;
mod watch;

pub use ffmpeg::limit_silence;
pub(crate) use image::silence_opencv;
pub use image::{MAX_PIXELS, load_image, load_picture, load_picture_within};
pub use kind::{Medium, medium};
pub use settings::{CameraUrl, CaptureSource, Input, Pace, recording_start};
pub use supervisor::{Capture, NextFrame, Packets, SourceState, SourceStatus, TakenFrame};
pub use video::{VideoFrame, VideoReader};
pub use view::{Area, View};

use crate::picture::Picture;
use jiff::Timestamp;
use plated_core::error::Result;
use std::time::Duration;

/// Something that yields pictures one after the other.
///
/// Advancing and fetching are apart, so that a frame is stamped when it arrived, and so that a file
/// can be paced before it is read. What comes as JPEG is not decoded here: most frames of a fast
/// camera give way to newer ones before anybody looks at them.
trait FrameReader {
    /// Goes to the next picture; waits for a camera. False when there is none any more.
    fn advance(&mut self) -> Result<bool>;
    /// The picture gone to. `None` when it can't be used and the next one should be
    /// tried; the reason has been logged.
    fn fetch(&mut self) -> Result<Option<Picture>>;
    /// Pictures a second, as the file or the configuration says.
    fn rate(&self) -> f64;
    /// Time from the beginning to the picture gone to, where a file says it.
    fn media_time(&self) -> Option<Duration> {
        None
    }
    /// When the recording began, where a file says it.
    fn recorded(&self) -> Option<Timestamp> {
        None
    }
    /// When the picture gone to was taken, where a file says it.
    fn taken_at(&self) -> Option<Timestamp> {
        None
    }
    /// After what time there may be another picture though there is none now; `None` when there will
    /// be none.
    fn again_after(&self) -> Option<Duration> {
        None
    }
    /// How long ago the picture gone to was taken, where its driver says it.
    fn age(&self) -> Duration {
        Duration::ZERO
    }
    /// Pictures that were lost on their way since it was opened, as far as can be told.
    fn lost(&self) -> u64 {
        0
    }
    /// Packets on their way from the camera, where it counts them.
    fn packets(&self) -> Option<Packets> {
        None
    }
    /// What of the configuration it does not do, in one sentence.
    fn note(&self) -> Option<&str> {
        None
    }
}
