//! A source that can't be used is named, and the others go on.

use crate::kit::process::{Line, until};
use crate::kit::reading::plates;
use crate::kit::vehicle::{Settings, Vehicle, images, video};
use std::path::Path;

#[test]
fn empty_truncated_and_other_files_are_named_and_the_good_source_is_read_whole() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &plates(30));
    let drive = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/drive.mp4")).unwrap();
    std::fs::write(vehicle.path("empty.mp4"), "").unwrap();
    std::fs::write(vehicle.path("truncated.mp4"), &drive[..drive.len() / 3]).unwrap();
    std::fs::write(vehicle.path("text.mp4"), "not a video\n".repeat(1000)).unwrap();
    std::fs::create_dir(vehicle.path("bare")).unwrap();
    let file = |name: &str| video(name, &vehicle.path(&format!("{name}.mp4")));
    let sources = [
        file("empty"),
        file("text"),
        images("bare", "bare", 1),
        images("nowhere", "nowhere", 1),
        images("good", "road", 1),
        file("truncated"),
    ];
    vehicle.configure(&Settings::default(), &sources);
    let ended = vehicle.start(&["--until-end", "--drain", "60"]).end();
    assert_eq!(ended.status.code(), Some(65), "{}", ended.log);

    let read: Vec<&str> = ended.reads().filter(|r| r.camera == "good").map(|r| r.text.as_str()).collect();
    assert_eq!(read, plates(30));
    let errors: Vec<&str> =
        ended.summary()["errors"].as_array().unwrap().iter().map(|e| e["source"].as_str().unwrap()).collect();
    for name in ["empty", "text", "bare", "nowhere", "truncated"] {
        assert!(errors.contains(&name), "{name} is not in the summary: {}", ended.summary());
        let message =
            ended.log.lines().any(|l| l.contains(&format!("source={name}")) && l.contains("ended with an error"));
        assert!(message, "{name} is not named: {}", ended.log);
    }
    assert!(ended.log.contains("truncated.mp4 is cut off: it ends inside a box; "), "{}", ended.log);
    assert!(!errors.contains(&"good") && !ended.log.contains("panicked"), "{}", ended.log);
    vehicle.assert_stored(ended.reads());
}

#[test]
fn a_camera_that_is_not_there_is_named_and_tried_again_while_the_other_reads() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &plates(30));
    let camera = "[[sources]]\nname = \"rear\"\nkind = \"v4l2\"\ndevice = \"no-such-camera\"\n".to_owned();
    vehicle.configure(&Settings::default(), &[camera, images("front", "road", 1)]);
    let mut daemon = vehicle.start(&["--until-end"]);
    let message = daemon.wait_log("tried again until it works");
    assert!(message.contains(" WARN ") && message.contains("rear") && message.contains("no-such-camera"), "{message}");
    daemon.wait_reads(29);
    assert!(daemon.is_running(), "a camera may still come");
    until("the camera in the status", || {
        let (message, code) = vehicle.status();
        let named = message.lines().any(|l| l.starts_with("CRITICAL  camera rear: ") && l.contains("no-such-camera"));
        (named && code == Some(2)).then_some(())
    });
    let ended = daemon.terminate().well();
    assert_eq!(ended.reads().map(|r| r.text.clone()).collect::<Vec<_>>(), plates(30));
    assert!(ended.lines.iter().any(|l| matches!(l, Line::Summary(_))));
}

#[test]
fn a_reader_of_the_output_that_goes_away_does_not_end_the_reading() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &plates(40));
    vehicle.configure(&Settings::default(), &[images("front", "road", 1)]);
    let mut daemon = std::process::Command::new(env!("CARGO_BIN_EXE_plated"))
        .args(["run", "--until-end", "--config"])
        .arg(vehicle.path("plated.toml"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(daemon.stdout.take());
    daemon.wait().unwrap();
    assert_eq!(vehicle.stored().len(), 40);
}

#[test]
fn a_source_that_failed_is_told_by_the_exit_code_although_the_rest_was_read() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &plates(5));
    std::fs::write(vehicle.path("text.mp4"), "not a video\n".repeat(1000)).unwrap();
    vehicle.configure(&Settings::default(), &[video("text", &vehicle.path("text.mp4")), images("good", "road", 1)]);
    let ended = vehicle.start(&["--until-end"]).end();
    assert_eq!((ended.status.code(), ended.reads().count()), (Some(65), 5), "{}", ended.log);
}

#[test]
fn a_hangup_changes_nothing_and_a_request_to_end_is_heard_from_the_first_moment() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &plates(5));
    vehicle.configure(&Settings::default(), &[images("front", "road", 0).replace("every_frame", "realtime")]);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(1);
    let hangup = std::process::Command::new("kill").args(["-HUP", &daemon.id().to_string()]).status().unwrap();
    assert!(hangup.success());
    daemon.wait_log("SIGHUP is ignored");
    daemon.wait_reads(3);
    daemon.terminate().well();
    // While it starts: whatever it has begun by then ends in order.
    for wait in [30, 120, 250] {
        let daemon = vehicle.start(&[]);
        std::thread::sleep(std::time::Duration::from_millis(wait)); // The moment is what is tried.
        let ended = daemon.terminate();
        assert!(ended.status.success() || ended.log.is_empty(), "{}: {}", ended.status, ended.log);
    }
}
