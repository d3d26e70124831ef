//! The thread of one source: opens it, plays it, and opens it again.

use super::{Shared, SourceState};
use crate::capture::folder::ImageFolder;
use crate::capture::gige::GigeCamera;
use crate::capture::pace::{MAX_RETRY, MAX_USB_RETRY, MIN_RETRY, Pacer};
use crate::capture::slot::Inbox;
use crate::capture::v4l2::UsbCamera;
use crate::capture::video::{Camera, VideoReader};
use crate::capture::watch::{SeenFiles, WatchedFolder};
use crate::capture::{CaptureSource, FrameReader, Input, Pace};
use crate::frame::Frame;
use crossbeam_channel::{Receiver, select};
use jiff::Timestamp;
use plated_core::clock::Moment;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::CameraPosition;
use plated_core::retry::Backoff;
use plated_core::text::sentence;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tracing::{info, warn};

/// So many frames in a row that can't be decoded are a failure of the camera.
const MAX_UNDECODABLE: u32 = 50;

/// After an opening that gave no frame, the camera waits for so many times as long as that took: one that hangs
/// while it is opened keeps the others from being opened for a fifth of the time at most.
const REST_FACTOR: u32 = 4;

/// How a source is opened and played.
pub struct Plan {
    pub name: Arc<str>,
    pub position: Option<CameraPosition>,
    /// What can be found out before `open`, of which there is only one at a time among all sources.
    pub probe: Option<Box<dyn Fn() -> Result<()> + Send>>,
    pub open: Box<dyn Fn() -> Result<Box<dyn FrameReader>> + Send>,
    /// `None` for cameras.
    pub file: Option<FilePlan>,
    /// The longest wait before it is opened again.
    pub max_retry: Duration,
}

pub struct FilePlan {
    pub pace: Pace,
    /// 0 is for ever.
    pub repeat: u32,
    /// When the recording began, as the configuration has it.
    pub start: Option<Timestamp>,
}

impl Plan {
    /// How the configuration wants it.
    pub fn of(source: &CaptureSource) -> Self {
        let input = source.input.clone();
        let file = match input {
            Input::Video { pace, repeat, start, .. } | Input::Images { pace, repeat, start, .. } => {
                Some(FilePlan { pace, repeat, start })
            }
            Input::Watch { .. } | Input::Rtsp(_) | Input::Mjpeg(_) | Input::V4l2 { .. } | Input::Gige(_) => None,
        };
        let probe = match &input {
            Input::Rtsp(url) | Input::Mjpeg(url) => {
                let url = url.clone();
                Some(Box::new(move || Camera::probe(&url)) as Box<dyn Fn() -> Result<()> + Send>)
            }
            _ => None,
        };
        let seen = SeenFiles::default();
        let open = move || -> Result<Box<dyn FrameReader>> {
            Ok(match &input {
                Input::Video { path, .. } => Box::new(VideoReader::open(path)?),
                Input::Images { path, rate, .. } => Box::new(ImageFolder::open(path, *rate)?),
                Input::Watch { path } => Box::new(WatchedFolder::open(path, seen.clone())?),
                Input::Rtsp(url) => Box::new(Camera::rtsp(url)?),
                Input::Mjpeg(url) => Box::new(Camera::mjpeg(url)?),
                Input::Gige(wish) => Box::new(GigeCamera::open(wish)?),
                Input::V4l2 { device, wish, controls } => Box::new(UsbCamera::open(device, wish, controls)?),
            })
        };
        // To see that no USB camera is plugged in costs nothing, and the driver wants pictures when it is.
        let max_retry = if matches!(source.input, Input::V4l2 { .. }) { MAX_USB_RETRY } else { MAX_RETRY };
        let (name, position) = (source.name.as_str().into(), source.position);
        Self { name, position, probe, open: Box::new(open), file, max_retry }
    }
}

/// The thread of one source.
pub struct Worker {
    pub shared: Arc<Shared>,
    pub index: usize,
    pub plan: Plan,
    sequence: u64,
    pacer: Pacer,
    /// Time in the file at which it begins: it may be played again and again.
    begin: Duration,
    /// Wall and monotonic time of the first frame of a file played as fast as it can be. The first is
    /// when it was recorded, if that is known. True when that time can be trusted.
    origin: Option<(Timestamp, Duration, bool)>,
    /// How long the last opening took; zero once it gave a frame.
    opening_took: Duration,
    /// The present failure has been logged.
    reported: bool,
    /// Something is asked of the cameras: to be closed, or opened anew.
    nudged: Receiver<()>,
}

