//! Finding plates in a picture: boxes and corners.

mod grid;
mod prepare;
mod suppress;
mod yolo;

use super::model::{Model, floats};
use super::sidecar::{Described, DetectorSidecar};
use grid::Grid;
use opencv::core::Mat;
use opencv::prelude::*;
use plated_core::error::{Context, Error, Kind, Result};
use prepare::Canvas;
use std::path::Path;
pub(super) use suppress::iou;

/// Most plates taken from one picture.
const MAX_DETECTIONS: usize = 32;

/// A find of more than this share of the picture's width is looked for again, smaller: the detector sees a plate that
/// is larger than it learned only in parts.
const NEAR: f32 = 0.33;
/// What the second look finds counts from this share on; smaller plates are seen better by the first.
const MIN_NEAR: f32 = 0.25;
/// Canvas of the second look: the picture's width and height there, and grey around it, in pixels.
const NEAR_CANVAS: (usize, usize, i32) = (192, 192, 48);

/// A plate found in a picture, in pixels of that picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Probability that this is a plate, 0 to 1.
    pub confidence: f32,
    /// `[x, y, width, height]`, inside the picture.
    pub bounds: [f32; 4],
    /// From the top left, clockwise; may lie outside the picture.
    pub corners: [[f32; 2]; 4],
}

/// A loaded detector.
pub struct Detector {
    model: Model,
    input: String,
    canvas: Canvas,
    /// In place of `canvas`, to spare the processor, of the own detector.
    small: Option<Canvas>,
    is_spared: bool,
    /// For plates near by, of the own detector.
    near: Option<Canvas>,
    kind: Family,
    version: String,
}

enum Family {
    Plated(Grid),
    Yolo { output: String, threshold: f32, scaled: Vec<f32> },
}

impl Detector {
    /// Makes a detector ready for one thread, after comparing it with what its sidecar says.
    pub fn open(from: &Described<DetectorSidecar>, library: Option<&Path>) -> Result<Self> {
        let (path, file) = (&from.path, &from.file);
        let model = Model::open(file, library)?;
        let version = file.version.clone();
        match from.sidecar.clone() {
            DetectorSidecar::Plated { input, output, decode, .. } => {
                let stride = output.stride;
                if stride == 0 || !input.width.is_multiple_of(stride) || !input.height.is_multiple_of(stride) {
                    let text = format!("{}: width and height must be multiples of the stride", path.display());
                    return Err(Error::new(Kind::Config, text));
                }
                let shape = model.input_shape(&input.name)?;
                if !matches!(shape[..], [_, h, w, 3] if h < 0 && w < 0) {
                    let text = format!("\"{}\" is {shape:?}, it should be [N, H, W, 3] with free sides", input.name);
                    return Err(model.unfit(&text));
                }
                let maps = model.output_shape(&output.maps)?;
                if !matches!(maps[..], [_, _, _, grid::CHANNELS]) {
                    let text = format!("\"{}\" is {maps:?}, it should be [N, H, W, {}]", output.maps, grid::CHANNELS);
                    return Err(model.unfit(&text));
                }
                let canvas = Canvas::top_left(input.width, input.height, stride);
                let (columns, rows, margin) = NEAR_CANVAS;
                let two_thirds = |side: usize| (side * 2 / 3).next_multiple_of(stride);
                let small = Some(Canvas::top_left(two_thirds(input.width), two_thirds(input.height), stride));
                let near = Some(Canvas::framed(columns, rows, stride, margin));
                Ok(Self {
                    model,
                    input: input.name,
                    canvas,
                    small,
                    is_spared: false,
                    near,
                    kind: Family::Plated(Grid { output, decode }),
                    version,
                })
            }
            DetectorSidecar::YoloEnd2End { threshold, .. } => {
                let input = model.first_input()?;
                let [_, 3, height, width] = model.input_shape(&input)?[..] else {
                    return Err(model.unfit("its input is not [N, 3, height, width]"));
                };
                // Free dimensions are taken as the family's usual 640.
                let side = |n: i64| if n > 0 { n as usize } else { 640 };
                let output = model.first_output()?;
                let canvas = Canvas::centred(side(width), side(height));
                let kind = Family::Yolo { output, threshold, scaled: Vec::new() };
                Ok(Self { model, input, canvas, small: None, is_spared: false, near: None, kind, version })
            }
        }
    }

