//! A camera as it is shown on the terminal: what it gives, and its picture in shades of grey.

use super::answers::Named;
use super::edit::camera_table;
use opencv::core::{MatTraitConst, Vec3b};
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Context, Error, Kind, Result};
use plated_vision::capture::{Capture, CaptureSource, NextFrame, SourceState};
use plated_vision::picture::Picture;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A camera gives its first picture in less.
const PATIENCE: Duration = Duration::from_secs(10);
/// Columns of the picture on the terminal.
const COLUMNS: i32 = 64;
/// The shades of a terminal with 256 colours, from the darkest.
const DARKEST: u32 = 232;
const SHADES: u32 = 24;

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

/// The picture in half blocks: each character is two points, one above the other.
fn drawn(picture: &Picture) -> Result<String> {
    let pixels = picture.pixels()?;
    let (columns, rows) = (pixels.cols(), pixels.rows());
    if columns < COLUMNS || rows < 2 {
        return Ok(String::new());
    }
    let lines = (COLUMNS * rows / columns / 2).max(1);
    let shade = |x: i32, y: i32| -> u32 {
        let at = pixels.at_2d::<Vec3b>(y.min(rows - 1), x.min(columns - 1));
        let [b, g, r] = at.map_or([0; 3], |pixel| pixel.0).map(u32::from);
        DARKEST + (b + 6 * g + 3 * r) / 10 * (SHADES - 1) / 255
    };
    let mut text = String::new();
    for line in 0..lines {
        for column in 0..COLUMNS {
            let x = column * columns / COLUMNS;
            let [above, below] = [2 * line, 2 * line + 1].map(|half| shade(x, half * rows / (2 * lines)));
            // Writing to a text can't fail.
            let _ = write!(text, "\x1b[38;5;{above};48;5;{below}m\u{2580}");
        }
        text += "\x1b[0m\n";
    }
    Ok(text)
}
