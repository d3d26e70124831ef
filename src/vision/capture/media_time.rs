//! The time of each frame of a file, from the beginning of the file.

use std::time::Duration;

/// A clock that goes back further than this was set anew; what goes back less is out of order by
/// rounding.
const MAX_DISORDER_S: f64 = 1.0;
/// Times differ by this much at least, so that frames stay in order.
const MIN_STEP_S: f64 = 1e-6;

/// Makes times that only grow out of those that a container gives. One that gives none gets even steps.
#[derive(Debug)]
pub struct MediaTime {
    step: f64,
    /// Time given last, and what the container stated then.
    last: Option<(f64, f64)>,
    offset: f64,
}

impl MediaTime {
    /// Of a file that says so many frames a second.
    pub fn new(rate: f64) -> Self {
        Self { step: 1.0 / rate, last: None, offset: 0.0 }
    }

    /// The time of the next frame, of which the container says these seconds.
    pub fn next(&mut self, stated: f64) -> Duration {
        let stated = if stated.is_finite() { stated } else { 0.0 };
        let time = match self.last {
            None => {
                self.offset = -stated;
                0.0
            }
            Some((last, before)) if stated <= 0.0 && before <= 0.0 => last + self.step,
            Some((last, _)) if stated + self.offset > last => stated + self.offset,
            Some((last, _)) if stated + self.offset > last - MAX_DISORDER_S => last + MIN_STEP_S,
            Some((last, _)) => {
                self.offset = last + self.step - stated;
                last + self.step
            }
        };
        self.last = Some((time, stated));
        Duration::try_from_secs_f64(time).unwrap_or(Duration::MAX / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times(stated: &[f64]) -> Vec<f64> {
        let mut clock = MediaTime::new(10.0);
        stated.iter().map(|s| (clock.next(*s).as_secs_f64() * 1e3).round() / 1e3).collect()
    }

    #[test]
    fn a_frame_has_the_time_that_the_file_says_and_not_its_number_by_the_rate() {
        assert_eq!(times(&[0.0, 0.033, 0.5, 2.3]), [0.0, 0.033, 0.5, 2.3]);
        assert_eq!(times(&[7.0, 7.5, 9.0]), [0.0, 0.5, 2.0], "a part cut out of a longer recording");
    }

    #[test]
    fn without_times_frames_have_even_steps_and_a_clock_set_anew_goes_on() {
        assert_eq!(times(&[0.0, 0.0, 0.0]), [0.0, 0.1, 0.2]);
        assert_eq!(times(&[0.0, 50.0, 50.1, 0.0, 0.5]), [0.0, 50.0, 50.1, 50.2, 50.7]);
        assert_eq!(times(&[0.0, f64::NAN, 0.5]), [0.0, 0.1, 0.5]);
    }

    proptest! {
        #[test]
        fn times_only_grow(stated in prop::collection::vec(prop_oneof![-1e3..1e9_f64, Just(0.0), Just(f64::INFINITY)], 1..50)) {
            let mut clock = MediaTime::new(25.0);
            let times: Vec<_> = stated.iter().map(|s| clock.next(*s)).collect();
            prop_assert!(times.windows(2).all(|w| w[0] <= w[1]));
        }
    }
}
