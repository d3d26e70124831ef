//! An alert as its card shows it (control P-06).

use super::{Console, rows, words};
use crate::control::StatusReport;
use crate::store::{Disposed, Finding, KeptAlert, Staleness};
use jiff::Timestamp;
use plated_core::plate::PlateText;
use plated_core::record::{
    Appearance, EntryRecord, HitEntry, HitRecord, ImageRole, ReadRecord, Rule, VehicleDifference,
};
use plated_core::text::{age, count};
use plated_hotlist::settings::OFFICERS;
use plated_web::pages::{AlertCard, Answered, Confidence, Step};
use plated_web::plate::Pair;
use plated_web::ui::{Fact, Health, Urgency};

/// What a card is made for.
#[derive(Clone, Copy)]
pub struct For<'a> {
    pub console: &'a Console,
    pub csrf: &'a str,
    pub report: &'a StatusReport,
    /// The tone was stopped.
    pub seen: bool,
    /// Every entry with all that is known of it.
    pub all_entries: bool,
    /// Findings may be proposed, and plates muted.
    pub enters: bool,
}

/// Address of an alert's page.
pub fn href(hit: &HitRecord) -> String {
    format!("/alerts/{}", hit.id)
}

/// The card of an alert; `hit` is what may be seen of it.
pub fn card(alert: &KeptAlert, hit: &HitRecord, of: For<'_>) -> AlertCard {
    let (console, now) = (of.console, of.console.clock.wall());
    let empty = EntryRecord::default();
    let first = hit.entries.first();
    let entry = first.map_or(&empty, |e| &e.entry);
    let (list, list_is_old) = list(&entry.list, of.report);
    let mut facts = vehicle(alert.read.appearance.as_ref(), first);
    facts.extend(first.map(self::facts).unwrap_or_default());
    if of.all_entries {
        facts.extend(hit.entries.iter().skip(1).map(|e| Fact::new("Also listed", also(e))));
    }
    let more = if of.all_entries { 0 } else { hit.entries.len().saturating_sub(1) };
    let remarks = [&entry.reason, &entry.remarks];
    let remarks: Vec<_> = remarks.into_iter().filter(|text| !text.is_empty()).cloned().collect();
    let settings = console.officers.settings();
    let urgency = Urgency(settings.tone(hit).max(hit.priority()));
    let is_muted = || console.officers.muted().holds(hit, console.clock.monotonic());
    AlertCard {
        id: hit.id.to_string(),
        href: href(hit),
        csrf: of.csrf.into(),
        urgency,
        category: category(entry),
        colour: settings.colour(&entry.list, &entry.category).unwrap_or_default().into(),
        at: words::moment(alert.read.last_seen, now),
        ago: words::ago(alert.read.last_seen, now),
        camera: alert.read.camera.clone(),
        place: rows::place(&alert.read),
        pair: pair(alert, hit, entry),
        confidence: Confidence(hit.confidence),
        matched: matched(hit, &alert.read),
        list,
        list_is_old,
        crop: rows::picture(&alert.read, ImageRole::Plate),
        overview: rows::picture(&alert.read, ImageRole::Overview),
        facts,
        remark: remarks.join(". "),
        more_entries: u32::try_from(more).unwrap_or(u32::MAX),
        step: step(&alert.findings, now),
        seen: of.seen || !alert.findings.is_empty(),
        finding: if of.enters { format!("{}/finding", href(hit)) } else { String::new() },
        muted: (of.enters && urgency.can_be_muted()).then(is_muted),
    }
}

/// Why the plate is wanted.
pub fn category(entry: &EntryRecord) -> String {
    match words::title(&entry.category) {
        none if none.is_empty() && entry.list == OFFICERS => "Officer's own entry".into(),
        none if none.is_empty() => "Listed plate".into(),
        title => title,
    }
}

/// What was read beside the list's own plate, as the list writes it.
fn pair(alert: &KeptAlert, hit: &HitRecord, entry: &EntryRecord) -> Pair {
    let listed = match hit.rule {
        Rule::Wildcard => hit.listed.clone(),
        _ => PlateText::normalise(&entry.plate).as_str().to_owned(),
    };
    let listed = if listed.is_empty() { hit.listed.clone() } else { listed };
    Pair::new(&hit.text, &alert.read.state, &listed, &entry.state)
}

fn matched(hit: &HitRecord, read: &ReadRecord) -> String {
    let how = match hit.rule {
        Rule::Exact => "Same characters",
        Rule::ZeroOrO => "Same but for letter O and zero",
        Rule::Equivalent => "Characters that are easily confused",
        Rule::Difference => "Another character",
        Rule::ExtraCharacter => "One character more or less",
        Rule::Alternative => "Another reading of the plate",
        Rule::Wildcard => "Fits a partial plate",
    };
    // Never rounded up to certainty.
    let percent = (f64::from(hit.probability).clamp(0.0, 0.999) * 100.0).floor();
    // What an officer says that it says is no reading of the camera.
    let corrected = hit
        .correction
        .map_or_else(String::new, |_| format!("An officer corrected it; the camera read {}. ", read.text));
    format!("{corrected}{how}; {percent} % probable that it is the listed plate.")
}

