//! Frames from several workers back into the order of each source, and into its tracker.

use super::attention::Choice;
use super::counters::Counters;
use super::has_own_time;
use super::worker::Seen;
use crate::health::PlatePlace;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use plated_core::clock::Clock;
use plated_core::thread::guarded;
use plated_vision::recognition::{Event, Recognition, Tracker};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Results that wait at most for an earlier one of their source, which hangs.
const MAX_WAITING: usize = 64;
/// How long they wait at most.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// How often plates that have gone are looked for when no frame comes.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// By which somebody asks that what the trackers follow is closed now: the computer sleeps, or woke.
#[derive(Debug, Default)]
pub struct Closing {
    asked: AtomicU64,
    done: AtomicU64,
    /// Results of frames that came.
    results: AtomicU64,
}

impl Closing {
    /// Asks for it. The number is for [`Closing::is_done`].
    pub fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether that request was met, and its reads handed on.
    pub fn is_done(&self, request: u64) -> bool {
        self.done.load(Ordering::SeqCst) >= request
    }

    /// How many frames' results came since the start.
    pub fn results(&self) -> u64 {
        self.results.load(Ordering::SeqCst)
    }

    /// The newest request that was not met.
    fn due(&self) -> Option<u64> {
        let asked = self.asked.load(Ordering::SeqCst);
        (asked > self.done.load(Ordering::SeqCst)).then_some(asked)
    }
}

pub struct Collector {
    lanes: Vec<Lane>,
    clock: Arc<dyn Clock>,
    out: Sender<Event>,
    counters: Arc<Counters>,
    closing: Arc<Closing>,
}

