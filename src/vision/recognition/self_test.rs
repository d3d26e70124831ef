//! Whether detector and reader work on this processor as they should.
//!
//! Processors without instructions for 8-bit dot products add up in 16 bits, which can overflow
//! with weights of full range: the model then misreads, and is sure of it. So at every start, and in
//! `plated check`, plates are found in a drawn scene, and some drawn plates are read. If one is misread,
//! the exact reader beside the 8-bit one takes over; of the detector there is no other.

use super::combine;
use super::detector::{Detector, iou};
use super::reader::{Reader, Reading};
use super::sidecar::{Described, DetectorSidecar, ReaderSidecar, VehicleSidecar};
use super::vehicle::VehicleModel;
use opencv::core::{Mat, Rect, Vector};
use opencv::imgcodecs;
use opencv::prelude::*;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::visible;
use std::path::Path;

/// A frame of the drawn drive of `fixtures/`, at half its size.
const SCENE: &[u8] = include_bytes!("self_test_scene.jpg");
/// Plates in it: `[x, y, width, height]` in pixels.
const PLATES: [[f32; 4]; 2] = [[50.7, 246.2, 37.2, 19.3], [433.8, 190.1, 25.1, 12.6]];
/// Each must be found in its place, with so much overlap and this confidence.
const MIN_OVERLAP: f32 = 0.5;
const MIN_DETECTION: f32 = 0.5;
/// There are a few more in the distance.
const MAX_DETECTIONS: usize = 6;

/// The plates one below the other, as upright crops, out of the drawn drive of `fixtures/`.
const SHEET: &[u8] = include_bytes!("self_test.png");
/// What is on them.
const TEXTS: [&str; 6] = ["7VKM482", "4HNU685", "4HNU635", "CJ4M586", "583KWV", "PLATEDX"];
/// A plate of the sheet in pixels.
const SIZE: (i32, i32) = (160, 48);
/// Each must be read with this confidence; all are clear.
const MIN_CONFIDENCE: f32 = 0.6;
/// The sidecar of the exact model, beside that of the 8-bit one.
const EXACT: &str = "reader-fp32.toml";

/// A drawn vehicle as the square that its model takes. What the model has to say of it stands in the sidecar: it need not be
/// right about a drawing, but the same on each processor.
const VEHICLE: &[u8] = include_bytes!("self_test_vehicle.png");

/// A reader that passed, and why it is not the one that was named.
pub struct TrustedReader {
    pub described: Described<ReaderSidecar>,
    pub instead: Option<String>,
}

/// The reader that `path` describes if it reads the drawn plates rightly on this processor, or else
/// the exact one beside it. Readers of other makes are taken as they are.
///
/// # Errors
/// `Missing` or `Damaged` when the model can't be loaded; `Damaged` when it misreads and there is no
/// other, or that one misreads too.
pub fn trusted_reader(path: &Path, library: Option<&Path>) -> Result<TrustedReader> {
    let first = Described::reader(path)?;
    if matches!(first.sidecar, ReaderSidecar::FixedSlots { .. }) {
        return Ok(TrustedReader { described: first, instead: None });
    }
    let Some(why) = misread(&first, library)? else { return Ok(TrustedReader { described: first, instead: None }) };
    let exact = path.with_file_name(EXACT);
    if exact == path || !exact.is_file() {
        let text = format!(
            "the reader {} fails its self-test on this processor: {why}; put {EXACT} and its model beside it, or name \
             another reader in recognition.reader",
            visible(path)
        );
        return Err(Error::new(Kind::Damaged, text));
    }
    let instead = format!(
        "the reader {} fails its self-test on this processor ({why}); {EXACT} is used in its place, which is slower",
        visible(path)
    );
    let exact = Described::reader(&exact)?;
    match misread(&exact, library)? {
        None => Ok(TrustedReader { described: exact, instead: Some(instead) }),
        Some(why) => {
            let text = format!(
                "the reader {EXACT} fails its self-test on this processor too: {why}; install the models anew, or name \
                 another reader in recognition.reader"
            );
            Err(Error::new(Kind::Damaged, text))
        }
    }
}

/// The detector that `path` describes, if it finds the plates of the drawn scene. Detectors of other makes are
/// taken as they are.
///
/// # Errors
/// `Missing` or `Damaged` when the model can't be loaded, or does not find them.
pub fn trusted_detector(path: &Path, library: Option<&Path>) -> Result<Described<DetectorSidecar>> {
    let described = Described::detector(path)?;
    if matches!(described.sidecar, DetectorSidecar::YoloEnd2End { .. }) {
        return Ok(described);
    }
    match misfound(&described, library)? {
        None => Ok(described),
        Some(why) => {
            let text = format!(
                "the detector {} fails its self-test on this processor: {why}; install the models anew, or name \
                 another detector in recognition.detector",
                visible(path)
            );
            Err(Error::new(Kind::Damaged, text))
        }
    }
}

