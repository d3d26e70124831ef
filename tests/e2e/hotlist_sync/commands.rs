//! The commands of both sides, as their users meet them.

use super::bench::{Bench, entries};
use crate::kit::vehicle::transfer;
use plated_core::clock::SystemClock;
use plated_vehicle::config::Config;
use plated_vehicle::store::{Key, ListState, Options, Store, What};
use serde_json::Value;
use std::process::{Command, Output};
use std::sync::Arc;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `plated hotlist sync`
fn sync(bench: &Bench, args: &[&str]) -> Output {
    let dir = bench.depot.dir.path();
    let config = dir.join("plated.toml");
    if !config.exists() {
        Key::create_file(&dir.join("store.key")).unwrap();
        let text = format!(
            "vehicle = \"unit-7\"\n[[sources]]\nname = \"front\"\nkind = \"video\"\npath = \"drive.mp4\"\n[store]\n\
             path = \"store.db\"\nkey_file = \"store.key\"\n{}[hotlist_sync]\nkey = \"hotlist.pub\"\n\
             folder = \"vehicle/hotlists\"\n",
            transfer(&bench.depot, bench.address)
        );
        std::fs::write(&config, text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
    command.args(["hotlist", "sync", "--config"]).arg(config).args(args).env_remove("PLATED_LOG").output().unwrap()
}

#[test]
fn sync_says_what_changed_and_its_exit_code_says_whether_anything_failed() {
    let bench = Bench::new();
    bench.publish("sfr", &entries(0..50));
    bench.publish("svs", &entries(0..100));
    let first = sync(&bench, &[]);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let message = text(&first.stdout);
    assert!(message.contains("svs: version 1, whole (") && message.contains("100 entries"), "{message}");
    assert_eq!(text(&sync(&bench, &[]).stdout), "sfr: is the newest\nsvs: is the newest\n");

    bench.publish("svs", &entries(1..101));
    bench.publish("sfr", &entries(100..150));
    let broken = bench.files("sfr", "jsonl");
    broken.iter().for_each(|f| std::fs::write(f, vec![b'x'; std::fs::metadata(f).unwrap().len() as usize]).unwrap());
    let second = sync(&bench, &["--json"]);
    assert_eq!(second.status.code(), Some(65));
    assert!(text(&second.stderr).contains("of 2 lists, 1 not brought up to date; the first, sfr"));
    let lines: Vec<Value> = text(&second.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((lines[0]["outcome"].as_str(), lines[1]["way"].as_str()), (Some("failed"), Some("delta")));
    assert_eq!(bench.in_force(), [("sfr".into(), 1), ("svs".into(), 2)]);
}

/// What the vehicle has of each list, and what happened to them.
fn kept(bench: &Bench) -> (Vec<ListState>, Vec<What>) {
    let config = Config::load(&bench.depot.dir.path().join("plated.toml")).unwrap();
    let key = Key::load(&config.store).unwrap();
    let (store, _) = Store::open(Options::from(&config), &key, Arc::new(SystemClock::new())).unwrap();
    let kept =
        (store.list_states().unwrap(), crate::kit::store::events_but_live(&store).iter().map(|e| e.what).collect());
    store.close().unwrap();
    kept
}

#[test]
fn sync_brings_lists_into_force_and_one_that_is_refused_is_told_to_who_fetched_it_each_time() {
    let bench = Bench::new();
    // The station lets more go at once than the vehicle.
    bench.configure("[[sources]]\nname = \"svs\"\nlimits = { shrink = 0.5 }\n");
    bench.publish("svs", &entries(0..100));
    assert!(sync(&bench, &[]).status.success());
    assert_eq!(kept(&bench).0[0].in_force.as_ref().unwrap().entries, 100);
    // A list that lost most of its entries was more likely cut off than cured.
    bench.publish("svs", &entries(0..70));
    bench.publish("sfr", &entries(0..50));
    for _ in 0..2 {
        let refused = sync(&bench, &[]);
        let (message, why) = (text(&refused.stdout), text(&refused.stderr));
        assert_eq!(refused.status.code(), Some(65), "{why}");
        assert!(
            message.contains("svs: failed; the list before stays in force: ") && message.contains("sfr: "),
            "{message}"
        );
        let words = "it has 70 entries where the list in force has 100, and at most 20 % may go at once";
        assert!(message.contains(words) && why.contains(words), "{message} {why}");
    }
    let (states, events) = kept(&bench);
    let in_force: Vec<_> = states.iter().map(|s| s.in_force.as_ref().unwrap().entries).collect();
    assert_eq!(in_force, [50, 100]);
    assert_eq!(events, [What::ListImported, What::ListImported, What::ListRefused], "tried again is one refusal");
    assert!(states[1].error.as_ref().unwrap().contains("70 entries"));
    // Once it is whole again, all is well.
    bench.publish("svs", &entries(0..101));
    let well = sync(&bench, &[]);
    assert!(well.status.success() && text(&well.stdout).contains("svs: version 3, "), "{}", text(&well.stderr));
    assert_eq!(kept(&bench).0[1].in_force.as_ref().unwrap().entries, 101);
    // The file of a list is there once, under two names.
    use std::os::unix::fs::MetadataExt;
    let (version, _) = bench.held("svs");
    let list_files = bench.depot.dir.path().join(format!("store.db-lists/svs-{}.jsonl", version.sha256));
    assert_eq!(std::fs::metadata(list_files).unwrap().nlink(), 2);
}

#[test]
fn what_is_no_list_or_an_empty_one_is_refused_and_leaves_the_list_there() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..10));
    let file = bench.depot.dir.path().join("bad.jsonl");
    std::fs::write(&file, entries(0..8) + "7ABC999,CA\n{\"state\":\"CA\"}\n{\"plate\":7,\"colour\":[]}\n").unwrap();
    let refused = bench.import(&file, "svs", &["--format", "json_lines"]);
    assert_eq!(refused.status.code(), Some(65));
    let error = text(&refused.stderr);
    assert!(error.contains("3 of its 11 lines have mistakes") && error.contains("line 9, line: "), "{error}");
    assert!(error.contains("line 11, colour: ") && !error.contains("7ABC999"), "the key and the line: {error}");
    assert!(error.contains("line 10, line: it has no key `plate`"), "{error}");
    // What makes an empty file would empty the list in every vehicle.
    std::fs::write(&file, "").unwrap();
    let refused = bench.import(&file, "svs", &["--format", "json_lines"]);
    assert_eq!(refused.status.code(), Some(65));
    assert!(text(&refused.stderr).contains("it has no entries"), "{}", text(&refused.stderr));
    // Nobody waits for a pipe.
    let pipe = bench.depot.dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let refused = bench.import(&pipe, "svs", &[]);
    assert_eq!(refused.status.code(), Some(65));
    assert!(text(&refused.stderr).contains("a named pipe"));
    for name in ["../svs", "..", ".svs", ""] {
        assert_eq!(bench.import(&file, name, &[]).status.code(), Some(78));
    }
    assert!(text(&bench.station(&["list"]).stdout).contains("svs version 1 current: 10 entries"));
    assert_eq!(bench.files("svs", "incoming"), [] as [std::path::PathBuf; 0]);
    // Somebody says so.
    let forced = bench.import(&file, "svs", &["--format", "json_lines", "--force", "--reason", "the source ended"]);
    assert!(forced.status.success(), "{}", text(&forced.stderr));
    let printed = text(&forced.stdout);
    assert!(
        printed.contains("published svs version 2: 0 entries") && printed.contains("FORCED: it has no entries"),
        "{printed}"
    );
}

