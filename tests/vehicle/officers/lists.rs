//! Lists at the officers' service: taken, refused, forced, mended, handed out, stale.

use super::*;

#[test]
fn a_refused_list_leaves_the_one_in_force_and_a_forced_one_says_past_what() {
    let lists = "[[hotlists]]\nname = \"svs\"\n";
    let vehicle = Vehicle::new(lists);
    vehicle.import("svs", "plate\n7ABC123\n6DEF128\n4KLM567\n", false, "morning").unwrap();
    let err = vehicle.import("svs", "plate\n7ABC123\n", false, "evening").unwrap_err();
    assert_eq!(err.kind(), Kind::Input);
    assert_eq!(vehicle.matches("6DEF128").len(), 1);
    let state = vehicle.store.list_states().unwrap().remove(0);
    assert!(state.error.unwrap().contains("1 entry where the list in force has 3"));
    assert_eq!(state.in_force.unwrap().entries, 3);
    vehicle.import("svs", "plate\n7ABC123\n", true, "purge at the source").unwrap();
    assert_eq!((vehicle.matches("6DEF128").len(), vehicle.matches("7ABC123").len()), (0, 1));
    let events = vehicle.events();
    assert_eq!(whats(&events), [What::ListImported, What::ListRefused, What::ListForced]);
    assert_eq!(events[2].reason, "purge at the source");
    assert!(events[2].subject["forced"][0].as_str().unwrap().contains("1 entry "));
    // The same file again changes nothing.
    let Reply::Imported(import) = vehicle.import("svs", "plate\n7ABC123\n", false, "again").unwrap() else { panic!() };
    assert!(import.unchanged && vehicle.events().len() == 3);
    assert!(vehicle.import("other", "plate\n", false, "x").unwrap_err().chain().contains("there are: svs"));
    // And it is there after a restart, from the list files.
    let vehicle = vehicle.again(lists);
    assert_eq!((vehicle.matches("6DEF128").len(), vehicle.matches("7ABC123").len()), (0, 1));
}

#[test]
fn a_configured_file_is_taken_at_the_start_and_a_worse_one_leaves_the_list_in_force() {
    let lists = "[[hotlists]]\nname = \"svs\"\npath = \"svs.csv\"\n";
    let place = Place::new();
    std::fs::write(place.dir.path().join("svs.csv"), "plate\n7ABC123\n6DEF128\n").unwrap();
    let vehicle = Vehicle::at(place, lists);
    vehicle.service.look_at_files();
    assert_eq!(vehicle.matches("7ABC123").len(), 1);
    vehicle.file("svs.csv", "plate\n");
    let vehicle = vehicle.again(lists);
    vehicle.service.look_at_files();
    assert_eq!(vehicle.matches("7ABC123").len(), 1);
    assert_eq!(whats(&vehicle.events()), [What::ListImported, What::ListRefused]);
    std::fs::remove_file(vehicle.place.dir.path().join("svs.csv")).unwrap();
    vehicle.service.look_at_files();
    assert_eq!(vehicle.matches("7ABC123").len(), 1, "a file that is gone is no empty list");
}

#[test]
fn a_file_weeks_older_or_no_plain_file_does_not_replace_the_list_in_force() {
    let lists = "[[hotlists]]\nname = \"svs\"\npath = \"svs.csv\"\n";
    let vehicle = Vehicle::new(lists);
    vehicle.import("svs", "plate\n7ABC123\n", false, "today's").unwrap();
    let path = vehicle.file("svs.csv", "plate\n6DEF128\n");
    let now: std::time::SystemTime = vehicle.place.clock.wall().into();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(now - 25 * 24 * HOUR).unwrap();
    vehicle.service.look_at_files();
    let error = || vehicle.store.list_states().unwrap().remove(0).error.unwrap();
    assert!(error().contains("its file is of") && error().contains("older than the list in force"), "{}", error());
    assert_eq!((vehicle.matches("7ABC123").len(), vehicle.matches("6DEF128").len()), (1, 0));
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    vehicle.service.look_at_files();
    assert!(error().contains("a named pipe"), "{}", error());
    assert_eq!(vehicle.matches("7ABC123").len(), 1);
}

