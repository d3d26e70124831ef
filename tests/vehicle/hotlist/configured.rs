//! Lists as the configuration names them.

use super::load;
use plated_core::record::Priority;
use plated_hotlist::settings::{Hotlist, Limits};
use std::path::Path;

fn golden(file: &str) -> Hotlist {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vehicle/hotlist/golden").join(file);
    toml::from_str(&format!("name = \"svs\"\npriority = \"low\"\npath = {path:?}")).unwrap()
}

#[test]
fn a_list_is_loaded_by_what_it_is_by_a_name_and_by_a_map() {
    let (entries, report) = load(&golden("ncic.txt")).unwrap();
    assert_eq!((report.entries, &*entries[0].source, &*entries[0].list), (6, "NCIC", "svs"));
    assert_eq!((entries[0].priority, entries[1].priority), (Priority::Low, Priority::High));
    let named = Hotlist { format: Some("ca_doj:slr".into()), ..golden("svs.tbl") };
    assert_eq!(load(&named).unwrap().0[0].category, "stolen_plate");
    let map = golden("washington.toml").path;
    let mapped = Hotlist { map: Some(map), ..golden("washington.txt") };
    assert_eq!(load(&mapped).unwrap().1.entries, 3);
}

#[test]
fn a_list_that_was_cut_off_is_not_loaded_unless_the_limits_allow_it() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(golden("svs.tbl").path).unwrap();
    let path = dir.path().join("svs.tbl");
    std::fs::write(&path, &text[..text.find("12O3456").unwrap()]).unwrap();
    let list = Hotlist { path, ..golden("") };
    let message = load(&list).unwrap_err().chain();
    assert!(message.contains("svs.tbl was refused: it has no footer, so its end is missing"), "{message}");
    let lenient = Hotlist { limits: Limits { footer: false, ..Limits::default() }, ..list };
    assert_eq!(load(&lenient).unwrap().1.entries, 2);
}

#[test]
fn a_format_or_map_that_is_none_is_said_with_the_name_of_the_list() {
    let format = Hotlist { format: Some("ncic_tsv".into()), ..golden("ncic.txt") };
    let map = Hotlist { map: Some("no-such-map.toml".into()), ..golden("ncic.txt") };
    for (list, expected) in [(format, "the formats are csv"), (map, "no-such-map.toml")] {
        let message = load(&list).unwrap_err().chain();
        assert!(message.contains("ncic.txt was refused") && message.contains(expected), "{message}");
    }
}
