//! Partial plates: `?` is one character, `*` any run of them, also none (control P-04).

use crate::code::{SYMBOLS, digit_of};
use plated_core::plate::{MAX_LENGTH, is_sign};

/// Characters that a pattern must name. With fewer it fits too much of the traffic to be a lead.
const LEAST_NAMED: usize = 2;

/// A partial plate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// This character, as an index into [`SYMBOLS`].
    Named(u8),
    One,
    Run,
}

impl Pattern {
    /// Whether a plate is written as a pattern.
    pub fn is_pattern(text: &str) -> bool {
        text.contains(['?', '*'])
    }

    /// Reads a pattern. Case, spaces and signs such as `-` do not matter, and O is 0.
    ///
    /// # Errors
    /// The reason, in words for the person who wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for c in text.chars().filter(|c| !is_sign(*c)) {
            let part = match c.to_ascii_uppercase() {
                '?' => Part::One,
                '*' => Part::Run,
                'O' => Part::Named(0),
                c => match u8::try_from(c).ok().and_then(digit_of) {
                    Some(digit) => Part::Named(digit),
                    None => return Err("a pattern has letters, digits, ? and * only".into()),
                },
            };
            if part != Part::Run || parts.last() != Some(&Part::Run) {
                parts.push(part);
            }
        }
        let named = parts.iter().filter(|p| matches!(p, Part::Named(_))).count();
        let least = parts.iter().filter(|p| **p != Part::Run).count();
        if named < LEAST_NAMED {
            return Err(format!(
                "a pattern names at least {LEAST_NAMED} characters; this one would fit too many plates"
            ));
        }
        if least > MAX_LENGTH {
            return Err(format!("it needs {least} characters; a plate has at most {MAX_LENGTH}"));
        }
        Ok(Self(parts))
    }

    /// Whether `key` fits.
    pub fn fits(&self, key: &str) -> bool {
        let end = key.bytes().try_fold(self.start(), |places, c| Some(self.step(places, digit_of(c)?)));
        end.is_some_and(|places| self.fits_at(places))
    }

    /// The characters before the first `?` or `*`: each key that fits begins with them.
    pub fn prefix(&self) -> String {
        let named = self.0.iter().map_while(|part| match part {
            Part::Named(digit) => SYMBOLS.get(usize::from(*digit)).copied().map(char::from),
            Part::One | Part::Run => None,
        });
        named.collect()
    }

    /// The characters behind the last `?` or `*`: each key that fits ends with them.
    pub fn suffix(&self) -> String {
        let named = self.0.iter().rev().map_while(|part| match part {
            Part::Named(digit) => SYMBOLS.get(usize::from(*digit)).copied().map(char::from),
            Part::One | Part::Run => None,
        });
        named.collect::<Vec<_>>().into_iter().rev().collect()
    }

    /// The same as a pattern of SQL's `LIKE`.
    pub fn like(&self) -> String {
        let part = |part: &Part| match part {
            Part::Named(digit) => SYMBOLS.get(usize::from(*digit)).copied().map_or('_', char::from),
            Part::One => '_',
            Part::Run => '%',
        };
        self.0.iter().map(part).collect()
    }

    /// The probability that a text fits, when position `i` is digit `d` with probability
    /// `positions[i][d]` and the text's end with `positions[i][35]`.
    pub(super) fn mass(&self, positions: &[[f64; SYMBOLS.len() + 1]]) -> f64 {
        // Texts begun, by where they are in the pattern: a set of places, so none counts twice.
        let mut begun = vec![(self.start(), 1.0)];
        let mut fitting = 0.0;
        for at in 0..=positions.len() {
            let over: f64 = positions[at..].iter().map(|p| p[SYMBOLS.len()]).product();
            fitting += over * begun.iter().filter(|(places, _)| self.fits_at(*places)).map(|b| b.1).sum::<f64>();
            let Some(position) = positions.get(at) else { break };
            let mut grown: Vec<(u32, f64)> = Vec::new();
            for (places, mass) in &begun {
                for (digit, p) in (0..).zip(&position[..SYMBOLS.len()]) {
                    let next = self.step(*places, digit);
                    match grown.iter_mut().find(|(known, _)| *known == next) {
                        _ if next == 0 => {}
                        Some((_, sum)) => *sum += mass * p,
                        None => grown.push((next, mass * p)),
                    }
                }
            }
            begun = grown;
        }
        fitting
    }

    // Places in the pattern are bits: bit n is before part n. A pattern has at most 25 parts.

    fn start(&self) -> u32 {
        self.passed(1)
    }

    fn step(&self, places: u32, digit: u8) -> u32 {
        let mut next = 0;
        for (n, part) in self.0.iter().enumerate().filter(|(n, _)| places >> n & 1 == 1) {
            match part {
                Part::Named(named) if *named != digit => {}
                Part::Named(_) | Part::One => next |= 1 << (n + 1),
                Part::Run => next |= 1 << n,
            }
        }
        self.passed(next)
    }

    /// A run can be empty.
    fn passed(&self, mut places: u32) -> u32 {
        for (n, _) in self.0.iter().enumerate().filter(|(_, part)| **part == Part::Run) {
            places |= (places >> n & 1) << (n + 1);
        }
        places
    }

    fn fits_at(&self, places: u32) -> bool {
        places >> self.0.len() & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn question_marks_are_one_character_and_stars_any_run() {
        // policy: P-04
        let fits = |pattern: &str, key: &str| Pattern::parse(pattern).unwrap().fits(key);
        assert!(
            fits("7a?c*", "7ABC123") && fits("7A?C*", "7ABC") && fits("*C-12 3", "7ABC123") && fits("O12*", "0123")
        );
        assert_eq!(["7ao*", "?A1", "7A1"].map(|p| Pattern::parse(p).unwrap().prefix()), ["7A0", "", "7A1"]);
        assert_eq!(
            ["7ao*", "*A1", "7A1", "?a*1o"].map(|p| Pattern::parse(p).unwrap().suffix()),
            ["", "A1", "7A1", "10"]
        );
        assert_eq!(["7ao*", "?a*1o"].map(|p| Pattern::parse(p).unwrap().like()), ["7A0%", "_A%10"]);
        assert!(!fits("7A?C", "7ABC123") && !fits("7A?C", "7AC") && !fits("*C12", "7ABC123"));
    }

    #[test]
    fn a_pattern_that_fits_nearly_everything_is_refused() {
        for no in ["", "*", "?A*", "7É*", "7A?;", "7ABC1234?????"] {
            assert!(Pattern::parse(no).is_err(), "{no}");
        }
    }

    /// The definition, part by part.
    fn naive(pattern: &[u8], key: &[u8]) -> bool {
        match pattern.split_first() {
            None => key.is_empty(),
            Some((b'*', rest)) => (0..=key.len()).any(|n| naive(rest, &key[n..])),
            Some((b'?', rest)) => key.split_first().is_some_and(|(_, k)| naive(rest, k)),
            Some((c, rest)) => key.split_first().is_some_and(|(d, k)| c == d && naive(rest, k)),
        }
    }

    proptest! {
        #[test]
        fn a_pattern_fits_what_its_definition_says(pattern in "[AB?*]{2,8}", key in "[AB]{0,8}") {
            if let Ok(parsed) = Pattern::parse(&pattern) {
                prop_assert_eq!(parsed.fits(&key), naive(pattern.as_bytes(), key.as_bytes()));
                prop_assert!(!parsed.fits(&key) || key.starts_with(&parsed.prefix()) && key.ends_with(&parsed.suffix()));
            }
        }
    }
}
