//! A JPEG as a camera or file gave it, decoded as far as is wanted.
//!
//! Where half its size is enough for the detector it is decoded once, for that and for the plates
//! found ([`Planes`]). Larger ones are decoded shrunk to the next size above the detector's input, and of
//! the plates only their part in full (`docs/decisions/0022-jpeg-path.md`).

mod planes;

pub use planes::Planes;

use super::header::{self, JpegHeader};
use crate::capture::silence_opencv;
use opencv::core::{CV_8UC3, Mat, Rect, Vector};
use opencv::imgcodecs;
use opencv::prelude::*;
use plated_core::error::{Context, Error, Kind, Result};
use std::sync::Arc;

/// Larger pictures are refused: what a camera claims must not fill the memory.
pub const MAX_JPEG_PIXELS: u64 = 1 << 28;
/// All is decoded, but of damaged data.
const DAMAGED: i32 = 2;
/// libjpeg's JMSG_LENGTH_MAX.
const MAX_MESSAGE: usize = 200;
/// A part is decoded so much further than asked for: colour is smoothed over the border of a block.
const BLOCK: i32 = 16;

/// A compressed picture. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Jpeg {
    bytes: Arc<[u8]>,
    header: JpegHeader,
    /// Damaged data is an error.
    strict: bool,
    #[cfg(test)]
    decodes: Arc<std::sync::atomic::AtomicU32>,
}

