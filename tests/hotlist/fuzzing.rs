//! No bytes panic and every line is accounted for: the corpus of the fuzz targets, and changes of
//! it by chance, at the same entry points. The number is fixed, and so is the chance.

use super::entry_points::TARGETS;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

const CHANGES_OF_EACH: u64 = 150;

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
const TELLING: &[u8] = b"\n\r\",;\t|:{}[]\\0 \0\x1A\x7F\x80\x93\xC3\xF1\xFE\xFFAZ9?*";

fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], chance: &mut Chance) {
    let at = chance.below(bytes.len() + 1);
    let to = (at + 1 + chance.below(40)).min(bytes.len());
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

#[test]
fn no_bytes_panic_and_every_line_is_accounted_for() {
    for (target, run) in TARGETS {
        let seeds = corpus(target);
        for (number, seed) in seeds.iter().enumerate() {
            run(seed);
            for n in 1..=CHANGES_OF_EACH {
                let mut chance = Chance(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (number as u64 + 1));
                let mut bytes = seed.clone();
                for _ in 0..=chance.below(6) {
                    change(&mut bytes, &seeds, &mut chance);
                }
                let fine = catch_unwind(AssertUnwindSafe(|| run(&bytes))).is_ok();
                assert!(fine, "{target} fails on \"{}\"", bytes.escape_ascii());
            }
        }
    }
}

#[test]
fn each_entry_point_has_a_fuzz_target_and_a_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| -> BTreeSet<String> {
        let files = std::fs::read_dir(root.join(folder)).unwrap().map(|f| f.unwrap().path());
        files.map(|f| f.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let points: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let (targets, corpora) = (names("fuzz_targets"), names("corpus"));
    assert_eq!(targets, corpora, "each target has a corpus");
    assert!(points.is_subset(&targets), "no target for {:?}", points.difference(&targets));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(points.iter().all(|name| manifest.contains(&format!("\nname = \"{name}\"\n"))));
}
