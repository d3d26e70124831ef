//! Frames from several workers back into the order of each source, and into its tracker.

use super::counters::Counters;
use super::has_own_time;
use super::worker::Seen;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use plated_core::clock::Clock;
use plated_vision::recognition::{Event, Tracker};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often plates that have gone are looked for when no frame comes.
const TICK: Duration = Duration::from_millis(100);

pub struct Collector {
    lanes: Vec<Lane>,
    clock: Arc<dyn Clock>,
    out: Sender<Event>,
    counters: Arc<Counters>,
}

/// One source.
struct Lane {
    tracker: Tracker,
    /// Results that wait for an earlier one; at most one for each worker.
    waiting: BTreeMap<u64, Seen>,
    next: u64,
    own_time: bool,
    /// Monotonic time of the last result, by the clock.
    active: Duration,
    gone_after: Duration,
}

impl Collector {
    pub fn new(
        sources: &[plated_vision::capture::Source],
        recognition: &plated_vision::recognition::Recognition,
        clock: Arc<dyn Clock>,
        out: Sender<Event>,
        counters: Arc<Counters>,
    ) -> Self {
        let lane = |s: &plated_vision::capture::Source| Lane {
            tracker: Tracker::new(s.name.as_str().into(), recognition.clone()),
            waiting: BTreeMap::new(),
            next: 0,
            own_time: has_own_time(&s.input),
            active: clock.monotonic(),
            gone_after: Duration::from_secs_f64(recognition.gone_after_s),
        };
        Self { lanes: sources.iter().map(lane).collect(), clock, out, counters }
    }

    pub fn run(mut self, seen: &Receiver<Seen>) {
        let mut ticked = self.clock.monotonic();
        let mut first = true;
        loop {
            match seen.recv_timeout(TICK) {
                Ok(seen) => {
                    if std::mem::take(&mut first) {
                        tracing::info!(camera = %seen.frame.source, "The first frame is recognised.");
                    }
                    let now = self.clock.monotonic();
                    let lane = &mut self.lanes[seen.source];
                    lane.active = now;
                    let events = lane.take(seen);
                    self.send(events);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = self.clock.monotonic();
            if now.saturating_sub(ticked) >= TICK {
                ticked = now;
                for i in 0..self.lanes.len() {
                    let events = self.lanes[i].tick(now);
                    self.send(events);
                }
            }
        }
        for i in 0..self.lanes.len() {
            let events = self.lanes[i].tracker.finish();
            self.send(events);
        }
    }

    fn send(&self, events: Vec<Event>) {
        for event in events {
            // Only fails when the recorder has ended, and then there is nothing left to do.
            let _ = self.out.send(event);
        }
        let suppressed = self.lanes.iter().map(|l| l.tracker.suppressed()).sum();
        self.counters.change(|t| t.suppressed = suppressed);
    }
}

impl Lane {
    fn take(&mut self, seen: Seen) -> Vec<Event> {
        self.waiting.insert(seen.ticket, seen);
        let mut events = Vec::new();
        while let Some(seen) = self.waiting.remove(&self.next) {
            self.next += 1;
            events.extend(self.tracker.update(&seen.frame, &seen.sightings));
        }
        events
    }

    fn tick(&mut self, now: Duration) -> Vec<Event> {
        let idle = now.saturating_sub(self.active);
        if !self.own_time {
            // Frames still being recognised are older than now; they get the time they need.
            return self.tracker.tick(now.saturating_sub(Duration::from_millis(500)));
        }
        if idle > self.gone_after + Duration::from_secs(5) { self.tracker.finish() } else { Vec::new() }
    }
}
