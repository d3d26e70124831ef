//! Records that are cut at a separator.
//!
//! Each record must have exactly as many fields as the header: what has more or fewer was cut off or
//! holds a separator that is no separator. Only empty columns at the end do not count; spreadsheets
//! write them.

use super::field::{Field, Mistake, Values};
use super::map::{Column, ColumnPart, Map, Of, Separator};
use super::records::Shape;
use plated_core::text::count;
use std::borrow::Cow;

/// How records are cut, and which field is which.
#[derive(Debug)]
pub struct Delimited {
    cut: Cut,
    fields: usize,
    /// Who says how many fields there are.
    says: &'static str,
    columns: Vec<(Field, Vec<Place>)>,
}

/// A column and its number, from 0.
type Place = (usize, Column);

impl Delimited {
    /// By a map. `header` is the line that names the columns, if there is one.
    ///
    /// # Errors
    /// What is wrong with the header.
    pub fn new(map: &Map, header: Option<&str>) -> Result<Self, String> {
        let separator = match (map.separator, header) {
            (Some(separator), _) => separator,
            (None, Some(header)) if map.columns.is_empty() => separator_of(header),
            (None, _) => Separator::Mark(','),
        };
        let quotes = map.quotes.unwrap_or(true);
        let cut = Cut { separator, quotes, last: map.fields.filter(|_| map.trailing_text) };
        let names = match header {
            Some(line) => cut.fields(line).map_err(|why| format!("the header: {why}"))?,
            None => Vec::new(),
        };
        let named = names.len() - names.iter().rev().take_while(|name| name.is_empty()).count();
        let names = &names[..named];
        if map.columns.is_empty() {
            let columns = own_words(names, map.header_lines())?;
            return Ok(Self { cut, fields: names.len(), says: "the header", columns });
        }
        let by_name = map.each_column().any(|(_, c)| matches!(c.of, Some(Of::Name(_))));
        let mut columns: Vec<(Field, Vec<Place>)> = Vec::new();
        for (field, column) in map.each_column() {
            let place = (number(field, column, names)?, column.clone());
            match columns.last_mut().filter(|(last, _)| *last == field) {
                Some((_, places)) => places.push(place),
                None => columns.push((field, vec![place])),
            }
        }
        let highest = columns.iter().flat_map(|(_, places)| places).map(|(at, _)| at + 1).max().unwrap_or(0);
        let (fields, says) = match map.fields {
            Some(fields) => (fields, "the map"),
            None if by_name => (names.len(), "the header"),
            None => (highest, "the map"),
        };
        if highest > fields {
            return Err(format!("the map asks for column {highest}, and there are {fields}"));
        }
        Ok(Self { cut, fields, says, columns })
    }

    /// What a record holds.
    ///
    /// # Errors
    /// What is wrong with the record as a whole.
    pub fn values<'a>(&self, text: &'a str) -> Result<Values<'a>, Mistake> {
        let cut = self.cut.fields(text).map_err(Mistake::line)?;
        if !self.fits(&cut) {
            let (has, wanted) = (cut.len(), self.fields);
            return Err(Mistake::line(format!(
                "it has {} where {} has {wanted}",
                count(has as u64, "field"),
                self.says
            )));
        }
        let mut values = Values::default();
        for (field, places) in &self.columns {
            let mut parts = places.iter().map(|(at, column)| column.part(cut[*at].clone())).filter(|p| !p.is_empty());
            let Some(first) = parts.next() else { continue };
            let whole = parts.fold(first, |text, part| Cow::Owned(format!("{text} {part}")));
            values.set(*field, whole);
        }
        Ok(values)
    }

    /// As many fields as there are to be; empty ones at the end do not count.
    fn fits(&self, cut: &[Cow<'_, str>]) -> bool {
        cut.len() >= self.fields && cut[self.fields..].iter().all(|field| field.is_empty())
    }

    /// What a text is, when lines are joined.
    pub fn shape(&self, text: &str) -> Shape {
        match self.cut.fields(text) {
            Err(OPEN_QUOTE) => Shape::Open,
            Ok(fields) if self.fits(&fields) => {
                let plate =
                    self.columns.iter().find(|(field, _)| *field == Field::Plate).map(|(_, places)| places[0].0);
                let plate = plate.and_then(|at| fields.get(at)).map_or("", |plate| plate);
                let in_place =
                    plate.chars().any(|c| c.is_ascii_alphanumeric()) && !plate.chars().any(|c| c.is_ascii_lowercase());
                if in_place && text.matches('"').count().is_multiple_of(2) { Shape::Sure } else { Shape::Record }
            }
            _ => Shape::Other,
        }
    }
}

