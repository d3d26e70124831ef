//! One plate followed over frames.

use super::combine::{Combined, combine_searched, likely, own_texts};
use super::recognizer::Sighting;
use super::standing::Standing;
use crate::frame::Frame;
use jiff::Timestamp;
use plated_core::clock::id_at;
use plated_core::plate::Slots;
use plated_core::plate::{MatchKey, PlateText, edit_distance};
use plated_core::record::Look;
use std::time::Duration;
use uuid::Uuid;

/// Distributions kept for combining; the least sure one makes room.
const MAX_LOOKS: usize = 24;
/// Looks kept for review.
const MAX_SIGHTINGS: usize = 8;
/// Texts for which the best frame is kept: the frame shown must be one that was read as the text
/// shown.
const MAX_BEST: usize = 3;
/// Texts whose looks are counted; the rarest one makes room.
const MAX_VOTES: usize = 64;
/// The least that a look counts when it is asked what all looks together support.
const MIN_WEIGHT: f32 = 0.25;
/// A chance of an error under this changes nothing for anybody.
const SURE: f32 = 0.002;
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
    /// Whether the clock was trusted at all its looks.
    pub clock_trusted: bool,
    pub started: Duration,
    pub last: Duration,
    pub count: u32,
    pub combined: Combined,
    pub sightings: Vec<Look>,
    /// Text for which [`super::Event::Growing`] was last given, and its probability then.
    pub announced: Option<(String, f32)>,
    /// When that was, in monotonic time.
    pub told: Duration,
    looks: Vec<Kept>,
    votes: Vec<Vote>,
    best: Vec<Best>,
    states: Vec<(String, f32)>,
    stride: u32,
    bounds: [f32; 4],
    velocity: [f32; 2],
    standing: Standing,
}

/// A look kept for combining, with what was searched for in it.
struct Kept {
    slots: Slots,
    texts: Vec<String>,
    confidence: f32,
}

/// Looks that had one text for their best.
struct Vote {
    key: MatchKey,
    looks: u32,
    /// By how sure they were.
    weight: f32,
}

impl Track {
    pub fn begin(frame: &Frame, sighting: &Sighting) -> Self {
        let at = frame.at;
        let mut track = Self {
            id: id_at(at),
            first_at: at,
            last_at: at,
            clock_trusted: true,
            started: frame.monotonic,
            last: frame.monotonic,
            count: 0,
            combined: Combined::default(),
            sightings: Vec::new(),
            announced: None,
            told: frame.monotonic,
            looks: Vec::new(),
            votes: Vec::new(),
            best: Vec::new(),
            states: Vec::new(),
            stride: 1,
            bounds: sighting.detection.bounds,
            velocity: [0.0; 2],
            standing: Standing::new(frame.monotonic, sighting.detection.bounds),
        };
        track.add(frame, sighting);
        track
    }

