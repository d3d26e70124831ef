//! Records of a list: lines, joined where one record goes on in several.
//!
//! A quoted field may hold line breaks (RFC 4180), but a forgotten quote must not swallow the records
//! behind it: lines are joined only where the result is one record, and none of the joined lines is a
//! record of its own (`docs/decisions/0008-csv-one-record-one-line.md`).

use super::lines::{MAX_LINE, NextLine, TextLines, is_blank};
use plated_core::error::Result;
use std::collections::VecDeque;
use std::io::BufRead;

/// Most lines of one record.
pub const MAX_RECORD_LINES: usize = 100;

/// How lines belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Joining {
    /// Each line is a record.
    #[default]
    Never,
    /// Quotes may hold line breaks.
    Quotes,
    /// A line that begins with a blank belongs to the one before it.
    Indented,
    /// A blank line ends a record.
    BlankLines,
    /// A line that begins with this text belongs to the one before it.
    Begins(String),
    /// A line that ends with this text goes on in the next.
    Ends(String),
}

/// What a line, or several joined, are by themselves; the cutter knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A whole record.
    Record,
    /// A whole record beyond doubt: no odd quote in it, and a plate in its place.
    Sure,
    /// A quote is open at the end.
    Open,
    /// Neither.
    Other,
}

/// A record, or what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Number of its first line.
    pub line: u64,
    /// Its lines with `\n` between them; `None` when a line of it is too long.
    pub text: Option<String>,
    /// Lines that hold something, beside the first.
    pub continued: u64,
}

/// A line that was read ahead; `None` when it was too long.
type Ahead = (u64, Option<String>);

/// Reads records.
pub struct Records<R> {
    lines: TextLines<R>,
    joining: Joining,
    ahead: VecDeque<Ahead>,
    ended: bool,
}

impl<R: BufRead> Records<R> {
    /// The records behind what `lines` has given.
    pub fn new(lines: TextLines<R>, joining: Joining) -> Self {
        Self { lines, joining, ahead: VecDeque::new(), ended: false }
    }

    /// The next record. `is_footer` tells the line behind the records, `shape` what joined lines are.
    ///
    /// # Errors
    /// As [`TextLines::next`].
    pub fn next(&mut self, is_footer: impl Fn(&str) -> bool, shape: impl Fn(&str) -> Shape) -> Result<Option<Record>> {
        let (line, first) = loop {
            match self.take()? {
                None => return Ok(None),
                Some((_, Some(text))) if is_blank(&text) => {}
                Some(found) => break found,
            }
        };
        let alone = |text| Ok(Some(Record { line, text, continued: 0 }));
        let Some(first) = first else { return alone(None) };
        if self.joining == Joining::Never || is_footer(&first) {
            return alone(Some(first));
        }
        if self.joining == Joining::Quotes {
            let more = if shape(&first) == Shape::Open { self.quoted_lines(&first, &shape)? } else { 0 };
            return Ok(Some(self.join(line, first, more)));
        }
        let (mut more, mut length, mut last) = (0, first.len(), first.clone());
        while more + 1 < MAX_RECORD_LINES {
            let Some((_, Some(next))) = self.peek(more)?.cloned() else { break };
            length += next.len() + 1;
            if length > MAX_LINE || is_footer(&next) || !self.joining.continues(&last, &next) {
                break;
            }
            last = next;
            more += 1;
        }
        Ok(Some(self.join(line, first, more)))
    }

    /// How many lines belong to the one whose quote is open; none when it was forgotten.
    fn quoted_lines(&mut self, first: &str, shape: &impl Fn(&str) -> Shape) -> Result<usize> {
        let mut text = first.to_owned();
        for more in 0..MAX_RECORD_LINES - 1 {
            let Some((_, Some(next))) = self.peek(more)? else { return Ok(0) };
            text.push('\n');
            text.push_str(next);
            if text.len() > MAX_LINE || shape(next) == Shape::Sure {
                return Ok(0);
            }
            match shape(&text) {
                Shape::Open => {}
                Shape::Record | Shape::Sure => return Ok(more + 1),
                Shape::Other => return Ok(0),
            }
        }
        Ok(0)
    }

