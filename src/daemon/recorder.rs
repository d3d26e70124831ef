//! Reads to hits to the store, and only then to ears and eyes (invariant 1).

mod pictures;

use super::counters::Counters;
use super::{Announce, Announcement};
use crate::alert::{Chime, Repeats};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Kind;
use crate::hotlist::{Index, Match};
use crate::plate::PlateText;
use crate::recognition::{Event, TrackRead};
use crate::store::{NewImage, NewRead, Store};
use crate::wire::{HitRecord, ImageRole, MadeBy, ReadRecord};
use crossbeam_channel::Receiver;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// Wait between tries while the store can't write.
const RETRY: Duration = Duration::from_millis(500);
/// Tries after the daemon was asked to stop.
const LAST_TRIES: u32 = 6;

pub struct Recorder {
    vehicle: String,
    made_by: MadeBy,
    index: Arc<Index>,
    store: Store,
    chime: Arc<Chime>,
    clock: Arc<dyn Clock>,
    announce: Announce,
    counters: Arc<Counters>,
    stopping: Arc<AtomicBool>,
    repeats: Repeats,
    /// Hits of passes that are still going on.
    open: HashMap<Uuid, Vec<HitRecord>>,
    /// The present trouble of the store has been logged.
    reported: bool,
}

impl Recorder {
    #[allow(clippy::too_many_arguments, reason = "called once, where the daemon is put together")]
    pub fn new(
        config: &Config,
        made_by: MadeBy,
        index: Arc<Index>,
        store: Store,
        chime: Arc<Chime>,
        clock: Arc<dyn Clock>,
        announce: Announce,
        counters: Arc<Counters>,
        stopping: Arc<AtomicBool>,
    ) -> Self {
        let repeats = Repeats::new(Duration::from_secs(config.alert.repeat_after_s));
        let vehicle = config.vehicle.clone();
        let (open, reported) = (HashMap::new(), false);
        Self { vehicle, made_by, index, store, chime, clock, announce, counters, stopping, repeats, open, reported }
    }

    pub fn run(mut self, events: &Receiver<Event>) {
        for event in events {
            match event {
                Event::Growing(read) => self.growing(&read),
                Event::Closed(read) => self.closed(&read),
            }
        }
    }

    /// A pass that is still going on concerns nobody unless it hits.
    fn growing(&mut self, read: &TrackRead) {
        let new = self.new_hits(read);
        if new.is_empty() {
            return;
        }
        let mut hits = self.open.get(&read.id).cloned().unwrap_or_default();
        hits.extend(new.iter().cloned());
        let record = self.record(read, hits.clone());
        if let Some(record) = self.keep(record, read, true) {
            self.open.insert(read.id, hits);
            self.alert(&record, new, read.captured);
        }
    }

    fn closed(&mut self, read: &TrackRead) {
        let new = if read.ready { self.new_hits(read) } else { Vec::new() };
        let mut hits = self.open.remove(&read.id).unwrap_or_default();
        hits.extend(new.iter().cloned());
        let record = self.record(read, hits);
        if let Some(record) = self.keep(record, read, false) {
            self.counters.change(|t| t.reads += 1);
            self.alert(&record, new, read.captured);
            (self.announce)(&Announcement::Read { read: Box::new(record), frame: read.frame.clone() });
        }
    }

    /// Matches of the read's text that this pass has not had yet.
    fn new_hits(&self, read: &TrackRead) -> Vec<HitRecord> {
        let had = self.open.get(&read.id).map_or(&[][..], Vec::as_slice);
        let matches = self.index.matches(&PlateText::normalise(&read.text), &read.state);
        let new = matches.into_iter().filter(|m| !had.iter().any(|h| h.entry == *m.entry && h.text == read.text));
        let now = self.clock.wall();
        new.map(|m| hit(m, read, now)).collect()
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
            best: read.best.clone(),
            sightings: read.sightings.clone(),
            images: Vec::new(),
            hits,
            made_by: self.made_by.clone(),
        }
    }

    /// Writes until it is written; `None` only when the daemon stops before that.
    fn keep(&mut self, record: ReadRecord, read: &TrackRead, open: bool) -> Option<ReadRecord> {
        let images = pictures::of(read).unwrap_or_else(|e| {
            tracing::error!(camera = record.camera, "A read is kept without its pictures: {}", e.chain());
            Vec::new()
        });
        let images = images.into_iter().map(|(role, jpeg): (ImageRole, Vec<u8>)| NewImage { role, jpeg: jpeg.into() });
        let mut new = NewRead { record, images: images.collect(), open };
        let mut last_tries = 0;
        loop {
            match self.store.put_read(&new) {
                Ok(_) => {
                    if self.reported {
                        tracing::info!("The store can write again; nothing was lost.");
                        self.reported = false;
                    }
                    return Some(new.record);
                }
                Err(e) if e.kind() == Kind::Storage => {
                    if !self.reported {
                        tracing::error!("Reads can't be kept and wait in memory: {}", e.chain());
                        self.reported = true;
                    }
                    if self.stopping.load(Ordering::Relaxed) {
                        last_tries += 1;
                    }
                    if last_tries >= LAST_TRIES {
                        tracing::error!("A read was lost: the daemon stopped while the store could not write.");
                        self.counters.change(|t| t.lost_reads += 1);
                        return None;
                    }
                    std::thread::sleep(RETRY);
                }
                Err(e) if !new.images.is_empty() => {
                    // Text without a picture is better than nothing.
                    tracing::error!("A read is kept without its pictures: {}", e.chain());
                    new.images.clear();
                }
                Err(e) => {
                    tracing::error!("A read was lost: {}", e.chain());
                    self.counters.change(|t| t.lost_reads += 1);
                    return None;
                }
            }
        }
    }

    fn alert(&mut self, record: &ReadRecord, hits: Vec<HitRecord>, captured: Duration) {
        for hit in hits {
            let key = PlateText::normalise(&hit.text).key();
            let sounded = self.repeats.is_news(&key, &hit.entry, self.clock.monotonic());
            if sounded {
                self.chime.sound(hit.entry.priority);
            }
            self.counters.change(|t| {
                t.hits += 1;
                t.alerts += u64::from(sounded);
            });
            (self.announce)(&Announcement::Hit {
                read: Box::new(record.clone()),
                hit: Box::new(hit),
                sounded,
                captured,
            });
        }
    }
}

fn hit(found: Match, read: &TrackRead, at: Timestamp) -> HitRecord {
    HitRecord {
        id: Uuid::now_v7(),
        at,
        text: read.text.clone(),
        confidence: read.confidence,
        rule: found.rule,
        differs: found.differs,
        state: found.state,
        entry: (*found.entry).clone(),
    }
}
