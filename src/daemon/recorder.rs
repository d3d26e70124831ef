//! Reads to hits to the store, and only then to ears and eyes (invariant 1).

mod pictures;

use super::counters::Counters;
use super::{Announce, Announcement};
use crate::alert::{Chime, Repeats};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Kind, Result};
use crate::hotlist::{Index, Match};
use crate::plate::PlateText;
use crate::recognition::{Event, TrackRead};
use crate::store::{NewImage, NewRead, Store};
use crate::wire::{HitRecord, ImageRef, MadeBy, ReadRecord};
use crossbeam_channel::Receiver;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// Wait between tries while the store can't write.
const RETRY: Duration = Duration::from_millis(500);
/// Tries after the daemon was asked to stop; for all that waits together, since whoever stops it
/// won't wait for each.
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
    /// Tries left once the daemon was asked to stop.
    last_tries: u32,
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
        let (open, reported, last_tries) = (HashMap::new(), false, LAST_TRIES);
        Self {
            vehicle,
            made_by,
            index,
            store,
            chime,
            clock,
            announce,
            counters,
            stopping,
            repeats,
            open,
            reported,
            last_tries,
        }
    }

    pub fn run(mut self, events: &Receiver<Event>) {
        for event in events {
            match event {
                Event::Growing(read) => self.growing(&read),
                Event::Closed(read) => self.closed(&read),
            }
        }
        let lost = self.counters.totals().lost_reads;
        if lost > 0 {
            tracing::error!(reads = lost, "Reads were lost: they waited in memory when the daemon ended.");
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
            self.alert(&record, new);
        }
    }

    fn closed(&mut self, read: &TrackRead) {
        let new = if read.ready { self.new_hits(read) } else { Vec::new() };
        let mut hits = self.open.remove(&read.id).unwrap_or_default();
        hits.extend(new.iter().cloned());
        let record = self.record(read, hits);
        if let Some(record) = self.keep(record, read, false) {
            self.counters.change(|t| t.reads += 1);
            self.alert(&record, new);
            (self.announce)(&Announcement::Read { read: Box::new(record), frame: read.frame.clone() });
        } else {
            self.counters.change(|t| t.lost_reads += 1);
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

    /// Writes until it is written, and gives what was written; `None` when it can't be, or the
    /// daemon stops before that.
    fn keep(&mut self, record: ReadRecord, read: &TrackRead, open: bool) -> Option<ReadRecord> {
        let id = record.id;
        let (images, references) = pictured(read).unwrap_or_else(|e| {
            tracing::error!(read = %id, "A read is kept without its pictures: {}", e.chain());
            Default::default()
        });
        let mut new = NewRead { record: ReadRecord { images: references, ..record }, images, open };
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
                        self.last_tries = self.last_tries.saturating_sub(1);
                        if self.last_tries == 0 {
                            return None;
                        }
                    }
                    std::thread::sleep(RETRY);
                }
                Err(e) if !new.images.is_empty() => {
                    // Text without a picture is better than nothing.
                    tracing::error!(read = %id, "A read is kept without its pictures: {}", e.chain());
                    new.images.clear();
                    new.record.images.clear();
                }
                Err(e) => {
                    tracing::error!(read = %id, "A read can't be kept: {}", e.chain());
                    return None;
                }
            }
        }
    }

    fn alert(&mut self, record: &ReadRecord, hits: Vec<HitRecord>) {
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
            (self.announce)(&Announcement::Hit { read: Box::new(record.clone()), hit: Box::new(hit), sounded });
        }
    }
}

/// The pictures, and what the record says of them.
fn pictured(read: &TrackRead) -> Result<(Vec<NewImage>, Vec<ImageRef>)> {
    let images = pictures::of(read)?;
    let references = images.iter().map(NewImage::reference).collect::<Result<_>>()?;
    Ok((images, references))
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
