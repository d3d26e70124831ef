//! Plate text: its normal form, how it is shown, the key it is matched by, and how plausible
//! it is as a registration number.

mod distance;
mod distribution;
mod syntax;

pub use distance::edit_distance;
pub use distribution::{ALPHABET, CLASSES, Slots};
pub use syntax::{plausibility, spell};

use std::fmt;

/// Longest registration number that is handled; no US jurisdiction issues more than 8.
pub const MAX_LENGTH: usize = 12;

/// Signs on plates, and between the parts of plates as people write them, that are no part of the
/// registration number: readers leave them out.
pub fn is_sign(c: char) -> bool {
    matches!(
        c,
        ' ' | '-'
            | '.'
            | '_'
            | '/'
            | '·'
            | '&'
            | '+'
            | '#'
            | '\''
            | '’'
            | '‘'
            | '`'
            | '´'
            | '–'
            | '—'
            | '•'
            | '♥'
            | '❤'
            | '★'
            | '☆'
            | '\u{fe0f}'
    )
}

/// A registration number in normal form: `A`–`Z` and `0`–`9`, upper case, nothing else.
///
/// Small stacked letters, symbols and separators are not part of it (field notes, "Plates of
/// California").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PlateText(String);

impl PlateText {
    /// Keeps letters and digits of `text`, in upper case, at most [`MAX_LENGTH`].
    pub fn normalise(text: &str) -> Self {
        let kept = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase());
        Self(kept.take(MAX_LENGTH).collect())
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Number of characters.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when nothing is left after normalising.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that matching uses. NCIC writes the letter O as zero, so both are one here.
    pub fn key(&self) -> MatchKey {
        MatchKey(self.0.replace('O', "0"))
    }

    /// The form for people: groups set apart where the state's usual form has them.
    ///
    /// California passenger plates show as on the plate, `1ABC234`; a run of letters beside a
    /// run of digits in shorter plates is set apart by a space: `ABC 123`.
    pub fn display(&self) -> String {
        let b = self.0.as_bytes();
        let changes: Vec<usize> =
            (1..b.len()).filter(|&i| b[i].is_ascii_digit() != b[i - 1].is_ascii_digit()).collect();
        match changes[..] {
            [at] if b.len() >= 5 && at >= 2 && b.len() - at >= 2 => format!("{} {}", &self.0[..at], &self.0[at..]),
            _ => self.0.clone(),
        }
    }
}

impl fmt::Display for PlateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What two plates are compared by: the normal form with the letter O folded to zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MatchKey(String);

impl MatchKey {
    /// The key's characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separators_and_case_do_not_matter() {
        assert_eq!(PlateText::normalise(" 1abc-234 ").as_str(), "1ABC234");
        assert_eq!(PlateText::normalise("ABC·123").display(), "ABC 123");
        assert_eq!(PlateText::normalise("1ABC234").display(), "1ABC234");
    }

    #[test]
    fn letter_o_and_zero_are_one_key_but_two_texts() {
        let (a, b) = (PlateText::normalise("7OOL234"), PlateText::normalise("700L234"));
        assert_eq!(a.key(), b.key());
        assert_ne!(a, b);
    }

    proptest! {
        #[test]
        fn any_text_normalises_to_a_fixed_point(s in ".{0,40}") {
            let p = PlateText::normalise(&s);
            prop_assert!(p.len() <= MAX_LENGTH && p.as_str().bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase()));
            prop_assert_eq!(PlateText::normalise(p.as_str()), p.clone());
            prop_assert_eq!(PlateText::normalise(&p.display()), p);
        }
    }
}
