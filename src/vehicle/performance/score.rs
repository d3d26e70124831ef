//! Plates that a person can read, and reads: which belong together, and how they compare.
//!
//! Both are put together by when they were seen, where that is known, and by how many characters differ; each goes
//! with one other at most. A plate with a read that is not its text is misread, be a character replaced, missing or
//! one too many. One without a read is missed.

use plated_core::officers::Reading;
use plated_core::performance::Counts;
use plated_core::plate::{PlateText, edit_distance};
use plated_core::record::ReadRecord;
use serde::{Deserialize, Serialize};

/// A read and a plate of which more than this share of the characters differ are of two vehicles.
const MAX_DIFFERENT: f32 = 0.5;

/// A plate that a person can read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// As it is on the plate.
    pub plate: String,
    /// Two letters; empty when not given.
    pub state: String,
    /// Where it begins to be in view, in frames or milliseconds; none when that is not known.
    pub first: Option<u64>,
    /// Where it ends to be.
    pub last: Option<u64>,
}

/// A read, as far as it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// As it was read.
    pub text: String,
    /// Two letters, or empty.
    pub state: String,
    /// Where it begins and ends, in the same unit.
    pub span: (u64, u64),
}

impl From<&ReadRecord> for Seen {
    fn from(read: &ReadRecord) -> Self {
        let frames = read.sightings.iter().chain([&read.best]).map(|look| look.frame);
        let first = frames.clone().min().unwrap_or(read.best.frame);
        Self { text: read.text.clone(), state: read.state.clone(), span: (first, frames.max().unwrap_or(first)) }
    }
}

/// How far apart in frames or milliseconds a plate and its read may be.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// So far is no difference: labels leave out small and covered plates, and people type.
    pub near: u64,
    /// Farther apart they are two vehicles.
    pub far: u64,
}

impl Axis {
    /// Frames of a recording. A whole drive is looked through for a read that is not where its label says.
    pub const FRAMES: Self = Self { near: 30, far: u64::MAX };
    /// Milliseconds of a drive, whose tester enters a plate when there is time for it.
    pub const DRIVE: Self = Self { near: 120_000, far: 600_000 };
}

/// A plate that was not read, or not as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// File of the test set; empty for a drive.
    pub file: String,
    /// What is on the plate.
    pub plate: Reading,
    /// What was read instead; none when nothing was.
    pub read: Option<Reading>,
}

impl Miss {
    /// The worse, the more of it is wrong: what was not read at all before all others.
    pub fn badness(&self) -> (bool, usize) {
        let differ = self.read.as_ref().map(|read| edit_distance(&self.plate.text, &read.text));
        (differ.is_none(), differ.unwrap_or(self.plate.text.len()))
    }
}

/// How plates and reads compare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// How many there are of each kind.
    pub counts: Counts,
    /// Plates without an exact read.
    pub misses: Vec<Miss>,
}

impl Score {
    /// Takes up the plates of one more file.
    pub fn add(&mut self, file: &str, other: Self) {
        self.counts += other.counts;
        self.misses.extend(other.misses.into_iter().map(|miss| Miss { file: file.to_owned(), ..miss }));
    }

    /// The worst misses first, at most `limit`.
    pub fn worst(mut self, limit: usize) -> Vec<Miss> {
        self.misses.sort_by_key(|miss| std::cmp::Reverse(miss.badness()));
        self.misses.truncate(limit);
        self.misses
    }
}

