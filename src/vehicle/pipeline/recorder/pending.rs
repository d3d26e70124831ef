//! A read on its way into the store.

use super::{guarded, pictures};
use crate::store::{NewImage, NewRead};
use plated_core::error::Result;
use plated_core::record::{HitRecord, ImageRef, ReadRecord};
use plated_vision::recognition::TrackRead;
use std::time::Duration;
use uuid::Uuid;

/// A read that is not durable yet, and what is told once it is.
pub struct Pending {
    pub new: NewRead,
    /// Hits to tell; true for those that were not known before.
    pub hits: Vec<(HitRecord, bool)>,
    /// Monotonic time at which the newest frame was captured.
    pub captured: Duration,
    /// What its pictures are made from, while they are not.
    raw: Option<Box<TrackRead>>,
    /// How often the store failed at it for another reason than room.
    pub failed: u32,
    /// Reads that were kept when the store first failed at it.
    pub kept_before: u64,
}

impl Pending {
    pub fn new(record: ReadRecord, read: &TrackRead, hits: Vec<(HitRecord, bool)>, closed: bool) -> Self {
        let new = NewRead { record, images: Vec::new(), open: !closed };
        Self { new, hits, captured: read.captured, raw: Some(Box::new(read.clone())), failed: 0, kept_before: 0 }
    }

    pub fn id(&self) -> Uuid {
        self.new.record.id
    }

    /// Those give way last.
    pub fn has_hit(&self) -> bool {
        !self.new.record.hits.is_empty()
    }

    /// Makes its pictures, if that is not done: what waits for long is a tenth of the raw frame.
    pub fn encode(&mut self) {
        let Some(read) = self.raw.take() else { return };
        let made = guarded("A read is kept without its pictures", || Some(pictured(&read)));
        match made {
            Some(Ok((images, references))) => {
                self.new.images = images;
                self.new.record.images = references;
            }
            Some(Err(e)) => {
                tracing::error!(read = %self.id(), "A read is kept without its pictures: {}", e.chain())
            }
            None => {}
        }
    }

    /// Takes over what an older version of the same read had to tell.
    pub fn replaces(&mut self, mut older: Pending) {
        older.hits.retain(|(hit, _)| {
            // The newer one tells of this hit too; that it is a new one is still true.
            let again = self.hits.iter_mut().find(|(h, _)| h.id == hit.id);
            again.map(|(_, first)| *first = true).is_none()
        });
        older.hits.append(&mut self.hits);
        self.hits = older.hits;
    }
}

/// The pictures, and what the record says of them.
fn pictured(read: &TrackRead) -> Result<(Vec<NewImage>, Vec<ImageRef>)> {
    let images = pictures::of(read)?;
    let references = images.iter().map(NewImage::reference).collect::<Result<_>>()?;
    Ok((images, references))
}
