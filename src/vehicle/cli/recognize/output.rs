//! What `plated recognize` prints: one line for each file.

use crate::cli::annotate::Mark;
use crate::cli::{say, say_json};
use jiff::Timestamp;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::{Appearance, Candidate};
use plated_core::text::{count, visible};
use plated_vision::recognition::{Sighting, Timings, TrackRead, likely};
use serde::Serialize;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// One file.
#[derive(Serialize)]
pub struct Line {
    /// The path, or where it is no UTF-8 what of it can be shown; then `path_hex` is the path.
    image: String,
    /// The bytes of a path that is no UTF-8, in hexadecimal: two such paths can be shown alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    plates: Vec<Plate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<u64>,
    /// When a video began, and how that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dated_by: Option<Dated>,
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
    /// What the vehicle looks like; missing where no model looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    appearance: Option<Appearance>,
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
    /// For how long the vehicle stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    stood_s: Option<f64>,
    first_seen: Timestamp,
    last_seen: Timestamp,
}

/// How it is known when a video was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dated {
    /// Said by the user.
    Start,
    /// Said by the file.
    Container,
    /// It is not: the moment of its analysis stands in.
    Analysis,
}

/// The report of a video as a whole.
#[derive(Clone, Copy)]
pub struct Recording {
    pub began: Timestamp,
    pub dated: Dated,
    pub frames: u64,
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
            appearance: None,
            pass: None,
        }
    }

    /// With what the vehicle looks like.
    pub fn described(self, appearance: Option<Appearance>) -> Self {
        Self { appearance, ..self }
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
            appearance: None,
            pass: Some(Pass {
                frame: r.best.frame,
                looks: r.looks,
                agreeing: r.agreeing,
                first_s: seconds(r.first_seen),
                last_s: seconds(r.last_seen),
                stood_s: (!r.stood.is_zero()).then(|| (r.stood.as_secs_f64() * 10.0).round() / 10.0),
                first_seen: r.first_seen,
                last_seen: r.last_seen,
            }),
        }
    }

    pub fn confidence(&self) -> f32 {
        self.confidence
    }

    /// Corners in pixels of its picture.
    pub fn corners(&self) -> &[[f32; 2]; 4] {
        &self.corners
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
        Self { plates, millis: Some(millis), ..Self::of(path) }
    }

    pub fn video(
        path: &Path,
        plates: Vec<Plate>,
        recording: Recording,
        total: Duration,
        recognition: Duration,
        error: Option<&Error>,
    ) -> Self {
        let millis = Millis {
            decode: None,
            detect: None,
            rectify: None,
            read: None,
            recognition: Some(millis(recognition)),
            total: millis(total),
        };
        let Recording { began, dated, frames } = recording;
        Self {
            plates,
            frames: Some(frames),
            began: Some(began),
            dated_by: Some(dated),
            millis: Some(millis),
            error: error.map(Error::chain),
            ..Self::of(path)
        }
    }

    pub fn failed(path: &Path, error: &Error) -> Self {
        Self { error: Some(error.chain()), ..Self::of(path) }
    }

    fn of(path: &Path) -> Self {
        let (image, path_hex) = match path.to_str() {
            Some(text) => (text.to_owned(), None),
            None => {
                let hex = path.as_os_str().as_bytes().iter().map(|b| format!("{b:02x}")).collect();
                (visible(path).to_string(), Some(hex))
            }
        };
        let (frames, began, dated_by, millis, error) = (None, None, None, None, None);
        Self { image, path_hex, plates: Vec::new(), frames, began, dated_by, millis, error }
    }

    /// True without plates.
    pub fn is_empty(&self) -> bool {
        self.plates.is_empty()
    }

    pub fn print(&self, json: bool) -> Result<()> {
        if json {
            let text = serde_json::to_string(self)
                .context(Kind::Internal, || "a result could not be written as JSON".into())?;
            return say_json(&text);
        }
        let name = visible(&self.image);
        if self.plates.is_empty() {
            // The error is on stderr already.
            return if self.error.is_some() { Ok(()) } else { say(format_args!("{name}: no plate")) };
        }
        for plate in &self.plates {
            let text = PlateText::normalise(&plate.text).display();
            let state = match likely(&plate.state, plate.state_confidence.unwrap_or(1.0)) {
                "" => "--",
                state => state,
            };
            let when = plate.pass.as_ref().map(|p| {
                let date = match self.dated_by {
                    Some(Dated::Analysis) | None => String::new(),
                    Some(_) => format!(", {:.0}", p.first_seen),
                };
                format!("  {:.1}–{:.1} s, {}{date}", p.first_s, p.last_s, count(p.looks.into(), "look"))
            });
            let (sure, when) = (plate.confidence * 100.0, when.unwrap_or_default());
            let vehicle = plate.appearance.as_ref().map(Appearance::in_words).filter(|words| !words.is_empty());
            let vehicle = vehicle.map_or_else(String::new, |words| format!("  {words}"));
            say(format_args!("{name}: {text:<9} {state}  {sure:3.0} %{when}{vehicle}"))?;
        }
        Ok(())
    }
}
