//! Photos and recordings through detector, reader and tracker, as the daemon does with a camera's frames.

use super::{Item, Seen};
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Error, Kind, Result};
use plated_core::record::MadeBy;
use plated_core::text::visible;
use plated_vision::capture::{MAX_PIXELS, Medium, VideoReader, load_picture_within, medium};
use plated_vision::frame::Frame;
use plated_vision::picture::Picture;
use plated_vision::recognition::{Event, Models, Recognition, Recognizer, Tracker};
use std::sync::Arc;
use std::time::Duration;

/// Reads the plates of a test set.
pub struct Replay {
    recognizer: Recognizer,
    settings: Recognition,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Replay(..)")
    }
}

impl Replay {
    /// With the models and the settings of the vehicle.
    ///
    /// # Errors
    /// When the models can't be used.
    pub fn open(settings: &Recognition) -> Result<Self> {
        Ok(Self { recognizer: Recognizer::open(&Models::find(settings)?)?, settings: settings.clone() })
    }

    /// What makes the reads.
    pub fn made_by(&self) -> MadeBy {
        let (detector, reader) = self.recognizer.versions();
        MadeBy { plated: env!("CARGO_PKG_VERSION").into(), detector: detector.into(), reader: reader.into() }
    }

    /// The reads of a photo or a recording, each with its first and last frame. What the daemon would not keep is
    /// none.
    ///
    /// # Errors
    /// When the file can't be read, or not to its end: such a result could not be compared with others.
    pub fn reads(&mut self, item: &Item) -> Result<Vec<Seen>> {
        let named = |e: Error| Error::new(e.kind(), format!("{}: {}", visible(&item.path), e.chain()));
        match medium(&item.path) {
            Some(Medium::Video) => self.video(item).map_err(named),
            _ => self.photo(item).map_err(named),
        }
    }

    fn photo(&mut self, item: &Item) -> Result<Vec<Seen>> {
        let picture = load_picture_within(&item.path, MAX_PIXELS)?;
        let mut pass = Pass::new(&self.settings);
        self.frame(&mut pass, 0, Duration::ZERO, picture)?;
        Ok(pass.finish())
    }

    fn video(&mut self, item: &Item) -> Result<Vec<Seen>> {
        let mut pass = Pass::new(&self.settings);
        let mut frames = 0;
        for shot in VideoReader::open(&item.path)? {
            let shot = shot?;
            self.frame(&mut pass, shot.index, shot.time, shot.picture)?;
            frames += 1;
        }
        if frames == 0 {
            return Err(Error::new(Kind::Input, "the recording has no frame"));
        }
        Ok(pass.finish())
    }

    fn frame(&mut self, pass: &mut Pass, sequence: u64, at: Duration, picture: Picture) -> Result<()> {
        let frame = Frame {
            source: pass.source.clone(),
            sequence,
            at: pass.began + at,
            clock_trusted: true,
            recorded: true,
            monotonic: at,
            picture,
        };
        let (sightings, _) = self.recognizer.recognize(&frame.picture)?;
        let events = pass.tracker.update(&frame, &sightings);
        pass.take(events);
        Ok(())
    }
}

/// The tracks of one file.
struct Pass {
    source: Arc<str>,
    began: jiff::Timestamp,
    tracker: Tracker,
    reads: Vec<Seen>,
}

impl Pass {
    fn new(settings: &Recognition) -> Self {
        let source: Arc<str> = "test".into();
        let tracker = Tracker::new(source.clone(), settings.clone());
        Self { source, began: SystemClock::new().wall(), tracker, reads: Vec::new() }
    }

    fn take(&mut self, events: Vec<Event>) {
        for event in events {
            let Event::Closed(read) = event else { continue };
            let frames = read.sightings.iter().chain([&read.best]).map(|look| look.frame);
            let first = frames.clone().min().unwrap_or(read.best.frame);
            let span = (first, frames.max().unwrap_or(first));
            self.reads.push(Seen { text: read.text, state: read.state, span });
        }
    }

    fn finish(mut self) -> Vec<Seen> {
        let events = self.tracker.finish();
        self.take(events);
        self.reads
    }
}
