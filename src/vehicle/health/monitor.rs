//! Looks once a second at what can't report by itself: cameras and the way of their frames, the chime.

use super::{Health, Level};
use crate::alert::Chime;
use crate::pipeline::{Counters, Workers};
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::shutdown::Shutdown;
use plated_core::text::count;
use plated_vision::capture::{Capture, SourceStatus, State};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// A camera that gives no frame for this long is not well, nor is one whose frames give no result.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// So many reads wait in memory only when the store has trouble.
const MANY_WAITING: u64 = 16;

/// Frames of a camera that may come before the first of them is read.
const FIRST_FRAMES: u64 = 300;

/// What the monitor looks at.
pub struct Monitor {
    /// Where it reports.
    pub health: Arc<Health>,
    /// Cameras and files.
    pub capture: Arc<Capture>,
    /// Recognition threads.
    pub workers: Arc<Workers>,
    /// When the last result of each source came.
    pub counters: Arc<Counters>,
    /// The chime.
    pub chime: Arc<Chime>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Monitor {
    /// Starts it; it ends with `shutdown`.
    ///
    /// # Errors
    /// `Internal` when the thread can't be started.
    pub fn start(self, shutdown: Shutdown) -> Result<JoinHandle<()>> {
        plated_core::thread::spawn("health", move || {
            loop {
                self.look();
                if shutdown.wait_timeout(INTERVAL) {
                    return;
                }
            }
        })
    }

    fn look(&self) {
        let (wall, now) = (self.clock.wall(), self.clock.monotonic());
        self.workers.replace_hung(now);
        let hung = self.workers.hung();
        let (level, text) = match hung {
            0 => (Level::Ok, count(self.workers.running() as u64, "worker")),
            n => {
                let replaced = count(n as u64, "worker");
                (Level::Degraded, format!("{replaced} hung and was replaced; restart the daemon when it can be spared"))
            }
        };
        self.health.report("recognition", level, text, wall);
        for (index, source) in self.capture.status().iter().enumerate() {
            let (level, text) = camera(source, self.counters.last_result(index), now);
            let worse = self.health.report(&format!("camera {}", source.name), level, text.clone(), wall);
            // What keeps it from being opened is logged where it is opened.
            if worse && source.state == State::Running {
                tracing::error!(source = %source.name, "The camera is not read: {}", plated_core::text::sentence(&text));
            }
        }
        let chime = self.chime.status();
        let (level, text) = match (&chime.error, &chime.instead) {
            (Some(why), None) => (Level::Failed, format!("alerts can't be heard: {why}")),
            (Some(why), Some(device)) => (Level::Degraded, format!("alerts sound on {device}, since {why}")),
            (None, _) => (Level::Ok, "alerts can be heard".to_owned()),
        };
        self.health.report("chime", level, text, wall);
        let totals = self.counters.totals();
        let (level, text) = kept(totals.waiting, totals.lost_reads);
        self.health.report("reads", level, text, wall);
    }
}

/// How reads get into the store: how many wait in memory for it, and how many were lost.
fn kept(waiting: u64, lost: u64) -> (Level, String) {
    match (waiting, lost) {
        (0..MANY_WAITING, 0) => (Level::Ok, "they are kept as they come".into()),
        (_, 0) => (Level::Degraded, format!("{} in memory, since the store can't write them", count(waiting, "read"))),
        _ => {
            let lost = count(lost, "read");
            (Level::Failed, format!("{lost} lost, since the store could not write; {waiting} in memory"))
        }
    }
}

/// How a source is, by its own state and by the results of its frames.
fn camera(source: &SourceStatus, last_result: Option<Duration>, now: Duration) -> (Level, String) {
    let silent = |then: Option<Duration>| then.is_none_or(|then| now.saturating_sub(then) > SILENT_AFTER);
    let seconds = |then: Option<Duration>| then.map_or(0, |then| now.saturating_sub(then).as_secs());
    match &source.state {
        State::Opening if now > SILENT_AFTER && silent(source.last_frame) => {
            (Level::Degraded, "it is being opened and gives no picture yet".into())
        }
        State::Opening => (Level::Ok, "it is being opened".into()),
        State::Waiting { error } => (Level::Failed, format!("it gives no picture and is tried again: {error}")),
        State::Ended { error: Some(error) } => (Level::Failed, format!("it ended with an error: {error}")),
        State::Ended { error: None } => (Level::Ok, "it is at its end".into()),
        State::Running if silent(source.last_frame) => {
            (Level::Failed, format!("no picture for {} s", seconds(source.last_frame)))
        }
        State::Running if last_result.is_none() && source.captured < FIRST_FRAMES => {
            (Level::Ok, "its first pictures are being read".into())
        }
        State::Running if silent(last_result) => {
            (Level::Failed, format!("its pictures have not been read for {} s", seconds(last_result)))
        }
        State::Running => {
            let frames = count(source.captured, "frame");
            (Level::Ok, format!("{frames}, {} dropped for newer ones", source.dropped))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(state: State, last_frame: Option<u64>) -> SourceStatus {
        SourceStatus {
            name: "front".into(),
            state,
            captured: 100,
            dropped: 3,
            skipped: 0,
            restarts: 0,
            last_frame: last_frame.map(Duration::from_secs),
        }
    }

    #[test]
    fn reads_that_wait_or_were_lost_are_told() {
        assert_eq!(kept(3, 0).0, Level::Ok);
        assert_eq!(kept(200, 0).0, Level::Degraded);
        let (level, text) = kept(0, 1);
        assert!(level == Level::Failed && text.starts_with("1 read lost"), "{text}");
    }

    #[test]
    fn a_camera_is_well_only_while_its_pictures_are_read() {
        let level = |state, frame, result: u64| {
            camera(&source(state, Some(frame)), Some(Duration::from_secs(result)), Duration::from_secs(100)).0
        };
        assert_eq!(level(State::Running, 99, 99), Level::Ok);
        assert_eq!(level(State::Running, 99, 80), Level::Failed, "frames come in, and nothing comes out");
        assert_eq!(level(State::Running, 80, 80), Level::Failed);
        assert_eq!(level(State::Waiting { error: "it is not plugged in".into() }, 99, 99), Level::Failed);
        assert_eq!(level(State::Ended { error: None }, 1, 1), Level::Ok);
    }
}
