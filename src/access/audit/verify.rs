//! Whether a log is what was written, and which row is not.

use super::head::Head;
use super::row::Row;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::text::count;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What the verification looks at of a row, redacted or not.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Number of the row.
    pub number: i64,
    /// The hash that it says the row before it has.
    pub prev: Sha256,
    /// The hash that it says it has.
    pub hash: Sha256,
    /// The hash that its content has.
    pub computed: Sha256,
}

/// Something in a log is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The content of this row is not what its hash is of.
    Changed {
        /// The row.
        number: i64,
    },
    /// This row does not follow the one before it: one of the two is another than was written.
    Replaced {
        /// The row.
        number: i64,
    },
    /// These rows are not there.
    Missing {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// This row stands behind a later one.
    OutOfOrder {
        /// The row.
        number: i64,
        /// The later one.
        after: i64,
    },
    /// There is another row with this number.
    Repeated {
        /// The number.
        number: i64,
    },
    /// The rows up to a signed head are not those that were signed: some or all of them were written
    /// anew.
    Rewritten {
        /// The first that may be another.
        from: i64,
        /// The signed one.
        to: i64,
    },
    /// The log ends before the row that was signed last.
    CutOff {
        /// The last row that is there.
        last: i64,
        /// The signed one.
        signed: i64,
    },
    /// This line of a file is no row.
    Unreadable {
        /// The line, from 1.
        line: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { number } => write!(f, "row {number} was changed"),
            Self::Replaced { number } => {
                write!(f, "row {number} does not follow row {}: one of them was replaced", number - 1)
            }
            Self::Missing { from, to } if from == to => write!(f, "row {from} is missing"),
            Self::Missing { from, to } => write!(f, "rows {from} to {to} are missing"),
            Self::OutOfOrder { number, after } => write!(f, "row {number} is out of order, after row {after}"),
            Self::Repeated { number } => write!(f, "row {number} is there more than once"),
            Self::Rewritten { from, to } => {
                write!(f, "rows {from} to {to} were written anew: row {to} is not the one that was signed")
            }
            Self::CutOff { last, signed } => {
                write!(f, "the log is cut off after row {last}: row {signed} was signed")
            }
            Self::Unreadable { line } => write!(f, "line {line} is no row"),
        }
    }
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Rows looked at.
    pub rows: u64,
    /// Number of the last one.
    pub last: i64,
    /// Up to this row a signature vouches for the log.
    pub signed: i64,
    /// What is wrong, by the number of the row; at most [`Report::MAX_FAULTS`].
    pub faults: Vec<Fault>,
    /// Faults beyond those.
    pub more: u64,
}

impl Report {
    /// Most faults that are named.
    pub const MAX_FAULTS: usize = 1000;

    /// True when nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = count(self.rows, "row");
        match self.faults.first() {
            None if self.signed >= self.last => write!(f, "{rows}, all as they were written"),
            None => write!(f, "{rows}, all follow each other; signed up to row {}", self.signed),
            Some(fault) => {
                let others = self.faults.len() as u64 - 1 + self.more;
                write!(f, "{rows}; {fault}")?;
                if others > 0 { write!(f, ", and {}", count(others, "other fault")) } else { Ok(()) }
            }
        }
    }
}

/// Looks at rows in the order in which they are kept.
#[derive(Debug)]
pub struct Verifier {
    start: Head,
    last: (i64, Sha256),
    /// Heads of rows to come, by number.
    heads: BTreeMap<i64, Head>,
    /// First and last of rows that did not come yet, and the hash that each must have which stands before
    /// one that came.
    missing: BTreeMap<i64, i64>,
    expected: BTreeMap<i64, Sha256>,
    /// The last row that was compared with a signed head.
    compared: i64,
    faults: BTreeSet<Fault>,
    report: Report,
}

impl Verifier {
    /// For the rows after `start`: the head of an empty log, or a signed one up to which the rows were
    /// verified before or deleted.
    ///
    /// # Errors
    /// `Input` when no log begins with it.
    pub fn new(start: Head) -> Result<Self> {
        if start.number < 0 || start.number == 0 && !start.is_start() {
            return Err(Error::new(Kind::Input, "no audit log begins with this head"));
        }
        let (last, number) = ((start.number, start.hash), start.number);
        let report = Report { rows: 0, last: number, signed: number, faults: Vec::new(), more: 0 };
        let (heads, missing, expected, faults) = Default::default();
        Ok(Self { start, last, heads, missing, expected, compared: number, faults, report })
    }

