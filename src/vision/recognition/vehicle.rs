//! What the vehicle around a plate looks like: class, colour, make, and which of its sides is seen.
//!
//! One look at a square around the plate, at a pass's best frame. `vehicle_infer.py` cuts it out in the same way, and the
//! two must agree.

use super::model::{Model, floats};
use super::sidecar::{Answers, Described, VehicleSidecar};
use opencv::core::{CV_8UC3, Mat, Rect, Scalar, Size};
use opencv::imgproc;
use opencv::prelude::*;
use plated_core::appearance::{Appearance, MAX_WORD, Seen};
use plated_core::error::{Context, Error, Kind, Result};
use std::path::Path;

/// What is beyond the frame.
const GREY: f64 = 114.0;
/// How far a probability may be off on another processor.
const MAX_GAP: f32 = 0.15;

/// A loaded model.
pub struct VehicleModel {
    model: Model,
    sidecar: VehicleSidecar,
    version: String,
    square: Mat,
}

/// A part of a frame in pixels, which may reach beyond it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Region {
    x: f32,
    y: f32,
    side: f32,
}

impl VehicleModel {
    /// Makes it ready for one thread, after comparing it with what its sidecar says.
    ///
    /// # Errors
    /// `Damaged` when it is another model than described, `Config` when its sidecar can't be right.
    pub fn open(from: &Described<VehicleSidecar>, library: Option<&Path>) -> Result<Self> {
        let (path, sidecar) = (&from.path, from.sidecar.clone());
        let model = Model::open(&from.file, library)?;
        let wrong = |why: &str| Error::new(Kind::Config, format!("{}: {why}", path.display()));
        let input = &sidecar.input;
        if input.size == 0 || !(0.1..=100.0).contains(&input.side) || !(0.0..=input.side).contains(&input.above) {
            return Err(wrong("input.size, input.side or input.above is out of range"));
        }
        let size = input.size as i64;
        let shape = model.input_shape(&input.name)?;
        if !matches!(shape[..], [_, h, w, 3] if h == size && w == size) {
            return Err(
                model.unfit(&format!("\"{}\" is {shape:?}, the sidecar says [N, {size}, {size}, 3]", input.name))
            );
        }
        for Answers { output, labels, .. } in sidecar.answers() {
            let shape = model.output_shape(output)?;
            if !matches!(shape[..], [_, n] if n == labels.len() as i64) {
                let text = format!("\"{output}\" is {shape:?}, the sidecar has {} labels for it", labels.len());
                return Err(model.unfit(&text));
            }
            if labels.iter().any(|word| word.len() > MAX_WORD || !word.bytes().all(|b| b.is_ascii_lowercase())) {
                return Err(wrong(&format!("the labels of {output} must be words of small letters")));
            }
        }
        Ok(Self { model, sidecar, version: from.file.version.clone(), square: Mat::default() })
    }

    /// Version of the model.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The part of a frame that a look at this plate needs; it may lie outside.
    pub fn reach(&self, corners: &[[f32; 2]; 4]) -> Rect {
        let Region { x, y, side } = self.region(corners);
        let (left, top) = (x.floor() as i32 - 1, y.floor() as i32 - 1);
        let length = (side.ceil() as i32).saturating_add(3);
        Rect::new(left, top, length, length)
    }

    /// The vehicle around a plate in `image`, which begins at `origin` in its frame and holds what is
    /// [reached](Self::reach).
    ///
    /// # Errors
    /// `Internal` when the model fails.
    pub fn look(&mut self, image: &Mat, origin: [f32; 2], corners: &[[f32; 2]; 4]) -> Result<Appearance> {
        let Region { x, y, side } = self.region(corners);
        let size = self.sidecar.input.size;
        cut(image, Region { x: x - origin[0], y: y - origin[1], side }, size as i32, &mut self.square)
            .context(Kind::Internal, || "a vehicle could not be cut out of its frame".to_string())?;
        self.answer()
    }

    /// In what its answers to a picture that is the square are not those of its sidecar; none where it says none.
    pub(super) fn differs(&mut self, drawn: &Mat) -> Result<Option<String>> {
        self.square = drawn.clone();
        let found = self.distributions()?;
        let differs = self.sidecar.answers().into_iter().zip(&found).find_map(|(answers, values)| {
            let (word, wanted) = answers.drawn.as_ref()?;
            let value =
                answers.labels.iter().zip(values).find(|(label, _)| *label == word).map_or(0.0, |(_, value)| *value);
            let is_right = (value - wanted).abs() <= MAX_GAP;
            (!is_right).then(|| format!("{} {word:?} has a probability of {value:.2}, not {wanted:.2}", answers.output))
        });
        Ok(differs)
    }

    fn answer(&mut self) -> Result<Appearance> {
        let [class, colour, make, side] = self.distributions()?;
        let of = &self.sidecar;
        Ok(Appearance {
            class: of.class.best(&class),
            colour: of.colour.best(&colour),
            make: of.make.best(&make),
            side: of.side.best(&side),
            model: self.version.clone(),
        })
    }

