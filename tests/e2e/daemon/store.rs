//! One owner, an end in order, and a store without room.

use crate::kit::Depot;
use crate::kit::process::{Daemon, Line, Station, address, until};
use crate::kit::reading::{self, plates};
use crate::kit::sound;
use crate::kit::vehicle::{Settings, Vehicle, assert_at_station, images, transfer};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn a_second_daemon_on_the_same_store_is_refused_by_the_firsts_number_and_the_first_goes_on() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &plates(20));
    vehicle.configure(&Settings::default(), &[images("front", "road", 0)]);
    let mut first = vehicle.start(&[]);
    first.wait_reads(1);
    let second = vehicle.start(&[]).end();
    assert_eq!(second.status.code(), Some(75));
    assert!(second.log.contains(&format!("in use by the process {}", first.id())), "{}", second.log);
    assert_eq!(second.lines.len(), 0);
    first.wait_reads(50);
    let first = first.terminate().well();
    vehicle.assert_stored(first.reads());
}

#[test]
fn sigterm_closes_what_is_in_view_keeps_it_and_frees_the_store() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &plates(1));
    std::fs::write(vehicle.path("list.csv"), format!("plate\n{}\n", plates(1)[0])).unwrap();
    // The same plate in every picture, and no time out of sight is long enough: the pass is open.
    let source = images("front", "road", 0).replace("every_frame", "realtime");
    let list = "[[hotlists]]\nname = \"local\"\npath = \"list.csv\"\n".to_owned();
    vehicle.configure(&Settings { gone_after_s: 60.0, ..Settings::default() }, &[source, list]);
    let mut daemon = vehicle.start(&[]);
    let Some(Line::Hit { read: open, .. }) = daemon.next() else { panic!("no hit") };
    let ended = daemon.terminate().well();
    let reads: Vec<_> = ended.reads().collect();
    assert_eq!(reads.iter().map(|r| r.id).collect::<Vec<_>>(), [open]);
    assert_eq!(reads[0].hits.len(), 1);
    vehicle.assert_stored(reads);
    let stats = vehicle.store().stats().unwrap();
    assert_eq!((stats.open, stats.pending), (0, 1));
    assert!(vehicle.check().status.success());
    assert_eq!(ended.at("ERROR"), [""; 0]);
}

// policy: P-12
#[test]
fn in_dense_traffic_with_the_station_out_of_reach_sigterm_ends_it_by_itself_with_every_announced_read_kept() {
    let (depot, vehicle) = (Depot::new(), Vehicle::new());
    vehicle.pictures("road", &plates(40));
    std::fs::write(vehicle.path("list.csv"), format!("plate\n{}\n", plates(3).join("\n"))).unwrap();
    let list = "[[hotlists]]\nname = \"local\"\npath = \"list.csv\"\n".to_owned();
    let sources = [images("front", "road", 0), images("rear", "road", 0)];
    vehicle.configure(&Settings::default(), &[sources.concat(), list, transfer(&depot, address())]);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(30);
    // Nothing but the signal of the ignition: whatever is under way is finished, and nobody kills it.
    let ended = daemon.terminate().well();
    let reads: Vec<_> = ended.reads().collect();
    assert!(reads.len() >= 30 && reads.iter().any(|read| !read.hits.is_empty()), "{}", reads.len());
    vehicle.assert_stored(reads);
    let stats = vehicle.store().stats().unwrap();
    assert_eq!((stats.open, stats.pending), (0, stats.reads), "all wait for the station");
    assert!(vehicle.check().status.success());
    assert_eq!(ended.at("ERROR"), [""; 0]);
}

/// Plates on pictures that take some 20 KiB each in the store.
fn large_pictures(vehicle: &Vehicle, count: usize) {
    reading::pictures(&vehicle.path("road"), &plates(count), true);
}

