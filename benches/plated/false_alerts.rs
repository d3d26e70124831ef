//! Hits found and false alerts, for three ways of matching, with the reader's own confusions.
//!
//! The reader reads the labelled crops of `../shared/data` (without them this part is left out).
//! What it says of each character, right or wrong, and how sure it is, is kept. A simulated read
//! takes one of those plates as its model: for each character what was said of one of the same
//! kind there, or, where that plate has none, on a plate that was read about as surely. So plates
//! that are hard to read are hard in all places. Reads whose length was wrong lose a character.

use super::hotlist::plates::Plates;
use super::support::{at, figure, models};
use opencv::imgcodecs;
use plated::config::MatchRules;
use plated::hotlist::{Builder, Index, Lists, Meta, Query, Rules, Signer, Source, Trust};
use plated::plate::PlateText;
use plated::recognition::{ALPHABET, CLASSES, Recognizer, Slots, combine, likely};
use plated::wire::Candidate;
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;

const READS: u64 = 200_000;
/// One read in so many is listed.
const LISTED: u64 = 100;
/// Plates of similar sureness that may stand in for each other, each way.
const NEAR: usize = 20;

type Position = [f32; CLASSES];

/// What the reader said of one plate.
struct Measured {
    /// Each character's key and what was said; none where the length was wrong.
    characters: Vec<(u8, Position)>,
    blank: Position,
    state: String,
    state_confidence: f32,
    state_right: bool,
    sureness: f32,
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

pub fn run() {
    let data = std::env::var("SHARED").unwrap_or_else(|_| "../shared".into());
    let folder = at(&data).join("data/validation/us-crops");
    if !folder.is_dir() {
        println!("  SKIPPED, {} is not there", folder.display());
        return;
    }
    let measured = measure(&folder);
    let short = measured.iter().filter(|m| m.characters.is_empty()).count();
    println!(
        "  {} plates measured, {short} of them with a wrong length; {READS} reads, 1 in {LISTED} listed",
        measured.len()
    );
    for entries in [300_000, 5_000_000] {
        simulate(&measured, entries);
    }
}

fn measure(folder: &Path) -> Vec<Measured> {
    let mut reader = Recognizer::open(&models()).unwrap();
    let labels = std::fs::read_to_string(folder.join("labels.jsonl")).unwrap();
    let mut out: Vec<Measured> = Vec::new();
    for label in labels.lines().map(|line| serde_json::from_str::<Label>(line).unwrap()) {
        let path = folder.join(&label.image);
        let image = imgcodecs::imread(path.to_str().unwrap(), imgcodecs::IMREAD_COLOR).unwrap();
        let Some(plate) = label.plates.first() else { continue };
        let want = PlateText::normalise(&plate.text).key();
        let Some(look) = reader.read_crop(&image).unwrap().0.into_iter().next() else { continue };
        let positions = look.slots.positions();
        let filled = positions.iter().filter(|p| p[0] < 0.5).count();
        let pairs = || want.as_str().bytes().zip(positions.iter().copied());
        out.push(Measured {
            characters: if filled == want.as_str().len() { pairs().collect() } else { Vec::new() },
            blank: positions.last().copied().unwrap_or([0.0; CLASSES]),
            state_right: look.state == plate.state,
            state: look.state,
            state_confidence: look.state_confidence,
            sureness: look.confidence,
        });
    }
    out.sort_by(|a, b| a.sureness.total_cmp(&b.sureness));
    out
}

/// A way of matching, and what came of it.
struct Way {
    name: &'static str,
    found: u64,
    false_alerts: u64,
}

fn simulate(measured: &[Measured], entries: u64) {
    let dir = tempfile::tempdir().unwrap();
    let (path, signer) = (dir.path().join("list"), Signer::generate().unwrap());
    let now = jiff::Timestamp::now();
    let meta = Meta { name: "bench".into(), source: "made".into(), date: None, built: now, by: "bench".into() };
    let mut builder = Builder::create(&path, &signer, meta);
    let mut keys = HashSet::with_capacity(entries as usize);
    for entry in Plates::new().entries(entries) {
        keys.insert(entry.plate.clone());
        builder.add(&entry).unwrap();
    }
    builder.finish().unwrap();
    let lists = Lists::default();
    let index = Index::open(&path, &Trust::only([signer.public_key()])).unwrap();
    lists.put(Source::index(index, Rules::new(&MatchRules::default())));

    let mut ways = ["exact only", "edit distance 1", "our default"].map(|name| Way { name, found: 0, false_alerts: 0 });
    let (mut random, mut plates, mut wanted) = (Plates::seeded(7), Plates::seeded(77), 0_u64);
    for n in 0..READS {
        let (state, text) = if n % LISTED == 0 { Plates::new().nth(random.number(entries)) } else { plates.plate() };
        let truth = PlateText::normalise(&text).key();
        let listed = keys.contains(truth.as_str());
        wanted += u64::from(listed);
        let (slots, seen_state) = read(measured, truth.as_str(), state, &mut random);
        let candidates: Vec<Candidate> = combine(std::iter::once(&slots), &seen_state)
            .candidates
            .into_iter()
            .map(|(text, confidence)| Candidate { text, confidence })
            .collect();
        let Some(best) = candidates.first() else { continue };
        let text = PlateText::normalise(&best.text);
        let key = text.key();
        let exact: HashSet<String> = keys.get(key.as_str()).into_iter().cloned().collect();
        let edit = one_edit(key.as_str()).filter(|k| keys.contains(k)).collect();
        let query = Query { text: &text, state: &seen_state, candidates: &candidates, slots: &slots, now };
        let ours = lists.matches(&query).into_iter().filter(|m| m.alerts).map(|m| m.listed).collect();
        for (way, alerts) in ways.iter_mut().zip([exact, edit, ours]) {
            let right = alerts.contains(truth.as_str());
            way.found += u64::from(listed && right);
            way.false_alerts += alerts.len() as u64 - u64::from(right);
        }
    }
    println!("  list of {entries} entries; {wanted} reads of listed plates");
    let per = |alerts: u64| alerts as f64 * 10_000.0 / READS as f64;
    for way in &ways {
        let recall = 100.0 * way.found as f64 / wanted as f64;
        println!(
            "    {:16} hits found {recall:6.2} %, false alerts in 10,000 reads {:8.2}",
            way.name,
            per(way.false_alerts)
        );
    }
    let [exact, edit, ours] = &ways;
    let back = (ours.found as f64 - exact.found as f64) / (wanted - exact.found).max(1) as f64;
    figure("of the hits that exact only loses, found", 100.0 * back, "%", back >= 0.5, ">= 50");
    let share = ours.false_alerts as f64 / edit.false_alerts.max(1) as f64;
    figure("false alerts, of those of edit distance 1", 100.0 * share, "%", share <= 0.1, "<= 10");
    if entries == 300_000 {
        let false_alerts = per(ours.false_alerts);
        figure("false alerts in 10,000 reads", false_alerts, "", false_alerts <= 3.0, "<= 3");
    }
}

/// A read of the plate with this key: what the reader says, and the state it would tell.
fn read(measured: &[Measured], key: &str, state: &str, random: &mut Plates) -> (Slots, String) {
    let number = random.number(measured.len() as u64) as usize;
    let model = &measured[number];
    let lost = model.characters.is_empty().then(|| random.number(key.len() as u64) as usize);
    let characters = key.bytes().enumerate().filter(|(i, _)| Some(*i) != lost).map(|(_, c)| c);
    let mut positions: Vec<Position> = characters.map(|c| said_of(measured, number, c, random)).collect();
    positions.resize(9, model.blank);
    let told = if model.state_right { state.to_owned() } else { model.state.clone() };
    (Slots::new(positions), likely(&told, model.state_confidence).to_owned())
}

/// What the reader said of a character of this kind, on the model or on a plate about as sure.
fn said_of(measured: &[Measured], model: usize, character: u8, random: &mut Plates) -> Position {
    for near in [0, NEAR, 4 * NEAR, measured.len()] {
        let around = &measured[model.saturating_sub(near)..measured.len().min(model + near + 1)];
        let fitting: Vec<&Position> =
            around.iter().flat_map(|m| &m.characters).filter(|(c, _)| *c == character).map(|(_, p)| p).collect();
        if !fitting.is_empty() {
            return *fitting[random.number(fitting.len() as u64) as usize];
        }
    }
    let mut sure = [0.0; CLASSES];
    sure[ALPHABET.iter().position(|a| *a == character).unwrap_or(0)] = 1.0;
    sure
}

/// The key itself and all texts that differ by one character changed, left out or put in.
fn one_edit(key: &str) -> impl Iterator<Item = String> {
    let characters = || ALPHABET[1..].iter().map(|c| char::from(*c)).filter(|c| *c != 'O');
    let mut out = HashSet::from([key.to_owned()]);
    for at in 0..=key.len() {
        let (before, after) = key.split_at(at);
        out.extend(characters().map(|c| format!("{before}{c}{after}")));
        if let Some(rest) = after.get(1..) {
            out.insert(format!("{before}{rest}"));
            out.extend(characters().map(|c| format!("{before}{c}{rest}")));
        }
    }
    out.into_iter()
}
