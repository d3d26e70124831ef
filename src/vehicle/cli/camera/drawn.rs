//! A picture on the terminal, in shades of grey.

use opencv::core::{MatTraitConst, Vec3b};
use plated_core::error::Result;
use plated_vision::picture::Picture;
use std::fmt::Write;

/// Columns of the picture on the terminal.
const COLUMNS: i32 = 64;
/// The shades of a terminal with 256 colours, from the darkest.
const DARKEST: u32 = 232;
const SHADES: u32 = 24;

/// The picture in half blocks: each character is two points, one above the other.
///
/// # Errors
/// `Input` when it can't be decoded.
pub fn drawn(picture: &Picture) -> Result<String> {
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
