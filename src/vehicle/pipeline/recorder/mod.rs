//! Reads to hits to the store, and only then to ears and eyes (invariant 1).

mod pictures;

use super::counters::Counters;
use super::{Announce, Announcement};
use crate::alert::{Chime, MutedPairings, Repeats};
use crate::config::Config;
use crate::store::{NewImage, NewRead, Store};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::{Alerting, EntryRecord, HitRecord, ImageRef, MadeBy, ReadRecord};
use plated_hotlist::{ListSettings, Lists, Match, Query};
use plated_vision::frame::Frame;
use plated_vision::recognition::{Event, TrackRead};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Wait between tries while the store can't write.
const RETRY: Duration = Duration::from_millis(500);
/// Tries once the daemon was asked to stop; for all that waits together, since whoever stops it
/// won't wait for each.
const LAST_TRIES: u32 = 6;
/// A vehicle that stays in view is kept from here on, not only when it leaves.
const LONG_PASS: Duration = Duration::from_secs(60);
/// Reads that may wait for the store, pictures and all: some 50 MiB.
const MOST_WAITING: usize = 256;

pub struct Recorder {
    vehicle: String,
    made_by: MadeBy,
    lists: Arc<Lists>,
    sets: ListSettings,
    store: Store,
    chime: Arc<Chime>,
    clock: Arc<dyn Clock>,
    announce: Announce,
    counters: Arc<Counters>,
    stopping: Arc<AtomicBool>,
    repeats: Repeats,
    /// Hits of passes that are still going on.
    open: HashMap<Uuid, Vec<HitRecord>>,
    /// Reads that the store could not take yet, in their order.
    waiting: VecDeque<Pending>,
}

/// A read on its way into the store, and what is told once it is there.
struct Pending {
    new: NewRead,
    /// Hits to tell; true for those that were not known before.
    hits: Vec<(HitRecord, bool)>,
    /// The frame of the best look, of a pass that is over.
    closed: Option<Frame>,
    captured: Duration,
}

impl Recorder {
    #[allow(clippy::too_many_arguments, reason = "called once, where the daemon is put together")]
    pub fn new(
        config: &Config,
        made_by: MadeBy,
        lists: Arc<Lists>,
        quiet: Arc<MutedPairings>,
        store: Store,
        chime: Arc<Chime>,
        clock: Arc<dyn Clock>,
        announce: Announce,
        counters: Arc<Counters>,
        stopping: Arc<AtomicBool>,
    ) -> Self {
        let repeats = Repeats::new(Duration::from_secs(config.alert.repeat_after_s), quiet);
        let vehicle = config.vehicle.clone();
        let (open, waiting) = (HashMap::new(), VecDeque::new());
        let sets = ListSettings::new(&config.hotlists, TimeZone::system());
        Self {
            vehicle,
            made_by,
            lists,
            sets,
            store,
            chime,
            clock,
            announce,
            counters,
            stopping,
            repeats,
            open,
            waiting,
        }
    }

    pub fn run(mut self, events: &Receiver<Event>) {
        let mut again = Instant::now();
        loop {
            if self.waiting.is_empty() {
                match events.recv() {
                    Ok(event) => self.take(event),
                    Err(_) => return,
                }
                again = Instant::now() + RETRY;
            } else if Instant::now() >= again {
                self.retry();
                again = Instant::now() + RETRY;
            } else if self.waiting.len() < MOST_WAITING || self.stopping.load(Ordering::Relaxed) {
                // While the store is full, alerts go on; only at the limit do events wait too,
                // and at the end the few that are left must not keep the daemon from ending.
                match events.recv_deadline(again) {
                    Ok(event) => self.take(event),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            } else {
                std::thread::sleep(RETRY);
            }
        }
        self.last_tries();
    }

    /// No event will come. What waits is given up only when the daemon has to end.
    fn last_tries(&mut self) {
        let mut left = LAST_TRIES;
        while left > 0 {
            self.retry();
            if self.waiting.is_empty() {
                return;
            }
            std::thread::sleep(RETRY);
            left -= u32::from(self.stopping.load(Ordering::Relaxed));
        }
        // A pass can wait twice, open and closed.
        let lost: HashSet<Uuid> = self.waiting.iter().map(|p| p.new.record.id).collect();
        self.counters.change(|t| t.lost_reads += lost.len() as u64);
        let lost = self.counters.totals().lost_reads;
        tracing::error!(reads = lost, "Reads were lost: they waited in memory when the daemon ended.");
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Growing(read) => self.growing(&read),
            Event::Closed(read) => self.closed(&read),
        }
    }

