//! Detectors that come with non-maximum suppression inside.

use super::{Detection, MAX_DETECTIONS};
use plated_core::error::{Error, Kind, Result};

/// BGR bytes, pixel by pixel, to RGB floats from 0 to 1, plane by plane.
pub fn planar_rgb(bgr: &[u8], out: &mut Vec<f32>) {
    let pixels = bgr.len() / 3;
    out.resize(pixels * 3, 0.0);
    for channel in 0..3 {
        let plane = &mut out[channel * pixels..(channel + 1) * pixels];
        for (value, pixel) in plane.iter_mut().zip(bgr.chunks_exact(3)) {
            *value = f32::from(pixel[2 - channel]) / 255.0;
        }
    }
}

/// Rows of 7 (image, x1, y1, x2, y2, class, score) or of 6 (x1, y1, x2, y2, score, class).
pub fn decode(shape: &[i64], rows: &[f32], threshold: f32) -> Result<Vec<Detection>> {
    let width = shape.last().copied().unwrap_or(0) as usize;
    let (first, score) = match width {
        7 => (1, 6),
        6 => (0, 4),
        _ => {
            let text = format!("the detector's output is {shape:?}; rows of 6 or 7 numbers are known (yolo-end2end)");
            return Err(Error::new(Kind::Damaged, text));
        }
    };
    let mut found: Vec<Detection> = rows
        .chunks_exact(width)
        .filter(|r| r[score] >= threshold)
        .map(|r| {
            let [x0, y0, x1, y1] = [r[first], r[first + 1], r[first + 2], r[first + 3]];
            Detection {
                confidence: r[score],
                bounds: [x0, y0, x1 - x0, y1 - y0],
                corners: [[x0, y0], [x1, y0], [x1, y1], [x0, y1]],
            }
        })
        .collect();
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    found.truncate(MAX_DETECTIONS);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_row_widths_give_the_same_box() {
        let seven = decode(&[1, 7], &[0.0, 10.0, 20.0, 30.0, 40.0, 0.0, 0.9], 0.4).unwrap();
        let six = decode(&[1, 1, 6], &[10.0, 20.0, 30.0, 40.0, 0.9, 0.0], 0.4).unwrap();
        assert_eq!(seven, six);
        assert_eq!(seven[0].bounds, [10.0, 20.0, 20.0, 20.0]);
        assert!(decode(&[1, 5], &[0.0; 5], 0.4).is_err());
    }

    #[test]
    fn bytes_become_planes_in_the_order_red_green_blue() {
        let mut out = Vec::new();
        planar_rgb(&[255, 0, 0, 0, 0, 255], &mut out);
        assert_eq!(out, [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    }
}
