//! From the bytes of a list to its rows, with an account of every line.
//!
//! ```text
//! file ─► packed ─► decode ─► lines ─► records ─► delimited | fixed | json_lines ─► row ─► Row
//!         unpacked  UTF-8     text     joined     fields, by a column map           checks, codes
//! ```
//!
//! Nothing here keeps more than a record: memory does not grow with the file. A list that loses
//! records silently is the classic defect of importers, so each line becomes an entry, or is
//! counted and described. `docs/reference/hotlist-formats.md` describes the formats for those who
//! write lists and maps.

mod dates;
mod decode;
mod delimited;
mod detect;
mod field;
mod fixed;
mod json_lines;
mod lines;
mod map;
mod packed;
mod records;
mod row;
mod spec;
mod states;

pub use dates::Dates;
pub use delimited::Cut;
pub use detect::{Choice, Detected, SAMPLE, choose, detect};
pub use field::Field;
pub use lines::MAX_LINE;
pub use map::{Column, ColumnPart, Columns, Continuation, Footer, HeaderSpec, LineLayout, Map, Of, Separator, Span};
pub use packed::{MAX_UNPACKED, Packing, open_plain, read_password, unpacked};
pub use row::JUNK;
pub use spec::{DojFile, Spec};
pub use states::{Codes, code_of};

use super::entry::{ImportReport, LineProblem};
use super::lists::MAX_PARTIALS;
use super::matcher::Pattern;
use crate::settings::Hotlist;
use delimited::Delimited;
use field::{Mistake, Values};
use fixed::Fixed;
use jiff::Timestamp;
use lines::{NextLine, TextLines};
use plated_core::error::{Error, Kind, Result};
use plated_core::record::{EntryRecord, Priority};
use records::{Joining, Records, Shape};
use row::{Judged, RowRules};
use serde::Serialize;
use std::io::BufRead;

/// What became of one line.
#[allow(clippy::large_enum_variant, reason = "the large one is the usual one, and it is moved on at once")]
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// An entry, and its line in the file.
    Entry(EntryRecord, u64),
    /// A line that is no entry and no mistake: its plate is none, such as `NOTAG`, or it is a partial
    /// plate above the most that there can be.
    SetAside(LineProblem),
    /// A line with a mistake.
    Bad(LineProblem),
}

/// What the configuration of a list says about its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportSettings {
    /// Name of the list.
    pub list: String,
    /// Priority of entries that name none.
    pub priority: Priority,
    /// IANA name of the zone of its dates; counts before that of the format.
    pub time_zone: Option<String>,
    /// Words for "no plate"; [`JUNK`] when not given.
    pub junk: Option<Vec<String>>,
}

impl ImportSettings {
    /// Those of a configured list.
    pub fn of(list: &Hotlist) -> Self {
        Self {
            list: list.name.clone(),
            priority: list.priority,
            time_zone: list.time_zone.clone(),
            junk: list.junk.clone(),
        }
    }

    /// Those of a list with this name, and default settings.
    pub fn named(list: &str) -> Self {
        Self { list: list.to_owned(), ..Self::default() }
    }
}

/// What a list was as a whole, once it has been read to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What became of the lines.
    pub report: ImportReport,
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
    records: Records<R>,
    cut: Cutter,
    rules: RowRules,
    footer: Option<Footer>,
    summary: Summary,
    ended: bool,
}

/// How a record becomes fields.
enum Cutter {
    Delimited(Delimited),
    Fixed(Fixed),
    Json,
}

