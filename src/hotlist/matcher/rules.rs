//! Which keys count as the read's, by the rules of a list.

use crate::code::{Code, Digits, SYMBOLS, digit_of};
use crate::settings::{MatchRules, OtherState};
use plated_core::record::{Rule, StateAgreement};

/// Keys of these lengths may differ from the read. A shorter key says too little for that, a
/// longer one is no plate.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=11;

/// Characters that may differ in all. Three of seven are another plate.
const MAX_CHANGES: u8 = 2;

/// The rules of a list, ready for use.
#[derive(Clone, Debug)]
pub struct Rules {
    equivalents: u8,
    differences: u8,
    extra: u8,
    /// What becomes of entries of another state.
    pub(super) other_state: OtherState,
    /// For each digit the digits that readers take for it, itself left out, as bits.
    alike: [u64; SYMBOLS.len()],
    /// Alternatives of the reader from this probability on are looked up.
    pub(super) alternative: f32,
    /// Matches under this probability are not even kept, unless they are exact.
    pub(super) keep: f64,
    /// Matches under this probability are kept, but nobody is alerted.
    pub(crate) alert: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self::new(&MatchRules::default())
    }
}

impl Rules {
    /// The rules as configured. O counts as 0; other characters than letters and digits in a
    /// class mean nothing.
    pub fn new(config: &MatchRules) -> Self {
        let mut alike = [0; SYMBOLS.len()];
        for class in &config.classes {
            let folded =
                class.bytes().map(|c| if c.eq_ignore_ascii_case(&b'O') { b'0' } else { c.to_ascii_uppercase() });
            let digits: Vec<u8> = folded.filter_map(digit_of).collect();
            let bits = digits.iter().fold(0, |bits, d| bits | 1 << d);
            digits.iter().for_each(|d| alike[usize::from(*d)] |= bits & !(1 << d));
        }
        Self {
            equivalents: config.equivalents,
            differences: config.differences,
            extra: config.extra,
            other_state: config.other_state,
            alike,
            alternative: config.alternative_probability,
            keep: config.keep_probability.into(),
            alert: config.alert_probability.into(),
        }
    }

    /// Whether an entry may alert whose state compares so with the plate's.
    pub(crate) fn lets_alert(&self, state: StateAgreement) -> bool {
        state != StateAgreement::Differ || self.other_state != OtherState::Candidate
    }

    /// Calls `visit` with every key that matches the read's, each once, with the rule.
    pub(super) fn neighbours(&self, read: &Digits, mut visit: impl FnMut(Code, Rule)) {
        visit(read.code(), Rule::Exact);
        if LENGTHS.contains(&read.as_slice().len()) {
            let left = Left { equivalents: self.equivalents, differences: self.differences, all: MAX_CHANGES };
            self.alter(read, 0, read.code().0, Rule::Exact, left, &mut visit);
            if self.extra > 0 {
                lengthened_or_shortened(read, &mut visit);
            }
        }
    }

    /// Alters the characters from `from` on, of which so many may differ.
    fn alter(&self, read: &Digits, from: usize, code: u64, rule: Rule, left: Left, visit: &mut impl FnMut(Code, Rule)) {
        for (at, digit) in read.as_slice().iter().enumerate().skip(from) {
            let (weight, alike) = (read.weight(at), self.alike[usize::from(*digit)]);
            let without = code - weight * u64::from(*digit);
            let unlike = !alike & !(1 << digit) & ((1 << SYMBOLS.len()) - 1);
            let mut each = |mut others: u64, rule: Rule, left: Left| {
                while others != 0 {
                    let altered = without + weight * u64::from(others.trailing_zeros());
                    others &= others - 1;
                    visit(Code(altered), rule);
                    if left.all > 0 && left.equivalents + left.differences > 0 {
                        self.alter(read, at + 1, altered, rule, left, visit);
                    }
                }
            };
            if left.equivalents > 0 {
                let rule = if rule == Rule::Difference { rule } else { Rule::Equivalent };
                each(alike, rule, Left { equivalents: left.equivalents - 1, all: left.all - 1, ..left });
            }
            if left.differences > 0 {
                each(unlike, Rule::Difference, Left { differences: left.differences - 1, all: left.all - 1, ..left });
            }
        }
    }
}

/// Visits the keys that have one character less or more than the read's, each once.
fn lengthened_or_shortened(read: &Digits, visit: &mut impl FnMut(Code, Rule)) {
    let digits = read.as_slice();
    for at in 0..digits.len() {
        // Of a run of equal characters any one leaves the same.
        let repeats = at > 0 && digits[at] == digits[at - 1];
        if !repeats && let Some(shorter) = read.without(at).filter(|d| LENGTHS.contains(&d.as_slice().len())) {
            visit(shorter.code(), Rule::ExtraCharacter);
        }
    }
    for at in 0..=digits.len() {
        for digit in 0..SYMBOLS.len() as u8 {
            // Before an equal character it is the same as behind it.
            let repeats = digits.get(at) == Some(&digit);
            if !repeats && let Some(longer) = read.with(at, digit).filter(|d| LENGTHS.contains(&d.as_slice().len())) {
                visit(longer.code(), Rule::ExtraCharacter);
            }
        }
    }
}

/// How many characters may still differ.
#[derive(Clone, Copy)]
struct Left {
    equivalents: u8,
    differences: u8,
    all: u8,
}
