//! Pictures with boxes, texts and confidences drawn in.

use opencv::core::{Mat, Point, Rect, Scalar, Vector};
use opencv::prelude::*;
use opencv::{imgcodecs, imgproc};
use plated_core::error::{Context, Error, Kind, Result};
use std::path::Path;

/// What is drawn at one plate.
pub struct Mark {
    /// From the top left, clockwise, in pixels.
    pub corners: [[f32; 2]; 4],
    /// Text above it.
    pub label: String,
}

/// Writes `image` with `marks` to `dir`, under the name of `path`, as JPEG.
pub fn write(dir: &Path, path: &Path, image: &Mat, marks: &[Mark]) -> Result<()> {
    let name = Path::new(path.file_name().unwrap_or(path.as_os_str())).with_extension("jpg");
    let target = dir.join(name);
    let failed = || format!("could not write {}", target.display());
    let mut drawn = image.try_clone().context(Kind::Internal, failed)?;
    for mark in marks {
        draw(&mut drawn, mark).context(Kind::Internal, failed)?;
    }
    let text = target.to_str().ok_or_else(|| Error::new(Kind::Input, failed()))?;
    if !imgcodecs::imwrite(text, &drawn, &Vector::new()).context(Kind::Storage, failed)? {
        return Err(Error::new(Kind::Storage, failed()));
    }
    Ok(())
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
