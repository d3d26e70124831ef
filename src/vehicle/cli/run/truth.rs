//! Reads of a labelled drive against its labels.
//!
//! Reads and labels are put together by when they were seen, where the labels say so, and by how
//! many characters differ; each goes with one other at most. A label with a read that is not its
//! text is misread, be a character replaced, missing or one too many. One without a read is missed.

use super::{say, say_json};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::{PlateText, edit_distance};
use plated_core::record::ReadRecord;
use serde::Deserialize;
use serde_json::json;
use std::path::Path;

/// A read and a label of which more than this share of the characters differ are of two vehicles.
const MAX_DIFFERENT: f32 = 0.5;
/// Frames by which a read may miss the time of its label: labels leave out small and covered plates.
const MAX_GAP: u64 = 30;

/// Plates of a drive, one for each vehicle pass.
pub struct Truth {
    labels: Vec<Label>,
}

/// What a drive's label says; it may say more.
#[derive(Deserialize)]
struct Label {
    plate: String,
    first_frame: Option<u64>,
    last_frame: Option<u64>,
}

/// A read, as far as it is compared.
pub struct Seen {
    text: String,
    /// Numbers of the first and last frame kept of it.
    frames: (u64, u64),
}

impl From<&ReadRecord> for Seen {
    fn from(read: &ReadRecord) -> Self {
        let frames = read.sightings.iter().chain([&read.best]).map(|look| look.frame);
        let first = frames.clone().min().unwrap_or(read.best.frame);
        Self { text: read.text.clone(), frames: (first, frames.max().unwrap_or(first)) }
    }
}

/// How the reads compare.
#[derive(Debug, PartialEq, Eq)]
struct Score {
    plates: usize,
    /// Read as it is on the plate.
    right: usize,
    /// As matching compares, the letter O and the digit 0 being one; those of `right` are in it.
    right_folded: usize,
    misread: usize,
    missed: usize,
    /// Reads that belong to no label.
    extra: usize,
}

impl Truth {
    /// Reads labels, one JSON object with the key `plate` on each line, and `first_frame` and
    /// `last_frame` where it is known when the plate is in view.
    pub fn load(path: &Path) -> Result<Self> {
        let name = path.display();
        let text =
            std::fs::read_to_string(path).context(Kind::Input, || format!("could not read the labels {name}"))?;
        let mut labels = Vec::new();
        for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let label: Label =
                serde_json::from_str(line).context(Kind::Input, || format!("{name} line {}: no label", n + 1))?;
            labels.push(label);
        }
        if labels.is_empty() {
            return Err(Error::new(Kind::Input, format!("{name} holds no label")));
        }
        Ok(Self { labels })
    }

    fn score(&self, reads: &[Seen]) -> Score {
        let mut pairs = Vec::new();
        for (l, label) in self.labels.iter().enumerate() {
            for (r, read) in reads.iter().enumerate() {
                let (a, b) = (folded(&label.plate), folded(&read.text));
                let differ = edit_distance(&a, &b);
                if differ as f32 > MAX_DIFFERENT * a.len().max(b.len()) as f32 {
                    continue;
                }
                let gap = label.gap(read.frames);
                // In time before out of time, then the fewest differences, and a letter O last.
                pairs.push((gap > MAX_GAP, differ, label.plate != read.text, gap, l, r));
            }
        }
        pairs.sort_unstable();
        let mut read_of: Vec<Option<usize>> = vec![None; self.labels.len()];
        let mut taken = vec![false; reads.len()];
        for (.., l, r) in pairs {
            if read_of[l].is_none() && !taken[r] {
                (read_of[l], taken[r]) = (Some(r), true);
            }
        }
        let captured: Vec<(&str, &str)> = (self.labels.iter().zip(read_of))
            .filter_map(|(label, read)| Some((&*label.plate, &*reads[read?].text)))
            .collect();
        let right_folded = captured.iter().filter(|(a, b)| folded(a) == folded(b)).count();
        Score {
            plates: self.labels.len(),
            right: captured.iter().filter(|(a, b)| a == b).count(),
            right_folded,
            misread: captured.len() - right_folded,
            missed: self.labels.len() - captured.len(),
            extra: reads.len() - captured.len(),
        }
    }

    /// Prints capture rate, read accuracy and their product.
    pub fn print(&self, reads: &[Seen], json: bool) -> Result<()> {
        let Score { plates, right, right_folded, misread, missed, extra } = self.score(reads);
        if json {
            let text = json!({"truth": {
                "plates": plates, "right": right, "right_folded": right_folded, "misread": misread, "missed": missed,
                "extra": extra,
            }});
            return say_json(&text.to_string());
        }
        let captured = right_folded + misread;
        let share = |a: usize, b: usize| if b == 0 { 0.0 } else { 100.0 * a as f64 / b as f64 };
        say(format_args!(
            "plates in the drive {plates}, read right {right} ({right_folded} with O and 0 as one), misread {misread}, missed {missed}, extra reads {extra}"
        ))?;
        say(format_args!(
            "capture rate {:.1} %, read accuracy {:.1} % ({:.1} % with O and 0 as one), product {:.1} % ({:.1} %)",
            share(captured, plates),
            share(right, captured),
            share(right_folded, captured),
            share(right, plates),
            share(right_folded, plates)
        ))
    }
}

