//! All lists in force, and how one takes the place of another while reads are matched.

use super::code::Code;
use super::index::{self, Index};
use super::matcher::{self, Match, Pattern, Query, Rules};
use arc_swap::ArcSwap;
use plated_core::error::{Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::{EntryRecord, HitEntry, HitRecord, Priority};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most partial plates in force at once that officers entered, and most of each list (control P-04).
pub const MAX_PARTIALS: usize = 100;

/// One list with its rules.
#[derive(Debug)]
pub struct Source {
    name: String,
    pub(super) rules: Rules,
    entries: Entries,
    partials: Vec<Partial>,
}

#[derive(Debug)]
enum Entries {
    Index(Box<Index>),
    Memory(HashMap<Code, Vec<EntryRecord>>),
}

/// Where a source has the entries of a plate.
#[derive(Clone, Copy, Debug)]
pub(super) enum ListPlace {
    Index(index::IndexPlace),
    Memory(Code),
}

impl Source {
    /// A list in its index.
    pub fn index(index: Index, rules: Rules) -> Self {
        let partials = partials(index.partials().iter().cloned(), &rules);
        Self { name: index.meta().name.clone(), rules, entries: Entries::Index(Box::new(index)), partials }
    }

    /// A few entries that stand in no file: what officers entered, or a list whose index could
    /// not be written. Entries without a plate are left out.
    pub fn memory(name: &str, entries: impl IntoIterator<Item = EntryRecord>, rules: Rules) -> Self {
        let mut by_code: HashMap<Code, Vec<EntryRecord>> = HashMap::new();
        let (patterns, entries): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| Pattern::is_pattern(&entry.plate));
        for entry in entries {
            let key = PlateText::normalise(&entry.plate).key();
            if let Some(code) = Code::of(key.as_str()).filter(|c| *c != Code(0)) {
                by_code.entry(code).or_default().push(entry);
            }
        }
        let partials = partials(patterns.into_iter(), &rules);
        Self { name: name.to_owned(), rules, entries: Entries::Memory(by_code), partials }
    }

    /// Name of the list.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its index, if it has one.
    pub fn as_index(&self) -> Option<&Index> {
        match &self.entries {
            Entries::Index(index) => Some(index),
            Entries::Memory(_) => None,
        }
    }

    /// Number of entries.
    pub fn len(&self) -> u64 {
        match &self.entries {
            Entries::Index(index) => index.len(),
            Entries::Memory(by_code) => {
                by_code.values().map(|e| e.len() as u64).sum::<u64>() + self.partials.len() as u64
            }
        }
    }

    /// True when it wants nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries of a plate, by its match key.
    pub fn entries(&self, key: &str) -> Vec<EntryRecord> {
        let place = Code::of(key).and_then(|code| self.find(code));
        place.map(|place| self.entries_at(place, key)).unwrap_or_default()
    }

    pub(super) fn find(&self, code: Code) -> Option<ListPlace> {
        match &self.entries {
            Entries::Index(index) => index.find(code).map(ListPlace::Index),
            Entries::Memory(by_code) => by_code.contains_key(&code).then_some(ListPlace::Memory(code)),
        }
    }

    /// The entries of a plate that was found. One that can't be read any more still counts: that
    /// the plate is listed is known, and nobody is to miss it.
    pub(super) fn entries_at(&self, place: ListPlace, key: &str) -> Vec<EntryRecord> {
        match (&self.entries, place) {
            (Entries::Memory(by_code), ListPlace::Memory(code)) => by_code.get(&code).cloned().unwrap_or_default(),
            (Entries::Index(index), ListPlace::Index(place)) => index.entries_at(place, key).unwrap_or_else(|e| {
                tracing::error!(list = self.name, "A plate is listed, but its entry can't be read: {}", e.chain());
                vec![EntryRecord {
                    list: self.name.clone(),
                    plate: key.to_owned(),
                    priority: Priority::High,
                    reason: "the list is damaged; its entry of this plate can't be read".into(),
                    ..EntryRecord::default()
                }]
            }),
            _ => Vec::new(),
        }
    }
}

