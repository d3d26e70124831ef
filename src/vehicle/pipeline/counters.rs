//! What has happened since the start, for the status and the benches.

use super::attention::Choice;
use crate::health::{Activity, Aim, Moved, PictureWatch, PlatePlace, Told, Usual};
use jiff::Timestamp;
use plated_vision::frame::Frame;
use plated_vision::picture::Quality;
use plated_vision::recognition::Timings;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts and times since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Frames recognised.
    pub frames: u64,
    /// Frames not recognised, since nothing moved in them, or to spare the computer.
    pub spared: u64,
    /// Plates seen in frames.
    pub sightings: u64,
    /// Reads made durable.
    pub reads: u64,
    /// Hits made durable.
    pub hits: u64,
    /// Alerts given for hits, also for those that are not durable yet.
    pub alerts: u64,
    /// Tracks too unsure to become a read.
    pub suppressed: u64,
    /// Frames that recognition failed on.
    pub failed_frames: u64,
    /// Frames whose result never came.
    pub lost_frames: u64,
    /// Times that the tracker of a source failed by a defect and what it followed was closed or lost.
    pub failed_trackers: u64,
    /// Reads that wait in memory for the store.
    pub waiting: u64,
    /// The store could not take the last read.
    pub store_fails: bool,
    /// Reads given up: more than can wait came while the store could not write, or the daemon was
    /// stopped meanwhile.
    pub lost_reads: u64,
    /// Time in decoding JPEGs, detector, rectification and reader, over all workers.
    pub decode: Duration,
    /// See `decode`.
    pub detect: Duration,
    /// See `decode`.
    pub rectify: Duration,
    /// See `decode`.
    pub read: Duration,
}

/// Shared between the daemon's threads.
#[derive(Default)]
pub struct Counters {
    totals: Mutex<Totals>,
    /// Awake time of the last result of each source.
    results: Mutex<Vec<Option<Duration>>>,
    /// Focus and light of each source.
    pictures: Mutex<Vec<PictureWatch>>,
    /// The frame of each source that was taken last; cheap, since its picture is shared.
    newest: Mutex<Vec<Option<Frame>>>,
    /// Where each source points.
    aims: Mutex<Vec<Aim>>,
    /// Events of trackers that were handed on, and that the recorder has done with.
    events: (AtomicU64, AtomicU64),
    /// The recorder's work on one read: matching, sounding and handing on.
    pub(super) matching: Activity,
    /// A write of one read.
    pub(super) storing: Activity,
}

impl Counters {
    /// The counts as they are now.
    pub fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(super) fn change(&self, by: impl FnOnce(&mut Totals)) {
        by(&mut self.totals.lock().unwrap_or_else(|e| e.into_inner()));
    }

    /// A tracker's event is handed on.
    pub(super) fn event_sent(&self) {
        self.events.0.fetch_add(1, Ordering::SeqCst);
    }

    /// The recorder has done with one.
    pub(super) fn event_handled(&self) {
        self.events.1.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether the recorder has done with all that trackers handed on.
    pub(super) fn is_handled(&self) -> bool {
        self.events.1.load(Ordering::SeqCst) >= self.events.0.load(Ordering::SeqCst)
    }

    /// A result of a frame of this source came out, at this awake time.
    pub(super) fn result(&self, source: usize, now: Duration) {
        let mut results = self.results.lock().unwrap_or_else(|e| e.into_inner());
        let length = results.len().max(source + 1);
        results.resize(length, None);
        results[source] = Some(now);
    }

    /// When the last result of a frame of this source came out, awake time.
    pub fn last_result(&self, source: usize) -> Option<Duration> {
        self.results.lock().unwrap_or_else(|e| e.into_inner()).get(source).copied().flatten()
    }

    fn picture<T>(&self, source: usize, work: impl FnOnce(&mut PictureWatch) -> T) -> T {
        let mut pictures = self.pictures.lock().unwrap_or_else(|e| e.into_inner());
        let length = pictures.len().max(source + 1);
        pictures.resize_with(length, PictureWatch::default);
        work(&mut pictures[source])
    }

    /// Whether focus and light of this source are to be looked at in a picture of this monotonic time.
    pub(super) fn is_look_due(&self, source: usize, now: Duration) -> bool {
        self.picture(source, |watch| watch.is_due(now))
    }

    /// They were.
    pub(super) fn looked(&self, source: usize, quality: Quality, at: Timestamp) {
        self.picture(source, |watch| watch.look(quality, at));
    }

    /// What is wrong with the pictures of this source, once it is for minutes.
    pub fn picture_fault(&self, source: usize) -> Option<Told> {
        self.picture(source, |watch| watch.told())
    }

    fn aim<T>(&self, source: usize, work: impl FnOnce(&mut Aim) -> T) -> T {
        let mut aims = self.aims.lock().unwrap_or_else(|e| e.into_inner());
        let length = aims.len().max(source + 1);
        aims.resize_with(length, Aim::default);
        work(&mut aims[source])
    }

    /// A frame of this source was taken.
    pub(super) fn taken(&self, source: usize, frame: &Frame) {
        let mut newest = self.newest.lock().unwrap_or_else(|e| e.into_inner());
        let length = newest.len().max(source + 1);
        newest.resize(length, None);
        newest[source] = Some(frame.clone());
    }

    /// The frame of this source that was taken last.
    pub(super) fn newest(&self, source: usize) -> Option<Frame> {
        self.newest.lock().unwrap_or_else(|e| e.into_inner()).get(source).cloned().flatten()
    }

    /// A plate passed this source.
    pub(super) fn passed(&self, source: usize, place: PlatePlace, at: Timestamp) {
        if self.aim(source, |aim| aim.see(place, at)) {
            tracing::debug!(source, "Where this camera's plates usually are is known.");
        }
    }

    /// Where the plates of this source usually are, once that is known.
    pub(super) fn usual(&self, source: usize) -> Option<Usual> {
        self.aim(source, |aim| aim.usual())
    }

    /// Goes on with what was learned before, or, with nothing, learns anew.
    pub(super) fn aimed(&self, source: usize, usual: Option<Usual>) {
        self.aim(source, |aim| *aim = usual.map_or_else(Aim::default, Aim::known));
    }

    /// How far this source's plates are from where they used to be, if they are.
    pub fn moved(&self, source: usize) -> Option<Moved> {
        self.aim(source, |aim| aim.moved())
    }

    /// What was done about a frame.
    pub(super) fn chosen(&self, choice: Choice) {
        if choice != Choice::Recognise {
            self.change(|t| t.spared += 1);
        }
    }

    pub(super) fn frame(&self, sightings: usize, timings: Timings) {
        self.change(|t| {
            t.frames += 1;
            t.sightings += sightings as u64;
            t.decode += timings.decode;
            t.detect += timings.detect;
            t.rectify += timings.rectify;
            t.read += timings.read;
        });
    }
}
