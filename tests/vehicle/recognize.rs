//! What a user of `plated recognize` notices.
use crate::kit::matroska::matroska;
use crate::kit::onnx;

use onnx::Element;
use opencv::core::{Mat, Scalar, Size, Vector};
use opencv::prelude::VectorToVec;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn plated(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plated")).args(args).env("PLATED_LOG", "warn").output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn message(output: &Output) -> String {
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
    assert!(out.status.success(), "{}", message(&out));
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
    assert!(message(&out).contains("a.jpg") && message(&out).contains("c.jpg"), "{}", message(&out));
    assert!(!message(&out).contains("panicked"));
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
    assert!(out.status.success(), "{}", message(&out));
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
    assert!(message(&out).contains("recognition.models") && message(&out).lines().count() == 1, "{}", message(&out));

    let out = Command::new(env!("CARGO_BIN_EXE_plated"))
        .args(["recognize", "--detector", text(&detector), "--reader", text(&reader), text(&photo)])
        .env("ORT_DYLIB_PATH", dir.path().join("libonnxruntime.so"))
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(69));
    assert!(message(&out).contains("libonnxruntime.so") && message(&out).lines().count() == 1, "{}", message(&out));

    std::fs::write(dir.path().join("libonnxruntime.so"), "no library").unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_plated"))
        .args(["recognize", "--detector", text(&detector), "--reader", text(&reader), text(&photo)])
        .env("ORT_DYLIB_PATH", dir.path().join("libonnxruntime.so"))
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(69));
    assert!(message(&out).contains("make setup"), "{}", message(&out));
}

#[test]
fn a_model_that_does_not_fit_its_sidecar_is_refused_with_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let (detector, reader, photo) = (yolo(dir.path()), fixed_slots(dir.path()), dir.path().join("a.png"));
    picture(&photo, 64, 64);
    let with = |detector: &Path, reader: &Path| {
        let out = plated(&["recognize", "--detector", text(detector), "--reader", text(reader), text(&photo)]);
        assert!(!out.status.success() && !message(&out).contains("panicked"), "{}", message(&out));
        message(&out)
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

/// Detector and reader that find one plate on anything.
fn models(dir: &Path) -> Vec<String> {
    let (detector, reader) = (yolo(dir), fixed_slots(dir));
    ["--detector", text(&detector), "--reader", text(&reader)].map(String::from).to_vec()
}

fn recognize(models: &[String], rest: &[&str]) -> Output {
    let models: Vec<&str> = models.iter().map(String::as_str).collect();
    plated(&[&["recognize"], &models[..], rest].concat())
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn annotated_copies_never_overwrite_an_original_or_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let models = models(dir.path());
    let (photos, drawn) = (dir.path().join("photos"), dir.path().join("out"));
    std::fs::create_dir_all(photos.join("rear")).unwrap();
    for name in ["p.jpg", "p.png", "rear/p.jpg"] {
        picture(&photos.join(name), 320, 240);
    }
    let before = std::fs::read(photos.join("p.jpg")).unwrap();
    for (into, what) in [(&photos, &photos), (&photos, &photos.join("p.jpg"))] {
        let out = recognize(&models, &["--annotate", text(into), text(what)]);
        assert_eq!(out.status.code(), Some(78), "{}", message(&out));
        assert!(message(&out).contains("another folder"), "{}", message(&out));
    }
    assert_eq!(std::fs::read(photos.join("p.jpg")).unwrap(), before);
    for _ in 0..2 {
        let out = recognize(&models, &["--annotate", text(&drawn), text(&photos)]);
        assert!(out.status.success(), "{}", message(&out));
    }
    assert_eq!(names(&drawn), ["p-2.jpg", "p-3.jpg", "p-4.jpg", "p-5.jpg", "p-6.jpg", "p.jpg"]);
    // A folder for copies inside the one that is read is no part of what is read.
    let inside = photos.join("copies");
    for _ in 0..2 {
        let out = recognize(&models, &["--json", "--annotate", text(&inside), text(&photos)]);
        assert_eq!(lines(&out).len(), 3);
        assert!(message(&out).contains("left out of what is read"), "{}", message(&out));
    }
}

#[test]
fn a_copy_that_can_not_be_written_costs_no_read_and_is_an_error_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let models = models(dir.path());
    // Its name is as long as names can be, and the copy's would be longer.
    let (long, drawn) = (dir.path().join("p".repeat(255)), dir.path().join("out"));
    picture(&dir.path().join("p.png"), 320, 240);
    std::fs::rename(dir.path().join("p.png"), &long).unwrap();
    let out = recognize(&models, &["--json", "--annotate", text(&drawn), text(&long)]);
    assert_eq!(out.status.code(), Some(74), "{}", message(&out));
    assert_eq!(lines(&out)[0]["plates"][0]["text"], "7ABC123");
    assert!(message(&out).contains("could not write a copy") && names(&drawn).is_empty(), "{}", message(&out));
}