    /// A pass that is still going on concerns nobody unless it hits or goes on for long: then it is
    /// kept as it is so far, while it is news.
    fn growing(&mut self, read: &TrackRead) {
        let mut hits = self.open.get(&read.id).cloned().unwrap_or_default();
        let new = self.new_hits(read, &mut hits);
        if new.is_empty() && read.in_view < LONG_PASS {
            return;
        }
        self.open.insert(read.id, hits.clone());
        self.submit(read, hits, new, None);
    }

    fn closed(&mut self, read: &TrackRead) {
        let mut hits = self.open.remove(&read.id).unwrap_or_default();
        let new = if read.ready { self.new_hits(read, &mut hits) } else { Vec::new() };
        self.submit(read, hits, new, Some(read.frame.clone()));
    }

    /// Keeps a read, or lets it wait behind those that wait already.
    fn submit(&mut self, read: &TrackRead, hits: Vec<HitRecord>, told: Vec<(HitRecord, bool)>, closed: Option<Frame>) {
        let (images, references) = pictured(read).unwrap_or_else(|e| {
            tracing::error!(read = %read.id, "A read is kept without its pictures: {}", e.chain());
            Default::default()
        });
        let record = ReadRecord { images: references, ..self.record(read, hits) };
        let new = NewRead { record, images, open: closed.is_none() };
        let mut pending = Pending { new, hits: told, closed, captured: read.captured };
        if self.waiting.is_empty() {
            match self.keep(&mut pending) {
                Kept::Yes => return self.tell(pending, true),
                Kept::Never => return,
                Kept::NotYet(e) => tracing::error!("Reads can't be kept and wait in memory: {}", e.chain()),
            }
        }
        // Nothing is shown before it is durable, but the officer's ears don't wait for a disk.
        pending.hits.iter().for_each(|(hit, _)| self.sound(hit));
        // What waits is all pictures; the raw frame would be ten times that.
        pending.closed.as_mut().map(Frame::drop_pixels);
        self.waiting.push_back(pending);
        if self.waiting.len() == MOST_WAITING {
            tracing::error!(
                waiting = MOST_WAITING,
                "No more reads can wait: no plates are read and nobody is alerted until the store has room."
            );
        }
    }

    /// Writes what waits, as far as the store takes it.
    fn retry(&mut self) {
        while let Some(mut pending) = self.waiting.pop_front() {
            match self.keep(&mut pending) {
                Kept::Yes => self.tell(pending, false),
                Kept::Never => {}
                Kept::NotYet(_) => return self.waiting.push_front(pending),
            }
            if self.waiting.is_empty() {
                tracing::info!("The store can write again; nothing was lost.");
            }
        }
    }

    fn keep(&self, pending: &mut Pending) -> Kept {
        loop {
            match self.store.put_read(&pending.new) {
                Ok(_) => return Kept::Yes,
                Err(e) if matches!(e.kind(), Kind::Storage | Kind::Busy) => return Kept::NotYet(e),
                Err(e) if !pending.new.images.is_empty() => {
                    // Text without a picture is better than nothing.
                    tracing::error!(read = %pending.new.record.id, "A read is kept without its pictures: {}", e.chain());
                    pending.new.images.clear();
                    pending.new.record.images.clear();
                }
                Err(e) => {
                    tracing::error!(read = %pending.new.record.id, "A read can't be kept: {}", e.chain());
                    self.counters.change(|t| t.lost_reads += 1);
                    return Kept::Never;
                }
            }
        }
    }