/// Compares plates and reads. It does not matter in which order they come.
pub fn score(labels: &[Label], reads: &[Seen], axis: Axis) -> Score {
    // Of two pairs that are as good as each other one is taken first: the same whatever the order was.
    let (mut labels, mut reads) = (labels.to_vec(), reads.to_vec());
    labels.sort_unstable();
    reads.sort_unstable();
    let keys: Vec<String> = reads.iter().map(|read| folded(&read.text)).collect();
    let mut pairs = Vec::new();
    for (l, label) in labels.iter().enumerate() {
        let plate = folded(&label.plate);
        for (r, (read, text)) in reads.iter().zip(&keys).enumerate() {
            let gap = label.gap(read.span);
            if gap > axis.far {
                continue;
            }
            let differ = edit_distance(&plate, text);
            if differ as f32 > MAX_DIFFERENT * plate.len().max(text.len()) as f32 {
                continue;
            }
            // In time before out of time, then the fewest differences, a letter O and another state last.
            let (other_text, other_state) = (label.plate != read.text, !label.is_state(&read.state));
            pairs.push((gap > axis.near, differ, other_text, other_state, gap, l, r));
        }
    }
    pairs.sort_unstable();
    let mut read_of: Vec<Option<usize>> = vec![None; labels.len()];
    let mut taken = vec![false; reads.len()];
    for (.., l, r) in pairs {
        if read_of[l].is_none() && !taken[r] {
            (read_of[l], taken[r]) = (Some(r), true);
        }
    }
    let mut score = Score::default();
    score.counts.plates = labels.len() as u64;
    for (label, read) in labels.iter().zip(read_of) {
        let read = read.map(|r| &reads[r]);
        let is_text = read.is_some_and(|read| read.text == label.plate);
        let is_exact = is_text && read.is_some_and(|read| label.is_state(&read.state));
        let is_folded = read.is_some_and(|read| folded(&read.text) == folded(&label.plate));
        let counts = &mut score.counts;
        counts.found += u64::from(read.is_some());
        counts.texts += u64::from(is_text);
        counts.exact += u64::from(is_exact);
        counts.folded += u64::from(is_folded);
        if !is_exact {
            let reading = |text: &str, state: &str| Reading { text: text.to_owned(), state: state.to_owned() };
            score.misses.push(Miss {
                file: String::new(),
                plate: reading(&label.plate, &label.state),
                read: read.map(|read| reading(&read.text, &read.state)),
            });
        }
    }
    score.counts.extra = reads.len() as u64 - score.counts.found;
    score
}

impl Label {
    /// How far the plate's time is from a read's; nothing where the label says no time.
    fn gap(&self, (first, last): (u64, u64)) -> u64 {
        let early = self.first.map_or(0, |f| f.saturating_sub(last));
        let late = self.last.map_or(0, |l| first.saturating_sub(l));
        early.max(late)
    }

    /// Whether that is its state; any is where none is given.
    fn is_state(&self, state: &str) -> bool {
        self.state.is_empty() || self.state == state
    }
}

