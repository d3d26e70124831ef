//! JPEG decode, detect, read and track on 1280×720 frames with one or two plates, by one worker
//! and by one for each core, and where the time goes.

use super::support::{at, figure, models};
use jiff::Timestamp;
use opencv::core::Vector;
use opencv::imgcodecs;
use opencv::prelude::*;
use plated_vision::capture::VideoReader;
use plated_vision::frame::Frame;
use plated_vision::recognition::Recognition;
use plated_vision::recognition::{Recognizer, Tracker};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const FRAMES: usize = 120;
const WARM_UP: usize = 20;
const MEASURED: usize = 600;

/// Time of each step, over all frames of a worker.
#[derive(Default)]
struct Split {
    decode: Duration,
    detect: Duration,
    rectify: Duration,
    read: Duration,
    track: Duration,
    plates: usize,
}

pub fn run() {
    let jpegs = Arc::new(frames());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for workers in [1, cores] {
        let (rate, split) = measure(&jpegs, workers);
        let (bar, unit) = if workers == 1 { (35.0, "frames/s on one core") } else { (60.0, "frames/s on all cores") };
        figure(
            &format!("decode, detect, read, track, {workers} worker(s)"),
            rate,
            unit,
            rate >= bar,
            &format!(">= {bar}"),
        );
        if workers == 1 {
            show(&split);
        }
    }
}

/// Frames of the drive that show one or two plates, as JPEG.
fn frames() -> Vec<Vec<u8>> {
    let mut recognizer = Recognizer::open(&models()).unwrap();
    let mut jpegs = Vec::new();
    for shot in VideoReader::open(&at("fixtures/drive.mp4")).unwrap() {
        let image = shot.unwrap().image;
        assert_eq!((image.cols(), image.rows()), (1280, 720));
        let plates = recognizer.recognize(&image).unwrap().0.len();
        if plates == 1 || plates == 2 {
            let mut bytes = Vector::<u8>::new();
            imgcodecs::imencode_def(".jpg", &image, &mut bytes).unwrap();
            jpegs.push(bytes.as_slice().to_vec());
        }
        if jpegs.len() == FRAMES {
            break;
        }
    }
    assert!(jpegs.len() >= 50, "the drive shows too few plates");
    jpegs
}

fn measure(jpegs: &Arc<Vec<Vec<u8>>>, workers: usize) -> (f64, Split) {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let threads: Vec<_> = (0..workers)
        .map(|_| {
            let (jpegs, next) = (jpegs.clone(), next.clone());
            std::thread::spawn(move || worker(&jpegs, &next))
        })
        .collect();
    let mut all = Split::default();
    let mut busy = Duration::ZERO;
    for thread in threads {
        let (split, took) = thread.join().unwrap();
        busy = busy.max(took);
        for (sum, one) in [
            (&mut all.decode, split.decode),
            (&mut all.detect, split.detect),
            (&mut all.rectify, split.rectify),
            (&mut all.read, split.read),
            (&mut all.track, split.track),
        ] {
            *sum += one;
        }
        all.plates += split.plates;
    }
    assert!(began.elapsed() >= busy);
    (MEASURED as f64 / busy.as_secs_f64(), all)
}

fn worker(jpegs: &[Vec<u8>], next: &AtomicUsize) -> (Split, Duration) {
    let mut recognizer = Recognizer::open(&models()).unwrap();
    let mut tracker = Tracker::new("front".into(), Recognition::default());
    let mut split = Split::default();
    for n in 0..WARM_UP {
        step(&jpegs[n % jpegs.len()], n, &mut recognizer, &mut tracker, &mut split);
    }
    split = Split::default();
    let began = Instant::now();
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= MEASURED {
            return (split, began.elapsed());
        }
        step(&jpegs[n % jpegs.len()], n, &mut recognizer, &mut tracker, &mut split);
    }
}

fn step(jpeg: &[u8], n: usize, recognizer: &mut Recognizer, tracker: &mut Tracker, split: &mut Split) {
    let start = Instant::now();
    let image = imgcodecs::imdecode(&Vector::from_slice(jpeg), imgcodecs::IMREAD_COLOR).unwrap();
    let decoded = Instant::now();
    let frame = Frame {
        source: "front".into(),
        sequence: n as u64,
        at: Timestamp::now(),
        monotonic: Duration::from_millis(66 * n as u64),
        image: Arc::new(image),
    };
    let (sightings, timings) = recognizer.recognize(&frame.image).unwrap();
    let recognised = Instant::now();
    drop(tracker.update(&frame, &sightings));
    split.decode += decoded - start;
    split.detect += timings.detect;
    split.rectify += timings.rectify;
    split.read += timings.read;
    split.track += recognised.elapsed();
    split.plates += sightings.len();
}

fn show(s: &Split) {
    let total = s.decode + s.detect + s.rectify + s.read + s.track;
    let each = |d: Duration| d.as_secs_f64() * 1e3 / MEASURED as f64;
    println!(
        "    a frame: decode {:.2} ms, detector {:.2} ms, rectify {:.2} ms, reader {:.2} ms, track {:.2} ms; {:.2} plates",
        each(s.decode),
        each(s.detect),
        each(s.rectify),
        each(s.read),
        each(s.track),
        s.plates as f64 / MEASURED as f64
    );
    // The detector's scaling and decoding are inside "detector", as in every engine's own figure.
    let rest = 100.0 * (s.rectify + s.track).as_secs_f64() / total.as_secs_f64();
    figure("neither decoding nor models", rest, "% of the time", rest <= 20.0, "<= 20");
}
