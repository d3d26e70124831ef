//! Pictures within a receiver's limits (0062): written anew with less quality, and then smaller, until they fit.

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, Limits};
use plated_core::error::{Context, Error, Kind, Result};
use std::io::Cursor;

/// Qualities that are tried, the best first.
const QUALITIES: [u8; 5] = [85, 70, 55, 40, 30];
/// Each time none fits, both sides become so much of what they were.
const SMALLER: f64 = 0.8;
/// Nobody reads a plate on fewer pixels.
const MIN_WIDTH: u32 = 24;
/// Memory for one picture as pixels.
const MAX_MEMORY: u64 = 256 << 20;

/// The picture in at most so many bytes: as it is where it fits, else written anew.
///
/// # Errors
/// `Input` when it is no JPEG that can be read, or can't be made so small.
pub fn within(jpeg: &[u8], max_bytes: usize) -> Result<Vec<u8>> {
    if jpeg.len() <= max_bytes {
        return Ok(jpeg.to_vec());
    }
    let unreadable = || "a picture can't be read".to_owned();
    let mut decoder = JpegDecoder::new(Cursor::new(jpeg)).context(Kind::Input, unreadable)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    decoder.set_limits(limits).context(Kind::Input, unreadable)?;
    let mut picture = DynamicImage::from_decoder(decoder).context(Kind::Input, unreadable)?;
    loop {
        for quality in QUALITIES {
            let mut out = Vec::new();
            let written = picture.write_with_encoder(JpegEncoder::new_with_quality(&mut out, quality));
            written.context(Kind::Internal, || "a picture can't be written".into())?;
            if out.len() <= max_bytes {
                return Ok(out);
            }
        }
        let smaller = |side: u32| (f64::from(side) * SMALLER) as u32;
        let (width, height) = (smaller(picture.width()), smaller(picture.height()));
        if width < MIN_WIDTH || height == 0 {
            return Err(Error::new(Kind::Input, format!("a picture can't be made as small as {max_bytes} bytes")));
        }
        picture = picture.resize_exact(width, height, FilterType::Triangle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;

    fn noise(width: u32, height: u32) -> Vec<u8> {
        // Hard to pack: each pixel is another.
        let pixel = |x: u32, y: u32| {
            let mix = x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503).rotate_left(13);
            let [a, b, c, _] = mix.wrapping_mul(2_246_822_519).to_le_bytes();
            image::Rgb([a, b, c])
        };
        let mut out = Vec::new();
        let picture = RgbImage::from_fn(width, height, pixel);
        let picture = DynamicImage::ImageRgb8(picture);
        picture.write_with_encoder(JpegEncoder::new_with_quality(&mut out, 95)).unwrap();
        out
    }

    #[test]
    fn a_plate_fits_into_3_kb_and_a_vehicle_into_25_and_both_can_be_read() {
        for (jpeg, max) in [(noise(320, 160), 3000), (noise(1280, 720), 25_000)] {
            assert!(jpeg.len() > max);
            let small = within(&jpeg, max).unwrap();
            assert!(small.len() <= max, "{}", small.len());
            let read = image::load_from_memory(&small).unwrap();
            assert!(read.width() >= MIN_WIDTH);
        }
    }

    #[test]
    fn what_fits_stays_as_it_is_and_what_is_no_picture_is_refused() {
        let jpeg = noise(64, 32);
        assert_eq!(within(&jpeg, jpeg.len()).unwrap(), jpeg);
        assert!(within(&[0; 5000], 3000).is_err());
        assert!(within(&jpeg[..jpeg.len() / 2], 500).is_err());
        assert!(within(&noise(64, 32), 20).unwrap_err().chain().contains("can't be made"));
    }
}
