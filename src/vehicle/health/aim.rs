//! Whether a camera still points where it did, by the plates that it sees.
//!
//! The upright edges of a plate look the same from whichever side it is seen: their lean says how the camera is
//! rolled, and the plate's row, at a given height of the plate in the picture, how it is tilted. Of single plates both
//! scatter; their medians over many do not. A camera that was turned to the side is not noticed, nor is one in whose
//! picture there are no plates any more. A vehicle that stands on a slope sees the road as a tilted camera does.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_core::record::Look;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What is usual is learned from so many plates,
const LEARNED: usize = 200;
/// and compared with the last so many.
const RECENT: usize = 60;
/// A lean by so many degrees from the usual one is a camera that moved. The detector sees about half of a lean: of a camera
/// that is rolled by 14° it is 7°.
const MAX_LEAN: f32 = 4.0;
/// and so is a shift of the plates by so much of the picture's height.
const MAX_SHIFT: f32 = 0.15;
/// Back within so much of these limits it is well again.
const WELL: f32 = 0.7;
/// Plates under this height in pixels have edges too short to measure.
const MIN_HEIGHT: f32 = 12.0;
/// Plates must differ by so much of the picture's height for a slope through both.
const MIN_SPREAD: f32 = 0.01;

/// Where and how upright a plate is in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlatePlace {
    /// Row of its middle, as a share of the picture's height.
    pub row: f32,
    /// Its height, as a share of the picture's.
    pub height: f32,
    /// How far its upright edges lean to the right, in degrees.
    pub lean: f32,
}

impl PlatePlace {
    /// Of a look at a plate in a picture of so many rows; none where the plate is too small to tell.
    pub fn of(look: &Look, rows: i32) -> Option<Self> {
        let [top_left, top_right, bottom_right, bottom_left] = look.corners;
        let across = top_left[0] + top_right[0] - bottom_left[0] - bottom_right[0];
        let down = bottom_left[1] + bottom_right[1] - top_left[1] - top_right[1];
        let (rows, height) = (rows as f32, down / 2.0);
        let place = Self {
            row: (look.bounds[1] + look.bounds[3] / 2.0) / rows,
            height: height / rows,
            lean: across.atan2(down).to_degrees(),
        };
        (height >= MIN_HEIGHT && rows > 0.0).then_some(place)
    }
}

/// Where plates usually are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usual {
    /// The row of a plate infinitely far away, as a share of the picture's height.
    row: f32,
    /// How much lower a plate is for its height.
    slope: f32,
    /// The lean in degrees.
    lean: f32,
}

impl Usual {
    fn of(places: &[PlatePlace]) -> Self {
        let pairs = places.iter().enumerate().flat_map(|(i, a)| places[..i].iter().map(move |b| (a, b)));
        let apart = pairs.filter(|(a, b)| (a.height - b.height).abs() >= MIN_SPREAD);
        let slope = median(apart.map(|(a, b)| (a.row - b.row) / (a.height - b.height)));
        Self {
            row: median(places.iter().map(|place| place.row - slope * place.height)),
            slope,
            lean: median(places.iter().map(|place| place.lean)),
        }
    }
}

/// How the plates are now, against what is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// Degrees by which they lean more to the right.
    pub lean: f32,
    /// How much lower they are, as a share of the picture's height.
    pub lower: f32,
    /// Since when it is told.
    pub since: Timestamp,
}

impl Moved {
    /// What it looks like and what to do, without a full stop.
    pub fn text(&self) -> String {
        let since = self.since.to_zoned(TimeZone::system()).strftime("%H:%M");
        let how = if self.lean.abs() > MAX_LEAN {
            format!("lean by {:.0}°", self.lean.abs())
        } else {
            let word = if self.lower > 0.0 { "lower" } else { "higher" };
            format!("are {:.0} % of the picture {word}", self.lower.abs() * 100.0)
        };
        format!(
            "it seems to have moved: since {since} plates {how} against where they used to be; aim it again, or, if \
             it is as it should be, say so on the console's page of cameras"
        )
    }
}

/// What is known of the aim of one camera.
#[derive(Clone, Debug, Default)]
pub struct Aim {
    learned: Vec<PlatePlace>,
    usual: Option<Usual>,
    recent: VecDeque<PlatePlace>,
    moved: Option<Moved>,
}

impl Aim {
    /// With what was learned before.
    pub fn known(usual: Usual) -> Self {
        Self { usual: Some(usual), ..Self::default() }
    }

    /// Where plates usually are, once that is known.
    pub fn usual(&self) -> Option<Usual> {
        self.usual
    }

