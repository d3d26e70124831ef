//! Which plates in a camera's picture count: where in it, and from which size on.

use serde::Deserialize;

/// A rectangle in shares of the picture, so that it holds for any size: left, top, right, bottom, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "[f32; 4]")]
pub struct Area {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl TryFrom<[f32; 4]> for Area {
    type Error = String;

    fn try_from([left, top, right, bottom]: [f32; 4]) -> Result<Self, String> {
        let is_inside = [left, top, right, bottom].iter().all(|share| (0.0..=1.0).contains(share));
        match is_inside && left < right && top < bottom {
            true => Ok(Self { left, top, right, bottom }),
            false => {
                Err("an area is [left, top, right, bottom] in shares of the picture from 0 to 1, and not empty".into())
            }
        }
    }
}

impl Area {
    /// `[x, y, width, height]` in a picture of this width and height.
    pub fn pixels(&self, (width, height): (i32, i32)) -> [i32; 4] {
        let of = |share: f32, whole: i32| (share * whole as f32).round() as i32;
        let (x, y) = (of(self.left, width), of(self.top, height));
        [x, y, of(self.right, width) - x, of(self.bottom, height) - y]
    }

    fn holds(&self, x: f32, y: f32) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

/// What of a camera's picture counts. Left as it is, all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Only plates in it count.
    pub region: Option<Area>,
    /// Plates in these don't: the vehicle's own hood, push bar or lettering.
    pub ignore: Vec<Area>,
    /// Plates of fewer columns don't.
    pub min_plate: u32,
}

impl View {
    /// Whether a plate counts, by its `[x, y, width, height]` in a picture of this width and height. Its middle says
    /// where it is.
    pub fn counts(&self, bounds: [f32; 4], (width, height): (f32, f32)) -> bool {
        let [left, top, columns, rows] = bounds;
        let (x, y) = ((left + columns / 2.0) / width, (top + rows / 2.0) / height);
        self.region.is_none_or(|region| region.holds(x, y))
            && !self.ignore.iter().any(|area| area.holds(x, y))
            && columns >= self.min_plate as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn view(toml: &str) -> View {
        #[derive(Deserialize)]
        struct Keys {
            region: Option<Area>,
            #[serde(default)]
            ignore: Vec<Area>,
            #[serde(default)]
            min_plate: u32,
        }
        let Keys { region, ignore, min_plate } = toml::from_str(toml).unwrap();
        View { region, ignore, min_plate }
    }

    #[test]
    fn a_plate_counts_by_its_middle_and_its_width_in_a_picture_of_any_size() {
        let view = view("region = [0, 0.25, 1, 1]\nignore = [[0.4, 0.8, 0.6, 1.0]]\nmin_plate = 50");
        for scale in [1.0, 2.0] {
            let size = (1280.0 * scale, 720.0 * scale);
            let at = |x: f32, y: f32, width: f32| view.counts([x * scale, y * scale, width, 20.0 * scale], size);
            assert!(at(100.0, 400.0, 80.0));
            assert!(!at(100.0, 100.0, 80.0), "above the region");
            assert!(!at(600.0, 650.0, 80.0), "on the hood");
            assert!(!at(100.0, 400.0, 49.0), "too small");
        }
    }

    #[test]
    fn an_area_that_is_none_is_refused() {
        for wrong in ["[0.5, 0.0, 0.5, 1.0]", "[0, 0, 1280, 720]", "[0, 0, 1]", "[0, 0.9, 1, 0.1]", "[0, 0, nan, 1]"] {
            #[derive(Debug, Deserialize)]
            #[expect(dead_code, reason = "only whether it is taken counts")]
            struct Keys {
                region: Area,
            }
            assert!(toml::from_str::<Keys>(&format!("region = {wrong}")).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_view_that_leaves_nothing_out_lets_every_plate_count(x in -50.0..2000.0_f32, y in -50.0..2000.0_f32, w in 0.0..500.0_f32) {
            prop_assert!(View::default().counts([x, y, w, w / 2.0], (1920.0, 1080.0)));
        }
    }
}
