//! Column maps: what a text file holds in which place, as a TOML file says it.
//!
//! The formats with a name are maps too, in `presets/`.

use super::dates;
use super::field::Field;
use super::records::Joining;
use super::states::{Codes, code_of};
use plated_core::record::Priority;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a file of lines holds in which place. `docs/reference/hotlist-formats.md` describes the
/// keys for those who write maps.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// How lines are cut.
    pub layout: LineLayout,
    /// Delimited: what stands between fields; a comma by default.
    pub separator: Option<Separator>,
    /// Delimited: whether `"` quotes fields; true by default.
    pub quotes: Option<bool>,
    /// Delimited: fields in each line; by default as many as the header has, or as the highest
    /// column number.
    pub fields: Option<usize>,
    /// Delimited: the last field is the rest of the line, separators in it are text.
    #[serde(default)]
    pub trailing_text: bool,
    /// Which lines belong to one record; each is one by default, or goes on while a quote is open.
    pub continuation: Option<Continuation>,
    /// Fixed: characters in the longest line; by default the end of the last column.
    pub length: Option<usize>,
    /// IANA name of the zone that dates and times in the file are of; the system's by default.
    pub time_zone: Option<String>,
    /// How dates in the lines are written, as for strptime. Without it they are taken as text.
    #[serde(default)]
    pub dates: Vec<String>,
    /// Lines in front of the records.
    pub header: Option<HeaderSpec>,
    /// The line behind the records.
    pub footer: Option<Footer>,
    /// Where each field is. Without it the last header line names the fields by our words.
    #[serde(default)]
    pub columns: BTreeMap<Field, Columns>,
    /// Text for fields of which a line has none.
    #[serde(default)]
    pub defaults: BTreeMap<Field, String>,
    /// Words for the codes that the file has as category. Another code is kept, with a remark.
    #[serde(default)]
    pub categories: BTreeMap<String, String>,
    /// Priorities for category words.
    #[serde(default)]
    pub priorities: BTreeMap<String, Priority>,
    /// Two letters for states that the file writes otherwise.
    #[serde(default)]
    pub states: BTreeMap<String, String>,
    /// Whose two-letter codes the file uses.
    #[serde(default)]
    pub state_codes: Codes,
}

/// Lines that belong to the record above them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Continuation {
    /// Those that begin with a blank.
    Indented,
    /// All up to the next blank line.
    BlankLines,
    /// Those that begin with this text.
    Begins(String),
    /// Those behind a line that ends with this text.
    Ends(String),
}

/// How lines are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineLayout {
    /// At a separator.
    Delimited,
    /// At fixed places.
    Fixed,
}

/// What stands between fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Separator {
    /// One of `,` `;` `:` `|` or a tab.
    Mark(char),
    /// Any run of spaces and tabs.
    Blanks,
    /// A run of at least two spaces and tabs, or of one tab: one space may stand in a field.
    Gaps,
    /// The end of the line: each line of the record is a field.
    Lines,
}

impl Separator {
    /// The marks that there are, with their names.
    pub const MARKS: [(char, &'static str); 5] =
        [(',', "commas"), (';', "semicolons"), ('\t', "tabs"), ('|', "bars"), (':', "colons")];
}

impl TryFrom<String> for Separator {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "tab" => return Ok(Self::Mark('\t')),
            "blanks" => return Ok(Self::Blanks),
            "gaps" => return Ok(Self::Gaps),
            "lines" => return Ok(Self::Lines),
            _ => {}
        }
        let known = Self::MARKS.iter().find(|(c, _)| text.chars().eq([*c]));
        known.map(|(c, _)| Self::Mark(*c)).ok_or("a separator is one of , ; : | tab, blanks, gaps or lines".into())
    }
}

/// Lines in front of the records.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderSpec {
    /// How many.
    #[serde(default = "one")]
    pub lines: u32,
    /// The whole of line 1 with the date of the file, as for strptime.
    pub date: Option<String>,
}

fn one() -> u32 {
    1
}

/// The line behind the records. A file without it was cut off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footer {
    /// The whole line, with `{count}` where the number of records is.
    pub count: String,
}

impl Footer {
    /// `None` when the line is no footer; an error when it is one with a number that can't be read.
    pub fn count_of(&self, line: &str) -> Option<Result<u64, String>> {
        let (before, after) = self.count.split_once("{count}")?;
        let line = line.trim();
        let number = line.strip_prefix(before.trim())?.trim().strip_suffix(after.trim())?;
        Some(number.trim().parse().map_err(|_| "it is the footer, but its count is no number".into()))
    }
}

