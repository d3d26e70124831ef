//! Where the vehicle was.

use serde::{Deserialize, Serialize};

/// Mean radius of the earth in metres.
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A place on the earth with the vehicle's motion there, as its receiver measured them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees north of the equator, WGS 84, -90 to 90.
    pub lat: f64,
    /// Degrees east of Greenwich, WGS 84, -180 to 180.
    pub lon: f64,
    /// Direction of travel, degrees clockwise from true north, 0 to 360. None while the vehicle stands, and
    /// where the receiver does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<f32>,
    /// Speed over ground in metres a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_m_s: Option<f32>,
    /// The receiver's own estimate of the horizontal error in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_m: Option<f32>,
    /// Seconds by which the fix was older than the frame that it stands beside.
    pub age_s: f32,
}

impl Position {
    /// Whether it can be a place on the earth. 0° N 0° E is where receivers are that know nothing.
    pub fn is_plausible(&self) -> bool {
        let within = |value: f64, most: f64| value.is_finite() && value.abs() <= most;
        within(self.lat, 90.0) && within(self.lon, 180.0) && (self.lat != 0.0 || self.lon != 0.0)
    }

    /// Distance over the ground in metres, on a sphere: right to half a percent.
    pub fn metres_to(&self, other: &Position) -> f64 {
        let (a, b) = (self.lat.to_radians(), other.lat.to_radians());
        let (north, east) = (b - a, (other.lon - self.lon).to_radians());
        let half = (north / 2.0).sin().powi(2) + a.cos() * b.cos() * (east / 2.0).sin().powi(2);
        2.0 * EARTH_RADIUS_M * half.clamp(0.0, 1.0).sqrt().asin()
    }

    /// The greatest distance in metres that the true places of the two may have lost on the measured one, by
    /// the receiver's own estimates of their errors; 0 where it gives none.
    pub fn errors_m(&self, other: &Position) -> f64 {
        [self, other].iter().filter_map(|p| p.error_m).map(f64::from).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lon: f64) -> Position {
        Position { lat, lon, heading: None, speed_m_s: None, error_m: None, age_s: 0.0 }
    }

    #[test]
    fn distances_are_those_of_the_ground() {
        let (hall, bridge) = (at(38.1302, -121.2724), at(38.1302, -121.2690));
        assert!((hall.metres_to(&bridge) - 297.4).abs() < 1.0, "{}", hall.metres_to(&bridge));
        assert!((at(0.0, 0.0).metres_to(&at(1.0, 0.0)) - 111_195.0).abs() < 1.0);
        assert!(at(10.0, 179.9999).metres_to(&at(10.0, -179.9999)) < 25.0, "over the date line");
        assert_eq!(hall.metres_to(&hall), 0.0);
    }

    #[test]
    fn a_place_that_is_not_on_the_earth_or_the_one_of_receivers_that_know_nothing_is_not_plausible() {
        assert!(at(38.1, -121.2).is_plausible() && at(-90.0, 180.0).is_plausible());
        for (lat, lon) in [(90.1, 0.0), (0.0, 180.5), (f64::NAN, 1.0), (1.0, f64::INFINITY), (0.0, 0.0)] {
            assert!(!at(lat, lon).is_plausible(), "{lat} {lon}");
        }
    }
}
