//! What became of the lines of a list.

use serde::Serialize;
use std::fmt;

/// What became of the lines of a list: `lines = entries + junk + bad`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Lines between header and footer, without blank ones.
    pub lines: u64,
    /// Lines that became entries.
    pub entries: u64,
    /// Lines whose plate is none, such as `NOTAG`; set aside.
    pub junk: u64,
    /// Lines with a mistake; left out.
    pub bad: u64,
    /// Of the entries, those in which something is odd, such as a category code that is not known.
    pub noted: u64,
    /// The first [`Report::KEPT`] mistakes.
    pub bad_lines: Vec<Problem>,
    /// The first [`Report::KEPT`] lines set aside.
    pub junk_lines: Vec<Problem>,
    /// The first [`Report::KEPT`] remarks on entries.
    pub noted_lines: Vec<Problem>,
}

impl Report {
    /// So many lines of each kind are described; all are counted.
    pub const KEPT: usize = 100;

    pub(super) fn add_entry(&mut self, remark: Option<Problem>) {
        self.lines += 1;
        self.entries += 1;
        if let Some(remark) = remark {
            self.noted += 1;
            keep(&mut self.noted_lines, remark);
        }
    }

    pub(super) fn add_bad(&mut self, problem: Problem) {
        self.lines += 1;
        self.bad += 1;
        keep(&mut self.bad_lines, problem);
    }

    pub(super) fn add_junk(&mut self, problem: Problem) {
        self.lines += 1;
        self.junk += 1;
        keep(&mut self.junk_lines, problem);
    }
}

fn keep(problems: &mut Vec<Problem>, problem: Problem) {
    if problems.len() < Report::KEPT {
        problems.push(problem);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, entries, junk, bad, noted, .. } = self;
        write!(f, "{lines} lines: {entries} entries, {junk} without a plate, {bad} with mistakes")?;
        if *noted > 0 { write!(f, "; {noted} of the entries with a remark") } else { Ok(()) }
    }
}

/// What is wrong with a line. Never holds the plate, so that it can be logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Line in the file, from 1; the header is usually line 1.
    pub line: u64,
    /// Column of the mistake, or `line` when it is of the line as a whole.
    pub field: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {}: {}", self.line, self.field, self.reason)
    }
}
