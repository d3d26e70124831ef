//! `plated check` tries the models on this processor.
use crate::kit::VEHICLE;
use crate::kit::vehicle::Vehicle;
use plated_core::digest::Sha256;
use std::path::{Path, PathBuf};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

/// A vehicle with a whole store and a folder of models of its own.
fn vehicle() -> Vehicle {
    let vehicle = Vehicle::new();
    std::fs::create_dir(vehicle.path("models")).unwrap();
    for name in ["detector.toml", "detector.onnx", "reader.toml", "reader.onnx"] {
        std::fs::copy(models().join(name), vehicle.path("models").join(name)).unwrap();
    }
    let text = format!(
        "vehicle = \"{VEHICLE}\"\n[[sources]]\nname = \"front\"\nkind = \"v4l2\"\ndevice = \"/dev/video0\"\n\
         [recognition]\nmodels = \"models\"\n[store]\npath = \"store.db\"\nkey_file = \"store.key\"\n"
    );
    std::fs::write(vehicle.path("plated.toml"), text).unwrap();
    vehicle.store().close().unwrap();
    vehicle
}

/// The models load and are what their sidecars say, but some weights are as far as they go.
fn saturate(vehicle: &Vehicle, name: &str, at_permille: usize, length: usize) {
    let path = |ending: &str| vehicle.path("models").join(format!("{name}.{ending}"));
    let mut model = std::fs::read(path("onnx")).unwrap();
    let right = Sha256::of(&model).to_string();
    let at = model.len() / 1000 * at_permille;
    model[at..at + length].fill(0x7F);
    let sidecar = std::fs::read_to_string(path("toml")).unwrap().replace(&right, &Sha256::of(&model).to_string());
    std::fs::write(path("onnx"), model).unwrap();
    std::fs::write(path("toml"), sidecar).unwrap();
}

/// Its output on both ways, and its exit code.
fn check(vehicle: &Vehicle) -> (String, String, Option<i32>) {
    let output = vehicle.check();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[test]
fn models_that_work_are_named_with_their_versions() {
    let (out, err, code) = check(&vehicle());
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("detector.toml, version ") && out.contains("reader.toml, version "), "{out}");
}

#[test]
fn a_reader_that_misreads_on_this_processor_gives_way_to_the_exact_one_and_check_says_so() {
    let vehicle = vehicle();
    saturate(&vehicle, "reader", 480, 180_000);
    let (out, err, code) = check(&vehicle);
    assert_eq!(code, Some(65), "{out}{err}");
    assert!(out.contains("WRONG") && err.contains("self-test") && err.contains("put reader-fp32.toml"), "{out}{err}");
    for name in ["reader-fp32.toml", "reader-fp32.onnx"] {
        std::fs::copy(models().join(name), vehicle.path("models").join(name)).unwrap();
    }
    let (out, err, code) = check(&vehicle);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("reader-fp32.toml, version ") && out.contains("is used in its place"), "{out}");
}

#[test]
fn a_detector_that_finds_nothing_right_on_this_processor_is_noticed() {
    let vehicle = vehicle();
    saturate(&vehicle, "detector", 853, 80_000);
    let (out, err, code) = check(&vehicle);
    assert_eq!(code, Some(65), "{out}{err}");
    assert!(err.contains("detector.toml fails its self-test") && err.contains("recognition.detector"), "{err}");
}
