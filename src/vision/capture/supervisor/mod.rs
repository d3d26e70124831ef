//! One thread for each source, kept going: a camera that fails is opened again for ever, a file
//! ends for good, and neither disturbs the others (invariant 5 of `docs/design.md`).

mod worker;

use super::slot::{Inbox, Take};
use crate::capture::CaptureSource;
use crate::frame::Frame;
use crossbeam_channel::{Sender, bounded};
use plated_core::clock::Clock;
use plated_core::error::{Context, Kind, Result};
use plated_core::record::CameraPosition;
use plated_core::shutdown::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;
use tracing::warn;
use worker::{Plan, Worker};

/// All sources at work. Shared by the recognition workers behind an `Arc`.
pub struct Capture {
    shared: Arc<Shared>,
    /// One for each source, by which its thread is told that something was asked of it.
    nudges: Vec<Sender<()>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What waiting for a frame came to.
pub enum NextFrame {
    /// The newest frame of a source.
    Frame(TakenFrame),
    /// None came in time.
    TimedOut,
    /// None will come: every file is at its end, or capture was stopped.
    AllEnded,
}

/// A frame and its place in the order of its source.
pub struct TakenFrame {
    /// The frame.
    pub frame: Frame,
    /// Index of the source in the configuration.
    pub source_index: usize,
    /// 0, 1, 2, … in the order in which this source's frames were taken, without gaps, so that
    /// results can be put back in order.
    pub ticket: u64,
}

/// How a source is doing.
#[derive(Clone, Debug)]
pub struct SourceStatus {
    /// Its name.
    pub name: Arc<str>,
    /// Which way from the vehicle it looks, where the configuration says it.
    pub position: Option<CameraPosition>,
    /// What it does now.
    pub state: SourceState,
    /// Frames captured.
    pub captured: u64,
    /// Frames captured that a newer one replaced before recognition was free.
    pub dropped: u64,
    /// Frames that are no picture, or damaged on their way.
    pub skipped: u64,
    /// Frames that were lost before they got here, as the camera's driver counts them.
    pub lost: u64,
    /// Packets on their way here, where the camera counts them.
    pub packets: Option<Packets>,
    /// Times it was opened again after a failure.
    pub restarts: u64,
    /// Awake time ([`Clock::awake`]) of its last frame.
    pub last_frame: Option<Duration>,
    /// Since when, awake time, its thread is inside the driver or the library that opens and reads it; none
    /// while it is not. One that waits to be opened again is not.
    pub in_driver_since: Option<Duration>,
    /// What of the configuration the camera does not do, in one sentence.
    pub note: Option<String>,
}

/// Packets of a network camera since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packets {
    /// Those that were asked for again and came.
    pub resent: u64,
    /// Those that never came.
    pub missing: u64,
}

/// What a source does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Being opened; no frame yet.
    Opening,
    /// Delivering frames.
    Running,
    /// A camera failed and will be tried again.
    Waiting {
        /// Why it failed.
        error: String,
    },
    /// A file is at its end, or capture was stopped.
    Ended {
        /// Why it ended before its time, if it did.
        error: Option<String>,
    },
}

impl SourceStatus {
    /// Why the source ended before its time.
    pub fn ended_with_error(&self) -> Option<&str> {
        match &self.state {
            SourceState::Ended { error } => error.as_deref(),
            _ => None,
        }
    }
}

struct Shared {
    clock: Arc<dyn Clock>,
    stop: Shutdown,
    /// Cameras are closed until this is over.
    paused: AtomicBool,
    /// Which sources are closed for it, recordings counted in.
    closed: Vec<AtomicBool>,
    inbox: Inbox<Frame>,
    status: Vec<Mutex<SourceStatus>>,
}

/// How long stopping waits for a thread that is inside a driver.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

impl Capture {
    /// Starts a thread for each source. A source that can't be opened is no error here: it is
    /// tried again, or ends with an error, and [`Capture::status`] tells.
    ///
    /// # Errors
    /// `Internal` when the system gives no thread.
    pub fn start(sources: &[CaptureSource], clock: Arc<dyn Clock>) -> Result<Self> {
        Self::start_plans(sources.iter().map(Plan::of).collect(), clock)
    }

