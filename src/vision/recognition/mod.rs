//! Frames to sightings to reads.
//!
//! A frame goes through four steps: the [`Detector`] finds boxes and corners, [`rectify`]
//! makes each plate upright, the [`Reader`] gives one distribution over characters for each
//! position, and the [`Tracker`] follows each plate over frames and combines its sightings in
//! log-probability space into one read. A still image is a track of one sighting.
//!
//! Beside them, a [`VehicleModel`] tells what the vehicle looks like, once at a track's best frame.
//!
//! Models are ONNX files with a sidecar ([`sidecar`]); onnxruntime runs them ([`runtime`]).
//! Each worker owns one [`Recognizer`]; nothing in here waits for disk or network.

mod combine;
mod detector;
mod model;
mod reader;
mod recognizer;
mod self_test;
pub mod rectify;
pub mod runtime;
mod settings;
pub mod sidecar;
mod standing;
mod track;
mod tracker;
mod vehicle;

pub use combine::{Combined, combine, likely};
pub use detector::{Detection, Detector};
pub use reader::{Reader, Reading};
pub use recognizer::{Models, Recognizer, Sighting, Timings};
pub use settings::Recognition;
pub use tracker::{Event, TrackRead, Tracker};
pub use vehicle::VehicleModel;