    /// Probabilities of class, colour, make and side.
    fn distributions(&mut self) -> Result<[Vec<f32>; 4]> {
        let size = self.sidecar.input.size;
        let bytes = self.square.data_bytes().map_err(|_| shape_error())?;
        if bytes.len() != size * size * 3 {
            return Err(shape_error());
        }
        let outputs = self.model.run(&self.sidecar.input.name, &[1, size, size, 3], bytes)?;
        let mut all: [Vec<f32>; 4] = Default::default();
        for (values, answers) in all.iter_mut().zip(self.sidecar.answers()) {
            values.extend_from_slice(floats(&outputs, &answers.output)?.1);
            if values.len() != answers.labels.len() {
                return Err(shape_error());
            }
        }
        Ok(all)
    }

    /// The unit is the root of the plate's area, which plates of all shapes have in common.
    fn region(&self, corners: &[[f32; 2]; 4]) -> Region {
        let input = &self.sidecar.input;
        let cross = |a: [f32; 2], b: [f32; 2]| a[0] * b[1] - b[0] * a[1];
        let area = (0..4).map(|i| cross(corners[i], corners[(i + 1) % 4])).sum::<f32>().abs() / 2.0;
        let unit = area.sqrt().max(1.0);
        let [x, y] = [0, 1].map(|axis| corners.iter().map(|c| c[axis]).sum::<f32>() / 4.0);
        let side = input.side * unit;
        Region { x: x - side / 2.0, y: y - input.above * unit, side }
    }
}

impl Answers {
    /// The most probable, if that is probable enough and says something.
    fn best(&self, values: &[f32]) -> Option<Seen> {
        let (label, confidence) = self.labels.iter().zip(values).max_by(|a, b| a.1.total_cmp(b.1))?;
        let says = !label.is_empty() && *confidence >= self.least;
        says.then(|| Seen { is: label.clone(), confidence: confidence.min(1.0) })
    }
}

/// The region as a square of `size` pixels; what lies beyond the image is grey.
fn cut(image: &Mat, region: Region, size: i32, out: &mut Mat) -> opencv::Result<()> {
    let round = |n: f32| (n + 0.5).floor() as i32;
    let Region { x, y, side } = region;
    let (left, top) = (round(x).max(0), round(y).max(0));
    let (right, bottom) = (round(x + side).min(image.cols()), round(y + side).min(image.rows()));
    let place = |at: i32, from: f32| round((at as f32 - from) * size as f32 / side).clamp(0, size);
    let (u, v) = (place(left, x), place(top, y));
    let (to_u, to_v) = (place(right, x), place(bottom, y));
    *out = Mat::new_size_with_default(Size::new(size, size), CV_8UC3, Scalar::all(GREY))?;
    if right <= left || bottom <= top || to_u <= u || to_v <= v {
        return Ok(());
    }
    let (from, to) = (Rect::new(left, top, right - left, bottom - top), Rect::new(u, v, to_u - u, to_v - v));
    let shrinks = from.width >= to.width && from.height >= to.height;
    let how = if shrinks { imgproc::INTER_AREA } else { imgproc::INTER_LINEAR };
    let mut target = Mat::roi_mut(out, to)?;
    imgproc::resize(&Mat::roi(image, from)?, &mut target, to.size(), 0.0, 0.0, how)
}

fn shape_error() -> Error {
    Error::new(Kind::Damaged, "the vehicle model's input or output has not the size its sidecar says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beyond_the_frame_is_grey_and_the_rest_in_its_place() {
        let image = Mat::new_rows_cols_with_default(60, 100, CV_8UC3, Scalar::all(200.0)).unwrap();
        let mut out = Mat::default();
        cut(&image, Region { x: -20.0, y: 20.0, side: 80.0 }, 40, &mut out).unwrap();
        let at = |x: usize, y: usize| out.data_bytes().unwrap()[(y * 40 + x) * 3];
        assert_eq!((at(9, 10), at(10, 10), at(39, 19), at(39, 20)), (114, 200, 200, 114));
        // A plate whose surroundings are not in the frame at all.
        cut(&image, Region { x: 500.0, y: 0.0, side: 80.0 }, 40, &mut out).unwrap();
        assert!(out.data_bytes().unwrap().iter().all(|b| *b == 114));
    }

    #[test]
    fn an_answer_that_is_not_probable_enough_is_unknown() {
        let answers = Answers {
            output: "make".into(),
            labels: vec!["".into(), "ford".into(), "kia".into()],
            least: 0.6,
            drawn: None,
        };
        assert_eq!(answers.best(&[0.1, 0.7, 0.2]), Some(Seen { is: "ford".into(), confidence: 0.7 }));
        assert_eq!(answers.best(&[0.1, 0.5, 0.4]), None);
        assert_eq!(answers.best(&[0.9, 0.06, 0.04]), None);
    }
}
