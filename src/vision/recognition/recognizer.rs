//! One frame to its sightings: detect, rectify, read, with the time each step took.

use super::settings::Recognition;
use super::sidecar::Paths;
use super::{Detection, Detector, Reader, Reading, combine, likely};
use opencv::core::Mat;
use opencv::prelude::*;
use plated_core::error::Result;
use plated_core::plate::Slots;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Where the models and the engine are, checked once and shared by all workers.
#[derive(Clone, Debug)]
pub struct Models {
    paths: Paths,
    library: Option<PathBuf>,
}

impl Models {
    /// Finds the configured models.
    pub fn find(config: &Recognition) -> Result<Self> {
        Ok(Self { paths: Paths::find(config)?, library: config.runtime.clone() })
    }
}

/// What one frame showed of one plate.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Where it is.
    pub detection: Detection,
    /// Best text of this look alone, as of a track of one sighting.
    pub text: String,
    /// Probability of `text`, 0 to 1.
    pub confidence: f32,
    /// Texts of this look alone and their probabilities, the best first.
    pub candidates: Vec<(String, f32)>,
    /// The whole distribution.
    pub slots: Slots,
    /// Issuing state, or empty.
    pub state: String,
    /// Probability of the state.
    pub state_confidence: f32,
}

/// Time spent on one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Scaling, detector model and decoding of its output.
    pub detect: Duration,
    /// Cutting the plates out.
    pub rectify: Duration,
    /// Reader model and decoding of its output.
    pub read: Duration,
}

/// Detector and reader of one worker.
pub struct Recognizer {
    detector: Detector,
    reader: Reader,
}

impl Recognizer {
    /// Loads both models.
    pub fn open(models: &Models) -> Result<Self> {
        // The workers are the parallelism; OpenCV's own threads would only fight them.
        opencv::core::set_num_threads(1).ok();
        let library = models.library.as_deref();
        Ok(Self {
            detector: Detector::open(&models.paths.detector, library)?,
            reader: Reader::open(&models.paths.reader, library)?,
        })
    }

    /// Versions of detector and reader.
    pub fn versions(&self) -> (&str, &str) {
        (self.detector.version(), self.reader.version())
    }

    /// Plates in an 8-bit BGR picture, most confidently detected first. A plate on which nothing
    /// can be read is left out.
    pub fn recognize(&mut self, image: &Mat) -> Result<(Vec<Sighting>, Timings)> {
        let start = Instant::now();
        let found = self.detector.detect(image)?;
        let detected = Instant::now();
        let crops = found.iter().map(|d| self.reader.crop(image, &d.corners)).collect::<Result<Vec<_>>>()?;
        let cut = Instant::now();
        let readings = self.reader.read(&crops)?;
        let sightings = found.into_iter().zip(readings).filter_map(|(d, r)| sighting(d, r)).collect();
        let timings = Timings { detect: detected - start, rectify: cut - detected, read: cut.elapsed() };
        Ok((sightings, timings))
    }

    /// Takes the whole picture as one plate.
    pub fn read_crop(&mut self, image: &Mat) -> Result<(Vec<Sighting>, Timings)> {
        let start = Instant::now();
        let crop = self.reader.crop_whole(image)?;
        let cut = Instant::now();
        let (w, h) = (image.cols() as f32, image.rows() as f32);
        let corners = [[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]];
        let whole = Detection { confidence: 1.0, bounds: [0.0, 0.0, w, h], corners };
        let sightings = self.reader.read(&[crop])?.into_iter().filter_map(|r| sighting(whole, r)).collect();
        Ok((sightings, Timings { detect: Duration::ZERO, rectify: cut - start, read: cut.elapsed() }))
    }
}

fn sighting(detection: Detection, reading: Reading) -> Option<Sighting> {
    let Reading { slots, state, state_confidence } = reading;
    let candidates = combine(std::iter::once(&slots), likely(&state, state_confidence)).candidates;
    let (text, confidence) = candidates.first().cloned()?;
    Some(Sighting { detection, text, confidence, candidates, slots, state, state_confidence })
}
