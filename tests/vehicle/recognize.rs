//! What a user of `plated recognize` notices.
use crate::kit::onnx;

use onnx::Element;
use opencv::core::{Mat, Scalar, Size, Vector};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn plated(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plated")).args(args).env("PLATED_LOG", "warn").output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn picture(path: &Path, width: i32, height: i32) {
    let grey = Mat::new_size_with_default(Size::new(width, height), opencv::core::CV_8UC3, Scalar::all(90.0)).unwrap();
    assert!(opencv::imgcodecs::imwrite(path.to_str().unwrap(), &grey, &Vector::new()).unwrap());
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A detector with rows (image, x1, y1, x2, y2, class, score), and its sidecar.
fn yolo(dir: &Path) -> PathBuf {
    let rows = [0.0, 100.0, 240.0, 200.0, 290.0, 0.0, 0.9, 0.0, 0.0, 0.0, 9.0, 9.0, 0.0, 0.1];
    let model = onnx::constant(("images", Element::Float, &[1, 3, 640, 640]), ("output", &[2, 7]), &rows);
    std::fs::write(dir.join("yolo.onnx"), model).unwrap();
    let sidecar = dir.join("yolo.toml");
    std::fs::write(&sidecar, "format = \"yolo-end2end\"\nfile = \"yolo.onnx\"\nthreshold = 0.4\n").unwrap();
    sidecar
}

/// A reader of 9 slots that reads 7ABC123 on anything, its YAML file and its sidecar.
fn fixed_slots(dir: &Path) -> PathBuf {
    let alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    let mut values = vec![0.0005_f32; 9 * 37];
    for (slot, c) in "7ABC123__".chars().enumerate() {
        values[slot * 37 + alphabet.find(c).unwrap()] = 0.98;
    }
    let model = onnx::constant(("input", Element::Uint8, &[-1, 70, 140, 1]), ("plate", &[1, 333]), &values);
    std::fs::write(dir.join("slots.onnx"), model).unwrap();
    let yaml = format!(
        "# of a model zoo\nmax_plate_slots: 9\nalphabet: '{alphabet}'\npad_char: '_'\nimg_height: 70\nimg_width: 140\nkeep_aspect_ratio: false\ninterpolation: linear\nimage_color_mode: grayscale\n"
    );
    std::fs::write(dir.join("slots.yaml"), yaml).unwrap();
    let sidecar = dir.join("slots.toml");
    std::fs::write(&sidecar, "format = \"fixed-slots\"\nfile = \"slots.onnx\"\nconfig = \"slots.yaml\"\n").unwrap();
    sidecar
}

#[test]
fn models_of_the_common_open_families_load_by_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let (detector, reader, photo) = (yolo(dir.path()), fixed_slots(dir.path()), dir.path().join("a.png"));
    picture(&photo, 1280, 720);
    let out = plated(&["recognize", "--json", "--detector", text(&detector), "--reader", text(&reader), text(&photo)]);
    assert!(out.status.success(), "{}", said(&out));
    let plates = &lines(&out)[0]["plates"];
    assert_eq!(plates.as_array().unwrap().len(), 1, "the row under the threshold is left out");
    assert_eq!(plates[0]["text"], "7ABC123");
    // 1280x720 lies on the 640x640 canvas at half its size, 140 pixels from the top.
    assert_eq!(plates[0]["box"], serde_json::json!([200.0, 200.0, 200.0, 100.0]));
    assert_eq!(plates[0]["candidates"][0]["text"], "7ABC123");
}

#[test]
fn a_file_that_is_no_image_is_named_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let reader = fixed_slots(dir.path());
    let detector = yolo(dir.path());
    let photos = dir.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    picture(&photos.join("b.png"), 320, 240);
    std::fs::write(photos.join("a.jpg"), "not a picture").unwrap();
    std::fs::write(photos.join("c.jpg"), "").unwrap();
    std::fs::write(photos.join("labels.jsonl"), "{}").unwrap();
    let out = plated(&["recognize", "--json", "--detector", text(&detector), "--reader", text(&reader), text(&photos)]);
    assert_eq!(out.status.code(), Some(65));
    assert!(said(&out).contains("a.jpg") && said(&out).contains("c.jpg"), "{}", said(&out));
    assert!(!said(&out).contains("panicked"));
    let lines = lines(&out);
    assert_eq!(lines.len(), 3, "every picture has its line, other files have none");
    assert_eq!(lines[1]["plates"][0]["text"], "7ABC123");
    assert!(lines[0]["error"].is_string() && lines[0]["plates"].as_array().unwrap().is_empty());
}

