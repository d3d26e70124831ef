//! What the configuration says of each list beside its entries.

use super::Hotlist;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_core::record::{HitEntry, HitRecord, Priority};
use std::collections::HashMap;

/// The list settings, by name. What officers entered has no settings: it is shown, and counts as long as
/// it is in force.
#[derive(Debug)]
pub struct ListSettings {
    by_name: HashMap<String, Hotlist>,
    zone: TimeZone,
}

impl ListSettings {
    /// As configured, with windows by the clock of `zone`.
    pub fn new(lists: &[Hotlist], zone: TimeZone) -> Self {
        Self { by_name: lists.iter().map(|l| (l.name.clone(), l.clone())).collect(), zone }
    }

    /// Whether reads are matched against this list now.
    pub fn counts(&self, list: &str, at: Timestamp) -> bool {
        self.by_name.get(list).is_none_or(|l| l.window.holds(at, &self.zone))
    }

    /// Hits of this list are kept and do not sound; they and its entries are shown to those only to whom the
    /// list is granted by its name.
    pub fn is_covert(&self, list: &str) -> bool {
        self.by_name.get(list).is_some_and(|l| l.covert)
    }

    /// The colour that a list gives a category (control P-05), `#rrggbb`.
    pub fn colour(&self, list: &str, category: &str) -> Option<&str> {
        let category = self.by_name.get(list)?.categories.get(category)?;
        category.colour.as_ref().map(super::Colour::as_str)
    }

    /// Only those see it to whom state and federal lists are granted (CLETS): it says so, or its format is
    /// one of the state's or NCIC's.
    pub fn needs_clets(&self, list: &str) -> bool {
        let of_format = |format: &str| format.starts_with("ncic") || format.starts_with("ca_doj");
        let needs = |l: &Hotlist| l.clets.unwrap_or_else(|| l.format.as_deref().is_some_and(of_format));
        self.by_name.get(list).is_some_and(needs)
    }

    /// The chime of a hit: the most urgent that its entries ask for (control P-05).
    pub fn tone(&self, hit: &HitRecord) -> Priority {
        hit.alerting().map(|e| self.tone_of(e)).max().unwrap_or_default()
    }

    fn tone_of(&self, hit: &HitEntry) -> Priority {
        let entry = &hit.entry;
        let category = self.by_name.get(&entry.list).and_then(|l| l.categories.get(&entry.category));
        match category.and_then(|c| c.tone) {
            Some(tone) if hit.priority < entry.priority => tone.lowered(),
            Some(tone) => tone,
            None => hit.priority,
        }
    }

    /// A hit as it may sound: without the entries of covert lists; `None` when no other is left.
    pub fn shown_hit(&self, hit: &HitRecord) -> Option<HitRecord> {
        let mut shown = hit.clone();
        shown.entries.retain(|e| !self.is_covert(&e.entry.list));
        (!shown.entries.is_empty()).then_some(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::record::{EntryRecord, StateAgreement};

    #[test]
    fn a_list_counts_in_its_window_and_others_always() {
        let list: Hotlist = toml::from_str("name = \"bolo\"\n[window]\nhours = \"18:00-06:00\"\n").unwrap();
        let settings = ListSettings::new(&[list], TimeZone::UTC);
        let counts = |list: &str, time: &str| settings.counts(list, format!("2026-11-21T{time}Z").parse().unwrap());
        assert!(counts("bolo", "19:00:00") && !counts("bolo", "17:00:00") && counts("officers", "17:00:00"));
    }

    // policy: P-08
    #[test]
    fn a_list_of_the_states_or_ncics_format_needs_a_clets_grant_unless_it_says_otherwise() {
        for (keys, needs) in [
            ("", false),
            ("format = \"csv\"", false),
            ("format = \"ncic_csv\"", true),
            ("format = \"ca_doj:svs\"", true),
            ("format = \"ncic\"\nclets = false", false),
            ("clets = true", true),
        ] {
            let list: Hotlist = toml::from_str(&format!("name = \"svs\"\n{keys}")).unwrap();
            assert_eq!(ListSettings::new(&[list], TimeZone::UTC).needs_clets("svs"), needs, "{keys}");
        }
    }

    // policy: P-05
    #[test]
    fn a_category_sounds_as_its_list_says_and_else_as_urgent_as_the_entry_is() {
        let list: Hotlist = toml::from_str("name = \"svs\"\n[categories.stolen_plate]\ntone = \"low\"\n").unwrap();
        let settings = ListSettings::new(&[list], TimeZone::UTC);
        let entry = |list: &str, category: &str| HitEntry {
            state: StateAgreement::Unknown,
            priority: Priority::High,
            age_days: None,
            finding: None,
            vehicle_differs: Vec::new(),
            entry: EntryRecord {
                list: list.into(),
                category: category.into(),
                priority: Priority::High,
                ..EntryRecord::default()
            },
        };
        assert_eq!(settings.tone_of(&entry("svs", "stolen_plate")), Priority::Low);
        assert_eq!(settings.tone_of(&entry("svs", "felony")), Priority::High);
        assert_eq!(settings.tone_of(&entry("officers", "stolen_plate")), Priority::High);
        let of_another_state = HitEntry { priority: Priority::Normal, ..entry("svs", "felony") };
        assert_eq!(settings.tone_of(&of_another_state), Priority::Normal);
    }
}
