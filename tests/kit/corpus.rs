//! The corpus of a fuzz target, and changes of it by chance, at its entry point. The number is fixed,
//! and so is the chance.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Numbers by chance, the same in each run (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

/// Bytes that mean something to one of the formats.
const TELLING: &[u8] = b"\n\r\",;\t|:{}[]\\/. \0\x1A\x7F\x80\x93\xC3\xF1\xFE\xFFAaZ09?*";

fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], chance: &mut Chance) {
    let at = chance.below(bytes.len() + 1);
    let to = (at + 1 + chance.below(60)).min(bytes.len());
    match chance.below(8) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, TELLING[chance.below(TELLING.len())]),
        2 => drop(bytes.drain(at..to.max(at))),
        3 if at < to => {
            let copy = bytes[at..to].to_vec();
            bytes.splice(at..at, copy);
        }
        4 => {
            let other = &others[chance.below(others.len())];
            let from = chance.below(other.len());
            bytes.splice(at.., other[from..].iter().copied());
        }
        5 => {
            let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            let (a, b) = (chance.below(lines.len()), chance.below(lines.len()));
            lines.swap(a, b);
            *bytes = lines.join(&b'\n');
        }
        6 if at < bytes.len() => bytes[at] = TELLING[chance.below(TELLING.len())],
        _ if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
        _ => {}
    }
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus in {}", folder.display());
    files.iter().map(|f| std::fs::read(f).unwrap()).collect()
}

/// Runs the target's entry point over its corpus, and over so many changes of each file.
pub fn run(target: &str, entry_point: fn(&[u8]), changes_of_each: u64) {
    let seeds = corpus(target);
    for (number, seed) in seeds.iter().enumerate() {
        for n in 0..=changes_of_each {
            let mut chance = Chance(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (number as u64 + 1));
            let mut bytes = seed.clone();
            for _ in 0..chance.below(7).min(n as usize) {
                change(&mut bytes, &seeds, &mut chance);
            }
            let fine = catch_unwind(AssertUnwindSafe(|| entry_point(&bytes))).is_ok();
            assert!(fine, "{target} fails on \"{}\"", bytes.escape_ascii());
        }
    }
}
