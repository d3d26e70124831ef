//! What is told of a camera whose lens is covered, out of focus, in the dark or in the glare, and of one that moved: with
//! pictures made of those of the drive.
use jiff::Timestamp;
use opencv::core::{BORDER_REPLICATE, Mat, MatTrait, MatTraitConst, Point2f, Scalar, Size};
use opencv::imgproc;
use plated_core::record::Look;
use plated_vehicle::health::{Aim, PictureWatch, PlatePlace};
use plated_vision::capture::VideoReader;
use plated_vision::picture::{Picture, Quality};
use plated_vision::recognition::{Models, Recognition, Recognizer};
use std::path::Path;
use std::sync::Arc;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn frames() -> impl Iterator<Item = Arc<Mat>> {
    let video = VideoReader::open(&root().join("fixtures/drive.mp4")).unwrap();
    video.map(|frame| frame.unwrap().picture.pixels().unwrap())
}

/// What is told of a camera whose pictures are made so of those of the drive, for four minutes.
fn told(change: impl Fn(&Mat) -> Mat) -> Option<String> {
    let mut watch = PictureWatch::default();
    for (n, frame) in frames().step_by(3).take(120).enumerate() {
        let picture = Picture::from(change(&frame));
        let quality = Quality::of(&picture, &picture.pixels().unwrap()).unwrap();
        watch.look(quality, Timestamp::from_second(1_800_000_000 + 2 * n as i64).unwrap());
    }
    watch.told().map(|told| told.text())
}

/// As far out of focus as this many pixels; small for a large one, which is as good and fast.
fn blurred(frame: &Mat, sigma: f64) -> Mat {
    let share = (2.0 / sigma).min(1.0);
    let (mut small, mut soft, mut out) = (Mat::default(), Mat::default(), Mat::default());
    imgproc::resize(frame, &mut small, Size::default(), share, share, imgproc::INTER_AREA).unwrap();
    imgproc::gaussian_blur_def(&small, &mut soft, Size::new(0, 0), sigma * share).unwrap();
    imgproc::resize(&soft, &mut out, frame.size().unwrap(), 0.0, 0.0, imgproc::INTER_CUBIC).unwrap();
    out
}

/// So many times as bright, and so much brighter.
fn lit(frame: &Mat, times: f64, more: f64) -> Mat {
    let mut out = Mat::default();
    frame.convert_to(&mut out, -1, times, more).unwrap();
    out
}

#[test]
fn each_thing_that_is_wrong_with_a_cameras_picture_is_told_with_what_to_do_and_a_good_picture_is_not() {
    assert_eq!(told(Mat::clone), None);
    assert_eq!(told(|frame| lit(&blurred(frame, 1.0), 0.5, 0.0)), None, "a little soft, at dusk");
    for (what, change, expected) in [
        (
            "covered by a hand or mud",
            Box::new(|frame: &Mat| lit(&blurred(frame, 120.0), 0.6, 30.0)) as Box<dyn Fn(&Mat) -> Mat>,
            ["nothing can be seen in its picture since ", "covers the lens"],
        ),
        (
            "out of focus in hard light",
            Box::new(|frame: &Mat| blurred(&lit(frame, 2.2, -100.0), 14.0)),
            ["its picture looks blurred since ", "focus the lens"],
        ),
        ("dark", Box::new(|frame: &Mat| lit(frame, 0.05, 0.0)), ["its picture is black since ", "uncover the lens"]),
        (
            "flooded with light",
            Box::new(|frame: &Mat| lit(frame, 1.0, 230.0)),
            ["its picture is white since ", "shade the lens"],
        ),
    ] {
        let text = told(change).unwrap_or_else(|| panic!("{what} is not told"));
        assert!(expected.iter().all(|part| text.contains(part)), "{what}: {text}");
    }
}

/// The frame of a camera that is turned about its axis by so many degrees and tilted up by so many rows.
fn moved(frame: &Mat, degrees: f64, rows: f64) -> Mat {
    let middle = Point2f::new(frame.cols() as f32 / 2.0, frame.rows() as f32 / 2.0);
    let mut turn = imgproc::get_rotation_matrix_2d(middle, degrees, 1.0).unwrap();
    *turn.at_2d_mut::<f64>(1, 2).unwrap() += rows;
    let mut out = Mat::default();
    let (size, how) = (frame.size().unwrap(), imgproc::INTER_LINEAR);
    imgproc::warp_affine(frame, &mut out, &turn, size, how, BORDER_REPLICATE, Scalar::all(0.0)).unwrap();
    out
}

/// Where the plates of the drive are in its frames, changed so.
fn places(recognizer: &mut Recognizer, degrees: f64, rows: f64) -> Vec<PlatePlace> {
    let mut places = Vec::new();
    for frame in frames() {
        let (sightings, _) = recognizer.recognize(&moved(&frame, degrees, rows).into()).unwrap();
        places.extend(sightings.into_iter().filter(|sighting| sighting.confidence > 0.9).filter_map(|sighting| {
            let (bounds, corners) = (sighting.detection.bounds, sighting.detection.corners);
            let (at, text, confidence) = (Timestamp::UNIX_EPOCH, sighting.text, sighting.confidence);
            PlatePlace::of(&Look { frame: 0, at, text, confidence, bounds, corners }, frame.rows())
        }));
    }
    places
}

#[test]
fn a_camera_that_was_turned_or_tilted_is_told_by_the_plates_that_it_sees_and_one_that_was_not_is_not() {
    let models = Models::find(&Recognition { models: Some(root().join("models")), ..Recognition::default() }).unwrap();
    let mut recognizer = Recognizer::open(&models).unwrap();
    let before = places(&mut recognizer, 0.0, 0.0);
    let mut aim = Aim::default();
    let at = Timestamp::UNIX_EPOCH;
    // A pass of the drive has more looks than are learned from; the later ones are compared.
    while aim.usual().is_none() {
        assert!(!before.is_empty());
        for place in &before {
            aim.see(*place, at);
        }
    }
    for place in &before {
        aim.see(*place, at);
    }
    assert_eq!(aim.moved(), None);
    let told = |aim: &Aim, places: Vec<PlatePlace>| {
        let mut aim = aim.clone();
        for place in places {
            aim.see(place, at);
        }
        aim.moved().map(|moved| moved.text())
    };
    let leaning = places(&mut recognizer, 14.0, 0.0);
    let leans: Vec<i32> = leaning.iter().map(|place| place.lean.round() as i32).collect();
    let turned = told(&aim, leaning).unwrap_or_else(|| panic!("{} plates lean by {leans:?}", leans.len()));
    assert!(turned.contains(" plates lean by ") && turned.contains("; aim it again"), "{turned}");
    let tilted = told(&aim, places(&mut recognizer, 0.0, 160.0)).unwrap();
    assert!(tilted.contains(" of the picture lower against where they used to be"), "{tilted}");
}