    /// A vehicle passed; true when what is usual is known from here on.
    pub fn see(&mut self, place: PlatePlace, at: Timestamp) -> bool {
        let Some(usual) = self.usual else {
            self.learned.push(place);
            if self.learned.len() == LEARNED {
                self.usual = Some(Usual::of(&std::mem::take(&mut self.learned)));
            }
            return self.usual.is_some();
        };
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(place);
        if self.recent.len() == RECENT {
            let lean = median(self.recent.iter().map(|place| place.lean)) - usual.lean;
            let lower = median(self.recent.iter().map(|place| place.row - usual.row - usual.slope * place.height));
            let patience = if self.moved.is_some() { WELL } else { 1.0 };
            let is_off = lean.abs() > MAX_LEAN * patience || lower.abs() > MAX_SHIFT * patience;
            // As it was when it was noticed; a figure that changes with each plate helps nobody.
            self.moved = is_off.then(|| self.moved.unwrap_or(Moved { lean, lower, since: at }));
        }
        false
    }

    /// How far plates are from where they used to be, if they are.
    pub fn moved(&self) -> Option<Moved> {
        self.moved
    }
}

fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    /// Plates of vehicles near and far, left and right, as a camera 1.5 m above the road sees them: `down` is the row
    /// of the horizon, `roll` turns the picture.
    fn plates(count: usize, down: f32, roll: f32) -> Vec<PlatePlace> {
        let mut random = 7_u32;
        let mut next = move || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) as f32 / (1 << 24) as f32
        };
        (0..count)
            .map(|_| {
                let metres = 4.0 + 11.0 * next();
                let (focal, uneven) = (2.0 * 720.0, 0.05 * (next() - 0.5));
                let height = focal * 0.152 / metres + 2.0 * (next() - 0.5);
                let middle = (640.0 * next(), 720.0 * (down + uneven) + focal * 0.9 / metres);
                let (sin, cos) = (roll + 12.0 * (next() - 0.5)).to_radians().sin_cos();
                let half = [height * sin / 2.0, height * cos / 2.0];
                let across = height * 2.0 * (0.5 + 0.5 * next()); // Seen from the side it is narrow.
                let corner = |x: f32, y: f32| {
                    [middle.0 + x * across / 2.0 - y * half[0], middle.1 + y * half[1] + 0.1 * x * across]
                };
                let look = Look {
                    frame: 0,
                    at: AT,
                    text: String::new(),
                    confidence: 0.9,
                    bounds: [middle.0 - across / 2.0, middle.1 - height / 2.0, across, height],
                    corners: [corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)],
                };
                PlatePlace::of(&look, 720).unwrap()
            })
            .collect()
    }

    fn see(aim: &mut Aim, plates: Vec<PlatePlace>) {
        for place in plates {
            aim.see(place, AT);
        }
    }

    #[test]
    fn a_camera_that_sank_or_was_rolled_is_told_and_one_put_back_is_well_again() {
        let mut aim = Aim::default();
        see(&mut aim, plates(LEARNED, 0.3, 1.0));
        assert!(aim.usual().is_some());
        see(&mut aim, plates(500, 0.3, 1.0));
        assert_eq!(aim.moved(), None);
        see(&mut aim, plates(RECENT, 0.55, 1.0));
        let text = aim.moved().unwrap().text();
        assert!(
            text.contains(" plates are 2")
                && text.contains(" % of the picture lower ")
                && text.contains("; aim it again"),
            "{text}"
        );
        see(&mut aim, plates(RECENT, 0.3, 1.0));
        assert_eq!(aim.moved(), None);
        see(&mut aim, plates(RECENT, 0.3, -14.0));
        assert!(aim.moved().unwrap().text().contains(" plates lean by "), "{:?}", aim.moved());
    }

    #[test]
    fn vehicles_far_away_alone_after_vehicles_near_by_alone_are_no_camera_that_moved() {
        let all = plates(4000, 0.3, 0.0);
        let (near, far): (Vec<_>, Vec<_>) = all.into_iter().partition(|place| place.height > 0.035);
        let mut aim = Aim::default();
        see(&mut aim, near.into_iter().take(LEARNED).collect());
        see(&mut aim, far.into_iter().take(500).collect());
        assert_eq!(aim.moved(), None);
    }

    #[test]
    fn a_plate_too_small_to_measure_says_nothing() {
        let corners = [[0.0, 0.0], [20.0, 0.0], [20.0, 11.0], [0.0, 11.0]];
        let look =
            Look { frame: 0, at: AT, text: String::new(), confidence: 0.9, bounds: [0.0, 0.0, 20.0, 11.0], corners };
        assert_eq!(PlatePlace::of(&look, 720), None);
    }

    proptest! {
        #[test]
        fn whatever_corners_a_plate_has_it_is_told_or_not(corners in proptest::array::uniform8(-1e6..1e6_f32)) {
            let [a, b, c, d, e, f, g, h] = corners;
            let look = Look {
                frame: 0, at: AT, text: String::new(), confidence: 0.9,
                bounds: [a, b, c, d], corners: [[a, b], [c, d], [e, f], [g, h]],
            };
            let mut aim = Aim::default();
            for _ in 0..LEARNED + RECENT {
                if let Some(place) = PlatePlace::of(&look, 720) {
                    aim.see(place, AT);
                }
            }
            prop_assert_eq!(aim.moved(), None);
        }
    }
}
