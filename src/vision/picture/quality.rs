//! Whether a picture is in focus and rightly lit, measured on pixels that recognition decodes anyway.
//!
//! Focus is told by how much of the contrast is fine: the mean square of differences between neighbours, over that
//! between pixels that are [`FAR`] apart. In a sharp picture neighbours differ nearly as much; behind a dirty or
//! defocused lens they hardly do. What the picture shows cancels out, and where it shows too little nothing is said.

use super::Picture;
use opencv::core::Mat;
use opencv::prelude::*;

/// A picture is looked at with about so many columns.
const COLUMNS: usize = 480;
/// Distance of the pixels whose difference stands for coarse contrast, in columns of those.
const FAR: usize = 12;
/// Each row of so many is looked at.
const ROWS: usize = 4;
/// Blocks of the picture in each direction; one is enough to be sharp.
const BLOCKS: usize = 8;
/// Coarse contrast that a block needs, as mean square of differences, so that noise says nothing.
const MIN_CONTRAST: f32 = 60.0;
/// So many blocks must have contrast before anything is said of the focus.
const MIN_BLOCKS: usize = 8;
/// A picture whose sharpest blocks have a smaller share of fine contrast is blurred. A perfect edge has 1/[`FAR`], an
/// edge that goes over many columns 1/[`FAR`]². This is an edge blurred over some 2.5 columns (standard deviation), over
/// 7 of a picture 1920 wide: no plate can be read by then. Noise makes it larger, so that nobody is warned in vain.
const MIN_FINE: f32 = 0.013;
/// A picture is black when not one pixel in two hundred is as bright as that. A camera by infra-red at night is nearly
/// so: but for plates and lamps.
const BLACK: usize = 26;
/// And white when four fifths of it are as bright as that.
const WHITE: usize = 250;
/// A lens is covered when there is light, half of the picture is brighter than this,
const LIT: usize = 40;
/// and no more than so many of the 64 blocks have contrast. A hand, mud or a bag on the lens is far out of focus: it
/// leaves shades and no shapes. At night most blocks are flat too, and dark.
const MAX_COVERED: usize = 3;

/// What is wrong with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureFault {
    /// Nothing in it is sharp.
    Blurred,
    /// Nothing can be seen in it.
    Black,
    /// Most of it is overexposed.
    White,
    /// It is lit, and shows nothing.
    Covered,
}

/// What one picture shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Share of fine contrast of the sharpest blocks; none where the picture has too little contrast to tell.
    pub fine: Option<f32>,
    /// What is wrong, if anything. What can't be told is not wrong.
    pub fault: Option<PictureFault>,
}

impl Quality {
    /// Of a picture as it came, or of `decoded`, which recognition made of it.
    pub fn of(picture: &Picture, decoded: &Mat) -> Option<Self> {
        let image = match picture {
            Picture::Pixels(image) => image,
            Picture::Jpeg(_) => decoded,
        };
        let (width, height) = (usize::try_from(image.cols()).ok()?, usize::try_from(image.rows()).ok()?);
        if !image.is_continuous() || image.typ() != opencv::core::CV_8UC3 {
            return None;
        }
        measure(image.data_bytes().ok()?, width, height)
    }
}