#[test]
fn partial_plates_of_a_list_match_and_a_list_of_a_header_only_is_refused() {
    // policy: P-04
    let lists = "[[hotlists]]\nname = \"svs\"\njunk = [\"TESTING\"]\n";
    let vehicle = Vehicle::new(lists);
    let error = vehicle.import("svs", "plate\n", false, "empty").unwrap_err();
    assert!(error.chain().contains("it has no entries"), "{}", error.chain());
    vehicle.import("svs", "plate\n*ABC123\n6DEF12?\nTESTING\n", false, "seen in part").unwrap();
    let wildcard = [(Rule::Wildcard, "svs".to_owned())];
    assert_eq!((vehicle.matches("7ABC123"), vehicle.matches("6DEF128")), (wildcard.to_vec(), wildcard.to_vec()));
    assert!(vehicle.matches("TESTING").is_empty());
    let vehicle = vehicle.again(lists);
    assert_eq!(vehicle.matches("7ABC123").len(), 1, "after a restart too");
    vehicle.import("svs", "plate\n7XYZ999\n6DEF128\n", false, "the next one").unwrap();
    assert!(vehicle.matches("7ABC123").is_empty());
}

#[test]
fn a_crash_before_the_record_of_an_import_leaves_the_old_list_in_force() {
    let lists = "[[hotlists]]\nname = \"svs\"\n";
    let vehicle = Vehicle::new(lists);
    vehicle.import("svs", "plate\n7ABC123\n", false, "first").unwrap();
    let folder = vehicle.place.beside("-lists");
    let list_files = plated_vehicle::lists::ListFiles::beside(&vehicle.place.path());
    let next = plated_core::record::EntryRecord { list: "svs".into(), plate: "6DEF128".into(), ..Default::default() };
    list_files.put("svs", |each| each(&next)).unwrap();
    std::fs::write(folder.join(".svs.unfinished"), "half a l").unwrap();
    std::fs::create_dir(folder.join("incoming-1")).unwrap();
    let vehicle = vehicle.again(lists);
    assert_eq!((vehicle.matches("7ABC123").len(), vehicle.matches("6DEF128").len()), (1, 0));
    assert!(!folder.join(".svs.unfinished").exists() && !folder.join("incoming-1").exists());
}

/// The file in the folder of lists with this end.
fn with_end(vehicle: &Vehicle, end: &str) -> PathBuf {
    let folder = std::fs::read_dir(vehicle.place.beside("-lists")).unwrap();
    folder.map(|e| e.unwrap().path()).find(|p| p.extension().is_some_and(|e| e == end)).unwrap()
}

fn replace(path: &std::path::Path, from: &[u8], to: &[u8]) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(from.len()).position(|w| w == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_list_that_was_changed_on_the_disk_is_not_in_force_and_the_file_it_came_from_mends_it() {
    let lists = "[[hotlists]]\nname = \"svs\"\npath = \"svs.csv\"\n";
    let place = Place::new();
    std::fs::write(place.dir.path().join("svs.csv"), "plate\n7ABC123\n").unwrap();
    let vehicle = Vehicle::at(place, lists);
    vehicle.service.look_at_files();
    replace(&with_end(&vehicle, "jsonl"), b"7ABC123", b"9ZZZ999");
    // What was accepted is still in its index.
    let vehicle = vehicle.again(lists);
    assert_eq!((vehicle.matches("7ABC123").len(), vehicle.matches("9ZZZ999").len()), (1, 0));
    std::fs::remove_file(with_end(&vehicle, "index")).unwrap();
    let vehicle = vehicle.again(lists);
    assert!(vehicle.matches("7ABC123").is_empty() && vehicle.matches("9ZZZ999").is_empty());
    assert_eq!(vehicle.service.status().unwrap().lists[0].staleness, Staleness::Critical);
    vehicle.service.look_at_files();
    assert_eq!((vehicle.matches("7ABC123").len(), vehicle.matches("9ZZZ999").len()), (1, 0));
    assert_eq!(vehicle.service.status().unwrap().lists[0].staleness, Staleness::Fresh);
}

#[test]
fn an_export_is_sorted_lines_that_any_list_of_the_same_entries_gives() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    let export = || {
        let replies = vehicle
            .ask(Request::Export { list: "svs".into(), reason: reason("for the station"), case: String::new() })
            .unwrap();
        replies.into_iter().map(|r| if let Reply::Line(line) = r { line } else { panic!() }).collect::<Vec<_>>()
    };
    let missing =
        vehicle.refusal(Request::Export { list: "svs".into(), reason: reason("for the station"), case: String::new() });
    assert!(missing.contains("no version"), "{missing}");
    vehicle.import("svs", "plate,state\n9ZZZ999,NV\n7ABC123,CA\n", false, "x").unwrap();
    let lines = export();
    assert!(lines.is_sorted() && lines.len() == 2);
    let entry: plated_core::record::EntryRecord = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((&*entry.plate, &*entry.list), ("7ABC123", "svs"));
    vehicle.import("svs", "state,plate\nCA,7ABC123\nNV,9ZZZ999\n", false, "y").unwrap();
    assert_eq!(export(), lines);
}

