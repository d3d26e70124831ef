//! What officers enter beside the running daemon, over its socket, by the real command line; and
//! covert lists.

use crate::kit::process::{Line, until};
use crate::kit::sound;
use crate::kit::vehicle::{Settings, Vehicle, images};
use plated_core::record::Alerting;
use plated_vehicle::store::What;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::time::Duration;

fn plated(vehicle: &Vehicle, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
    command.args(args).arg("--config").arg(vehicle.path("plated.toml")).output().unwrap()
}

fn well(vehicle: &Vehicle, args: &[&str]) -> String {
    let output = plated(vehicle, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The status and its exit code.
fn status_of(vehicle: &Vehicle, args: &[&str]) -> (String, Option<i32>) {
    let output = plated(vehicle, &[&["status"], args].concat());
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// Pictures of these plates, one after the other, for ever, at the pace of a camera.
fn road(vehicle: &Vehicle, plates: &[&str], tables: &str) {
    vehicle.pictures("road", &plates.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
    let source = images("front", "road", 0).replace("every_frame", "realtime");
    vehicle.configure(&Settings::default(), &[source, tables.to_owned()]);
}

fn me() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().find_map(|l| l.strip_prefix("Uid:")).unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

// policy: P-04
#[test]
fn what_is_entered_beside_the_daemon_alerts_at_once_and_is_on_record_by_the_peers_number() {
    let vehicle = Vehicle::new();
    road(&vehicle, &["4KLM567", "7ABC123", "6DEF128"], "[[hotlists]]\nname = \"svs\"\n[alert]\nrepeat_after_s = 0\n");
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(6);
    assert_eq!(daemon.hits(), 0);
    let socket = vehicle.path("store.db.control");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);

    let args = ["hotlist", "add", "7A?C*", "--reason", "robbery", "--case", "26-1", "--search-back", "1h", "--json"];
    let message = well(&vehicle, &args);
    let mut lines = message.lines().map(json);
    let added = lines.next().unwrap();
    let id = added["added"]["id"].as_i64().unwrap();
    let reads: Vec<Value> = lines.collect();
    assert!(!reads.is_empty() && reads.iter().all(|r| r["read"]["text"] == "7ABC123"), "{message}");
    let Line::Hit { hit, .. } = daemon.wait_for(|line| matches!(line, Line::Hit { .. })) else { panic!() };
    assert_eq!(
        (&*hit.text, &*hit.entries[0].entry.list, &*hit.entries[0].entry.reason),
        ("7ABC123", "officers", "robbery")
    );

    // A list comes into force the same way.
    std::fs::write(vehicle.path("new.csv"), "plate\n6DEF128\n").unwrap();
    let message = well(&vehicle, &["hotlist", "import", vehicle.path("new.csv").to_str().unwrap(), "--list", "svs"]);
    assert!(message.contains("svs: in force. 1 line: 1 entry"), "{message}");
    daemon.wait_for(|line| matches!(line, Line::Hit { hit, .. } if hit.entries[0].entry.list == "svs"));

    let message = well(&vehicle, &["hotlist", "show", "7ABC123", "--reason", "traffic stop"]);
    assert!(message.contains("[officers]  unverified") && message.contains("robbery"), "{message}");
    let status = json(&status_of(&vehicle, &["--json"]).0);
    assert_eq!((status["daemon"].as_bool(), status["lists"][0]["entries"].as_u64()), (Some(true), Some(1)));
    assert!(!status.to_string().contains("7A?C*"), "no plates without a reason");
    let stats = well(&vehicle, &["hotlist", "stats"]);
    assert!(stats.contains("0 plates, 1 of at most 100 partial plates") && !stats.contains("7A?C"), "{stats}");
    let exported = well(&vehicle, &["hotlist", "export", "--list", "svs", "--reason", "publish"]);
    assert_eq!(json(exported.trim())["plate"], "6DEF128");
    well(&vehicle, &["hotlist", "remove", &id.to_string(), "--reason", "found"]);

    let refused = plated(&vehicle, &["hotlist", "remove", &id.to_string(), "--reason", "found"]);
    assert_eq!(refused.status.code(), Some(66));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no entry"));
    // Without a reason nothing is even asked.
    for args in [
        &["hotlist", "show", "7ABC123"][..],
        &["hotlist", "show", "7ABC123", "--reason", " "],
        &["hotlist", "add", "7ABC123"],
    ] {
        assert_eq!(plated(&vehicle, args).status.code(), Some(2), "{args:?}");
    }
    let ended = daemon.terminate().well();
    assert!(!socket.exists());
    for plate in ["7A?C", "7ABC123", "6DEF128"] {
        assert!(!ended.log.contains(plate), "{}", ended.log);
    }
    let events = crate::kit::store::events_but_live(&vehicle.store());
    let whats: Vec<What> = events.iter().map(|e| e.what).collect();
    let expected = [
        What::PatternAdded,
        What::SearchBack,
        What::ListImported,
        What::PlateShown,
        What::ListExported,
        What::EntryRemoved,
    ];
    assert_eq!(whats, expected);
    assert!(events.iter().all(|e| e.who.uid == Some(me())));
}

#[test]
fn without_a_daemon_the_same_commands_work_on_the_store_itself_and_count_once_it_starts() {
    let vehicle = Vehicle::new();
    road(&vehicle, &["7ABC123"], "");
    well(&vehicle, &["hotlist", "add", "7ABC123", "--reason", "robbery", "--expires", "2h"]);
    let (message, code) = status_of(&vehicle, &[]);
    assert!(message.contains("CRITICAL  no daemon runs") && message.contains("1 plate, 0 partial plates"), "{message}");
    assert_eq!(code, Some(2));
    assert!(well(&vehicle, &["hotlist", "show", "7ABC123", "--reason", "stop"]).contains("[officers]"));
    let mut daemon = vehicle.start(&[]);
    daemon.wait_for(|line| matches!(line, Line::Hit { hit, .. } if hit.entries[0].entry.list == "officers"));
    // A daemon that was killed leaves its socket, and nobody is kept out by that.
    daemon.kill();
    assert!(vehicle.path("store.db.control").exists());
    well(&vehicle, &["hotlist", "remove", "1", "--reason", "found"]);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(2);
    well(&vehicle, &["hotlist", "add", "7ABC123", "--reason", "again"]);
    daemon.wait_for(|line| matches!(line, Line::Hit { .. }));
    daemon.terminate().well();
}

#[test]
fn a_command_killed_at_any_moment_leaves_the_change_with_its_event_or_neither() {
    let vehicle = Vehicle::new();
    road(&vehicle, &["7ABC123"], "");
    well(&vehicle, &["hotlist", "add", "7ABC123", "--reason", "the first makes the store"]);
    let whole = {
        let began = std::time::Instant::now();
        well(&vehicle, &["hotlist", "add", "7ABC123", "--reason", "to see how long it takes"]);
        began.elapsed()
    };
    for n in 0..12_u32 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plated"))
            .args(["hotlist", "add", "6DEF128", "--reason", "killed", "--config"])
            .arg(vehicle.path("plated.toml"))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Its moments are the test: all over the time that it takes.
        std::thread::sleep(whole * n / 10);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let store = vehicle.store();
    let events = crate::kit::store::events_but_live(&store);
    let entries = store.manual_entries(crate::kit::store::matching()).unwrap();
    assert!(events.iter().all(|e| e.what == What::EntryAdded));
    let recorded: Vec<_> = events.iter().map(|e| e.subject["id"].as_str().unwrap().parse::<i64>().unwrap()).collect();
    assert_eq!(recorded, entries.iter().map(|e| e.id).collect::<Vec<_>>());
    store.close().unwrap();
    assert!(vehicle.check().status.success());
}

#[test]
fn a_covert_hit_is_kept_with_its_read_and_neither_shown_nor_heard() {
    let vehicle = Vehicle::new();
    std::fs::write(vehicle.path("asound.conf"), sound::alsa_configuration(vehicle.dir.path())).unwrap();
    std::fs::write(vehicle.path("covert.csv"), "plate,priority,reason\n7ABC123,high,watched\n6DEF128,high,watched\n")
        .unwrap();
    std::fs::write(vehicle.path("open.csv"), "plate,priority\n6DEF128,low\n").unwrap();
    vehicle.pictures("road", &["7ABC123", "4KLM567", "6DEF128"].map(String::from));
    let lists = "[[hotlists]]\nname = \"watch\"\npath = \"covert.csv\"\ncovert = true\n\
                 [[hotlists]]\nname = \"svs\"\npath = \"open.csv\"\n[hotlists.categories.\"\"]\ntone = \"high\"\n"
        .to_owned();
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), lists]);
    let mut daemon = vehicle.start(&["--until-end"]);
    // The other hit's chime, which by its category is the high one, is the only one.
    let played = vehicle.path("default.raw");
    until("the chime", || (sound::melody(&sound::read(&played)) == [1500.0, 1100.0].repeat(6)).then_some(()));
    daemon.wait_reads(3);
    let ended = daemon.end().well();
    assert_eq!(sound::melody(&sound::read(&played)), [1500.0, 1100.0].repeat(6));
    let hits: Vec<_> = ended.hits().flat_map(|(hit, ..)| hit.entries.iter().map(|e| e.entry.list.clone())).collect();
    assert_eq!(hits, ["svs"], "of a plate on both lists, the one that may be shown");
    let shown = ended.reads().find(|r| r.text == "7ABC123").unwrap();
    assert!(shown.hits.is_empty());
    assert!(!ended.log.contains("watched"));
    let stored = vehicle.stored();
    let kept = &stored[&shown.id].hits;
    assert_eq!((kept.len(), kept[0].alert, &*kept[0].entries[0].entry.reason), (1, Alerting::Covert, "watched"));
    let both = stored.values().find(|r| r.text == "6DEF128").unwrap();
    assert_eq!((both.hits.len(), both.hits[0].alert, both.hits[0].entries.len()), (1, Alerting::Sounded, 2));
}

#[test]
fn a_stale_list_is_warned_of_without_plates_and_stands_in_the_status() {
    let vehicle = Vehicle::new();
    let path = vehicle.path("old.csv");
    std::fs::write(&path, "plate\n9ZZZ999\n").unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(30 * 3600);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    road(&vehicle, &["7ABC123"], "[[hotlists]]\nname = \"svs\"\npath = \"old.csv\"\n");
    let mut daemon = vehicle.start(&[]);
    let message = daemon.wait_log("older than it should be");
    assert!(message.contains(" WARN ") && message.contains("svs"), "{message}");
    let (message, code) = status_of(&vehicle, &[]);
    assert!(message.contains("WARN      list svs: 1 entry, 30 h old"), "{message}");
    assert!(matches!(code, Some(1 | 2)), "{code:?}: {message}");
    let ended = daemon.terminate().well();
    assert!(!ended.log.contains("9ZZZ999"));
}
