//! Lists that come into force later, increments, and entries that somebody made inactive: what vehicles have of them.

use super::bench::{Bench, entries, of};
use crate::kit::clock::Moved;
use jiff::SignedDuration;
use plated_core::signing::Trust;
use plated_vehicle::lists::{Outcome, Sync};
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn well(done: &Output) -> String {
    assert!(done.status.success(), "{} {}", text(&done.stdout), text(&done.stderr));
    text(&done.stdout)
}

/// Writes a file, and gives its path.
fn file(bench: &Bench, name: &str, content: &str) -> String {
    let path = bench.depot.dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn config(bench: &Bench) -> String {
    bench.depot.dir.path().join("station.toml").to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_for_later_comes_into_force_at_its_time_also_in_a_vehicle_without_a_link() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    let later = file(&bench, "later.jsonl", &entries(0..101));
    let at = (jiff::Timestamp::now() + SignedDuration::from_hours(48)).to_string();
    let said = well(&bench.import(later.as_ref(), "svs", &["--valid-from", &at]));
    assert!(said.contains("svs version 2 comes into force at"), "{said}");
    let listed = well(&bench.station(&["list"]));
    assert!(listed.contains("svs version 2 in force from") && listed.contains("svs version 1 current"), "{listed}");

    let clock = Arc::new(Moved::new());
    let trust = Trust::load(&bench.key()).unwrap();
    let mut sync = Sync::new(bench.way.clone(), bench.folder(), trust, clock.clone(), bench.accept());
    assert!(matches!(of(&sync.round().await, "svs"), Ok(Outcome::Changed { version: 1, .. })));
    assert_eq!(bench.in_force(), [("svs".to_owned(), 1)]);
    bench.way.seen();
    assert!(matches!(of(&sync.round().await, "svs"), Ok(Outcome::Unchanged)));
    assert_eq!(bench.way.seen().len(), 1, "it was fetched ahead, and once");

    bench.stop();
    clock.on(SignedDuration::from_hours(47), Duration::ZERO);
    assert!(sync.round().await.error.is_some());
    assert_eq!(bench.in_force(), [("svs".to_owned(), 1)]);
    clock.on(SignedDuration::from_hours(2), Duration::ZERO);
    let round = sync.round().await;
    assert!(round.error.is_some(), "the station is not there");
    assert_eq!(bench.in_force(), [("svs".to_owned(), 2)]);
    assert_eq!(bench.handed(), ["svs 1", "svs 2"]);
}

#[test]
fn an_increment_adds_and_removes_entries_and_one_against_another_version_is_refused() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    let (add, remove) = (file(&bench, "add.jsonl", &entries(200..203)), file(&bench, "del.jsonl", &entries(0..2)));
    let update = |base: &str, more: &[&str]| {
        let files = ["update", "svs", "--base", base, "--add", &add, "--remove", &remove];
        bench.station(&[&files[..], more].concat())
    };
    for (base, expected) in [
        ("2", "which is no version of svs that was handed out here; version 1 is"),
        ("0123456789abcdef", "An increment before them is missing"),
    ] {
        let refused = update(base, &[]);
        assert_eq!(refused.status.code(), Some(77));
        assert!(text(&refused.stderr).contains(expected), "{}", text(&refused.stderr));
    }
    assert!(well(&update("1", &[])).contains("published svs version 2: 101 entries"));
    let handed_out = text(&std::fs::read(bench.newest("svs")).unwrap());
    assert!(handed_out.contains("7ABC202") && handed_out.contains("7ABC002") && !handed_out.contains("7ABC001"));
    // The same once more.
    let refused = update("1", &["--force", "--reason", "for the test"]);
    let why = text(&refused.stderr);
    assert!(why.contains("made against version 1 of svs, and version 2 is handed out"), "{why}");
    assert!(why.contains("they were applied already"), "{why}");
    // Against the right number, but of another list.
    let refused = update("2", &[]);
    assert!(text(&refused.stderr).contains("2 of the 2 entries that are to go are not in version 2 of svs"));
    assert_eq!(bench.station(&["update", "sfr", "--base", "1", "--add", &add]).status.code(), Some(66));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_made_inactive_stays_out_of_each_version_until_it_is_active_again() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..10));
    let mut sync = bench.sync();
    sync.round().await;
    let none = bench.station(&["disable", "svs", "--plate", "7ABC999", "--reason", "for the test"]);
    assert_eq!(none.status.code(), Some(66), "{}", text(&none.stderr));
    let said = well(&bench.station(&["disable", "svs", "--plate", "7abc003", "--reason", "recovered, not cleared"]));
    assert!(said.contains("1 entry of svs made inactive as number 1"), "{said}");
    assert!(matches!(of(&sync.round().await, "svs"), Ok(Outcome::Changed { version: 2, .. })));
    let held = |bench: &Bench| text(&bench.held("svs").1);
    assert!(!held(&bench).contains("7ABC003") && held(&bench).contains("7ABC004"));

    let said = bench.publish("svs", &entries(0..11));
    assert!(said.contains("published svs version 3: 10 entries") && said.contains("1 entry left out"), "{said}");
    let (add, version) = (file(&bench, "add.jsonl", &entries(50..51)), "3");
    well(&bench.station(&["update", "svs", "--base", version, "--add", &add]));
    sync.round().await;
    assert!(!held(&bench).contains("7ABC003") && held(&bench).contains("7ABC050"));
    let shown = well(&bench.station(&["inactive", "--reason", "review"]));
    let me = plated_core::user::SystemUser::of_this_process().user;
    assert!(shown.contains("1 svs 7ABC003 any state: inactive since ") && shown.contains(&me), "{shown}");
    assert!(shown.contains("recovered, not cleared"), "{shown}");

    well(&bench.station(&["enable", "1", "--reason", "stolen again"]));
    sync.round().await;
    assert!(held(&bench).contains("7ABC003") && held(&bench).contains("7ABC050"));
    assert!(well(&bench.station(&["inactive", "--reason", "review"])).contains("active again"));
    assert_eq!(bench.station(&["enable", "1", "--reason", "once more"]).status.code(), Some(66));
    // Who did it, and why, is in the chain.
    let verified = std::process::Command::new(env!("CARGO_BIN_EXE_plated-station"))
        .args(["audit-verify", "--config", &config(&bench)])
        .output()
        .unwrap();
    assert!(well(&verified).contains("as it was written"));
    let sql = "SELECT count(*) FROM station_audit WHERE action IN ('hotlist_entry_inactive', 'hotlist_entry_active')";
    let rows: i64 = bench.depot.database().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 2);
}
