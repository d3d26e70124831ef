//! Putting a picture on the detector's canvas, and results back into the picture.
//!
//! The picture is scaled by one factor and the rest of the canvas filled with grey 114. For plated's
//! own detector the canvas is hardly larger than the picture; other detectors take one size only. It is
//! scaled by area where it shrinks to less than half, linearly otherwise: past a half, linear
//! interpolation skips pixels. A JPEG comes already shrunk by a power of two, to no less than it
//! needs here. `detector_infer.py` does the same, and the two must agree.

use super::Detection;
use opencv::core::{Mat, Rect, Scalar, Size};
use opencv::imgproc;
use opencv::prelude::*;
use plated_core::error::{Context, Kind, Result};

const GREY: f64 = 114.0;

/// A reusable input picture, `height × width × 3` bytes, BGR.
pub struct Canvas {
    mat: Mat,
    width: usize,
    height: usize,
    /// Sides are the next multiples of this above the picture's, which is at the top left. Without, the
    /// canvas has its full size and the picture is in its middle.
    step: Option<usize>,
    /// Grey left and above, and as much right and below, of a picture at the top left.
    margin: i32,
    last: Option<Rect>,
}

/// Where a picture lies on the canvas.
#[derive(Clone, Copy)]
pub struct Placed {
    scale: f32,
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

impl Canvas {
    /// For pictures at the top left; sides are multiples of `step`, `width` and `height` at most.
    pub fn top_left(width: usize, height: usize, step: usize) -> Self {
        Self { mat: Mat::default(), width, height, step: Some(step), margin: 0, last: None }
    }

    /// As [`Canvas::top_left`], with `margin` of grey around the picture.
    pub fn framed(width: usize, height: usize, step: usize, margin: i32) -> Self {
        Self { margin, ..Self::top_left(width, height, step) }
    }

    /// For pictures in the middle of `width` × `height`.
    pub fn centred(width: usize, height: usize) -> Self {
        Self { mat: Mat::default(), width, height, step: None, margin: 0, last: None }
    }

    /// Factor and size of a `w` × `h` picture on the canvas.
    fn fit(&self, w: i32, h: i32) -> (f64, i32, i32) {
        // In double precision, as numpy computes it, so that both round alike.
        let scale = (self.width as f64 / f64::from(w)).min(self.height as f64 / f64::from(h));
        let fit = |n: i32, most: usize| ((f64::from(n) * scale + 0.5) as i32).clamp(1, most as i32);
        (scale, fit(w, self.width), fit(h, self.height))
    }

    /// Columns and rows that a picture of `w` × `h` has on the canvas.
    pub fn needs(&self, w: i32, h: i32) -> (i32, i32) {
        let (_, width, height) = self.fit(w, h);
        (width, height)
    }

    /// Scales `image` onto the canvas; `w` × `h` is the size of the picture that it was made from
    /// by shrinking. Gives the canvas, which is `image` itself where that fits.
    pub fn place<'a>(&'a mut self, image: &'a Mat, (w, h): (i32, i32)) -> Result<(Placed, &'a Mat)> {
        let failed = || "a picture could not be scaled for the detector".to_string();
        let (scale, nw, nh) = self.fit(w, h);
        let most = Size::new(self.width as i32, self.height as i32);
        let (size, x, y) = match self.step {
            Some(step) => {
                let side = |n: i32| ((n + 2 * self.margin) as usize).next_multiple_of(step) as i32;
                (Size::new(side(nw), side(nh)), self.margin, self.margin)
            }
            None => (most, (most.width - nw) / 2, (most.height - nh) / 2),
        };
        let placed = Placed { scale: scale as f32, x: x as f32, y: y as f32, width: w as f32, height: h as f32 };
        let place = Rect::new(x, y, nw, nh);
        if place == Rect::new(0, 0, size.width, size.height)
            && (image.cols(), image.rows()) == (nw, nh)
            && image.is_continuous()
        {
            return Ok((placed, image));
        }
        if self.last != Some(place) {
            self.mat = Mat::new_size_with_default(size, opencv::core::CV_8UC3, Scalar::all(GREY))
                .context(Kind::Internal, failed)?;
            self.last = Some(place);
        }
        let how = if scale * (f64::from(w) / f64::from(image.cols())) < 0.5 {
            imgproc::INTER_AREA
        } else {
            imgproc::INTER_LINEAR
        };
        let mut target = Mat::roi_mut(&mut self.mat, place).context(Kind::Internal, failed)?;
        imgproc::resize(image, &mut target, Size::new(nw, nh), 0.0, 0.0, how).context(Kind::Internal, failed)?;
        Ok((placed, &self.mat))
    }
}