#[test]
fn while_the_disk_is_full_reads_wait_and_once_there_is_room_all_are_kept() {
    let vehicle = Vehicle::new();
    large_pictures(&vehicle, 100);
    vehicle.configure(&Settings::default(), &[images("front", "road", 1)]);
    let mut daemon = Daemon::start_on_full_disk(vehicle.dir.path(), 512, &["--until-end"]);
    let message = daemon.wait_log("can't be kept and wait in memory");
    assert!(message.contains(" ERROR ") && message.contains("there is no room"), "{message}");
    // Longer than what waits is tried for at an end in order: the pictures are at their end, but
    // nobody asked the daemon to stop.
    std::thread::sleep(Duration::from_secs(4));
    assert!(daemon.is_running());
    daemon.free_disk();
    let ended = daemon.end().well();
    assert_eq!(ended.at("ERROR").len(), 1, "said once: {}", ended.log);
    assert!(ended.log.contains("The store can write again; nothing was lost."));
    assert_eq!(ended.reads().count(), 100);
    vehicle.assert_stored(ended.reads());
    assert_eq!(vehicle.stored().len(), 100);
}

#[test]
fn once_the_disk_has_room_reads_are_kept_at_once_however_dense_the_traffic() {
    let vehicle = Vehicle::new();
    large_pictures(&vehicle, 100);
    // Fifteen a second, so that there is always a next one before the store is tried again.
    let source = images("front", "road", 0).replace("every_frame", "realtime");
    vehicle.configure(&Settings::default(), &[source]);
    let mut daemon = Daemon::start_on_full_disk(vehicle.dir.path(), 512, &[]);
    daemon.wait_log("can't be kept and wait in memory");
    daemon.free_disk();
    daemon.wait_log("The store can write again");
    assert!(daemon.announced() < 256, "not only when no more can wait");
    vehicle.assert_stored(daemon.terminate().well().reads());
}

#[test]
fn with_a_full_disk_and_all_that_can_wait_waiting_it_says_so_and_still_ends() {
    let vehicle = Vehicle::new();
    large_pictures(&vehicle, 100);
    vehicle.configure(&Settings { max_mib: 1, ..Settings::default() }, &[images("front", "road", 0)]);
    let mut daemon = vehicle.start(&[]);
    let message = daemon.wait_log("No more reads can wait for the store");
    assert!(message.contains(" ERROR ") && message.contains("alerts sound"), "{message}");
    let ended = daemon.terminate();
    assert_eq!(ended.status.code(), Some(74), "{}", ended.log);
    assert!(ended.at("ERROR").last().unwrap().contains("Reads were lost"), "{}", ended.log);
    assert_eq!(vehicle.stored().len(), ended.reads().count());
}

#[test]
fn with_a_full_disk_a_hit_is_still_heard_and_is_shown_once_it_is_kept() {
    let vehicle = Vehicle::new();
    large_pictures(&vehicle, 100);
    std::fs::write(vehicle.path("asound.conf"), sound::alsa_configuration(vehicle.dir.path())).unwrap();
    std::fs::write(vehicle.path("list.csv"), format!("plate,priority\n{},high\n", plates(100)[90])).unwrap();
    let list = "[[hotlists]]\nname = \"local\"\npath = \"list.csv\"\n".to_owned();
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), list]);
    let mut daemon = Daemon::start_on_full_disk(vehicle.dir.path(), 512, &["--until-end"]);
    daemon.wait_log("can't be kept and wait in memory");
    let played = vehicle.path("default.raw");
    until("the chime", || (!sound::read(&played).is_empty()).then_some(()));
    // Reads wait, and so does the hit, unless what is left of the disk has room for it.
    assert!(daemon.announced() < 90, "nothing is shown before it is kept");
    daemon.free_disk();
    let ended = daemon.end().well();
    let hits: Vec<_> = ended.hits().map(|(hit, _, sounded)| (hit.text.clone(), sounded)).collect();
    assert_eq!(hits, [(plates(100)[90].clone(), true)]);
    assert_eq!(ended.reads().count(), 100);
    vehicle.assert_stored(ended.reads());
}

