//! From the fields of a line to an entry, the same for all formats.

use super::Row;
use super::dates::Dates;
use super::field::{Field, Mistake, Values};
use super::map::Map;
use crate::entry::Problem;
use plated_core::plate::{MAX_LENGTH, PlateText};
use plated_core::record::{EntryRecord, Priority};
use std::collections::BTreeMap;

/// Words that stand for "no plate" in real lists, as match keys.
const JUNK: [&str; 7] = ["0", "00", "000", "190", "N0TAG", "UNKN0WN", "N0NE"];

/// What fields mean.
#[derive(Debug)]
pub struct Rules {
    list: String,
    priority: Priority,
    dates: Dates,
    defaults: BTreeMap<Field, String>,
    categories: BTreeMap<String, String>,
    priorities: BTreeMap<String, Priority>,
    states: BTreeMap<String, String>,
}

impl Rules {
    /// Those of a map; `list` and `priority` are the list's own.
    pub fn new(map: Option<&Map>, dates: Dates, list: &str, priority: Priority) -> Self {
        let table = |of: fn(&Map) -> &BTreeMap<String, String>| map.map(of).cloned().unwrap_or_default();
        Self {
            list: list.to_owned(),
            priority,
            dates,
            defaults: map.map(|m| m.defaults.clone()).unwrap_or_default(),
            categories: table(|m| &m.categories),
            priorities: map.map(|m| m.priorities.clone()).unwrap_or_default(),
            states: table(|m| &m.states).into_iter().map(|(k, v)| (k.to_ascii_uppercase(), v)).collect(),
        }
    }

    /// How dates are written.
    pub fn dates(&self) -> &Dates {
        &self.dates
    }

    /// The row of a line, and a remark where an entry is kept although something in it is odd.
    pub fn row(&self, values: Result<Values<'_>, Mistake>, line: u64) -> (Row, Option<Problem>) {
        let problem = |Mistake { field, reason }: Mistake| Problem { line, field, reason };
        match values.and_then(|values| self.entry(values)) {
            Ok(Outcome::Entry(entry, remark)) => (Row::Entry(entry, line), remark.map(problem)),
            Ok(Outcome::Junk(why)) => (Row::Junk(problem(Mistake::of(Field::Plate, why))), None),
            Err(mistake) => (Row::Bad(problem(mistake)), None),
        }
    }

    fn entry(&self, mut values: Values<'_>) -> Result<Outcome, Mistake> {
        for field in Field::all() {
            // They would do things to a terminal, and no field has any.
            if values.get(field).chars().any(|c| c.is_control() && c != '\t') {
                return Err(Mistake::of(field, "it holds a control character"));
            }
        }
        plate_characters(values.get(Field::Plate)).map_err(|why| Mistake::of(Field::Plate, why))?;
        let normal = PlateText::normalise(values.get(Field::Plate));
        if normal.len() < 2 {
            return Ok(Outcome::Junk("it has under 2 characters"));
        }
        if JUNK.contains(&normal.key().as_str()) {
            return Ok(Outcome::Junk("it is a word for no plate"));
        }

        let mut text = |field: Field| {
            let given = values.take(field);
            let default = || self.defaults.get(&field).cloned().unwrap_or_default();
            if given.is_empty() { default() } else { given }
        };
        let state = self.state(&text(Field::State))?;
        let mut remark = None;
        // The first one stays.
        let mut note = |field, what: &str| {
            remark.get_or_insert_with(|| Mistake::of(field, what));
        };
        let mut category = text(Field::Category);
        if let Some(word) = self.categories.get(&category) {
            category.clone_from(word);
        } else if !self.is_category(&category) {
            note(Field::Category, "its code is not known; it is kept as it is");
        }
        let priority = match text(Field::Priority).to_ascii_lowercase().as_str() {
            "" => self.priorities.get(&category).copied().unwrap_or(self.priority),
            "high" => Priority::High,
            "normal" => Priority::Normal,
            "low" => Priority::Low,
            _ => return Err(Mistake::of(Field::Priority, "it is none of high, normal, low")),
        };
        let date = match text(Field::Date) {
            given if given.is_empty() => given,
            given => self.dates.day(&given).unwrap_or_else(|| {
                note(Field::Date, "it is not written as dates are here; it is kept as it is");
                given
            }),
        };
        let expires = match text(Field::Expires) {
            given if given.is_empty() => None,
            given => {
                let end = self.dates.end(&given);
                if end.is_none() {
                    note(Field::Expires, "it is no date; the entry is kept without an end");
                }
                end
            }
        };
        let entry = EntryRecord {
            list: self.list.clone(),
            plate: text(Field::Plate),
            state,
            category,
            priority,
            reason: text(Field::Reason),
            make: text(Field::Make),
            colour: text(Field::Colour),
            source: text(Field::Source),
            date,
            id: text(Field::Id),
            ori: text(Field::Ori),
            model: text(Field::Model),
            style: text(Field::Style),
            year: text(Field::Year),
            plate_year: text(Field::PlateYear),
            plate_type: text(Field::PlateType),
            expires,
        };
        Ok(Outcome::Entry(entry, remark))
    }

    /// Whether a text that is no code of the map can be a category all the same.
    fn is_category(&self, text: &str) -> bool {
        let default = self.defaults.get(&Field::Category).is_some_and(|d| d == text);
        text.is_empty() || self.categories.is_empty() || default || self.categories.values().any(|word| word == text)
    }

    /// Two letters. NCIC writes the letter O as zero here too.
    fn state(&self, given: &str) -> Result<String, Mistake> {
        let state = given.to_ascii_uppercase();
        if let Some(known) = self.states.get(&state) {
            return Ok(known.clone());
        }
        let state = state.replace('0', "O");
        let two_letters = state.len() == 2 && state.bytes().all(|b| b.is_ascii_uppercase());
        if !state.is_empty() && !two_letters {
            return Err(Mistake::of(Field::State, "it is not two letters"));
        }
        Ok(self.states.get(&state).cloned().unwrap_or(state))
    }
}

#[allow(clippy::large_enum_variant, reason = "the large one is the usual one, and it is moved on at once")]
enum Outcome {
    Entry(EntryRecord, Option<Mistake>),
    Junk(&'static str),
}

/// Normalising leaves out what it does not know. In a list that would make another plate of it.
fn plate_characters(plate: &str) -> Result<(), String> {
    if plate.contains(['?', '*']) {
        return Err("wildcards (? and *) are not supported".into());
    }
    if plate.chars().any(|c| !c.is_ascii_alphanumeric() && !" -._/·".contains(c)) {
        return Err("it holds a character that no plate has".into());
    }
    let length = plate.bytes().filter(u8::is_ascii_alphanumeric).count();
    if length > MAX_LENGTH {
        return Err(format!("it has {length} characters; the most is {MAX_LENGTH}"));
    }
    Ok(())
}