#[test]
fn a_stale_list_is_said_once_a_level_and_shows_in_the_status() {
    let vehicle = Vehicle::new(
        "[[hotlists]]\nname = \"svs\"\n[[hotlists]]\nname = \"bolo\"\n[hotlists.stale]\nwarn_h = 0\ncritical_h = 0\n",
    );
    vehicle.import("svs", "plate\n7ABC123\n", false, "x").unwrap();
    vehicle.import("bolo", "plate\n7ABC123\n", false, "x").unwrap();
    let levels = || vehicle.service.status().unwrap().lists.iter().map(|l| l.staleness).collect::<Vec<_>>();
    let message = || vehicle.service.warn_stale().unwrap();
    let clock: &ManualClock = &vehicle.place.clock;
    assert_eq!((message(), levels()), (vec![], vec![Staleness::Fresh; 2]));
    clock.advance(24 * HOUR);
    assert_eq!(message(), [("svs".to_owned(), Staleness::Warn)]);
    assert_eq!(message(), []);
    clock.advance(48 * HOUR);
    assert_eq!(message(), [("svs".to_owned(), Staleness::Critical)]);
    clock.advance(48 * HOUR);
    assert_eq!((message(), levels()), (vec![], vec![Staleness::Critical, Staleness::Fresh]));
    let line = &vehicle.service.status().unwrap().lists[0];
    assert_eq!((line.age_s, line.entries), (Some(120 * 3600), 1));
    vehicle.import("svs", "plate\n7ABC124\n", false, "x").unwrap();
    assert_eq!((message(), levels()), (vec![], vec![Staleness::Fresh; 2]));
    clock.advance(24 * HOUR);
    assert_eq!(message(), [("svs".to_owned(), Staleness::Warn)], "from anew");
}

#[test]
fn a_list_without_any_version_is_critical() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\nkind = \"station\"\n");
    assert_eq!(vehicle.service.warn_stale().unwrap(), [("svs".to_owned(), Staleness::Critical)]);
    assert_eq!(vehicle.service.status().unwrap().lists[0].staleness, Staleness::Critical);
}

/// A version of a list as the station hands it out, and its file.
pub(super) fn handed_out(vehicle: &Vehicle, version: u64, plates: &[&str]) -> Change {
    let entry = |plate: &&str| EntryRecord { list: "svs".into(), plate: (*plate).into(), ..EntryRecord::default() };
    let text: String = plates.iter().map(|p| serde_json::to_string(&entry(p)).unwrap() + "\n").collect();
    let path = vehicle.file(&format!("svs-{version}.jsonl"), &text);
    let version = ListVersion {
        name: "svs".into(),
        version,
        sha256: Sha256::of(text.as_bytes()),
        bytes: text.len() as u64,
        entries: plates.len() as u64,
        published: vehicle.place.clock.wall(),
        file_date: None,
        confirmed: vehicle.place.clock.wall(),
        forced: None,
        valid_from: None,
        stale: None,
        deltas: Vec::new(),
    };
    Change::Station { version, path }
}

#[test]
fn a_list_of_the_station_needs_no_configuration_and_goes_when_it_is_withdrawn() {
    let vehicle = Vehicle::new("");
    vehicle.service.take(&handed_out(&vehicle, 1, &["7ABC123"])).unwrap();
    assert_eq!(vehicle.matches("7ABC123"), [(Rule::Exact, "svs".to_owned())]);
    let vehicle = vehicle.again("");
    assert_eq!(vehicle.matches("7ABC123"), [(Rule::Exact, "svs".to_owned())]);
    assert_eq!(vehicle.service.status().unwrap().lists[0].name, "svs");
    vehicle.service.take(&Change::Withdrawn { list: "svs".into() }).unwrap();
    assert!(vehicle.matches("7ABC123").is_empty());
    assert_eq!(whats(&vehicle.events()), [What::ListImported, What::ListWithdrawn]);
    let status = vehicle.service.status().unwrap();
    assert!(status.lists.is_empty() && status.parts.iter().all(|part| !part.name.starts_with("list ")));
    vehicle.service.take(&handed_out(&vehicle, 2, &["7ABC123"])).unwrap();
    assert_eq!(vehicle.service.status().unwrap().lists.len(), 1, "it may be handed out again");
    vehicle.service.take(&Change::Withdrawn { list: "svs".into() }).unwrap();
    let vehicle = vehicle.again("");
    assert!(vehicle.matches("7ABC123").is_empty() && vehicle.service.status().unwrap().lists.is_empty());
}

