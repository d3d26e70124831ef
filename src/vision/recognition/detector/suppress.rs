//! Of boxes that overlap, the best stays.

use super::{Detection, MAX_DETECTIONS};

/// Keeps the most confident detections whose overlap with a kept one is at most `iou`.
/// `found` must come most confident first.
pub fn suppress(found: &[Detection], most_overlap: f32) -> Vec<Detection> {
    let mut kept: Vec<Detection> = Vec::new();
    for d in found {
        if kept.len() == MAX_DETECTIONS {
            break;
        }
        if kept.iter().all(|k| iou(&d.bounds, &k.bounds) <= most_overlap) {
            kept.push(*d);
        }
    }
    kept
}

/// Intersection over union of two `[x, y, width, height]` boxes.
pub fn iou(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let w = (a[0] + a[2]).min(b[0] + b[2]) - a[0].max(b[0]);
    let h = (a[1] + a[3]).min(b[1] + b[3]) - a[1].max(b[1]);
    let shared = w.max(0.0) * h.max(0.0);
    shared / (a[2] * a[3] + b[2] * b[3] - shared).max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weaker_of_two_overlapping_boxes_goes() {
        let d = |confidence, x| Detection { confidence, bounds: [x, 0.0, 10.0, 5.0], corners: [[0.0; 2]; 4] };
        let kept = suppress(&[d(0.9, 0.0), d(0.8, 1.0), d(0.7, 20.0)], 0.45);
        assert_eq!(kept.iter().map(|k| k.confidence).collect::<Vec<_>>(), [0.9, 0.7]);
    }
}