    /// Adds one look.
    pub fn add(&mut self, frame: &Frame, sighting: &Sighting) {
        self.follow(frame.monotonic, sighting.detection.bounds);
        self.last_at = frame.at;
        self.clock_trusted &= frame.clock_trusted;
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
            if self.sightings.len() == MAX_SIGHTINGS {
                let mut keep = [true, false].into_iter().cycle();
                self.sightings.retain(|_| keep.next().unwrap_or(true));
                self.stride *= 2;
            }
            self.sightings.push(look.clone());
        }
        self.count += 1;
        self.vote(sighting);
        if !sighting.state.is_empty() {
            match self.states.iter_mut().find(|(s, _)| *s == sighting.state) {
                Some((_, p)) => *p += sighting.state_confidence,
                None => self.states.push((sighting.state.clone(), sighting.state_confidence)),
            }
        }
        self.keep_look(sighting);
        self.keep_best(frame, look);
        let (state, confidence) = self.state();
        let looks = self.looks.iter().map(|l| (&l.slots, l.texts.as_slice()));
        self.combined = combine_searched(looks, likely(&state, confidence));
    }

    /// It is still where it was seen last.
    pub fn stay(&mut self, frame: &Frame) {
        self.last_at = frame.at;
        self.clock_trusted &= frame.clock_trusted;
        self.last = frame.monotonic;
    }

    fn follow(&mut self, now: Duration, bounds: [f32; 4]) {
        let dt = now.saturating_sub(self.last).as_secs_f32();
        if dt > 0.0 {
            let (old, new) = (centre(&self.bounds), centre(&bounds));
            // The first step is all that is known of the motion.
            let new_share = if self.count == 1 { 1.0 } else { 0.5 };
            for i in 0..2 {
                self.velocity[i] = (1.0 - new_share) * self.velocity[i] + new_share * (new[i] - old[i]) / dt;
            }
        }
        self.standing.see(self.last, now, bounds);
        self.bounds = bounds;
    }

    fn vote(&mut self, sighting: &Sighting) {
        let (key, weight) = (PlateText::normalise(&sighting.text).key(), sighting.confidence.max(MIN_WEIGHT));
        if let Some(vote) = self.votes.iter_mut().find(|v| v.key == key) {
            vote.looks += 1;
            vote.weight += weight;
            return;
        }
        if self.votes.len() == MAX_VOTES {
            let rarest = (0..MAX_VOTES).min_by_key(|i| self.votes[*i].looks).unwrap_or(0);
            self.votes.swap_remove(rarest);
        }
        self.votes.push(Vote { key, looks: 1, weight });
    }

    fn keep_look(&mut self, sighting: &Sighting) {
        if self.looks.len() == MAX_LOOKS {
            let sure = |i: &usize| self.looks[*i].confidence;
            let weakest = (0..self.looks.len()).min_by(|a, b| sure(a).total_cmp(&sure(b))).unwrap_or(0);
            if sure(&weakest) >= sighting.confidence {
                return;
            }
            self.looks.swap_remove(weakest);
        }
        let (slots, confidence) = (sighting.slots.clone(), sighting.confidence);
        self.looks.push(Kept { texts: own_texts(&slots), slots, confidence });
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
        if self.best.len() == MAX_BEST {
            let weakest =
                (0..MAX_BEST).min_by(|&a, &b| self.best[a].quality.total_cmp(&self.best[b].quality)).unwrap_or(0);
            if self.best[weakest].quality >= new.quality {
                return;
            }
            self.best.swap_remove(weakest);
        }
        self.best.push(new);
    }

    /// Where the plate should be `dt` seconds after it was seen last.
    pub fn predicted(&self, dt: f32) -> [f32; 4] {
        let [x, y, w, h] = self.bounds;
        [x + self.velocity[0] * dt, y + self.velocity[1] * dt, w, h]
    }

    /// Looks whose own best text has the match key of the combined one: O and 0 are one, here
    /// as in hotlists.
    pub fn agreeing(&self) -> u32 {
        let key = PlateText::normalise(self.combined.text()).key();
        self.votes.iter().find(|v| v.key == key).map_or(0, |v| v.looks)
    }

    /// How much of what its looks read is in the combined text, 0 to 1: each look counts by how much
    /// of its own best text is the same, and by how sure it was. The looks at a plate read the same but
    /// for a character here and there; those at a lamp or a fence each read something else.
    pub fn support(&self) -> f32 {
        let text = PlateText::normalise(self.combined.text()).key();
        let (mut all, mut same) = (0.0, 0.0);
        for vote in &self.votes {
            all += vote.weight;
            same += vote.weight * similarity(vote.key.as_str(), text.as_str());
        }
        if all > 0.0 { same / all } else { 0.0 }
    }

    /// True if the plate kept its place for some seconds up to the last look.
    pub fn stands(&self) -> bool {
        self.standing.stands(self.last)
    }

    /// For how long the plate kept its place in the picture.
    pub fn stood(&self) -> Duration {
        self.standing.stood(self.last)
    }

    /// Whether its text is new since it was last told of, or the chance of an error halved or doubled:
    /// a match that was too improbable for an alert may alert now.
    pub fn has_news(&self) -> bool {
        let Some((text, then)) = &self.announced else { return true };
        let (before, now) = (1.0 - then, 1.0 - self.combined.confidence());
        text != self.combined.text() || now <= before / 2.0 && before > SURE || now >= before * 2.0 && now > SURE
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

/// 1 for equal texts, 0 for nothing in common: 1 − edit distance / length of the longer.
pub fn similarity(a: &str, b: &str) -> f32 {
    let longer = a.len().max(b.len()).max(1);
    1.0 - edit_distance(a, b) as f32 / longer as f32
}
