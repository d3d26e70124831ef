//! What comes in a round, and what does not come again.

use super::bench::{Bench, entries, of, why};
use crate::kit::process::until;
use plated_core::digest::Sha256;
use plated_core::signing::Trust;
use plated_vehicle::lists::{Origin, Outcome, Watched, Way};
use plated_vehicle::pipeline::updater::{Options, start};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

#[tokio::test]
async fn the_first_round_fetches_and_the_second_hears_that_nothing_changed() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    let mut sync = bench.sync();
    let round = sync.round().await;
    let outcome = of(&round, "svs").as_ref().unwrap();
    let (version, bytes) = bench.held("svs");
    let expected = Outcome::Changed { version: 1, way: Way::Whole, bytes: bytes.len() as u64, message: "fine".into() };
    assert_eq!(*outcome, expected);
    assert_eq!((version.entries, version.sha256), (100, Sha256::of(&bytes)));
    assert_eq!(bench.way.seen().iter().map(|s| s.status).collect::<Vec<_>>(), [200, 200]);

    assert_eq!(*of(&sync.round().await, "svs").as_ref().unwrap(), Outcome::Unchanged);
    let seen = bench.way.seen();
    assert_eq!(seen.iter().map(|s| (s.status, s.bytes)).collect::<Vec<_>>(), [(304, 0)]);
    // The same after a restart.
    bench.sync().round().await;
    assert_eq!(bench.way.seen()[0].status, 304);
    assert_eq!(bench.handed(), ["svs 1"]);
    let state = sync.states().next().unwrap();
    assert_eq!((state.version, state.entries, state.origin), (Some(1), Some(100), Origin::Station));
    assert!(state.last_error.is_none() && state.last_success.is_some() && state.last_success == state.last_check);
}

#[tokio::test]
async fn after_a_change_only_what_changed_is_fetched() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    bench.sync().round().await;
    bench.publish("svs", &entries(3..101));
    bench.publish("svs", &entries(2..102));
    bench.way.seen();
    let round = bench.sync().round().await;
    let (version, bytes) = bench.held("svs");
    assert!(
        matches!(of(&round, "svs"), Ok(Outcome::Changed { version: 3, way: Way::Delta, bytes: received, .. })
            if *received < bytes.len() as u64 / 2),
        "{round:?}"
    );
    assert_eq!((version.entries, version.sha256), (100, Sha256::of(&bytes)));
    assert!(String::from_utf8(bytes).unwrap().contains("7ABC101"));
    assert!(bench.way.seen()[1].path.contains("/from/"));
}

#[tokio::test]
async fn a_delta_that_can_not_be_used_gives_way_to_the_whole_list() {
    let bench = Bench::new();
    for spoil in [
        |text: &mut String| *text = text.replace("7ABC10", "7ABX10"),
        |text: &mut String| {
            text.truncate(text.len() - 30);
        },
    ] {
        std::fs::remove_dir_all(bench.folder()).ok();
        bench.publish("svs", &entries(0..100));
        bench.sync().round().await;
        bench.publish("svs", &entries(1..101));
        for delta in bench.files("svs", "delta") {
            let mut text = std::fs::read_to_string(&delta).unwrap();
            spoil(&mut text);
            std::fs::write(&delta, text).unwrap();
        }
        let round = bench.sync().round().await;
        assert!(matches!(of(&round, "svs"), Ok(Outcome::Changed { way: Way::Whole, .. })), "{round:?}");
        assert!(String::from_utf8(bench.held("svs").1).unwrap().contains("7ABC100"));
    }
    // Nor is a delta that has gone from the station a reason to stay behind.
    bench.publish("svs", &entries(2..102));
    bench.files("svs", "delta").iter().for_each(|delta| std::fs::remove_file(delta).unwrap());
    let round = bench.sync().round().await;
    assert!(matches!(of(&round, "svs"), Ok(Outcome::Changed { way: Way::Whole, .. })), "{round:?}");
    // Nor a list in the vehicle that was damaged on its disk.
    bench.publish("svs", &entries(3..103));
    let held = plated_vehicle::lists::accepted(&bench.folder()).remove(0).1;
    let damaged = std::fs::read_to_string(&held).unwrap().replace("7ABC050", "7ABC000");
    std::fs::write(&held, damaged).unwrap();
    let round = bench.sync().round().await;
    assert!(matches!(of(&round, "svs"), Ok(Outcome::Changed { way: Way::Whole, .. })), "{round:?}");
}

#[tokio::test]
async fn one_broken_list_does_not_stop_another_and_comes_once_it_is_whole() {
    let bench = Bench::new();
    bench.publish("sfr", &entries(0..50));
    bench.publish("svs", &entries(0..100));
    let broken = bench.files("sfr", "jsonl").remove(0);
    let good = std::fs::read(&broken).unwrap();
    std::fs::write(&broken, vec![b'x'; good.len()]).unwrap();
    let mut sync = bench.sync();
    let round = sync.round().await;
    assert!(of(&round, "sfr").as_ref().unwrap_err().to_string().contains("the hash differs"));
    assert!(of(&round, "svs").is_ok());
    assert_eq!(bench.in_force(), [("svs".into(), 1)]);
    let errors: Vec<_> = sync.states().map(|s| (s.name.as_str(), s.last_error.is_some())).collect();
    assert_eq!(errors, [("sfr", true), ("svs", false)]);

    std::fs::write(&broken, good).unwrap();
    assert_eq!(why(&sync.round().await), "");
    assert_eq!(bench.in_force(), [("sfr".into(), 1), ("svs".into(), 1)]);
}

