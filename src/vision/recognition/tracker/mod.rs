//! Sightings of one source to reads: which plates of this frame are which of the last ones.
//!
//! A sighting joins a track by predicted place, size and text together. Text alone joins it when
//! it is nearly the same (a jolt of the camera), place alone when one of both looks is too weak
//! to tell. A different clear text in the same place is another vehicle. Everything is measured
//! in the frames' monotonic time.

use super::combine::likely;
use super::detector::iou;
use super::recognizer::Sighting;
use super::settings::Recognition;
use super::track::{Best, Track, centre};
use crate::frame::Frame;
use jiff::Timestamp;
use plated_core::plate::Slots;
use plated_core::record::{Candidate, Look};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A vehicle in view for longer gives one read each so many seconds, so that a read always
/// reaches the store while it is news.
const LONGEST_PASS: Duration = Duration::from_secs(60);
/// A look under this confidence can't tell that a text differs.
const WEAK: f32 = 0.5;
/// The combined text must be at least this probable before anybody is alerted.
const ALERT_LEAST: f32 = 0.5;
/// No registration number is shorter.
const SHORTEST: usize = 2;

/// What happened to a track.
pub enum Event {
    /// It is sure enough for an alert, and its text is new since the last such event.
    Growing(Box<TrackRead>),
    /// The plate has gone; this is the read.
    Closed(Box<TrackRead>),
}

/// A track as it is now.
#[derive(Clone)]
pub struct TrackRead {
    /// Key of the read.
    pub id: Uuid,
    /// Name of the camera or file.
    pub source: Arc<str>,
    /// Best text.
    pub text: String,
    /// Probability that it is right.
    pub confidence: f32,
    /// Ranked texts, the best first.
    pub candidates: Vec<Candidate>,
    /// What all looks together say of each position; the candidates are ranked by it.
    pub slots: Slots,
    /// Issuing state, or empty when none is more likely than not.
    pub state: String,
    /// Frames in which it was read.
    pub looks: u32,
    /// Looks whose own text is `text`, O and 0 taken as one.
    pub agreeing: u32,
    /// Wall-clock time of the first look.
    pub first_seen: Timestamp,
    /// Wall-clock time of the last look.
    pub last_seen: Timestamp,
    /// Monotonic time at which the newest frame was captured.
    pub captured: Duration,
    /// The best look.
    pub best: Look,
    /// The frame of the best look.
    pub frame: Frame,
    /// A few looks over the pass.
    pub sightings: Vec<Look>,
    /// True if it may be matched for an alert: no hit is raised on one weak look.
    pub ready: bool,
}

/// Follows the plates of one source.
pub struct Tracker {
    source: Arc<str>,
    config: Recognition,
    tracks: Vec<Track>,
    suppressed: u64,
}

impl Tracker {
    /// A tracker without tracks.
    pub fn new(source: Arc<str>, config: Recognition) -> Self {
        Self { source, config, tracks: Vec::new(), suppressed: 0 }
    }

    /// Tracks that ended without a read because they were too unsure.
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// Takes the sightings of the next frame. Frames must come in order.
    pub fn update(&mut self, frame: &Frame, sightings: &[Sighting]) -> Vec<Event> {
        let mut events = self.tick(frame.monotonic);
        for (sighting, track) in sightings.iter().zip(self.assign(frame.monotonic, sightings)) {
            let i = match track {
                Some(i) => {
                    self.tracks[i].add(frame, sighting);
                    i
                }
                None => {
                    self.tracks.push(Track::begin(frame, sighting));
                    self.tracks.len() - 1
                }
            };
            let ready = self.ready(&self.tracks[i]);
            let track = &mut self.tracks[i];
            if ready && track.announced.as_deref() != Some(track.combined.text()) {
                track.announced = Some(track.combined.text().to_string());
                events.extend(read(&self.source, &self.tracks[i], ready).map(Event::Growing));
            }
        }
        events
    }

    /// Ends the tracks whose plate has gone by `now`.
    pub fn tick(&mut self, now: Duration) -> Vec<Event> {
        let gone = Duration::from_secs_f64(self.config.gone_after_s);
        self.close(|t| now.saturating_sub(t.last) > gone || now.saturating_sub(t.started) > LONGEST_PASS)
    }