    /// It is durable: sounds, if that has not been done, and shows.
    fn tell(&self, pending: Pending, sound: bool) {
        let Pending { new, hits, closed, captured } = pending;
        let shown = self.sets.shown(&new.record);
        let visible = hits.iter().filter_map(|(hit, first)| Some((self.sets.shown_hit(hit)?, *first)));
        for (hit, first) in visible {
            if sound {
                self.sound(&hit);
            }
            self.counters.change(|t| {
                t.hits += u64::from(first);
                t.alerts += u64::from(hit.alert == Alerting::Sounded);
            });
            let read = Box::new(shown.clone());
            (self.announce)(&Announcement::Hit { read, hit: Box::new(hit), captured });
        }
        if let Some(frame) = closed {
            self.counters.change(|t| t.reads += 1);
            (self.announce)(&Announcement::Read { read: Box::new(shown), frame });
        }
    }

    fn sound(&self, hit: &HitRecord) {
        if hit.alert == Alerting::Sounded {
            self.chime.sound(self.sets.tone(hit));
        }
    }

    /// Matches that this pass has not had yet, and candidates that have become probable enough to
    /// alert; both are put into `hits` too. True is said of those that were not known before.
    fn new_hits(&mut self, read: &TrackRead, hits: &mut Vec<HitRecord>) -> Vec<(HitRecord, bool)> {
        let text = PlateText::normalise(&read.text);
        let (state, candidates, slots) = (&*read.state, &*read.candidates, &read.slots);
        let (now, monotonic) = (self.clock.wall(), self.clock.monotonic());
        let mut told = Vec::new();
        for mut found in self.lists.matches(&Query { text: &text, state, candidates, slots, now }) {
            found.entries.retain(|e| self.sets.counts(&e.entry.list, now));
            if found.entries.is_empty() {
                continue;
            }
            let same = |h: &HitRecord| {
                let known = |e: &EntryRecord| h.entries.iter().any(|k| k.entry == *e);
                h.listed == found.listed && h.text == read.text && found.entries.iter().all(|e| known(&e.entry))
            };
            let (known, alerts) = (hits.iter().position(same), found.alerts);
            let mut hit = hit(found, read, now);
            let shown = self.sets.shown_hit(&hit);
            if shown.is_none() {
                hit.alert = Alerting::Covert;
            }
            // What may be shown has to be probable enough by itself.
            let alerting = shown.filter(|s| alerts && self.lists.alerts(s));
            if known.is_some_and(|n| hits[n].alert != Alerting::Candidate || alerting.is_none()) {
                continue;
            }
            if let Some(shown) = alerting {
                hit.alert = self.repeats.decide(&shown, monotonic);
            }
            match known {
                Some(n) => {
                    hit.id = hits[n].id;
                    hits[n] = hit.clone();
                }
                None => hits.push(hit.clone()),
            }
            told.push((hit, known.is_none()));
        }
        told
    }

    fn record(&self, read: &TrackRead, hits: Vec<HitRecord>) -> ReadRecord {
        ReadRecord {
            id: read.id,
            vehicle: self.vehicle.clone(),
            camera: read.source.to_string(),
            text: read.text.clone(),
            state: read.state.clone(),
            confidence: read.confidence,
            candidates: read.candidates.clone(),
            looks: read.looks,
            agreeing: read.agreeing,
            first_seen: read.first_seen,
            last_seen: read.last_seen,
            stood_s: (!read.stood.is_zero()).then(|| (read.stood.as_secs_f32() * 10.0).round() / 10.0),
            best: read.best.clone(),
            sightings: read.sightings.clone(),
            images: Vec::new(),
            hits,
            made_by: self.made_by.clone(),
        }
    }
}

/// What the store did with a read.
enum Kept {
    Yes,
    /// There is no room, or the disk fails; trying again is right.
    NotYet(Error),
    /// It was given up, loudly.
    Never,
}

/// The pictures, and what the record says of them.
fn pictured(read: &TrackRead) -> Result<(Vec<NewImage>, Vec<ImageRef>)> {
    let images = pictures::of(read)?;
    let references = images.iter().map(NewImage::reference).collect::<Result<_>>()?;
    Ok((images, references))
}

/// A candidate, until somebody decides that it alerts.
fn hit(found: Match, read: &TrackRead, at: Timestamp) -> HitRecord {
    HitRecord {
        id: Uuid::now_v7(),
        at,
        text: read.text.clone(),
        confidence: read.confidence,
        rule: found.rule,
        listed: found.listed,
        differs: found.differs,
        probability: found.probability,
        alert: Alerting::Candidate,
        entries: found.entries,
    }
}
