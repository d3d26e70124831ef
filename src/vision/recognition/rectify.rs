//! Making a plate upright.

use opencv::core::{BORDER_REPLICATE, Mat, Point2f, Rect, Scalar, Size, Vector};
use opencv::imgproc;
use opencv::prelude::*;
use plated_core::error::{Context, Kind, Result};

/// Pixels of a plate for one of the reader's, at most, between which pixels are interpolated.
const MAX_SHRINK: f32 = 2.0;
const CUT_FAILED: &str = "a plate could not be cut out of its frame";

/// Warps the quadrangle `corners` (from the top left, clockwise) of `image` to
/// `width` × `height`, reaching past it by `margin` (shares of its width and height).
pub fn upright(image: &Mat, corners: &[[f32; 2]; 4], margin: [f32; 2], width: usize, height: usize) -> Result<Mat> {
    let failed = || CUT_FAILED.to_string();
    let corners = grow(corners, margin);
    // A linear interpolation past a half skips pixels: a plate near by is reduced first.
    let factor = MAX_SHRINK * width as f32 / width_of(&corners).max(1.0);
    let near = if factor < 1.0 { reduced(image, &corners, factor).context(Kind::Internal, failed)? } else { None };
    let (image, corners) = near.as_ref().map_or((image, corners), |(image, corners)| (image, *corners));
    let from: Vector<Point2f> = corners.iter().map(|p| Point2f::new(p[0], p[1])).collect();
    let (w, h) = (width as f32, height as f32);
    let to: Vector<Point2f> =
        [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)].iter().map(|&(x, y)| Point2f::new(x, y)).collect();
    let transform =
        imgproc::get_perspective_transform(&from, &to, opencv::core::DECOMP_LU).context(Kind::Internal, failed)?;
    let mut out = Mat::default();
    let size = Size::new(width as i32, height as i32);
    imgproc::warp_perspective(
        image,
        &mut out,
        &transform,
        size,
        imgproc::INTER_LINEAR,
        BORDER_REPLICATE,
        Scalar::default(),
    )
    .context(Kind::Internal, failed)?;
    Ok(out)
}

/// Length of the longer of the upper and the lower edge.
fn width_of([tl, tr, br, bl]: &[[f32; 2]; 4]) -> f32 {
    (tr[0] - tl[0]).hypot(tr[1] - tl[1]).max((br[0] - bl[0]).hypot(br[1] - bl[1]))
}

/// The part of `image` around `corners`, scaled by about `factor`, and the corners in it; `None` where they lie outside.
fn reduced(image: &Mat, corners: &[[f32; 2]; 4], factor: f32) -> opencv::Result<Option<(Mat, [[f32; 2]; 4])>> {
    let part = reach(std::iter::once(corners), [0.0; 2]) & Rect::new(0, 0, image.cols(), image.rows());
    if part.empty() {
        return Ok(None);
    }
    let side = |n: i32| ((n as f32 * factor).round() as i32).max(1);
    let size = Size::new(side(part.width), side(part.height));
    let mut out = Mat::default();
    imgproc::resize(&Mat::roi(image, part)?, &mut out, size, 0.0, 0.0, imgproc::INTER_AREA)?;
    // Pixels are counted by their middles.
    let scaled = |n: f32, origin: i32, from: i32, to: i32| (n - origin as f32 + 0.5) * to as f32 / from as f32 - 0.5;
    let inside =
        corners.map(|[x, y]| [scaled(x, part.x, part.width, size.width), scaled(y, part.y, part.height, size.height)]);
    Ok(Some((out, inside)))
}

/// The whole picture as one plate.
pub fn whole(image: &Mat, width: usize, height: usize) -> Result<Mat> {
    let how = if image.cols() as usize > width { imgproc::INTER_AREA } else { imgproc::INTER_LINEAR };
    let mut out = Mat::default();
    let size = Size::new(width as i32, height as i32);
    imgproc::resize(image, &mut out, size, 0.0, 0.0, how).context(Kind::Internal, || CUT_FAILED.to_string())?;
    Ok(out)
}

/// The least part of a picture, in whole pixels, that holds all these plates and `margin` around
/// each; it may lie outside the picture.
pub fn reach<'a>(plates: impl Iterator<Item = &'a [[f32; 2]; 4]>, margin: [f32; 2]) -> Rect {
    let (mut least, mut most) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
    for point in plates.flat_map(|corners| grow(corners, margin)) {
        for axis in 0..2 {
            least[axis] = least[axis].min(point[axis]);
            most[axis] = most[axis].max(point[axis]);
        }
    }
    let [x, y] = least.map(|n| n.floor() as i32);
    // Pixels are taken from between whole ones.
    let [right, bottom] = most.map(|n| (n.ceil() as i32).saturating_add(1));
    Rect::new(x, y, right.saturating_sub(x).max(0), bottom.saturating_sub(y).max(0))
}

/// Corners pushed outward along the plate's own directions.
pub fn grow(corners: &[[f32; 2]; 4], margin: [f32; 2]) -> [[f32; 2]; 4] {
    let [tl, tr, br, bl] = *corners;
    let right = [0, 1].map(|i| (tr[i] - tl[i] + br[i] - bl[i]) / 2.0 * margin[0]);
    let down = [0, 1].map(|i| (bl[i] - tl[i] + br[i] - tr[i]) / 2.0 * margin[1]);
    let moved = |p: [f32; 2], r: f32, d: f32| [p[0] + r * right[0] + d * down[0], p[1] + r * right[1] + d * down[1]];
    [moved(tl, -1.0, -1.0), moved(tr, 1.0, -1.0), moved(br, 1.0, 1.0), moved(bl, -1.0, 1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::{CV_8UC3, Vec3b};

    #[test]
    fn a_plate_near_by_keeps_the_mean_of_its_pixels() {
        // Columns in turn black and white: a crop of a twentieth shows neither.
        let mut image = Mat::new_size_with_default(Size::new(1600, 480), CV_8UC3, Scalar::all(0.0)).unwrap();
        for y in 0..image.rows() {
            for x in (0..image.cols()).step_by(2) {
                *image.at_2d_mut::<Vec3b>(y, x).unwrap() = Vec3b::all(255);
            }
        }
        let crop =
            upright(&image, &[[0.0, 0.0], [1600.0, 0.0], [1600.0, 480.0], [0.0, 480.0]], [0.0; 2], 80, 24).unwrap();
        let grey = |b: &u8| (100..=155).contains(b);
        assert!(crop.data_bytes().unwrap().iter().all(grey), "{:?}", &crop.data_bytes().unwrap()[..12]);
    }

    #[test]
    fn corners_grow_by_their_share_of_the_plate() {
        let square = [[0.0, 0.0], [100.0, 0.0], [100.0, 50.0], [0.0, 50.0]];
        assert_eq!(grow(&square, [0.1, 0.2]), [[-10.0, -10.0], [110.0, -10.0], [110.0, 60.0], [-10.0, 60.0]]);
    }
}
