//! `plated doctor`: what a technician reads.

use crate::kit::reading::plates;
use crate::kit::vehicle::{Settings, Vehicle, images};
use std::process::Command;

fn doctor(vehicle: &Vehicle, args: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
    command.arg("doctor").args(args).arg("--config").arg(vehicle.path("plated.toml"));
    command.env("ALSA_CONFIG_PATH", vehicle.path("asound.conf")).env("XDG_RUNTIME_DIR", vehicle.path(""));
    let output = command.output().unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
}

#[test]
fn the_doctor_tries_camera_models_key_and_sound_and_shows_no_plate() {
    let vehicle = Vehicle::new();
    let plates = plates(1);
    vehicle.pictures("road", &plates);
    vehicle.configure(&Settings::default(), &[images("front", "road", 1)]);
    let (text, code) = doctor(&vehicle, &[]);
    for part in ["configuration", "key of the store", "models", "camera front", "chime", "disk"] {
        assert!(text.contains(&format!("ok        {part}: ")), "{part}: {text}");
    }
    assert!(text.contains("WARN      daemon: it does not run") && !text.contains(&plates[0]), "{text}");
    assert_eq!(code, Some(1));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do_and_by_the_exit_code() {
    let vehicle = Vehicle::new();
    let camera = "[[sources]]\nname = \"front\"\nkind = \"v4l2\"\ndevice = \"not-there\"\n".to_owned();
    vehicle.configure(&Settings::default(), &[camera, "[gps]\naddress = \"127.0.0.1:1\"\n".to_owned()]);
    std::fs::remove_file(vehicle.path("store.key")).unwrap();
    let (text, code) = doctor(&vehicle, &["--json"]);
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    let level = |what: &str| found.as_array().unwrap().iter().find(|f| f["what"] == what).map(|f| f["level"].clone());
    assert_eq!(level("key of the store").unwrap(), "failed");
    assert_eq!(level("camera front").unwrap(), "failed");
    assert_eq!(level("gps").unwrap(), "degraded");
    assert_eq!(code, Some(2));
    std::fs::write(vehicle.path("plated.toml"), "vehicel = 1\n").unwrap();
    let (text, code) = doctor(&vehicle, &[]);
    assert!(text.contains("CRITICAL  configuration: ") && text.contains("vehicel"), "{text}");
    assert_eq!(code, Some(2));
}