    /// Version of the model.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Columns and rows at which it looks at a picture of this size.
    pub fn needs(&self, width: i32, height: i32) -> (i32, i32) {
        self.small.as_ref().filter(|_| self.is_spared).unwrap_or(&self.canvas).needs(width, height)
    }

    /// Whether it looks at a smaller picture from here on.
    pub fn spare(&mut self, on: bool) {
        self.is_spared = on;
    }

    /// Plates in an 8-bit BGR picture, most confident first. `image` may be smaller than the
    /// picture, whose `size` counts for where the plates are; not smaller than [`Detector::needs`].
    pub fn detect(&mut self, image: &Mat, size: (i32, i32)) -> Result<Vec<Detection>> {
        let found = {
            let canvas = self.small.as_mut().filter(|_| self.is_spared).unwrap_or(&mut self.canvas);
            look(&mut self.model, &self.input, canvas, &mut self.kind, image, size)?
        };
        let share = |d: &Detection| d.bounds[2] / size.0 as f32;
        let Some(near) = self.near.as_mut().filter(|_| found.iter().any(|d| share(d) > NEAR)) else {
            return Ok(found);
        };
        let mut again = look(&mut self.model, &self.input, near, &mut self.kind, image, size)?;
        again.retain(|d| share(d) > MIN_NEAR);
        Ok(joined(found, &again))
    }
}

/// One run over the picture.
fn look(
    model: &mut Model,
    input: &str,
    canvas: &mut Canvas,
    kind: &mut Family,
    image: &Mat,
    size: (i32, i32),
) -> Result<Vec<Detection>> {
    let (placed, canvas) = canvas.place(image, size)?;
    let (width, height) = (canvas.cols() as usize, canvas.rows() as usize);
    let bytes = canvas.data_bytes().context(Kind::Internal, || "the detector's picture can't be read".into())?;
    let found = match kind {
        Family::Plated(grid) => {
            let outputs = model.run(input, &[1, height, width, 3], bytes)?;
            grid.decode(&outputs)?
        }
        Family::Yolo { output, threshold, scaled } => {
            yolo::planar_rgb(bytes, scaled);
            let outputs = model.run(input, &[1, 3, height, width], scaled.as_slice())?;
            let (shape, rows) = floats(&outputs, output)?;
            yolo::decode(shape, rows, *threshold)?
        }
    };
    Ok(found.into_iter().filter_map(|d| placed.back(d)).collect())
}

/// The plates near by that the second look found, and what the first found outside of these; the most confident first.
/// Where the second found none, the first's count.
fn joined(first: Vec<Detection>, near: &[Detection]) -> Vec<Detection> {
    let apart = |d: &Detection, n: &Detection| !holds(&n.bounds, &d.bounds) && !holds(&d.bounds, &n.bounds);
    let outside = |d: &Detection| near.iter().all(|n| apart(d, n));
    let mut all: Vec<Detection> = near.iter().copied().chain(first.into_iter().filter(outside)).collect();
    all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    all.truncate(MAX_DETECTIONS);
    all
}

/// Whether the middle of `other` lies in the box.
fn holds([x, y, w, h]: &[f32; 4], other: &[f32; 4]) -> bool {
    let [mx, my] = [other[0] + other[2] / 2.0, other[1] + other[3] / 2.0];
    (*x..=x + w).contains(&mx) && (*y..=y + h).contains(&my)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(confidence: f32, bounds: [f32; 4]) -> Detection {
        Detection { confidence, bounds, corners: [[0.0; 2]; 4] }
    }

    #[test]
    fn a_plate_near_by_takes_the_place_of_its_parts() {
        let parts = [find(0.9, [10.0, 40.0, 300.0, 150.0]), find(0.8, [250.0, 50.0, 60.0, 40.0])];
        let far = find(0.5, [600.0, 10.0, 30.0, 15.0]);
        let whole = find(0.7, [5.0, 30.0, 560.0, 280.0]);
        assert_eq!(joined([&parts[..], &[far]].concat(), &[whole]), [whole, far]);
        assert_eq!(joined(parts.to_vec(), &[]), parts);
    }
}
