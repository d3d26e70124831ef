//! What the reader says of real plates, and reads of other plates simulated from it.
//!
//! A simulated read takes one measured plate as its model: for each character what was said of
//! one of the same kind there, or, where that plate has none, on a plate that was read about as
//! surely. So plates that are hard to read are hard in all places. Where the reader saw a
//! character too many or one too few on the model, it does so here, in the same place counted
//! from the nearer end.

use super::super::hotlist::plates::Plates;
use super::super::support::models;
use opencv::imgcodecs;
use plated_core::plate::PlateText;
use plated_core::plate::{ALPHABET, CLASSES, Slots};
use plated_vision::recognition::{Recognizer, likely};
use serde::Deserialize;
use std::path::Path;

/// Plates of similar sureness that may stand in for each other, each way.
const NEAR: usize = 20;
/// A character of which less was said than this counts as much.
const FLOOR: f32 = 1e-5;

type Position = [f32; CLASSES];

/// What the reader said of one plate.
struct Reading {
    /// Each character's key and what was said.
    characters: Vec<(u8, Position)>,
    /// What was said of places before a character at which the plate has none.
    extra: Vec<(Place, Position)>,
    /// Characters of which nothing was said.
    lost: Vec<Place>,
    /// What was said behind the last character.
    tail: Vec<Position>,
    plate: String,
    slots: Slots,
    state: String,
    state_confidence: f32,
    state_right: bool,
    sureness: f32,
}

/// A place in a plate, counted from its nearer end.
#[derive(Clone, Copy)]
struct Place {
    from_end: bool,
    count: usize,
}

impl Place {
    fn of(at: usize, length: usize) -> Self {
        let from_end = 2 * at > length;
        Self { from_end, count: if from_end { length - at } else { at } }
    }

    fn at(self, length: usize) -> usize {
        if self.from_end { length.saturating_sub(self.count) } else { self.count.min(length) }
    }
}

#[derive(Deserialize)]
struct Label {
    image: String,
    plates: Vec<Labelled>,
}

#[derive(Deserialize)]
struct Labelled {
    text: String,
    #[serde(default)]
    state: String,
}

/// What the reader said of all plates, from the least sure to the surest.
pub struct Readings(Vec<Reading>);