pub enum Over {
    /// The reader has nothing more.
    Finished,
    /// Capture was stopped.
    Stopped,
    /// It is to be closed, or opened anew.
    Interrupted,
}

impl Worker {
    pub fn new(shared: Arc<Shared>, index: usize, plan: Plan, nudged: Receiver<()>) -> Self {
        Self {
            shared,
            index,
            plan,
            sequence: 0,
            pacer: Pacer::default(),
            begin: Duration::ZERO,
            origin: None,
            opening_took: Duration::ZERO,
            reported: false,
            nudged,
        }
    }

    pub fn run(mut self) -> Self {
        let mut backoff = Backoff::new(MIN_RETRY, MAX_RETRY);
        let mut played = 0;
        loop {
            if !self.is_to_open() {
                break self.end(None);
            }
            let opened = self.shared.clock.awake();
            let outcome = catch_unwind(AssertUnwindSafe(|| self.play())).unwrap_or_else(|panic| {
                let what = panic.downcast_ref::<String>().map(String::as_str);
                let what = what.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
                Err(Error::new(Kind::Internal, format!("capture failed by a defect: {what}")))
            });
            self.shared.status(self.index).in_driver_since = None;
            match (outcome, &self.plan.file) {
                (Ok(Over::Stopped), _) => break self.end(None),
                (Ok(Over::Interrupted), _) => {
                    backoff.reset();
                    self.shared.status(self.index).state = SourceState::Opening;
                }
                (Ok(Over::Finished), Some(file)) => {
                    played += 1;
                    if file.repeat != 0 && played >= file.repeat {
                        break self.end(None);
                    }
                }
                (Err(error), Some(_)) => {
                    warn!(source = %self.plan.name, "The source ended with an error: {}", sentence(&error.chain()));
                    break self.end(Some(error.chain()));
                }
                (outcome, None) => {
                    let why = outcome.err().map_or_else(|| "the camera's stream ended".into(), |e| e.chain());
                    if self.shared.clock.awake().saturating_sub(opened) >= 2 * MAX_RETRY {
                        backoff.reset();
                    }
                    let wait = self.rest(backoff.fail()).min(self.plan.max_retry.max(self.opening_took * REST_FACTOR));
                    if !self.retry_later(why, wait) {
                        break self.end(None);
                    }
                }
            }
        }
    }

    /// Waits while cameras are to be closed. False when capture was stopped meanwhile.
    fn is_to_open(&self) -> bool {
        let closed = &self.shared.closed[self.index];
        while self.plan.file.is_none() && self.shared.paused.load(Ordering::SeqCst) {
            closed.store(true, Ordering::SeqCst);
            select! {
                recv(self.shared.stop.channel()) -> _ => return false,
                // Nobody nudges any more when capture is dropped, which stops it first.
                recv(self.nudged) -> nudged => if nudged.is_err() { return false },
            }
        }
        closed.store(self.plan.file.is_some(), Ordering::SeqCst);
        true
    }

    /// How long a camera that failed waits, at least for `backoff`.
    pub fn rest(&self, backoff: Duration) -> Duration {
        backoff.max(self.opening_took * REST_FACTOR)
    }

    fn end(self, error: Option<String>) -> Self {
        self.shared.status(self.index).state = SourceState::Ended { error };
        self
    }

    /// False when capture was stopped while waiting.
    fn retry_later(&mut self, error: String, wait: Duration) -> bool {
        if !self.reported {
            warn!(source = %self.plan.name, "The camera failed and is tried again until it works: {}", sentence(&error));
            self.reported = true;
        }
        self.shared.status(self.index).state = SourceState::Waiting { error };
        let go_on = select! {
            recv(self.shared.stop.channel()) -> _ => false,
            recv(self.nudged) -> nudged => nudged.is_ok(),
            default(wait) => true,
        };
        self.shared.status(self.index).restarts += 1;
        go_on
    }