#[test]
fn folders_are_searched_to_any_depth_or_to_the_depth_asked_for_and_content_decides() {
    let dir = tempfile::tempdir().unwrap();
    let models = models(dir.path());
    let photos = dir.path().join("photos");
    std::fs::create_dir_all(photos.join("day1/front")).unwrap();
    for name in ["a.png", "day1/b.png", "day1/front/c.png", "day1/front/d.png"] {
        picture(&photos.join(name), 320, 240);
    }
    std::fs::rename(photos.join("day1/front/d.png"), photos.join("day1/front/IMG_0001")).unwrap();
    std::fs::write(photos.join("day1/notes.txt"), "notes").unwrap();
    std::os::unix::fs::symlink(&photos, photos.join("day1/loop")).unwrap();
    // A card that was taken out, and what no file is: nobody waits for the pipe's other end.
    std::os::unix::fs::symlink("gone.png", photos.join("day1/lost.png")).unwrap();
    assert!(Command::new("mkfifo").arg(photos.join("pipe.png")).status().unwrap().success());
    let all = recognize(&models, &["--json", text(&photos)]);
    assert!(all.status.success(), "{}", message(&all));
    assert!(message(&all).contains("links to nothing): 2"), "{}", message(&all));
    assert_eq!(lines(&all).len(), 4);
    let some = recognize(&models, &["--json", "--depth", "2", text(&photos)]);
    assert_eq!(lines(&some).len(), 2);
    assert!(message(&some).contains("deeper than --depth"), "{}", message(&some));
    // A video that is called a picture, and one with an ending of its own.
    let mkv = matroska(&drive(3), (320, 240), None);
    for name in ["x.jpg", "x.mts", "x.dav"] {
        std::fs::write(dir.path().join(name), &mkv).unwrap();
        let out = recognize(&models, &["--json", text(&dir.path().join(name))]);
        assert_eq!(lines(&out)[0]["frames"], 3, "{name}: {}", message(&out));
    }
}

#[test]
fn odd_file_names_are_shown_safely_and_told_apart() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let models = models(dir.path());
    let photos = dir.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    picture(&dir.path().join("p.png"), 320, 240);
    for name in [&b"a\x1b[2Jb.png"[..], b"\xFF.png", b"\xFE.png", "x\u{202e}gnp.png".as_bytes()] {
        std::fs::copy(dir.path().join("p.png"), photos.join(std::ffi::OsStr::from_bytes(name))).unwrap();
    }
    std::fs::write(photos.join("c\x1b]0;.jpg"), "").unwrap();
    let shown = recognize(&models, &[text(&photos)]);
    let all = [&shown.stdout[..], &shown.stderr].concat();
    let all = String::from_utf8(all).unwrap();
    assert!(!all.contains('\x1b') && !all.contains('\u{202e}') && all.contains("\\u{1b}[2Jb.png"), "{all}");
    let lines = lines(&recognize(&models, &["--json", text(&photos)]));
    let odd: Vec<_> = lines.iter().filter_map(|l| l["path_hex"].as_str()).collect();
    assert_eq!(odd.len(), 2);
    assert!(
        odd.iter().any(|p| p.ends_with("2ffe2e706e67")) && odd.iter().any(|p| p.ends_with("2fff2e706e67")),
        "{odd:?}"
    );
}

