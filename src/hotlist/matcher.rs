//! The rules by which a read matches an entry.

use crate::plate::PlateText;
use crate::wire::{Difference, EntryRecord, Rule, StateAgreement};
use std::sync::Arc;

/// Characters that readers take for each other, on match keys, where O is 0 already.
const CLASSES: [&str; 6] = ["0DQ", "1I", "2Z", "5S", "8B", "6G"];

/// Keys of these lengths may differ by one equivalent. A shorter key says too little for that, a
/// longer one is no plate.
const EQUIVALENT_LENGTHS: std::ops::RangeInclusive<usize> = 5..=11;

/// A read that matches an entry. A lead, not a fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The rule that found it.
    pub rule: Rule,
    /// Characters in which read and list differ; O and 0 count as the same.
    pub differs: Vec<Difference>,
    /// How the states compare. Never a reason not to match.
    pub state: StateAgreement,
    /// The list's entry.
    pub entry: Arc<EntryRecord>,
}

impl Match {
    pub(super) fn new(rule: Rule, read: &PlateText, state: &str, entry: &Arc<EntryRecord>) -> Self {
        let differs = differences(read, &PlateText::normalise(&entry.plate));
        Self { rule, differs, state: compare_states(state, &entry.state), entry: Arc::clone(entry) }
    }
}

/// All keys that differ from `key` by one equivalent character.
pub(super) fn one_equivalent(key: &str) -> Vec<String> {
    let mut out = Vec::new();
    if !EQUIVALENT_LENGTHS.contains(&key.len()) {
        return out;
    }
    for (at, c) in key.char_indices() {
        let class = CLASSES.iter().find(|class| class.contains(c)).copied().unwrap_or("");
        for other in class.chars().filter(|o| *o != c) {
            out.push([&key[..at], other.encode_utf8(&mut [0; 4]), &key[at + c.len_utf8()..]].concat());
        }
    }
    out
}

fn differences(read: &PlateText, listed: &PlateText) -> Vec<Difference> {
    let same = |a: char, b: char| a == b || (matches!(a, 'O' | '0') && matches!(b, 'O' | '0'));
    let pairs = (0u8..).zip(read.as_str().chars().zip(listed.as_str().chars()));
    let differing = pairs.filter(|(_, (a, b))| !same(*a, *b));
    differing.map(|(position, (read, listed))| Difference { position, read, listed }).collect()
}

pub(super) fn compare_states(read: &str, listed: &str) -> StateAgreement {
    if read.is_empty() || listed.is_empty() {
        StateAgreement::Unknown
    } else if read.eq_ignore_ascii_case(listed) {
        StateAgreement::Agree
    } else {
        StateAgreement::Differ
    }
}