impl Placed {
    /// A detection in pixels of the canvas, in pixels of the picture; `None` when nothing of its
    /// box is inside the picture.
    pub fn back(&self, d: Detection) -> Option<Detection> {
        let point = |[x, y]: [f32; 2]| [(x - self.x) / self.scale, (y - self.y) / self.scale];
        let [x, y, w, h] = d.bounds;
        let [x0, y0] = point([x, y]);
        let [x1, y1] = point([x + w, y + h]);
        let (x0, x1) = (x0.clamp(0.0, self.width), x1.clamp(0.0, self.width));
        let (y0, y1) = (y0.clamp(0.0, self.height), y1.clamp(0.0, self.height));
        let bounds = [x0, y0, x1 - x0, y1 - y0];
        (bounds[2] > 0.0 && bounds[3] > 0.0).then(|| Detection { bounds, corners: d.corners.map(point), ..d })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(w: i32, h: i32) -> Mat {
        Mat::new_size_with_default(Size::new(w, h), opencv::core::CV_8UC3, Scalar::all(200.0)).unwrap()
    }

    #[test]
    fn a_place_on_the_canvas_leads_back_to_the_picture() {
        for mut canvas in [Canvas::top_left(640, 384, 8), Canvas::centred(640, 640), Canvas::framed(160, 96, 8, 20)] {
            let image = grey(1280, 720);
            let (placed, _) = canvas.place(&image, (1280, 720)).unwrap();
            let on_canvas = [100.0 * placed.scale + placed.x, 50.0 * placed.scale + placed.y];
            let d = Detection {
                confidence: 1.0,
                bounds: [on_canvas[0], on_canvas[1], 40.0 * placed.scale, 20.0 * placed.scale],
                corners: [on_canvas; 4],
            };
            let back = placed.back(d).unwrap();
            assert!(
                back.bounds.iter().zip([100.0, 50.0, 40.0, 20.0]).all(|(a, b)| (a - b).abs() < 0.01),
                "{:?}",
                back.bounds
            );
        }
    }

    fn place(canvas: &mut Canvas, (w, h): (i32, i32)) -> (i32, i32, Vec<u8>) {
        let image = grey(w, h);
        let (_, canvas) = canvas.place(&image, (w, h)).unwrap();
        (canvas.cols(), canvas.rows(), canvas.data_bytes().unwrap().to_vec())
    }

    #[test]
    fn what_the_picture_does_not_cover_is_grey_after_any_order_of_sizes() {
        let mut canvas = Canvas::centred(64, 64);
        place(&mut canvas, (64, 64));
        let (w, h, bytes) = place(&mut canvas, (64, 32));
        assert_eq!((w, h, bytes[0], bytes[32 * 64 * 3]), (64, 64, 114, 200));
    }

    #[test]
    fn the_canvas_of_the_own_detector_ends_with_the_next_whole_cell() {
        let mut canvas = Canvas::top_left(640, 384, 8);
        for (picture, size) in [((1280, 720), (640, 360)), ((640, 384), (640, 384)), ((896, 592), (584, 384))] {
            let (w, h, bytes) = place(&mut canvas, picture);
            assert_eq!(((w, h), bytes.len() as i32), (size, w * h * 3));
        }
        let (_, _, bytes) = place(&mut canvas, (896, 592));
        assert_eq!((bytes[580 * 3], bytes[581 * 3]), (200, 114));
    }

    #[test]
    fn a_picture_that_fits_is_taken_as_it_is() {
        let mut canvas = Canvas::top_left(640, 384, 8);
        let image = grey(640, 360);
        assert!(std::ptr::eq(canvas.place(&image, (1280, 720)).unwrap().1, &image));
    }
}