/// Name and age of the list, and whether it is older than it should be.
fn list(name: &str, report: &StatusReport) -> (String, bool) {
    if name == OFFICERS {
        return ("This vehicle's entries".into(), false);
    }
    let Some(line) = report.lists.iter().find(|line| line.name == name) else {
        return (format!("{name}, age not known"), true);
    };
    let old = line.staleness != Staleness::Fresh || !report.clock.trusted;
    (format!("{name}, {}", line.old(report.clock.trusted)), old)
}

fn joined(parts: &[&String]) -> String {
    parts.iter().filter(|part| !part.is_empty()).map(|part| part.as_str()).collect::<Vec<_>>().join(" ")
}

/// What was seen of the vehicle, and in what that is not what the list says: it may be another vehicle with this plate.
fn vehicle(seen: Option<&Appearance>, entry: Option<&HitEntry>) -> Vec<Fact> {
    let differs: Vec<_> = entry.into_iter().flat_map(|e| &e.vehicle_differs).map(VehicleDifference::in_words).collect();
    let differs = (!differs.is_empty()).then(|| {
        let text = words::capital(&format!("{}. Compare the vehicle.", differs.join("; ")));
        Fact::new("Vehicle differs", text).health(Health::Warning)
    });
    let seen = seen.map(|seen| Fact::new("Looks like", words::appearance(seen)));
    differs.into_iter().chain(seen).collect()
}

fn facts(of: &HitEntry) -> Vec<Fact> {
    let e = &of.entry;
    let when = match of.age_days {
        Some(0) => "today".into(),
        Some(days) => format!("{} ago", count(days.into(), "day")),
        None => e.date.clone(),
    };
    // In one fact, so that all fit without scrolling on the screen of a vehicle.
    let by = joined(&[&e.source, &e.ori]);
    let entered = if by.is_empty() || when.is_empty() { joined(&[&when, &by]) } else { format!("{when}, {by}") };
    vec![
        Fact::new("Kind", kind(&e.plate_type)),
        Fact::new("Vehicle", joined(&[&e.year, &e.make, &e.model, &e.style])),
        Fact::new("Colour", e.colour.clone()),
        Fact::new("Entered", entered).health(Health::Info),
        Fact::new("Case", e.case_number.clone()).copied_by("Copy the case number"),
        Fact::new("VIN", e.vin.clone()).copied_by("Copy the VIN"),
    ]
}

/// A further entry of the plate, in one line.
pub fn also(of: &HitEntry) -> String {
    let e = &of.entry;
    let age = match of.age_days {
        None => String::new(),
        Some(0) => "entered today".into(),
        Some(days) => format!("{} old", age(u64::from(days) * 86_400)),
    };
    let facts = [category(e), format!("[{}]", e.list), joined(&[&e.plate, &e.state]), e.case_number.clone(), age];
    facts.into_iter().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The kind of plate, in words for the codes of NCIC that are usual.
fn kind(code: &str) -> String {
    match code.trim() {
        "PC" => "Passenger car".into(),
        "TK" => "Truck".into(),
        "MC" => "Motorcycle".into(),
        "TL" => "Trailer".into(),
        "CO" => "Commercial".into(),
        "DL" => "Dealer".into(),
        "BU" => "Bus".into(),
        "GO" | "US" | "ST" => "Government".into(),
        other => other.into(),
    }
}

/// Where an alert stands. Only CLETS or dispatch makes it more than a lead.
pub fn step(findings: &[Disposed], now: Timestamp) -> Step {
    match findings.last() {
        None => Step::Compare,
        Some(last) if last.finding == Finding::Correct => Step::Dispatch,
        Some(last) => Step::Answered(answer(last, now)),
    }
}

fn answer(last: &Disposed, now: Timestamp) -> String {
    let what = match last.finding {
        Finding::Correct => "Found correct; dispatch has not answered",
        Finding::Confirmed => "Confirmed by CLETS or dispatch",
        Finding::Misread => "Misread",
        Finding::WrongState => "Wrong state",
        Finding::NotOnFile => "Not on file",
        Finding::CouldNotVerify => "Could not be verified",
        Finding::Dismissed => "Dismissed",
    };
    format!("{what}, {} at {}", last.by, words::moment(last.at, now).text)
}

/// What came of an alert, for the list of all.
pub fn answered(findings: &[Disposed], now: Timestamp) -> Answered {
    match step(findings, now) {
        Step::Compare => Answered { text: "Compare".into(), open: true },
        Step::Dispatch => Answered { text: "Ask dispatch".into(), open: true },
        Step::Answered(text) => Answered { text, open: false },
    }
}
