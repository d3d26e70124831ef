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

/// Results that wait at most for an earlier one of their source, which hangs.
const MAX_WAITING: usize = 64;
/// How long they wait at most.
const MAX_WAIT: Duration = Duration::from_secs(2);

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
    /// Results that wait for an earlier one, at most [`MAX_WAITING`].
    waiting: BTreeMap<u64, Seen>,
    /// Monotonic time since which some wait.
    waiting_since: Option<Duration>,
    /// Results that never came, or too late.
    lost: u64,
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
            waiting_since: None,
            lost: 0,
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
                    self.counters.result(seen.source, now);
                    let events = lane.take(seen, now);
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
        let lost = self.lanes.iter().map(|l| l.lost).sum();
        self.counters.change(|t| (t.suppressed, t.lost_frames) = (suppressed, lost));
    }
}

impl Lane {
    fn take(&mut self, seen: Seen, now: Duration) -> Vec<Event> {
        // One that was given up: the passes have gone on without it.
        if seen.ticket >= self.next {
            self.waiting.insert(seen.ticket, seen);
        }
        self.pass_on(now)
    }

    /// Results in their order, as far as they are there. One that does not come is given up.
    fn pass_on(&mut self, now: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            while let Some(seen) = self.waiting.remove(&self.next) {
                self.next += 1;
                self.waiting_since = None;
                events.extend(self.tracker.update(&seen.frame, &seen.sightings));
            }
            let Some(first) = self.waiting.first_key_value().map(|(ticket, _)| *ticket) else {
                self.waiting_since = None;
                return events;
            };
            let since = *self.waiting_since.get_or_insert(now);
            if self.waiting.len() <= MAX_WAITING && now.saturating_sub(since) < MAX_WAIT {
                return events;
            }
            self.lost += first - self.next;
            self.next = first;
        }
    }

    fn tick(&mut self, now: Duration) -> Vec<Event> {
        let mut events = self.pass_on(now);
        events.extend(self.gone(now));
        events
    }

    /// Passes whose plate has gone.
    fn gone(&mut self, now: Duration) -> Vec<Event> {
        let idle = now.saturating_sub(self.active);
        if !self.own_time {
            // Frames still being recognised are older than now; they get the time they need.
            return self.tracker.tick(now.saturating_sub(Duration::from_millis(500)));
        }
        if idle > self.gone_after + Duration::from_secs(5) { self.tracker.finish() } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lane() -> Lane {
        Lane {
            tracker: Tracker::new("front".into(), plated_vision::recognition::Recognition::default()),
            waiting: BTreeMap::new(),
            waiting_since: None,
            lost: 0,
            next: 0,
            own_time: false,
            active: Duration::ZERO,
            gone_after: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_result_that_never_comes_holds_the_others_up_for_two_seconds_at_most() {
        let (mut lane, second) = (lane(), Duration::from_secs(1));
        lane.take(Seen::empty(0), second);
        lane.take(Seen::empty(2), second);
        assert_eq!(lane.next, 1, "it waits for the one before");
        lane.tick(4 * second);
        assert_eq!((lane.next, lane.lost, lane.waiting.len()), (3, 1, 0));
        lane.take(Seen::empty(1), 5 * second);
        lane.take(Seen::empty(3), 5 * second);
        assert_eq!((lane.next, lane.waiting.len()), (4, 0), "one that comes too late changes nothing");
    }

    proptest! {
        #[test]
        fn whatever_is_missing_and_in_whatever_order_what_waits_is_bounded(
            tickets in proptest::collection::vec(1u64..400, 0..400),
        ) {
            let mut lane = lane();
            for ticket in tickets {
                lane.take(Seen::empty(ticket), Duration::from_secs(1));
                prop_assert!(lane.waiting.len() <= MAX_WAITING);
            }
        }
    }
}
