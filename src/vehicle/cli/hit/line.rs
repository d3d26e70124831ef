//! A hit for people, in one line.

use plated_core::plate::PlateText;
use plated_core::record::{Alerting, Difference, HitRecord, Priority, Rule, StateAgreement};

/// What was read and what is listed, side by side, and how sure that is; `verdict` is what somebody
/// found about it.
pub fn line(hit: &HitRecord, verdict: &str) -> String {
    let Some((first, more)) = hit.entries.split_first() else { return String::new() };
    let e = &first.entry;
    let priority = match e.priority {
        Priority::High => "HIGH",
        Priority::Normal => "normal",
        Priority::Low => "low",
    };
    let state = match first.state {
        StateAgreement::Agree => "state agrees",
        StateAgreement::Unknown => "state not known",
        StateAgreement::Differ => "STATE DIFFERS",
    };
    let rule = match hit.rule {
        Rule::Exact => "exact",
        Rule::Equivalent => "look-alike",
        Rule::Difference => "other character",
        Rule::Alternative => "other reading",
        Rule::Wildcard => "partial plate",
    };
    let (word, quiet) = match hit.alert {
        Alerting::Sounded => ("HIT  ", ""),
        Alerting::Repeat => ("HIT  ", "  (alerted a short while ago)"),
        Alerting::Quieted => ("HIT  ", "  (found wrong this shift)"),
        Alerting::Candidate => ("maybe", "  (not alerted: not probable enough)"),
        Alerting::Covert => return String::new(),
    };
    let car =
        [&e.colour, &e.make, &e.model].into_iter().filter(|s| !s.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    let age = first.age_days.map_or_else(String::new, |days| format!(", {days} days old"));
    let more = if more.is_empty() { String::new() } else { format!(", {} more entries", more.len()) };
    format!(
        "{word} {:<9} {verdict}  {priority} {} [{}]  listed {} {} {car}  {rule} {:.0} %{}, {state}{age}{more}{quiet}",
        PlateText::normalise(&hit.text).display(),
        e.category,
        e.list,
        e.plate,
        e.state,
        hit.probability * 100.0,
        differences(&hit.differs),
    )
}

fn differences(all: &[Difference]) -> String {
    let one = |d: &Difference| format!(", character {} read {} listed {}", d.position + 1, d.read, d.listed);
    all.iter().map(one).collect()
}
