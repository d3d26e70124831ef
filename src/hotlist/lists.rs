//! All lists in force, and how one takes the place of another while reads are matched.

use super::index::Index;
use super::matcher::{self, Match};
use super::pattern::Pattern;
use super::{List, Report};
use crate::error::{Error, Kind, Result};
use crate::plate::PlateText;
use crate::wire::{EntryRecord, Rule};
use std::cmp::Reverse;
use std::sync::{Arc, RwLock};

/// When a read matches an entry.
#[derive(Clone, Debug, Default)]
pub struct Rules;

/// One list.
#[derive(Debug)]
pub struct Source {
    list: List,
    index: Index,
}

impl Source {
    /// A list in memory.
    pub fn memory(name: &str, entries: impl IntoIterator<Item = EntryRecord>, _rules: Rules) -> Self {
        let entries = entries.into_iter().map(Arc::new).collect();
        let list = List { name: name.to_owned(), entries, report: Report::default() };
        Self { index: Index::build([&list]), list }
    }

    /// Name of the list.
    pub fn name(&self) -> &str {
        &self.list.name
    }

    /// Entries of the plate with this match key.
    pub fn entries(&self, key: &str) -> Vec<EntryRecord> {
        let of = |e: &&Arc<EntryRecord>| PlateText::normalise(&e.plate).key().as_str() == key;
        self.list.entries.iter().filter(of).map(|e| (**e).clone()).collect()
    }
}

/// A partial plate that is wanted (control P-04).
#[derive(Clone, Debug)]
pub struct Partial {
    /// The entry; its plate is the pattern as it was written.
    pub entry: Arc<EntryRecord>,
    /// The same, ready for matching.
    pub pattern: Pattern,
}

impl Partial {
    /// Takes the pattern from the entry's plate.
    ///
    /// # Errors
    /// `Input` when it is no pattern, or one that fits too much.
    pub fn new(entry: EntryRecord, _rules: Rules) -> Result<Self> {
        let pattern = Pattern::parse(&entry.plate).map_err(|why| Error::new(Kind::Input, why))?;
        Ok(Self { entry: Arc::new(entry), pattern })
    }
}

/// Lists and partial plates as they are at one moment.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    sources: Vec<Arc<Source>>,
    partials: Arc<[Partial]>,
}

impl InForce {
    /// The lists, in the order of the configuration.
    pub fn sources(&self) -> &[Arc<Source>] {
        &self.sources
    }

    /// Partial plates.
    pub fn patterns(&self) -> &[Partial] {
        &self.partials
    }
}

/// The lists in force. One call sees them as they were at one moment.
#[derive(Debug, Default)]
pub struct Lists(RwLock<Arc<InForce>>);

impl Lists {
    /// All entries that a read matches: exact ones first, then by priority from high to low, then
    /// in the order of the lists. `state` is the read's, or empty when unknown.
    pub fn matches(&self, text: &PlateText, state: &str) -> Vec<Match> {
        let now = self.in_force();
        let mut found: Vec<Match> = now.sources.iter().flat_map(|s| s.index.matches(text, state)).collect();
        let key = text.key();
        let fitting = now.partials.iter().filter(|p| p.pattern.fits(key.as_str()));
        found.extend(fitting.map(|p| Match {
            rule: Rule::Wildcard,
            differs: Vec::new(),
            state: matcher::compare_states(state, &p.entry.state),
            entry: Arc::clone(&p.entry),
        }));
        found.sort_by_key(|m| (m.rule != Rule::Exact, m.rule == Rule::Wildcard, Reverse(m.entry.priority)));
        found
    }

    /// What is in force now.
    pub fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.0.read().unwrap_or_else(|e| e.into_inner()))
    }

    /// Puts a list in the place of the one with its name, or behind the others.
    pub fn put(&self, source: Source) {
        self.change(|next| match next.sources.iter_mut().find(|s| s.name() == source.name()) {
            Some(place) => *place = Arc::new(source),
            None => next.sources.push(Arc::new(source)),
        });
    }

    /// Takes the list of this name out of force.
    pub fn remove(&self, name: &str) {
        self.change(|next| next.sources.retain(|s| s.name() != name));
    }

    /// Sets the partial plates, all of them.
    ///
    /// # Errors
    /// None here.
    pub fn set_partials(&self, partials: Vec<Partial>) -> Result<()> {
        self.change(|next| next.partials = partials.into());
        Ok(())
    }

    fn change(&self, by: impl FnOnce(&mut InForce)) {
        let mut now = self.0.write().unwrap_or_else(|e| e.into_inner());
        let mut next = InForce::clone(&now);
        by(&mut next);
        *now = Arc::new(next);
    }
}