    fn start_plans(plans: Vec<Plan>, clock: Arc<dyn Clock>) -> Result<Self> {
        let status = plans.iter().map(|p| Mutex::new(SourceStatus::new(&p.name, p.position))).collect();
        let (stop, paused, inbox) = (Shutdown::new(), AtomicBool::default(), Inbox::new(plans.len()));
        let closed = plans.iter().map(|plan| AtomicBool::new(plan.file.is_some())).collect();
        let shared = Arc::new(Shared { clock, stop, paused, closed, inbox, status });
        let mut capture = Self { shared, nudges: Vec::new(), threads: Mutex::default() };
        for (index, plan) in plans.into_iter().enumerate() {
            let shared = Arc::clone(&capture.shared);
            let name = format!("capture-{}", plan.name);
            let (nudge, nudged) = bounded(1);
            capture.nudges.push(nudge);
            let thread = std::thread::Builder::new().name(name).spawn(move || {
                let ended = Worker::new(shared, index, plan, nudged).run();
                ended.shared.inbox.end(ended.index);
            });
            let thread = thread.context(Kind::Internal, || "could not start a capture thread".into())?;
            capture.threads().push(thread);
        }
        Ok(capture)
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Waits at most `timeout` for the newest frame of any source; each source has its turn.
    pub fn next(&self, timeout: Duration) -> NextFrame {
        match self.shared.inbox.take(timeout) {
            Take::Item { source, ticket, item } => {
                NextFrame::Frame(TakenFrame { frame: item, source_index: source, ticket })
            }
            Take::TimedOut => NextFrame::TimedOut,
            Take::AllEnded => NextFrame::AllEnded,
        }
    }

    /// How each source is doing, in the order of the configuration.
    pub fn status(&self) -> Vec<SourceStatus> {
        let one = |(index, _)| SourceStatus {
            dropped: self.shared.inbox.dropped(index),
            ..self.shared.status(index).clone()
        };
        self.shared.status.iter().enumerate().map(one).collect()
    }

    /// Closes the cameras, as soon as their drivers let it, until [`Capture::open_anew`]. Recordings go on.
    pub fn pause(&self) {
        self.shared.paused.store(true, Ordering::SeqCst);
        self.nudge();
    }

    /// Opens the cameras again, also those that are open or wait to be tried again.
    pub fn open_anew(&self) {
        self.shared.paused.store(false, Ordering::SeqCst);
        self.nudge();
    }

    /// Whether [`Capture::pause`] has come through everywhere, and no frame waits for recognition.
    pub fn is_paused(&self) -> bool {
        self.shared.closed.iter().all(|closed| closed.load(Ordering::SeqCst)) && !self.shared.inbox.has_waiting()
    }

    /// Frames that were taken for recognition since the start.
    pub fn taken(&self) -> u64 {
        self.shared.inbox.taken()
    }

    fn nudge(&self) {
        // One that was not heard yet says enough.
        self.nudges.iter().for_each(|nudge| _ = nudge.try_send(()));
    }

    /// Ends capture: [`Capture::next`] returns `AllEnded` at once, and the threads are waited
    /// for, at most about a second. One that hangs in a driver is left behind with a warning.
    pub fn stop(&self) {
        self.shared.stop.request();
        self.shared.inbox.close();
        let all = self.shared.inbox.wait_ended(STOP_TIMEOUT);
        for thread in self.threads().drain(..) {
            if all || thread.is_finished() {
                // It can't have panicked: what it runs is caught.
                let _ = thread.join();
            } else {
                warn!(
                    "{} hangs in its driver and is left behind.",
                    thread.thread().name().unwrap_or("A capture thread")
                );
            }
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// Does what may hang in a driver, and keeps down since when.
    fn in_driver<T>(&self, index: usize, work: impl FnOnce() -> T) -> T {
        self.status(index).in_driver_since = Some(self.clock.awake());
        let done = work();
        self.status(index).in_driver_since = None;
        done
    }

    fn status(&self, index: usize) -> MutexGuard<'_, SourceStatus> {
        self.status[index].lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl SourceStatus {
    fn new(name: &Arc<str>, position: Option<CameraPosition>) -> Self {
        Self {
            name: Arc::clone(name),
            position,
            state: SourceState::Opening,
            captured: 0,
            dropped: 0,
            skipped: 0,
            lost: 0,
            packets: None,
            restarts: 0,
            last_frame: None,
            in_driver_since: None,
            note: None,
        }
    }
}

#[cfg(test)]
mod tests;
