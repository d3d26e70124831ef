//! Passes that are going on, their hits, and what is new about them.
//!
//! While lists are still being made ready for the matching, as after a start, a pass that is over is
//! held for a while: a list that comes then is matched against the vehicles that have just passed, too.

use super::{Places, guarded};
use crate::alert::{self, MutedPairings, Repeats, VehicleFindings};
use plated_core::clock::{Clock, Moment};
use plated_core::plate::PlateText;
use plated_core::record::{Alerting, EntryRecord, HitRecord, Position};
use plated_hotlist::{ListSettings, Lists, Query};
use plated_vision::recognition::TrackRead;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Open passes are matched again so often even when no list changed: an entry or the hours of a
/// list may have begun or ended, or a pairing that was found wrong alerts again.
const REMATCH: Duration = Duration::from_secs(1);
/// Passes remembered at once; the tracker never follows so many.
const MAX_PASSES: usize = 256;
/// Passes that are over and held until the lists are ready; one more lets go of the oldest.
pub const MAX_HELD: usize = 16;
/// How long each of them is held at most.
pub const MAX_HOLD: Duration = Duration::from_secs(60);
/// From so long after the start on none is held any more: a list may never get ready.
pub const HOLDING_PERIOD: Duration = Duration::from_secs(300);

/// What reads are matched against.
pub struct Matching {
    pub lists: Arc<Lists>,
    /// Whether all lists in force are in `lists`, as far as they can be.
    pub are_ready: Box<dyn Fn() -> bool + Send>,
    pub settings: Arc<ListSettings>,
    /// Pairings that officers found wrong.
    pub muted: Arc<MutedPairings>,
    /// When an alert is repeated.
    pub alert: crate::alert::Settings,
    /// Where the vehicle was.
    pub places: Places,
    /// Plates that are not the vehicle that an entry wants.
    pub findings: Arc<VehicleFindings>,
    pub clock: Arc<dyn Clock>,
}

/// Passes that are sure enough for an alert and still going on.
pub struct Passes {
    matching: Matching,
    repeats: Repeats,
    open: HashMap<Uuid, Pass>,
    /// Over, the oldest first, each with the monotonic time from which on it is held no more.
    held: VecDeque<(Pass, Duration)>,
    /// From this monotonic time on none is held.
    holding_ends: Duration,
    /// The lists that these passes were last matched against, and when.
    generation: u64,
    matched: Instant,
}

/// One of them.
pub struct Pass {
    /// As it was in the tracker's last event.
    pub read: Box<TrackRead>,
    pub hits: Vec<HitRecord>,
}

impl Passes {
    pub fn new(matching: Matching) -> Self {
        let repeats = Repeats::new(&matching.alert, matching.muted.clone());
        let holding_ends = matching.clock.monotonic() + HOLDING_PERIOD;
        let (open, held) = (HashMap::new(), VecDeque::new());
        Self { matching, repeats, open, held, holding_ends, generation: 0, matched: Instant::now() }
    }

    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.held.is_empty()
    }

    /// Where the vehicle was at the newest look of this read.
    pub fn place(&self, read: &TrackRead) -> Option<Position> {
        self.matching.places.of(read)
    }

    /// Whether all lists are ready, or are not waited for any more.
    pub fn lists_are_ready(&self) -> bool {
        self.matching.clock.monotonic() >= self.holding_ends || (self.matching.are_ready)()
    }

    /// Hits of this pass up to now.
    pub fn hits(&self, id: &Uuid) -> Vec<HitRecord> {
        let held = || self.held.iter().map(|(pass, _)| pass).find(|pass| pass.read.id == *id);
        self.open.get(id).or_else(held).map(|pass| pass.hits.clone()).unwrap_or_default()
    }

    /// Forgets the pass and gives its hits.
    pub fn end(&mut self, id: &Uuid) -> Vec<HitRecord> {
        self.open.remove(id).map(|pass| pass.hits).unwrap_or_default()
    }

    /// The pass as the tracker has it now. Gives what is new about it: hits, and whether each was
    /// not known before.
    pub fn grown(&mut self, read: &TrackRead) -> Vec<(HitRecord, bool)> {
        if self.open.len() >= MAX_PASSES && !self.open.contains_key(&read.id) {
            let oldest = self.open.iter().min_by_key(|(_, p)| p.read.captured).map(|(id, _)| *id);
            oldest.map(|id| self.open.remove(&id));
        }
        let read = Box::new(read.clone());
        let pass = match self.open.entry(read.id) {
            Entry::Occupied(known) => {
                let pass = known.into_mut();
                pass.read = read;
                pass
            }
            Entry::Vacant(new) => new.insert(Pass { read, hits: Vec::new() }),
        };
        self.matching.new_hits(pass, &mut self.repeats)
    }

    /// The pass is over; [`Passes::end`] forgets it. Gives what is new, as [`Passes::grown`].
    pub fn closed(&mut self, read: &TrackRead) -> Vec<(HitRecord, bool)> {
        let new = if read.ready { self.grown(read) } else { Vec::new() };
        if let Some(pass) = self.open.get(&read.id) {
            // When it was, not now: the computer may have slept in between.
            self.repeats.seen(&pass.hits, read.captured.min(self.matching.clock.monotonic()));
        }
        new
    }

    /// Holds a pass that is over. False when it is not held, since it is too unsure to be matched.
    pub fn hold(&mut self, read: &TrackRead) -> bool {
        if !read.ready {
            return false;
        }
        let Some(pass) = self.open.remove(&read.id) else { return false };
        self.held.push_back((pass, self.matching.clock.monotonic() + MAX_HOLD));
        true
    }

    /// The passes that are held no more: too many, for too long, or `all`. The oldest comes first.
    pub fn release(&mut self, all: bool) -> Vec<Pass> {
        let now = self.matching.clock.monotonic();
        let too_many = self.held.len().saturating_sub(MAX_HELD);
        let due = self.held.iter().take_while(|(_, until)| all || *until <= now).count();
        self.held.drain(..due.max(too_many)).map(|(pass, _)| pass).collect()
    }

    /// Matches all open and all held passes again, when the lists changed or a second has passed. Gives
    /// those with something new.
    pub fn match_again(&mut self) -> Vec<(TrackRead, Vec<(HitRecord, bool)>)> {
        let generation = self.matching.lists.generation();
        if self.is_empty() || (generation == self.generation && self.matched.elapsed() < REMATCH) {
            return Vec::new();
        }
        // Read before the lists: a change under way now is seen the next time.
        self.generation = generation;
        self.matched = Instant::now();
        let mut all = Vec::new();
        for pass in self.held.iter_mut().map(|(pass, _)| pass).chain(self.open.values_mut()) {
            let new = self.matching.new_hits(pass, &mut self.repeats);
            if !new.is_empty() {
                all.push(((*pass.read).clone(), new));
            }
        }
        all
    }
}

