//! Still pictures from files.

use crate::picture::{self, Jpeg, Picture};
use opencv::core::{Mat, Vector};
use opencv::prelude::*;
use opencv::{core, imgcodecs, imgproc};
use plated_core::error::{Context, Error, Kind, Result};
use std::path::Path;
use std::sync::{Arc, Once};

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
/// `Missing` or `Storage` when the file can't be read, `Input` when it is empty, cut off or no
/// picture; the sentence names the file.
pub fn load_picture(path: &Path) -> Result<Picture> {
    let about = std::fs::metadata(path).context(Kind::Missing, || format!("could not open {}", path.display()))?;
    if !about.is_file() {
        return Err(bad(path, "is not a file"));
    }
    let bytes = std::fs::read(path).context(Kind::Storage, || format!("could not read {}", path.display()))?;
    if bytes.is_empty() {
        return Err(bad(path, "is empty"));
    }
    if picture::is_jpeg(&bytes) {
        return match Jpeg::new(bytes) {
            Ok(jpeg) if jpeg.is_whole() => Ok(Picture::Jpeg(jpeg)),
            _ => Err(bad(path, "is cut off or damaged: it is not a whole JPEG")),
        };
    }
    quiet_opencv();
    let not_image = || bad(path, "is not a picture that can be decoded");
    let image = imgcodecs::imdecode(&Vector::from_slice(&bytes), imgcodecs::IMREAD_COLOR).map_err(|_| not_image())?;
    if image.empty() {
        return Err(not_image());
    }
    Ok(image.into())
}

fn bad(path: &Path, what: &str) -> Error {
    Error::new(Kind::Input, format!("{} {what}", path.display()))
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
pub fn quiet_opencv() {
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
        assert!(load("x.png", &picture(".png")[..60]).is_err());
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
    fn grey_becomes_bgr_and_other_kinds_are_not_used() {
        let grey = Mat::new_rows_cols_with_default(4, 4, core::CV_8UC1, core::Scalar::all(7.)).unwrap();
        assert_eq!(to_bgr(grey).unwrap().unwrap().typ(), core::CV_8UC3);
        let deep = Mat::new_rows_cols_with_default(4, 4, core::CV_16UC3, core::Scalar::all(7.)).unwrap();
        assert!(to_bgr(deep).unwrap().is_none());
        assert!(to_bgr(Mat::default()).unwrap().is_none());
    }
}
