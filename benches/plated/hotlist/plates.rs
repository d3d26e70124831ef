//! Plates, entries and reads from a seed: the forms of `models/syntax.toml`, each as often as it
//! is plausible there, two thirds of them Californian.

use plated_core::plate::{ALPHABET, CLASSES, Slots};
use plated_core::record::{Candidate, EntryRecord};
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
struct Forms {
    california: Vec<(String, f64)>,
    general: Vec<(String, f64)>,
}

static FORMS: LazyLock<Forms> = LazyLock::new(|| toml::from_str(include_str!("../../../models/syntax.toml")).unwrap());

const STATES: [&str; 8] = ["NV", "AZ", "OR", "WA", "TX", "UT", "ID", "NM"];
const CATEGORIES: [&str; 6] =
    ["stolen_vehicle", "stolen_plate", "felony", "missing_person", "warrant", "protection_order"];
const MAKES: [&str; 12] = ["TOYT", "HOND", "FORD", "CHEV", "NISS", "DODG", "GMC", "BMW", "HYUN", "KIA", "JEEP", "MERZ"];
const COLOURS: [&str; 8] = ["WHI", "BLK", "SIL", "GRY", "RED", "BLU", "GRN", "GLD"];
const SEED: u64 = 20_261_121;

/// A row of plates that is the same for the same seed.
pub struct Plates {
    seed: u64,
    state: u64,
}

impl Plates {
    /// The plates of the list.
    pub fn new() -> Self {
        Self::seeded(SEED)
    }

    pub fn seeded(seed: u64) -> Self {
        Self { seed, state: mix(seed) }
    }

    fn below(&mut self, count: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        ((u128::from(mix(self.state)) * count as u128) >> 64) as usize
    }

    fn share(&mut self) -> f64 {
        self.below(1 << 30) as f64 / f64::from(1 << 30)
    }

    /// A number under `count`.
    pub fn number(&mut self, count: u64) -> u64 {
        self.below(count as usize) as u64
    }

    /// The plate with this number in the row, whatever was asked before.
    pub fn nth(&mut self, number: u64) -> (&'static str, String) {
        self.state = mix(self.seed ^ mix(number));
        self.plate()
    }

    /// Another plate, with its state.
    pub fn plate(&mut self) -> (&'static str, String) {
        let californian = self.below(3) > 0;
        let forms = if californian { &FORMS.california } else { &FORMS.general };
        let mut left = self.share() * forms.iter().map(|(_, nats)| nats.exp()).sum::<f64>();
        let form = forms.iter().find(|(_, nats)| {
            left -= nats.exp();
            left <= 0.0
        });
        let form = form.map_or("9BAB999", |(form, _)| form.as_str());
        let text = form.bytes().map(|f| match f {
            b'9' => char::from(b'0' + self.below(10) as u8),
            b'A' => char::from(b'A' + self.below(26) as u8),
            _ => char::from(b"ABCDEFGHJKLMNPRSTUVWXYZ"[self.below(23)]),
        });
        let text = text.collect();
        (if californian { "CA" } else { STATES[self.below(STATES.len())] }, text)
    }

    /// Entries as a national list has them: an id and an agency each, make and colour for most.
    pub fn entries(mut self, count: u64) -> impl Iterator<Item = EntryRecord> {
        (0..count).map(move |n| {
            let (state, plate) = self.nth(n);
            let known = self.below(10) < 7;
            let of = |all: &[&str], n: usize| if known { all[n].to_owned() } else { String::new() };
            let (year, month, day) = (2021 + self.below(6), 1 + self.below(12), 1 + self.below(28));
            EntryRecord {
                list: "bench".into(),
                state: state.into(),
                // As NCIC writes it.
                plate: plate.replace('O', "0"),
                category: CATEGORIES[self.below(CATEGORIES.len())].into(),
                make: of(&MAKES, self.below(MAKES.len())),
                colour: of(&COLOURS, self.below(COLOURS.len())),
                date: format!("{year}-{month:02}-{day:02}"),
                id: format!("V{:09}", self.below(1_000_000_000)),
                ori: format!("CA0{:06}", 1000 * self.below(600)),
                ..EntryRecord::default()
            }
        })
    }
}

/// A read of `text` as a reader gives it: each position nearly sure, one or two in doubt, and five
/// ranked texts.
pub fn read(text: &str, random: &mut Plates) -> (Slots, Vec<Candidate>) {
    let mut positions = Vec::new();
    for at in 0..9 {
        let class = text.as_bytes().get(at).and_then(|c| ALPHABET.iter().position(|a| a == c)).unwrap_or(0);
        let sure = if random.below(5) == 0 { 0.6 + 0.3 * random.share() as f32 } else { 0.995 };
        let mut position = [(1.0 - sure) * 0.2 / (CLASSES - 2) as f32; CLASSES];
        position[1 + random.below(CLASSES - 1)] = (1.0 - sure) * 0.8;
        position[class] = sure;
        let total: f32 = position.iter().sum();
        positions.push(position.map(|p| p / total));
    }
    let slots = Slots::new(positions);
    let ranked = slots.candidates(5).into_iter().map(|(text, confidence)| Candidate { text, confidence });
    let candidates = ranked.collect();
    (slots, candidates)
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
