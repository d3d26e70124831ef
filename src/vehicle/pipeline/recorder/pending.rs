//! A read on its way into the store.

use super::{VehicleLook, guarded, pictures, times};
use crate::store::{NewImage, NewRead};
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::record::{Appearance, HitRecord, ImageRef, ReadRecord};
use plated_hotlist::vehicle;
use plated_vision::recognition::TrackRead;
use std::time::Duration;
use uuid::Uuid;

/// A read that is not durable yet, and what is announced once it is.
pub struct Pending {
    pub new: NewRead,
    /// Hits to announce once it is durable; true for those that were not known before.
    pub announce: Vec<(HitRecord, bool)>,
    /// Monotonic time at which the newest frame was captured.
    pub captured: Duration,
    /// What its pictures are made from, while they are not.
    raw: Option<Box<TrackRead>>,
    /// Its pictures gave way to other reads.
    pub without_pictures: bool,
    /// How often the store failed at it for another reason than room.
    pub failed: u32,
    /// Reads that were kept when the store first failed at it.
    pub kept_before: u64,
}

impl Pending {
    pub fn new(record: ReadRecord, read: &TrackRead, announce: Vec<(HitRecord, bool)>, closed: bool) -> Self {
        Self {
            new: NewRead { record, images: Vec::new(), open: !closed },
            announce,
            captured: read.captured,
            raw: Some(Box::new(read.clone())),
            without_pictures: false,
            failed: 0,
            kept_before: 0,
        }
    }

    pub fn id(&self) -> Uuid {
        self.new.record.id
    }

    /// Those give way last.
    pub fn has_hit(&self) -> bool {
        !self.new.record.hits.is_empty()
    }

    /// Makes its pictures and looks at the vehicle, if that is not done: what waits for long is a tenth of the raw
    /// frame.
    pub fn encode(&mut self, look: &VehicleLook) {
        let Some(read) = self.raw.take() else { return };
        let made = guarded("A read is kept without its pictures", || Some(pictured(&read, look)));
        match made {
            Some(Ok((images, references, appearance))) => {
                self.new.images = images;
                self.new.record.images = references;
                self.describe(appearance);
            }
            Some(Err(e)) => {
                tracing::error!(read = %self.id(), "A read is kept without its pictures: {}", e.chain())
            }
            None => {}
        }
    }

    fn describe(&mut self, appearance: Option<Appearance>) {
        vehicle::mark(&mut self.new.record.hits, appearance.as_ref());
        vehicle::mark(self.announce.iter_mut().map(|(hit, _)| hit), appearance.as_ref());
        self.new.record.appearance = appearance;
    }

    /// What is left of it is its text, its hits and what it announces.
    pub fn drop_pictures(&mut self) {
        self.raw = None;
        self.without_pictures = true;
        self.new.images.clear();
        self.new.record.images.clear();
    }

    /// Its times, if they are known better by now; see [`times::correct`].
    pub fn correct_times(&mut self, clock: &dyn Clock) {
        times::correct(&mut self.new.record, &mut self.announce, clock);
    }

    /// Takes over what an older version of the same read had to announce.
    pub fn replaces(&mut self, mut older: Pending) {
        older.announce.retain(|(hit, was_new)| {
            // The newer one announces this hit too, and it is as new as it was.
            let again = self.announce.iter_mut().find(|(h, _)| h.id == hit.id);
            again.map(|(_, is_new)| *is_new |= *was_new).is_none()
        });
        older.announce.append(&mut self.announce);
        self.announce = older.announce;
        // In one version with the record: its times may be corrected already, or are still to be.
        for (hit, _) in &mut self.announce {
            if let Some(kept) = self.new.record.hits.iter().find(|kept| kept.id == hit.id) {
                *hit = HitRecord { kept_late: hit.kept_late || kept.kept_late, ..kept.clone() };
            }
        }
    }
}

/// The pictures, what the record says of them, and what the vehicle looks like.
fn pictured(read: &TrackRead, look: &VehicleLook) -> Result<(Vec<NewImage>, Vec<ImageRef>, Option<Appearance>)> {
    let (images, appearance) = pictures::of(read, look)?;
    let references = images.iter().map(NewImage::reference).collect::<Result<_>>()?;
    Ok((images, references, appearance))
}
