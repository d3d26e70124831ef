//! Recognition spares the computer where nothing moves, and where it is too hot.

use crate::kit::process::until;
use crate::kit::vehicle::{Settings, Vehicle, images};

const PLATE: &str = "7ABC123";

/// A camera of 15 frames a second that shows these pictures, `repeat` times; 0 is for ever.
fn camera(vehicle: &Vehicle, pictures: &[&str], repeat: u32) -> String {
    vehicle.pictures("road", &pictures.iter().map(|plate| (*plate).to_owned()).collect::<Vec<_>>());
    images("front", "road", repeat).replace("every_frame", "realtime")
}

#[test]
fn a_camera_in_whose_picture_nothing_moves_is_recognised_now_and_then_and_the_vehicle_in_view_stays_one_read() {
    let vehicle = Vehicle::new();
    // Ten seconds of the same.
    let camera = camera(&vehicle, &[PLATE], 150);
    vehicle.configure(&Settings { gone_after_s: 0.8, ..Settings::default() }, &[camera]);
    let ended = vehicle.start(&["--until-end"]).end().well();
    let (summary, reads) = (ended.summary(), ended.reads().collect::<Vec<_>>());
    let recognised = summary["frames"].as_u64().unwrap();
    assert!((40..75).contains(&recognised), "those of three seconds, and one in two seconds after that: {summary}");
    assert!(summary["spared"].as_u64().unwrap() >= 75, "{summary}");
    assert_eq!((reads.len(), &*reads[0].text, u64::from(reads[0].looks)), (1, PLATE, recognised), "{summary}");
    let stayed = reads[0].last_seen.duration_since(reads[0].first_seen).as_secs_f64();
    assert!(stayed >= 9.0, "it was in view all the time: {stayed}");
}

#[test]
fn a_plate_that_comes_into_a_still_picture_is_read_from_its_first_frames_on_and_alerts() {
    let vehicle = Vehicle::new();
    let pictures = [&[""; 90][..], &[PLATE; 15]].concat();
    let camera = camera(&vehicle, &pictures, 1);
    std::fs::write(vehicle.path("list.csv"), format!("plate\n{PLATE}\n")).unwrap();
    let list = "[[hotlists]]\nname = \"local\"\npath = \"list.csv\"\n".to_owned();
    vehicle.configure(&Settings { gone_after_s: 0.8, ..Settings::default() }, &[camera, list]);
    let ended = vehicle.start(&["--until-end"]).end().well();
    let (summary, read) = (ended.summary(), ended.reads().next().unwrap());
    assert!(summary["spared"].as_u64().unwrap() >= 20, "it stood still before: {summary}");
    assert_eq!((&*read.text, summary["alerts"].as_u64()), (PLATE, Some(1)), "{summary}");
    assert!(read.looks >= 11, "of 15 frames: {}", read.looks);
}

#[test]
fn a_computer_that_is_too_hot_recognises_fewer_frames_and_says_so() {
    let vehicle = Vehicle::new();
    let zone = vehicle.path("sys/class/thermal/thermal_zone0");
    std::fs::create_dir_all(&zone).unwrap();
    std::fs::write(zone.join("temp"), "60000\n").unwrap();
    let camera = camera(&vehicle, &[PLATE, "6DEF128"], 200);
    vehicle.configure(&Settings::default(), &[camera, "[power]\nfolder = \"sys\"\n".to_owned()]);
    let mut daemon = vehicle.start(&["--until-end"]);
    daemon.wait_log("The first frame is recognised");
    let says = |what: &'static str| until(what, || vehicle.status().0.contains(what).then_some(()));
    says("ok        power: 60 °C, nothing is slowed");
    std::fs::write(zone.join("temp"), "97000\n").unwrap();
    says("power: recognition is slowed to 4 smaller pictures a second");
    let message = daemon.wait_log("The computer is spared: recognition is slowed to 4");
    assert!(message.contains(" WARN ") && message.contains("the computer is at 97 °C; let air to it"), "{message}");
    let summary = daemon.end().well().summary().clone();
    assert!(summary["spared"].as_u64().unwrap() >= 60, "of some twenty seconds: {summary}");
}
