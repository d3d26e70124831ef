//! Still pictures from files.

use super::kind::{self, Medium};
use crate::picture::{self, Jpeg, MAX_JPEG_PIXELS, Picture};
use opencv::core::{Mat, Vector};
use opencv::prelude::*;
use opencv::{core, imgcodecs, imgproc};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::visible;
use std::path::Path;
use std::sync::{Arc, Once};

/// Pixels that a picture may have: the decoded ones take three bytes each. The largest cameras have
/// 60 million.
pub const MAX_PIXELS: u64 = 100_000_000;
/// Bytes that a file may have; the pixels of the largest picture without any compression.
const MAX_BYTES: u64 = 4 * MAX_PIXELS;

/// Reads a picture as 8-bit BGR, turned as its EXIF orientation says.
///
/// # Errors
/// As of [`load_picture`], and `Input` when it can't be decoded.
pub fn load_image(path: &Path) -> Result<Arc<Mat>> {
    load_picture(path)?.pixels().map_err(|_| bad(path, "is not a picture that can be decoded"))
}

/// Reads a picture. A JPEG stays as it is; what is in its pixels is found out by whoever decodes it.
///
/// # Errors
/// `Missing` or `Storage` when the file can't be read, `Input` when it is empty, cut off, larger than
/// [`MAX_PIXELS`] or no picture; the sentence names the file.
pub fn load_picture(path: &Path) -> Result<Picture> {
    load_picture_within(path, MAX_PIXELS)
}

/// As [`load_picture`], with another limit of pixels. It is checked before anything is decoded.
///
/// # Errors
/// As there.
pub fn load_picture_within(path: &Path, max_pixels: u64) -> Result<Picture> {
    let about = std::fs::metadata(path).context(Kind::Missing, || format!("could not open {}", visible(path)))?;
    if !about.is_file() {
        return Err(bad(path, "is not a file"));
    }
    if about.len() > MAX_BYTES {
        return Err(bad(path, "is larger than any picture"));
    }
    let bytes = std::fs::read(path).context(Kind::Storage, || format!("could not read {}", visible(path)))?;
    if bytes.is_empty() {
        return Err(bad(path, "is empty"));
    }
    let size = kind::size(&bytes);
    let max_pixels = if picture::is_jpeg(&bytes) { max_pixels.min(MAX_JPEG_PIXELS) } else { max_pixels };
    if let Some((width, height)) = size
        && width.saturating_mul(height) > max_pixels
    {
        let most = max_pixels / 1_000_000;
        return Err(bad(path, &format!("is too large: {width} × {height} pixels, and the limit is {most} million")));
    }
    if picture::is_jpeg(&bytes) {
        return match Jpeg::new(bytes) {
            Ok(jpeg) if jpeg.is_whole() => Ok(Picture::Jpeg(jpeg.strict())),
            _ => Err(bad(path, "is cut off or damaged: it is not a whole JPEG")),
        };
    }
    silence_opencv();
    let not_image = || match kind::of_bytes(&bytes) {
        Some(Medium::Picture) => {
            bad(path, "is a picture that can't be decoded: it is cut off or damaged, or of a rare kind")
        }
        _ => bad(path, "is not a picture that can be decoded (JPEG, PNG, BMP, WebP, TIFF)"),
    };
    if size.is_none() {
        return Err(not_image());
    }
    // Not all versions of OpenCV turn a WebP.
    let webp = bytes.starts_with(b"RIFF");
    let flags = imgcodecs::IMREAD_COLOR | if webp { imgcodecs::IMREAD_IGNORE_ORIENTATION } else { 0 };
    let image = imgcodecs::imdecode(&Vector::from_slice(&bytes), flags).map_err(|_| not_image())?;
    if image.empty() {
        return Err(not_image());
    }
    let image = if webp { turned(image, kind::webp_orientation(&bytes)).map_err(|_| not_image())? } else { image };
    Ok(image.into())
}

fn bad(path: &Path, what: &str) -> Error {
    Error::new(Kind::Input, format!("{} {what}", visible(path)))
}

/// The picture upright, by the number that EXIF gives its orientation.
fn turned(image: Mat, orientation: u16) -> opencv::Result<Mat> {
    let mut across = Mat::default();
    // 5 to 8 have rows and columns exchanged.
    if orientation >= 5 {
        core::transpose(&image, &mut across)?;
    } else {
        across = image;
    }
    let flip = match orientation {
        2 | 6 => 1,  // left and right
        3 | 7 => -1, // both
        4 | 8 => 0,  // top and bottom
        _ => return Ok(across),
    };
    let mut upright = Mat::default();
    core::flip(&across, &mut upright, flip)?;
    Ok(upright)
}

/// The picture as 8-bit BGR; `None` when it is of a kind that is none of ours (16 bits a
/// channel, two channels, no pixels).
pub fn to_bgr(image: Mat) -> Result<Option<Mat>> {
    let code = match image.typ() {
        _ if image.empty() => return Ok(None),
        core::CV_8UC3 => return Ok(Some(image)),
        core::CV_8UC1 => imgproc::COLOR_GRAY2BGR,
        core::CV_8UC4 => imgproc::COLOR_BGRA2BGR,
        _ => return Ok(None),
    };
    let mut bgr = Mat::default();
    imgproc::cvt_color_def(&image, &mut bgr, code).context(Kind::Internal, || "could not convert a frame".into())?;
    Ok(Some(bgr))
}