/// The mark at which the header's line has the most names that are known.
fn separator_of(header: &str) -> Separator {
    let known = |mark: char| {
        let cut = Cut { separator: Separator::Mark(mark), quotes: true, last: None };
        let names = cut.fields(header).unwrap_or_default();
        names.iter().filter(|name| Field::of_header(name).is_some()).count()
    };
    // Of equals the last counts, and a comma is what there is without any mark.
    let best = Separator::MARKS.iter().rev().map(|(mark, _)| *mark).max_by_key(|mark| known(*mark));
    Separator::Mark(best.unwrap_or(','))
}

/// The number of a column that a map names.
fn number(field: Field, column: &Column, names: &[Cow<'_, str>]) -> Result<usize, String> {
    match &column.of {
        Some(Of::Number(n)) => Ok(n - 1),
        Some(Of::Name(name)) => {
            let mut places = names.iter().enumerate().filter(|(_, n)| n.eq_ignore_ascii_case(name));
            match (places.next(), places.next()) {
                (Some((at, _)), None) => Ok(at),
                (None, _) => Err(format!("the header has no column \"{name}\"")),
                (Some(_), Some(_)) => Err(format!("the header has the column \"{name}\" twice")),
            }
        }
        None => Err(format!("the map does not say which column is the {}", field.word())),
    }
}

/// The columns of a header by our own words, or by names that lists use for them. Another name is an
/// error, so that a misspelt one is not lost. `line` is the header's number.
fn own_words(names: &[Cow<'_, str>], line: u32) -> Result<Vec<(Field, Vec<Place>)>, String> {
    let mut columns: Vec<(Field, Vec<Place>)> = Vec::new();
    let mut unknown = None;
    for (at, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let Some(field) = Field::of_header(name) else {
            unknown.get_or_insert((at + 1, name));
            continue;
        };
        let place = (at, Column { of: None, at: None, prefix: String::new(), part: ColumnPart::All });
        match columns.iter_mut().find(|(known, _)| *known == field) {
            // Several columns of free text are put together.
            Some((Field::Reason | Field::Remarks, places)) => places.push(place),
            Some(_) => return Err(format!("line {line} names the column {} twice", field.word())),
            None => columns.push((field, vec![place])),
        }
    }
    if columns.is_empty() {
        // The line may hold a plate, so nothing of it is shown.
        return Err(format!("line {line} is no header; it must name columns out of {}", Field::words()));
    }
    if let Some((at, name)) = unknown {
        let name = if is_no_plate(name) { format!(", \"{name}\",") } else { String::new() };
        let known = Field::words();
        return Err(format!(
            "line {line} names the columns, and column {at}{name} is none that is known: rename it, or say in a column map \
             what it is; known are {known}"
        ));
    }
    if !columns.iter().any(|(f, ..)| *f == Field::Plate) {
        return Err(format!("line {line} names no column plate"));
    }
    Ok(columns)
}

/// Whether a name can be shown, since no plate can be in it: short words, none in capitals only.
fn is_no_plate(name: &str) -> bool {
    let word =
        |word: &str| word.chars().all(|c| c.is_ascii_alphabetic()) && word.chars().any(|c| c.is_ascii_lowercase());
    name.len() <= 32 && name.split([' ', '_', '-', '/', '.']).all(word)
}

/// How a record becomes fields.
#[derive(Debug)]
pub struct Cut {
    /// What stands between fields.
    pub separator: Separator,
    /// Whether `"` quotes fields.
    pub quotes: bool,
    /// The field with this number, from 1, is the rest of the record.
    pub last: Option<usize>,
}

/// What [`Cut::fields`] says of a quote that is not closed.
pub const OPEN_QUOTE: &str = "a quote is not closed";

impl Cut {
    /// The fields without quotes and without spaces around them; `""` in a quoted field is a quote.
    ///
    /// # Errors
    /// The reason, when a quote is not closed or something follows a closing one.
    pub fn fields<'a>(&self, text: &'a str) -> Result<Vec<Cow<'a, str>>, &'static str> {
        let mut out = Vec::new();
        let mut rest = text;
        loop {
            if self.last == Some(out.len() + 1) {
                out.push(self.rest_of(rest));
                return Ok(out);
            }
            let opened = self.trim_start(rest).strip_prefix('"').filter(|_| self.quotes);
            let (field, after) = match opened {
                Some(quoted) => {
                    let (field, after) = quoted_field(quoted)?;
                    (field, self.trim_start(after))
                }
                None => {
                    let end = self.find(rest).map_or(rest.len(), |(at, _)| at);
                    (Cow::Borrowed(rest[..end].trim()), &rest[end..])
                }
            };
            out.push(field);
            if after.is_empty() {
                return Ok(out);
            }
            rest = match self.find(after) {
                Some((0, length)) => &after[length..],
                _ => return Err("there is text between a closing quote and the next field"),
            };
            if rest.is_empty() && !matches!(self.separator, Separator::Mark(_)) {
                return Ok(out);
            }
        }
    }

    /// Where the next separator is, and its length.
    fn find(&self, text: &str) -> Option<(usize, usize)> {
        match self.separator {
            Separator::Mark(mark) => text.find(mark).map(|at| (at, mark.len_utf8())),
            Separator::Lines => text.find('\n').map(|at| (at, 1)),
            Separator::Blanks => text.find(char::is_whitespace).map(|at| (at, blanks(&text[at..]))),
            Separator::Gaps => {
                let wide = |at: usize| blanks(&text[at..]) > 1 || !text[at..].starts_with(' ');
                let starts = text.match_indices(char::is_whitespace).map(|(at, _)| at);
                starts.into_iter().find(|at| wide(*at)).map(|at| (at, blanks(&text[at..])))
            }
        }
    }

    /// Spaces go, but a tab that separates stays.
    fn trim_start<'a>(&self, text: &'a str) -> &'a str {
        match self.separator {
            Separator::Mark(mark) => text.trim_start_matches(|c: char| c.is_whitespace() && c != mark),
            Separator::Lines => text.trim_start_matches(|c: char| c.is_whitespace() && c != '\n'),
            Separator::Blanks | Separator::Gaps => text,
        }
    }

    /// Free text at the end: as it is, or without its quotes where they hold all of it.
    fn rest_of<'a>(&self, rest: &'a str) -> Cow<'a, str> {
        let rest = rest.trim();
        match rest.strip_prefix('"').filter(|_| self.quotes).map(quoted_field) {
            Some(Ok((field, ""))) => field,
            _ => Cow::Borrowed(rest),
        }
    }
}

