//! The index that reads are matched against. Immutable: an update builds another one and swaps.

use super::entry::List;
use super::matcher::{Match, one_equivalent};
use crate::plate::PlateText;
use crate::wire::{EntryRecord, Rule};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

/// Entries of all lists, by match key.
#[derive(Debug, Default)]
pub struct Index {
    /// With its number in the order of lists and lines, by which matches are ordered.
    by_key: HashMap<String, Vec<(usize, Arc<EntryRecord>)>>,
    len: usize,
}

impl Index {
    /// Builds the index of these lists, in their order.
    pub fn build<'a>(lists: impl IntoIterator<Item = &'a List>) -> Self {
        let mut index = Self::default();
        for entry in lists.into_iter().flat_map(|list| &list.entries) {
            let key = PlateText::normalise(&entry.plate).key();
            index.by_key.entry(key.as_str().to_owned()).or_default().push((index.len, Arc::clone(entry)));
            index.len += 1;
        }
        index
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries that a read matches: exact ones first, then by priority from high to low,
    /// then in the order of the lists. `state` is the read's, or empty when unknown.
    pub fn matches(&self, text: &PlateText, state: &str) -> Vec<Match> {
        let key = text.key();
        let mut found = Vec::new();
        let mut look_up = |key: &str, rule: Rule| {
            found.extend(self.by_key.get(key).into_iter().flatten().map(|(n, entry)| (rule, *n, entry)));
        };
        look_up(key.as_str(), Rule::Exact);
        for other in one_equivalent(key.as_str()) {
            look_up(&other, Rule::OneEquivalent);
        }
        found.sort_by_key(|(rule, n, entry)| (*rule != Rule::Exact, Reverse(entry.priority), *n));
        found.into_iter().map(|(rule, _, entry)| Match::new(rule, text, state, entry)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use crate::wire::{Difference, Priority, StateAgreement};
    use proptest::prelude::*;

    fn list(csv: &str) -> List {
        read(csv.as_bytes(), "the hotlist", "local", Priority::Normal).unwrap()
    }

    fn text(s: &str) -> PlateText {
        PlateText::normalise(s)
    }

    #[test]
    fn letter_o_in_the_read_finds_the_zero_that_ncic_writes() {
        let index = Index::build([&list("plate,state\n7O0L234,CA\n")]);
        let found = index.matches(&text("70OL234"), "CA");
        assert_eq!((found[0].rule, found[0].state), (Rule::Exact, StateAgreement::Agree));
        assert!(found[0].differs.is_empty());
    }

    #[test]
    fn one_confusable_character_matches_and_is_named() {
        let index = Index::build([&list("plate,state\n7ABO-123,NV\n")]);
        let found = index.matches(&text("7A8O123"), "CA");
        assert_eq!(found[0].rule, Rule::OneEquivalent);
        assert_eq!(found[0].differs, [Difference { position: 2, read: '8', listed: 'B' }]);
        assert_eq!(found[0].state, StateAgreement::Differ);
        // O is equivalent to D, and shows as it was read.
        let found = index.matches(&text("7ABD123"), "");
        assert_eq!(found[0].differs, [Difference { position: 3, read: 'D', listed: 'O' }]);
        assert_eq!(found[0].state, StateAgreement::Unknown);
    }

    #[test]
    fn two_confusable_characters_or_an_unrelated_one_do_not_match() {
        let index = Index::build([&list("plate\n7ABC123\n8B66\n")]);
        assert!(index.matches(&text("7A8C1Z3"), "").is_empty());
        assert!(index.matches(&text("7ABC128"), "").is_empty());
        assert!(index.matches(&text("7ABC12"), "").is_empty());
        assert!(index.matches(&text("8866"), "").is_empty(), "four characters must be exact");
    }

    #[test]
    fn exact_comes_first_then_high_priority_then_the_order_of_the_list() {
        let lists = [
            list("plate,priority,reason\n7ABC123,low,a\n7A8C123,high,b\n7ABC123,normal,c\n"),
            list("plate,priority,reason\n7ABC123,high,d\n7ABCI23,high,e\n7ABC123,low,f\n"),
        ];
        let reasons: Vec<_> =
            Index::build(&lists).matches(&text("7ABC123"), "").into_iter().map(|m| m.entry.reason.clone()).collect();
        assert_eq!(reasons, ["d", "c", "a", "f", "b", "e"]);
    }

    /// The rules as the documentation says them, without an index.
    fn naive(entries: &[Arc<EntryRecord>], read: &PlateText) -> Vec<(Rule, String)> {
        let class = |c: char| match c {
            'O' | '0' | 'D' | 'Q' => 1,
            '1' | 'I' => 2,
            '2' | 'Z' => 3,
            '5' | 'S' => 4,
            '8' | 'B' => 5,
            '6' | 'G' => 6,
            other => other as u32,
        };
        let fold = |c: char| if c == 'O' { '0' } else { c };
        let mut found = Vec::new();
        for entry in entries {
            let listed = text(&entry.plate);
            if listed.len() != read.len() {
                continue;
            }
            let pairs: Vec<_> = read.as_str().chars().zip(listed.as_str().chars()).collect();
            let unlike = pairs.iter().filter(|(a, b)| fold(*a) != fold(*b)).count();
            let alike = pairs.iter().all(|(a, b)| class(*a) == class(*b));
            match unlike {
                0 => found.push((Rule::Exact, entry)),
                1 if alike && (5..=11).contains(&read.len()) => found.push((Rule::OneEquivalent, entry)),
                _ => {}
            }
        }
        found.sort_by_key(|(rule, entry)| (*rule != Rule::Exact, Reverse(entry.priority)));
        found.into_iter().map(|(rule, entry)| (rule, entry.reason.clone())).collect()
    }

    proptest! {
        #[test]
        fn the_index_finds_what_the_rules_say(
            plates in proptest::collection::vec(("[08BODQ1]{3,12}", 0..3usize), 0..60),
            reads in proptest::collection::vec("[08BODQ1]{3,12}", 1..20),
        ) {
            let mut csv = String::from("plate,priority,reason\n");
            for (n, (plate, priority)) in plates.iter().enumerate() {
                csv.push_str(&format!("{plate},{},{n}\n", ["low", "normal", "high"][*priority]));
            }
            let list = list(&csv);
            let index = Index::build([&list]);
            // The plates themselves too, or few reads would match.
            for read in reads.iter().chain(plates.iter().map(|(p, _)| p)) {
                let read = text(read);
                let found: Vec<_> =
                    index.matches(&read, "").into_iter().map(|m| (m.rule, m.entry.reason.clone())).collect();
                prop_assert_eq!(found, naive(&list.entries, &read));
            }
        }
    }
}