/// What is wrong with what it finds in the drawn scene.
fn misfound(from: &Described<DetectorSidecar>, library: Option<&Path>) -> Result<Option<String>> {
    let scene = decoded(SCENE)?;
    let found = Detector::open(from, library)?.detect(&scene, (scene.cols(), scene.rows()))?;
    let is_found =
        |plate: &&[f32; 4]| found.iter().any(|d| d.confidence >= MIN_DETECTION && iou(&d.bounds, plate) >= MIN_OVERLAP);
    let right = PLATES.iter().filter(is_found).count();
    if right < PLATES.len() {
        Ok(Some(format!("it finds {right} of the {} plates of a drawn scene", PLATES.len())))
    } else if found.len() > MAX_DETECTIONS {
        Ok(Some(format!("it finds {} plates in a drawn scene that has a few", found.len())))
    } else {
        Ok(None)
    }
}

/// The vehicle model that `path` describes, if it says of the drawn vehicle what its sidecar has.
///
/// # Errors
/// `Missing` or `Damaged` when the model can't be loaded, or says something else.
pub fn trusted_vehicle(path: &Path, library: Option<&Path>) -> Result<Described<VehicleSidecar>> {
    let described = Described::vehicle(path)?;
    match VehicleModel::open(&described, library)?.differs(&decoded(VEHICLE)?)? {
        None => Ok(described),
        Some(why) => {
            let text = format!(
                "the vehicle model {} fails its self-test on this processor: {why}; install the models anew",
                visible(path)
            );
            Err(Error::new(Kind::Damaged, text))
        }
    }
}

fn decoded(picture: &[u8]) -> Result<Mat> {
    let failed = || "a picture of the self-test could not be decoded".to_string();
    imgcodecs::imdecode(&Vector::from_slice(picture), imgcodecs::IMREAD_COLOR).context(Kind::Internal, failed)
}

/// What is wrong with how it reads the drawn plates.
fn misread(from: &Described<ReaderSidecar>, library: Option<&Path>) -> Result<Option<String>> {
    let failed = || "the plates of the self-test could not be cut out".to_string();
    let mut reader = Reader::open(from, library)?;
    let sheet = decoded(SHEET)?;
    let mut crops = Vec::new();
    for n in 0..TEXTS.len() as i32 {
        let place = Rect::new(0, n * SIZE.1, SIZE.0, SIZE.1);
        let plate = Mat::roi(&sheet, place).and_then(|p| p.try_clone()).context(Kind::Internal, failed)?;
        crops.push(reader.crop_whole(&plate)?);
    }
    let readings = reader.read(&crops)?;
    Ok(TEXTS.iter().zip(&readings).find_map(|(text, reading)| difference(text, reading)))
}