#[test]
fn to_see_the_lists_takes_no_key() {
    let bench = Bench::new();
    assert_eq!(text(&bench.station(&["list"]).stdout), "the station hands out no lists\n");
    assert!(!bench.key().exists());
}

#[test]
fn the_same_entries_in_another_order_are_no_new_version() {
    let bench = Bench::new();
    assert!(bench.publish("svs", &entries(0..10)).starts_with("published svs version 1: 10 entries"));
    let printed = bench.publish("svs", &(entries((0..10).rev()) + &entries(3..5)));
    assert!(
        printed.contains("the same as version 1") && printed.contains("2 entries left out that repeat"),
        "{printed}"
    );
    let printed = bench.publish("svs", &entries(0..1));
    assert!(printed.starts_with("published svs version 2: 1 entry, "), "{printed}");
}

#[test]
fn the_last_versions_are_kept_as_the_start_of_deltas_and_the_others_go() {
    let bench = Bench::new();
    for n in 0..5 {
        let file = bench.depot.dir.path().join("list.jsonl");
        std::fs::write(&file, entries(n..100 + n)).unwrap();
        let done = bench.import(&file, "svs", &["--keep", "3", "--file-date", "2026-11-21T06:00:00Z"]);
        assert!(done.status.success(), "{}", text(&done.stderr));
    }
    assert_eq!((bench.files("svs", "jsonl").len(), bench.files("svs", "delta").len()), (3, 2));
    let listed = text(&bench.station(&["list", "--json"]).stdout);
    let lines: Vec<Value> = listed.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let versions: Vec<_> = lines.iter().map(|l| (l["version"].as_u64().unwrap(), l["current"] == true)).collect();
    assert_eq!(versions, [(5, true), (4, false), (3, false)]);
    assert_eq!(lines[0]["file_date"], "2026-11-21T06:00:00Z");
    assert!(!lines[0]["by"].as_str().unwrap().is_empty());
}

