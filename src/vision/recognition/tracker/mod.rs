//! Sightings of one source to reads: which plates of this frame are which of the last ones.
//!
//! A sighting joins a track by predicted place, size and text together. An equal text joins it from
//! as far as a vehicle or a jolt of the camera can carry a plate meanwhile, a nearly equal one only
//! when the looks leave the difference open: two vehicles of one fleet have consecutive numbers.
//! Place alone joins when one of both looks is too weak to tell. A different clear text in the same
//! place is another vehicle. Everything is measured in the frames' monotonic time.
//!
//! A vehicle is one read until it leaves, however long that takes. Of one that stands a passing van
//! covers the plate for a while.

use super::combine::likely;
use super::detector::iou;
use super::recognizer::Sighting;
use super::settings::Recognition;
use super::track::{Best, Track, centre, similarity};
use crate::frame::Frame;
use jiff::Timestamp;
use plated_core::plate::Slots;
use plated_core::record::{Candidate, Look};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Of a vehicle that stays in view it is told again after so long, so that its read can be kept
/// while it is news.
const TELL_AGAIN: Duration = Duration::from_secs(60);
/// A plate that stood has gone when it was not seen for this long.
const MAX_COVERED: Duration = Duration::from_secs(10);
/// A look under this confidence can't tell that a text differs.
const WEAK: f32 = 0.5;
/// The combined text must be at least this probable before anybody is alerted.
const ALERT_LEAST: f32 = 0.5;
/// From so many looks on it is known how a plate moves.
const KNOWN_MOTION: u32 = 3;
/// Widths of the plate that it can move in a second when its motion is not known: 30 m/s across the
/// picture, and a plate is 0.3 m wide.
const MAX_SPEED: f32 = 100.0;
/// Widths that it can be off in a second when its motion is known.
const MAX_CHANGE: f32 = 30.0;
/// Widths that a jolt of the camera moves it.
const MAX_JOLT: f32 = 2.0;
/// Natural logarithm of the odds under which a look rules a text out: 2 %.
const MIN_OPEN: f32 = -4.0;

/// What happened to a track.
pub enum Event {
    /// It is sure enough for an alert, and since the last such event its text is new, its probability
    /// changed much, or a minute has passed.
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
    /// Whether the clock was trusted at all its looks.
    pub clock_trusted: bool,
    /// Monotonic time from the first look to the last.
    pub in_view: Duration,
    /// For how much of that the plate kept its place in the picture; stretches under 5 s don't count.
    pub stood: Duration,
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
    /// Monotonic time of the newest frame.
    newest: Duration,
}

impl Tracker {
    /// A tracker without tracks.
    pub fn new(source: Arc<str>, config: Recognition) -> Self {
        Self { source, config, tracks: Vec::new(), suppressed: 0, newest: Duration::ZERO }
    }

