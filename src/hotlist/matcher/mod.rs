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
use super::lists::{InForce, ListPlace, Source};
use super::settings::OtherState;
use jiff::Timestamp;
use plated_core::plate::PlateText;
use plated_core::plate::Slots;
use plated_core::record::{Candidate, Difference, EntryRecord, HitEntry, Priority, Rule, StateAgreement};
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
    /// Entries that have not begun, or have expired, by now don't match.
    pub now: Timestamp,
}

/// A listed plate, or a partial one, that the read may be. A lead, not a fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The strictest rule that found it.
    pub rule: Rule,
    /// The listed plate as its list writes it (letters and digits), or the partial plate.
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
    /// Of its most urgent entry, as it alerts.
    pub fn priority(&self) -> Priority {
        self.entries.first().map_or(Priority::Normal, |e| e.priority)
    }
}

/// A listed key that a rule of a list found.
struct Found {
    code: Code,
    /// The list, by its number.
    source: usize,
    rule: Rule,
    place: ListPlace,
}

/// Everything that the read may be: exact ones first, then by priority, then by probability.
pub fn matches(lists: &InForce, query: &Query<'_>) -> Vec<Match> {
    let read = Digits::of_text(query.text.as_str());
    if read.as_slice().is_empty() {
        return Vec::new();
    }
    let thresholds = lists.sources().iter().map(|s| &s.rules).chain(lists.partials().map(|p| &p.rules));
    let least = thresholds.map(|rules| rules.alternative).fold(1.0, f32::min);
    let probable = query.candidates.iter().filter(|c| c.confidence >= least);
    let alternatives: Vec<(PlateText, f32)> = probable.map(|c| (PlateText::normalise(&c.text), c.confidence)).collect();

    let mut found = Vec::new();
    for (number, source) in lists.sources().iter().enumerate() {
        look_up(source, number, &read, &alternatives, &mut found);
    }
    let fitting: Vec<_> = lists
        .partials()
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
        if partial.entry.is_valid_at(query.now) && probability >= partial.rules.keep {
            let (entry, may_alert) = shown(partial.entry.clone(), query, &partial.rules);
            out.push(Match {
                rule: Rule::Wildcard,
                listed: partial.entry.plate.clone(),
                differs: compare::differences(query.text, text),
                probability: probability as f32,
                alerts: may_alert && probability >= partial.rules.alert,
                entries: vec![entry],
            });
        }
    }
    out.sort_by(|a, b| {
        let order = |m: &Match| (m.rule > Rule::ZeroOrO, Reverse(m.priority()));
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

/// Found plates with their entries, those of one plate together. Plates that differ in O and 0 alone
/// are found by one key and are different plates here.
fn listed(lists: &InForce, mut found: Vec<Found>, query: &Query<'_>, posterior: &Posterior<'_>) -> Vec<Match> {
    found.sort_by_key(|f| (f.code, f.source));
    let keys: Vec<&[Found]> = found.chunk_by(|a, b| a.code == b.code).collect();
    let probabilities = posterior.of(&keys.iter().map(|p| p[0].code).collect::<Vec<_>>());
    let mut out = Vec::new();
    for (of_key, probability) in keys.into_iter().zip(probabilities) {
        let key = of_key[0].code.key();
        let first = out.len();
        for f in of_key {
            let rules = &lists.sources()[f.source].rules;
            if f.rule != Rule::Exact && probability < rules.keep {
                continue;
            }
            for entry in lists.sources()[f.source].entries_at(f.place, &key) {
                if !entry.is_valid_at(query.now) {
                    continue;
                }
                let plate = PlateText::normalise(&entry.plate);
                let rule = if f.rule == Rule::Exact && plate != *query.text { Rule::ZeroOrO } else { f.rule };
                let (entry, may_alert) = shown(entry, query, rules);
                let alerts = may_alert && probability >= rules.alert;
                match out[first..].iter_mut().find(|m: &&mut Match| m.listed == plate.as_str()) {
                    Some(m) => {
                        m.rule = m.rule.min(rule);
                        m.alerts |= alerts;
                        m.entries.push(entry);
                    }
                    None => out.push(Match {
                        rule,
                        differs: compare::differences(query.text, &plate),
                        listed: plate.as_str().to_owned(),
                        probability: probability as f32,
                        alerts,
                        entries: vec![entry],
                    }),
                }
            }
        }
    }
    out.iter_mut().for_each(|m| m.entries.sort_by_key(|e| Reverse(e.priority)));
    out
}

/// The entry as it is shown beside the read, and whether the states let it alert.
fn shown(entry: EntryRecord, query: &Query<'_>, rules: &Rules) -> (HitEntry, bool) {
    let state = compare::states(query.state, &entry.state);
    let other = state == StateAgreement::Differ;
    let priority = match rules.other_state {
        OtherState::Lower if other => entry.priority.lowered(),
        _ => entry.priority,
    };
    let may_alert = rules.lets_alert(state);
    let age_days = compare::age_days(&entry.date, query.now);
    (HitEntry { state, priority, age_days, finding: None, vehicle_differs: Vec::new(), entry }, may_alert)
}

#[cfg(test)]
mod tests;
