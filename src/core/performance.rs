//! Performance tests (control P-31), in the form in which they go to the station. No plate is in them.

use crate::digest::Sha256;
use crate::record::MadeBy;
use crate::user::Author;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The quantile of the normal distribution for intervals of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// How well plates were found and read: a labelled test set that was replayed, or a drive whose tester entered the
/// plates that a person could read. Signed with the vehicle's key, for the tester who is named in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerformanceTest {
    /// UUIDv7.
    pub id: Uuid,
    /// The vehicle in which it was made.
    pub vehicle: String,
    /// Camera that is tested; empty for a set that is of no camera of this vehicle.
    pub camera: String,
    /// When it ended.
    pub at: Timestamp,
    /// Who made it, and signs it.
    pub tester: Author,
    /// What was compared.
    pub method: Method,
    /// What came of it.
    pub counts: Counts,
    /// Versions of the program and of its models.
    pub made_by: MadeBy,
    /// What the tester wrote about it, or empty.
    pub note: String,
}

/// What the reads of a performance test are compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Method {
    /// The labels of a test set that was replayed.
    Replay {
        /// Name of the set.
        set: String,
        /// Over its labels and files: results of one set are compared only where it is the same.
        sha256: Sha256,
        /// Photos and recordings in it.
        files: u64,
    },
    /// What the tester entered while driving.
    Drive {
        /// When the drive began.
        from: Timestamp,
        /// When it ended.
        until: Timestamp,
    },
}

/// Plates of a performance test. `exact` ≤ `texts` ≤ `folded` ≤ `found` ≤ `plates`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Plates that a person can read.
    pub plates: u64,
    /// Those with a read of their own, whatever its text.
    pub found: u64,
    /// Those whose text was read exactly, and whose state was where it is given.
    pub exact: u64,
    /// Those whose text was read exactly, whatever the state.
    pub texts: u64,
    /// The same with the letter O and the digit 0 as one character.
    pub folded: u64,
    /// Reads that belong to no plate of the test; of a drive also reads of plates that nobody entered.
    pub extra: u64,
}

impl Counts {
    /// Whether such counts can come of a test.
    pub fn hold(&self) -> bool {
        let Self { plates, found, exact, texts, folded, .. } = *self;
        plates > 0 && found <= plates && folded <= found && texts <= folded && exact <= texts
    }

    /// Plates found / plates that a person can read.
    pub fn capture(&self) -> Rate {
        Rate { part: self.found, whole: self.plates }
    }

    /// Exact texts, and states where given / plates found.
    pub fn accuracy(&self) -> Rate {
        Rate { part: self.exact, whole: self.found }
    }

    /// The product of both: what a user gets.
    pub fn end_to_end(&self) -> Rate {
        Rate { part: self.exact, whole: self.plates }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.plates += other.plates;
        self.found += other.found;
        self.exact += other.exact;
        self.texts += other.texts;
        self.folded += other.folded;
        self.extra += other.extra;
    }
}

/// A share of plates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many.
    pub part: u64,
    /// Of so many.
    pub whole: u64,
}

impl Rate {
    /// From 0 to 1; none of nothing.
    pub fn value(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }

    /// The interval in which the rate lies with 95 % probability (Wilson's score interval), from 0 to 1.
    pub fn interval(self) -> Option<(f64, f64)> {
        let (share, n) = (self.value()?, self.whole as f64);
        let scale = 1.0 + Z * Z / n;
        let centre = (share + Z * Z / (2.0 * n)) / scale;
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
        // The rate itself lies in it, whatever the rounding.
        Some(((centre - half).clamp(0.0, share), (centre + half).clamp(share, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_interval_is_the_one_of_the_textbook() {
        let (low, high) = Rate { part: 81, whole: 263 }.interval().unwrap();
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
        assert_eq!(Rate { part: 0, whole: 0 }.interval(), None);
        let (low, high) = Rate { part: 10, whole: 10 }.interval().unwrap();
        assert!(low > 0.72 && low < 0.73 && high == 1.0, "ten of ten is not all of all: {low} {high}");
    }

    proptest! {
        #[test]
        fn a_rate_lies_in_its_interval_and_both_between_0_and_1(whole in 1..100_000_u64, part in 0..100_000_u64) {
            let rate = Rate { part: part.min(whole), whole };
            let (value, (low, high)) = (rate.value().unwrap(), rate.interval().unwrap());
            prop_assert!((0.0..=1.0).contains(&low) && low <= value && value <= high && high <= 1.0);
        }
    }
}
