//! What `plated recognize` prints: one line for each file.

use crate::cli::annotate::Mark;
use crate::cli::say;
use jiff::Timestamp;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::Candidate;
use plated_core::text::count;
use plated_vision::recognition::{Sighting, Timings, TrackRead, likely};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// One file.
#[derive(Serialize)]
pub struct Line {
    image: String,
    plates: Vec<Plate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    millis: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// One plate of a picture, or one vehicle pass of a video.
#[derive(Serialize)]
pub struct Plate {
    text: String,
    confidence: f32,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_confidence: Option<f32>,
    #[serde(rename = "box")]
    bounds: [f32; 4],
    corners: [[f32; 2]; 4],
    #[serde(skip_serializing_if = "Option::is_none")]
    detection: Option<f32>,
    candidates: Vec<Candidate>,
    #[serde(flatten)]
    pass: Option<Pass>,
}

/// Where in a video a vehicle passed.
#[derive(Serialize)]
struct Pass {
    frame: u64,
    looks: u32,
    agreeing: u32,
    first_s: f64,
    last_s: f64,
}

/// Time spent, in milliseconds; of a video, over all its frames.
#[derive(Serialize)]
struct Millis {
    #[serde(skip_serializing_if = "Option::is_none")]
    decode: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detect: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rectify: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recognition: Option<f64>,
    total: f64,
}

fn millis(d: Duration) -> f64 {
    (d.as_secs_f64() * 1e6).round() / 1e3
}

impl Plate {
    /// A still image is a track of one sighting.
    pub fn of_sighting(s: &Sighting) -> Self {
        Self {
            text: s.text.clone(),
            confidence: s.confidence,
            state: s.state.clone(),
            state_confidence: Some(s.state_confidence),
            bounds: s.detection.bounds,
            corners: s.detection.corners,
            detection: Some(s.detection.confidence),
            candidates: s.candidates.iter().map(|(text, p)| Candidate { text: text.clone(), confidence: *p }).collect(),
            pass: None,
        }
    }

    pub fn of_read(r: &TrackRead, began: Timestamp) -> Self {
        let seconds = |at: Timestamp| (at.duration_since(began).as_secs_f64() * 1e3).round() / 1e3;
        Self {
            text: r.text.clone(),
            confidence: r.confidence,
            state: r.state.clone(),
            state_confidence: None,
            bounds: r.best.bounds,
            corners: r.best.corners,
            detection: None,
            candidates: r.candidates.clone(),
            pass: Some(Pass {
                frame: r.best.frame,
                looks: r.looks,
                agreeing: r.agreeing,
                first_s: seconds(r.first_seen),
                last_s: seconds(r.last_seen),
            }),
        }
    }

    pub fn confidence(&self) -> f32 {
        self.confidence
    }

    /// How it is drawn into a picture.
    pub fn mark(&self) -> Mark {
        Mark { corners: self.corners, label: format!("{} {:.0} %", self.text, self.confidence * 100.0) }
    }
}

impl Line {
    pub fn image(path: &Path, plates: Vec<Plate>, t: Timings) -> Self {
        let total = millis(t.decode + t.detect + t.rectify + t.read);
        let millis = Millis {
            decode: Some(millis(t.decode)),
            detect: Some(millis(t.detect)),
            rectify: Some(millis(t.rectify)),
            read: Some(millis(t.read)),
            recognition: None,
            total,
        };
        Self { image: path.display().to_string(), plates, frames: None, millis: Some(millis), error: None }
    }

    pub fn video(path: &Path, plates: Vec<Plate>, frames: u64, total: Duration, recognition: Duration) -> Self {
        let millis = Millis {
            decode: None,
            detect: None,
            rectify: None,
            read: None,
            recognition: Some(millis(recognition)),
            total: millis(total),
        };
        Self { image: path.display().to_string(), plates, frames: Some(frames), millis: Some(millis), error: None }
    }

    pub fn failed(path: &Path, error: &Error) -> Self {
        let (image, error) = (path.display().to_string(), Some(error.chain()));
        Self { image, plates: Vec::new(), frames: None, millis: None, error }
    }

    pub fn print(&self, json: bool) -> Result<()> {
        if json {
            let text = serde_json::to_string(self)
                .context(Kind::Internal, || "a result could not be written as JSON".into())?;
            return say(format_args!("{text}"));
        }
        if self.error.is_some() {
            return Ok(()); // said on stderr
        }
        if self.plates.is_empty() {
            return say(format_args!("{}: no plate", self.image));
        }
        for plate in &self.plates {
            let text = PlateText::normalise(&plate.text).display();
            let state = match likely(&plate.state, plate.state_confidence.unwrap_or(1.0)) {
                "" => "--",
                state => state,
            };
            let when = plate
                .pass
                .as_ref()
                .map(|p| format!("  {:.1}–{:.1} s, {}", p.first_s, p.last_s, count(p.looks.into(), "look")));
            let (sure, when) = (plate.confidence * 100.0, when.unwrap_or_default());
            say(format_args!("{}: {text:<9} {state}  {sure:3.0} %{when}", self.image))?;
        }
        Ok(())
    }
}
