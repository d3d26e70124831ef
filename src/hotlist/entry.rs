//! What became of the lines of a list.

use plated_core::text::{self, count};
use serde::Serialize;
use std::fmt;

/// What became of the lines of a list: `lines = entries + set_aside + bad`. A record that goes on in
/// further lines is one line here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Lines between header and footer, without blank ones.
    pub lines: u64,
    /// Lines that became entries.
    pub entries: u64,
    /// Of the entries, partial plates.
    pub partials: u64,
    /// Lines that are set aside and are no mistakes: their plate is none, such as `NOTAG`, or they are
    /// partial plates above the most that there can be.
    pub set_aside: u64,
    /// Of the lines set aside, partial plates.
    pub partials_set_aside: u64,
    /// Lines with a mistake; left out.
    pub bad: u64,
    /// Of the entries, those in which something is odd, such as a category code that is not known.
    pub noted: u64,
    /// Lines that continue a record, beside its first.
    pub continued: u64,
    /// Lines with a state that there is not, or with a date not written as the format has dates: where
    /// they are most of the lines, the columns don't line up.
    pub misplaced: u64,
    /// The first [`ImportReport::KEPT`] mistakes.
    pub bad_lines: Vec<LineProblem>,
    /// The first [`ImportReport::KEPT`] lines set aside.
    pub set_aside_lines: Vec<LineProblem>,
    /// The first [`ImportReport::KEPT`] remarks on entries.
    pub noted_lines: Vec<LineProblem>,
}

impl ImportReport {
    /// So many lines of each kind are described; all are counted.
    pub const KEPT: usize = 100;

    pub(super) fn add_entry(&mut self, partial: bool, remarks: Vec<LineProblem>) {
        self.lines += 1;
        self.entries += 1;
        self.partials += u64::from(partial);
        self.noted += u64::from(!remarks.is_empty());
        remarks.into_iter().for_each(|remark| keep(&mut self.noted_lines, remark));
    }

    pub(super) fn add_bad(&mut self, problem: LineProblem) {
        self.lines += 1;
        self.bad += 1;
        keep(&mut self.bad_lines, problem);
    }

    pub(super) fn add_set_aside(&mut self, partial: bool, problem: LineProblem) {
        self.lines += 1;
        self.set_aside += 1;
        self.partials_set_aside += u64::from(partial);
        keep(&mut self.set_aside_lines, problem);
    }
}

fn keep(problems: &mut Vec<LineProblem>, problem: LineProblem) {
    if problems.len() < ImportReport::KEPT {
        problems.push(problem);
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, entries, partials, set_aside, partials_set_aside, bad, noted, .. } = self;
        write!(
            f,
            "{}: {}, {set_aside} set aside, {bad} with mistakes",
            count(*lines, "line"),
            text::entries(*entries)
        )?;
        if *partials > 0 {
            write!(f, "; {partials} of the entries are partial plates")?;
        }
        if *partials_set_aside > 0 {
            write!(f, " and {partials_set_aside} above the most are not matched")?;
        }
        if *noted > 0 { write!(f, "; {noted} of the entries with a remark") } else { Ok(()) }
    }
}

/// What is wrong with a line. Never holds the plate, so that it can be logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineProblem {
    /// Line in the file, from 1; the header is usually line 1.
    pub line: u64,
    /// Column of the mistake, or `line` when it is of the line as a whole.
    pub field: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {}: {}", self.line, self.field, self.reason)
    }
}