#[test]
fn a_list_dated_more_than_a_day_ahead_is_refused_since_all_that_follow_would_be_older() {
    let bench = Bench::new();
    let file = bench.depot.dir.path().join("list.jsonl");
    std::fs::write(&file, entries(0..10)).unwrap();
    let publish = |date: &str| bench.import(&file, "svs", &["--file-date", date]);
    let refused = publish("2099-01-01T00:00:00Z");
    let message = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(78));
    assert!(message.contains("--file-date") && message.contains("more than a day ahead"), "{message}");
    assert!(text(&bench.station(&["list"]).stdout).contains("the station hands out no lists"));
    let tonight = jiff::Timestamp::now() + std::time::Duration::from_secs(12 * 3600);
    assert!(publish(&tonight.to_string()).status.success());
}

#[test]
fn withdrawing_takes_a_reason_which_is_kept_with_who_and_when() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..10));
    assert_eq!(bench.station(&["withdraw", "svs", "--reason", " "]).status.code(), Some(78));
    assert_eq!(bench.station(&["withdraw", "sfr", "--reason", "mistake"]).status.code(), Some(66));
    assert!(bench.station(&["withdraw", "svs", "--reason", "a test list"]).status.success());
    let sql = "SELECT why FROM hotlist_manifests WHERE by_user <> '' AND made > 0 ORDER BY serial";
    let database = bench.depot.database();
    let mut rows = database.prepare(sql).unwrap();
    let why: Vec<String> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(why, ["published svs version 1", "withdrew svs: a test list"]);
    assert!(text(&bench.station(&["list"]).stdout).contains("the station hands out no lists"));
}

#[test]
fn init_makes_the_key_and_a_vehicle_gets_its_public_part() {
    let dir = tempfile::tempdir().unwrap();
    let station = dir.path().join("station");
    let run = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_plated-station")).args(args).output().unwrap();
    assert!(run(&["init", "--dir", station.to_str().unwrap()]).status.success());
    let (vehicle, config) = (dir.path().join("vehicle"), station.join("station.toml"));
    let (out, config) = (vehicle.to_str().unwrap(), config.to_str().unwrap());
    let issued = run(&["vehicle", "issue", "unit-7", "--out", out, "--config", config]);
    assert!(text(&issued.stdout).contains("hotlist.pub"));
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(vehicle.join("hotlist.pub")), read(station.join("hotlist.pub")));
    assert_ne!(read(station.join("hotlist.pub")), read(station.join("hotlist.key")));
    assert!(!vehicle.join("hotlist.key").exists());
}