impl Readings {
    /// Of the labelled crops in `folder`.
    pub fn measure(folder: &Path) -> Self {
        let mut reader = Recognizer::open(&models()).unwrap();
        let labels = std::fs::read_to_string(folder.join("labels.jsonl")).unwrap();
        let mut out = Vec::new();
        for label in labels.lines().map(|line| serde_json::from_str::<Label>(line).unwrap()) {
            let path = folder.join(&label.image);
            let image = imgcodecs::imread(path.to_str().unwrap(), imgcodecs::IMREAD_COLOR).unwrap();
            let Some(plate) = label.plates.first() else { continue };
            let want = PlateText::normalise(&plate.text).key();
            let Some(look) = reader.read_crop(&image).unwrap().0.into_iter().next() else { continue };
            out.push(Reading {
                state_right: look.state == plate.state,
                state: look.state,
                state_confidence: look.state_confidence,
                sureness: look.confidence,
                ..aligned(want.as_str(), &look.slots)
            });
        }
        out.sort_by(|a, b| a.sureness.total_cmp(&b.sureness));
        Self(out)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The key of each measured plate, what the reader said of it, and the state.
    pub fn themselves(&self) -> impl Iterator<Item = (&str, &Slots, &str)> {
        self.0.iter().map(|r| (r.plate.as_str(), &r.slots, likely(&r.state, r.state_confidence)))
    }

    /// Plates of which the reader says a character too many or too few.
    pub fn of_wrong_length(&self) -> usize {
        let sees = |p: &Position| blank(p) < 0.5;
        let wrong = |r: &&Reading| !r.lost.is_empty() || r.extra.iter().map(|e| &e.1).chain(&r.tail).any(sees);
        self.0.iter().filter(wrong).count()
    }

    /// A read of the plate with this key: what the reader says, and the state it would tell.
    pub fn read(&self, key: &str, state: &str, random: &mut Plates) -> (Slots, String) {
        let number = random.number(self.len() as u64) as usize;
        let model = &self.0[number];
        let mut positions = Vec::new();
        for (at, character) in key.bytes().enumerate() {
            let extra = model.extra.iter().filter(|(place, _)| place.at(key.len() - 1) == at);
            positions.extend(extra.map(|(_, p)| *p));
            if model.lost.iter().all(|place| place.at(key.len() - 1) != at) {
                positions.push(self.said_of(number, character, random));
            }
        }
        positions.extend(&model.tail);
        positions.resize(9, model.tail.last().copied().unwrap_or_else(|| sure(b'-')));
        let told = if model.state_right { state.to_owned() } else { model.state.clone() };
        (Slots::new(positions), likely(&told, model.state_confidence).to_owned())
    }

    /// What the reader said of a character of this kind, on the model or on a plate about as sure.
    fn said_of(&self, model: usize, character: u8, random: &mut Plates) -> Position {
        for near in [0, NEAR, 4 * NEAR, self.len()] {
            let around = &self.0[model.saturating_sub(near)..self.len().min(model + near + 1)];
            let fitting: Vec<&Position> =
                around.iter().flat_map(|r| &r.characters).filter(|(c, _)| *c == character).map(|(_, p)| p).collect();
            if !fitting.is_empty() {
                return *fitting[random.number(fitting.len() as u64) as usize];
            }
        }
        sure(character)
    }
}

fn class(character: u8) -> usize {
    ALPHABET.iter().position(|a| *a == character).unwrap_or(0)
}

fn blank(position: &Position) -> f32 {
    position[0]
}

fn sure(character: u8) -> Position {
    let mut position = [0.0; CLASSES];
    position[class(character)] = 1.0;
    position
}

/// Which positions were said of which characters of `want`: with the fewest mistakes, and among
/// those the most probable way.
fn aligned(plate: &str, slots: &Slots) -> Reading {
    let (want, positions) = (plate.as_bytes(), slots.positions());
    let mistake = |p: &Position, class: usize| {
        let wrong = p.iter().enumerate().any(|(c, q)| c != class && *q > p[class]);
        f32::from(u8::from(wrong)) - 1e-3 * p[class].max(FLOOR).ln()
    };
    // least[i][j]: mistakes from character i and position j on.
    let mut least = vec![vec![0.0_f32; positions.len() + 1]; want.len() + 1];
    let lost = 1.0 - 1e-3 * FLOOR.ln();
    for i in (0..=want.len()).rev() {
        for j in (0..=positions.len()).rev() {
            let mut ways = Vec::new();
            if i < want.len() {
                ways.push(least[i + 1][j] + lost);
            }
            if let Some(p) = positions.get(j) {
                ways.push(least[i][j + 1] + mistake(p, 0));
                if let Some(c) = want.get(i) {
                    ways.push(least[i + 1][j + 1] + mistake(p, class(*c)));
                }
            }
            least[i][j] = ways.into_iter().reduce(f32::min).unwrap_or(0.0);
        }
    }
    let mut out = Reading {
        characters: Vec::new(),
        extra: Vec::new(),
        lost: Vec::new(),
        tail: Vec::new(),
        plate: plate.to_owned(),
        slots: slots.clone(),
        state: String::new(),
        state_confidence: 0.0,
        state_right: false,
        sureness: 0.0,
    };
    let (mut i, mut j) = (0, 0);
    while let Some(c) = want.get(i) {
        let place = Place::of(i, want.len() - 1);
        match positions.get(j) {
            Some(p) if least[i][j] == least[i + 1][j + 1] + mistake(p, class(*c)) => {
                out.characters.push((*c, *p));
                (i, j) = (i + 1, j + 1);
            }
            Some(p) if least[i][j] == least[i][j + 1] + mistake(p, 0) => {
                out.extra.push((place, *p));
                j += 1;
            }
            _ => {
                out.lost.push(place);
                i += 1;
            }
        }
    }
    out.tail = positions[j..].to_vec();
    out
}
