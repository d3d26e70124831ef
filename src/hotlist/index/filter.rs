//! Says quickly that a key is not in the list. Most keys that the rules try are not.
//!
//! A Bloom filter in which all bits of a key lie in one word: one look at memory for a key. With
//! 12 bits for a key some 2 of 100 absent keys pass, and are then sought in vain.

use super::bytes::number_at;
use crate::code::Code;

const BITS_PER_KEY: u64 = 12;
const BITS_SET: u32 = 5;

/// The filter being made.
pub struct Filter(Vec<u64>);

impl Filter {
    /// Room for `keys`.
    pub fn for_keys(keys: u64) -> Self {
        Self(vec![0; (keys * BITS_PER_KEY).div_ceil(64).max(1) as usize])
    }

    pub fn add(&mut self, code: Code) {
        let (word, bits) = place(code, self.0.len() as u64);
        self.0[word] |= bits;
    }

    pub fn bytes(&self) -> impl Iterator<Item = u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes())
    }
}

/// False when `code` is surely not among the keys of the filter `words`.
pub fn may_hold(words: &[u8], code: Code) -> bool {
    let (word, bits) = place(code, words.len() as u64 / 8);
    number_at(words, word).is_some_and(|w| w & bits == bits)
}

/// The word of a key and its bits in it.
fn place(code: Code, words: u64) -> (usize, u64) {
    // The finaliser of splitmix64: every bit of the code moves every bit of the hash.
    let mut h = code.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
    h = (h ^ (h >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    h ^= h >> 31;
    let bits = (0..BITS_SET).fold(0, |bits, n| bits | 1 << ((h >> (6 * n)) & 63));
    (((u128::from(h) * u128::from(words)) >> 64) as usize, bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_passes_and_few_others() {
        let mut filter = Filter::for_keys(20_000);
        (0..20_000).for_each(|n| filter.add(Code(n * 7 + 1_000_000_007)));
        let words: Vec<u8> = filter.bytes().collect();
        assert!((0..20_000).all(|n| may_hold(&words, Code(n * 7 + 1_000_000_007))));
        let others = (0..20_000).filter(|n| may_hold(&words, Code(n * 7 + 1_000_000_008))).count();
        assert!(others < 800, "{others} of 20000");
    }
}
