//! No bytes panic and every line is accounted for; and what is fuzzed, is fuzzed with something.

use crate::entry_points;
use crate::kit::corpus;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn no_bytes_panic_and_every_line_is_accounted_for() {
    for (target, run) in entry_points::TARGETS {
        corpus::run(target, run, 150);
    }
}

#[test]
fn each_entry_point_has_a_fuzz_target_and_a_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| -> BTreeSet<String> {
        let files = std::fs::read_dir(root.join(folder)).unwrap().map(|f| f.unwrap().path());
        files.map(|f| f.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let points: BTreeSet<String> = entry_points::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let (targets, corpora) = (names("fuzz_targets"), names("corpus"));
    assert_eq!(targets, corpora, "each target has a corpus");
    assert!(points.is_subset(&targets), "no target for {:?}", points.difference(&targets));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(targets.iter().all(|name| manifest.contains(&format!("\nname = \"{name}\"\n"))));
}