fn difference(text: &str, Reading { slots, .. }: &Reading) -> Option<String> {
    let read = combine(std::iter::once(slots), "");
    if read.text() != text {
        Some(format!("it reads {:?} where {text:?} is drawn", read.text()))
    } else if read.confidence() < MIN_CONFIDENCE {
        Some(format!("it reads {text:?} with a confidence of only {:.2}", read.confidence()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::{Scalar, Size};
    use opencv::imgproc;
    use plated_core::digest::Sha256;
    use std::path::PathBuf;

    fn models() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
    }

    /// A folder with a reader that loads and misreads: a part of its weights is gone.
    fn misreading() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let (sidecar, mut model) = (
            std::fs::read_to_string(models().join("reader.toml")).unwrap(),
            std::fs::read(models().join("reader.onnx")).unwrap(),
        );
        let right = Sha256::of(&model).to_string();
        let convolution = model.len() / 100 * 48;
        model[convolution..convolution + 180_000].fill(0);
        let sidecar = sidecar.replace(&right, &Sha256::of(&model).to_string());
        std::fs::write(dir.path().join("reader.toml"), sidecar).unwrap();
        std::fs::write(dir.path().join("reader.onnx"), model).unwrap();
        dir
    }

    #[test]
    fn both_readers_of_the_project_pass_on_this_processor() {
        for name in ["reader.toml", EXACT] {
            let path = models().join(name);
            let trusted = trusted_reader(&path, None).unwrap();
            assert!(trusted.described.path == path && trusted.instead.is_none());
        }
    }

    #[test]
    fn a_reader_that_misreads_gives_way_to_the_exact_one() {
        let dir = misreading();
        for name in [EXACT, "reader-fp32.onnx"] {
            std::fs::copy(models().join(name), dir.path().join(name)).unwrap();
        }
        let trusted = trusted_reader(&dir.path().join("reader.toml"), None).unwrap();
        assert_eq!(trusted.described.path, dir.path().join(EXACT));
        assert!(trusted.instead.unwrap().contains("fails its self-test"));
    }

    #[test]
    fn a_reader_that_misreads_and_has_no_other_is_an_error() {
        let err = trusted_reader(&misreading().path().join("reader.toml"), None).err().unwrap();
        assert!(err.kind() == Kind::Damaged && err.chain().contains("self-test"), "{}", err.chain());
    }

    #[test]
    fn the_detector_of_the_project_passes_on_this_processor() {
        let path = models().join("detector.toml");
        assert_eq!(trusted_detector(&path, None).unwrap().path, path);
    }

    #[test]
    fn a_plate_that_fills_most_of_the_picture_is_read_whole() {
        let mut detector =
            Detector::open(&Described::detector(&models().join("detector.toml")).unwrap(), None).unwrap();
        let mut reader = Reader::open(&Described::reader(&models().join("reader.toml")).unwrap(), None).unwrap();
        let sheet = decoded(SHEET).unwrap();
        for (n, text) in TEXTS.iter().take(2).enumerate() {
            for width in [320, 448, 544] {
                let plate = Mat::roi(&sheet, Rect::new(0, n as i32 * SIZE.1, SIZE.0, SIZE.1)).unwrap();
                let mut picture =
                    Mat::new_size_with_default(Size::new(640, 360), opencv::core::CV_8UC3, Scalar::all(70.0)).unwrap();
                let place = Rect::new(320 - width / 2, 180 - width / 4, width, width / 2);
                let mut there = Mat::roi_mut(&mut picture, place).unwrap();
                imgproc::resize(&plate, &mut there, place.size(), 0.0, 0.0, imgproc::INTER_CUBIC).unwrap();
                let found = detector.detect(&picture, (640, 360)).unwrap();
                assert_eq!(found.len(), 1, "{text} of {width}: {found:?}");
                let crop = reader.crop(&picture, &found[0].corners).unwrap();
                let reading = reader.read(&[crop]).unwrap().remove(0);
                assert_eq!(combine(std::iter::once(&reading.slots), "CA").text(), *text, "of {width}: {found:?}");
            }
        }
    }

    #[test]
    fn the_vehicle_model_of_the_project_passes_on_this_processor_and_one_that_says_something_else_does_not() {
        let path = models().join("vehicle.toml");
        assert_eq!(trusted_vehicle(&path, None).unwrap().path, path);
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(models().join("vehicle.onnx"), dir.path().join("vehicle.onnx")).unwrap();
        let sidecar = std::fs::read_to_string(&path).unwrap();
        let drawn = sidecar.lines().find(|line| line.starts_with("drawn = ")).unwrap();
        let other = sidecar.replace(drawn, "drawn = [\"trailer\", 0.9]");
        std::fs::write(dir.path().join("vehicle.toml"), other).unwrap();
        let err = trusted_vehicle(&dir.path().join("vehicle.toml"), None).err().unwrap();
        assert!(err.chain().contains("self-test") && err.chain().contains("trailer"), "{}", err.chain());
    }

    #[test]
    fn a_detector_whose_weights_saturate_is_an_error_that_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let (sidecar, mut model) = (
            std::fs::read_to_string(models().join("detector.toml")).unwrap(),
            std::fs::read(models().join("detector.onnx")).unwrap(),
        );
        let right = Sha256::of(&model).to_string();
        let one_convolution = model.len() / 1000 * 853;
        model[one_convolution..one_convolution + 80_000].fill(0x7F);
        let sidecar = sidecar.replace(&right, &Sha256::of(&model).to_string());
        std::fs::write(dir.path().join("detector.toml"), sidecar).unwrap();
        std::fs::write(dir.path().join("detector.onnx"), model).unwrap();
        let err = trusted_detector(&dir.path().join("detector.toml"), None).err().unwrap();
        let text = err.chain();
        assert!(err.kind() == Kind::Damaged && text.contains("recognition.detector"), "{text}");
        assert!(text.contains("drawn scene"), "it loads, and fails only at the scene: {text}");
    }
}
