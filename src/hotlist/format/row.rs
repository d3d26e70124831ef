//! From the fields of a line to an entry, the same for all formats.

use super::dates::{Dates, is_none};
use super::field::{Field, Mistake, Values};
use super::map::Map;
use super::states::{Codes, code_of};
use super::{ImportSettings, Row};
use crate::entry::LineProblem;
use crate::matcher::Pattern;
use crate::text;
use jiff::Timestamp;
use plated_core::plate::{MAX_LENGTH, PlateText, is_sign};
use plated_core::record::{EntryRecord, Priority};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Words that sources write where there is no plate. A list has others by its configuration.
#[rustfmt::skip]
pub const JUNK: [&str; 42] = [
    "0", "00", "000", "0000", "00000", "000000", "0000000", "190", "NOTAG", "NOTAGS", "NOPLATE", "NOPLATES", "NOLIC",
    "NOLICENSE", "NONE", "NULL", "NIL", "NA", "UNK", "UNKN", "UNKNOWN", "UNREAD", "UNREADABLE", "ILLEGIBLE", "BLANK",
    "MISSING", "NEW", "NEWCAR", "TEMP", "TEMPTAG", "TEMPPLATE", "TEMPORARY", "PAPER", "PAPERTAG", "PAPERPLATE",
    "DEALER", "DLR", "DEALERTAG", "XXX", "XXXX", "XXXXXX", "XXXXXXX",
];

/// What fields mean.
#[derive(Debug)]
pub struct RowRules {
    list: String,
    priority: Priority,
    dates: Dates,
    /// The format says how it writes dates.
    dates_are_given: bool,
    junk: BTreeSet<String>,
    defaults: BTreeMap<Field, String>,
    categories: BTreeMap<String, String>,
    priorities: BTreeMap<String, Priority>,
    states: BTreeMap<String, String>,
    codes: Codes,
}

/// A row, and the remarks about it.
#[derive(Debug)]
pub struct Judged {
    /// The row.
    pub row: Row,
    /// What is odd in an entry that is kept all the same.
    pub remarks: Vec<LineProblem>,
    /// The state or the date shows that the columns don't line up.
    pub misplaced: bool,
}

impl RowRules {
    /// Those of a map and of the list.
    pub fn new(map: Option<&Map>, dates: Dates, settings: &ImportSettings) -> Self {
        let table = |of: fn(&Map) -> &BTreeMap<String, String>| map.map(of).cloned().unwrap_or_default();
        let key = |word: &str| PlateText::normalise(word).key().as_str().to_owned();
        let junk = match &settings.junk {
            Some(words) => words.iter().map(|w| key(w)).collect(),
            None => JUNK.iter().map(|w| key(w)).collect(),
        };
        Self {
            list: settings.list.clone(),
            priority: settings.priority,
            dates,
            dates_are_given: map.is_some_and(|m| !m.dates.is_empty()),
            junk,
            defaults: map.map(|m| m.defaults.clone()).unwrap_or_default(),
            categories: table(|m| &m.categories),
            priorities: map.map(|m| m.priorities.clone()).unwrap_or_default(),
            states: table(|m| &m.states).into_iter().map(|(k, v)| (k.to_ascii_uppercase(), v)).collect(),
            codes: map.map(|m| m.state_codes).unwrap_or_default(),
        }
    }

    /// How dates are written.
    pub fn dates(&self) -> &Dates {
        &self.dates
    }

    /// The row of a line.
    pub fn row(&self, values: Result<Values<'_>, Mistake>, line: u64) -> Judged {
        let problem = |Mistake { field, reason }: Mistake| LineProblem { line, field, reason };
        let mut judging = Judging { rules: self, remarks: Vec::new(), misplaced: false };
        let row = match values.and_then(|values| judging.entry(values)) {
            Ok(Outcome::Entry(entry)) => Row::Entry(entry, line),
            Ok(Outcome::NoPlate(why)) => Row::SetAside(problem(Mistake::of(Field::Plate, why))),
            Err(mistake) => Row::Bad(problem(mistake)),
        };
        let remarks = judging.remarks.into_iter().map(problem).collect();
        Judged { row, remarks, misplaced: judging.misplaced }
    }

    /// Whether a text holds a whole record beyond doubt: plate, state, a date and a category, all known.
    pub fn is_record(&self, values: &Values<'_>) -> bool {
        let state = self.state(values.get(Field::State)).is_some_and(|state| !state.is_empty());
        let date = values.get(Field::Date);
        let category = self.categories.contains_key(values.get(Field::Category));
        let plate = values.get(Field::Plate);
        state && category && !date.is_empty() && self.dates.day(date).is_some() && plate_characters(plate).is_ok()
    }

    /// Whether a text that is no code of the map can be a category all the same.
    fn is_category(&self, text: &str) -> bool {
        let default = self.defaults.get(&Field::Category).is_some_and(|d| d == text);
        text.is_empty() || self.categories.is_empty() || default || self.categories.values().any(|word| word == text)
    }

    /// The code of a state; `None` when there is no such state.
    fn state(&self, given: &str) -> Option<String> {
        let own = || self.states.get(&given.to_ascii_uppercase()).cloned();
        let known = if self.states.is_empty() { None } else { own() };
        known.or_else(|| code_of(given, self.codes).map(str::to_owned))
    }
}

