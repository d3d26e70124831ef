//! Pictures with boxes, texts and confidences drawn in.

use opencv::core::{Mat, Point, Rect, Scalar, Vector};
use opencv::prelude::*;
use opencv::{imgcodecs, imgproc};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::visible;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Copies of one name in one folder.
const MAX_SAME_NAME: u32 = 100_000;

/// What is drawn at one plate.
pub struct Mark {
    /// From the top left, clockwise, in pixels.
    pub corners: [[f32; 2]; 4],
    /// Text above it.
    pub label: String,
}

/// Writes `image` with `marks` to `dir`, under the name of `path`, as JPEG. What is there already is
/// never overwritten: a copy whose name is taken gets a number.
///
/// # Errors
/// `Storage` when it can't be written; then nothing of it is left there.
pub fn write(dir: &Path, path: &Path, image: &Mat, marks: &[Mark]) -> Result<()> {
    let failed = || format!("could not write a copy of {} to {}", visible(path), visible(dir));
    let mut drawn = image.try_clone().context(Kind::Internal, failed)?;
    for mark in marks {
        draw(&mut drawn, mark).context(Kind::Internal, failed)?;
    }
    let mut bytes = Vector::<u8>::new();
    if !imgcodecs::imencode_def(".jpg", &drawn, &mut bytes).context(Kind::Internal, failed)? {
        return Err(Error::new(Kind::Internal, failed()));
    }
    let (mut file, target) = create(dir, path).context(Kind::Storage, failed)?;
    if let Err(error) = file.write_all(bytes.as_slice()) {
        // Half a picture helps nobody; that it can't be removed either is no news.
        let _ = std::fs::remove_file(target);
        return Err(error).context(Kind::Storage, failed);
    }
    Ok(())
}

/// A new file in `dir` with the name of `path`: `p.jpg`, or `p-2.jpg` where there is one. It is not synced as by
/// `durable`: a copy can be made again, and thousands of them are not worth waiting for the disk each time.
fn create(dir: &Path, path: &Path) -> std::io::Result<(File, PathBuf)> {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    for number in 1..MAX_SAME_NAME {
        let mut name = stem.to_owned();
        if number > 1 {
            name.push(format!("-{number}"));
        }
        name.push(".jpg");
        let target = dir.join(name);
        match File::create_new(&target) {
            Ok(file) => return Ok((file, target)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn draw(image: &mut Mat, mark: &Mark) -> opencv::Result<()> {
    let green = Scalar::new(80.0, 220.0, 60.0, 0.0);
    let dark = Scalar::new(30.0, 30.0, 30.0, 0.0);
    let points: Vector<Point> = mark.corners.iter().map(|c| Point::new(c[0] as i32, c[1] as i32)).collect();
    imgproc::polylines(image, &points, true, green, 2, imgproc::LINE_AA, 0)?;
    let font = imgproc::FONT_HERSHEY_SIMPLEX;
    let scale = (f64::from(image.cols()) / 1600.0).clamp(0.4, 1.0);
    let mut baseline = 0;
    let size = imgproc::get_text_size(&mark.label, font, scale, 2, &mut baseline)?;
    let left = mark.corners.iter().map(|c| c[0]).fold(f32::INFINITY, f32::min) as i32;
    let top = mark.corners.iter().map(|c| c[1]).fold(f32::INFINITY, f32::min) as i32;
    let x = left.clamp(0, (image.cols() - size.width - 8).max(0));
    let y = (top - size.height - baseline - 10).max(0);
    let plate = Rect::new(x, y, size.width + 8, size.height + baseline + 6);
    imgproc::rectangle(image, plate, dark, imgproc::FILLED, imgproc::LINE_8, 0)?;
    let at = Point::new(x + 4, y + size.height + 3);
    imgproc::put_text(image, &mark.label, at, font, scale, green, 2, imgproc::LINE_AA, false)
}