#[test]
fn a_list_that_the_vehicle_says_nothing_about_is_stale_when_the_station_says_so() {
    let with_limits = |vehicle: &Vehicle, version, warn_h, critical_h| {
        let Change::Station { version, path } = handed_out(vehicle, version, &["7ABC123"]) else { panic!() };
        let stale = Some(plated_core::wire::StaleAfter { warn_h, critical_h });
        Change::Station { version: ListVersion { stale, ..version }, path }
    };
    let vehicle = Vehicle::new("");
    vehicle.service.take(&with_limits(&vehicle, 1, 1, 2)).unwrap();
    let staleness = |vehicle: &Vehicle| vehicle.service.status().unwrap().lists[0].staleness;
    assert_eq!(staleness(&vehicle), Staleness::Fresh);
    vehicle.place.clock.advance(HOUR);
    assert_eq!(staleness(&vehicle), Staleness::Warn);
    vehicle.place.clock.advance(HOUR);
    assert_eq!(staleness(&vehicle), Staleness::Critical);
    let vehicle = vehicle.again("");
    assert_eq!(staleness(&vehicle), Staleness::Critical, "after a restart too");
    // What the vehicle's own configuration says goes before.
    let vehicle =
        Vehicle::new("[[hotlists]]\nname = \"svs\"\nkind = \"station\"\nstale = { warn_h = 24, critical_h = 72 }\n");
    vehicle.service.take(&with_limits(&vehicle, 1, 1, 2)).unwrap();
    vehicle.place.clock.advance(3 * HOUR);
    assert_eq!(staleness(&vehicle), Staleness::Fresh);
}

#[test]
fn a_list_of_the_station_that_shrank_or_is_not_what_was_handed_out_leaves_the_one_in_force() {
    let vehicle = Vehicle::new("");
    vehicle.service.take(&handed_out(&vehicle, 1, &["4KLM567", "6DEF128", "7ABC123"])).unwrap();
    let shrunk = handed_out(&vehicle, 2, &["7ABC123"]);
    for _ in 0..3 {
        let message = vehicle.service.take(&shrunk).unwrap_err().chain();
        assert!(message.contains("1 entry where the list in force has 3"), "{message}");
    }
    let Change::Station { mut version, path } = handed_out(&vehicle, 3, &["4KLM567", "6DEF128", "7ABC123"]) else {
        panic!()
    };
    version.sha256 = Sha256::of(b"another");
    std::fs::write(&path, "{}").unwrap();
    assert_eq!(vehicle.service.take(&Change::Station { version, path }).unwrap_err().kind(), Kind::Damaged);
    assert_eq!(vehicle.matches("6DEF128").len(), 1);
    let expected = [What::ListImported, What::ListRefused, What::ListRefused];
    assert_eq!(whats(&vehicle.events()), expected, "what is tried again is one refusal");
}

/// What the station handed out, as a round leaves it in the folder of the station's lists.
fn accepted(vehicle: &Vehicle, change: &Change) -> PathBuf {
    let Change::Station { version, path } = change else { panic!() };
    let folder = vehicle.place.dir.path().join("hotlists");
    let list = folder.join("station/svs");
    std::fs::create_dir_all(&list).unwrap();
    std::fs::copy(path, list.join(format!("{}.jsonl", version.sha256))).unwrap();
    std::fs::write(list.join("accepted.json"), serde_json::to_vec(version).unwrap()).unwrap();
    let noted = std::fs::File::options().write(true).open(list.join("accepted.json")).unwrap();
    noted.set_modified((vehicle.place.clock.wall() + HOUR).into()).unwrap();
    folder
}