    /// Opens the source once and plays it to its end.
    pub fn play(&mut self) -> Result<Over> {
        self.opening_took = Duration::ZERO;
        if let Some(probe) = &self.plan.probe {
            self.shared.in_driver(self.index, probe)?;
        }
        let began = self.shared.clock.awake();
        let opened = self.shared.in_driver(self.index, &self.plan.open);
        self.opening_took = self.shared.clock.awake().saturating_sub(began);
        let mut reader = opened?;
        let shared = &self.shared;
        let recorded = self.plan.file.as_ref().and_then(|file| file.start).or_else(|| reader.recorded());
        let every_frame = matches!(self.plan.file, Some(FilePlan { pace: Pace::EveryFrame, .. }));
        let realtime = matches!(self.plan.file, Some(FilePlan { pace: Pace::Realtime, .. }));
        let (mut undecodable, mut lost) = (0, 0);
        shared.status(self.index).note = reader.note().map(str::to_owned);
        let (step, begin) = (Duration::from_secs_f64(1.0 / reader.rate()), self.begin);
        loop {
            if self.plan.file.is_none() && self.nudged.try_recv().is_ok() {
                return Ok(Over::Interrupted);
            }
            if !shared.in_driver(self.index, || reader.advance())? {
                match reader.again_after() {
                    Some(wait) if !shared.stop.wait_timeout(wait) => continue,
                    Some(_) => return Ok(Over::Stopped),
                    None => return Ok(Over::Finished),
                }
            }
            let media = reader.media_time().map_or(self.begin, |time| begin + time);
            self.begin = media + step;
            let wait = if realtime { self.pacer.wait(shared.clock.monotonic(), media) } else { Duration::ZERO };
            if shared.stop.wait_timeout(wait) {
                return Ok(Over::Stopped);
            }
            let newly_lost = reader.lost().saturating_sub(lost);
            (lost, self.sequence) = (lost + newly_lost, self.sequence + newly_lost);
            let sequence = self.sequence;
            let Moment { wall, monotonic, trusted: mut clock_trusted } = shared.clock.moment();
            // It was taken when the driver says, however long this thread was kept from running.
            let mut at = wall.checked_sub(reader.age()).unwrap_or(wall);
            let mut monotonic = monotonic.saturating_sub(reader.age());
            // A clock of a camera that runs ahead must not date a picture into the future, nor the
            // date of a file that was written while the clock was wrong into the past.
            at = reader.taken_at().filter(|_| clock_trusted).map_or(at, |taken| taken.min(at));
            let is_recorded = recorded.is_some() && (every_frame || realtime);
            if every_frame {
                // Played faster or slower than it was made: the file's own time is what tells how
                // long a plate was out of sight.
                let first = (recorded.unwrap_or(at), monotonic, clock_trusted || recorded.is_some());
                let origin = *self.origin.get_or_insert(first);
                (at, monotonic, clock_trusted) = (later(origin.0, media), origin.1 + media, origin.2);
            } else if let Some(recorded) = recorded.filter(|_| realtime) {
                (at, clock_trusted) = (later(recorded, media), true);
            }
            self.sequence += 1;
            let Some(picture) = shared.in_driver(self.index, || reader.fetch())? else {
                shared.status(self.index).skipped += 1;
                undecodable += 1;
                if self.plan.file.is_none() && undecodable >= MAX_UNDECODABLE {
                    return Err(Error::new(Kind::Input, "the camera sends frames that can't be decoded"));
                }
                continue;
            };
            undecodable = 0;
            self.opening_took = Duration::ZERO;
            {
                let mut status = shared.status(self.index);
                status.captured += 1;
                status.lost += newly_lost;
                status.packets = reader.packets();
                // Not the file's own time: it is compared with this clock.
                status.last_frame = Some(shared.clock.awake());
                if status.state != SourceState::Running {
                    status.state = SourceState::Running;
                    if self.reported {
                        info!(source = %self.plan.name, "The camera works again.");
                        self.reported = false;
                    }
                }
            }
            let source = Arc::clone(&self.plan.name);
            let frame = Frame { source, sequence, at, clock_trusted, recorded: is_recorded, monotonic, picture };
            let put = if every_frame { Inbox::put_wait } else { Inbox::put };
            if !put(&shared.inbox, self.index, frame) {
                return Ok(Over::Stopped);
            }
        }
    }
}

/// The time so much after `start`.
fn later(start: Timestamp, time: Duration) -> Timestamp {
    start.checked_add(time).unwrap_or(Timestamp::MAX)
}