/// Starts to read a list of this format.
///
/// # Errors
/// `Input` when the beginning is not that of such a file, `Storage` when it can't be read,
/// `Config` when a column map can't be used. The sentence does not name the file.
pub fn open<R: BufRead>(input: R, spec: &Spec, settings: &ImportSettings) -> Result<Importer<R>> {
    let map = spec.map()?;
    let map = map.as_ref();
    let config = |why| Error::new(Kind::Config, why);
    let zone = settings.time_zone.as_deref().or(map.and_then(|m| m.time_zone.as_deref()));
    let dates = Dates::new(map.map_or(&[], |m| m.dates.as_slice()), zone).map_err(config)?;
    let rules = RowRules::new(map, dates, settings);
    let mut lines = TextLines::new(input);
    let header = map.and_then(|m| m.header.as_ref());
    let (date, names) = read_header(&mut lines, header, rules.dates())?;
    let refuse = |why| Error::new(Kind::Input, why);
    let cut = match map {
        None => Cutter::Json,
        Some(map) if map.layout == LineLayout::Fixed => Cutter::Fixed(Fixed::new(map)),
        Some(map) => Cutter::Delimited(Delimited::new(map, names.as_deref()).map_err(refuse)?),
    };
    let footer = map.and_then(|m| m.footer.clone());
    let count = if footer.is_some() { Count::Missing } else { Count::Unused };
    let summary = Summary { report: ImportReport::default(), date, footer: count };
    let records = Records::new(lines, map.map_or(Joining::Never, Map::joining));
    Ok(Importer { records, cut, rules, footer, summary, ended: false })
}

/// The date in the header, and its last line.
fn read_header(
    lines: &mut TextLines<impl BufRead>,
    header: Option<&HeaderSpec>,
    dates: &Dates,
) -> Result<(Option<Timestamp>, Option<String>)> {
    let refuse = |why: &str| Error::new(Kind::Input, why);
    let (mut date, mut last) = (None, None);
    let Some(header) = header else { return Ok((None, None)) };
    for number in 1..=header.lines {
        match lines.next()? {
            NextLine::End if number == 1 => return Err(refuse("it is empty")),
            NextLine::End => return Err(refuse("it ends within its header")),
            NextLine::TooLong => return Err(refuse("its header is longer than 64 KiB; is it a list?")),
            NextLine::Whole => {}
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
        let Self { records, cut, rules, footer, summary, .. } = self;
        let count_of = |line: &str| footer.as_ref().and_then(|f| f.count_of(line));
        let (judged, continued) = loop {
            let Some(record) = records.next(|line| count_of(line).is_some(), |text| cut.shape(text))? else {
                return Ok(None);
            };
            let mistake = |why: String| rules.row(Err(Mistake::line(why)), record.line);
            let Some(text) = &record.text else { break (mistake("it is longer than 64 KiB".into()), 0) };
            if let Count::Of(_) = summary.footer {
                break (mistake("it comes after the footer".into()), record.continued);
            }
            match count_of(text) {
                Some(Ok(count)) => summary.footer = Count::Of(count),
                Some(Err(why)) => break (mistake(why), record.continued),
                None if cut.runs_together(text, rules) => {
                    break (mistake("another record follows in it; two have run together".into()), record.continued);
                }
                None => break (rules.row(cut.values(text), record.line), record.continued),
            }
        };
        let report = &mut summary.report;
        report.continued += continued;
        report.misplaced += u64::from(judged.misplaced);
        let Judged { mut row, remarks, .. } = judged;
        let partial = matches!(&row, Row::Entry(entry, _) if Pattern::is_pattern(&entry.plate));
        if let Row::Entry(_, line) = row
            && partial
            && report.partials == MAX_PARTIALS as u64
        {
            let reason = format!("a list has at most {MAX_PARTIALS} partial plates; this one is not matched");
            row = Row::SetAside(LineProblem { line, field: Field::Plate.word(), reason });
        }
        match &row {
            Row::Entry(..) => report.add_entry(partial, remarks),
            Row::SetAside(problem) => report.add_set_aside(partial, problem.clone()),
            Row::Bad(problem) => report.add_bad(problem.clone()),
        }
        Ok(Some(row))
    }
}

impl Cutter {
    fn values<'a>(&self, text: &'a str) -> Result<Values<'a>, Mistake> {
        match self {
            Self::Delimited(delimited) => delimited.values(text),
            Self::Fixed(fixed) => fixed.values(text),
            Self::Json => json_lines::values(text),
        }
    }

    fn shape(&self, text: &str) -> Shape {
        match self {
            Self::Delimited(delimited) => delimited.shape(text),
            Self::Fixed(_) | Self::Json => Shape::Record,
        }
    }

    /// Whether a second record stands in the text at the end of a line.
    fn runs_together(&self, text: &str, rules: &RowRules) -> bool {
        let Self::Fixed(fixed) = self else { return false };
        let line = text.split('\n').next().unwrap_or_default();
        fixed.further(line).any(|rest| fixed.values(rest).is_ok_and(|values| rules.is_record(&values)))
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