impl Jpeg {
    /// Takes the bytes over; the pixels are not looked at.
    ///
    /// # Errors
    /// `Input` when they are no JPEG, or one of a size nobody has.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Result<Self> {
        let bytes = bytes.into();
        let header = header::parse(&bytes).ok_or_else(|| Error::new(Kind::Input, "it is not a JPEG with a picture"))?;
        if u64::from(header.width) * u64::from(header.height) > MAX_JPEG_PIXELS {
            let text = format!("a picture of {} × {} pixels is too large", header.width, header.height);
            return Err(Error::new(Kind::Input, text));
        }
        Ok(Self {
            bytes,
            header,
            strict: false,
            #[cfg(test)]
            decodes: Arc::default(),
        })
    }

    /// Damaged data inside is an error from here on. Of a file it is: a plate may have been there. Some
    /// cameras spoil a few bytes of each frame.
    pub fn strict(self) -> Self {
        Self { strict: true, ..self }
    }

    /// The file as it was given.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// False when the end is missing.
    pub fn is_whole(&self) -> bool {
        self.header.whole
    }

    /// Columns and rows, of a plain one.
    pub fn size(&self) -> (i32, i32) {
        (self.header.width as i32, self.header.height as i32)
    }

    /// The most by which it can be shrunk while decoding and still have `width` × `height` pixels:
    /// 8, 4, 2 or 1.
    pub fn shrink_for(&self, width: i32, height: i32) -> u32 {
        let enough = |n: &u32| {
            self.header.width.div_ceil(*n) >= width as u32 && self.header.height.div_ceil(*n) >= height as u32
        };
        if self.header.plain { [8, 4, 2].into_iter().find(enough).unwrap_or(1) } else { 1 }
    }

    /// Decodes all of it into `out` as 8-bit BGR, shrunk by 1, 2, 4 or 8 in each direction. The
    /// memory of `out` is used again when it fits. One that is not plain (progressive, CMYK, to be
    /// turned) is not shrunk: OpenCV decodes it.
    pub fn decode(&self, shrink: u32, out: &mut Mat) -> Result<()> {
        self.count();
        if !self.header.plain {
            return self.decode_by_opencv(out);
        }
        let side = |n: u32| n.div_ceil(shrink) as i32;
        self.decode_plain(shrink, Rect::new(0, 0, side(self.header.width), side(self.header.height)), out)
    }

    /// Decodes the part of it around `wanted` into `out`, unshrunk, and says which part that is: at
    /// least as much of `wanted` as is in the picture, and never nothing.
    pub fn decode_part(&self, wanted: Rect, out: &mut Mat) -> Result<Rect> {
        self.count();
        if !self.header.plain {
            self.decode_by_opencv(out)?;
            return Ok(Rect::new(0, 0, out.cols(), out.rows()));
        }
        let part = around(wanted, self.size());
        self.decode_plain(1, part, out)?;
        Ok(part)
    }

    fn decode_by_opencv(&self, out: &mut Mat) -> Result<()> {
        silence_opencv();
        let bytes = Vector::from_slice(&self.bytes);
        let image = imgcodecs::imdecode(&bytes, imgcodecs::IMREAD_COLOR).context(Kind::Input, failed)?;
        if image.empty() {
            return Err(Error::new(Kind::Input, failed()));
        }
        *out = image;
        Ok(())
    }

    fn decode_plain(&self, shrink: u32, part: Rect, out: &mut Mat) -> Result<()> {
        let outcome = self.decode_into(shrink, part, out);
        if outcome.is_err() {
            // Some of its pixels may never have been written.
            *out = Mat::default();
        }
        outcome
    }

    /// On an error the pixels of `out` must not be read.
    fn decode_into(&self, shrink: u32, part: Rect, out: &mut Mat) -> Result<()> {
        let memory = || "there was no memory for a picture".to_string();
        // SAFETY: the pixels are not set yet, and are not read before libjpeg has written all of them: until then
        // they are reached by the raw pointer below only, and after an error they are let go.
        #[allow(unsafe_code, reason = "libjpeg writes all of them; clearing them before is work for nothing")]
        unsafe { out.create_rows_cols(part.height, part.width, CV_8UC3) }.context(Kind::Internal, memory)?;
        let size = out.total() * out.elem_size().context(Kind::Internal, memory)?;
        if !out.is_continuous() || size != part.width as usize * part.height as usize * 3 {
            return Err(Error::new(Kind::Internal, memory()));
        }
        let pixels: *mut u8 = out.data_mut();
        let mut message = [0u8; MAX_MESSAGE];
        // SAFETY: `bytes` is readable for the length beside it; `pixels` is writable for the rows × columns × 3
        // bytes that were just compared, which is all that is written; `message` has the size that the C side
        // names. C keeps none of them, and its `longjmp` stays within its own frames.
        #[allow(unsafe_code, reason = "libjpeg reports errors by longjmp, which only C can catch")]
        let code = unsafe {
            plated_jpeg_decode(
                self.bytes.as_ptr(),
                self.bytes.len(),
                shrink,
                self.header.width,
                self.header.height,
                part.x as u32,
                part.y as u32,
                part.width as u32,
                part.height as u32,
                pixels,
                message.as_mut_ptr(),
            )
        };
        self.outcome(code, &message)
    }

    /// What C says of how it went.
    fn outcome(&self, code: i32, message: &[u8]) -> Result<()> {
        if code == DAMAGED && self.strict {
            return Err(Error::new(Kind::Input, format!("{}: its data is damaged", failed())));
        }
        if code == 0 || code == DAMAGED {
            return Ok(());
        }
        let end = message.iter().position(|b| *b == 0).unwrap_or(0);
        let why = String::from_utf8_lossy(&message[..end]).into_owned();
        Err(Error::new(Kind::Input, format!("{}: {why}", failed())))
    }

    fn count(&self) {
        #[cfg(test)]
        self.decodes.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    /// How often its pixels were made, by this or a clone.
    #[cfg(test)]
    pub fn decodes(&self) -> u32 {
        self.decodes.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// `wanted` and a block more on each side, as far as that is in a picture of this size; one pixel at least.
fn around(wanted: Rect, size: (i32, i32)) -> Rect {
    let span = |from: i32, length: i32, most: i32| {
        let most = most.max(1);
        let first = from.saturating_sub(BLOCK).clamp(0, most - 1);
        let end = from.saturating_add(length).saturating_add(BLOCK).clamp(first + 1, most);
        (first, end - first)
    };
    let ((x, width), (y, height)) = (span(wanted.x, wanted.width, size.0), span(wanted.y, wanted.height, size.1));
    Rect::new(x, y, width, height)
}

fn failed() -> String {
    "a JPEG could not be decoded".into()
}

#[allow(unsafe_code, reason = "picture/decode.c")]
unsafe extern "C" {
    /// See there.
    fn plated_jpeg_decode(
        bytes: *const u8,
        length: usize,
        shrink: u32,
        full_width: u32,
        full_height: u32,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        out: *mut u8,
        message: *mut u8,
    ) -> i32;
}

#[cfg(test)]
mod tests;
