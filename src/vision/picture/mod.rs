//! What a frame shows: a JPEG that nobody has decoded yet, or pixels.

mod header;
mod jpeg;
mod quality;
mod thumbnail;

pub use header::is_jpeg;
pub use jpeg::{Jpeg, MAX_JPEG_PIXELS, Planes};
pub use quality::{PictureFault, Quality};
pub use thumbnail::Thumbnail;

use opencv::core::{Mat, Rect, Vector};
use opencv::imgcodecs;
use opencv::prelude::*;
use plated_core::error::{Context, Error, Kind, Result};
use std::sync::Arc;

/// A picture. Cheap to clone: bytes and pixels are shared, and never written to.
#[derive(Clone)]
pub enum Picture {
    /// As the camera or file compressed it.
    Jpeg(Jpeg),
    /// 8-bit BGR, of sources that give no JPEG.
    Pixels(Arc<Mat>),
}

impl Picture {
    /// All of it as 8-bit BGR.
    ///
    /// # Errors
    /// `Input` when it can't be decoded.
    pub fn pixels(&self) -> Result<Arc<Mat>> {
        match self {
            Self::Pixels(image) => Ok(image.clone()),
            Self::Jpeg(jpeg) => {
                let mut image = Mat::default();
                jpeg.decode(1, &mut image)?;
                Ok(image.into())
            }
        }
    }

    /// Columns and rows, of a JPEG before any turning.
    pub fn size(&self) -> (i32, i32) {
        match self {
            Self::Pixels(image) => (image.cols(), image.rows()),
            Self::Jpeg(jpeg) => jpeg.size(),
        }
    }

    /// At least the part of it in `wanted`, as far as that is inside, and where that part begins.
    ///
    /// # Errors
    /// `Input` when it can't be decoded.
    pub fn part(&self, wanted: Rect) -> Result<(Arc<Mat>, [f32; 2])> {
        match self {
            Self::Pixels(image) => Ok((image.clone(), [0.0; 2])),
            Self::Jpeg(jpeg) => {
                let mut image = Mat::default();
                let part = jpeg.decode_part(wanted, &mut image)?;
                Ok((image.into(), [part.x as f32, part.y as f32]))
            }
        }
    }

    /// The camera's own JPEG, or one of this quality (0 to 100) made of pixels.
    ///
    /// # Errors
    /// `Internal` when pixels can't be encoded.
    pub fn jpeg(&self, quality: i32) -> Result<Arc<[u8]>> {
        match self {
            Self::Jpeg(jpeg) => Ok(jpeg.bytes().clone()),
            Self::Pixels(image) => encode(image, quality),
        }
    }
}

impl From<Mat> for Picture {
    fn from(image: Mat) -> Self {
        Self::Pixels(image.into())
    }
}

/// Pixels as a JPEG of a quality from 0 to 100.
///
/// # Errors
/// `Internal` when they can't be encoded.
pub fn encode(image: &Mat, quality: i32) -> Result<Arc<[u8]>> {
    let failed = || "a picture could not be encoded".to_string();
    if image.empty() {
        return Err(Error::new(Kind::Internal, failed()));
    }
    let mut bytes = Vector::<u8>::new();
    let options = Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, quality]);
    if !imgcodecs::imencode(".jpg", image, &mut bytes, &options).context(Kind::Internal, failed)? {
        return Err(Error::new(Kind::Internal, failed()));
    }
    Ok(bytes.as_slice().into())
}
