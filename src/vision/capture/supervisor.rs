//! One thread for each source, kept going: a camera that fails is opened again for ever, a file
//! ends for good, and neither disturbs the others (invariant 5 of `docs/design.md`).

use super::FrameReader;
use super::folder::ImageFolder;
use super::pace::{MAX_RETRY, MIN_RETRY, Pacer};
use super::slot::{Inbox, Take};
use super::video::{Camera, VideoReader};
use super::watch::{SeenFiles, WatchedFolder};
use crate::capture::{CaptureSource, Input, Pace};
use crate::frame::Frame;
use jiff::Timestamp;
use plated_core::clock::{Clock, Moment};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::retry::Backoff;
use plated_core::shutdown::Shutdown;
use plated_core::text::sentence;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;
use tracing::{info, warn};

/// All sources at work. Shared by the recognition workers behind an `Arc`.
pub struct Capture {
    shared: Arc<Shared>,
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
    /// What it does now.
    pub state: SourceState,
    /// Frames captured.
    pub captured: u64,
    /// Frames captured that a newer one replaced before recognition was free.
    pub dropped: u64,
    /// Frames that are no picture.
    pub skipped: u64,
    /// Times it was opened again after a failure.
    pub restarts: u64,
    /// Monotonic time of its last frame.
    pub last_frame: Option<Duration>,
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
    inbox: Inbox<Frame>,
    status: Vec<Mutex<SourceStatus>>,
}

/// How a source is opened and played.
struct Plan {
    name: Arc<str>,
    /// What can be found out before `open`, of which there is only one at a time among all sources.
    probe: Option<Box<dyn Fn() -> Result<()> + Send>>,
    open: Box<dyn Fn() -> Result<Box<dyn FrameReader>> + Send>,
    /// `None` for cameras.
    file: Option<FilePlan>,
}

struct FilePlan {
    pace: Pace,
    /// 0 is for ever.
    repeat: u32,
    /// When the recording began, as the configuration has it.
    start: Option<Timestamp>,
}

/// So many frames in a row that can't be decoded are a failure of the camera.
const MAX_UNDECODABLE: u32 = 50;

/// How long stopping waits for a thread that is inside a driver.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// After an opening that gave no frame, the camera waits for so many times as long as that took: one that hangs
/// while it is opened keeps the others from being opened for a fifth of the time at most.
const REST_FACTOR: u32 = 4;

impl Capture {
    /// Starts a thread for each source. A source that can't be opened is no error here: it is
    /// tried again, or ends with an error, and [`Capture::status`] tells.
    ///
    /// # Errors
    /// `Internal` when the system gives no thread.
    pub fn start(sources: &[CaptureSource], clock: Arc<dyn Clock>) -> Result<Self> {
        Self::start_plans(sources.iter().map(plan).collect(), clock)
    }