/// As matching compares.
fn folded(text: &str) -> String {
    PlateText::normalise(text).key().as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(labels: &[(&str, Option<(u64, u64)>)]) -> Vec<Label> {
        let label = |(plate, frames): &(&str, Option<(u64, u64)>)| Label {
            plate: (*plate).into(),
            state: String::new(),
            first: frames.map(|f| f.0),
            last: frames.map(|f| f.1),
        };
        labels.iter().map(label).collect()
    }

    fn reads(reads: &[(&str, u64)]) -> Vec<Seen> {
        let seen = |(text, at): &(&str, u64)| Seen { text: (*text).into(), span: (*at, at + 10), ..Seen::default() };
        reads.iter().map(seen).collect()
    }

    /// Plates, texts, folded, misread, missed, extra.
    fn counts(labels: &[Label], reads: &[Seen]) -> [u64; 6] {
        let c = score(labels, reads, Axis::FRAMES).counts;
        [c.plates, c.texts, c.folded, c.found - c.folded, c.plates - c.found, c.extra]
    }

    #[test]
    fn each_read_counts_for_one_vehicle_only() {
        let labels = labels(&[("7ABC123", None), ("8XYZ987", None), ("4HNU635", None)]);
        assert_eq!(counts(&labels, &reads(&[("7ABC123", 0), ("7ABC123", 0), ("8XYZ9B7", 0)])), [3, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn a_character_too_few_or_too_many_is_a_misread_and_not_a_vehicle_missed() {
        let labels = labels(&[("XMP41", None), ("7ABC123", None), ("8XYZ987", None)]);
        assert_eq!(counts(&labels, &reads(&[("XMP417", 0), ("7ABC12", 0), ("18XYZ987", 0)])), [3, 0, 0, 3, 0, 0]);
    }

    #[test]
    fn letter_o_and_zero_are_told_apart_and_counted_both_ways() {
        let labels = labels(&[("6KOJ318", None), ("7ABC123", None)]);
        assert_eq!(counts(&labels, &reads(&[("6K0J318", 0), ("7ABC123", 0)])), [2, 1, 2, 0, 0, 0]);
    }

    #[test]
    fn vehicles_of_one_fleet_are_compared_with_what_was_read_at_their_time() {
        let labels = labels(&[("8F41207", Some((0, 40))), ("8F41208", Some((400, 440)))]);
        assert_eq!(counts(&labels, &reads(&[("8F41208", 5), ("8F41203", 410)])), [2, 0, 0, 2, 0, 0]);
    }

    #[test]
    fn a_read_of_something_else_is_extra() {
        let labels = labels(&[("7ABC123", Some((0, 40)))]);
        assert_eq!(counts(&labels, &reads(&[("LL", 5)])), [1, 0, 0, 0, 1, 1]);
        assert_eq!(counts(&labels, &[]), [1, 0, 0, 0, 1, 0]);
    }

    // policy: P-31
    #[test]
    fn a_state_counts_where_it_is_given_and_only_there() {
        let plate = |state: &str| Label { plate: "7ABC123".into(), state: state.into(), ..Label::default() };
        let read = Seen { text: "7ABC123".into(), state: "NV".into(), span: (0, 0) };
        for (state, exact) in [("", 1), ("NV", 1), ("CA", 0)] {
            let counts = score(&[plate(state)], std::slice::from_ref(&read), Axis::FRAMES).counts;
            assert_eq!((counts.found, counts.texts, counts.exact), (1, 1, exact), "{state}");
        }
    }

    #[test]
    fn in_a_drive_a_read_of_another_hour_is_another_vehicle() {
        let label = Label { plate: "7ABC123".into(), first: Some(0), last: Some(0), ..Label::default() };
        let read = |at| Seen { text: "7ABC123".into(), span: (at, at), ..Seen::default() };
        for (at, found) in [(0, 1), (300_000, 1), (3_600_000, 0)] {
            assert_eq!(score(std::slice::from_ref(&label), &[read(at)], Axis::DRIVE).counts.found, found, "{at}");
        }
    }

    /// Few enough characters for texts that are like each other.
    fn text() -> impl Strategy<Value = String> {
        "[7A0O]{2,5}"
    }

    proptest! {
        // policy: P-31
        #[test]
        fn whatever_comes_each_plate_has_one_read_at_most_and_the_order_does_not_matter(
            plates in prop::collection::vec((text(), "(CA|NV)?", prop::option::of(0..300_u64)), 0..12),
            texts in prop::collection::vec((text(), "(CA|NV)?", 0..300_u64), 0..12),
            swaps in prop::collection::vec((0..12_usize, 0..12_usize), 0..12),
        ) {
            let label = |(plate, state, at): (String, String, Option<u64>)| Label { plate, state, first: at, last: at };
            let mut labels: Vec<Label> = plates.into_iter().map(label).collect();
            let mut reads: Vec<Seen> =
                texts.into_iter().map(|(text, state, at)| Seen { text, state, span: (at, at + 3) }).collect();
            let before = score(&labels, &reads, Axis::FRAMES);
            let counts = before.counts;
            prop_assert!(counts.hold() || labels.is_empty());
            prop_assert!(counts.found <= reads.len() as u64);
            prop_assert_eq!(counts.found + counts.extra, reads.len() as u64);
            prop_assert_eq!(before.misses.len() as u64, counts.plates - counts.exact);
            for rate in [counts.capture(), counts.accuracy(), counts.end_to_end()] {
                prop_assert!(rate.value().is_none_or(|v| (0.0..=1.0).contains(&v)));
            }
            for (a, b) in swaps {
                if a < labels.len() && b < labels.len() { labels.swap(a, b); }
                if a < reads.len() && b < reads.len() { reads.swap(a, b); }
            }
            prop_assert_eq!(score(&labels, &reads, Axis::FRAMES), before);
        }
    }
}
