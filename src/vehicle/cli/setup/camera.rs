//! A camera as it is shown on the terminal: what it gives, and its picture in shades of grey.

use super::answers::Named;
use super::edit::camera_table;
use crate::cli::camera::drawn;
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Context, Error, Kind, Result};
use plated_vision::capture::{Capture, CaptureSource, NextFrame, SourceState};
use plated_vision::picture::Picture;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A camera gives its first picture in less.
const PATIENCE: Duration = Duration::from_secs(10);

/// Its first picture, for a terminal.
///
/// # Errors
/// Why there is none.
pub fn show(camera: &Named) -> Result<String> {
    let picture = first_picture(camera)?;
    let (width, height) = picture.size();
    Ok(format!("{}It gives pictures of {width} x {height} pixels.\n", drawn(&picture)?))
}

fn first_picture(camera: &Named) -> Result<Picture> {
    let source: CaptureSource = toml::from_str(&camera_table(camera).to_string())
        .context(Kind::Config, || format!("{} is no camera", camera.value))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let capture = Capture::start(&[source], clock)?;
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        match capture.next(Duration::from_millis(100)) {
            NextFrame::Frame(taken) => return Ok(taken.frame.picture),
            NextFrame::TimedOut => {}
            NextFrame::AllEnded => break,
        }
        for source in capture.status() {
            if let SourceState::Waiting { error } | SourceState::Ended { error: Some(error) } = source.state {
                return Err(Error::new(Kind::Missing, error));
            }
        }
    }
    Err(Error::new(Kind::Missing, "it gives no picture; look at its cable"))
}
