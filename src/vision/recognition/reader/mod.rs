//! Reading upright plates.

mod fixed_slots;

use super::model::{Model, floats};
use super::rectify;
use super::sidecar::{Described, ReaderSidecar};
use fixed_slots::FixedSlots;
use opencv::core::{Mat, Rect};
use opencv::prelude::*;
use plated_core::error::{Error, Kind, Result};
use plated_core::plate::{ALPHABET, CLASSES, Slots};
use std::path::Path;

/// How much wider the margins of further cuts of a plate are than those of the first.
const AGAIN: [[f32; 2]; 2] = [[-0.03, -0.04], [0.04, 0.04]];

/// What a reader says about one look.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Distribution over characters for each position.
    pub slots: Slots,
    /// Issuing state, two letters, or empty when not known.
    pub state: String,
    /// Probability of the state, 0 to 1.
    pub state_confidence: f32,
}

/// A loaded reader.
pub struct Reader {
    model: Model,
    kind: Family,
    input: String,
    width: usize,
    height: usize,
    margin: [f32; 2],
    version: String,
    pixels: Vec<u8>,
}

enum Family {
    Plated { slots: String, state: String, length: usize, states: Vec<String> },
    FixedSlots(FixedSlots),
}

impl Reader {
    /// Makes a reader ready for one thread, after comparing it with what its sidecar says.
    pub fn open(from: &Described<ReaderSidecar>, library: Option<&Path>) -> Result<Self> {
        let (path, file) = (&from.path, &from.file);
        let model = Model::open(file, library)?;
        let version = file.version.clone();
        match from.sidecar.clone() {
            ReaderSidecar::Plated { input, output, .. } => {
                if output.alphabet.as_bytes() != ALPHABET {
                    let text = format!("{}: output.alphabet must be \"-\", the digits, then A to Z", path.display());
                    return Err(Error::new(Kind::Config, text));
                }
                check(&model, &input.name, &model.input_shape(&input.name)?, &[input.height, input.width, 3])?;
                check(&model, &output.slots, &model.output_shape(&output.slots)?, &[output.length, CLASSES])?;
                check(&model, &output.state, &model.output_shape(&output.state)?, &[output.states.len()])?;
                let kind = Family::Plated {
                    slots: output.slots,
                    state: output.state,
                    length: output.length,
                    states: output.states,
                };
                let (width, height, margin) = (input.width, input.height, input.margin);
                Ok(Self { model, kind, input: input.name, width, height, margin, version, pixels: Vec::new() })
            }
            ReaderSidecar::FixedSlots { config, margin, .. } => {
                let family = FixedSlots::open(path, &config)?;
                let input = model.first_input()?;
                check(&model, &input, &model.input_shape(&input)?, &[family.height, family.width, family.channels()])?;
                let (width, height) = (family.width, family.height);
                let kind = Family::FixedSlots(family);
                Ok(Self { model, kind, input, width, height, margin, version, pixels: Vec::new() })
            }
        }
    }

    /// Version of the model.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Cuts a plate out of a picture, as this reader wants it.
    pub fn crop(&self, image: &Mat, corners: &[[f32; 2]; 4]) -> Result<Mat> {
        let crop = rectify::upright(image, corners, self.margin, self.width, self.height)?;
        self.colours(crop)
    }

    /// Further cuts of a plate, tighter and wider, for a doubtful read. `whole`: the corners are those of a picture that
    /// is the plate. Readers of other makes get none.
    pub fn crops_again(&self, image: &Mat, corners: &[[f32; 2]; 4], whole: bool) -> Result<Vec<Mat>> {
        if !matches!(self.kind, Family::Plated { .. }) {
            return Ok(Vec::new());
        }
        let [x, y] = if whole { [0.0; 2] } else { self.margin };
        let cut = |[dx, dy]: [f32; 2]| rectify::upright(image, corners, [x + dx, y + dy], self.width, self.height);
        AGAIN.into_iter().map(cut).collect()
    }