/// A partial plate that is wanted (control P-04).
#[derive(Clone, Debug)]
pub struct Partial {
    /// The entry; its plate is the pattern as it was written.
    pub entry: EntryRecord,
    /// The same, ready for matching.
    pub pattern: Pattern,
    /// Of these count alternatives and the probabilities.
    pub rules: Rules,
}

impl Partial {
    /// Takes the pattern from the entry's plate.
    ///
    /// # Errors
    /// `Input` when it is no pattern, or one that fits too much.
    pub fn new(entry: EntryRecord, rules: Rules) -> Result<Self> {
        let pattern = Pattern::parse(&entry.plate).map_err(|why| Error::new(Kind::Input, why))?;
        Ok(Self { entry, pattern, rules })
    }
}

/// The partial plates among a list's entries. What is no pattern was told when it was imported.
fn partials(entries: impl Iterator<Item = EntryRecord>, rules: &Rules) -> Vec<Partial> {
    entries.filter_map(|entry| Partial::new(entry, rules.clone()).ok()).take(MAX_PARTIALS).collect()
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

    /// Partial plates: those that officers entered, and those of the lists.
    pub fn partials(&self) -> impl Iterator<Item = &Partial> {
        self.partials.iter().chain(self.sources.iter().flat_map(|source| &source.partials))
    }
}

/// The lists in force. Reads are matched and lists exchanged at the same time, from any thread;
/// neither waits for the other.
#[derive(Debug, Default)]
pub struct Lists {
    now: ArcSwap<InForce>,
    generation: AtomicU64,
}

impl Lists {
    /// All plates and partial plates that a read may be; see [`Match`]. One call sees the lists
    /// as they were at one moment.
    pub fn matches(&self, query: &Query<'_>) -> Vec<Match> {
        matcher::matches(&self.now.load(), query)
    }

    /// Grows with each change of what is in force: who compares it learns that it has to match again.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The one way to a change.
    fn change(&self, to: impl Fn(&InForce) -> InForce) {
        self.now.rcu(|now| to(now));
        // After the change, so that who sees the new number sees the new lists.
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// What is in force now.
    pub fn in_force(&self) -> Arc<InForce> {
        self.now.load_full()
    }

    /// Whether a hit is as probable as one of the lists of its entries asks for before anybody is
    /// alerted, and of a state that this list lets alert.
    pub fn alerts(&self, hit: &HitRecord) -> bool {
        let now = self.now.load();
        let rules = |list: &str| now.sources.iter().find(|s| s.name == list).map(|s| &s.rules);
        let alerts = |e: &HitEntry| {
            rules(&e.entry.list).is_none_or(|r| f64::from(hit.probability) >= r.alert && r.lets_alert(e.state))
        };
        hit.entries.iter().any(alerts)
    }

    /// Puts a list in the place of the one with its name, or behind the others.
    pub fn put(&self, source: Source) {
        let source = Arc::new(source);
        self.change(|now| {
            let mut next = InForce::clone(now);
            match next.sources.iter_mut().find(|s| s.name == source.name) {
                Some(place) => *place = Arc::clone(&source),
                None => next.sources.push(Arc::clone(&source)),
            }
            next
        });
    }

    /// Takes the list of this name out of force.
    pub fn remove(&self, name: &str) {
        self.change(|now| {
            let mut next = InForce::clone(now);
            next.sources.retain(|s| s.name != name);
            next
        });
    }

    /// Sets the partial plates that officers entered, all of them.
    ///
    /// # Errors
    /// `Refused` for more than [`MAX_PARTIALS`]; those in force stay.
    pub fn set_partials(&self, partials: Vec<Partial>) -> Result<()> {
        if partials.len() > MAX_PARTIALS {
            let message = format!("at most {MAX_PARTIALS} partial plates can be in force; remove one first");
            return Err(Error::new(Kind::Refused, message));
        }
        let partials: Arc<[Partial]> = partials.into();
        self.change(|now| InForce { partials: Arc::clone(&partials), ..InForce::clone(now) });
        Ok(())
    }
}
