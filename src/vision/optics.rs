//! How many pixels a plate has, by lens and distance.

/// Width of a plate in metres: 12 inches, as in all of the United States.
const PLATE_METRES: f32 = 0.305;
/// A plate of fewer pixels is not read well.
pub const FEW_PIXELS: f32 = 70.0;

/// Pixels in the width of a plate that is seen from straight behind, `metres` away, in a picture of so many columns
/// through a lens whose angle of view from left to right is `degrees`.
pub fn plate_pixels(columns: i32, metres: f32, degrees: f32) -> f32 {
    let seen = 2.0 * metres * (degrees.to_radians() / 2.0).tan();
    columns as f32 * PLATE_METRES / seen
}

/// Pixels by which a plate is smeared while the shutter is open for so many seconds, when it passes at so many metres a
/// second at `angle` degrees to the line of sight.
pub fn smear_pixels(plate_pixels: f32, metres_per_second: f32, angle: f32, shutter: f32) -> f32 {
    plate_pixels / PLATE_METRES * metres_per_second * angle.to_radians().sin() * shutter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plate_has_half_the_pixels_at_twice_the_distance_and_more_through_a_longer_lens() {
        // 1 m of the road fills 100 columns: a picture of 1000 columns shows 10 m.
        let wide = 2.0 * (5.0_f32 / 12.0).atan().to_degrees();
        assert!((plate_pixels(1000, 12.0, wide) - 30.5).abs() < 0.01);
        assert!((plate_pixels(1000, 24.0, wide) * 2.0 - plate_pixels(1000, 12.0, wide)).abs() < 0.01);
        assert!(plate_pixels(1000, 12.0, 10.0) > plate_pixels(1000, 12.0, 20.0));
    }

    #[test]
    fn a_shorter_shutter_and_a_smaller_angle_smear_less() {
        let smear = smear_pixels(100.0, 30.0, 15.0, 0.001);
        assert!((smear - 2.55).abs() < 0.05, "{smear}");
        assert!(smear_pixels(100.0, 30.0, 15.0, 0.0005) < smear && smear_pixels(100.0, 30.0, 5.0, 0.001) < smear);
    }
}
