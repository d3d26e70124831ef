//! Reads of a labelled drive against its labels, as a performance test compares them.

use super::{say, say_json};
use crate::performance::{self, Axis, Label, Seen, score};
use plated_core::error::Result;
use plated_core::performance::Counts;
use serde_json::json;
use std::path::Path;

/// Plates of a drive, one for each vehicle pass.
pub struct Truth {
    labels: Vec<Label>,
}

impl Truth {
    /// Reads labels, one JSON object with the key `plate` on each line, and `first_frame` and
    /// `last_frame` where it is known when the plate is in view.
    pub fn load(path: &Path) -> Result<Self> {
        Ok(Self { labels: performance::of_lines(path)? })
    }

    /// Prints capture rate, read accuracy and their product.
    pub fn print(&self, reads: &[Seen], json: bool) -> Result<()> {
        // By the text alone, whatever the state.
        let Counts { plates, found, texts: right, folded: right_folded, extra, .. } =
            score(&self.labels, reads, Axis::FRAMES).counts;
        let (misread, missed) = (found - right_folded, plates - found);
        if json {
            let text = json!({"truth": {
                "plates": plates, "right": right, "right_folded": right_folded, "misread": misread, "missed": missed,
                "extra": extra,
            }});
            return say_json(&text.to_string());
        }
        let share = |a: u64, b: u64| if b == 0 { 0.0 } else { 100.0 * a as f64 / b as f64 };
        say(format_args!(
            "plates in the drive {plates}, read right {right} ({right_folded} with O and 0 as one), misread {misread}, missed {missed}, extra reads {extra}"
        ))?;
        say(format_args!(
            "capture rate {:.1} %, read accuracy {:.1} % ({:.1} % with O and 0 as one), product {:.1} % ({:.1} %)",
            share(found, plates),
            share(right, found),
            share(right_folded, found),
            share(right, plates),
            share(right_folded, plates)
        ))
    }
}