    fn start_plans(plans: Vec<Plan>, clock: Arc<dyn Clock>) -> Result<Self> {
        let status = plans.iter().map(|p| Mutex::new(SourceStatus::new(&p.name))).collect();
        let shared = Arc::new(Shared { clock, stop: Shutdown::new(), inbox: Inbox::new(plans.len()), status });
        let capture = Self { shared, threads: Mutex::default() };
        for (index, plan) in plans.into_iter().enumerate() {
            let shared = Arc::clone(&capture.shared);
            let name = format!("capture-{}", plan.name);
            let thread = std::thread::Builder::new().name(name).spawn(move || {
                let ended = Worker::new(shared, index, plan).run();
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
    fn status(&self, index: usize) -> MutexGuard<'_, SourceStatus> {
        self.status[index].lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl SourceStatus {
    fn new(name: &Arc<str>) -> Self {
        let (captured, dropped, skipped, restarts) = (0, 0, 0, 0);
        let (name, state, last_frame) = (Arc::clone(name), SourceState::Opening, None);
        Self { name, state, captured, dropped, skipped, restarts, last_frame }
    }
}

fn plan(source: &CaptureSource) -> Plan {
    let input = source.input.clone();
    let file = match input {
        Input::Video { pace, repeat, start, .. } | Input::Images { pace, repeat, start, .. } => {
            Some(FilePlan { pace, repeat, start })
        }
        Input::Watch { .. } | Input::Rtsp(_) | Input::V4l2 { .. } => None,
    };
    let probe = match &input {
        Input::Rtsp(url) => {
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
            Input::V4l2 { device, width, height, rate } => Box::new(Camera::v4l2(device, *width, *height, *rate)?),
        })
    };
    Plan { name: source.name.as_str().into(), probe, open: Box::new(open), file }
}

/// The thread of one source.
struct Worker {
    shared: Arc<Shared>,
    index: usize,
    plan: Plan,
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
}

enum Over {
    /// The reader has nothing more.
    Finished,
    /// Capture was stopped.
    Stopped,
}

impl Worker {
    fn new(shared: Arc<Shared>, index: usize, plan: Plan) -> Self {
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
        }
    }

    fn run(mut self) -> Self {
        let mut backoff = Backoff::new(MIN_RETRY, MAX_RETRY);
        let mut played = 0;
        loop {
            let opened = self.shared.clock.monotonic();
            let outcome = catch_unwind(AssertUnwindSafe(|| self.play())).unwrap_or_else(|panic| {
                let what = panic.downcast_ref::<String>().map(String::as_str);
                let what = what.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
                Err(Error::new(Kind::Internal, format!("capture failed by a defect: {what}")))
            });
            match (outcome, &self.plan.file) {
                (Ok(Over::Stopped), _) => break self.end(None),
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
                    if self.shared.clock.monotonic().saturating_sub(opened) >= 2 * MAX_RETRY {
                        backoff.reset();
                    }
                    let wait = self.rest(backoff.fail());
                    if !self.retry_later(why, wait) {
                        break self.end(None);
                    }
                }
            }
        }
    }

    /// How long a camera that failed waits, at least for `backoff`.
    fn rest(&self, backoff: Duration) -> Duration {
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
        let go_on = !self.shared.stop.wait_timeout(wait);
        self.shared.status(self.index).restarts += 1;
        go_on
    }

    /// Opens the source once and plays it to its end.
    fn play(&mut self) -> Result<Over> {
        self.opening_took = Duration::ZERO;
        if let Some(probe) = &self.plan.probe {
            probe()?;
        }
        let began = self.shared.clock.monotonic();
        let opened = (self.plan.open)();
        self.opening_took = self.shared.clock.monotonic().saturating_sub(began);
        let mut reader = opened?;
        let shared = &self.shared;
        let recorded = self.plan.file.as_ref().and_then(|file| file.start).or_else(|| reader.recorded());
        let every_frame = matches!(self.plan.file, Some(FilePlan { pace: Pace::EveryFrame, .. }));
        let realtime = matches!(self.plan.file, Some(FilePlan { pace: Pace::Realtime, .. }));
        let mut undecodable = 0;
        let (step, begin) = (Duration::from_secs_f64(1.0 / reader.rate()), self.begin);
        loop {
            if !reader.advance()? {
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
            let sequence = self.sequence;
            let Moment { wall: mut at, mut monotonic, trusted: mut clock_trusted } = shared.clock.moment();
            // A clock of a camera that runs ahead must not date a picture into the future, nor the
            // date of a file that was written while the clock was wrong into the past.
            at = reader.taken_at().filter(|_| clock_trusted).map_or(at, |taken| taken.min(at));
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
            let Some(picture) = reader.fetch()? else {
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
                // Not the file's own time: it is compared with this clock.
                status.last_frame = Some(shared.clock.monotonic());
                if status.state != SourceState::Running {
                    status.state = SourceState::Running;
                    if self.reported {
                        info!(source = %self.plan.name, "The camera works again.");
                        self.reported = false;
                    }
                }
            }
            let frame = Frame { source: Arc::clone(&self.plan.name), sequence, at, clock_trusted, monotonic, picture };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Jpeg, Picture, encode};
    use opencv::core::{CV_8UC3, Mat, Scalar};
    use plated_core::clock::SystemClock;
    use std::sync::atomic::{AtomicU32, Ordering};

    const LONG: Duration = Duration::from_secs(60);

    /// Gives some frames and then fails in a way of its own.
    struct Fake {
        left: u32,
        then: fn() -> Result<bool>,
    }

    impl FrameReader for Fake {
        fn advance(&mut self) -> Result<bool> {
            if self.left == 0 {
                return (self.then)();
            }
            self.left -= 1;
            Ok(true)
        }
        fn fetch(&mut self) -> Result<Option<Picture>> {
            Ok(Some(Mat::new_rows_cols_with_default(2, 2, CV_8UC3, Scalar::all(1.)).unwrap().into()))
        }
        fn rate(&self) -> f64 {
            15.0
        }
    }

    fn camera(name: &str, open: impl Fn() -> Result<Fake> + Send + 'static) -> Plan {
        let open = move || open().map(|f| Box::new(f) as Box<dyn FrameReader>);
        Plan { name: name.into(), probe: None, open: Box::new(open), file: None }
    }

    fn start(plans: Vec<Plan>) -> Capture {
        Capture::start_plans(plans, Arc::new(SystemClock::new())).unwrap()
    }

    fn frames_of(capture: &Capture, name: &str, count: usize) -> Vec<u64> {
        let mut seen = Vec::new();
        while seen.len() < count {
            match capture.next(LONG) {
                NextFrame::Frame(t) if &*t.frame.source == name => seen.push(t.frame.sequence),
                NextFrame::Frame(_) => {}
                _ => panic!("no more frames"),
            }
        }
        seen
    }

    #[test]
    fn a_camera_comes_back_by_itself_after_every_kind_of_failure() {
        let opened = AtomicU32::new(0);
        let open = move || match opened.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Error::new(Kind::Missing, "unplugged")),
            1 => Ok(Fake { left: 1, then: || panic!("driver defect") }),
            2 => Ok(Fake { left: 1, then: || Ok(false) }),
            _ => Ok(Fake { left: 1, then: || Err(Error::new(Kind::Missing, "read error")) }),
        };
        let capture = start(vec![camera("front", open)]);
        assert_eq!(frames_of(&capture, "front", 3), [0, 1, 2], "numbers go on over restarts");
        assert!(capture.status()[0].restarts >= 3);
    }

    #[test]
    fn a_camera_that_never_works_does_not_disturb_another() {
        let capture = start(vec![
            camera("dead", || Err(Error::new(Kind::Missing, "unplugged"))),
            camera("front", || Ok(Fake { left: u32::MAX, then: || Ok(false) })),
        ]);
        frames_of(&capture, "front", 50);
        // It is opened again now and then.
        let waiting = SourceState::Waiting { error: "unplugged".into() };
        let waits = |_| !frames_of(&capture, "front", 1).is_empty() && capture.status()[0].state == waiting;
        assert!((0..1000).any(waits));
        let status = capture.status();
        assert_eq!(status[1].state, SourceState::Running);
        assert_eq!(status[0].captured, 0);
    }

    #[test]
    fn a_camera_that_does_not_answer_is_never_opened_and_so_holds_up_no_other() {
        let opened = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&opened);
        let mut silent = camera("silent", move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Fake { left: 1, then: || Ok(false) })
        });
        silent.probe = Some(Box::new(|| Err(Error::new(Kind::Network, "it does not answer"))));
        let capture = start(vec![silent]);
        while capture.status()[0].restarts < 2 {
            std::thread::yield_now();
        }
        assert_eq!(opened.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_camera_that_hangs_while_it_is_opened_rests_longer_than_it_held_up_the_others() {
        let clock = Arc::new(plated_core::clock::ManualClock::at(Timestamp::UNIX_EPOCH));
        let hand = Arc::clone(&clock);
        // FFmpeg may call it a success, and then nothing comes.
        let plan = camera("hangs", move || {
            hand.advance(Duration::from_secs(15));
            Ok(Fake { left: 0, then: || Err(Error::new(Kind::Missing, "the camera stopped sending")) })
        });
        let status = vec![Mutex::new(SourceStatus::new(&plan.name))];
        let shared = Arc::new(Shared { clock, stop: Shutdown::new(), inbox: Inbox::new(1), status });
        let mut worker = Worker::new(shared, 0, plan);
        assert!(worker.play().is_err());
        assert_eq!(worker.rest(MIN_RETRY), Duration::from_secs(60));
        worker.plan = camera("works", || Ok(Fake { left: 1, then: || Err(Error::new(Kind::Missing, "unplugged")) }));
        assert!(worker.play().is_err());
        assert_eq!(worker.rest(MIN_RETRY), MIN_RETRY);
    }

    #[test]
    fn the_last_frame_of_a_recording_played_slower_than_it_was_made_is_as_old_as_it_is() {
        let clock = Arc::new(plated_core::clock::ManualClock::at(Timestamp::UNIX_EPOCH));
        let hand = Arc::clone(&clock);
        let mut plan = camera("recording", move || {
            hand.advance(Duration::from_secs(15));
            Ok(Fake { left: 1, then: || Ok(false) })
        });
        plan.file = Some(FilePlan { pace: Pace::EveryFrame, repeat: 2, start: None });
        let status = vec![Mutex::new(SourceStatus::new(&plan.name))];
        let shared = Arc::new(Shared { clock: clock.clone(), stop: Shutdown::new(), inbox: Inbox::new(1), status });
        let mut worker = Worker::new(shared, 0, plan);
        for _ in 0..2 {
            worker.play().unwrap();
            assert!(matches!(worker.shared.inbox.take(LONG), Take::Item { .. }));
            assert_eq!(worker.shared.status(0).last_frame, Some(clock.monotonic()));
        }
    }

    #[test]
    fn stopping_ends_a_camera_that_waits_to_be_tried_again() {
        let capture = start(vec![camera("dead", || Err(Error::new(Kind::Missing, "unplugged")))]);
        capture.stop();
        assert_eq!(capture.status()[0].state, SourceState::Ended { error: None });
        assert!(matches!(capture.next(LONG), NextFrame::AllEnded));
        assert!(capture.threads().is_empty());
    }

    /// Sends the same JPEG again and again, and keeps what it sent.
    struct Jpegs {
        left: u32,
        sent: Arc<Mutex<Vec<Jpeg>>>,
    }

    impl FrameReader for Jpegs {
        fn advance(&mut self) -> Result<bool> {
            self.left = self.left.saturating_sub(1);
            Ok(self.left > 0)
        }
        fn fetch(&mut self) -> Result<Option<Picture>> {
            let pixels = Mat::new_rows_cols_with_default(16, 16, CV_8UC3, Scalar::all(90.0)).unwrap();
            let jpeg = Jpeg::new(encode(&pixels, 90).unwrap()).unwrap();
            self.sent.lock().unwrap().push(jpeg.clone());
            Ok(Some(Picture::Jpeg(jpeg)))
        }
        fn rate(&self) -> f64 {
            1000.0
        }
    }

    #[test]
    fn a_dropped_frame_is_never_decoded() {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&sent);
        let open = move || Ok(Box::new(Jpegs { left: 40, sent: Arc::clone(&all) }) as Box<dyn FrameReader>);
        let file = Some(FilePlan { pace: Pace::Realtime, repeat: 1, start: None });
        let capture = start(vec![Plan { name: "front".into(), probe: None, open: Box::new(open), file }]);
        // Nobody takes a frame before the file is at its end.
        assert!(capture.shared.inbox.wait_ended(LONG));
        let NextFrame::Frame(taken) = capture.next(LONG) else { panic!("no frame") };
        taken.frame.picture.pixels().unwrap();
        let decodes: Vec<u32> = sent.lock().unwrap().iter().map(Jpeg::decodes).collect();
        let last = decodes.len() - 1;
        assert_eq!(taken.frame.sequence, last as u64);
        assert!(last > 30 && decodes[..last].iter().all(|n| *n == 0) && decodes[last] == 1, "{decodes:?}");
        assert_eq!(capture.status()[0].dropped, last as u64);
    }
}