impl Matching {
    /// Matches that this pass has not had yet, and those that did not alert and now do; both are put
    /// into its hits too. With true come those that were not known before. What was found before a defect
    /// counts: it is noted as sounded, and would not be given again.
    fn new_hits(&self, pass: &mut Pass, repeats: &mut Repeats) -> Vec<(HitRecord, bool)> {
        let mut new = Vec::new();
        guarded("A plate was not matched", || self.match_pass(&pass.read, &mut pass.hits, repeats, &mut new));
        new
    }

    fn match_pass(
        &self,
        read: &TrackRead,
        hits: &mut Vec<HitRecord>,
        repeats: &mut Repeats,
        new: &mut Vec<(HitRecord, bool)>,
    ) {
        let text = PlateText::normalise(&read.text);
        let (state, candidates, slots) = (&*read.state, &*read.candidates, &read.slots);
        let Moment { wall: now, monotonic, trusted } = self.clock.moment();
        for mut found in self.lists.matches(&Query { text: &text, state, candidates, slots, now }) {
            // Hours of the day say nothing by a clock that is wrong, nor does an age: better one alert
            // too many.
            match trusted {
                true => found.entries.retain(|e| self.settings.counts(&e.entry.list, now)),
                false => found.entries.iter_mut().for_each(|e| e.age_days = None),
            }
            if found.entries.is_empty() {
                continue;
            }
            let same = |h: &HitRecord| {
                let known = |e: &EntryRecord| h.entries.iter().any(|k| k.entry == *e);
                h.listed == found.listed && h.text == read.text && found.entries.iter().all(|e| known(&e.entry))
            };
            let (known, alerts) = (hits.iter().position(same), found.alerts);
            // In a recording it was found when it was seen; what the clock shows now has nothing to do with it.
            let at = if read.frame.recorded { read.last_seen } else { now };
            let mut hit = alert::hit(found, &read.text, read.confidence, at);
            hit.position = self.places.of(read);
            self.findings.mark(&mut hit, state, monotonic);
            // It alerts now and did not before, or became more urgent, as when the state was read.
            let may_change = |h: &HitRecord| {
                matches!(h.alert, Alerting::Candidate | Alerting::Quieted | Alerting::NotThisVehicle)
                    || hit.priority() > h.priority()
            };
            if known.is_some_and(|n| !may_change(&hits[n])) {
                continue;
            }
            hit.alert =
                alert::decide(&hit, alerts, (&read.source, hits), (&self.lists, &self.settings), repeats, monotonic);
            match known {
                Some(_) if matches!(hit.alert, Alerting::Candidate | Alerting::Covert) => continue,
                Some(n) if hits[n].alert == hit.alert && hit.alert != Alerting::Sounded => continue,
                Some(n) if hits[n].alert == Alerting::Sounded && hit.alert != Alerting::Sounded => continue,
                Some(n) => {
                    hit.id = hits[n].id;
                    hits[n] = hit.clone();
                }
                None => hits.push(hit.clone()),
            }
            new.push((hit, known.is_none()));
        }
    }
}
