//! Hotlists from files to hits.

use super::load;
use plated_core::plate::PlateText;
use plated_core::plate::Slots;
use plated_core::record::Priority;
use plated_hotlist::settings::Hotlist;
use plated_hotlist::{Lists, Query, Rules, Source};
use std::fmt::Write as _;
use std::path::Path;

fn configured(path: &Path, priority: &str) -> Hotlist {
    toml::from_str(&format!("name = \"local\"\npath = {path:?}\npriority = \"{priority}\"")).unwrap()
}

#[test]
fn a_file_becomes_hits_with_the_name_and_priority_of_its_list() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("local.csv");
    let mut text = String::from("plate,category\n");
    (0..20_000).for_each(|n| writeln!(text, "9ZZ{n:05},test").unwrap());
    text.push_str("7ABC123,stolen_vehicle"); // The last line has no end.
    std::fs::write(&path, text).unwrap();
    let (entries, report) = load(&configured(&path, "high")).unwrap();
    assert_eq!(report.entries, 20_001);
    let lists = Lists::default();
    lists.put(Source::memory("local", entries, Rules::default()));
    assert_eq!(lists.in_force().sources()[0].len(), 20_001);
    let (text, slots, now) = (PlateText::normalise("7ABC123"), Slots::default(), jiff::Timestamp::now());
    let hits = lists.matches(&Query { text: &text, state: "CA", candidates: &[], slots: &slots, now });
    let entry = &hits[0].entries[0].entry;
    assert_eq!((&*entry.list, &*entry.category, entry.priority), ("local", "stolen_vehicle", Priority::High));
}

#[test]
fn a_list_that_is_not_there_or_no_list_is_said_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let list = |name: &str| configured(&dir.path().join(name), "low");
    std::fs::write(dir.path().join("photo.csv"), b"\xFF\xD8\xFF\xE0\0\x10JFIF\n\0\0\n").unwrap();
    for name in ["absent.csv", "photo.csv", "."] {
        let message = load(&list(name)).unwrap_err().chain();
        assert!(message.contains(name), "{message}");
    }
}
