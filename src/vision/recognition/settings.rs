//! The section `[recognition]` of the configuration.

use serde::Deserialize;
use std::path::PathBuf;

/// Detector, reader and tracker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recognition {
    /// Folder of `detector.toml` and `reader.toml`, or empty: looked for beside the program.
    pub models: Option<PathBuf>,
    /// Sidecar of another detector.
    pub detector: Option<PathBuf>,
    /// Sidecar of another reader.
    pub reader: Option<PathBuf>,
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
}

impl Default for Recognition {
    fn default() -> Self {
        Self {
            models: None,
            detector: None,
            reader: None,
            runtime: None,
            workers: 0,
            keep_confidence: 0.3,
            alert_looks: 2,
            alert_confidence: 0.97,
            gone_after_s: 0.8,
        }
    }
}