#[tokio::test]
async fn a_list_that_is_refused_leaves_the_one_before_and_is_not_fetched_again() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    let mut sync = bench.sync();
    sync.round().await;
    bench.refused.lock().unwrap().push("svs".into());
    bench.publish("svs", &entries(0..1));
    for _ in 0..2 {
        let round = sync.round().await;
        assert!(why(&round).contains("where the list in force has 100") && !round.again_soon());
        assert_eq!((bench.in_force(), bench.held("svs").0.entries), (vec![("svs".into(), 1)], 100));
    }
    bench.refused.lock().unwrap().clear();
    bench.way.seen();
    let round = sync.round().await;
    assert!(matches!(of(&round, "svs"), Ok(Outcome::Changed { version: 2, way: Way::Held, bytes: 0, .. })));
    assert_eq!(bench.way.seen().len(), 1, "the manifest alone");
    assert_eq!(bench.handed(), ["svs 1", "svs 2", "svs 2", "svs 2"]);
}

#[tokio::test]
async fn a_list_that_the_station_withdraws_goes_and_the_others_stay() {
    let bench = Bench::new();
    bench.publish("sfr", &entries(0..50));
    bench.publish("svs", &entries(0..50));
    let mut sync = bench.sync();
    sync.round().await;
    assert!(bench.station(&["withdraw", "sfr", "--reason", "a test list"]).status.success());
    assert_eq!(*of(&sync.round().await, "sfr").as_ref().unwrap(), Outcome::Withdrawn);
    assert_eq!(bench.in_force(), [("svs".into(), 1)]);
    assert_eq!(bench.handed(), ["sfr 1", "svs 1", "sfr gone"]);
    // It can come back.
    bench.publish("sfr", &entries(0..50));
    sync.round().await;
    assert_eq!(bench.in_force(), [("sfr".into(), 2), ("svs".into(), 1)]);
}

#[tokio::test]
async fn what_another_process_accepted_is_handed_over_here_too() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    let mut daemon = bench.sync();
    bench.sync().round().await;
    bench.way.seen();
    let round = daemon.round().await;
    assert!(matches!(of(&round, "svs"), Ok(Outcome::Changed { way: Way::Held, .. })));
    assert_eq!((bench.handed(), bench.way.seen().len()), (vec!["svs 1".into(), "svs 1".into()], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemons_task_brings_lists_from_station_and_folder_and_stops_in_order() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    let stick = bench.depot.dir.path().join("stick");
    std::fs::create_dir(&stick).unwrap();
    let options = Options {
        folder: bench.folder(),
        interval: Duration::from_millis(20),
        watched: vec![Watched { list: "shift".into(), folder: stick.clone(), settings: Sha256::of(b"") }],
        poll: Duration::from_millis(10),
    };
    let station = Some((bench.way.clone(), Trust::load(&bench.key()).unwrap()));
    let clock = Arc::new(plated_core::clock::SystemClock::new());
    let runtime = tokio::runtime::Handle::current();
    let running = start(station, options, clock, bench.accept(), &runtime).unwrap();
    let version = |n: u64| running.states().iter().any(|s| s.name == "svs" && s.version == Some(n)).then_some(());
    until("the first version", || version(1));
    bench.publish("svs", &entries(1..101));
    until("the second version", || version(2));
    std::fs::write(stick.join("list.csv"), "plate\n7ABC123\n").unwrap();
    until("the file", || running.states().iter().any(|s| s.name == "shift" && s.sha256.is_some()).then_some(()));
    drop(running);
    assert_eq!(bench.in_force(), [("svs".into(), 2)]);
    bench.publish("svs", &entries(2..102));
    assert!(std::fs::read_to_string(stick.join("list.csv.outcome.txt")).unwrap().starts_with("accepted"));
}

/// The result, unless it takes more steps than these.
async fn so_far<F: Future>(future: F, steps: usize) -> Option<F::Output> {
    let (mut future, mut taken) = (std::pin::pin!(future), 0);
    std::future::poll_fn(|cx| {
        taken += 1;
        if taken > steps { Poll::Ready(None) } else { future.as_mut().poll(cx).map(Some) }
    })
    .await
}

#[tokio::test]
async fn a_round_cut_off_at_any_step_leaves_the_old_list_or_the_new_one_whole() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    bench.sync().round().await;
    let before = bench.depot.dir.path().join("before");
    copy(&bench.folder(), &before);
    let old = bench.held("svs");
    bench.publish("svs", &entries(1..101));
    for by_delta in [true, false] {
        if !by_delta {
            bench.files("svs", "delta").iter().for_each(|delta| std::fs::remove_file(delta).unwrap());
        }
        for steps in 1.. {
            std::fs::remove_dir_all(bench.folder()).unwrap();
            copy(&before, &bench.folder());
            let done = so_far(bench.sync().round(), steps).await.is_some();
            // What was under way off the thread may still go on; it keeps the folder to itself.
            let free = || {
                let lock = std::fs::File::open(bench.folder().join("sync.lock")).ok()?;
                lock.try_lock().ok()?;
                lock.unlock().ok()
            };
            until("the end of what was under way", free);
            let held = bench.held("svs");
            assert_eq!(Sha256::of(&held.1), held.0.sha256);
            assert!(held.0.version == 2 || (held == old && !done), "{steps} steps: {held:?}");
            assert_eq!(why(&bench.sync().round().await), "");
            assert_eq!(bench.in_force(), [("svs".into(), 2)]);
            if done {
                assert!(steps > 3, "{steps}");
                break;
            }
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-r").args([from, to]).status().unwrap();
    assert!(done.success());
}