/// Length of the blanks at the beginning of a text.
fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The text up to the closing quote, and what comes after it.
fn quoted_field(quoted: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut from = 0;
    loop {
        let quote = from + quoted[from..].find('"').ok_or(OPEN_QUOTE)?;
        if quoted[quote + 1..].starts_with('"') {
            from = quote + 2;
            continue;
        }
        let inner = quoted[..quote].trim();
        let field = if inner.contains("\"\"") { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
        return Ok((field, &quoted[quote + 1..]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CSV: Cut = Cut { separator: Separator::Mark(','), quotes: true, last: None };

    #[test]
    fn quotes_hold_commas_and_quotes() {
        assert_eq!(CSV.fields("7ABC123,\"red, 4 door,,\"\"").unwrap_err(), OPEN_QUOTE);
        assert_eq!(
            CSV.fields(r#"7ABC123, CA ,"red, 4 ""door""", "#).unwrap(),
            ["7ABC123", "CA", "red, 4 \"door\"", ""]
        );
        assert_eq!(CSV.fields(r#"5" pipe,x"#).unwrap(), ["5\" pipe", "x"]);
        assert!(CSV.fields(r#""a"b,c"#).is_err());
        assert_eq!(CSV.fields("").unwrap(), [""]);
    }

    #[test]
    fn other_separators_no_quotes_and_text_to_the_end_of_the_line() {
        let cut = |mark, quotes, last| Cut { separator: Separator::Mark(mark), quotes, last };
        assert_eq!(cut('\t', true, None).fields("\t\"a\tb\"\t c \t").unwrap(), ["", "a\tb", "c", ""]);
        assert_eq!(cut(';', false, None).fields("\"a;b\"; 5\"").unwrap(), ["\"a", "b\"", "5\""]);
        let text = cut(',', true, Some(3));
        assert_eq!(
            text.fields("7ABC123,CA,red, one door dented, \"tow\"").unwrap()[2],
            "red, one door dented, \"tow\""
        );
        assert_eq!(text.fields("7ABC123,CA,\"red, dented\"").unwrap()[2], "red, dented");
        assert_eq!(text.fields("7ABC123,CA,\"red\", dented").unwrap()[2], "\"red\", dented");
        assert_eq!(text.fields("7ABC123,CA").unwrap().len(), 2);
    }

    #[test]
    fn blanks_gaps_and_lines_divide_fields_too() {
        let cut = |separator, last| Cut { separator, quotes: true, last };
        assert_eq!(cut(Separator::Blanks, None).fields("7ABC123  CA\t2019 ").unwrap(), ["7ABC123", "CA", "2019"]);
        let text = cut(Separator::Blanks, Some(3)).fields("7ABC123 CA  red, one\n   door dented").unwrap();
        assert_eq!(text[2], "red, one\n   door dented");
        assert_eq!(
            cut(Separator::Gaps, None).fields("7ABC123  New York   red van\tx").unwrap(),
            ["7ABC123", "New York", "red van", "x"]
        );
        assert_eq!(cut(Separator::Lines, None).fields("7ABC123\nCA\n\n red").unwrap(), ["7ABC123", "CA", "", "red"]);
    }

    #[test]
    fn a_header_shows_its_separator() {
        for (header, mark) in [
            ("plate", ','),
            ("Plate;State;Category", ';'),
            ("Plate Number\tDescription\tState/Province", '\t'),
            ("\"plate\",\"state\"", ','),
            ("LIC|LIS|VIN", '|'),
            ("plate:state", ':'),
        ] {
            assert_eq!(separator_of(header), Separator::Mark(mark), "{header}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_in_quotes_reads_back(
            texts in proptest::collection::vec("[a-c\",;\t é]{0,8}", 1..6),
            separator in proptest::sample::select(vec![',', ';', '\t', '|', ':']),
        ) {
            let quoted: Vec<String> = texts.iter().map(|t| format!("\"{}\"", t.replace('"', "\"\""))).collect();
            let line = quoted.join(&separator.to_string());
            let expected: Vec<&str> = texts.iter().map(|t| t.trim()).collect();
            prop_assert_eq!(Cut { separator: Separator::Mark(separator), quotes: true, last: None }.fields(&line).unwrap(), expected);
        }
    }
}
