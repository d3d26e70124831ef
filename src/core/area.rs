//! Where reads were made: around a point, or in a box.

use crate::error::{Error, Kind, Result};
use serde_json::{Value, json};

/// A degree of latitude in metres.
const DEGREE_M: f64 = 111_195.0;

/// A part of the earth, small against it, and not at a pole or at 180° east.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Area {
    /// Within so many metres of a point, in degrees of WGS 84.
    Around {
        /// Degrees north.
        lat: f64,
        /// Degrees east.
        lon: f64,
        /// Radius.
        metres: f64,
    },
    /// Between two corners, in degrees of WGS 84.
    Box {
        /// Its southern edge.
        south: f64,
        /// Its western edge.
        west: f64,
        /// Its northern edge.
        north: f64,
        /// Its eastern edge.
        east: f64,
    },
}

impl Area {
    /// Reads `37.8353, -122.2642`, around which it is so many metres, or two such corners.
    ///
    /// # Errors
    /// `Input` when it is neither.
    pub fn parse(text: &str, metres: f64) -> Result<Self> {
        let refuse = || {
            let message = "give degrees north and east, such as 37.8353, -122.2642; or two such corners of a box";
            Error::new(Kind::Input, message)
        };
        let numbers = text.split([',', ';', ' ']).filter(|part| !part.is_empty()).map(str::parse::<f64>);
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>().map_err(|_| refuse())?;
        let is_place = |lat: f64, lon: f64| lat.abs() < 90.0 && lon.abs() <= 180.0;
        match numbers[..] {
            [lat, lon] if is_place(lat, lon) => Ok(Self::Around { lat, lon, metres }),
            [a, b, c, d] if is_place(a, b) && is_place(c, d) => {
                Ok(Self::Box { south: a.min(c), west: b.min(d), north: a.max(c), east: b.max(d) })
            }
            _ => Err(refuse()),
        }
    }

    /// South, west, north and east of all of it.
    pub fn bounds(&self) -> [f64; 4] {
        match *self {
            Self::Box { south, west, north, east } => [south, west, north, east],
            Self::Around { lat, lon, metres } => {
                let (high, wide) = (metres / DEGREE_M, metres / (DEGREE_M * lat.to_radians().cos()));
                [lat - high, lon - wide, lat + high, lon + wide]
            }
        }
    }

    /// Whether a place within the [bounds](Self::bounds) lies in it.
    pub fn holds(&self, at: (f64, f64)) -> bool {
        match *self {
            Self::Box { .. } => true,
            Self::Around { lat, lon, metres } => {
                let (north, east) = (at.0 - lat, (at.1 - lon) * lat.to_radians().cos());
                north.hypot(east) * DEGREE_M <= metres
            }
        }
    }

    /// What goes on record.
    pub fn element(&self) -> Value {
        match *self {
            Self::Around { lat, lon, metres } => json!({"lat": lat, "lon": lon, "metres": metres}),
            Self::Box { south, west, north, east } => {
                json!({"south": south, "west": west, "north": north, "east": east})
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::Position;
    use proptest::prelude::*;

    #[test]
    fn a_point_and_two_corners_are_read_as_people_write_them_and_nothing_else_is() {
        let around = Area::Around { lat: 37.8353, lon: -122.2642, metres: 300.0 };
        for text in ["37.8353, -122.2642", "37.8353,-122.2642", " 37.8353  -122.2642 "] {
            assert_eq!(Area::parse(text, 300.0).unwrap(), around, "{text}");
        }
        let corners = Area::Box { south: 37.8, west: -122.3, north: 37.9, east: -122.2 };
        assert_eq!(Area::parse("37.9, -122.3; 37.8, -122.2", 300.0).unwrap(), corners);
        for no in ["", "5th and Main", "37.8353", "91, 0", "37.8, 181", "1, 2, 3", "NaN, 1", "1e999, 0"] {
            assert!(Area::parse(no, 300.0).is_err(), "{no}");
        }
    }

    proptest! {
        #[test]
        fn around_a_point_is_what_is_as_near_on_the_ground(
            lat in -70.0..70.0_f64, lon in -179.0..179.0_f64, north in -0.02..0.02_f64, east in -0.02..0.02_f64,
            metres in 50.0..2000.0_f64,
        ) {
            let at = |lat, lon| Position { lat, lon, heading: None, speed_m_s: None, error_m: None, age_s: 0.0 };
            let away = at(lat, lon).metres_to(&at(lat + north, lon + east));
            prop_assume!((away - metres).abs() > 0.02 * metres);
            let area = Area::Around { lat, lon, metres };
            let [south, west, upper, right] = area.bounds();
            let bounded = (south..=upper).contains(&(lat + north)) && (west..=right).contains(&(lon + east));
            prop_assert_eq!(bounded && area.holds((lat + north, lon + east)), away < metres);
        }
    }
}