impl Label {
    /// Frames between the label's time and a read's; none where the label says no time.
    fn gap(&self, (first, last): (u64, u64)) -> u64 {
        let early = self.first_frame.map_or(0, |f| f.saturating_sub(last));
        let late = self.last_frame.map_or(0, |l| first.saturating_sub(l));
        early.max(late)
    }
}

/// As matching compares.
fn folded(text: &str) -> String {
    PlateText::normalise(text).key().as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(labels: &[(&str, Option<(u64, u64)>)]) -> Truth {
        let label = |(plate, frames): &(&str, Option<(u64, u64)>)| Label {
            plate: (*plate).into(),
            first_frame: frames.map(|f| f.0),
            last_frame: frames.map(|f| f.1),
        };
        Truth { labels: labels.iter().map(label).collect() }
    }

    fn reads(reads: &[(&str, u64)]) -> Vec<Seen> {
        reads.iter().map(|(text, frame)| Seen { text: (*text).into(), frames: (*frame, frame + 10) }).collect()
    }

    fn score(s: &Score) -> [usize; 6] {
        [s.plates, s.right, s.right_folded, s.misread, s.missed, s.extra]
    }

    #[test]
    fn each_read_counts_for_one_vehicle_only() {
        let truth = truth(&[("7ABC123", None), ("8XYZ987", None), ("4HNU635", None)]);
        let s = truth.score(&reads(&[("7ABC123", 0), ("7ABC123", 0), ("8XYZ9B7", 0)]));
        assert_eq!(score(&s), [3, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn a_character_too_few_or_too_many_is_a_misread_and_not_a_vehicle_missed() {
        let truth = truth(&[("XMP41", None), ("7ABC123", None), ("8XYZ987", None)]);
        let s = truth.score(&reads(&[("XMP417", 0), ("7ABC12", 0), ("18XYZ987", 0)]));
        assert_eq!(score(&s), [3, 0, 0, 3, 0, 0]);
    }

    #[test]
    fn letter_o_and_zero_are_told_apart_and_counted_both_ways() {
        let truth = truth(&[("6KOJ318", None), ("7ABC123", None)]);
        let s = truth.score(&reads(&[("6K0J318", 0), ("7ABC123", 0)]));
        assert_eq!(score(&s), [2, 1, 2, 0, 0, 0]);
    }

    #[test]
    fn vehicles_of_one_fleet_are_compared_with_what_was_read_at_their_time() {
        let truth = truth(&[("8F41207", Some((0, 40))), ("8F41208", Some((400, 440)))]);
        let s = truth.score(&reads(&[("8F41208", 5), ("8F41203", 410)]));
        assert_eq!(score(&s), [2, 0, 0, 2, 0, 0]);
    }

    #[test]
    fn a_read_of_something_else_is_extra() {
        let truth = truth(&[("7ABC123", Some((0, 40)))]);
        assert_eq!(score(&truth.score(&reads(&[("LL", 5)]))), [1, 0, 0, 0, 1, 1]);
        assert_eq!(score(&truth.score(&[])), [1, 0, 0, 0, 1, 0]);
    }
}
