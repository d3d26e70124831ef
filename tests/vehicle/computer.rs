//! The computer under the daemon: ignition, shutdown, sleep.

use crate::kit::clock::Moved;
use crate::kit::logind::Logind;
use crate::kit::mjpeg::MjpegCamera;
use crate::kit::process::{Daemon, Ended, until};
use crate::kit::reading::{picture, plates};
use crate::kit::vehicle::{Settings, Vehicle, images};
use plated_core::clock::SystemClock;
use plated_core::record::Alerting;
use plated_core::shutdown::Shutdown;
use plated_vehicle::config::Config;
use plated_vehicle::pipeline;
use plated_vehicle::store::{Options, Store};
use std::sync::Arc;
use std::time::Duration;

const WANTED: &str = "7ABC123";
const OTHER: &str = "6DEF128";

/// Where a technician wires the ignition to.
fn ignition(vehicle: &Vehicle, on: bool) {
    std::fs::write(vehicle.path("ignition"), if on { "1\n" } else { "0\n" }).unwrap();
}

/// A vehicle before a camera that sees the wanted plate without an end, with a busy road beside it.
fn vehicle(power: &str) -> (Vehicle, MjpegCamera) {
    let (vehicle, camera) = (Vehicle::new(), MjpegCamera::start(&picture(WANTED, false)));
    vehicle.pictures("road", &plates(20));
    std::fs::write(vehicle.path("list.csv"), format!("plate,priority\n{WANTED},high\n{OTHER},high\n")).unwrap();
    let list = "[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\n".to_owned();
    let road = images("road", "road", 0).replace("every_frame", "realtime");
    // What a camera sees is one pass as long as it is seen.
    let settings = Settings { gone_after_s: 5.0, ..Settings::default() };
    vehicle.configure(&settings, &[camera.source("front"), road, list, format!("[power]\n{power}\n")]);
    (vehicle, camera)
}

/// Waits until the wanted plate alerted, which is in view and stays so.
fn alerted(daemon: &mut Daemon) {
    daemon.wait_log("An alert was given");
}

/// Passes that were still open when the daemon ended.
fn left_open(vehicle: &Vehicle) -> usize {
    let options = Options { path: vehicle.path("store.db"), max_bytes: None, vehicle: "unit-7".into() };
    let (store, opened) = Store::open(options, &vehicle.key, Arc::new(SystemClock::new())).unwrap();
    store.close().unwrap();
    opened.released
}

/// All is closed and kept, with the alerts of these plates before the camera, each of one pass.
fn assert_kept(vehicle: &Vehicle, ended: &Ended, wanted: &[&str]) {
    assert_eq!(left_open(vehicle), 0);
    vehicle.assert_stored(ended.reads());
    let stored = vehicle.stored();
    let mut passes: Vec<_> = stored.values().filter(|read| read.camera == "front").collect();
    passes.sort_by_key(|read| read.first_seen);
    let alerts: Vec<_> = passes.iter().map(|read| (&*read.text, read.hits[0].alert)).collect();
    assert_eq!(alerts, wanted.iter().map(|text| (*text, Alerting::Sounded)).collect::<Vec<_>>());
}

#[test]
fn when_the_ignition_goes_off_what_is_in_view_is_closed_and_kept_and_the_daemon_ends_well() {
    let (vehicle, _camera) = vehicle("ignition_file = \"ignition\"\nlogind = false");
    ignition(&vehicle, true);
    let mut daemon = vehicle.start(&[]);
    alerted(&mut daemon);
    let (status, _) = vehicle.status();
    assert!(status.contains("ok        ignition: it is on"), "{status}");
    ignition(&vehicle, false);
    let ended = daemon.end().well();
    assert!(ended.log.contains("The ignition is off: reading ends."), "{}", ended.log);
    assert!(ended.log.contains("The end took "), "how long it took is told: {}", ended.log);
    assert_kept(&vehicle, &ended, &[WANTED]);
    // Who works on the computer with the ignition off can still start it.
    let mut daemon = vehicle.start(&[]);
    alerted(&mut daemon);
    daemon.terminate().well();
}

#[test]
fn a_computer_that_shuts_down_waits_until_what_is_in_view_is_closed_and_kept() {
    let (vehicle, _camera) = vehicle("");
    let Some(logind) = Logind::start(vehicle.dir.path()) else { return };
    let mut daemon = Daemon::start_on_bus(vehicle.dir.path(), logind.address(), &[]);
    logind.wait_held("shutdown");
    alerted(&mut daemon);
    logind.shuts_down();
    daemon.wait_log("The computer shuts down: reading ends.");
    // The service manager asks too, which is no second word of the same.
    let ended = daemon.terminate().well();
    logind.wait_free("shutdown");
    assert_kept(&vehicle, &ended, &[WANTED]);
}

#[test]
fn a_computer_that_sleeps_waits_until_all_is_kept_and_cameras_are_opened_again_when_it_woke() {
    let (vehicle, camera) = vehicle("");
    let Some(logind) = Logind::start(vehicle.dir.path()) else { return };
    let mut daemon = Daemon::start_on_bus(vehicle.dir.path(), logind.address(), &[]);
    logind.wait_held("sleep");
    alerted(&mut daemon);
    logind.sleeps(true);
    logind.wait_free("sleep");
    assert!(logind.is_held("shutdown"));
    until("the camera's closing", || (camera.open() == 0).then_some(()));
    camera.show(&picture(OTHER, false));
    logind.sleeps(false);
    logind.wait_held("sleep");
    daemon.wait_log("cameras are opened again");
    until("the camera's opening", || (camera.open() == 1).then_some(()));
    until("another alert", || (daemon.log().matches("An alert was given").count() == 2).then_some(()));
    // Asleep once more, and its battery is taken out.
    logind.sleeps(true);
    logind.wait_free("sleep");
    let ended = daemon.kill();
    assert_kept(&vehicle, &ended, &[WANTED, OTHER]);
}

#[test]
fn without_logind_the_clocks_tell_that_the_computer_slept_and_what_was_in_view_before_is_another_pass() {
    let (vehicle, camera) = vehicle("logind = false");
    let (clock, stop) = (Arc::new(Moved::new()), Shutdown::new());
    let config = Config::load(&vehicle.path("plated.toml")).unwrap();
    let daemon = pipeline::Daemon::start(&config, clock.clone(), &stop).unwrap();
    until("an alert", || (daemon.status().unwrap().totals.alerts == 1).then_some(()));
    let before = camera.opened();
    clock.slept(Duration::from_secs(8 * 3600));
    until("the camera's opening", || (camera.opened() > before).then_some(()));
    until("an alert after the night", || (daemon.status().unwrap().totals.alerts == 2).then_some(()));
    assert!(daemon.status().unwrap().sources.iter().all(|source| source.ended_with_error().is_none()));
    daemon.stop().unwrap();
    let stored = vehicle.stored();
    let mut passes: Vec<_> = stored.values().filter(|read| read.camera == "front").collect();
    passes.sort_by_key(|read| read.first_seen);
    assert!(
        passes.iter().all(|read| read.last_seen.duration_since(read.first_seen).as_hours() == 0),
        "none is a night long"
    );
    let (first, last) = (passes.first().unwrap(), passes.last().unwrap());
    assert!(last.first_seen.duration_since(first.last_seen).as_hours() >= 7);
    assert!(passes.iter().all(|read| read.clock.is_none()), "the clock went on, and is trusted");
}
