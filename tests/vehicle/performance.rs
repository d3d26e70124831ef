//! `plated performance run`: a labelled set through the vehicle's models (control P-31).

use crate::kit::vehicle::{Settings, Vehicle, images};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// A vehicle with a camera `front`, and a set of photos of these plates with these labels.
fn vehicle(plates: &[&str], labels: &str) -> Vehicle {
    let vehicle = Vehicle::new();
    vehicle.configure(&Settings::default(), &[images("front", "street", 1)]);
    vehicle.pictures("autumn", &plates.iter().map(|plate| (*plate).to_owned()).collect::<Vec<_>>());
    std::fs::write(vehicle.path("autumn/labels.csv"), format!("file,plate,state\n{labels}")).unwrap();
    vehicle
}

fn plated(vehicle: &Vehicle, args: &[&str]) -> Output {
    let config = vehicle.path("plated.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
    command.arg("performance").args(args).arg("--config").arg(config).env("XDG_RUNTIME_DIR", vehicle.dir.path());
    command.output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The names of the pictures, in their order.
fn pictures(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with(".csv")).collect();
    names.sort();
    names
}

// policy: P-31
#[test]
fn a_labelled_folder_is_replayed_and_its_rates_are_kept_listed_and_shown_without_a_plate() {
    let vehicle = vehicle(&["7ABC123", "8XYZ9B7", "4HNU635", ""], "");
    let names = pictures(&vehicle.path("autumn"));
    // Read right, misread, on another plate altogether, and a street without one.
    let labels = format!(
        "file,plate,state\n{},7ABC123,\n{},8XYZ987,\n{},812XKR,NV\n{},,\n",
        names[0], names[1], names[2], names[3]
    );
    std::fs::write(vehicle.path("autumn/labels.csv"), labels).unwrap();
    let set = vehicle.path("autumn");
    let set = set.to_str().unwrap();
    let ran = plated(&vehicle, &["run", set, "--camera", "front", "--note", "lens cleaned"]);
    let text = out(&ran);
    assert!(text.contains("test 1") && text.contains("camera front  set autumn") && text.contains("lens cleaned"));
    assert!(text.contains("plates 3, found 2, read exactly 1") && text.contains("extra reads 1"), "{text}");
    assert!(text.contains("capture rate    66.7 %  (20.8 to 93.9 %)  2 of 3"), "{text}");
    assert!(text.contains("read accuracy   50.0 %  (9.5 to 90.5 %)  1 of 2"), "{text}");
    assert!(text.contains("end to end      33.3 %  (6.1 to 79.2 %)  1 of 3"), "{text}");
    let json = lines(&plated(&vehicle, &["run", set, "--set", "again", "--misses", "--json"]));
    assert_eq!((&json[0]["test"]["number"], &json[0]["rates"]["capture"]["value"]), (&2.into(), &(2.0 / 3.0).into()));
    let missed: Vec<_> = json[1..].iter().map(|line| line["miss"]["plate"]["text"].as_str().unwrap()).collect();
    assert_eq!(missed, ["812XKR", "8XYZ987"], "the worst first");
    assert_eq!(json[2]["miss"]["read"]["text"], "8XYZ9B7");
    let listed = out(&plated(&vehicle, &["list"]));
    let listed: Vec<&str> = listed.lines().collect();
    assert_eq!(listed.len(), 2);
    assert!(
        listed[0].contains("set again") && listed[1].contains("set autumn  3 plates  capture 66.7 %"),
        "{listed:?}"
    );
    let shown = out(&plated(&vehicle, &["show", "1"]));
    assert_eq!(shown, text);
    assert!(shown.contains("digest of the set") && shown.contains("reader"), "{shown}");
    let of_front = lines(&plated(&vehicle, &["list", "--camera", "front", "--json"]));
    assert_eq!(of_front.len(), 1);
    assert_eq!(of_front[0]["test"]["method"]["sha256"], json[0]["test"]["method"]["sha256"], "the same set");
    for text in [text, out(&plated(&vehicle, &["list", "--json"]))] {
        assert!(["7ABC123", "8XYZ987", "812XKR", "8XYZ9B7"].iter().all(|plate| !text.contains(plate)), "{text}");
    }
    assert!(err(&plated(&vehicle, &["show", "9"])).contains("there is no performance test 9"));
}

// policy: P-31
#[test]
fn what_can_not_be_compared_is_refused_before_or_instead_of_a_result() {
    let vehicle = vehicle(&["7ABC123"], "gone.jpg,7ABC123,CA\n");
    let set = vehicle.path("autumn");
    let set = set.to_str().unwrap();
    let refused = |args: &[&str]| err(&plated(&vehicle, &[&["run"], args].concat()));
    assert!(refused(&[set]).contains("gone.jpg"));
    assert!(refused(&[set, "--camera", "left"]).contains("there are: front"));
    std::fs::write(vehicle.path("autumn/labels.csv"), "plate\n7ABC123\n").unwrap();
    assert!(refused(&[set]).contains("labels.csv line 1"));
    std::fs::remove_file(vehicle.path("autumn/labels.csv")).unwrap();
    assert!(refused(&[set]).contains("has no labels"));
    std::fs::write(vehicle.path("autumn/labels.csv"), "file,plate\nbroken.jpg,7ABC123\n").unwrap();
    std::fs::write(vehicle.path("autumn/broken.jpg"), "no picture").unwrap();
    assert!(refused(&[set]).contains("broken.jpg"));
    assert!(out(&plated(&vehicle, &["list"])).contains("no performance test"));
}

// policy: P-31, P-20
#[test]
fn where_logins_are_required_nobody_tests_or_sees_results_without_one() {
    let vehicle = vehicle(&["7ABC123"], "");
    let path = vehicle.path("plated.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}[access]\nlogins_required = true\n")).unwrap();
    for args in [&["run", "nowhere"][..], &["list"], &["start", "--camera", "front"], &["end"], &["end", "--discard"]] {
        let refused = err(&plated(&vehicle, args));
        assert!(refused.contains("log in first"), "{args:?}: {refused}");
    }
}