/// One source.
struct Lane {
    name: Arc<str>,
    recognition: Recognition,
    tracker: Tracker,
    /// Tracks that trackers before this one suppressed.
    suppressed: u64,
    /// Trackers that failed.
    failures: u64,
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
        sources: &[plated_vision::capture::CaptureSource],
        recognition: &Recognition,
        clock: Arc<dyn Clock>,
        out: Sender<Event>,
        counters: Arc<Counters>,
        closing: Arc<Closing>,
    ) -> Self {
        let now = clock.monotonic();
        let lane = |s: &plated_vision::capture::CaptureSource| {
            Lane::new(s.name.as_str().into(), recognition.clone(), has_own_time(&s.input), now)
        };
        Self { lanes: sources.iter().map(lane).collect(), clock, out, counters, closing }
    }

    pub fn run(mut self, seen: &Receiver<Seen>) {
        let mut ticked = self.clock.monotonic();
        let mut first = true;
        loop {
            match seen.recv_timeout(POLL_INTERVAL) {
                Ok(seen) => {
                    if std::mem::take(&mut first) {
                        tracing::info!(camera = %seen.frame.source, "The first frame is recognised.");
                    }
                    self.counters.result(seen.source, self.clock.awake());
                    let now = self.clock.monotonic();
                    self.at_lane(seen.source, |lane| lane.take(seen, now));
                    self.closing.results.fetch_add(1, Ordering::SeqCst);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // After what was recognised before it was asked for.
            if let Some(request) = self.closing.due().filter(|_| seen.is_empty()) {
                for i in 0..self.lanes.len() {
                    self.at_lane(i, Lane::interrupted);
                }
                self.closing.done.store(request, Ordering::SeqCst);
            }
            let now = self.clock.monotonic();
            if now.saturating_sub(ticked) >= POLL_INTERVAL {
                ticked = now;
                for i in 0..self.lanes.len() {
                    self.at_lane(i, |lane| lane.tick(now));
                }
            }
        }
        for i in 0..self.lanes.len() {
            self.at_lane(i, |lane| lane.tracker.finish());
        }
    }

    /// Does something at one source. A defect in its tracker costs what that followed; the other sources
    /// don't notice.
    fn at_lane(&mut self, index: usize, work: impl FnOnce(&mut Lane) -> Vec<Event>) {
        let lane = &mut self.lanes[index];
        let lost = format!("The plates that camera {} followed are closed as they were, or lost", lane.name);
        let events = guarded(&lost, || work(lane)).unwrap_or_else(|| lane.begin_anew());
        for event in &events {
            if let Event::Closed(read) = event
                && !read.frame.recorded
                && !self.lanes[index].own_time
                && let Some(place) = PlatePlace::of(&read.best, read.frame.picture.size().1)
            {
                self.counters.passed(index, place, read.last_seen);
            }
        }
        self.send(events);
    }

    fn send(&self, events: Vec<Event>) {
        for event in events {
            self.counters.event_sent();
            // Only fails when the recorder has ended, and then there is nothing left to do.
            let _ = self.out.send(event);
        }
        let suppressed = self.lanes.iter().map(|l| l.suppressed + l.tracker.suppressed()).sum();
        let lost = self.lanes.iter().map(|l| l.lost).sum();
        let failures = self.lanes.iter().map(|l| l.failures).sum();
        self.counters.change(|t| (t.suppressed, t.lost_frames, t.failed_trackers) = (suppressed, lost, failures));
    }
}

impl Lane {
    fn new(name: Arc<str>, recognition: Recognition, own_time: bool, now: Duration) -> Self {
        Self {
            tracker: Tracker::new(name.clone(), recognition.clone()),
            suppressed: 0,
            failures: 0,
            waiting: BTreeMap::new(),
            waiting_since: None,
            lost: 0,
            next: 0,
            own_time,
            active: now,
            gone_after: Duration::from_secs_f64(recognition.gone_after_s),
            name,
            recognition,
        }
    }

    /// Another tracker after a defect in this one. What can still be had of its tracks is closed.
    fn begin_anew(&mut self) -> Vec<Event> {
        let fresh = Tracker::new(self.name.clone(), self.recognition.clone());
        let mut failed = std::mem::replace(&mut self.tracker, fresh);
        self.failures += 1;
        self.suppressed += failed.suppressed();
        guarded("Its tracks are lost", || failed.finish()).unwrap_or_default()
    }

    fn take(&mut self, seen: Seen, now: Duration) -> Vec<Event> {
        self.active = now;
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
                match seen.choice {
                    Choice::Recognise => events.extend(self.tracker.update(&seen.frame, &seen.sightings)),
                    Choice::Unchanged => self.tracker.unchanged(&seen.frame),
                    Choice::Pass => {}
                }
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

    /// What it follows is over: the next picture is of another time. A recording has its own.
    fn interrupted(&mut self) -> Vec<Event> {
        if self.own_time { Vec::new() } else { self.tracker.finish() }
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
    use plated_core::clock::SystemClock;
    use plated_core::plate::Slots;
    use plated_vision::recognition::{Detection, Sighting};
    use proptest::prelude::*;

    fn lane() -> Lane {
        Lane::new("front".into(), Recognition::default(), false, Duration::ZERO)
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

    /// A clear look at this plate, in a frame of this source.
    fn look(source: usize, ticket: u64, text: &str) -> Seen {
        let sighting = Sighting {
            detection: Detection { confidence: 0.9, bounds: [100.0, 300.0, 80.0, 40.0], corners: [[0.0; 2]; 4] },
            text: text.into(),
            confidence: 0.97,
            candidates: vec![(text.into(), 0.97)],
            slots: Slots::reading(text, 0.97),
            state: "CA".into(),
            state_confidence: 0.9,
        };
        Seen { source, sightings: vec![sighting], ..Seen::empty(ticket) }
    }

    #[test]
    fn a_defect_in_one_cameras_tracker_closes_what_it_followed_and_the_other_camera_goes_on() {
        let (out, events) = crossbeam_channel::unbounded();
        let counters = Arc::new(Counters::default());
        let mut collector = Collector {
            lanes: vec![lane(), Lane::new("rear".into(), Recognition::default(), false, Duration::ZERO)],
            clock: Arc::new(SystemClock::new()),
            out,
            counters: counters.clone(),
            closing: Arc::default(),
        };
        let now = Duration::from_secs(1);
        let take = |collector: &mut Collector, source, ticket, text: &str| {
            collector.at_lane(source, |lane| lane.take(look(source, ticket, text), now));
        };
        for ticket in 0..5 {
            take(&mut collector, 0, ticket, "7ABC123");
            take(&mut collector, 1, ticket, "6DEF128");
        }
        collector.at_lane(0, |lane| {
            lane.take(look(0, 5, "7ABC123"), now);
            panic!("the fault of the test")
        });
        for ticket in 5..10 {
            take(&mut collector, 0, ticket + 1, "4KLM567");
            take(&mut collector, 1, ticket, "6DEF128");
        }
        let (seen, nothing) = crossbeam_channel::bounded(1);
        drop(seen);
        collector.run(&nothing);
        let mut closed: Vec<_> = events
            .iter()
            .filter_map(
                |event| if let Event::Closed(read) = event { Some((read.text.clone(), read.looks)) } else { None },
            )
            .collect();
        closed.sort();
        assert_eq!(closed, [("4KLM567".into(), 5), ("6DEF128".into(), 10), ("7ABC123".into(), 6)]);
        assert_eq!(counters.totals().failed_trackers, 1);
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
