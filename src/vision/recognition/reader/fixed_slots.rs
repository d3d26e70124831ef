//! Readers with a fixed number of character slots and a YAML file of alphabet and input size.

use super::super::sidecar::{ColourMode, FixedSlotsConfig};
use super::{Reading, shape_error};
use opencv::core::{BORDER_CONSTANT, Mat, Scalar, Size, copy_make_border};
use opencv::imgproc;
use opencv::prelude::*;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::{ALPHABET, CLASSES, Slots};
use std::path::Path;

/// Grey of the border when the picture keeps its proportions.
const BORDER: f64 = 114.0;

pub struct FixedSlots {
    pub width: usize,
    pub height: usize,
    pub letterbox: bool,
    slots: usize,
    colour: ColourMode,
    /// Class of [`ALPHABET`] for each class of the model. What plates here don't have (such as a
    /// dash) counts as no character.
    classes: Vec<usize>,
}

impl FixedSlots {
    /// Reads the YAML file `config`, beside `sidecar`.
    pub fn open(sidecar: &Path, config: &Path) -> Result<Self> {
        let path = sidecar.parent().unwrap_or(Path::new(".")).join(config);
        let text = std::fs::read_to_string(&path)
            .context(Kind::Missing, || format!("could not read the reader's configuration {}", path.display()))?;
        let c: FixedSlotsConfig =
            serde_saphyr::from_str(&text).map_err(|e| Error::new(Kind::Config, format!("{}: {e}", path.display())))?;
        let sizes = [c.max_plate_slots, c.img_width, c.img_height];
        if sizes.iter().any(|n| !(1..=4096).contains(n)) || !c.alphabet.contains(c.pad_char) {
            let text = "max_plate_slots, img_width and img_height must be from 1 to 4096, and pad_char a character of the alphabet";
            return Err(Error::new(Kind::Config, format!("{}: {text}", path.display())));
        }
        let class = |ch: char| {
            ALPHABET[1..].iter().position(|a| char::from(*a) == ch.to_ascii_uppercase()).map_or(0, |i| i + 1)
        };
        let classes = c.alphabet.chars().map(|ch| if ch == c.pad_char { 0 } else { class(ch) }).collect();
        Ok(Self {
            width: c.img_width,
            height: c.img_height,
            letterbox: c.keep_aspect_ratio,
            slots: c.max_plate_slots,
            colour: c.image_color_mode,
            classes,
        })
    }

    pub fn channels(&self) -> usize {
        match self.colour {
            ColourMode::Grayscale => 1,
            ColourMode::Rgb => 3,
        }
    }

    pub fn colours(&self, bgr: &Mat) -> Result<Mat> {
        let how = match self.colour {
            ColourMode::Grayscale => imgproc::COLOR_BGR2GRAY,
            ColourMode::Rgb => imgproc::COLOR_BGR2RGB,
        };
        let mut out = Mat::default();
        imgproc::cvt_color_def(bgr, &mut out, how)
            .context(Kind::Internal, || "a crop's colours could not be converted".into())?;
        Ok(out)
    }

    /// Scales the whole picture without stretching it, the rest filled evenly around it.
    pub fn letterboxed(&self, image: &Mat) -> Result<Mat> {
        let failed = || "a crop could not be scaled for the reader".to_string();
        let scale = (self.width as f64 / f64::from(image.cols())).min(self.height as f64 / f64::from(image.rows()));
        let side = |n: i32, most: usize| ((f64::from(n) * scale).round() as i32).clamp(1, most as i32);
        let (w, h) = (side(image.cols(), self.width), side(image.rows(), self.height));
        let mut scaled = Mat::default();
        imgproc::resize(image, &mut scaled, Size::new(w, h), 0.0, 0.0, imgproc::INTER_LINEAR)
            .context(Kind::Internal, failed)?;
        let (left, top) = ((self.width as i32 - w) / 2, (self.height as i32 - h) / 2);
        let (right, bottom) = (self.width as i32 - w - left, self.height as i32 - h - top);
        let mut out = Mat::default();
        copy_make_border(&scaled, &mut out, top, bottom, left, right, BORDER_CONSTANT, Scalar::all(BORDER))
            .context(Kind::Internal, failed)?;
        Ok(out)
    }

    /// Probabilities of `count` plates, slot by slot, to readings without a state.
    pub fn decode(&self, values: &[f32], count: usize) -> Result<Vec<Reading>> {
        let alphabet = self.classes.len();
        if values.len() != count * self.slots * alphabet {
            return Err(shape_error());
        }
        let plates = values.chunks_exact(self.slots * alphabet);
        Ok(plates
            .map(|plate| {
                let positions = plate.chunks_exact(alphabet).map(|slot| {
                    let mut position = [0.0; CLASSES];
                    for (class, p) in self.classes.iter().zip(slot) {
                        position[*class] += p;
                    }
                    position
                });
                Reading { slots: Slots::new(positions.collect()), state: String::new(), state_confidence: 0.0 }
            })
            .collect())
    }
}