/// Where a field is: in one column, or put together from several with a space between them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ColumnsKeys")]
pub struct Columns(pub Vec<Column>);

/// A column, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Delimited: which of the fields in the line.
    pub of: Option<Of>,
    /// Which characters of the line (fixed) or of the field in it (delimited).
    pub at: Option<Span>,
    /// Text set before it where it is not empty.
    pub prefix: String,
    /// Which part of a text with a colour in front.
    pub part: ColumnPart,
}

/// NCIC's colour is a code of three letters, or two of them as in `SIL/BLU`; sources write more text
/// behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnPart {
    /// All of it.
    #[default]
    All,
    /// The colour at the beginning.
    Colour,
    /// What comes behind the colour.
    AfterColour,
}

/// One of the fields of a delimited line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// By number, from 1.
    Number(usize),
    /// By its name in the header.
    Name(String),
}

/// Some characters of a text: from `from` (the first is 0) up to, but without, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: usize,
    /// The one after the last; `None` is the end of the text.
    pub to: Option<usize>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a column is a number, a name out of the header, [from, to], a table of these, or a list of names and tables"
)]
enum ColumnsKeys {
    Of(OfKeys),
    At(Vec<usize>),
    Table(ColumnTable),
    Several(Vec<ColumnKeys>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ColumnKeys {
    Of(OfKeys),
    Table(ColumnTable),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OfKeys {
    Number(usize),
    Name(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnTable {
    column: Option<OfKeys>,
    at: Option<Vec<usize>>,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    part: ColumnPart,
}

impl ColumnTable {
    fn of(column: Option<OfKeys>, at: Option<Vec<usize>>) -> Self {
        Self { column, at, prefix: String::new(), part: ColumnPart::All }
    }
}

impl TryFrom<ColumnsKeys> for Columns {
    type Error = String;

    fn try_from(keys: ColumnsKeys) -> Result<Self, String> {
        let tables = match keys {
            ColumnsKeys::Of(of) => vec![ColumnTable::of(Some(of), None)],
            ColumnsKeys::At(at) => vec![ColumnTable::of(None, Some(at))],
            ColumnsKeys::Table(table) => vec![table],
            ColumnsKeys::Several(several) => several
                .into_iter()
                .map(|keys| match keys {
                    ColumnKeys::Of(of) => ColumnTable::of(Some(of), None),
                    ColumnKeys::Table(table) => table,
                })
                .collect(),
        };
        if tables.is_empty() {
            return Err("a column is missing in []".into());
        }
        tables.into_iter().map(Column::try_from).collect::<Result<_, _>>().map(Self)
    }
}

impl TryFrom<ColumnTable> for Column {
    type Error = String;

    fn try_from(table: ColumnTable) -> Result<Self, String> {
        let of = match table.column {
            Some(OfKeys::Number(0)) => return Err("columns are counted from 1".into()),
            Some(OfKeys::Number(n)) if n > MAX_COLUMNS => {
                return Err(format!("a line has at most {MAX_COLUMNS} columns"));
            }
            Some(OfKeys::Number(n)) => Some(Of::Number(n)),
            Some(OfKeys::Name(name)) => Some(Of::Name(name)),
            None => None,
        };
        let at = match table.at.as_deref() {
            None => None,
            Some(&[from]) if from < MAX_COLUMNS => Some(Span { from, to: None }),
            Some(&[from, to]) if from < to && to <= MAX_COLUMNS => Some(Span { from, to: Some(to) }),
            Some(_) => {
                return Err(format!("a place is [from, to] or [from], counted from 0, to at most {MAX_COLUMNS}"));
            }
        };
        Ok(Column { of, at, prefix: table.prefix, part: table.part })
    }
}

/// Most columns of a line, and most characters up to the end of a fixed one.
const MAX_COLUMNS: usize = 4096;

impl Map {
    /// Rules that the types can't say. The error names the key.
    ///
    /// # Errors
    /// A sentence for who wrote the map.
    pub fn check(&self) -> Result<(), String> {
        let named = self.columns.is_empty();
        if named && self.layout == LineLayout::Fixed {
            return Err("columns: say where each field is, the plate at least".into());
        }
        if named && self.header_lines() == 0 {
            return Err("columns: say where each field is, or add [header] if line 1 names the fields".into());
        }
        if !named && !self.columns.contains_key(&Field::Plate) {
            return Err("columns.plate: say where the plate is".into());
        }
        match self.layout {
            LineLayout::Delimited => self.check_delimited()?,
            LineLayout::Fixed => self.check_fixed()?,
        }
        for format in self.dates.iter().chain(self.header.iter().filter_map(|h| h.date.as_ref())) {
            dates::check(format)?;
        }
        if let Some(Continuation::Begins(mark) | Continuation::Ends(mark)) = &self.continuation
            && mark.trim().is_empty()
        {
            return Err("continuation: the text that marks a line is missing".into());
        }
        if let Some(HeaderSpec { lines: 0, .. }) = self.header {
            return Err("header.lines: leave [header] out if there is none".into());
        }
        if let Some(footer) = &self.footer {
            let text = footer.count.replacen("{count}", "", 1);
            if text.len() == footer.count.len() || text.contains("{count}") {
                return Err("footer.count: write {count} once, where the number is".into());
            }
            if footer.count.trim_start().starts_with("{count}") {
                return Err("footer.count: the line must begin with text, or records would be taken for it".into());
            }
        }
        for field in [Field::Plate, Field::ValidFrom, Field::Expires] {
            if self.defaults.contains_key(&field) {
                return Err(format!("defaults.{}: this must come from the line", field.word()));
            }
        }
        let priority = self.defaults.get(&Field::Priority);
        if priority.is_some_and(|p| !["high", "normal", "low"].contains(&p.as_str())) {
            return Err("defaults.priority: is one of high, normal, low".into());
        }
        let all = self.states.values().chain(self.defaults.get(&Field::State));
        if let Some(state) = all.into_iter().find(|s| code_of(s, Codes::Postal) != Some(s.as_str())) {
            return Err(format!("states: \"{state}\" is not the code of a state, two capital letters"));
        }
        Ok(())
    }

    fn check_delimited(&self) -> Result<(), String> {
        if self.length.is_some() {
            return Err("length: only a fixed layout has it".into());
        }
        for (field, column) in self.each_column() {
            let word = field.word();
            match &column.of {
                None => return Err(format!("columns.{word}: give the number of the column, or its name")),
                Some(Of::Name(_)) if self.header_lines() == 0 => {
                    return Err(format!("columns.{word}: a name needs a [header] that has it"));
                }
                Some(Of::Number(n)) if self.fields.is_some_and(|f| *n > f) => {
                    return Err(format!("columns.{word}: is above fields"));
                }
                Some(_) => {}
            }
        }
        if self.separator == Some(Separator::Lines) && self.continuation.is_none() {
            return Err("continuation: with separator \"lines\" say which lines are one record".into());
        }
        match self.fields {
            Some(n) if n == 0 || n > MAX_COLUMNS => Err(format!("fields: must be from 1 to {MAX_COLUMNS}")),
            _ => Ok(()),
        }
    }

    fn check_fixed(&self) -> Result<(), String> {
        if self.separator.is_some() || self.quotes.is_some() || self.fields.is_some() || self.trailing_text {
            return Err("separator, quotes, fields, trailing_text: only a delimited layout has these".into());
        }
        for (field, column) in self.each_column() {
            if column.of.is_some() || column.at.is_none() {
                return Err(format!("columns.{}: in a fixed layout give [from, to]", field.word()));
            }
        }
        let ends = self.each_column().filter_map(|(_, c)| c.at).map(|at| at.to.unwrap_or(at.from + 1)).max();
        match self.length {
            Some(length) if Some(length) < ends || length > MAX_COLUMNS => {
                Err(format!("length: must be from the end of the last column to {MAX_COLUMNS}"))
            }
            _ => Ok(()),
        }
    }

    /// Lines in front of the records.
    pub fn header_lines(&self) -> u32 {
        self.header.as_ref().map_or(0, |h| h.lines)
    }

    /// Each column with its field.
    pub fn each_column(&self) -> impl Iterator<Item = (Field, &Column)> {
        self.columns.iter().flat_map(|(field, columns)| columns.0.iter().map(|column| (*field, column)))
    }

    /// How lines belong together.
    pub fn joining(&self) -> Joining {
        match &self.continuation {
            Some(Continuation::Indented) => Joining::Indented,
            Some(Continuation::BlankLines) => Joining::BlankLines,
            Some(Continuation::Begins(mark)) => Joining::Begins(mark.clone()),
            Some(Continuation::Ends(mark)) => Joining::Ends(mark.clone()),
            None if self.layout == LineLayout::Delimited && self.quotes.unwrap_or(true) => Joining::Quotes,
            None => Joining::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        match toml::from_str::<Map>(text) {
            Ok(map) => map.check().unwrap_err(),
            Err(e) => e.message().to_owned(),
        }
    }

    #[test]
    fn a_column_is_a_number_a_name_a_place_or_a_table() {
        let map: Map = toml::from_str(
            "layout = \"delimited\"\nseparator = \"tab\"\n[header]\n[columns]\nplate = 3\nstate = \"LIS\"\n\
             category = { column = 1, at = [1, 2] }\nreason = { column = \"OCA\", prefix = \"case \" }",
        )
        .unwrap();
        map.check().unwrap();
        assert_eq!((map.separator, map.header_lines()), (Some(Separator::Mark('\t')), 1));
        assert_eq!(map.columns[&Field::Plate].0[0].of, Some(Of::Number(3)));
        assert_eq!(map.columns[&Field::Category].0[0].at, Some(Span { from: 1, to: Some(2) }));
        assert_eq!(map.columns[&Field::Reason].0[0].prefix, "case ");
        let map: Map = toml::from_str(
            "layout = \"delimited\"\nseparator = \"gaps\"\ncontinuation = \"indented\"\n[header]\n[columns]\n\
             plate = [\"A\", \"B\"]\nremarks = [{ column = 3, prefix = \"by \" }, \"NOTE\"]",
        )
        .unwrap();
        map.check().unwrap();
        assert_eq!((map.joining(), map.each_column().count()), (Joining::Indented, 4));
    }

    #[test]
    fn a_wrong_map_is_refused_with_the_key_that_is_wrong() {
        let fixed = "layout = \"fixed\"\n";
        let delimited = "layout = \"delimited\"\n";
        for (text, expected) in [
            (fixed.to_owned(), "columns:"),
            (format!("{fixed}[columns]\nstate = [0, 2]"), "columns.plate"),
            (format!("{fixed}[columns]\nplate = 3"), "columns.plate"),
            (format!("{fixed}[columns]\nplate = [8, 3]"), "a place is"),
            (format!("{fixed}[columns]\nplate = [0, 999999]"), "a place is"),
            (format!("{fixed}separator = \";\"\n[columns]\nplate = [0, 8]"), "only a delimited"),
            (format!("{fixed}length = 7\n[columns]\nplate = [0, 8]"), "length"),
            (delimited.to_owned(), "add [header]"),
            (format!("{delimited}separator = \"x\"\n[header]"), "one of , ; : |"),
            (format!("{delimited}length = 9\n[header]"), "length"),
            (format!("{delimited}fields = 2\n[columns]\nplate = 3"), "above fields"),
            (format!("{delimited}[columns]\nplate = 0"), "counted from 1"),
            (format!("{delimited}[columns]\nplate = \"LIC\""), "needs a [header]"),
            (format!("{delimited}[columns]\nplate = [0, 8]"), "give the number"),
            (format!("{delimited}[columns]\nplate = true"), "a column is a number"),
            (format!("{delimited}[columns]\nplaet = 1"), "no field \"plaet\""),
            (format!("{delimited}dates = [\"%K\"]\n[header]"), "no way to write a date"),
            (format!("{delimited}[header]\ndate = \"%K\""), "no way to write a date"),
            (format!("{delimited}[header]\n[footer]\ncount = \"END\""), "{count}"),
            (format!("{delimited}[header]\n[footer]\ncount = \"{{count}} END\""), "begin with text"),
            (format!("{delimited}[header]\n[defaults]\nplate = \"X\""), "defaults.plate"),
            (format!("{delimited}[header]\n[defaults]\npriority = \"urgent\""), "defaults.priority"),
            (format!("{delimited}[header]\n[states]\nNB = \"Nebraska\""), "two capital letters"),
            (format!("{delimited}[header]\n[states]\nNB = \"ZZ\""), "code of a state"),
            (format!("{delimited}separator = \"lines\"\n[columns]\nplate = 1"), "continuation"),
            (format!("{delimited}continuation = {{ begins = \" \" }}\n[header]"), "continuation"),
            (format!("{delimited}[columns]\nplate = []"), "a place is"),
            (format!("{delimited}colour = 1\n[header]"), "unknown field"),
        ] {
            let why = refusal(&text);
            assert!(why.contains(expected), "{text}: {why}");
        }
    }

    #[test]
    fn a_footer_is_told_from_records_and_its_count_read() {
        let footer = Footer { count: "TOTAL RECORD {count}".into() };
        assert_eq!(footer.count_of("TOTAL RECORD 0000072 "), Some(Ok(72)));
        assert_eq!(footer.count_of("7ABC123 CA0120180627"), None);
        assert!(footer.count_of("TOTAL RECORD seven").unwrap().is_err());
        assert!(footer.count_of("TOTAL RECORD 99999999999999999999999").unwrap().is_err());
        let footer = Footer { count: "*** {count} records ***".into() };
        assert_eq!(footer.count_of("*** 12 records ***"), Some(Ok(12)));
        assert_eq!(footer.count_of("*** 12"), None);
    }
}
