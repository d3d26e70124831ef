//! Match keys as numbers: small, and compared, sorted and altered without text.

use plated_core::plate::MAX_LENGTH;

/// Characters of a match key; the letter O is folded to zero already.
pub const SYMBOLS: &[u8; RADIX as usize] = b"0123456789ABCDEFGHIJKLMNPQRSTUVWXYZ";
const RADIX: u64 = 35;

/// A match key of at most [`MAX_LENGTH`] characters as one number. Shorter keys come first, keys
/// of one length in the order of their characters, so each key is another number and plates that
/// are issued one after the other are near each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u64);

impl Code {
    /// The number of `key`; `None` when it is longer than a key can be or holds another character.
    pub fn of(key: &str) -> Option<Self> {
        Digits::of(key).map(|d| d.code())
    }

    /// The key.
    pub fn key(self) -> String {
        self.digits().symbols().map(char::from).collect()
    }

    /// The characters of the key.
    pub fn digits(self) -> Digits {
        let (mut rest, mut length, mut keys) = (self.0, 0, 1);
        while rest >= keys && length < MAX_LENGTH {
            rest -= keys;
            keys *= RADIX;
            length += 1;
        }
        let mut out = Digits { digits: [0; MAX_LENGTH], length };
        for digit in out.digits[..length].iter_mut().rev() {
            *digit = (rest % RADIX) as u8;
            rest /= RADIX;
        }
        out
    }
}

/// The characters of a key as indices into [`SYMBOLS`].
#[derive(Clone, Copy, Debug)]
pub struct Digits {
    digits: [u8; MAX_LENGTH],
    length: usize,
}

impl Digits {
    /// As [`Code::of`].
    pub fn of(key: &str) -> Option<Self> {
        let mut out = Self { digits: [0; MAX_LENGTH], length: key.len() };
        if key.len() > MAX_LENGTH {
            return None;
        }
        for (digit, symbol) in out.digits.iter_mut().zip(key.bytes()) {
            *digit = digit_of(symbol)?;
        }
        Some(out)
    }

    /// Of the match key of any text, as [`plated_core::plate::PlateText`] makes it.
    pub fn of_text(text: &str) -> Self {
        let mut out = Self { digits: [0; MAX_LENGTH], length: 0 };
        let upper = text.bytes().map(|c| if c.eq_ignore_ascii_case(&b'O') { b'0' } else { c.to_ascii_uppercase() });
        for (place, digit) in out.digits.iter_mut().zip(upper.filter_map(digit_of)) {
            *place = digit;
            out.length += 1;
        }
        out
    }

    /// The characters.
    pub fn symbols(&self) -> impl Iterator<Item = u8> + '_ {
        self.as_slice().iter().map(|d| SYMBOLS[usize::from(*d)])
    }

    /// Without the character at `at`; `None` when nothing would be left.
    pub fn without(&self, at: usize) -> Option<Self> {
        let mut out = *self;
        out.digits.copy_within(at + 1..self.length, at);
        out.digits[self.length - 1] = 0;
        out.length -= 1;
        (out.length > 0).then_some(out)
    }

    /// With a further character before the one at `at`; `None` when it is too long then.
    pub fn with(&self, at: usize, digit: u8) -> Option<Self> {
        let mut out = *self;
        if self.length == MAX_LENGTH {
            return None;
        }
        out.digits.copy_within(at..self.length, at + 1);
        out.digits[at] = digit;
        out.length += 1;
        Some(out)
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    pub fn code(&self) -> Code {
        let (mut shorter, mut value, mut keys) = (0, 0, 1);
        for digit in self.as_slice() {
            shorter += keys;
            keys *= RADIX;
            value = value * RADIX + u64::from(*digit);
        }
        Code(shorter + value)
    }

    /// How much the code grows when the digit at `at` grows by one.
    pub fn weight(&self, at: usize) -> u64 {
        RADIX.pow((self.length - 1 - at) as u32)
    }
}

/// Index into [`SYMBOLS`].
pub fn digit_of(symbol: u8) -> Option<u8> {
    let digit = DIGITS[usize::from(symbol)];
    (digit != NONE).then_some(digit)
}

/// In [`DIGITS`], of what is no symbol.
const NONE: u8 = u8::MAX;
/// The index of each byte that is a symbol.
static DIGITS: [u8; 256] = {
    let (mut digits, mut at) = ([NONE; 256], 0);
    while at < SYMBOLS.len() {
        digits[SYMBOLS[at] as usize] = at as u8;
        at += 1;
    }
    digits
};

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::plate::PlateText;
    use proptest::prelude::*;

    #[test]
    fn the_longest_and_the_shortest_keys_have_numbers_and_others_none() {
        assert_eq!((Code::of(""), Code::of("0"), Code::of("Z")), (Some(Code(0)), Some(Code(1)), Some(Code(35))));
        assert_eq!(Code::of("ZZZZZZZZZZZZ").unwrap().key(), "ZZZZZZZZZZZZ");
        for no in ["ZZZZZZZZZZZZZ", "7O1", "7a1", "É"] {
            assert_eq!(Code::of(no), None);
        }
    }

    proptest! {
        #[test]
        fn a_number_gives_its_key_back_and_keeps_the_order(a in "[0-9A-NP-Z]{0,12}", b in "[0-9A-NP-Z]{0,12}") {
            let (x, y) = (Code::of(&a).unwrap(), Code::of(&b).unwrap());
            prop_assert_eq!(x.digits().code(), x);
            prop_assert_eq!(x.key(), a.clone());
            prop_assert_eq!(x.cmp(&y), (a.len(), &a).cmp(&(b.len(), &b)));
        }

        #[test]
        fn the_digits_of_any_text_are_those_of_its_match_key(text in "\\PC{0,20}|[ -z]{0,20}") {
            let key = PlateText::normalise(&text).key();
            prop_assert_eq!(Digits::of_text(&text).code(), Code::of(key.as_str()).unwrap());
        }

        #[test]
        fn another_digit_is_so_many_weights_away(key in "[0-9A-NP-Z]{1,12}", at in 0..12usize, other in 0..35u8) {
            let digits = Digits::of(&key).unwrap();
            let at = at % key.len();
            let mut bytes = key.into_bytes();
            bytes[at] = SYMBOLS[usize::from(other)];
            let altered = Code::of(std::str::from_utf8(&bytes).unwrap()).unwrap();
            let by = digits.weight(at) * u64::from(other);
            let without = digits.code().0 - digits.weight(at) * u64::from(digits.as_slice()[at]);
            prop_assert_eq!(altered.0, without + by);
        }
    }
}