#[test]
fn a_list_of_the_station_is_on_the_disk_once_and_goes_when_it_is_withdrawn() {
    use std::os::unix::fs::MetadataExt;
    let vehicle = Vehicle::new("");
    let change = handed_out(&vehicle, 1, &["7ABC123"]);
    vehicle.service.take(&change).unwrap();
    let Change::Station { version, path } = &change else { panic!() };
    let list_files = vehicle.place.beside("-lists");
    let meta = |path: &std::path::Path| std::fs::metadata(path).unwrap();
    let held = list_files.join(format!("svs-{}.jsonl", version.sha256));
    assert_eq!((meta(&held).ino(), meta(&held).nlink()), (meta(path).ino(), 2));
    vehicle.service.take(&Change::Withdrawn { list: "svs".into() }).unwrap();
    assert!(!held.exists() && path.exists());
}

#[test]
fn a_list_of_the_station_that_was_accepted_and_is_not_in_force_comes_in_or_is_offered_again() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\nkind = \"station\"\n");
    let folder = accepted(&vehicle, &handed_out(&vehicle, 1, &["4KLM567", "6DEF128", "7ABC123"]));
    vehicle.service.follow(&folder);
    assert_eq!(vehicle.matches("6DEF128").len(), 1, "as in a store that was begun anew");
    // One that was accepted and may not come into force is no accepted one.
    accepted(&vehicle, &handed_out(&vehicle, 2, &["7ABC123"]));
    vehicle.service.follow(&folder);
    assert_eq!(vehicle.matches("6DEF128").len(), 1);
    assert!(plated_vehicle::lists::accepted(&folder).is_empty());
}

#[test]
fn a_list_of_the_station_that_was_damaged_on_the_disk_is_fetched_again() {
    let vehicle = Vehicle::new("");
    let change = handed_out(&vehicle, 1, &["7ABC123"]);
    let folder = accepted(&vehicle, &change);
    vehicle.service.follow(&folder);
    let Change::Station { version, .. } = &change else { panic!() };
    let file = folder.join(format!("station/svs/{}.jsonl", version.sha256));
    replace(&file, b"7ABC123", b"9ZZZ999");
    std::fs::remove_file(with_end(&vehicle, "index")).unwrap();
    let vehicle = vehicle.again("");
    assert!(vehicle.matches("7ABC123").is_empty() && vehicle.matches("9ZZZ999").is_empty());
    vehicle.service.follow(&folder);
    assert!(!file.exists() && plated_vehicle::lists::accepted(&folder).is_empty());
    vehicle.service.take(&change).unwrap();
    assert_eq!(vehicle.matches("7ABC123").len(), 1);
    assert_eq!(vehicle.service.status().unwrap().lists[0].staleness, Staleness::Fresh);
}

#[test]
fn a_list_of_the_station_does_not_take_the_place_of_one_of_the_vehicle() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    vehicle.import("svs", "plate\n6DEF128\n", false, "x").unwrap();
    let err = vehicle.service.take(&handed_out(&vehicle, 1, &["7ABC123"])).unwrap_err();
    assert!(err.kind() == Kind::Config && err.chain().contains("rename one"), "{}", err.chain());
    vehicle.service.take(&Change::Withdrawn { list: "svs".into() }).unwrap();
    assert_eq!((vehicle.matches("6DEF128").len(), vehicle.matches("7ABC123").len()), (1, 0));
}

#[test]
fn a_file_from_a_folder_is_read_in_the_format_that_its_name_and_content_say() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\nkind = \"folder\"\npath = \"stick\"\n");
    let doj =
        std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vehicle/hotlist/golden/svs.tbl"))
            .unwrap();
    // The vehicle's clock shows March.
    let doj = String::from_utf8(doj).unwrap().replacen("11/21/2026", "02/21/2026", 1).into_bytes();
    let path = vehicle.file("copy.incoming", "");
    std::fs::write(&path, &doj).unwrap();
    let change = Change::File { list: "svs".into(), path, name: "svs.tbl".into(), sha256: Sha256::of(&doj) };
    let message = vehicle.service.take(&change).unwrap();
    assert!(message.contains("entries") && vehicle.service.status().unwrap().lists[0].entries > 0, "{message}");
    assert!(vehicle.service.take(&change).unwrap().contains("already"));
    assert_eq!(vehicle.events()[0].reason, "dropped into its folder as svs.tbl");
}
