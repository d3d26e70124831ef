//! One frame to its sightings: decode, detect, rectify, read, with the time each step took.

use super::self_test::{TrustedReader, trusted_detector, trusted_reader, trusted_vehicle};
use super::settings::Recognition;
use super::sidecar::{Described, DetectorSidecar, Paths, ReaderSidecar, VehicleSidecar};
use super::{Detection, Detector, Reader, Reading, VehicleModel, combine, likely};
use crate::picture::{Jpeg, Picture, Planes, Quality};
use opencv::core::Mat;
use opencv::prelude::*;
use plated_core::error::Result;
use plated_core::plate::Slots;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The models, read and checked once and shared by all workers.
#[derive(Clone)]
pub struct Models {
    detector: Described<DetectorSidecar>,
    reader: Described<ReaderSidecar>,
    /// What tells what vehicles look like.
    vehicle: Vehicle,
    library: Option<PathBuf>,
    /// Why the reader is not the one that was named.
    instead: Option<String>,
}

/// Reading plates does not need it: whatever is wrong with it stops nothing else.
#[derive(Clone)]
enum Vehicle {
    There(Box<Described<VehicleSidecar>>),
    /// By the settings.
    NotWanted,
    /// Why there is none.
    Missing(String),
}

impl Models {
    /// Finds the configured models, and tries both on what is known: a processor that can't run the 8-bit
    /// reader rightly gets the exact one.
    ///
    /// # Errors
    /// `Missing` or `Damaged` when a model is not there, not what its sidecar says, or fails its self-test and no
    /// other can take its place.
    pub fn find(config: &Recognition) -> Result<Self> {
        let paths = Paths::find(config)?;
        let library = config.runtime.clone();
        let detector = trusted_detector(&paths.detector, library.as_deref())?;
        let TrustedReader { described: reader, instead } = trusted_reader(&paths.reader, library.as_deref())?;
        if let Some(why) = &instead {
            tracing::warn!("{}", plated_core::text::sentence(why));
        }
        let vehicle = match &paths.vehicle {
            _ if !config.describe_vehicles => Vehicle::NotWanted,
            Some(path) => match trusted_vehicle(path, library.as_deref()) {
                Ok(described) => Vehicle::There(Box::new(described)),
                Err(e) => Vehicle::Missing(e.chain()),
            },
            None => Vehicle::Missing(
                "there is no vehicle.toml beside the other models; install it, or set recognition.describe_vehicles = \
                 false"
                    .into(),
            ),
        };
        if let Vehicle::Missing(why) = &vehicle {
            tracing::warn!("Reads don't say what vehicles look like: {}", plated_core::text::sentence(why));
        }
        Ok(Self { detector, reader, vehicle, library, instead })
    }

    /// What tells what vehicles look like, ready for one thread; none where there is none.
    pub fn vehicle_model(&self) -> Option<VehicleModel> {
        let Vehicle::There(described) = &self.vehicle else { return None };
        let opened = VehicleModel::open(described, self.library.as_deref());
        opened.inspect_err(|e| tracing::error!("Reads don't say what vehicles look like: {}", e.chain())).ok()
    }

    /// Sidecar and version of the model that tells what vehicles look like; none where that is turned off, and why
    /// where it can't be used.
    pub fn vehicle(&self) -> Option<std::result::Result<(&Path, &str), &str>> {
        match &self.vehicle {
            Vehicle::There(described) => Some(Ok((&described.path, &described.file.version))),
            Vehicle::NotWanted => None,
            Vehicle::Missing(why) => Some(Err(why)),
        }
    }

    /// Sidecar and version of the detector.
    pub fn detector(&self) -> (&Path, &str) {
        (&self.detector.path, &self.detector.file.version)
    }

    /// Sidecar and version of the reader.
    pub fn reader(&self) -> (&Path, &str) {
        (&self.reader.path, &self.reader.file.version)
    }

    /// Why the reader is not the one that was named, if it is another.
    pub fn reader_instead(&self) -> Option<&str> {
        self.instead.as_deref()
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
    /// Making pixels of the JPEG, as far as they were wanted.
    pub decode: Duration,
    /// Scaling, detector model and decoding of its output.
    pub detect: Duration,
    /// Cutting the plates out.
    pub rectify: Duration,
    /// Reader model and decoding of its output.
    pub read: Duration,
}

/// Detector and reader of one worker, and the memory that it decodes into.
pub struct Recognizer {
    detector: Detector,
    reader: Reader,
    /// The picture, shrunk for the detector or whole.
    view: Mat,
    /// The part of the picture with the plates.
    part: Mat,
    /// What both are made of, where half the picture's size is enough for the detector.
    planes: Planes,
}

impl Recognizer {
    /// Makes both models ready for one thread.
    pub fn open(models: &Models) -> Result<Self> {
        // The workers are the parallelism; OpenCV's own threads would only fight them.
        opencv::core::set_num_threads(1).ok();
        let library = models.library.as_deref();
        Ok(Self {
            detector: Detector::open(&models.detector, library)?,
            reader: Reader::open(&models.reader, library)?,
            view: Mat::default(),
            part: Mat::default(),
            planes: Planes::default(),
        })
    }