    /// The part of a picture that cutting these plates out looks at.
    pub fn reach<'a>(&self, plates: impl Iterator<Item = &'a [[f32; 2]; 4]>) -> Rect {
        let [[_, _], [dx, dy]] = AGAIN;
        rectify::reach(plates, [self.margin[0] + dx, self.margin[1] + dy])
    }

    /// Takes the whole picture as one plate.
    pub fn crop_whole(&self, image: &Mat) -> Result<Mat> {
        match &self.kind {
            Family::FixedSlots(family) if family.letterbox => self.colours(family.letterboxed(image)?),
            _ => self.colours(rectify::whole(image, self.width, self.height)?),
        }
    }

    fn colours(&self, crop: Mat) -> Result<Mat> {
        match &self.kind {
            Family::Plated { .. } => Ok(crop),
            Family::FixedSlots(family) => family.colours(&crop),
        }
    }

    /// Reads upright crops, in their order.
    pub fn read(&mut self, crops: &[Mat]) -> Result<Vec<Reading>> {
        if crops.is_empty() {
            return Ok(Vec::new());
        }
        let channels = match &self.kind {
            Family::Plated { .. } => 3,
            Family::FixedSlots(family) => family.channels(),
        };
        self.pixels.clear();
        for crop in crops {
            let bytes = crop.data_bytes().map_err(|_| shape_error())?;
            if bytes.len() != self.width * self.height * channels {
                return Err(shape_error());
            }
            self.pixels.extend_from_slice(bytes);
        }
        let shape = [crops.len(), self.height, self.width, channels];
        match &self.kind {
            Family::Plated { slots, state, length, states } => {
                let outputs = self.model.run(&self.input, &shape, &self.pixels)?;
                let (_, characters) = floats(&outputs, slots)?;
                let (_, jurisdictions) = floats(&outputs, state)?;
                if characters.len() != crops.len() * length * CLASSES
                    || jurisdictions.len() != crops.len() * states.len()
                {
                    return Err(shape_error());
                }
                let readings = characters.chunks_exact(length * CLASSES).zip(jurisdictions.chunks_exact(states.len()));
                Ok(readings.map(|(c, j)| own_reading(c, j, states)).collect())
            }
            Family::FixedSlots(family) => {
                let output = self.model.first_output()?;
                let outputs = self.model.run(&self.input, &shape, &self.pixels)?;
                let (_, values) = floats(&outputs, &output)?;
                family.decode(values, crops.len())
            }
        }
    }
}

fn shape_error() -> Error {
    Error::new(Kind::Damaged, "the reader's input or output has not the size its sidecar says")
}

fn own_reading(characters: &[f32], jurisdictions: &[f32], states: &[String]) -> Reading {
    let positions = characters.chunks_exact(CLASSES).map(|c| {
        let mut position = [0.0; CLASSES];
        position.copy_from_slice(c);
        position
    });
    let best = most_probable(jurisdictions);
    Reading {
        slots: Slots::new(positions.collect()),
        state: states[best].clone(),
        state_confidence: jurisdictions[best],
    }
}

/// Compares all dimensions but the first; -1 in the model fits everything.
fn check(model: &Model, what: &str, found: &[i64], want: &[usize]) -> Result<()> {
    let fits = found.len() == want.len() + 1 && found[1..].iter().zip(want).all(|(f, w)| *f < 0 || *f as usize == *w);
    if fits { Ok(()) } else { Err(model.unfit(&format!("\"{what}\" is {found:?}, the sidecar says [N, {want:?}]"))) }
}

/// Index of the greatest value, the first of equals; 0 for none.
fn most_probable(values: &[f32]) -> usize {
    // The first of equals, as numpy has it, so that both evaluations agree.
    let mut best = 0;
    for (i, v) in values.iter().enumerate() {
        if *v > values[best] {
            best = i;
        }
    }
    best
}
