//! No bytes panic, and none make a wrong list: the corpus of the fuzz targets, and changes of it
//! by chance, at the same entry points. The number is fixed, and so is the chance.

use crate::sync_entry_points::TARGETS;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

const CHANGES_OF_EACH: u64 = 500;
/// Bytes that mean something here.
const TELLING: &[u8] = b"\n\"{}[]:,.\\/0aA \0\x80\xFF";

#[test]
fn no_bytes_from_the_station_panic_or_make_a_wrong_list() {
    for (target, run) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let mut seeds: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
        seeds.sort();
        assert!(!seeds.is_empty(), "no corpus in {}", folder.display());
        for seed in seeds.iter().map(|f| std::fs::read(f).unwrap()) {
            run(&seed);
            for n in 1..=CHANGES_OF_EACH {
                let bytes = changed(seed.clone(), n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                let fine = catch_unwind(AssertUnwindSafe(|| run(&bytes))).is_ok();
                assert!(fine, "{target} fails on \"{}\"", bytes.escape_ascii());
            }
        }
    }
}

/// Numbers by chance, the same in each run (xorshift).
fn changed(mut bytes: Vec<u8>, mut chance: u64) -> Vec<u8> {
    let mut below = |n: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        (chance % n.max(1) as u64) as usize
    };
    for _ in 0..=below(4) {
        let at = below(bytes.len() + 1);
        let to = (at + below(60)).min(bytes.len());
        match below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, TELLING[below(TELLING.len())]),
            2 => drop(bytes.drain(at..to)),
            3 => {
                let copy = bytes[at..to].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => {
                let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
                let (a, b) = (below(lines.len()), below(lines.len()));
                lines.swap(a, b);
                bytes = lines.join(&b'\n');
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << below(8),
            _ => {}
        }
    }
    bytes
}
