//! How each camera is: by its part of the health, the frames that came, and the last read.

use crate::health::{Level, Part};
use jiff::Timestamp;
use plated_access::{Live, Permit};
use plated_core::record::CameraPosition;
use plated_vision::capture::{SourceState, SourceStatus};
use plated_vision::frame::Frame;
use plated_web::pages::CameraCard;
use plated_web::ui::Health;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Frames are counted over so long at least.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is known of where a camera points.
#[derive(Clone, Debug, Default)]
pub struct AimState {
    /// Where its plates usually are is known.
    pub is_known: bool,
    /// Why it seems to have moved, if it does.
    pub moved: Option<String>,
}

/// The newest frame of a camera of this name, against a permit.
pub type Newest = Box<dyn Fn(&Permit<Live>, &str) -> Option<Frame> + Send + Sync>;

/// The way to the cameras at work.
pub struct CameraAccess {
    /// How they are, in the order of the configuration.
    pub status: Box<dyn Fn() -> Vec<SourceStatus> + Send + Sync>,
    /// The newest frame of the camera of this name that was looked at.
    pub newest: Newest,
    /// Where the camera of this name points.
    pub aim: Box<dyn Fn(&str) -> AimState + Send + Sync>,
    /// It is aimed otherwise from here on.
    pub learn_anew: Box<dyn Fn(&str) + Send + Sync>,
}

/// The cameras, as cards show them.
pub struct Cameras {
    /// The way to them.
    pub access: CameraAccess,
    seen: Mutex<HashMap<String, Seen>>,
}

#[derive(Default)]
struct Seen {
    /// Monotonic time of the last count, and the frames by then.
    counted: Option<(Duration, u64)>,
    /// Frames a second.
    rate: Option<f64>,
    last_read: Option<Timestamp>,
}

impl Cameras {
    /// None of them was counted yet.
    pub fn new(access: CameraAccess) -> Self {
        Self { access, seen: Mutex::default() }
    }

    /// A read of this camera was made then.
    pub fn read(&self, camera: &str, at: Timestamp) {
        let mut seen = self.lock();
        let last = &mut seen.entry(camera.to_owned()).or_default().last_read;
        *last = (*last).max(Some(at));
    }

    /// Their names, in the order of the configuration.
    pub fn names(&self) -> Vec<String> {
        (self.access.status)().iter().map(|source| source.name.to_string()).collect()
    }

    /// One card each, in the order of the configuration.
    pub fn cards(&self, parts: &[Part], wall: Timestamp, now: Duration) -> Vec<CameraCard> {
        let sources = (self.access.status)();
        let mut seen = self.lock();
        let card = |source: &SourceStatus| {
            let seen = seen.entry(source.name.to_string()).or_default();
            seen.count(source.captured, now);
            let part = parts.iter().find(|part| part.name.strip_prefix("camera ") == Some(&*source.name));
            let health = part.map_or(Health::Info, |part| super::status::health(part.level));
            let rate = match (&source.state, seen.rate) {
                (SourceState::Running, Some(rate)) if rate >= 10.0 => format!("{rate:.0} frames/s"),
                (SourceState::Running, Some(rate)) => format!("{rate:.1} frames/s"),
                (SourceState::Running, None) => "counting frames".into(),
                (SourceState::Opening, _) => "being opened".into(),
                (SourceState::Waiting { .. }, _) => "no picture".into(),
                (SourceState::Ended { .. }, _) => "at its end".into(),
            };
            let last_read = match seen.last_read {
                Some(at) => format!("read {}", super::words::ago(at, wall)),
                None => "no read yet".into(),
            };
            let warning = part.filter(|part| part.level > Level::Ok).map(|part| super::words::capital(&part.text));
            CameraCard {
                id: id(&source.name),
                name: source.name.to_string(),
                label: CameraPosition::label(&source.name, source.position),
                health,
                rate,
                last_read,
                warnings: warning.into_iter().collect(),
            }
        };
        sources.iter().map(card).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn count(&mut self, frames: u64, now: Duration) {
        let Some((at, before)) = self.counted else {
            self.counted = Some((now, frames));
            return;
        };
        let passed = now.saturating_sub(at);
        if passed >= INTERVAL {
            self.rate = Some(frames.saturating_sub(before) as f64 / passed.as_secs_f64());
            self.counted = Some((now, frames));
        }
    }
}

/// A name for an element of the page.
fn id(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}