#[test]
fn a_share_that_is_none_and_a_picture_that_is_too_large_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (models, photo) = (models(dir.path()), dir.path().join("a.png"));
    picture(&photo, 2000, 1000);
    for share in ["2", "nan", "-0.1", "inf", "x"] {
        let out = recognize(&models, &[&format!("--min-confidence={share}"), text(&photo)]);
        assert!(!out.status.success() && message(&out).contains("from 0 to 1"), "{share}: {}", message(&out));
    }
    let out = recognize(&models, &["--max-megapixels", "1", text(&photo)]);
    assert_eq!(out.status.code(), Some(65));
    assert!(message(&out).contains("2000 × 1000"), "{}", message(&out));
    assert!(recognize(&models, &["--max-megapixels", "2", text(&photo)]).status.success());
}

/// So many pictures, some close together and some apart, all in view of the detector: 0 to 2.3 s.
fn drive(count: u64) -> Vec<(u64, Vec<u8>)> {
    let grey = Mat::new_size_with_default(Size::new(320, 240), opencv::core::CV_8UC3, Scalar::all(90.0)).unwrap();
    let mut jpeg = Vector::new();
    opencv::imgcodecs::imencode_def(".jpg", &grey, &mut jpeg).unwrap();
    let times = (0..count).map(|n| if n < 40 { 20 * n } else { 800 + 100 * (n - 40) });
    times.map(|time| (time, jpeg.to_vec())).collect()
}

#[test]
fn a_pass_in_a_video_has_the_frames_own_times_and_the_date_of_the_recording() {
    let dir = tempfile::tempdir().unwrap();
    let (models, path) = (models(dir.path()), dir.path().join("gate.mkv"));
    std::fs::write(&path, matroska(&drive(56), (320, 240), Some(794_059_200_000_000_000))).unwrap();
    let of = |rest: &[&str]| {
        let out = recognize(&models, &[&["--json"], rest, &[text(&path)]].concat());
        assert!(out.status.success(), "{}", message(&out));
        lines(&out).remove(0)
    };
    let line = of(&[]);
    assert_eq!(line["plates"].as_array().unwrap().len(), 1, "one pass: {line}");
    assert_eq!((&line["plates"][0]["first_s"], &line["plates"][0]["last_s"]), (&0.0.into(), &2.3.into()));
    assert_eq!((&line["began"], &line["dated_by"]), (&"2026-03-01T12:00:00Z".into(), &"container".into()));
    assert_eq!(line["plates"][0]["last_seen"], "2026-03-01T12:00:02.3Z");
    let line = of(&["--start", "2026-11-26T14:30:00-08:00"]);
    assert_eq!((&line["began"], &line["dated_by"]), (&"2026-11-26T22:30:00Z".into(), &"start".into()));
    std::fs::write(&path, matroska(&drive(56), (320, 240), None)).unwrap();
    assert_eq!(of(&[])["dated_by"], "analysis");
    let out = recognize(&models, &[text(&path)]);
    assert!(message(&out).contains("dated by analysis"), "{}", message(&out));
}

#[test]
fn of_a_recording_that_was_cut_off_there_are_the_reads_that_it_has_and_what_is_missing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (models, path) = (models(dir.path()), dir.path().join("gate.mkv"));
    let whole = matroska(&drive(56), (320, 240), None);
    std::fs::write(&path, &whole[..whole.len() * 2 / 3]).unwrap();
    let out = recognize(&models, &["--json", text(&path)]);
    assert_eq!(out.status.code(), Some(65));
    let line = &lines(&out)[0];
    assert_eq!(line["plates"][0]["text"], "7ABC123");
    assert!(line["error"].as_str().unwrap().contains("bytes are missing"), "{line}");
    let out = recognize(&models, &[text(&path)]);
    assert!(String::from_utf8_lossy(&out.stdout).contains("7ABC123") && message(&out).contains("is cut off"));
}