    /// Ends all tracks: the source has ended.
    pub fn finish(&mut self) -> Vec<Event> {
        self.close(|_| true)
    }

    fn close(&mut self, which: impl Fn(&Track) -> bool) -> Vec<Event> {
        let (ended, open) = std::mem::take(&mut self.tracks).into_iter().partition(|t| which(t));
        self.tracks = open;
        let ended: Vec<Track> = ended;
        let mut events = Vec::new();
        for track in ended {
            let sure =
                track.combined.confidence() >= self.config.keep_confidence && track.combined.text().len() >= SHORTEST;
            // What was announced is kept, however it went on.
            if sure || track.announced.is_some() {
                let ready = self.ready(&track);
                events.extend(read(&self.source, &track, ready).map(Event::Closed));
            } else {
                self.suppressed += 1;
            }
        }
        events
    }

    fn ready(&self, track: &Track) -> bool {
        let confidence = track.combined.confidence();
        let agreed = track.agreeing() >= self.config.alert_looks && confidence >= ALERT_LEAST;
        track.combined.text().len() >= SHORTEST && (agreed || confidence >= self.config.alert_confidence)
    }

    /// For each sighting the track it belongs to; best pairs first.
    fn assign(&self, now: Duration, sightings: &[Sighting]) -> Vec<Option<usize>> {
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (s, sighting) in sightings.iter().enumerate() {
            for (t, track) in self.tracks.iter().enumerate() {
                if let Some(score) = affinity(track, sighting, now) {
                    pairs.push((score, s, t));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut of = vec![None; sightings.len()];
        let mut taken = vec![false; self.tracks.len()];
        for (_, s, t) in pairs {
            if of[s].is_none() && !taken[t] {
                of[s] = Some(t);
                taken[t] = true;
            }
        }
        of
    }
}

/// How well a sighting continues a track; `None` if it can't.
fn affinity(track: &Track, sighting: &Sighting, now: Duration) -> Option<f32> {
    let predicted = track.predicted(now);
    let bounds = &sighting.detection.bounds;
    let overlap = iou(&predicted, bounds);
    let (p, b) = (centre(&predicted), centre(bounds));
    let width = predicted[2].max(bounds[2]).max(1.0);
    let distance = (p[0] - b[0]).hypot(p[1] - b[1]) / width;
    let size = predicted[2].min(bounds[2]) / width;
    let same = similarity(track.combined.text(), &sighting.text);
    let dt = now.saturating_sub(track.last).as_secs_f32();
    let near = overlap > 0.1 || distance < 0.75 + 2.0 * dt;
    let too_weak_to_tell = sighting.confidence < WEAK || track.combined.confidence() < WEAK;
    let by_both = near && size > 0.4 && same >= 0.4;
    let by_place = overlap > 0.3 && too_weak_to_tell;
    let by_text = same >= 0.8 && sighting.text.len() >= 5 && size > 0.2;
    (by_both || by_place || by_text).then_some(overlap + 2.0 * same - 0.2 * distance)
}

/// 1 for equal texts, 0 for nothing in common: 1 − edit distance / length of the longer.
fn similarity(a: &str, b: &str) -> f32 {
    let longer = a.len().max(b.len()).max(1);
    1.0 - edit_distance(a.as_bytes(), b.as_bytes()) as f32 / longer as f32
}

/// Levenshtein distance.
fn edit_distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn read(source: &Arc<str>, track: &Track, ready: bool) -> Option<Box<TrackRead>> {
    let Best { look, frame, .. } = track.best()?;
    let (state, probability) = track.state();
    let candidates = track.combined.candidates.iter().map(|(text, p)| Candidate { text: text.clone(), confidence: *p });
    Some(Box::new(TrackRead {
        id: track.id,
        source: source.clone(),
        text: track.combined.text().to_string(),
        confidence: track.combined.confidence(),
        candidates: candidates.collect(),
        slots: track.combined.slots.clone(),
        state: likely(&state, probability).to_string(),
        looks: track.count,
        agreeing: track.agreeing(),
        first_seen: track.first_at,
        last_seen: track.last_at,
        captured: track.last,
        best: look.clone(),
        frame: frame.clone(),
        sightings: track.sightings.clone(),
        ready,
    }))
}

#[cfg(test)]
mod tests;
