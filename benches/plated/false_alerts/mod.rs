//! Hits found and false alerts, for three ways of matching, with the reader's own confusions.
//!
//! The reader reads the labelled crops of `../shared/data` (without them this part is left out).
//! What it says of each character, right or wrong, and how sure it is, is kept, and reads of other
//! plates are made of it (see [`readings`]).

mod readings;

use super::hotlist::plates::Plates;
use super::support::{at, figure};
use plated_core::plate::PlateText;
use plated_core::plate::{ALPHABET, Slots};
use plated_core::record::{Candidate, EntryRecord};
use plated_hotlist::settings::MatchRules;
use plated_hotlist::{Builder, Index, Lists, Meta, Query, Rules, Signer, Source, Trust};
use plated_vision::recognition::combine;
use readings::Readings;
use std::collections::HashSet;
use tempfile::TempDir;

const READS: u64 = 200_000;
/// One read in so many is listed.
const LISTED: u64 = 100;
/// Reads of listed plates besides, since exact matching loses few of them. They count for the hits
/// found, not for the false alerts.
const MORE: u64 = 20_000;

pub fn run() {
    let data = std::env::var("SHARED").unwrap_or_else(|_| "../shared".into());
    let folder = at(&data).join("data/validation/us-crops");
    if !folder.is_dir() {
        println!("  SKIPPED, {} is not there", folder.display());
        return;
    }
    let readings = Readings::measure(&folder);
    println!("  {} plates measured, {} of them with a wrong length", readings.len(), readings.of_wrong_length());
    themselves(&readings);
    for entries in [300_000, 5_000_000] {
        simulate(&readings, entries);
    }
}

/// A way of matching, and what came of it.
struct Way {
    name: &'static str,
    found: u64,
    false_alerts: u64,
}

fn ways() -> [Way; 3] {
    ["exact only", "edit distance 1", "our default"].map(|name| Way { name, found: 0, false_alerts: 0 })
}

/// The list of a bench.
struct List {
    keys: HashSet<String>,
    lists: Lists,
    _dir: TempDir,
}

impl List {
    fn of(entries: impl Iterator<Item = EntryRecord>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (path, signer) = (dir.path().join("list"), Signer::generate().unwrap());
        let built = jiff::Timestamp::now();
        let meta = Meta { name: "bench".into(), source: "made".into(), date: None, built, by: "bench".into() };
        let mut builder = Builder::create(&path, &signer, meta);
        let mut keys = HashSet::new();
        for entry in entries {
            keys.insert(entry.plate.clone());
            builder.add(&entry).unwrap();
        }
        builder.finish().unwrap();
        let lists = Lists::default();
        let index = Index::open(&path, &Trust::only([signer.public_key()])).unwrap();
        lists.put(Source::index(index, Rules::new(&MatchRules::default())));
        Self { keys, lists, _dir: dir }
    }

    /// The listed plates that each of [`ways`] alerts about.
    fn alerts(&self, slots: &Slots, state: &str) -> [HashSet<String>; 3] {
        let ranked = combine(std::iter::once(slots), state).candidates.into_iter();
        let candidates: Vec<Candidate> = ranked.map(|(text, confidence)| Candidate { text, confidence }).collect();
        let Some(best) = candidates.first() else { return Default::default() };
        let text = PlateText::normalise(&best.text);
        let key = text.key();
        let exact = self.keys.get(key.as_str()).into_iter().cloned().collect();
        let edit = one_edit(key.as_str()).filter(|k| self.keys.contains(k)).collect();
        let query = Query { text: &text, state, candidates: &candidates, slots, now: jiff::Timestamp::now() };
        let ours = self.lists.matches(&query).into_iter().filter(|m| m.alerts).map(|m| m.listed).collect();
        [exact, edit, ours]
    }
}

/// The measured plates as they were read, all of them listed and nothing else.
fn themselves(readings: &Readings) {
    let entry = |plate: &str| EntryRecord { plate: plate.into(), ..EntryRecord::default() };
    let list = List::of(readings.themselves().map(|(plate, ..)| entry(plate)));
    let mut ways = ways();
    for (plate, slots, state) in readings.themselves() {
        for (way, alerts) in ways.iter_mut().zip(list.alerts(slots, state)) {
            way.found += u64::from(alerts.contains(plate));
        }
    }
    let found: Vec<String> = ways.iter().map(|w| format!("{} {}", w.name, w.found)).collect();
    println!("  these plates listed, hits found of {}: {}", readings.len(), found.join(", "));
}

fn simulate(readings: &Readings, entries: u64) {
    let list = List::of(Plates::new().entries(entries));
    let (mut random, mut plates, mut wanted, mut ways) = (Plates::seeded(7), Plates::seeded(77), 0_u64, ways());
    for n in 0..READS + MORE {
        let more = n >= READS;
        let from_list = more || n % LISTED == 0;
        let (state, text) = if from_list { Plates::new().nth(random.number(entries)) } else { plates.plate() };
        let truth = PlateText::normalise(&text).key();
        let listed = list.keys.contains(truth.as_str());
        wanted += u64::from(listed);
        let (slots, seen_state) = readings.read(truth.as_str(), state, &mut random);
        for (way, alerts) in ways.iter_mut().zip(list.alerts(&slots, &seen_state)) {
            let right = alerts.contains(truth.as_str());
            way.found += u64::from(listed && right);
            way.false_alerts += if more { 0 } else { alerts.len() as u64 - u64::from(right) };
        }
    }
    println!(
        "  list of {entries} entries; {READS} reads, 1 in {LISTED} listed, and {MORE} of listed plates; {wanted} hits"
    );
    let per = |alerts: u64| alerts as f64 * 10_000.0 / READS as f64;
    for Way { name, found, false_alerts } in &ways {
        let (recall, false_alerts) = (100.0 * *found as f64 / wanted as f64, per(*false_alerts));
        println!("    {name:16} hits found {recall:6.2} %, false alerts in 10,000 reads {false_alerts:8.2}");
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
