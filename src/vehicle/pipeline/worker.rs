//! One recognition thread: newest frame in, sightings out, in whatever order they get ready.

use super::attention::{Attention, Choice};
use super::counters::Counters;
use super::workers::Post;
use plated_core::clock::Clock;
use plated_vision::capture::{Capture, NextFrame, View};
use plated_vision::frame::Frame;
use plated_vision::recognition::{Models, Recognizer, Sighting, Timings};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// How often a waiting worker looks whether it should end.
const WAIT: Duration = Duration::from_millis(500);

/// A frame and what was seen in it.
pub struct Seen {
    pub source: usize,
    pub ticket: u64,
    pub frame: Frame,
    /// What was done about it; but when it was recognised it has no sightings.
    pub choice: Choice,
    pub sightings: Vec<Sighting>,
}

#[cfg(test)]
impl Seen {
    /// Of an empty frame of the first source.
    pub fn empty(ticket: u64) -> Self {
        let frame = Frame {
            source: "front".into(),
            sequence: ticket,
            at: jiff::Timestamp::UNIX_EPOCH,
            clock_trusted: true,
            recorded: false,
            monotonic: Duration::from_millis(ticket * 40),
            picture: opencv::core::Mat::default().into(),
        };
        Self { source: 0, ticket, frame, choice: Choice::Recognise, sightings: Vec::new() }
    }
}

pub struct Worker {
    pub capture: Arc<Capture>,
    pub recognizer: Recognizer,
    pub models: Models,
    /// Which plates count, by source.
    pub views: Arc<[View]>,
    pub attention: Arc<Attention>,
    pub post: Arc<Post>,
    pub clock: Arc<dyn Clock>,
    pub counters: Arc<Counters>,
}

impl Worker {
    pub fn run(mut self) {
        loop {
            let taken = match self.capture.next(WAIT) {
                NextFrame::Frame(taken) => taken,
                NextFrame::TimedOut => continue,
                NextFrame::AllEnded => return,
            };
            self.post.begin(self.clock.awake());
            let (source, frame) = (taken.source_index, taken.frame);
            self.counters.taken(source, &frame);
            let choice = self.attention.choose(source, &frame);
            let sightings = match choice {
                Choice::Recognise => self.recognize(source, &frame),
                Choice::Unchanged | Choice::Pass => Vec::new(),
            };
            self.counters.chosen(choice);
            // A frame that failed still goes on, empty: the collector counts tickets.
            let seen = Seen { source, ticket: taken.ticket, frame, choice, sightings };
            if self.post.send(seen).is_err() {
                return;
            }
        }
    }

    fn recognize(&mut self, source: usize, frame: &Frame) -> Vec<Sighting> {
        self.recognizer.spare(self.attention.is_spared(source, frame));
        let outcome = catch_unwind(AssertUnwindSafe(|| self.recognizer.recognize(&frame.picture)));
        match outcome {
            Ok(Ok((mut sightings, timings))) => {
                let (view, (width, height)) = (&self.views[source], frame.picture.size());
                sightings.retain(|sighting| view.counts(sighting.detection.bounds, (width as f32, height as f32)));
                self.counters.frame(sightings.len(), timings);
                // A recording needs no cleaning.
                if !frame.recorded && self.counters.is_look_due(source, frame.monotonic) {
                    let quality = self.recognizer.quality(&frame.picture);
                    quality.into_iter().for_each(|quality| self.counters.looked(source, quality, frame.at));
                }
                return sightings;
            }
            Ok(Err(e)) => {
                tracing::error!(camera = %frame.source, frame = frame.sequence, "A frame could not be recognised: {}", e.chain())
            }
            Err(_) => {
                tracing::error!(camera = %frame.source, frame = frame.sequence, "Recognition failed by a defect; its models are loaded anew.");
                match Recognizer::open(&self.models) {
                    Ok(fresh) => self.recognizer = fresh,
                    Err(e) => tracing::error!("The models could not be loaded anew: {}", e.chain()),
                }
            }
        }
        self.attention.failed(source);
        self.counters.frame(0, Timings::default());
        self.counters.change(|t| t.failed_frames += 1);
        Vec::new()
    }
}
