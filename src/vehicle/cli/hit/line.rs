//! A hit for people, in one line.

use plated_core::plate::PlateText;
use plated_core::record::{Alerting, Difference, HitRecord, Priority, Rule, StateAgreement, VehicleDifference};
use plated_core::text::count;

/// What was read and what is listed, side by side, and how sure that is; `verdict` is what somebody
/// found about it.
pub fn line(hit: &HitRecord, verdict: &str) -> String {
    let Some((first, more)) = hit.entries.split_first() else { return String::new() };
    let e = &first.entry;
    let priority = match first.priority {
        Priority::High => "HIGH",
        Priority::Normal => "normal",
        Priority::Low => "low",
    };
    let state = match first.state {
        StateAgreement::Agree => "state agrees",
        StateAgreement::Unknown => "state not known",
        StateAgreement::Differ if first.priority < e.priority => "ANOTHER STATE (one priority lower)",
        StateAgreement::Differ => "ANOTHER STATE",
    };
    let rule = match hit.rule {
        Rule::Exact => "exact",
        Rule::ZeroOrO => "same but for letter O and zero",
        Rule::Equivalent => "look-alike",
        Rule::Difference => "other character",
        Rule::ExtraCharacter => "one character more or less",
        Rule::Alternative => "other reading",
        Rule::Wildcard => "partial plate",
    };
    let (word, quiet) = match hit.alert {
        Alerting::Sounded => ("HIT  ", ""),
        Alerting::Repeat => ("HIT  ", "  (alerted a short while ago)"),
        Alerting::Quieted => ("HIT  ", "  (found wrong this shift)"),
        Alerting::NotThisVehicle => ("HIT  ", "  (not alerted: found not to be this vehicle)"),
        Alerting::Candidate => ("maybe", "  (not alerted: not probable enough)"),
        Alerting::Covert => return String::new(),
    };
    let vehicle = [&e.year, &e.colour, &e.make, &e.model, &e.style];
    let car = vehicle.into_iter().filter(|s| !s.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    let plate_type = plate_type(&e.plate_type);
    let facts = [("plate of", &e.plate_year), ("VIN", &e.vin), ("case", &e.case_number)];
    let facts = facts.iter().filter(|(_, value)| !value.is_empty());
    let facts: String = facts.map(|(name, value)| format!(", {name} {value}")).collect();
    let vehicle = vehicle_differs(&first.vehicle_differs);
    let age = first.age_days.map_or_else(String::new, |days| format!(", {} old", count(days.into(), "day")));
    let more = if more.is_empty() { String::new() } else { format!(", {} more for this plate", more.len()) };
    let corrected = if hit.correction.is_some() { "  (the read was corrected)" } else { "" };
    format!(
        "{word} {:<9} {verdict}  {priority} {} [{}]  listed {} {}{plate_type} {car}{facts}  {rule} {:.0} %{}, {state}{vehicle}{age}{more}{corrected}{quiet}",
        PlateText::normalise(&hit.text).display(),
        e.category,
        e.list,
        e.plate,
        e.state,
        hit.probability * 100.0,
        differences(&hit.differs),
    )
}

/// The kind of plate, in words for the kinds that are not of a car (NCIC codes).
fn plate_type(code: &str) -> String {
    match code.trim() {
        "" => String::new(),
        "MC" => " MOTORCYCLE plate".into(),
        "TL" | "TR" => " TRAILER plate".into(),
        "DL" => " dealer plate".into(),
        code => format!(" plate type {code}"),
    }
}

/// What was seen of the vehicle against what the list says. It may be another vehicle with this plate.
fn vehicle_differs(all: &[VehicleDifference]) -> String {
    let words: Vec<_> = all.iter().map(VehicleDifference::in_words).collect();
    if words.is_empty() { String::new() } else { format!(", VEHICLE DIFFERS: {}", words.join("; ")) }
}

fn differences(all: &[Difference]) -> String {
    let one = |d: &Difference| format!(", character {} read {} listed {}", d.position + 1, d.read, d.listed);
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::record::{EntryRecord, HitEntry};

    #[test]
    fn the_line_of_a_hit_says_what_differs_and_all_that_the_list_knows_of_the_vehicle() {
        let entry = EntryRecord {
            list: "ncic".into(),
            plate: "7AB0123".into(),
            state: "AZ".into(),
            category: "stolen_vehicle".into(),
            priority: Priority::High,
            plate_type: "MC".into(),
            plate_year: "2026".into(),
            vin: "JH2AF6000".into(),
            case_number: "26-0042".into(),
            make: "HOND".into(),
            ..EntryRecord::default()
        };
        let hit = HitRecord {
            id: uuid::Uuid::nil(),
            at: jiff::Timestamp::UNIX_EPOCH,
            text: "7ABO123".into(),
            confidence: 0.9,
            rule: Rule::ZeroOrO,
            listed: entry.plate.clone(),
            differs: vec![Difference { position: 3, read: 'O', listed: '0' }],
            probability: 0.9,
            alert: Alerting::Sounded,
            kept_late: false,
            position: None,
            correction: None,
            entries: vec![HitEntry {
                state: StateAgreement::Differ,
                priority: Priority::Normal,
                age_days: Some(1),
                finding: None,
                vehicle_differs: vec![VehicleDifference {
                    of: plated_core::appearance::Feature::Class,
                    seen: "car".into(),
                    listed: "MC".into(),
                }],
                entry,
            }],
        };
        let line = line(&hit, "unverified");
        for part in [
            "unverified  normal stolen_vehicle [ncic]  listed 7AB0123 AZ MOTORCYCLE plate HOND",
            "plate of 2026, VIN JH2AF6000, case 26-0042",
            "same but for letter O and zero 90 %, character 4 read O listed 0",
            "ANOTHER STATE (one priority lower), VEHICLE DIFFERS: list says MC, seen: car, 1 day old",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}
