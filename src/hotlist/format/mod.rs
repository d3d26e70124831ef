//! From the bytes of a list to its rows, with an account of every line.
//!
//! ```text
//! bytes ─► lines ─► delimited | fixed | json_lines ─► row ─► Row
//!          text     fields, by a column map           checks, codes, dates
//! ```
//!
//! Nothing here keeps more than a line: memory does not grow with the file. A list that loses
//! records silently is the classic defect of importers, so each line becomes an entry, or is
//! counted and described. `docs/reference/hotlist-formats.md` describes the formats for those who
//! write lists and maps.

mod dates;
mod delimited;
mod detect;
mod field;
mod fixed;
mod json_lines;
mod lines;
mod map;
mod row;
mod spec;

pub use detect::{Choice, Detected, SAMPLE, choose, detect};
pub use field::Field;
pub use lines::MAX_LINE;
pub use map::{Column, Footer, Header, Layout, Map, Of, Separator, Span};
pub use spec::{DojFile, Spec};

use super::entry::{Problem, Report};
use dates::Dates;
use delimited::Delimited;
use field::{Mistake, Values};
use fixed::Fixed;
use jiff::Timestamp;
use lines::{Line, Lines};
use plated_core::error::{Error, Kind, Result};
use plated_core::record::{EntryRecord, Priority};
use row::Rules;
use serde::Serialize;
use std::io::BufRead;

/// What became of one line.
#[allow(clippy::large_enum_variant, reason = "the large one is the usual one, and it is moved on at once")]
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// An entry, and its line in the file.
    Entry(EntryRecord, u64),
    /// A line whose plate is none, such as `NOTAG`. No mistake.
    Junk(Problem),
    /// A line with a mistake.
    Bad(Problem),
}

/// What a list was as a whole, once it has been read to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What became of the lines.
    pub report: Report,
    /// The date in the header, where the format has one there.
    pub date: Option<Timestamp>,
    /// What the footer says.
    pub footer: Count,
}

/// The number of records that a footer gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// The format has no footer.
    Unused,
    /// The format has a footer, and the file has none.
    Missing,
    /// So many records.
    Of(u64),
}

/// Reads a list row by row.
pub struct Importer<R> {
    lines: Lines<R>,
    cut: Cutter,
    rules: Rules,
    footer: Option<Footer>,
    summary: Summary,
    ended: bool,
}

/// How a line becomes fields.
enum Cutter {
    Delimited(Delimited),
    Fixed(Fixed),
    Json,
}

/// Starts to read a list of this format. Entries are of the list `list`; those that name no
/// priority get `priority`.
///
/// # Errors
/// `Input` when the beginning is not that of such a file, `Storage` when it can't be read,
/// `Config` when a column map can't be used. The sentence does not name the file.
pub fn open<R: BufRead>(input: R, spec: &Spec, list: &str, priority: Priority) -> Result<Importer<R>> {
    let map = spec.map()?;
    let map = map.as_ref();
    let config = |why| Error::new(Kind::Config, why);
    let dates = Dates::new(map.map_or(&[], |m| m.dates.as_slice()), map.and_then(|m| m.time_zone.as_deref()));
    let rules = Rules::new(map, dates.map_err(config)?, list, priority);
    let mut lines = Lines::new(input);
    let header = map.and_then(|m| m.header.as_ref());
    let (date, names) = read_header(&mut lines, header, rules.dates())?;
    let refuse = |why| Error::new(Kind::Input, why);
    let cut = match map {
        None => Cutter::Json,
        Some(map) if map.layout == Layout::Fixed => Cutter::Fixed(Fixed::new(map)),
        Some(map) => Cutter::Delimited(Delimited::new(map, names.as_deref()).map_err(refuse)?),
    };
    let footer = map.and_then(|m| m.footer.clone());
    let count = if footer.is_some() { Count::Missing } else { Count::Unused };
    let summary = Summary { report: Report::default(), date, footer: count };
    Ok(Importer { lines, cut, rules, footer, summary, ended: false })
}

/// The date in the header, and its last line.
fn read_header(
    lines: &mut Lines<impl BufRead>,
    header: Option<&Header>,
    dates: &Dates,
) -> Result<(Option<Timestamp>, Option<String>)> {
    let refuse = |why: &str| Error::new(Kind::Input, why);
    let (mut date, mut last) = (None, None);
    let Some(header) = header else { return Ok((None, None)) };
    for number in 1..=header.lines {
        match lines.next()? {
            Line::End if number == 1 => return Err(refuse("it is empty")),
            Line::End => return Err(refuse("it ends within its header")),
            Line::TooLong => return Err(refuse("its header is longer than 64 KiB; is it a list?")),
            Line::Whole => {}
        }
        let text = lines.text();
        if let (1, Some(format)) = (number, &header.date) {
            let moment = dates.moment(format, text.trim());
            date = Some(moment.ok_or_else(|| refuse(&format!("line 1 is not the header {format}")))?);
        }
        last = Some(text.into_owned());
    }
    Ok((date, last))
}

impl<R: BufRead> Importer<R> {
    /// What the list is as a whole; complete once the importer has given `None`.
    pub fn summary(self) -> Summary {
        self.summary
    }

    fn step(&mut self) -> Result<Option<Row>> {
        let row = loop {
            let line = self.lines.next()?;
            let number = self.lines.number();
            match line {
                Line::End => return Ok(None),
                Line::Whole if self.lines.is_blank() => continue,
                Line::TooLong => break self.rules.row(Err(Mistake::line("it is longer than 64 KiB")), number),
                Line::Whole => {}
            }
            let text = self.lines.text();
            if let Count::Of(_) = self.summary.footer {
                break self.rules.row(Err(Mistake::line("it comes after the footer")), number);
            }
            match self.footer.as_ref().and_then(|f| f.count_of(&text)) {
                Some(Ok(count)) => {
                    self.summary.footer = Count::Of(count);
                    continue;
                }
                Some(Err(why)) => break self.rules.row(Err(Mistake::line(why)), number),
                None => {}
            }
            break self.rules.row(self.cut.values(&text), number);
        };
        let report = &mut self.summary.report;
        match &row.0 {
            Row::Entry(..) => report.add_entry(row.1),
            Row::Junk(problem) => report.add_junk(problem.clone()),
            Row::Bad(problem) => report.add_bad(problem.clone()),
        }
        Ok(Some(row.0))
    }
}

impl Cutter {
    fn values<'a>(&self, line: &'a str) -> Result<Values<'a>, Mistake> {
        match self {
            Self::Delimited(delimited) => delimited.values(line),
            Self::Fixed(fixed) => fixed.values(line),
            Self::Json => json_lines::values(line),
        }
    }
}

impl<R: BufRead> Iterator for Importer<R> {
    type Item = Result<Row>;

    /// The next row. After an error there is none: the file can't be read on.
    fn next(&mut self) -> Option<Result<Row>> {
        if self.ended {
            return None;
        }
        let row = self.step().transpose();
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}

#[cfg(test)]
mod tests;
