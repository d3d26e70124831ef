//! One plate followed over frames.

use super::combine::{Combined, combine, likely};
use super::recognizer::Sighting;
use crate::frame::Frame;
use jiff::Timestamp;
use plated_core::plate::Slots;
use plated_core::plate::{MatchKey, PlateText};
use plated_core::record::Look;
use std::time::Duration;
use uuid::Uuid;

/// Distributions kept for combining; the least sure one makes room.
const MOST_LOOKS: usize = 24;
/// Looks kept for review.
const MOST_SIGHTINGS: usize = 8;
/// Texts for which the best frame is kept: the frame shown must be one that was read as the text
/// shown.
const MOST_BEST: usize = 3;
/// A plate of this width in pixels shows all it can.
const CLEAR_WIDTH: f32 = 120.0;

/// A frame that shows the plate well, with what was read on it.
#[derive(Clone)]
pub struct Best {
    pub look: Look,
    pub frame: Frame,
    quality: f32,
}

/// The growing record of one plate.
pub struct Track {
    pub id: Uuid,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub started: Duration,
    pub last: Duration,
    pub count: u32,
    pub combined: Combined,
    pub sightings: Vec<Look>,
    /// Text for which [`super::Event::Growing`] was last given.
    pub announced: Option<String>,
    looks: Vec<(Slots, f32)>,
    votes: Vec<(MatchKey, u32)>,
    best: Vec<Best>,
    states: Vec<(String, f32)>,
    stride: u32,
    bounds: [f32; 4],
    velocity: [f32; 2],
}

impl Track {
    pub fn begin(frame: &Frame, sighting: &Sighting) -> Self {
        let at = frame.at;
        let (seconds, nanos) = (at.as_second().max(0) as u64, at.subsec_nanosecond().max(0) as u32);
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos));
        let mut track = Self {
            id,
            first_at: at,
            last_at: at,
            started: frame.monotonic,
            last: frame.monotonic,
            count: 0,
            combined: Combined::default(),
            sightings: Vec::new(),
            announced: None,
            looks: Vec::new(),
            votes: Vec::new(),
            best: Vec::new(),
            states: Vec::new(),
            stride: 1,
            bounds: sighting.detection.bounds,
            velocity: [0.0; 2],
        };
        track.add(frame, sighting);
        track
    }

    /// Adds one look.
    pub fn add(&mut self, frame: &Frame, sighting: &Sighting) {
        self.follow(frame.monotonic, sighting.detection.bounds);
        self.last_at = frame.at;
        self.last = frame.monotonic;
        let look = Look {
            frame: frame.sequence,
            at: frame.at,
            text: sighting.text.clone(),
            confidence: sighting.confidence,
            bounds: sighting.detection.bounds,
            corners: sighting.detection.corners,
        };
        if self.count.is_multiple_of(self.stride) {
            if self.sightings.len() == MOST_SIGHTINGS {
                let mut keep = [true, false].into_iter().cycle();
                self.sightings.retain(|_| keep.next().unwrap_or(true));
                self.stride *= 2;
            }
            self.sightings.push(look.clone());
        }
        self.count += 1;
        let key = PlateText::normalise(&sighting.text).key();
        match self.votes.iter_mut().find(|(k, _)| *k == key) {
            Some((_, n)) => *n += 1,
            None => self.votes.push((key, 1)),
        }
        if !sighting.state.is_empty() {
            match self.states.iter_mut().find(|(s, _)| *s == sighting.state) {
                Some((_, p)) => *p += sighting.state_confidence,
                None => self.states.push((sighting.state.clone(), sighting.state_confidence)),
            }
        }
        self.keep_look(sighting);
        self.keep_best(frame, look);
        let (state, confidence) = self.state();
        self.combined = combine(self.looks.iter().map(|l| &l.0), likely(&state, confidence));
    }

    fn follow(&mut self, now: Duration, bounds: [f32; 4]) {
        let dt = now.saturating_sub(self.last).as_secs_f32();
        if dt > 0.0 {
            let (old, new) = (centre(&self.bounds), centre(&bounds));
            for i in 0..2 {
                self.velocity[i] = 0.5 * self.velocity[i] + 0.5 * (new[i] - old[i]) / dt;
            }
        }
        self.bounds = bounds;
    }

    fn keep_look(&mut self, sighting: &Sighting) {
        if self.looks.len() == MOST_LOOKS {
            let weakest =
                (0..self.looks.len()).min_by(|&a, &b| self.looks[a].1.total_cmp(&self.looks[b].1)).unwrap_or(0);
            if self.looks[weakest].1 >= sighting.confidence {
                return;
            }
            self.looks.swap_remove(weakest);
        }
        self.looks.push((sighting.slots.clone(), sighting.confidence));
    }

    fn keep_best(&mut self, frame: &Frame, look: Look) {
        let quality = look.confidence * (look.bounds[2] / CLEAR_WIDTH).min(1.0);
        let new = Best { look, frame: frame.clone(), quality };
        if let Some(same) = self.best.iter_mut().find(|b| b.look.text == new.look.text) {
            if new.quality > same.quality {
                *same = new;
            }
            return;
        }
        if self.best.len() == MOST_BEST {
            let weakest =
                (0..MOST_BEST).min_by(|&a, &b| self.best[a].quality.total_cmp(&self.best[b].quality)).unwrap_or(0);
            if self.best[weakest].quality >= new.quality {
                return;
            }
            self.best.swap_remove(weakest);
        }
        self.best.push(new);
    }

    /// Where the plate should be at `now`.
    pub fn predicted(&self, now: Duration) -> [f32; 4] {
        let dt = now.saturating_sub(self.last).as_secs_f32();
        let [x, y, w, h] = self.bounds;
        [x + self.velocity[0] * dt, y + self.velocity[1] * dt, w, h]
    }

    /// Looks whose own best text has the match key of the combined one: O and 0 are one, here
    /// as in hotlists.
    pub fn agreeing(&self) -> u32 {
        let key = PlateText::normalise(self.combined.text()).key();
        self.votes.iter().find(|(k, _)| *k == key).map_or(0, |v| v.1)
    }

    /// The state seen most, with its mean probability over all looks.
    pub fn state(&self) -> (String, f32) {
        let best = self.states.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or_else(Default::default, |(s, p)| (s.clone(), p / self.count.max(1) as f32))
    }

    /// The best frame that was read as the combined text, or else the best of all.
    pub fn best(&self) -> Option<&Best> {
        let of_text = self.best.iter().find(|b| b.look.text == self.combined.text());
        of_text.or_else(|| self.best.iter().max_by(|a, b| a.quality.total_cmp(&b.quality)))
    }
}

/// Middle of an `[x, y, width, height]` box.
pub fn centre(b: &[f32; 4]) -> [f32; 2] {
    [b[0] + b[2] / 2.0, b[1] + b[3] / 2.0]
}
