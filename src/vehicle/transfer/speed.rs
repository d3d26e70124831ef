//! How fast the link is, and so how much is sent at once: what it takes in some ten seconds.

use std::time::Duration;

/// A batch is as large as what the link took in so many seconds.
const BATCH_S: f64 = 10.0;
/// Slowest link that counts: 4 kbit/s, in bytes a second.
const SLOWEST: f64 = 512.0;
/// What is taken for the speed before anything was measured.
const FIRST: f64 = 16.0 * 1024.0;
/// Largest batch, in bytes; one read goes in any case.
pub(super) const MAX_BYTES: usize = 16 << 20;
/// As much may be on its way without a word from the other side, in bytes.
const MAX_UNDER_WAY: usize = 1 << 20;

/// The measured speed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speed {
    /// Bytes a second; none is measured yet.
    measured: Option<f64>,
}

impl Speed {
    pub fn new() -> Self {
        Self { measured: None }
    }

    /// Bytes a second, as far as it is known.
    pub fn bytes_a_second(&self) -> f64 {
        self.measured.unwrap_or(FIRST).max(SLOWEST)
    }

    /// Bytes of reads to be sent at once.
    pub fn budget(&self) -> usize {
        ((self.bytes_a_second() * BATCH_S) as usize).min(MAX_BYTES)
    }

    /// So long may nothing move: `idle`, and some times what is under way takes.
    pub fn patience(&self, bytes: usize, idle: Duration) -> Duration {
        idle + Duration::from_secs_f64(4.0 * bytes.min(MAX_UNDER_WAY) as f64 / self.bytes_a_second())
    }

    /// A batch was answered.
    pub fn took(&mut self, bytes: usize, time: Duration) {
        let now = bytes as f64 / time.as_secs_f64().max(0.001);
        self.measured = Some(self.measured.map_or(now, |before| f64::midpoint(before, now)));
    }

    /// One was not: the next is half as large.
    pub fn failed(&mut self) {
        self.measured = Some((self.bytes_a_second() / 2.0).max(SLOWEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_what_the_link_takes_in_ten_seconds_and_half_as_much_after_a_failure() {
        let mut speed = Speed::new();
        assert_eq!(speed.budget(), 160 << 10);
        speed.took(100_000, Duration::from_secs(1));
        assert_eq!(speed.budget(), 1_000_000);
        speed.took(8_000, Duration::from_secs(1));
        assert_eq!(speed.budget(), 540_000);
        speed.failed();
        assert_eq!(speed.budget(), 270_000);
        speed.took(1 << 30, Duration::from_millis(1));
        assert_eq!(speed.budget(), MAX_BYTES);
    }

    #[test]
    fn a_read_of_45_kb_has_time_to_arrive_over_8_kbit_a_second() {
        let mut speed = Speed::new();
        (0..20).for_each(|_| speed.failed());
        let patience = speed.patience(45_000, Duration::from_secs(30));
        assert!(patience > Duration::from_secs(45) && patience < Duration::from_secs(600), "{patience:?}");
        speed.took(10 << 20, Duration::from_secs(1));
        (0..10).for_each(|_| speed.took(10 << 20, Duration::from_secs(1)));
        assert!(
            speed.patience(16 << 20, Duration::from_secs(30)) < Duration::from_secs(32),
            "a fast link is given up soon"
        );
    }
}