    /// Versions of detector and reader.
    pub fn versions(&self) -> (&str, &str) {
        (self.detector.version(), self.reader.version())
    }

    /// Whether the detector looks at a smaller picture from here on, in half the time: it misses plates that are far
    /// away.
    pub fn spare(&mut self, on: bool) {
        self.detector.spare(on);
    }

    /// Plates in a picture, most confidently detected first. A plate on which nothing can be read
    /// is left out.
    ///
    /// # Errors
    /// `Input` when the picture can't be decoded, `Internal` when a model fails.
    pub fn recognize(&mut self, picture: &Picture) -> Result<(Vec<Sighting>, Timings)> {
        match picture {
            Picture::Pixels(image) => self.recognize_pixels(image, Duration::ZERO),
            Picture::Jpeg(jpeg) => self.recognize_jpeg(jpeg),
        }
    }

    fn recognize_jpeg(&mut self, jpeg: &Jpeg) -> Result<(Vec<Sighting>, Timings)> {
        let start = Instant::now();
        let size = jpeg.size();
        let (width, height) = self.detector.needs(size.0, size.1);
        let shrink = jpeg.shrink_for(width, height);
        let once = shrink == 2 && jpeg.decode_planes(&mut self.planes)?;
        if once {
            self.planes.half(&mut self.view)?;
        } else {
            jpeg.decode(shrink, &mut self.view)?;
        }
        let mut decode = start.elapsed();
        if shrink == 1 {
            let view = std::mem::take(&mut self.view);
            let outcome = self.recognize_pixels(&view, decode);
            self.view = view;
            return outcome;
        }
        let shrunk = Instant::now();
        let found = self.detector.detect(&self.view, size)?;
        let detect = shrunk.elapsed();
        if found.is_empty() {
            return Ok((Vec::new(), Timings { decode, detect, ..Timings::default() }));
        }
        let again = Instant::now();
        let wanted = self.reader.reach(found.iter().map(|d| &d.corners));
        let part =
            if once { self.planes.part(wanted, &mut self.part)? } else { jpeg.decode_part(wanted, &mut self.part)? };
        decode += again.elapsed();
        let origin = [part.x as f32, part.y as f32];
        let (sightings, rectify, read) = read_plates(&mut self.reader, &self.part, origin, found)?;
        Ok((sightings, Timings { decode, detect, rectify, read }))
    }

    fn recognize_pixels(&mut self, image: &Mat, decode: Duration) -> Result<(Vec<Sighting>, Timings)> {
        let start = Instant::now();
        let found = self.detector.detect(image, (image.cols(), image.rows()))?;
        let detect = start.elapsed();
        let (sightings, rectify, read) = read_plates(&mut self.reader, image, [0.0; 2], found)?;
        Ok((sightings, Timings { decode, detect, rectify, read }))
    }

    /// Focus and light of the picture that was recognised last, by the pixels that were made of it; none where
    /// they don't tell.
    pub fn quality(&self, picture: &Picture) -> Option<Quality> {
        Quality::of(picture, &self.view)
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
        Ok((sightings, Timings { rectify: cut - start, read: cut.elapsed(), ..Timings::default() }))
    }
}

/// Cuts the plates out of `image`, which begins at `origin` in the picture, and reads them.
fn read_plates(
    reader: &mut Reader,
    image: &Mat,
    origin: [f32; 2],
    found: Vec<Detection>,
) -> Result<(Vec<Sighting>, Duration, Duration)> {
    let start = Instant::now();
    let inside = |corners: &[[f32; 2]; 4]| corners.map(|[x, y]| [x - origin[0], y - origin[1]]);
    let crops = found.iter().map(|d| reader.crop(image, &inside(&d.corners))).collect::<Result<Vec<_>>>()?;
    let cut = Instant::now();
    let readings = reader.read(&crops)?;
    let sightings = found.into_iter().zip(readings).filter_map(|(d, r)| sighting(d, r)).collect();
    Ok((sightings, cut - start, cut.elapsed()))
}

fn sighting(detection: Detection, reading: Reading) -> Option<Sighting> {
    let Reading { slots, state, state_confidence } = reading;
    let candidates = combine(std::iter::once(&slots), likely(&state, state_confidence)).candidates;
    let (text, confidence) = candidates.first().cloned()?;
    Some(Sighting { detection, text, confidence, candidates, slots, state, state_confidence })
}