    /// The first line and so many of those that were read ahead.
    fn join(&mut self, line: u64, first: String, more: usize) -> Record {
        let (mut text, mut continued) = (first, 0);
        for (_, next) in self.ahead.drain(..more) {
            let next = next.unwrap_or_default();
            continued += u64::from(!is_blank(&next));
            text.push('\n');
            text.push_str(&next);
        }
        Record { line, text: Some(text), continued }
    }

    fn take(&mut self) -> Result<Option<Ahead>> {
        self.peek(0)?;
        Ok(self.ahead.pop_front())
    }

    /// The line `at` places ahead; `None` at the end of the file.
    fn peek(&mut self, at: usize) -> Result<Option<&Ahead>> {
        while self.ahead.len() <= at && !self.ended {
            let line = self.lines.next()?;
            let number = self.lines.number();
            match line {
                NextLine::End => self.ended = true,
                NextLine::TooLong => self.ahead.push_back((number, None)),
                NextLine::Whole => self.ahead.push_back((number, Some(self.lines.text().into_owned()))),
            }
        }
        Ok(self.ahead.get(at))
    }
}

impl Joining {
    /// Whether the line `next` belongs to the record whose last line is `last`.
    fn continues(&self, last: &str, next: &str) -> bool {
        match self {
            Self::Never | Self::Quotes => false,
            Self::Indented => !is_blank(next) && next.starts_with(char::is_whitespace),
            Self::BlankLines => !is_blank(next),
            Self::Begins(mark) => next.trim_start().starts_with(mark.as_str()),
            Self::Ends(mark) => !is_blank(next) && last.trim_end().ends_with(mark.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of two fields between commas; a quote opens and closes.
    fn records(text: &str, joining: Joining) -> Vec<(u64, Option<String>)> {
        let shape = |text: &str| match (text.matches('"').count() % 2, text.matches(',').count()) {
            (1, _) => Shape::Open,
            (_, 1) => Shape::Sure,
            _ => Shape::Other,
        };
        let mut records = Records::new(TextLines::new(text.as_bytes()), joining);
        let mut out = Vec::new();
        while let Some(record) = records.next(|line| line == "END", shape).unwrap() {
            out.push((record.line, record.text));
        }
        out
    }

    fn texts(text: &str, joining: Joining) -> Vec<String> {
        records(text, joining).into_iter().map(|(_, text)| text.unwrap()).collect()
    }

    #[test]
    fn a_quoted_line_break_stays_in_its_record_and_a_forgotten_quote_takes_one_line_only() {
        assert_eq!(texts("a,\"b\n\nc\"\nd,e\n", Joining::Quotes), ["a,\"b\n\nc\"", "d,e"]);
        assert_eq!(texts("a,\"b\nd,e\nf,g\n", Joining::Quotes), ["a,\"b", "d,e", "f,g"]);
        assert_eq!(texts("a,\"b\nd,e\nf,\"g\n", Joining::Quotes), ["a,\"b", "d,e", "f,\"g"]);
        let open = format!("a,\"b\n{}", "x\n".repeat(MAX_RECORD_LINES + 5));
        assert_eq!(texts(&open, Joining::Quotes).len(), MAX_RECORD_LINES + 6);
        assert_eq!(records("a,\"b\nc\"\n\nd,e", Joining::Quotes)[1].0, 4, "lines keep their numbers");
    }

    #[test]
    fn a_map_says_how_else_lines_belong_together() {
        assert_eq!(texts("a\n  b\n\tc\n\nd\nEND\n", Joining::Indented), ["a\n  b\n\tc", "d", "END"]);
        assert_eq!(texts("a\nb\n\n\nc\nd\nEND\n", Joining::BlankLines), ["a\nb", "c\nd", "END"]);
        assert_eq!(texts("a\n+ b\nc\n", Joining::Begins("+".into())), ["a\n+ b", "c"]);
        assert_eq!(texts("a \\\nb\nc\n", Joining::Ends("\\".into())), ["a \\\nb", "c"]);
        assert_eq!(texts("a\nb\n\nc\n", Joining::Never), ["a", "b", "c"]);
    }

    #[test]
    fn a_line_that_is_too_long_is_one_of_its_own() {
        let text = format!("a,\"b\n{}\nc,d\n", "x".repeat(MAX_LINE + 1));
        assert_eq!(records(&text, Joining::Quotes)[1], (2, None));
        assert_eq!(records(&text, Joining::Quotes)[2], (3, Some("c,d".into())));
    }
}
