//! What somebody sees of entries, hits and reads, by the lists that are granted to them (control P-08).
//!
//! A covert list is seen only by those to whom it is granted by its name; of one that is not seen nothing
//! is told, but that there was an alert, where the agency allows it.

use plated_access::{Scope, Source, Visibility};
use plated_core::record::{EntryRecord, HitRecord, ReadRecord};
use plated_hotlist::ListSettings;

/// What may be known of a hit.
#[derive(Clone, Debug, PartialEq)]
pub enum VisibleHit {
    /// This, with the entries that may be seen.
    Whole(Box<HitRecord>),
    /// That there is one.
    Existence,
    /// Nothing.
    Hidden,
}

/// Where an entry comes from. It needs a CLETS grant when its list does, or when the entry itself says
/// that it is of a state or federal system.
fn source<'a>(settings: &ListSettings, entry: &'a EntryRecord) -> Source<'a> {
    let clets = settings.needs_clets(&entry.list) || is_of_clets(&entry.source);
    Source { list: &entry.list, clets, covert: settings.is_covert(&entry.list) }
}

/// Sources that reach an agency by CLETS, as the formats of lists write them.
fn is_of_clets(source: &str) -> bool {
    let source = source.trim().to_ascii_uppercase();
    ["NCIC", "CLETS", "CA DOJ"].iter().any(|system| source.starts_with(system))
}

/// A list as a whole.
pub fn list<'a>(settings: &ListSettings, name: &'a str) -> Source<'a> {
    Source { list: name, clets: settings.needs_clets(name), covert: settings.is_covert(name) }
}

/// True when this entry may be shown.
pub fn shows_entry(scope: &Scope, settings: &ListSettings, entry: &EntryRecord) -> bool {
    scope.visibility(source(settings, entry)) == Visibility::Whole
}

/// What may be known of a hit.
pub fn hit(scope: &Scope, settings: &ListSettings, hit: &HitRecord) -> VisibleHit {
    let seen: Vec<_> = hit.entries.iter().map(|e| scope.visibility(source(settings, &e.entry))).collect();
    if seen.contains(&Visibility::Whole) {
        let mut whole = hit.clone();
        let mut seen = seen.into_iter();
        whole.entries.retain(|_| seen.next() == Some(Visibility::Whole));
        return VisibleHit::Whole(Box::new(whole));
    }
    if seen.contains(&Visibility::Existence) { VisibleHit::Existence } else { VisibleHit::Hidden }
}

/// A read with the hits that may be seen.
pub fn read(scope: &Scope, settings: &ListSettings, read: &ReadRecord) -> ReadRecord {
    let hits = read.hits.iter().filter_map(|h| match hit(scope, settings, h) {
        VisibleHit::Whole(hit) => Some(*hit),
        VisibleHit::Existence | VisibleHit::Hidden => None,
    });
    ReadRecord { hits: hits.collect(), ..read.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_a_state_or_federal_system_is_known_by_its_source_whatever_list_it_stands_in() {
        for state in ["NCIC", "ncic stolen", "CA DOJ SVS", " CLETS"] {
            assert!(is_of_clets(state), "{state}");
        }
        for local in ["", "Example PD", "local NCIC desk"] {
            assert!(!is_of_clets(local), "{local}");
        }
    }
}
