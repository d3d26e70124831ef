//! Reads to hits to ears, and to the store and eyes.
//!
//! ```text
//! tracker ─► recorder (match, sound) ─► reads that wait ─► keeper (write, publish)
//!                                       256, hits go first
//! ```
//!
//! Nothing stands between a match and its chime: the recorder's thread matches and sounds, and hands
//! the read to the keeper's thread, which waits for the disk. What is shown is durable before
//! (invariant 1); what is heard does not wait for that (invariant 5).

mod keeper;
mod passes;
mod pending;
mod pictures;
mod places;
mod reserve;
mod times;
mod vehicle_look;
#[cfg(test)]
mod tests;
mod waiting;

pub use keeper::Keeper;
pub use reserve::Reserve;
pub use vehicle_look::{Describes, VehicleLook};
pub use waiting::Waiting;

use super::counters::Counters;
use crate::alert::Chime;
use crate::canvass::OpenCanvass;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use passes::{Pass, Passes};
use pending::Pending;
use plated_core::clock::Clock;
use plated_core::record::{Alerting, ClockMark, HitRecord, MadeBy, ReadRecord};
use plated_hotlist::ListSettings;
use plated_vision::recognition::{Event, TrackRead};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub use passes::Matching;
pub use places::Places;

/// How often open passes are looked at for lists that changed meanwhile.
const POLL: Duration = Duration::from_millis(50);
/// A vehicle that stays in view is kept from here on, not only when it leaves.
const LONG_PASS: Duration = Duration::from_secs(60);
/// Pictures that may wait as raw pixels, of some MiB each, until the keeper encodes them.
const MAX_RAW: usize = 4;

/// Matches and sounds.
pub struct Recorder {
    maker: Maker,
    passes: Passes,
    settings: Arc<ListSettings>,
    chime: Arc<Chime>,
    counters: Arc<Counters>,
    waiting: Arc<Waiting>,
    clock: Arc<dyn Clock>,
    canvass: Arc<OpenCanvass>,
    look: Arc<VehicleLook>,
}

/// Who makes reads, and where.
#[derive(Debug)]
pub struct Maker {
    /// Name of the vehicle.
    pub vehicle: String,
    /// Versions of program and models.
    pub made_by: MadeBy,
    /// The fixed site at which a camera stands, of those that do.
    pub sites: HashMap<String, String>,
}

impl Recorder {
    pub fn new(
        maker: Maker,
        matching: Matching,
        chime: Arc<Chime>,
        counters: Arc<Counters>,
        waiting: Arc<Waiting>,
        canvass: Arc<OpenCanvass>,
        look: Arc<VehicleLook>,
    ) -> Self {
        let (settings, clock) = (matching.settings.clone(), matching.clock.clone());
        Self { maker, passes: Passes::new(matching), settings, chime, counters, waiting, clock, canvass, look }
    }

    /// Takes the tracker's events until there are no more. It waits for nothing but them.
    pub fn run(mut self, events: &Receiver<Event>) {
        let (counters, clock) = (self.counters.clone(), self.clock.clone());
        loop {
            let event = match self.passes.is_empty() {
                true => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
                false => events.recv_timeout(POLL),
            };
            match event {
                Ok(event) => counters.matching.during(clock.monotonic(), || {
                    guarded("An event of the tracker was lost", || self.take(event));
                }),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Asked before: all lists that are ready then are matched.
            let are_ready = self.passes.lists_are_ready();
            counters.matching.during(clock.monotonic(), || {
                guarded("Vehicles in view were not matched again", || self.match_again());
            });
            self.seal_held(are_ready);
        }
        // Nobody will match them any more.
        self.seal_held(true);
        self.waiting.end();
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Growing(read) => {
                // A pass that is still going on concerns nobody unless it hits or goes on for long: then
                // it is kept as it is so far, while it is news.
                let new = guarded("A plate was not matched", || self.passes.grown(&read));
                let long = read.in_view >= LONG_PASS;
                self.alert(&read, new, false, long);
            }
            Event::Closed(read) => {
                // Asked before: it was matched against all lists that are ready then.
                let are_ready = self.passes.lists_are_ready();
                let new = guarded("A plate was not matched", || self.passes.closed(&read));
                // What is held is kept meanwhile as a pass that goes on.
                let held = !are_ready && self.passes.hold(&read);
                self.alert(&read, new, !held, held);
            }
        }
    }

    /// Passes that are still going on, or are held, against lists that changed meanwhile.
    fn match_again(&mut self) {
        for (read, new) in self.passes.match_again() {
            guarded("What a list says of a vehicle in view was lost", || self.alert(&read, new, false, false));
        }
    }

    /// Passes that are held no more are final now; see [`Passes::release`].
    fn seal_held(&mut self, all: bool) {
        for Pass { read, hits } in self.passes.release(all) {
            self.keep(&read, hits, Vec::new(), true);
        }
    }

    /// Sounds what is new, and hands the read on if it hits, is over or `long`. Hits that were not known
    /// before come with true.
    fn alert(&mut self, read: &TrackRead, new: Vec<(HitRecord, bool)>, closed: bool, long: bool) {
        for (hit, _) in &new {
            self.sound(read, hit);
        }
        if new.is_empty() && !closed && !long {
            return;
        }
        let hits = if closed { self.passes.end(&read.id) } else { self.passes.hits(&read.id) };
        self.keep(read, hits, new, closed);
    }

    fn keep(&self, read: &TrackRead, hits: Vec<HitRecord>, new: Vec<(HitRecord, bool)>, closed: bool) {
        let mut pending = Pending::new(self.record(read, hits), read, new, closed);
        pending.correct_times(&*self.clock);
        if self.waiting.len() >= MAX_RAW {
            pending.encode(&self.look);
        }
        self.waiting.push(pending);
    }

    /// Only what may be shown chooses the chime.
    fn sound(&self, read: &TrackRead, hit: &HitRecord) {
        let Some(shown) = self.settings.shown_hit(hit).filter(|_| hit.alert == Alerting::Sounded) else { return };
        let tone = self.settings.tone(&shown);
        self.chime.sound(tone);
        self.counters.change(|t| t.alerts += 1);
        tracing::info!(camera = %read.source, hit = hit.short(), priority = ?tone, "An alert was given.");
    }

    fn record(&self, read: &TrackRead, hits: Vec<HitRecord>) -> ReadRecord {
        ReadRecord {
            id: read.id,
            vehicle: self.maker.vehicle.clone(),
            camera: read.source.to_string(),
            text: read.text.clone(),
            state: read.state.clone(),
            confidence: read.confidence,
            candidates: read.candidates.clone(),
            looks: read.looks,
            agreeing: read.agreeing,
            first_seen: read.first_seen,
            last_seen: read.last_seen,
            clock: (!read.clock_trusted).then_some(ClockMark::NotTrusted),
            stood_s: (!read.stood.is_zero()).then(|| (read.stood.as_secs_f32() * 10.0).round() / 10.0),
            position: self.passes.place(read),
            // Seen by the keeper, with the pictures.
            appearance: None,
            canvass: self.canvass.of_pass(read.captured.saturating_sub(read.in_view), read.captured),
            site: self.maker.sites.get(&*read.source).cloned(),
            best: read.best.clone(),
            sightings: read.sightings.clone(),
            images: Vec::new(),
            hits,
            made_by: self.maker.made_by.clone(),
        }
    }
}

/// A defect at one read must not take the alerts of all others.
fn guarded<T: Default>(lost: &str, f: impl FnOnce() -> T) -> T {
    plated_core::thread::guarded(lost, f).unwrap_or_default()
}
