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

/// The three maps of one picture, channel by channel, row by row.
struct Maps<'a> {
    heat: &'a [f32],
    bounds: &'a [f32],
    corners: &'a [f32],
    rows: usize,
    columns: usize,
}

impl Grid {
    pub fn decode(&self, outputs: &SessionOutputs<'_>) -> Result<Vec<Detection>> {
        let (shape, heat) = floats(outputs, &self.output.heat)?;
        let (rows, columns) = match shape {
            [_, 1, r, c] => (*r as usize, *c as usize),
            _ => return Err(shape_error()),
        };
        let (_, bounds) = floats(outputs, &self.output.bounds)?;
        let (_, corners) = floats(outputs, &self.output.corners)?;
        let cells = rows * columns;
        if heat.len() != cells || bounds.len() != 4 * cells || corners.len() != 8 * cells {
            return Err(shape_error());
        }
        let maps = Maps { heat, bounds, corners, rows, columns };
        Ok(maps.decode(self.output.stride as f32, self.decode))
    }
}

fn shape_error() -> Error {
    Error::new(Kind::Damaged, "the detector gave maps of unequal or unknown shape")
}

impl Maps<'_> {
    /// Cells that are the greatest of their 3×3 neighbourhood and reach the threshold.
    fn decode(&self, stride: f32, how: Decode) -> Vec<Detection> {
        let mut peaks: Vec<(usize, usize)> = Vec::new();
        for r in 0..self.rows {
            for c in 0..self.columns {
                let heat = self.heat[r * self.columns + c];
                if heat >= how.threshold && self.is_peak(r, c, heat) {
                    peaks.push((r, c));
                }
            }
        }
        let mut found: Vec<Detection> = peaks.iter().map(|&(r, c)| self.detection(r, c, stride)).collect();
        // Stable, so that equals stay in reading order, as in the Python evaluation.
        found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        suppress(&found, how.nms_iou)
    }

    fn is_peak(&self, r: usize, c: usize, heat: f32) -> bool {
        let around = |n: usize, most: usize| n.saturating_sub(1)..=(n + 1).min(most - 1);
        around(r, self.rows).all(|y| around(c, self.columns).all(|x| self.heat[y * self.columns + x] <= heat))
    }

    fn detection(&self, r: usize, c: usize, stride: f32) -> Detection {
        let cell = r * self.columns + c;
        let cells = self.rows * self.columns;
        let (cx, cy) = ((c as f32 + 0.5) * stride, (r as f32 + 0.5) * stride);
        let side = |i: usize| self.bounds[i * cells + cell];
        let corner =
            |i: usize| [cx + self.corners[2 * i * cells + cell], cy + self.corners[(2 * i + 1) * cells + cell]];
        Detection {
            confidence: self.heat[cell],
            bounds: [cx - side(0), cy - side(1), side(0) + side(2), side(1) + side(3)],
            corners: [corner(0), corner(1), corner(2), corner(3)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peak_gives_one_box_around_its_cell() {
        let (rows, columns) = (4, 6);
        let cells = rows * columns;
        let mut heat = vec![0.0; cells];
        heat[2 * columns + 3] = 0.9;
        heat[2 * columns + 4] = 0.8; // A neighbour of the peak, not a plate of its own.
        let mut bounds = vec![0.0; 4 * cells];
        for (i, v) in [10.0, 5.0, 12.0, 6.0].iter().enumerate() {
            bounds[i * cells + 2 * columns + 3] = *v;
        }
        let mut corners = vec![0.0; 8 * cells];
        corners[2 * columns + 3] = -9.0; // x of the top left corner
        let maps = Maps { heat: &heat, bounds: &bounds, corners: &corners, rows, columns };
        let found = maps.decode(8.0, Decode { threshold: 0.3, nms_iou: 0.45 });
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].bounds, [28.0 - 10.0, 20.0 - 5.0, 22.0, 11.0]);
        assert_eq!(found[0].corners[0], [19.0, 20.0]);
    }
}
