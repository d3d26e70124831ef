//! A JPEG decoded once for two looks at it: all of it at half its size, and a part in full.
//!
//! Undoing the compression is most of the work. Brightness and colours are kept apart as they are in
//! the file, where most cameras have colours at half the size, and made into BGR only as far as is
//! looked at.

use super::super::header::Colours;
use super::{Jpeg, MAX_MESSAGE, around};
use opencv::boxed_ref::BoxedRef;
use opencv::core::{CV_8UC1, Mat, Rect, Scalar, Size, Vector};
use opencv::imgproc;
use opencv::prelude::*;
use plated_core::error::{Context, Error, Kind, Result};

/// libjpeg writes whole blocks of so many pixels.
const BLOCK: u32 = 16;
/// It has to be decoded in another way.
const UNFIT: i32 = 3;

/// Brightness and colours of a picture. Its memory is used again for the next one.
#[derive(Default)]
pub struct Planes {
    /// Brightness, blue, red.
    planes: [Mat; 3],
    /// The same in the size that is looked at, where that is another one.
    scaled: [Mat; 3],
    merged: Mat,
    colours: Colours,
    width: i32,
    height: i32,
}

impl Jpeg {
    /// Decodes all of it once. False when it has to be decoded in another way: it is not plain, or its
    /// colours are kept as few files do.
    ///
    /// # Errors
    /// `Input` when it can't be decoded; what is in `planes` is of no use then.
    pub fn decode_planes(&self, planes: &mut Planes) -> Result<bool> {
        let header = &self.header;
        let (columns, rows) = match header.colours {
            Colours::Grey => (0, 0),
            Colours::Each { columns, rows } => (columns, rows),
            Colours::Other => return Ok(false),
        };
        if !header.plain {
            return Ok(false);
        }
        (planes.width, planes.height, planes.colours) = (header.width as i32, header.height as i32, header.colours);
        let (wide, high) = (header.width.next_multiple_of(BLOCK), header.height.next_multiple_of(BLOCK));
        let mut pixels = [std::ptr::null_mut(); 3];
        for (i, (plane, pixels)) in planes.planes.iter_mut().zip(&mut pixels).enumerate() {
            *pixels = match i {
                0 => with_room(plane, wide, high)?,
                _ if columns > 0 => with_room(plane, wide / columns, high / rows)?,
                _ => std::ptr::null_mut(),
            };
        }
        self.count();
        let mut message = [0u8; MAX_MESSAGE];
        // SAFETY: `bytes` is readable for the length beside it. Each of `pixels` is writable for whole blocks of
        // 16 × 16, by `columns` and `rows` fewer where it is for a colour; C compares both with the file, and
        // writes to none but the first where they are 0. `message` has the size that the C side names. C keeps
        // none of them, and its `longjmp` stays within its own frames.
        #[allow(unsafe_code, reason = "libjpeg reports errors by longjmp, which only C can catch")]
        let code = unsafe {
            plated_jpeg_planes(
                self.bytes.as_ptr(),
                self.bytes.len(),
                header.width,
                header.height,
                columns,
                rows,
                wide as usize,
                pixels.as_ptr(),
                message.as_mut_ptr(),
            )
        };
        if code == UNFIT { Ok(false) } else { self.outcome(code, &message).map(|()| true) }
    }
}

/// Gives a plane this size, if it has another, and where its pixels are.
fn with_room(plane: &mut Mat, width: u32, height: u32) -> Result<*mut u8> {
    let memory = || "there was no memory for a picture".to_string();
    if (plane.cols(), plane.rows()) != (width as i32, height as i32) {
        *plane = Mat::new_rows_cols_with_default(height as i32, width as i32, CV_8UC1, Scalar::default())
            .context(Kind::Internal, memory)?;
    }
    if !plane.is_continuous() || plane.total() != width as usize * height as usize {
        return Err(Error::new(Kind::Internal, memory()));
    }
    Ok(plane.data_mut())
}

impl Planes {
    /// All of it as 8-bit BGR in half its size, rounded up. A pixel is the mean of four.
    pub fn half(&mut self, out: &mut Mat) -> Result<()> {
        let size = Size::new((self.width + 1) / 2, (self.height + 1) / 2);
        self.convert(Rect::new(0, 0, 2 * size.width, 2 * size.height), size, out)
    }

    /// The part of it around `wanted` as 8-bit BGR, unshrunk, and which part that is: at least as much of
    /// `wanted` as is in the picture, and never nothing.
    pub fn part(&mut self, wanted: Rect, out: &mut Mat) -> Result<Rect> {
        let part = around(wanted, (self.width, self.height));
        // In whole pairs of pixels, since a value of colour may stand for two.
        let (x, y) = (part.x & !1, part.y & !1);
        let pairs = |n: i32| (n + 1) & !1;
        let even = Rect::new(x, y, pairs(part.x + part.width - x), pairs(part.y + part.height - y));
        self.convert(even, even.size(), out)?;
        let inside = even & Rect::new(0, 0, self.width, self.height);
        if inside != even {
            let edge = Mat::roi(out, Rect::new(0, 0, inside.width, inside.height)).context(Kind::Internal, unmade)?;
            let edge = edge.try_clone().context(Kind::Internal, unmade)?;
            *out = edge;
        }
        Ok(inside)
    }

    /// `area` of the picture, of even sides, as BGR in this size.
    fn convert(&mut self, area: Rect, size: Size, out: &mut Mat) -> Result<()> {
        let [brightness, blue, red] = &self.planes;
        let [brighter, bluer, redder] = &mut self.scaled;
        let made = (|| {
            let brightness = fitted(brightness, area, size, brighter)?;
            let Colours::Each { columns, rows } = self.colours else {
                return imgproc::cvt_color_def(&brightness, out, imgproc::COLOR_GRAY2BGR);
            };
            let (columns, rows) = (columns as i32, rows as i32);
            let area = Rect::new(area.x / columns, area.y / rows, area.width / columns, area.height / rows);
            let mut channels = Vector::<BoxedRef<Mat>>::new();
            channels.push(brightness);
            channels.push(fitted(red, area, size, redder)?);
            channels.push(fitted(blue, area, size, bluer)?);
            opencv::core::merge(&channels, &mut self.merged)?;
            imgproc::cvt_color_def(&self.merged, out, imgproc::COLOR_YCrCb2BGR)
        })();
        made.context(Kind::Internal, unmade)
    }
}

/// `area` of a plane in this size; `room` is used where it has another.
fn fitted<'a>(plane: &'a Mat, area: Rect, size: Size, room: &'a mut Mat) -> opencv::Result<BoxedRef<'a, Mat>> {
    let part = Mat::roi(plane, area)?;
    if area.size() == size {
        return Ok(part);
    }
    // Between two values of colour the one in the middle is taken, as libjpeg does it.
    let smaller = area.width >= size.width && area.height >= size.height;
    let how = if smaller { imgproc::INTER_AREA } else { imgproc::INTER_LINEAR };
    imgproc::resize(&part, room, size, 0.0, 0.0, how)?;
    Mat::roi(room, Rect::new(0, 0, size.width, size.height))
}

fn unmade() -> String {
    "the pixels of a JPEG could not be made".into()
}

#[allow(unsafe_code, reason = "picture/decode.c")]
unsafe extern "C" {
    /// See there.
    fn plated_jpeg_planes(
        bytes: *const u8,
        length: usize,
        full_width: u32,
        full_height: u32,
        columns: u32,
        rows: u32,
        stride: usize,
        planes: *const *mut u8,
        message: *mut u8,
    ) -> i32;
}
