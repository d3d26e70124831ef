//! The two pictures of a read: the plate upright, and the whole frame it was read on, which is the
//! camera's own JPEG where it sends JPEGs. From the same pixels comes what the vehicle looks like.

use super::VehicleLook;
use crate::store::NewImage;
use plated_core::appearance::Appearance;
use plated_core::error::Result;
use plated_core::record::ImageRole;
use plated_vision::picture::encode;
use plated_vision::recognition::{TrackRead, rectify};

/// A plate's picture reaches this share past the plate.
const MARGIN: [f32; 2] = [0.08, 0.12];
/// Smallest and largest width of a plate's picture in pixels; it is half as high.
const WIDTHS: (f32, f32) = (96.0, 480.0);
const PLATE_QUALITY: i32 = 92;
const OVERVIEW_QUALITY: i32 = 85;

pub fn of(read: &TrackRead, look: &VehicleLook) -> Result<(Vec<NewImage>, Option<Appearance>)> {
    let corners = &read.best.corners;
    let side = |a: usize, b: usize| (corners[a][0] - corners[b][0]).hypot(corners[a][1] - corners[b][1]);
    let width = (side(0, 1).max(side(3, 2)) * (1.0 + 2.0 * MARGIN[0])).clamp(WIDTHS.0, WIDTHS.1) as usize;
    let picture = &read.frame.picture;
    let of_plate = rectify::reach(std::iter::once(corners), MARGIN);
    let (image, [x, y]) = picture.part(look.reach(read).map_or(of_plate, |wanted| wanted | of_plate))?;
    let appearance = look.at(read, &image, [x, y]);
    let inside = corners.map(|corner| [corner[0] - x, corner[1] - y]);
    let plate = rectify::upright(&image, &inside, MARGIN, width, width / 2)?;
    let images = vec![
        NewImage { role: ImageRole::Plate, jpeg: encode(&plate, PLATE_QUALITY)? },
        NewImage { role: ImageRole::Overview, jpeg: picture.jpeg(OVERVIEW_QUALITY)? },
    ];
    Ok((images, appearance))
}
