//! The two pictures of a read: the plate upright, and the whole frame it was read on.

use crate::store::NewImage;
use opencv::core::{Mat, Vector};
use opencv::imgcodecs;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::ImageRole;
use plated_vision::recognition::{TrackRead, rectify};
use std::sync::Arc;

/// A plate's picture reaches this share past the plate.
const MARGIN: [f32; 2] = [0.08, 0.12];
/// Smallest and largest width of a plate's picture in pixels; it is half as high.
const WIDTHS: (f32, f32) = (96.0, 480.0);
const PLATE_QUALITY: i32 = 92;
const OVERVIEW_QUALITY: i32 = 85;

pub fn of(read: &TrackRead) -> Result<Vec<NewImage>> {
    let corners = &read.best.corners;
    let side = |a: usize, b: usize| (corners[a][0] - corners[b][0]).hypot(corners[a][1] - corners[b][1]);
    let width = (side(0, 1).max(side(3, 2)) * (1.0 + 2.0 * MARGIN[0])).clamp(WIDTHS.0, WIDTHS.1) as usize;
    let plate = rectify::upright(&read.frame.image, corners, MARGIN, width, width / 2)?;
    Ok(vec![
        NewImage { role: ImageRole::Plate, jpeg: jpeg(&plate, PLATE_QUALITY)? },
        NewImage { role: ImageRole::Overview, jpeg: jpeg(&read.frame.image, OVERVIEW_QUALITY)? },
    ])
}

fn jpeg(image: &Mat, quality: i32) -> Result<Arc<[u8]>> {
    let failed = || "a picture could not be encoded".to_string();
    let mut bytes = Vector::<u8>::new();
    let options = Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, quality]);
    if !imgcodecs::imencode(".jpg", image, &mut bytes, &options).context(Kind::Internal, failed)? {
        return Err(Error::new(Kind::Internal, failed()));
    }
    Ok(bytes.as_slice().into())
}
