//! A picture in very small, to tell cheaply whether anything in it changed.

use super::Picture;
use opencv::core::{Mat, Size};
use opencv::imgproc;
use opencv::prelude::*;
use plated_core::error::{Context, Kind, Result};

/// It has at least so many columns; a JPEG is shrunk by up to 8 to that, which costs a fifth of decoding it whole.
const COLUMNS: i32 = 160;
/// A cell has changed when its light differs by more than this. It is the mean of dozens of pixels, whose noise is
/// hardly seen in it.
const MIN_CHANGE: u8 = 10;
/// And the picture when so many cells have: a plate that can be read moves more.
const MIN_CELLS: usize = 2;

/// The light of some 160 × 90 cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thumbnail {
    columns: i32,
    cells: Vec<u8>,
}

impl Thumbnail {
    /// Of a picture; `room` is used again for the next one.
    ///
    /// # Errors
    /// `Input` when it can't be decoded.
    pub fn of(picture: &Picture, room: &mut Mat) -> Result<Self> {
        let failed = || "a picture could not be made small".to_owned();
        match picture {
            Picture::Jpeg(jpeg) => {
                jpeg.decode(jpeg.shrink_for(COLUMNS, 1), room)?;
                // One that can't be shrunk while it is decoded is larger by far.
                if room.cols() > 4 * COLUMNS {
                    let whole = std::mem::take(room);
                    shrink(&whole, room).context(Kind::Internal, failed)?;
                }
            }
            Picture::Pixels(image) => shrink(image, room).context(Kind::Internal, failed)?,
        }
        let bytes = room.data_bytes().context(Kind::Internal, failed)?;
        // Green stands for the light.
        Ok(Self { columns: room.cols(), cells: bytes.chunks_exact(3).map(|pixel| pixel[1]).collect() })
    }

    /// Whether anything moved, came, went or was lit otherwise between both.
    pub fn differs(&self, other: &Self) -> bool {
        let cells = || self.cells.iter().zip(&other.cells);
        self.columns != other.columns
            || self.cells.len() != other.cells.len()
            || cells().filter(|(a, b)| a.abs_diff(**b) > MIN_CHANGE).take(MIN_CELLS).count() == MIN_CELLS
    }
}

fn shrink(image: &Mat, to: &mut Mat) -> opencv::Result<()> {
    let rows = (image.rows() * COLUMNS / image.cols().max(1)).max(1);
    imgproc::resize(image, to, Size::new(COLUMNS, rows), 0.0, 0.0, imgproc::INTER_AREA)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Jpeg, encode};
    use opencv::core::{CV_8UC3, Rect, Scalar};

    /// A grey street of this size with noise; `plate` is where one stands.
    fn street((width, height): (i32, i32), seed: u32, plate: Option<Rect>) -> Mat {
        let mut image = Mat::new_rows_cols_with_default(height, width, CV_8UC3, Scalar::all(90.0)).unwrap();
        let mut noise = seed;
        for byte in image.data_bytes_mut().unwrap() {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte += (noise >> 28) as u8;
        }
        if let Some(plate) = plate {
            imgproc::rectangle(&mut image, plate, Scalar::all(200.0), -1, imgproc::LINE_8, 0).unwrap();
        }
        image
    }

    fn thumbnails(image: &Mat) -> [Thumbnail; 2] {
        let jpeg = Picture::Jpeg(Jpeg::new(encode(image, 85).unwrap()).unwrap());
        let mut room = Mat::default();
        [Thumbnail::of(&jpeg, &mut room).unwrap(), Thumbnail::of(&image.clone().into(), &mut room).unwrap()]
    }

    #[test]
    fn noise_is_no_change_and_the_smallest_plate_that_comes_moves_or_goes_is_one() {
        for size in [(640, 480), (1280, 720), (1920, 1080)] {
            let here = Some(Rect::new(400, 300, 50, 25));
            let moved = Some(Rect::new(412, 300, 50, 25));
            let [empty, again, with, further] = [(1, None), (2, None), (3, here), (4, moved)]
                .map(|(seed, plate)| thumbnails(&street(size, seed, plate)));
            for kind in 0..2 {
                assert!(!empty[kind].differs(&again[kind]), "{size:?}");
                assert!(empty[kind].differs(&with[kind]) && with[kind].differs(&empty[kind]), "{size:?}");
                assert!(with[kind].differs(&further[kind]), "{size:?}");
            }
        }
    }

    #[test]
    fn a_picture_of_another_size_is_another_picture() {
        let [a, b] = [(640, 480), (1280, 720)].map(|size| thumbnails(&street(size, 1, None)));
        assert!(a[1].differs(&b[1]));
    }
}
