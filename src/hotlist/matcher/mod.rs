//! Reads against lists: which plates a read may be, by which rule, and how probable that is.
//!
//! For each list the keys that its rules allow are made from the read's key and looked up; they
//! are some ten by default and a few thousand at most, and a filter answers most of them with one
//! look at memory. Alternatives of the reader are looked up as they are. Entries are read only of
//! plates that are found.

mod compare;
mod pattern;
mod probability;
mod rules;

pub use pattern::Pattern;
pub use probability::LISTED;
pub use rules::Rules;

use super::code::{Code, Digits};
use super::lists::{InForce, Place, Source};
use jiff::Timestamp;
use plated_core::plate::PlateText;
use plated_core::plate::Slots;
use plated_core::record::{Candidate, Difference, EntryRecord, HitEntry, Priority, Rule};
use probability::Posterior;
use std::cmp::Reverse;

/// A read, as far as matching asks.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Best text.
    pub text: &'a PlateText,
    /// Issuing state, or empty when unknown.
    pub state: &'a str,
    /// Texts that the reader ranked; the best may be among them.
    pub candidates: &'a [Candidate],
    /// What all looks together say of each position.
    pub slots: &'a Slots,
    /// Entries that have expired by now don't match.
    pub now: Timestamp,
}

/// A listed plate, or a partial one, that the read may be. A lead, not a fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The strictest rule that found it.
    pub rule: Rule,
    /// The match key of the listed plate, or the partial plate.
    pub listed: String,
    /// Characters in which the read's best text differs from the listed plate, or from the
    /// alternative that fits the partial plate.
    pub differs: Vec<Difference>,
    /// Probability that the plate is the listed one (see [`probability`]), 0 to 1.
    pub probability: f32,
    /// It is as probable as a list of it asks for before anybody is alerted.
    pub alerts: bool,
    /// The entries of the plate in all lists whose rules found it, the most urgent first.
    pub entries: Vec<HitEntry>,
}

impl Match {
    /// Of its most urgent entry.
    pub fn priority(&self) -> Priority {
        self.entries.first().map_or(Priority::Normal, |e| e.entry.priority)
    }
}

/// A listed key that a rule of a list found.
struct Found {
    code: Code,
    /// The list, by its number.
    source: usize,
    rule: Rule,
    place: Place,
}

/// Everything that the read may be: exact ones first, then by priority, then by probability.
pub fn matches(lists: &InForce, query: &Query<'_>) -> Vec<Match> {
    let read = Digits::of_text(query.text.as_str());
    if read.as_slice().is_empty() {
        return Vec::new();
    }
    let thresholds = lists.sources().iter().map(|s| &s.rules).chain(lists.partials().iter().map(|p| &p.rules));
    let least = thresholds.map(|rules| rules.alternative).fold(1.0, f32::min);
    let probable = query.candidates.iter().filter(|c| c.confidence >= least);
    let alternatives: Vec<(PlateText, f32)> = probable.map(|c| (PlateText::normalise(&c.text), c.confidence)).collect();

    let mut found = Vec::new();
    for (number, source) in lists.sources().iter().enumerate() {
        look_up(source, number, &read, &alternatives, &mut found);
    }
    let fitting: Vec<_> = lists
        .partials()
        .iter()
        .filter_map(|p| Some((p, fits(&p.pattern, query, &alternatives, p.rules.alternative)?)))
        .collect();
    if found.is_empty() && fitting.is_empty() {
        return Vec::new();
    }

    let ranked = std::iter::once(query.text.as_str()).chain(query.candidates.iter().map(|c| c.text.as_str()));
    let posterior = Posterior::new(query.slots, ranked, query.state);
    let mut out = listed(lists, found, query, &posterior);
    for (partial, text) in fitting {
        let probability = posterior.of_pattern(&partial.pattern);
        if partial.entry.expires.is_none_or(|e| e > query.now) && probability >= partial.rules.keep {
            out.push(Match {
                rule: Rule::Wildcard,
                listed: partial.entry.plate.clone(),
                differs: compare::differences(query.text, text),
                probability: probability as f32,
                alerts: probability >= partial.rules.alert,
                entries: vec![shown(partial.entry.clone(), query)],
            });
        }
    }
    out.sort_by(|a, b| {
        let order = |m: &Match| (m.rule != Rule::Exact, Reverse(m.priority()));
        order(a).cmp(&order(b)).then(b.probability.total_cmp(&a.probability)).then_with(|| a.listed.cmp(&b.listed))
    });
    out
}

/// What the rules of one list find in it, each plate once.
fn look_up(source: &Source, number: usize, read: &Digits, alternatives: &[(PlateText, f32)], found: &mut Vec<Found>) {
    let before = found.len();
    source.rules.neighbours(read, |code, rule| {
        if let Some(place) = source.find(code) {
            found.push(Found { code, source: number, rule, place });
        }
    });
    for (text, _) in alternatives.iter().filter(|(_, p)| *p >= source.rules.alternative) {
        let code = Digits::of_text(text.as_str()).code();
        if code != Code(0)
            && found[before..].iter().all(|f| f.code != code)
            && let Some(place) = source.find(code)
        {
            found.push(Found { code, source: number, rule: Rule::Alternative, place });
        }
    }
}

/// The text of the read that fits the pattern: the best one, or else a probable alternative.
fn fits<'a>(
    pattern: &Pattern,
    query: &Query<'a>,
    alternatives: &'a [(PlateText, f32)],
    least: f32,
) -> Option<&'a PlateText> {
    let probable = alternatives.iter().filter(|(_, p)| *p >= least).map(|(text, _)| text);
    std::iter::once(query.text).chain(probable).find(|text| pattern.fits(text.key().as_str()))
}

/// Found plates with their entries, those of one plate together.
fn listed(lists: &InForce, mut found: Vec<Found>, query: &Query<'_>, posterior: &Posterior<'_>) -> Vec<Match> {
    found.sort_by_key(|f| (f.code, f.source));
    let plates: Vec<&[Found]> = found.chunk_by(|a, b| a.code == b.code).collect();
    let probabilities = posterior.of(&plates.iter().map(|p| p[0].code).collect::<Vec<_>>());
    let mut out = Vec::new();
    for (plate, probability) in plates.into_iter().zip(probabilities) {
        let key = plate[0].code.key();
        let source = |f: &Found| &lists.sources()[f.source];
        let kept = plate.iter().filter(|f| f.rule == Rule::Exact || probability >= source(f).rules.keep);
        let (mut entries, mut alerts, mut rule) = (Vec::new(), false, Rule::Wildcard);
        for f in kept {
            let valid =
                source(f).entries_at(f.place, &key).into_iter().filter(|e| e.expires.is_none_or(|e| e > query.now));
            let before = entries.len();
            entries.extend(valid.map(|entry| shown(entry, query)));
            if entries.len() > before {
                alerts |= probability >= source(f).rules.alert;
                rule = rule.min(f.rule);
            }
        }
        entries.sort_by_key(|e| Reverse(e.entry.priority));
        if let Some(first) = entries.first() {
            let differs = compare::differences(query.text, &PlateText::normalise(&first.entry.plate));
            out.push(Match { rule, listed: key, differs, probability: probability as f32, alerts, entries });
        }
    }
    out
}

fn shown(entry: EntryRecord, query: &Query<'_>) -> HitEntry {
    HitEntry {
        state: compare::states(query.state, &entry.state),
        age_days: compare::age_days(&entry.date, query.now),
        entry,
    }
}

#[cfg(test)]
mod tests;