/// Of 8-bit pixels with three channels, whose middle one stands for the light. None for a picture too small.
fn measure(pixels: &[u8], width: usize, height: usize) -> Option<Quality> {
    let step = (width / COLUMNS).max(1);
    let (columns, rows) = (width / step, height / step);
    if columns < BLOCKS * FAR * 2 || rows < BLOCKS * 2 || pixels.len() < width * height * 3 {
        return None;
    }
    let mut light = [0_u32; 256];
    let (mut fine, mut coarse) = ([[0_u32; BLOCKS]; BLOCKS], [[0_u32; BLOCKS]; BLOCKS]);
    let (block_width, block_height) = (columns / BLOCKS, rows / BLOCKS);
    for y in (0..block_height * BLOCKS).step_by(ROWS) {
        let row = &pixels[y * step * width * 3..][..width * 3];
        let at = |x: usize| row[x * step * 3 + 1];
        for block in 0..BLOCKS {
            let (mut near_sum, mut far_sum) = (0_u32, 0_u32);
            let from = block * block_width;
            for x in from..from + block_width - FAR {
                let value = at(x);
                light[usize::from(value)] += 1;
                let (near, far) = (u32::from(value.abs_diff(at(x + 1))), u32::from(value.abs_diff(at(x + FAR))));
                near_sum += near * near;
                far_sum += far * far;
            }
            fine[y / block_height][block] += near_sum;
            coarse[y / block_height][block] += far_sum;
        }
    }
    let samples = (block_height / ROWS).max(1) * (block_width - FAR);
    let judged = |fine: &u32, coarse: &u32| {
        (*coarse as f32 / samples as f32 >= MIN_CONTRAST).then(|| *fine as f32 / *coarse as f32)
    };
    let pairs = fine.iter().flatten().zip(coarse.iter().flatten());
    let mut shares: Vec<f32> = pairs.filter_map(|(fine, coarse)| judged(fine, coarse)).collect();
    shares.sort_by(f32::total_cmp);
    // The sharpest tenth: one block may be a lamp or a sticker on the pane.
    let fine = (shares.len() >= MIN_BLOCKS).then(|| shares[shares.len() - 1 - shares.len() / 10]);
    let all: u32 = light.iter().sum();
    let at_least = |value: usize| light[value..].iter().sum::<u32>();
    let fault = if at_least(BLACK) * 200 < all {
        Some(PictureFault::Black)
    } else if at_least(WHITE) >= all / 5 * 4 {
        Some(PictureFault::White)
    } else if shares.len() <= MAX_COVERED && at_least(LIT) > all / 2 {
        Some(PictureFault::Covered)
    } else {
        fine.filter(|fine| *fine < MIN_FINE).map(|_| PictureFault::Blurred)
    };
    Some(Quality { fine, fault })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (640, 360);

    /// A street of a kind: bands of light, squares with hard edges, a little noise.
    fn street(light: f32) -> Vec<f32> {
        let (width, height) = SIZE;
        let mut noise = 7_u32;
        let mut picture = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let grain = (noise >> 28) as f32 / 4.0;
                let square = if (x / 23 + y / 17) % 3 == 0 { 90.0 } else { 0.0 };
                picture.push((60.0 + y as f32 / 6.0 + square + grain) * light);
            }
        }
        picture
    }

    /// As through a lens that is out of focus: means over squares, three times.
    fn defocused(picture: &[f32], radius: usize) -> Vec<f32> {
        let (width, height) = SIZE;
        let mut now = picture.to_vec();
        for _ in 0..3 {
            for (count, stride, other) in [(width, 1, width), (height, width, 1)] {
                let before = now.clone();
                for line in 0..width * height / count {
                    let start = if other == 1 { line } else { line * other };
                    for at in 0..count {
                        let range = at.saturating_sub(radius)..(at + radius + 1).min(count);
                        let sum: f32 = range.clone().map(|n| before[start + n * stride]).sum();
                        now[start + at * stride] = sum / range.len() as f32;
                    }
                }
            }
        }
        now
    }

    fn of(picture: &[f32]) -> Quality {
        let pixels: Vec<u8> = picture.iter().flat_map(|v| [v.clamp(0.0, 255.0) as u8; 3]).collect();
        measure(&pixels, SIZE.0, SIZE.1).unwrap()
    }

    #[test]
    fn a_sharp_picture_is_well_and_one_out_of_focus_is_not_whatever_the_light() {
        for light in [0.3, 0.6, 1.0] {
            let sharp = of(&street(light));
            assert_eq!(sharp.fault, None, "{light}: {sharp:?}");
            let soft = of(&defocused(&street(light), 1));
            assert_eq!(soft.fault, None, "{light}: a little soft is no fault: {soft:?}");
            for radius in [3, 5] {
                let blurred = of(&defocused(&street(light), radius));
                assert_eq!(blurred.fault, Some(PictureFault::Blurred), "{light}, {radius}: {blurred:?}");
            }
        }
    }

    #[test]
    fn one_sharp_part_is_enough_as_when_the_road_is_blurred_by_speed() {
        let (sharp, mut mixed) = (street(1.0), defocused(&street(1.0), 6));
        for y in 0..SIZE.1 {
            // The right third.
            let from = y * SIZE.0 + 430;
            mixed[from..(y + 1) * SIZE.0].copy_from_slice(&sharp[from..(y + 1) * SIZE.0]);
        }
        assert_eq!(of(&mixed).fault, None);
    }

    #[test]
    fn black_and_white_pictures_are_told_and_a_night_with_one_plate_is_neither() {
        assert_eq!(of(&vec![8.0; SIZE.0 * SIZE.1]).fault, Some(PictureFault::Black));
        assert_eq!(of(&street(9.0)).fault, Some(PictureFault::White));
        let mut night = vec![6.0; SIZE.0 * SIZE.1];
        for y in 200..230 {
            for x in 300..390 {
                night[y * SIZE.0 + x] = if (x / 9) % 2 == 0 { 220.0 } else { 30.0 };
            }
        }
        let night = of(&night);
        assert_eq!((night.fault, night.fine), (None, None), "too little in it to tell the focus");
    }

    #[test]
    fn a_lit_picture_without_any_shape_is_that_of_a_covered_lens_and_a_plain_street_is_not() {
        let (width, height) = SIZE;
        // Light comes through from one side.
        let shades = |x: usize, _| 60.0 + x as f32 / 8.0;
        let covered: Vec<f32> = (0..width * height).map(|n| shades(n % width, n / width)).collect();
        assert_eq!(of(&covered).fault, Some(PictureFault::Covered));
        let mut plain = covered;
        for y in 150..220 {
            for x in 200..500 {
                plain[y * width + x] = if (x / 40 + y / 35) % 2 == 0 { 60.0 } else { 130.0 };
            }
        }
        assert_eq!(of(&plain).fault, None, "vehicles in front of an empty sky and an empty road");
    }

    #[test]
    fn a_picture_too_small_says_nothing() {
        assert_eq!(measure(&[0; 64 * 64 * 3], 64, 64), None);
        assert_eq!(measure(&[0; 10], 640, 360), None);
    }
}
