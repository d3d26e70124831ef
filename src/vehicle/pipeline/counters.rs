//! What has happened since the start, for the status and the benches.

use plated_vision::recognition::Timings;
use std::sync::Mutex;
use std::time::Duration;

/// Counts and times since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Frames recognised.
    pub frames: u64,
    /// Plates seen in frames.
    pub sightings: u64,
    /// Reads made durable.
    pub reads: u64,
    /// Hits made durable.
    pub hits: u64,
    /// Alerts given for hits.
    pub alerts: u64,
    /// Tracks too unsure to become a read.
    pub suppressed: u64,
    /// Frames that recognition failed on.
    pub failed_frames: u64,
    /// Reads given up because the daemon was stopped while the store could not write.
    pub lost_reads: u64,
    /// Time in detector, rectification and reader, over all workers.
    pub detect: Duration,
    /// See `detect`.
    pub rectify: Duration,
    /// See `detect`.
    pub read: Duration,
}

/// Shared between the daemon's threads.
#[derive(Debug, Default)]
pub struct Counters(Mutex<Totals>);

impl Counters {
    /// The counts as they are now.
    pub fn totals(&self) -> Totals {
        *self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(super) fn change(&self, by: impl FnOnce(&mut Totals)) {
        by(&mut self.0.lock().unwrap_or_else(|e| e.into_inner()));
    }

    pub(super) fn frame(&self, sightings: usize, timings: Timings) {
        self.change(|t| {
            t.frames += 1;
            t.sightings += sightings as u64;
            t.detect += timings.detect;
            t.rectify += timings.rectify;
            t.read += timings.read;
        });
    }
}