/// One line on its way to an entry.
struct Judging<'a> {
    rules: &'a RowRules,
    remarks: Vec<Mistake>,
    misplaced: bool,
}

#[allow(clippy::large_enum_variant, reason = "the large one is the usual one, and it is moved on at once")]
enum Outcome {
    Entry(EntryRecord),
    NoPlate(&'static str),
}

impl Judging<'_> {
    fn note(&mut self, field: Field, what: &str) {
        self.remarks.push(Mistake::of(field, what));
    }

    fn entry(&mut self, mut values: Values<'_>) -> Result<Outcome, Mistake> {
        let rules = self.rules;
        self.make_safe(&mut values)?;
        if let Some(why) = self.plate(values.get(Field::Plate))? {
            return Ok(Outcome::NoPlate(why));
        }
        let mut text = |field: Field| {
            let given = values.take(field);
            let default = || rules.defaults.get(&field).cloned().unwrap_or_default();
            if given.is_empty() { default() } else { given }
        };
        let Some(state) = rules.state(&text(Field::State)) else {
            self.misplaced = true;
            return Err(Mistake::of(Field::State, "there is no such state"));
        };
        let mut category = text(Field::Category);
        if let Some(word) = rules.categories.get(&category) {
            category.clone_from(word);
        } else if !rules.is_category(&category) {
            self.note(Field::Category, "its code is not known; it is kept as it is");
        }
        let priority = match text(Field::Priority).to_ascii_lowercase().as_str() {
            "" => rules.priorities.get(&category).copied().unwrap_or(rules.priority),
            "high" => Priority::High,
            "normal" => Priority::Normal,
            "low" => Priority::Low,
            _ => return Err(Mistake::of(Field::Priority, "it is none of high, normal, low")),
        };
        let date = self.date(text(Field::Date));
        let valid_from = bound(Field::ValidFrom, &text(Field::ValidFrom), |t| rules.dates.start(t))?;
        let expires = bound(Field::Expires, &text(Field::Expires), |t| rules.dates.end(t))?;
        if valid_from.zip(expires).is_some_and(|(start, end)| end <= start) {
            return Err(Mistake::of(Field::Expires, "the entry ends before it begins; it is left out"));
        }
        Ok(Outcome::Entry(EntryRecord {
            list: rules.list.clone(),
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
            vin: text(Field::Vin),
            case_number: text(Field::CaseNumber),
            remarks: text(Field::Remarks),
            valid_from,
            expires,
        }))
    }

    /// Leaves out what can't be seen or does things to a terminal. In plate and state such a character
    /// may stand for another, so there a control is a mistake.
    fn make_safe(&mut self, values: &mut Values<'_>) -> Result<(), Mistake> {
        for field in Field::all() {
            let given = values.get(field);
            if matches!(field, Field::Plate | Field::State) && given.chars().any(char::is_control) {
                return Err(Mistake::of(field, "it holds a control character"));
            }
            let (clean, left_out) = text::clean(given);
            if let Cow::Owned(clean) = clean {
                values.set(field, Cow::Owned(clean.trim().to_owned()));
            }
            if left_out {
                self.note(field, "it held characters that can't be seen; they are left out");
            }
        }
        Ok(())
    }

    /// Why a plate is none, if it is none.
    fn plate(&mut self, plate: &str) -> Result<Option<&'static str>, Mistake> {
        let mistake = |why| Mistake::of(Field::Plate, why);
        plate_characters(plate).map_err(mistake)?;
        let normal = PlateText::normalise(plate);
        if normal.is_empty() {
            return Ok(Some("there is none"));
        }
        if self.rules.junk.contains(normal.key().as_str()) {
            return Ok(Some("it is a word for no plate"));
        }
        if Pattern::is_pattern(plate) {
            Pattern::parse(plate).map_err(mistake)?;
        }
        Ok(None)
    }

    /// The date of an entry. It is for people, so one that can't be read is kept as it is.
    fn date(&mut self, given: String) -> String {
        if given.is_empty() || is_none(&given) {
            return String::new();
        }
        if let Some(day) = self.rules.dates.day(&given) {
            return day;
        }
        self.misplaced |= self.rules.dates_are_given;
        self.note(Field::Date, "it is no date that can be read; it is kept as it is");
        given
    }
}

/// The start or the end of an entry. One that can't be read leaves the entry out: without its end a
/// dead entry would alert for ever.
fn bound(field: Field, given: &str, read: impl Fn(&str) -> Option<Timestamp>) -> Result<Option<Timestamp>, Mistake> {
    if given.is_empty() || is_none(given) {
        return Ok(None);
    }
    match read(given) {
        Some(moment) => Ok(Some(moment)),
        None => Err(Mistake::of(field, "it is no date that can be read; the entry is left out")),
    }
}

/// Normalising leaves out what it does not know. In a list that would make another plate of it.
fn plate_characters(plate: &str) -> Result<(), String> {
    let is_known = |c: char| c.is_ascii_alphanumeric() || is_sign(c) || c == '?' || c == '*';
    if !plate.chars().all(is_known) {
        return Err("it holds a character that no plate has".into());
    }
    let length = plate.bytes().filter(u8::is_ascii_alphanumeric).count();
    if length > MAX_LENGTH {
        return Err(format!("it has {length} characters; the most is {MAX_LENGTH}"));
    }
    Ok(())
}