    /// A head whose signature was checked; before the rows, or right behind the one that it is of.
    ///
    /// # Errors
    /// `Input` when it is of another log.
    pub fn head(&mut self, head: Head) -> Result<()> {
        if !head.is_of_same_log(&self.start) {
            return Err(Error::new(Kind::Input, "a signed head is of another audit log"));
        }
        match head.number {
            number if number == self.last.0 => self.compare(&head),
            number if number > self.last.0 => drop(self.heads.insert(number, head)),
            _ => {} // Too late to be compared.
        }
        Ok(())
    }

    /// The next row.
    pub fn push(&mut self, link: Link) {
        self.report.rows += 1;
        let number = link.number;
        if link.computed != link.hash {
            self.fault(Fault::Changed { number });
        }
        let next = self.last.0.saturating_add(1);
        if number < next {
            return self.late(link);
        }
        if number > next {
            self.missing.insert(next, number - 1);
            self.expected.insert(number - 1, link.prev);
            // Only so many gaps can still be filled.
            if self.missing.len() > Report::MAX_FAULTS
                && let Some((from, to)) = self.missing.pop_first()
            {
                self.expected = self.expected.split_off(&to.saturating_add(1));
                self.fault(Fault::Missing { from, to });
            }
        } else if link.prev != self.last.1 {
            self.fault(Fault::Replaced { number });
        }
        self.last = (number, link.hash);
        self.heads = self.heads.split_off(&number);
        if let Some(head) = self.heads.remove(&number) {
            self.compare(&head);
        }
    }

    /// A row that should have come before.
    fn late(&mut self, link: Link) {
        let number = link.number;
        let gap = self.missing.range(..=number).next_back().map(|(from, to)| (*from, *to));
        let Some((from, to)) = gap.filter(|(_, to)| number <= *to) else {
            return self.fault(Fault::Repeated { number });
        };
        self.missing.remove(&from);
        if from < number {
            self.missing.insert(from, number - 1);
            self.expected.insert(number - 1, link.prev);
        }
        if number < to {
            self.missing.insert(number + 1, to);
        }
        self.fault(Fault::OutOfOrder { number, after: self.last.0 });
        if self.expected.remove(&number).is_some_and(|hash| hash != link.hash) {
            self.fault(Fault::Replaced { number: number + 1 });
        }
    }

    /// Whether the last row is the one that was signed.
    fn compare(&mut self, head: &Head) {
        if head.hash == self.last.1 {
            self.report.signed = head.number;
        } else {
            let from = self.compared.saturating_add(1).min(head.number);
            self.fault(Fault::Rewritten { from, to: head.number });
        }
        self.compared = head.number;
    }

    /// Notes what is wrong.
    pub(super) fn fault(&mut self, fault: Fault) {
        if self.faults.len() < Report::MAX_FAULTS {
            self.faults.insert(fault);
        } else if !self.faults.contains(&fault) {
            self.report.more += 1;
        }
    }

    /// There are no more rows.
    pub fn finish(mut self) -> Report {
        for (from, to) in std::mem::take(&mut self.missing) {
            self.fault(Fault::Missing { from, to });
        }
        let last = self.last.0;
        if let Some(signed) = self.heads.keys().next_back().copied() {
            self.fault(Fault::CutOff { last, signed });
        }
        let mut faults: Vec<_> = self.faults.into_iter().collect();
        faults.sort_by_key(Fault::number);
        Report { last, faults, ..self.report }
    }
}

impl Fault {
    fn number(&self) -> i64 {
        match self {
            Self::Changed { number }
            | Self::Replaced { number }
            | Self::OutOfOrder { number, .. }
            | Self::Repeated { number } => *number,
            Self::Missing { from, .. } | Self::Rewritten { from, .. } => *from,
            Self::CutOff { last, .. } => last.saturating_add(1),
            Self::Unreadable { line } => i64::try_from(*line).unwrap_or(i64::MAX),
        }
    }
}

/// Verifies all rows after `start` against heads whose signatures were checked.
///
/// # Errors
/// `Input` when a head is of another log.
pub fn verify(
    start: Head,
    rows: impl IntoIterator<Item = Row>,
    heads: impl IntoIterator<Item = Head>,
) -> Result<Report> {
    let mut verifier = Verifier::new(start)?;
    heads.into_iter().try_for_each(|head| verifier.head(head))?;
    rows.into_iter().for_each(|row| verifier.push(row.link()));
    Ok(verifier.finish())
}
