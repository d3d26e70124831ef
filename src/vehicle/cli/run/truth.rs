//! Reads of a labelled drive against its labels.
//!
//! A label counts as captured when a read has its text, or, among the reads that are nobody's
//! exact text, one that differs in at most two characters.

use super::say;
use plated_core::error::{Context, Error, Kind, Result};
use serde::Deserialize;
use serde_json::json;
use std::path::Path;

/// Plates of a drive, one for each vehicle pass.
pub struct Truth {
    plates: Vec<String>,
}

#[derive(Deserialize)]
struct Label {
    plate: String,
}

/// How the reads compare.
#[derive(Debug, PartialEq, Eq)]
struct Score {
    plates: usize,
    right: usize,
    misread: usize,
    missed: usize,
    /// Reads that belong to no label.
    extra: usize,
}

impl Truth {
    /// Reads labels, one JSON object with the key `plate` on each line.
    pub fn load(path: &Path) -> Result<Self> {
        let name = path.display();
        let text =
            std::fs::read_to_string(path).context(Kind::Input, || format!("could not read the labels {name}"))?;
        let mut plates = Vec::new();
        for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let label: Label =
                serde_json::from_str(line).context(Kind::Input, || format!("{name} line {}: no label", n + 1))?;
            plates.push(label.plate);
        }
        if plates.is_empty() {
            return Err(Error::new(Kind::Input, format!("{name} holds no label")));
        }
        Ok(Self { plates })
    }

    fn score(&self, reads: &[String]) -> Score {
        let mut left: Vec<&str> = reads.iter().map(String::as_str).collect();
        let mut open: Vec<&str> = Vec::new();
        for plate in &self.plates {
            match left.iter().position(|r| r == plate) {
                Some(i) => drop(left.swap_remove(i)),
                None => open.push(plate),
            }
        }
        let right = self.plates.len() - open.len();
        let mut misread = 0;
        for plate in &open {
            if let Some(i) = left.iter().position(|r| close(r, plate)) {
                left.swap_remove(i);
                misread += 1;
            }
        }
        Score { plates: self.plates.len(), right, misread, missed: open.len() - misread, extra: left.len() }
    }

    /// Prints capture rate, read accuracy and their product.
    pub fn print(&self, reads: &[String], json: bool) -> Result<()> {
        let s = self.score(reads);
        if json {
            let Score { plates, right, misread, missed, extra } = s;
            let text = json!({"truth": {"plates": plates, "right": right, "misread": misread, "missed": missed, "extra": extra}});
            return say(format_args!("{text}"));
        }
        let captured = s.right + s.misread;
        let share = |a: usize, b: usize| if b == 0 { 0.0 } else { 100.0 * a as f64 / b as f64 };
        say(format_args!(
            "plates in the drive {}, read right {}, misread {}, missed {}, extra reads {}",
            s.plates, s.right, s.misread, s.missed, s.extra
        ))?;
        say(format_args!(
            "capture rate {:.1} %, read accuracy {:.1} %, product {:.1} %",
            share(captured, s.plates),
            share(s.right, captured),
            share(s.right, s.plates)
        ))
    }
}

/// Same length and at most two characters differ.
fn close(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).filter(|(x, y)| x != y).count() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_read_counts_for_one_vehicle_only() {
        let truth = Truth { plates: ["7ABC123", "8XYZ987", "4HNU635"].map(String::from).to_vec() };
        let reads = ["7ABC123", "7ABC123", "8XYZ9B7"].map(String::from);
        assert_eq!(truth.score(&reads), Score { plates: 3, right: 1, misread: 1, missed: 1, extra: 1 });
    }
}
