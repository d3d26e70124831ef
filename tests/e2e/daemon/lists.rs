//! Lists that come by themselves, into the running daemon.

use crate::kit::Depot;
use crate::kit::process::{Line, Station, until};
use crate::kit::vehicle::{Settings, Vehicle, images, transfer};
use plated_core::record::EntryRecord;
use plated_vehicle::store::What;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Pictures of these plates, for ever, at the pace of a camera; each look alerts.
fn road(vehicle: &Vehicle, tables: &str) {
    vehicle.pictures("road", &["4KLM567", "7ABC123", "6DEF128"].map(String::from));
    let source = images("front", "road", 0).replace("every_frame", "realtime");
    let tables = format!("{tables}[alert]\nrepeat_after_s = 0\n");
    vehicle.configure(&Settings::default(), &[source, tables]);
}

/// `plated-station hotlist …`
fn station(depot: &Depot, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let config = depot.dir.path().join("station.toml");
    let done = command.arg("hotlist").args(args).arg("--config").arg(config).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The station lets any list in here: the vehicle's checks are what is tested.
fn publish(depot: &Depot, plates: &[&str]) {
    let config = depot.dir.path().join("station.toml");
    let settings = std::fs::read_to_string(&config).unwrap();
    if !settings.contains("[[sources]]") {
        std::fs::write(&config, settings + "[[sources]]\nname = \"svs\"\nlimits = { shrink = 1.0 }\n").unwrap();
    }
    let entry = |plate: &&str| EntryRecord { list: "svs".into(), plate: (*plate).into(), ..EntryRecord::default() };
    let text: String = plates.iter().map(|p| serde_json::to_string(&entry(p)).unwrap() + "\n").collect();
    let file = depot.dir.path().join("svs.jsonl");
    std::fs::write(&file, text).unwrap();
    station(depot, &["import", file.to_str().unwrap(), "--name", "svs"]);
}

fn hits_on(line: &Line, plate: &str) -> bool {
    matches!(line, Line::Hit { hit, .. } if hit.entries[0].entry.list == "svs" && hit.text == plate)
}

#[test]
fn a_list_published_at_the_station_comes_into_force_in_the_running_daemon_and_a_bad_one_does_not() {
    let (depot, vehicle) = (Depot::new(), Vehicle::new());
    let (_station, address) = Station::start(&depot);
    publish(&depot, &["9ZZZ990", "9ZZZ991", "9ZZZ992"]);
    let key = depot.dir.path().join("hotlist.pub");
    road(&vehicle, &format!("{}[hotlist_sync]\nkey = {key:?}\ninterval_s = 0.2\n", transfer(&depot, address)));
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(3);
    daemon.wait_log("A list was accepted");
    assert_eq!(daemon.hits(), 0);

    publish(&depot, &["7ABC123", "9ZZZ990", "9ZZZ991", "9ZZZ992"]);
    daemon.wait_for(|line| hits_on(line, "7ABC123"));
    // Three of four entries are gone at once: more likely cut off than cured.
    publish(&depot, &["6DEF128"]);
    let message = daemon.wait_log("1 entry where the list in force has 4");
    assert!(message.contains(" ERROR ") && message.contains("svs"), "{message}");
    daemon.wait_for(|line| hits_on(line, "7ABC123"));
    station(&depot, &["withdraw", "svs", "--reason", "test"]);
    daemon.wait_log("The station withdrew a list");
    let ended = daemon.terminate().well();
    assert!(ended.hits().all(|(hit, ..)| hit.text == "7ABC123"), "{}", ended.log);

    let events: Vec<What> = crate::kit::store::events_but_live(&vehicle.store()).iter().map(|e| e.what).collect();
    assert_eq!(events, [What::ListImported, What::ListImported, What::ListRefused, What::ListWithdrawn]);
}

#[test]
fn a_station_that_stays_out_of_reach_is_logged_once_and_not_at_each_try() {
    let (depot, vehicle) = (Depot::new(), Vehicle::new());
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (_station, _) = Station::start(&depot);
    publish(&depot, &["9ZZZ990"]);
    let key = depot.dir.path().join("hotlist.pub");
    let address = nobody.local_addr().unwrap();
    road(&vehicle, &format!("{}[hotlist_sync]\nkey = {key:?}\ninterval_s = 0.2\n", transfer(&depot, address)));
    let daemon = vehicle.start(&[]);
    // Taken and hung up at once, by transfer and lists alike.
    for _ in 0..12 {
        nobody.accept().unwrap();
    }
    let log = daemon.terminate().well().log;
    assert_eq!(log.matches("Lists can't be brought up to date").count(), 1, "{log}");
}

/// `plated hotlist import` of one plate, as a process of its own.
fn importing(vehicle: &Vehicle, plate: &str) -> Command {
    let file = vehicle.path(&format!("{plate}.csv"));
    std::fs::write(&file, format!("plate\n{plate}\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
    command.arg("hotlist").arg("import").arg(file).args(["--list", "svs", "--config"]);
    command.arg(vehicle.path("plated.toml")).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Plates that are wanted by the list, as an export says.
fn exported(vehicle: &Vehicle) -> Vec<String> {
    let lines = well(vehicle, &["export", "--list", "svs", "--reason", "test"]);
    lines.lines().map(|line| serde_json::from_str::<EntryRecord>(line).unwrap().plate).collect()
}

#[test]
fn an_import_killed_at_any_moment_leaves_the_list_before_or_the_new_one_in_force_and_a_restart_too() {
    let vehicle = Vehicle::new();
    let old = "4KLM567";
    std::fs::write(vehicle.path("old.csv"), format!("plate\n{old}\n")).unwrap();
    road(&vehicle, "[[hotlists]]\nname = \"svs\"\npath = \"old.csv\"\n");
    // What lies at the path is taken once, by a daemon.
    let mut daemon = vehicle.start(&[]);
    daemon.wait_for(|line| hits_on(line, old));
    daemon.terminate().well();
    let mut in_force = old.to_owned();
    for moment in 0..24 {
        let plate = format!("{}XYZ{moment:03}", moment % 9);
        let mut import = importing(&vehicle, &plate).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(moment * 4)); // The moment is what is tried.
        let _ = import.kill();
        let done = import.wait().unwrap().success();
        let now = exported(&vehicle);
        assert!(now == [plate.as_str()] || (!done && now == [in_force.as_str()]), "{moment}: {now:?} after {in_force}");
        in_force = now[0].clone();
    }
    assert!(importing(&vehicle, "7ABC123").status().unwrap().success());
    // Killed while it starts, and started again with the old file at its path.
    for moment in 0..8 {
        let daemon = vehicle.start(&[]);
        std::thread::sleep(Duration::from_millis(moment * 15)); // As above.
        daemon.kill();
    }
    assert_eq!(exported(&vehicle), ["7ABC123"]);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_for(|line| hits_on(line, "7ABC123"));
    daemon.wait_log("its file has nothing new");
    let ended = daemon.terminate().well();
    assert!(ended.hits().all(|(hit, ..)| hit.text == "7ABC123"), "{}", ended.log);
}

#[test]
fn a_named_pipe_at_a_lists_path_holds_up_neither_the_start_nor_another_list() {
    let vehicle = Vehicle::new();
    let pipe = vehicle.path("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::write(vehicle.path("list.csv"), "plate\n7ABC123\n").unwrap();
    let lists =
        "[[hotlists]]\nname = \"pipe\"\npath = \"pipe.csv\"\n[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\n";
    road(&vehicle, lists);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_for(|line| hits_on(line, "7ABC123"));
    daemon.wait_log("no plain file");
    daemon.terminate();
}

#[test]
fn several_entries_at_once_without_a_daemon_wait_for_their_turn() {
    let vehicle = Vehicle::new();
    road(&vehicle, "");
    let add = |n: usize| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(["hotlist", "add", &format!("{n}ABC123"), "--reason", "bolo", "--config"]);
        command.arg(vehicle.path("plated.toml")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let all: Vec<_> = (0..8).map(add).collect();
    for child in all {
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    assert_eq!(vehicle.store().manual_entries(crate::kit::store::matching()).unwrap().len(), 8);
}

#[test]
fn callers_that_send_a_byte_now_and_then_do_not_keep_an_officer_from_entering_a_plate() {
    let vehicle = Vehicle::new();
    road(&vehicle, "");
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(1);
    let socket = vehicle.path("store.db.control");
    let socket = until("the socket", || socket.exists().then_some(&socket));
    let mut slow: Vec<_> = (0..12).map(|_| UnixStream::connect(socket).unwrap()).collect();
    slow.iter_mut().for_each(|caller| caller.write_all(b"{").unwrap());
    well(&vehicle, &["add", "7ABC123", "--reason", "bolo"]);
    // And they are let go.
    for mut caller in slow {
        let mut answer = String::new();
        let _ = caller.read_to_string(&mut answer);
        assert!(answer.contains("did not arrive whole"), "{answer}");
    }
    daemon.terminate().well();
}

/// `plated hotlist …`
fn plated(vehicle: &Vehicle, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
    command.arg("hotlist").args(args).arg("--config").arg(vehicle.path("plated.toml")).output().unwrap()
}

fn well(vehicle: &Vehicle, args: &[&str]) -> String {
    let done = plated(vehicle, args);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn sync_has_the_running_daemon_bring_a_version_into_force_and_hears_when_it_is_refused() {
    let (depot, vehicle) = (Depot::new(), Vehicle::new());
    let (_station, address) = Station::start(&depot);
    publish(&depot, &["9ZZZ990", "9ZZZ991", "9ZZZ992"]);
    let key = depot.dir.path().join("hotlist.pub");
    // By itself the daemon would look again in an hour.
    road(&vehicle, &format!("{}[hotlist_sync]\nkey = {key:?}\ninterval_s = 3600\n", transfer(&depot, address)));
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(3);
    daemon.wait_log("A list was accepted");
    publish(&depot, &["7ABC123", "9ZZZ990", "9ZZZ991", "9ZZZ992"]);
    let message = well(&vehicle, &["sync"]);
    assert!(message.starts_with("svs: version 2, ") && message.contains("is in force: 4 entries"), "{message}");
    daemon.wait_for(|line| hits_on(line, "7ABC123"));
    assert_eq!(well(&vehicle, &["sync"]), "svs: is the newest\n");

    publish(&depot, &["6DEF128"]);
    for _ in 0..2 {
        let refused = plated(&vehicle, &["sync"]);
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(65), "{why}");
        assert!(why.contains("it has 1 entry where the list in force has 4"), "{why}");
    }
    let ended = daemon.terminate().well();
    assert!(ended.hits().all(|(hit, ..)| hit.text == "7ABC123"), "{}", ended.log);
    let events: Vec<What> = crate::kit::store::events_but_live(&vehicle.store()).iter().map(|e| e.what).collect();
    assert_eq!(events, [What::ListImported, What::ListImported, What::ListRefused]);
}

#[test]
fn what_sync_fetched_without_the_daemon_counts_when_it_starts_and_what_was_forced_later_counts_more() {
    let (depot, vehicle) = (Depot::new(), Vehicle::new());
    let (serving, address) = Station::start(&depot);
    publish(&depot, &["9ZZZ990"]);
    let key = depot.dir.path().join("hotlist.pub");
    road(&vehicle, &format!("{}[hotlist_sync]\nkey = {key:?}\ninterval_s = 0.2\n", transfer(&depot, address)));
    let first_hit = |plate: &str| {
        let mut daemon = vehicle.start(&[]);
        daemon.wait_for(|line| hits_on(line, plate));
        daemon.terminate().well();
    };
    for plates in [&["7ABC123"][..], &["6DEF128", "9ZZZ990"]] {
        publish(&depot, plates);
        well(&vehicle, &["sync"]);
        first_hit(plates[0]);
    }
    let forced = vehicle.path("forced.csv");
    std::fs::write(&forced, "plate\n4KLM567\n").unwrap();
    let args = ["import", forced.to_str().unwrap(), "--list", "svs", "--force", "--reason", "told by phone"];
    well(&vehicle, &args);
    first_hit("4KLM567");

    station(&depot, &["withdraw", "svs", "--reason", "test"]);
    well(&vehicle, &["sync"]);
    drop(serving);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(6);
    assert_eq!(daemon.hits(), 0);
    daemon.terminate().well();
    let events: Vec<What> = crate::kit::store::events_but_live(&vehicle.store()).iter().map(|e| e.what).collect();
    assert_eq!(events, [What::ListImported, What::ListImported, What::ListForced, What::ListWithdrawn]);
}

#[test]
fn a_file_dropped_into_a_watched_folder_comes_into_force_and_is_answered_beside_it() {
    let vehicle = Vehicle::new();
    std::fs::create_dir(vehicle.path("stick")).unwrap();
    road(&vehicle, "[[hotlists]]\nname = \"svs\"\nkind = \"folder\"\npath = \"stick\"\n");
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(3);
    assert_eq!(daemon.hits(), 0);
    std::fs::write(vehicle.path("stick/new.csv"), "plate\n7ABC123\n").unwrap();
    daemon.wait_for(|line| hits_on(line, "7ABC123"));
    let outcome = vehicle.path("stick/new.csv.outcome.txt");
    let message = until("the outcome", || std::fs::read_to_string(&outcome).ok());
    assert!(message.starts_with("accepted for the list svs") && message.contains("1 entry"), "{message}");
    daemon.terminate().well();
    // What came from the folder is in force after a restart without it.
    std::fs::remove_dir_all(vehicle.path("stick")).unwrap();
    let mut daemon = vehicle.start(&[]);
    daemon.wait_for(|line| hits_on(line, "7ABC123"));
    daemon.terminate().well();
}