#[test]
fn plate_crops_skips_detection_and_annotate_draws_what_was_read() {
    let dir = tempfile::tempdir().unwrap();
    let (detector, reader, photo) = (yolo(dir.path()), fixed_slots(dir.path()), dir.path().join("crop.png"));
    picture(&photo, 200, 100);
    let drawn = dir.path().join("out");
    let models = ["--detector", text(&detector), "--reader", text(&reader)];
    let rest = ["--plate-crops", "--annotate", text(&drawn), text(&photo)];
    let out = plated(&[&["recognize", "--json"][..], &models, &rest].concat());
    assert!(out.status.success(), "{}", said(&out));
    assert_eq!(lines(&out)[0]["plates"][0]["box"], serde_json::json!([0.0, 0.0, 200.0, 100.0]));
    let before = std::fs::read(&photo).unwrap();
    let after = opencv::imgcodecs::imread(text(&drawn.join("crop.jpg")), opencv::imgcodecs::IMREAD_COLOR).unwrap();
    assert!(opencv::core::mean_def(&after).unwrap() != Scalar::all(90.0), "something was drawn");
    assert_eq!(std::fs::read(&photo).unwrap(), before, "the original is untouched");
}

#[test]
fn a_missing_library_or_model_is_one_sentence_that_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (detector, reader, photo) = (yolo(dir.path()), fixed_slots(dir.path()), dir.path().join("a.png"));
    picture(&photo, 64, 64);
    let nothing = dir.path().join("nothing");
    let out = plated(&["recognize", "--models", text(&nothing), text(&photo)]);
    assert_eq!(out.status.code(), Some(69));
    assert!(said(&out).contains("recognition.models") && said(&out).lines().count() == 1, "{}", said(&out));

    let out = Command::new(env!("CARGO_BIN_EXE_plated"))
        .args(["recognize", "--detector", text(&detector), "--reader", text(&reader), text(&photo)])
        .env("ORT_DYLIB_PATH", dir.path().join("libonnxruntime.so"))
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(69));
    assert!(said(&out).contains("libonnxruntime.so") && said(&out).lines().count() == 1, "{}", said(&out));

    std::fs::write(dir.path().join("libonnxruntime.so"), "no library").unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_plated"))
        .args(["recognize", "--detector", text(&detector), "--reader", text(&reader), text(&photo)])
        .env("ORT_DYLIB_PATH", dir.path().join("libonnxruntime.so"))
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(69));
    assert!(said(&out).contains("make setup"), "{}", said(&out));
}

#[test]
fn a_model_that_does_not_fit_its_sidecar_is_refused_with_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let (detector, reader, photo) = (yolo(dir.path()), fixed_slots(dir.path()), dir.path().join("a.png"));
    picture(&photo, 64, 64);
    let with = |detector: &Path, reader: &Path| {
        let out = plated(&["recognize", "--detector", text(detector), "--reader", text(reader), text(&photo)]);
        assert!(!out.status.success() && !said(&out).contains("panicked"), "{}", said(&out));
        said(&out)
    };
    // Another hash.
    let other = dir.path().join("hash.toml");
    let wrong = format!("format = \"yolo-end2end\"\nfile = \"yolo.onnx\"\nsha256 = \"{}\"\n", "0".repeat(64));
    std::fs::write(&other, wrong).unwrap();
    assert!(with(&other, &reader).contains("SHA-256"));
    // Another shape.
    std::fs::write(
        dir.path().join("slots.yaml"),
        "max_plate_slots: 9\nalphabet: 'AB_'\npad_char: '_'\nimg_height: 64\nimg_width: 128\n",
    )
    .unwrap();
    assert!(with(&detector, &reader).contains("slots.onnx"));
    // Not a model at all, and a key that does not exist.
    std::fs::write(dir.path().join("yolo.onnx"), "no model").unwrap();
    assert!(with(&detector, &reader).contains("yolo.onnx"));
    std::fs::write(&detector, "format = \"yolo-end2end\"\nfile = \"yolo.onnx\"\ntreshold = 0.4\n").unwrap();
    assert!(with(&detector, &reader).contains("treshold"));
}
