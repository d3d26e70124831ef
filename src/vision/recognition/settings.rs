//! The section `[recognition]` of the configuration.

use plated_core::config_file::within;
use serde::Deserialize;
use std::path::PathBuf;

/// Detector, reader, vehicle model and tracker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recognition {
    /// Folder of `detector.toml` and `reader.toml`, or empty: looked for beside the program.
    pub models: Option<PathBuf>,
    /// Sidecar of another detector.
    pub detector: Option<PathBuf>,
    /// Sidecar of another reader.
    pub reader: Option<PathBuf>,
    /// Sidecar of another model that tells what vehicles look like.
    pub vehicle: Option<PathBuf>,
    /// Whether it is told what the vehicle of a read looks like: class, colour, make.
    pub describe_vehicles: bool,
    /// `libonnxruntime.so`; looked for in the usual places when not given.
    pub runtime: Option<PathBuf>,
    /// Frames recognised at the same time; 0 is one for each core.
    pub workers: usize,
    /// A read under this confidence is kept out of the store, 0 to 1.
    pub keep_confidence: f32,
    /// Looks that must agree before an alert.
    pub alert_looks: u32,
    /// One look of this confidence alerts by itself, 0 to 1.
    pub alert_confidence: f32,
    /// A plate not seen for this many seconds has gone.
    pub gone_after_s: f64,
    /// A camera's picture in which nothing moves is recognised once in so many seconds; 0: each frame of it.
    pub still_s: f64,
}

impl Default for Recognition {
    fn default() -> Self {
        Self {
            models: None,
            detector: None,
            reader: None,
            vehicle: None,
            describe_vehicles: true,
            runtime: None,
            workers: 0,
            keep_confidence: 0.3,
            alert_looks: 2,
            alert_confidence: 0.97,
            gone_after_s: 0.8,
            still_s: 2.0,
        }
    }
}

impl Recognition {
    /// Rules that the types can't say. The error names the key.
    ///
    /// # Errors
    /// A sentence with the key and its bounds.
    pub fn check(&self) -> Result<(), String> {
        // Each worker has models of its own, of some 60 MiB.
        within("recognition.workers", self.workers, 0..=64)?;
        within("recognition.keep_confidence", self.keep_confidence, 0.0..=1.0)?;
        within("recognition.alert_looks", self.alert_looks, 1..=1000)?;
        within("recognition.alert_confidence", self.alert_confidence, 0.0..=1.0)?;
        within("recognition.gone_after_s", self.gone_after_s, 0.01..=60.0)?;
        within("recognition.still_s", self.still_s, 0.0..=10.0)
    }
}