/// OpenCV writes to stderr on every file it does not like; we say it ourselves, once and with
/// the name.
pub fn silence_opencv() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Chatter is all that is lost when this fails.
        let _ = core::set_log_level(core::LogLevel::LOG_LEVEL_SILENT);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(ext: &str) -> Vec<u8> {
        let mat =
            Mat::new_rows_cols_with_default(40, 60, core::CV_8UC3, core::Scalar::new(10., 90., 200., 0.)).unwrap();
        let mut out = Vector::new();
        imgcodecs::imencode_def(ext, &mat, &mut out).unwrap();
        out.to_vec()
    }

    fn load(name: &str, bytes: &[u8]) -> Result<Arc<Mat>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        load_image(&path)
    }

    #[test]
    fn a_picture_is_loaded_as_eight_bit_bgr() {
        for ext in [".jpg", ".png"] {
            let mat = load("a", &picture(ext)).unwrap();
            assert_eq!((mat.cols(), mat.rows(), mat.typ()), (60, 40, core::CV_8UC3));
        }
    }

    #[test]
    fn what_is_no_picture_is_refused_by_name() {
        let whole = picture(".jpg");
        for (bytes, why) in [(&b""[..], "empty"), (b"Dear Sir", "not a picture"), (b"\xFF\xD8", "cut off")] {
            let err = load("front-007.jpg", bytes).unwrap_err().chain();
            assert!(err.contains("front-007.jpg") && err.contains(why), "{err}");
        }
        assert!(load_image(Path::new("/nowhere/x.jpg")).unwrap_err().chain().contains("/nowhere/x.jpg"));
        assert!(load_image(Path::new("/tmp")).unwrap_err().chain().contains("not a file"));
        let png = picture(".png");
        for end in [12, 20, 60] {
            let err = load("x.png", &png[..end]).unwrap_err().chain();
            assert!(err.contains("x.png is a picture") && err.contains("cut off"), "{end} bytes: {err}");
        }
        assert!(load("x.jpg", &whole).is_ok());
    }

    #[test]
    fn a_jpeg_cut_off_anywhere_is_refused() {
        let whole = picture(".jpg");
        for end in 2..whole.len() - 1 {
            assert!(load("x.jpg", &whole[..end]).is_err(), "{end} of {} bytes were taken", whole.len());
        }
    }

    #[test]
    fn a_picture_over_the_limit_of_pixels_is_refused_by_its_header() {
        // 30000 × 20000, and nothing behind the header: it is not decoded.
        let mut png = picture(".png");
        png[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x4E, 0x20]);
        let why = load("big.png", &png).unwrap_err().chain();
        assert!(why.contains("30000 × 20000") && why.contains("100 million"), "{why}");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        std::fs::write(&path, picture(".png")).unwrap();
        assert!(load_picture_within(&path, 2400).is_ok() && load_picture_within(&path, 2399).is_err());
    }

    #[test]
    fn a_webp_is_turned_as_its_orientation_says() {
        // The left half is dark, the right half light.
        let mut plain = Mat::new_rows_cols_with_default(40, 60, core::CV_8UC3, core::Scalar::all(250.)).unwrap();
        imgproc::rectangle(&mut plain, core::Rect::new(0, 0, 30, 40), core::Scalar::all(5.), -1, 8, 0).unwrap();
        let mut out = Vector::new();
        imgcodecs::imencode_def(".webp", &plain, &mut out).unwrap();
        let simple = out.to_vec();
        // Width, height and where the dark half is: [top left, top right, bottom left].
        let turned = [
            (1, (60, 40), [true, false, true]),
            (3, (60, 40), [false, true, false]),
            (6, (40, 60), [true, true, false]),
            (8, (40, 60), [false, false, true]),
        ];
        for (orientation, size, dark) in turned {
            let exif =
                [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[orientation, 0, 0, 0, 0, 0, 0, 0]].concat();
            let head = [&b"VP8X\x0a\0\0\0\x08\0\0\0"[..], &[59, 0, 0, 39, 0, 0]].concat();
            let chunk = [&b"EXIF"[..], &(exif.len() as u32).to_le_bytes(), &exif].concat();
            let body = [&b"WEBP"[..], &head, &simple[12..], &chunk].concat();
            let webp = [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat();
            let mat = load("a.webp", &webp).unwrap();
            assert_eq!((mat.cols(), mat.rows()), size, "{orientation}");
            let is_dark = |x: i32, y: i32| mat.at_2d::<core::Vec3b>(y, x).unwrap()[0] < 100;
            let (right, bottom) = (mat.cols() - 3, mat.rows() - 3);
            assert_eq!([is_dark(2, 2), is_dark(right, 2), is_dark(2, bottom)], dark, "{orientation}");
        }
    }

    #[test]
    fn a_jpeg_with_damaged_data_inside_is_no_picture_without_a_plate() {
        let mut noisy = Mat::new_rows_cols_with_default(240, 320, core::CV_8UC3, core::Scalar::all(90.)).unwrap();
        core::randu(&mut noisy, &core::Scalar::all(0.), &core::Scalar::all(255.)).unwrap();
        let mut out = Vector::new();
        imgcodecs::imencode_def(".jpg", &noisy, &mut out).unwrap();
        let mut bytes = out.to_vec();
        assert!(load("x.jpg", &bytes).is_ok());
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4000].fill(0);
        assert!(load("x.jpg", &bytes).is_err());
    }

    #[test]
    fn grey_becomes_bgr_and_other_kinds_are_not_used() {
        let grey = Mat::new_rows_cols_with_default(4, 4, core::CV_8UC1, core::Scalar::all(7.)).unwrap();
        assert_eq!(to_bgr(grey).unwrap().unwrap().typ(), core::CV_8UC3);
        let deep = Mat::new_rows_cols_with_default(4, 4, core::CV_16UC3, core::Scalar::all(7.)).unwrap();
        assert!(to_bgr(deep).unwrap().is_none());
        assert!(to_bgr(Mat::default()).unwrap().is_none());
    }
}
