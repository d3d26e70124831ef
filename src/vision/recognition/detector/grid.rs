//! Decoding the outputs of plated's own detector.

use super::Detection;
use super::suppress::suppress;
use crate::recognition::model::floats;
use crate::recognition::sidecar::{Decode, DetectorOutput};
use ort::session::SessionOutputs;
use plated_core::error::{Error, Kind, Result};

pub struct Grid {
    pub output: DetectorOutput,
    pub decode: Decode,
}

/// Numbers of a cell, in the order of [`DetectorOutput::maps`].
pub const CHANNELS: i64 = 13;
/// Where the logarithms of a box's distances begin, and the corners.
const BOUNDS: usize = 1;
const CORNERS: usize = 5;
/// Logarithms of distances are held to what the detector was trained to say: boxes of 0.8 to 2,400 pixels.
const LOG_DISTANCES: std::ops::RangeInclusive<f32> = -3.0..=5.0;

/// The maps of one picture, cell by cell, row by row.
struct Maps<'a> {
    cells: &'a [f32],
    rows: usize,
    columns: usize,
}

impl Grid {
    pub fn decode(&self, outputs: &SessionOutputs<'_>) -> Result<Vec<Detection>> {
        let (shape, cells) = floats(outputs, &self.output.maps)?;
        let [1, rows, columns, CHANNELS] = *shape else { return Err(shape_error()) };
        let maps = Maps { cells, rows: rows as usize, columns: columns as usize };
        if cells.len() != maps.rows * maps.columns * CHANNELS as usize {
            return Err(shape_error());
        }
        Ok(maps.decode(self.output.stride as f32, self.decode))
    }
}

fn shape_error() -> Error {
    Error::new(Kind::Damaged, "the detector gave maps of unknown shape")
}

impl<'a> Maps<'a> {
    fn cell(&self, r: usize, c: usize) -> &'a [f32] {
        &self.cells[(r * self.columns + c) * CHANNELS as usize..][..CHANNELS as usize]
    }

    /// Cells that are the greatest of their 3×3 neighbourhood and reach the threshold.
    fn decode(&self, stride: f32, how: Decode) -> Vec<Detection> {
        let logit = (how.threshold / (1.0 - how.threshold)).ln();
        let mut found: Vec<Detection> = (0..self.rows)
            .flat_map(|r| (0..self.columns).map(move |c| (r, c)))
            .filter(|&(r, c)| self.cell(r, c)[0] >= logit && self.is_peak(r, c))
            .map(|(r, c)| self.detection(r, c, stride))
            .collect();
        // Stable, so that equals stay in reading order, as in the Python evaluation.
        found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        suppress(&found, how.nms_iou)
    }

    fn is_peak(&self, r: usize, c: usize) -> bool {
        let around = |n: usize, most: usize| n.saturating_sub(1)..=(n + 1).min(most - 1);
        let own = self.cell(r, c)[0];
        around(r, self.rows).all(|y| around(c, self.columns).all(|x| self.cell(y, x)[0] <= own))
    }

    fn detection(&self, r: usize, c: usize, stride: f32) -> Detection {
        let cell = self.cell(r, c);
        let (cx, cy) = ((c as f32 + 0.5) * stride, (r as f32 + 0.5) * stride);
        let side = |i: usize| cell[BOUNDS + i].clamp(*LOG_DISTANCES.start(), *LOG_DISTANCES.end()).exp() * stride;
        let [left, top, right, bottom] = [0, 1, 2, 3].map(side);
        let (x, y, width, height) = (cx - left, cy - top, left + right, top + bottom);
        let corner = |i: usize| [x + cell[CORNERS + 2 * i] * width, y + cell[CORNERS + 2 * i + 1] * height];
        Detection {
            confidence: 1.0 / (1.0 + (-cell[0]).exp()),
            bounds: [x, y, width, height],
            corners: [0, 1, 2, 3].map(corner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps(cells: &[(usize, usize, [f32; CHANNELS as usize])], columns: usize, rows: usize) -> Vec<f32> {
        let mut all = vec![0.0; rows * columns * CHANNELS as usize];
        all.iter_mut().step_by(CHANNELS as usize).for_each(|logit| *logit = -9.0);
        for (r, c, values) in cells {
            all[(r * columns + c) * CHANNELS as usize..][..CHANNELS as usize].copy_from_slice(values);
        }
        all
    }

    #[test]
    fn one_peak_gives_one_box_around_its_cell() {
        let (rows, columns) = (4, 6);
        let [left, top, right, bottom] = [10.0_f32, 5.0, 12.0, 6.0].map(|pixels| (pixels / 8.0).ln());
        let plate = [2.2, left, top, right, bottom, 0.1, 0.2, 0.9, 0.2, 0.9, 1.1, 0.1, 1.1];
        let mut neighbour = plate; // Not a plate of its own.
        neighbour[0] = 1.4;
        let cells = maps(&[(2, 3, plate), (2, 4, neighbour)], columns, rows);
        let found = Maps { cells: &cells, rows, columns }.decode(8.0, Decode { threshold: 0.3, nms_iou: 0.45 });
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3);
        assert_eq!(found.len(), 1);
        assert!(near(&[found[0].confidence], &[0.900_25]), "{found:?}");
        assert!(near(&found[0].bounds, &[28.0 - 10.0, 20.0 - 5.0, 22.0, 11.0]), "{found:?}");
        assert!(near(&found[0].corners[0], &[18.0 + 2.2, 15.0 + 2.2]), "{found:?}");
        assert!(near(&found[0].corners[2], &[18.0 + 19.8, 15.0 + 12.1]), "{found:?}");
    }

    #[test]
    fn a_cell_counts_from_the_threshold_on() {
        let plate =
            |heat: f32| [(heat / (1.0 - heat)).ln(), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let cells = maps(&[(0, 0, plate(0.29)), (3, 5, plate(0.31))], 6, 4);
        let found = Maps { cells: &cells, rows: 4, columns: 6 }.decode(8.0, Decode { threshold: 0.3, nms_iou: 0.45 });
        assert_eq!(found.iter().map(|d| d.bounds).collect::<Vec<_>>(), [[36.0, 20.0, 16.0, 16.0]]);
    }
}