    /// Tracks that ended without a read because they were too unsure.
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// Takes the sightings of the next frame. Frames must come in order.
    pub fn update(&mut self, frame: &Frame, sightings: &[Sighting]) -> Vec<Event> {
        let mut events = self.tick(frame.monotonic);
        self.newest = frame.monotonic;
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
            let due = frame.monotonic.saturating_sub(track.told) >= TELL_AGAIN;
            if ready && (due || track.has_news()) {
                track.announced = Some((track.combined.text().to_string(), track.combined.confidence()));
                track.told = frame.monotonic;
                events.extend(read(&self.source, &self.tracks[i], ready).map(Event::Growing));
            }
        }
        events
    }

    /// Takes a frame that shows what the last one did, and was not recognised: the plates that were in view still are.
    /// That is no further look at them.
    pub fn unchanged(&mut self, frame: &Frame) {
        let (newest, gone) = (self.newest, self.gone());
        for track in self.tracks.iter_mut().filter(|track| newest.saturating_sub(track.last) <= gone) {
            track.stay(frame);
        }
        self.newest = frame.monotonic;
    }

    /// Ends the tracks whose plate has gone by `now`.
    pub fn tick(&mut self, now: Duration) -> Vec<Event> {
        let gone = self.gone();
        let patience = |t: &Track| if t.stands() { gone.max(MAX_COVERED) } else { gone };
        self.close(|t| now.saturating_sub(t.last) > patience(t))
    }

    fn gone(&self) -> Duration {
        Duration::from_secs_f64(self.config.gone_after_s)
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
            // What was announced is kept, however it went on.
            if self.is_plate(&track) || track.announced.is_some() {
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
        agreed && self.is_plate(track) || confidence >= self.config.alert_confidence
    }

    /// Whether it is probable enough that this is a plate, and that it reads so. The less its looks
    /// agree, the surer they must be: where each reads something else there is no plate, whatever one
    /// of them saw.
    fn is_plate(&self, track: &Track) -> bool {
        track.combined.confidence() * track.support().powi(2) >= self.config.keep_confidence
    }

    /// For each sighting the track it belongs to; best pairs first.
    fn assign(&self, now: Duration, sightings: &[Sighting]) -> Vec<Option<usize>> {
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (s, sighting) in sightings.iter().enumerate() {
            for (t, track) in self.tracks.iter().enumerate() {
                if let Some(score) = affinity(track, sighting, now, self.gone()) {
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

/// How well a sighting continues a track; `None` if it can't. `gone` is the time after which a plate
/// that does not stand would have gone.
fn affinity(track: &Track, sighting: &Sighting, now: Duration, gone: Duration) -> Option<f32> {
    let unseen = now.saturating_sub(track.last);
    let dt = unseen.min(gone).as_secs_f32();
    let predicted = track.predicted(dt);
    let bounds = &sighting.detection.bounds;
    let overlap = iou(&predicted, bounds);
    let (p, b) = (centre(&predicted), centre(bounds));
    let width = predicted[2].max(bounds[2]).max(1.0);
    let distance = (p[0] - b[0]).hypot(p[1] - b[1]) / width;
    let size = predicted[2].min(bounds[2]) / width;
    let (mine, new) = (folded(track.combined.text()), folded(&sighting.text));
    let same = similarity(&mine, &new);
    let score = overlap + 2.0 * same - 0.2 * distance;
    let agree = mine == new || same >= 0.8 && is_open(track, sighting);
    // One that stood and was covered for a while is where it was.
    let covered = unseen > gone;
    let too_weak_to_tell = sighting.confidence < WEAK || track.combined.confidence() < WEAK;
    let in_place = overlap > 0.3 && !covered;
    let near = overlap > 0.1 || distance < 0.75 + 2.0 * dt;
    let may_be_same = agree || in_place || too_weak_to_tell && !covered;
    if near && size > 0.4 && same >= 0.4 && may_be_same {
        return Some(score);
    }
    if overlap > 0.3 && too_weak_to_tell && !covered {
        return Some(score);
    }
    let speed = if track.count < KNOWN_MOTION { MAX_SPEED } else { MAX_CHANGE };
    let reach = MAX_JOLT + dt * if mine == new { speed } else { speed / 3.0 };
    let jumped = agree && !covered && new.len() >= 5 && size > 0.4 && distance <= reach;
    jumped.then_some(score)
}

/// As matching compares: the letter O is the digit 0.
fn folded(text: &str) -> String {
    text.replace('O', "0")
}

/// Whether one of both leaves open that the plate reads what the other one says: then two texts may
/// be of one plate, and else not, be they as similar as those of two vehicles of one fleet.
fn is_open(track: &Track, sighting: &Sighting) -> bool {
    let (a, b) = (track.combined.text(), &*sighting.text);
    let odds = |slots: &Slots, own: &str, other: &str| slots.log_probability(other) - slots.log_probability(own);
    odds(&sighting.slots, b, a) > MIN_OPEN || odds(&track.combined.slots, a, b) > MIN_OPEN
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
        clock_trusted: track.clock_trusted,
        in_view: track.last.saturating_sub(track.started),
        stood: track.stood(),
        captured: track.last,
        best: look.clone(),
        frame: frame.clone(),
        sightings: track.sightings.clone(),
        ready,
    }))
}

#[cfg(test)]
mod tests;
