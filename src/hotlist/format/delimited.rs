//! Lines that are cut at a separator.
//!
//! A record is one line. A quoted field can't go on in the next line: a forgotten quote would
//! swallow the records up to the next one, silently
//! (`docs/decisions/0008-csv-one-record-one-line.md`). For the same reason each line must have
//! exactly as many fields as the first.

use super::field::{Field, Mistake, Values};
use super::map::{Column, Map, Of, Separator};
use std::borrow::Cow;

/// How lines are cut, and which field is which.
#[derive(Debug)]
pub struct Delimited {
    cut: Cut,
    fields: usize,
    /// Who says how many fields there are.
    says: &'static str,
    columns: Vec<(Field, usize, Column)>,
}

impl Delimited {
    /// By a map. `header` is the line that names the columns, if there is one.
    ///
    /// # Errors
    /// What is wrong with the header.
    pub fn new(map: &Map, header: Option<&str>) -> Result<Self, String> {
        let cut = Cut {
            separator: map.separator.unwrap_or(Separator(',')).0,
            quotes: map.quotes.unwrap_or(true),
            last: map.fields.filter(|_| map.trailing_text),
        };
        let names = match header {
            Some(line) => cut.fields(line).map_err(|why| format!("the header: {why}"))?,
            None => Vec::new(),
        };
        if map.columns.is_empty() {
            let columns = own_words(&names)?;
            return Ok(Self { cut, fields: names.len(), says: "the header", columns });
        }
        let by_name = map.columns.values().any(|c| matches!(c.of, Some(Of::Name(_))));
        let mut columns = Vec::new();
        for (field, column) in &map.columns {
            let number = match &column.of {
                Some(Of::Number(n)) => n - 1,
                Some(Of::Name(name)) => {
                    let mut places = names.iter().enumerate().filter(|(_, n)| n.eq_ignore_ascii_case(name));
                    match (places.next(), places.next()) {
                        (Some((at, _)), None) => at,
                        (None, _) => return Err(format!("the header has no column \"{name}\"")),
                        (Some(_), Some(_)) => return Err(format!("the header has the column \"{name}\" twice")),
                    }
                }
                None => return Err(format!("the map does not say which column is the {}", field.word())),
            };
            columns.push((*field, number, column.clone()));
        }
        let highest = columns.iter().map(|(_, at, _)| at + 1).max().unwrap_or(0);
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

    /// What a line holds.
    ///
    /// # Errors
    /// What is wrong with the line as a whole.
    pub fn values<'a>(&self, line: &'a str) -> Result<Values<'a>, Mistake> {
        let cut = self.cut.fields(line).map_err(Mistake::line)?;
        if cut.len() != self.fields {
            let (has, wanted) = (cut.len(), self.fields);
            return Err(Mistake::line(format!("it has {has} fields where {} has {wanted}", self.says)));
        }
        let mut values = Values::default();
        for (field, at, column) in &self.columns {
            values.set(*field, column.part(cut[*at].clone()));
        }
        Ok(values)
    }
}

/// The columns of a header that uses our own words. Another word is an error, so that a misspelt
/// one is not lost.
fn own_words(names: &[Cow<'_, str>]) -> Result<Vec<(Field, usize, Column)>, String> {
    let mut columns: Vec<(Field, usize, Column)> = Vec::new();
    let mut unknown = None;
    for (at, name) in names.iter().enumerate() {
        let Some(field) = Field::of(name) else {
            unknown.get_or_insert_with(|| name.chars().take(32).collect::<String>());
            continue;
        };
        if columns.iter().any(|(f, ..)| *f == field) {
            return Err(format!("line 1 names the column {} twice", field.word()));
        }
        columns.push((field, at, Column { of: None, at: None, prefix: String::new() }));
    }
    if columns.is_empty() {
        // The line may hold a plate, so nothing of it is shown.
        return Err(format!("line 1 is no header; it must name columns out of {}", Field::words()));
    }
    if let Some(unknown) = unknown {
        return Err(format!("line 1 names an unknown column {unknown:?}; known are {}", Field::words()));
    }
    if !columns.iter().any(|(f, ..)| *f == Field::Plate) {
        return Err("line 1 names no column plate".into());
    }
    Ok(columns)
}

/// How a line becomes fields.
#[derive(Debug)]
pub struct Cut {
    /// What stands between fields.
    pub separator: char,
    /// Whether `"` quotes fields.
    pub quotes: bool,
    /// The field with this number, from 1, is the rest of the line.
    pub last: Option<usize>,
}

impl Cut {
    /// The fields without quotes and without spaces around them; `""` in a quoted field is a quote.
    ///
    /// # Errors
    /// The reason, when a quote is not closed or something follows a closing one.
    pub fn fields<'a>(&self, line: &'a str) -> Result<Vec<Cow<'a, str>>, &'static str> {
        let mut out = Vec::new();
        let mut rest = line;
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
                    let end = rest.find(self.separator).unwrap_or(rest.len());
                    (Cow::Borrowed(rest[..end].trim()), &rest[end..])
                }
            };
            out.push(field);
            if after.is_empty() {
                return Ok(out);
            }
            rest =
                after.strip_prefix(self.separator).ok_or("there is text between a closing quote and the next field")?;
        }
    }

    /// Spaces go, but a tab that separates stays.
    fn trim_start<'a>(&self, text: &'a str) -> &'a str {
        text.trim_start_matches(|c: char| c.is_whitespace() && c != self.separator)
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

/// The text up to the closing quote, and what comes after it.
fn quoted_field(quoted: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut from = 0;
    loop {
        let quote = from + quoted[from..].find('"').ok_or("a quote is not closed on its line")?;
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

    const CSV: Cut = Cut { separator: ',', quotes: true, last: None };

    #[test]
    fn quotes_hold_commas_and_quotes() {
        assert_eq!(CSV.fields("7ABC123,\"red, 4 door,,\"\"").unwrap_err(), "a quote is not closed on its line");
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
        let cut = |separator, quotes, last| Cut { separator, quotes, last };
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

    proptest! {
        #[test]
        fn what_is_written_in_quotes_reads_back(
            texts in proptest::collection::vec("[a-c\",;\t é]{0,8}", 1..6),
            separator in proptest::sample::select(vec![',', ';', '\t', '|', ':']),
        ) {
            let quoted: Vec<String> = texts.iter().map(|t| format!("\"{}\"", t.replace('"', "\"\""))).collect();
            let line = quoted.join(&separator.to_string());
            let expected: Vec<&str> = texts.iter().map(|t| t.trim()).collect();
            prop_assert_eq!(Cut { separator, quotes: true, last: None }.fields(&line).unwrap(), expected);
        }
    }
}