#[test]
fn with_a_full_store_and_more_reads_than_can_wait_a_wanted_plate_is_still_heard() {
    let vehicle = Vehicle::new();
    large_pictures(&vehicle, 1000);
    std::fs::write(vehicle.path("asound.conf"), sound::alsa_configuration(vehicle.dir.path())).unwrap();
    std::fs::write(vehicle.path("list.csv"), format!("plate,priority\n{},high\n", plates(1000)[990])).unwrap();
    let list = "[[hotlists]]\nname = \"local\"\npath = \"list.csv\"\n".to_owned();
    vehicle.configure(&Settings { max_mib: 1, ..Settings::default() }, &[images("front", "road", 1), list]);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_log("No more reads can wait for the store");
    let played = vehicle.path("default.raw");
    until("the chime", || (sound::melody(&sound::read(&played)) == [1500.0, 1100.0].repeat(6)).then_some(()));
    assert_eq!(daemon.hits(), 0, "nothing is shown before it is kept");
    assert_eq!(daemon.terminate().status.code(), Some(74));
}

#[test]
fn a_terminal_and_a_journal_that_stand_still_hold_up_no_alert_and_no_end() {
    let vehicle = Vehicle::new();
    let (mut journal, _reads_nothing) = UnixStream::pair().unwrap();
    journal.set_nonblocking(true).unwrap();
    while journal.write(&[b'x'; 4096]).is_ok() {}
    journal.set_nonblocking(false).unwrap();
    let journal = File::from(OwnedFd::from(journal));
    let is_journal = journal.metadata().map(|m| format!("{}:{}", m.dev(), m.ino())).unwrap();
    large_pictures(&vehicle, 300);
    std::fs::write(vehicle.path("asound.conf"), sound::alsa_configuration(vehicle.dir.path())).unwrap();
    // The lines of so many reads fill any pipe.
    std::fs::write(vehicle.path("list.csv"), format!("plate,priority\n{},high\n", plates(300)[290])).unwrap();
    let list = "[[hotlists]]\nname = \"local\"\npath = \"list.csv\"\n".to_owned();
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), list]);
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_plated"))
        .args(["run", "--json", "--config"])
        .arg(vehicle.path("plated.toml"))
        .env("ALSA_CONFIG_PATH", vehicle.path("asound.conf"))
        .stdin(Stdio::null())
        .env("JOURNAL_STREAM", is_journal)
        .env("PLATED_LOG", "debug")
        .stdout(Stdio::piped())
        .stderr(journal)
        .spawn()
        .unwrap();
    let played = vehicle.path("default.raw");
    until("the chime", || (sound::melody(&sound::read(&played)) == [1500.0, 1100.0].repeat(6)).then_some(()));
    assert!(Command::new("kill").arg(daemon.id().to_string()).status().unwrap().success());
    let status = until("the end", || daemon.try_wait().unwrap());
    assert!(status.success(), "{status}");
    let stored = vehicle.stored();
    assert!(stored.len() >= 290 && stored.values().any(|read| !read.hits.is_empty()), "{}", stored.len());
}

// policy: P-12
#[test]
fn a_full_store_gives_all_it_holds_to_the_station_and_says_how_many_reads_it_could_not_hold() {
    let (depot, vehicle, address) = (Depot::new(), Vehicle::new(), address());
    large_pictures(&vehicle, 100);
    let tables = [images("front", "road", 1), transfer(&depot, address)];
    vehicle.configure(&Settings { max_mib: 1, ..Settings::default() }, &tables);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_log("can't be kept and wait in memory");
    let _station = Station::start_at(&depot, address);
    // Receipts have room kept for them. The reads themselves stay: nothing is deleted here yet.
    until("the reads at the station", || (depot.reads() as usize == daemon.announced()).then_some(()));
    assert!(daemon.is_running());
    let ended = daemon.terminate();
    assert_eq!(ended.status.code(), Some(74), "{}", ended.log);
    let errors = ended.at("ERROR");
    assert_eq!(errors.len(), 2, "{}", ended.log);
    let announced = ended.reads().count();
    let lost = format!("reads={}", 100 - announced);
    assert!(announced > 5 && errors[1].contains("Reads were lost") && errors[1].contains(&lost), "{}", ended.log);
    assert_eq!(vehicle.stored().len(), announced, "nothing else is in the store");

    // With more room it goes on, and what was announced is at the station.
    vehicle.configure(&Settings::default(), &tables);
    let second = vehicle.run_to_the_end();
    assert_eq!(second.reads().count(), 100);
    vehicle.assert_stored(ended.reads().chain(second.reads()));
    assert_at_station(&depot, &vehicle);
}
