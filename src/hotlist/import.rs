//! Checks before a list may come into force: it must be whole, new and not suspiciously small.
//!
//! A list that is refused changes nothing; the one in force stays (invariant 7 of
//! `docs/design.md`). A person can force it, with a reason, which the caller records.

use super::entry::LineProblem;
use super::format::{Count, Summary};
use crate::settings::Limits;
use jiff::{SignedDuration, Timestamp};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::{self, count, local};
use serde::Serialize;
use std::fmt;

/// A list may be dated this far ahead: clocks differ, and a source's zone may be set wrong.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// A clock that shows less is not set: vehicle computers without a battery start in 1970 or 2006.
const EARLIEST_CLOCK: Timestamp = Timestamp::constant(1_767_225_600, 0); // 2026-01-01
/// The time at which a file changed says less than a date in it: copying changes it. So such a date
/// makes a list older than another only from this difference on.
const FILE_DATE_SLACK: SignedDuration = SignedDuration::from_hours(24);

/// The list of the same name that is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplacedList {
    /// Its entries.
    pub entries: u64,
    /// The date in its header or of its file, where it had one.
    pub date: Option<Timestamp>,
}

/// What a list is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// The list that it would replace.
    pub in_force: Option<ReplacedList>,
    /// When its file changed; for lists without a date of their own.
    pub file_date: Option<Timestamp>,
    /// The time, where a clock is trusted. One that is not set counts as none.
    pub now: Option<Timestamp>,
}

impl Compared {
    /// The date of a list: its own or else its file's, which is never ahead of the clock.
    pub fn date(&self, summary: &Summary) -> Option<Timestamp> {
        let of_file = || self.file_date.map(|date| self.clock().map_or(date, |now| date.min(now)));
        summary.date.or_else(of_file)
    }

    fn clock(&self) -> Option<Timestamp> {
        self.now.filter(|now| *now >= EARLIEST_CLOCK)
    }
}

/// Why somebody forces a list that would be refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForceReason(String);

impl ForceReason {
    /// A reason in words.
    ///
    /// # Errors
    /// `Config` when there are none.
    pub fn new(text: &str) -> Result<Self> {
        let text = text.trim();
        if !text.chars().any(char::is_alphanumeric) || text.chars().any(char::is_control) {
            return Err(Error::new(Kind::Config, "say in words why the list is forced; the reason is recorded"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A list that may come into force.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// What would have kept it out, and why somebody let it in; `None` when nothing would have.
    /// The caller records it.
    pub forced: Option<Forced>,
}

/// What was forced.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forced {
    /// Why.
    pub reason: ForceReason,
    /// What would have kept the list out.
    pub refusals: Vec<ImportRefusal>,
}

/// Why a list may not come into force.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum ImportRefusal {
    /// The format has a footer and the file has none.
    FooterMissing,
    /// The footer gives another count.
    FooterDiffers {
        /// The count of the footer.
        footer: u64,
        /// The lines that there are.
        lines: u64,
    },
    /// Too many lines have mistakes.
    Bad {
        /// Lines with mistakes.
        bad: u64,
        /// All lines.
        lines: u64,
        /// The first of the mistakes.
        first: Vec<LineProblem>,
    },
    /// In most lines the state or the date is none: the columns are others than those of the format.
    Columns {
        /// Lines with such a state or date.
        misplaced: u64,
        /// All lines.
        lines: u64,
        /// The first of the mistakes or remarks.
        first: Vec<LineProblem>,
    },
    /// It has no entries.
    Empty,
    /// It is dated in the future.
    Future {
        /// Its date.
        date: Timestamp,
        /// The time.
        now: Timestamp,
    },
    /// It is older than the list in force.
    Older {
        /// Its date.
        date: Timestamp,
        /// The date is that of its file: it has none of its own.
        of_file: bool,
        /// The date of the list in force.
        in_force: Timestamp,
    },
    /// It is much smaller than the list in force.
    Shrunk {
        /// Its entries.
        entries: u64,
        /// The entries of the list in force.
        in_force: u64,
        /// The share that may go, in percent.
        percent: f64,
    },
}

impl fmt::Display for ImportRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FooterMissing => f.write_str("it has no footer, so its end is missing"),
            Self::FooterDiffers { footer, lines } => {
                write!(f, "its footer counts {} and it has {lines}", count(*footer, "record"))
            }
            Self::Bad { bad, lines, first } => {
                write!(f, "{bad} of its {lines} lines have mistakes{}", the_first(first))
            }
            Self::Columns { misplaced, lines, first } => {
                write!(
                    f,
                    "its columns don't line up: in {misplaced} of its {lines} lines the place of the state or the "
                )?;
                write!(f, "date holds something else{}", the_first(first))
            }
            Self::Empty => f.write_str("it has no entries"),
            Self::Future { date, now } => {
                let (date, now) = (local(*date), local(*now));
                write!(f, "it is dated in the future: {date}, and it is {now}; a list with a true date would be older")
            }
            Self::Older { date, of_file, in_force } => {
                let whose = if *of_file { "its file is" } else { "it is" };
                let (date, in_force) = (local(*date), local(*in_force));
                write!(f, "{whose} of {date}, older than the list in force, which is of {in_force}")
            }
            Self::Shrunk { entries, in_force, percent } => {
                write!(f, "it has {} where the list in force has {in_force}, ", text::entries(*entries))?;
                write!(f, "and at most {percent} % may go at once")
            }
        }
    }
}

impl ImportRefusal {
    /// The same without the lines that are an example of it, for whoever has been shown them.
    pub fn brief(mut self) -> String {
        if let Self::Bad { first, .. } | Self::Columns { first, .. } = &mut self {
            first.clear();
        }
        self.to_string()
    }
}

fn the_first(problems: &[LineProblem]) -> String {
    let first: Vec<String> = problems.iter().map(LineProblem::to_string).collect();
    if first.is_empty() { String::new() } else { format!(". The first: {}", first.join("; ")) }
}

/// Decides whether a list may come into force.
///
/// # Errors
/// `Input` with everything that keeps it out, unless it is forced.
pub fn check(summary: &Summary, compared: &Compared, limits: &Limits, force: Option<ForceReason>) -> Result<Accepted> {
    let refusals = refusals(summary, compared, limits);
    if refusals.is_empty() {
        return Ok(Accepted { forced: None });
    }
    if let Some(reason) = force {
        return Ok(Accepted { forced: Some(Forced { reason, refusals }) });
    }
    let reasons: Vec<String> = refusals.iter().map(ImportRefusal::to_string).collect();
    Err(Error::new(Kind::Input, reasons.join("; ")))
}

/// Everything that keeps a list out; nothing when it may come into force.
pub fn refusals(summary: &Summary, compared: &Compared, limits: &Limits) -> Vec<ImportRefusal> {
    let report = &summary.report;
    let mut refusals = Vec::new();
    let with_plate = report.lines - report.set_aside;
    if report.misplaced > 1 && 2 * report.misplaced > with_plate {
        let misplaced = |p: &&LineProblem| ["state", "date"].contains(&p.field);
        let first = report.bad_lines.iter().chain(&report.noted_lines).filter(misplaced).take(3).cloned().collect();
        refusals.push(ImportRefusal::Columns { misplaced: report.misplaced, lines: report.lines, first });
    }
    if report.entries == 0 {
        refusals.push(ImportRefusal::Empty);
    }
    match summary.footer {
        Count::Missing if limits.footer => refusals.push(ImportRefusal::FooterMissing),
        Count::Of(footer) if limits.footer && footer != report.lines => {
            refusals.push(ImportRefusal::FooterDiffers { footer, lines: report.lines });
        }
        _ => {}
    }
    // One slip is allowed in a short list too, as long as anything is right.
    let slip = if limits.bad_share > 0.0 { 1.0 } else { 0.0 };
    let allowed = share(report.lines, limits.bad_share).max(slip);
    if report.bad > 0 && (report.bad as f64 > allowed || report.bad == report.lines) {
        let first = report.bad_lines.iter().take(5).cloned().collect();
        refusals.push(ImportRefusal::Bad { bad: report.bad, lines: report.lines, first });
    }
    if let (Some(date), Some(now)) = (summary.date, compared.clock())
        && date.duration_since(now) > MAX_AHEAD
    {
        refusals.push(ImportRefusal::Future { date, now });
    }
    let Some(current) = compared.in_force else { return refusals };
    let slack = if summary.date.is_none() { FILE_DATE_SLACK } else { SignedDuration::ZERO };
    if let (Some(date), Some(in_force)) = (compared.date(summary), current.date)
        && limits.older
        && in_force.duration_since(date) > slack
    {
        refusals.push(ImportRefusal::Older { date, of_file: summary.date.is_none(), in_force });
    }
    let gone = current.entries.saturating_sub(report.entries);
    if gone as f64 > share(current.entries, limits.shrink) {
        let percent = (limits.shrink * 1000.0).round() / 10.0;
        refusals.push(ImportRefusal::Shrunk { entries: report.entries, in_force: current.entries, percent });
    }
    refusals
}

/// A share of a count. A little is added, since 29 % of 100 would be below 29 otherwise.
fn share(of: u64, share: f64) -> f64 {
    of as f64 * share + 1e-6
}

#[cfg(test)]
mod tests {
    use super::super::entry::ImportReport;
    use super::*;

    fn list(entries: u64, bad: u64) -> Summary {
        let report = ImportReport { lines: entries + bad, entries, bad, ..ImportReport::default() };
        Summary { report, date: None, footer: Count::Unused }
    }

    fn of(summary: Summary, date: &str) -> Summary {
        Summary { date: Some(date.parse().unwrap()), ..summary }
    }

    fn against(in_force: ReplacedList) -> Compared {
        Compared { in_force: Some(in_force), ..Compared::default() }
    }

    fn refused(summary: &Summary, compared: &Compared) -> bool {
        check(summary, compared, &Limits::default(), None).is_err()
    }

    const NONE: Compared = Compared { in_force: None, file_date: None, now: None };

    #[test]
    fn one_mistake_in_a_thousand_lines_or_one_in_a_short_list_is_let_pass() {
        for (entries, bad, expected) in [
            (1998, 2, false),
            (1997, 3, true),
            (5, 1, false),
            (5, 2, true),
            (0, 1, true),
            (0, 0, true),
            (6993, 7, false),
        ] {
            assert_eq!(refused(&list(entries, bad), &NONE), expected, "{bad} bad, {entries} good");
        }
        let strict = Limits { bad_share: 0.0, ..Limits::default() };
        assert!(check(&list(5000, 1), &NONE, &strict, None).is_err());
        let lenient = Limits { bad_share: 0.5, ..Limits::default() };
        assert!(check(&list(5, 5), &NONE, &lenient, None).is_ok());
    }

    #[test]
    fn a_footer_that_counts_otherwise_or_is_missing_refuses_the_list() {
        for (footer, expected) in
            [(Count::Of(11), "counts 11 records and it has 10"), (Count::Missing, "end is missing")]
        {
            let cut = Summary { footer, ..list(10, 0) };
            let why = check(&cut, &NONE, &Limits::default(), None).unwrap_err();
            assert!(why.chain().contains(expected), "{why}");
            let limits = Limits { footer: false, ..Limits::default() };
            assert!(check(&cut, &NONE, &limits, None).is_ok());
        }
        assert!(!refused(&Summary { footer: Count::Of(10), ..list(9, 1) }, &NONE), "it counts all lines");
    }

    #[test]
    fn a_list_older_than_the_one_in_force_is_refused_and_the_same_one_is_not() {
        let noon = "2026-11-21T12:00:00Z";
        let current = against(ReplacedList { entries: 10, date: Some(noon.parse().unwrap()) });
        for (date, expected) in [("2026-11-21T11:59:00Z", true), (noon, false), ("2026-11-21T12:01:00Z", false)] {
            assert_eq!(refused(&of(list(10, 0), date), &current), expected, "{date}");
        }
        assert!(!refused(&list(10, 0), &current), "a list without a date can't be compared");
        let limits = Limits { older: false, ..Limits::default() };
        assert!(check(&of(list(10, 0), "2020-01-01T00:00:00Z"), &current, &limits, None).is_ok());
    }

    #[test]
    fn a_file_that_is_days_older_than_the_list_in_force_is_refused_where_the_list_has_no_date() {
        let at = |text: &str| Some(text.parse().unwrap());
        let current = ReplacedList { entries: 10, date: at("2026-11-21T12:00:00Z") };
        for (file, expected) in [
            ("2026-10-27T12:00:00Z", true),
            ("2026-11-20T11:00:00Z", true),
            ("2026-11-20T13:00:00Z", false),
            ("2026-11-22T12:00:00Z", false),
        ] {
            let compared = Compared { file_date: at(file), ..against(current) };
            assert_eq!(refused(&list(10, 0), &compared), expected, "{file}");
            assert!(!refused(&of(list(10, 0), "2026-11-21T12:00:00Z"), &compared), "the list's own date counts");
        }
        let ahead = Compared { file_date: at("2099-01-01T00:00:00Z"), now: at("2026-11-21T12:00:00Z"), in_force: None };
        assert_eq!(ahead.date(&list(10, 0)), ahead.now, "so that later ones are not older");
    }

    #[test]
    fn a_list_dated_in_the_future_is_refused_where_the_clock_is_trusted() {
        let compared = |now: &str| Compared { now: Some(now.parse().unwrap()), ..NONE };
        let dated = of(list(10, 0), "2099-01-01T00:00:00Z");
        let why = check(&dated, &compared("2026-11-21T12:00:00Z"), &Limits::default(), None).unwrap_err();
        assert!(why.chain().contains("dated in the future: "), "{why}");
        assert!(!refused(&dated, &compared("2098-12-31T12:00:00Z")) && !refused(&dated, &NONE));
        assert!(!refused(&dated, &compared("1970-01-01T00:05:00Z")), "a clock that is not set says nothing");
    }

    #[test]
    fn a_list_whose_states_or_dates_are_none_in_most_lines_is_refused_for_its_columns() {
        for (misplaced, entries, bad, expected) in
            [(6, 4, 6, true), (6, 10, 0, true), (5, 10, 0, false), (1, 1, 0, false)]
        {
            let mut summary = list(entries, bad);
            summary.report.misplaced = misplaced;
            let lenient = Limits { bad_share: 1.0, ..Limits::default() };
            let why = check(&summary, &NONE, &lenient, None);
            assert_eq!(why.is_err_and(|e| e.chain().contains("columns don't line up")), expected, "{misplaced}");
        }
    }

    #[test]
    fn a_list_that_lost_more_than_a_fifth_is_refused_and_an_empty_one_always() {
        let current = against(ReplacedList { entries: 100, date: None });
        for (entries, expected) in [(80, false), (79, true), (0, true), (100, false), (1000, false)] {
            assert_eq!(refused(&list(entries, 0), &current), expected, "{entries}");
        }
        assert!(refused(&list(0, 0), &against(ReplacedList { entries: 0, date: None })));
        let why = check(&list(0, 0), &NONE, &Limits::default(), None).unwrap_err();
        assert!(why.chain().contains("it has no entries"), "{why}");
        let limits = Limits { shrink: 0.29, ..Limits::default() };
        assert!(check(&list(71, 0), &current, &limits, None).is_ok());
    }

    #[test]
    fn forcing_takes_a_reason_and_tells_what_was_forced() {
        assert!(
            ForceReason::new(" ").is_err()
                && ForceReason::new("--").is_err()
                && ForceReason::new("a\u{1b}[2J").is_err()
        );
        let reason = ForceReason::new(" purge at the source, told by phone ").unwrap();
        let current = against(ReplacedList { entries: 100, date: Some("2026-11-21T12:00:00Z".parse().unwrap()) });
        let small = of(list(10, 0), "2026-11-20T12:00:00Z");
        let forced = check(&small, &current, &Limits::default(), Some(reason.clone())).unwrap().forced.unwrap();
        assert_eq!(forced.reason.as_str(), "purge at the source, told by phone");
        assert!(matches!(
            forced.refusals[..],
            [ImportRefusal::Older { .. }, ImportRefusal::Shrunk { entries: 10, .. }]
        ));
        let fine = check(&list(100, 0), &current, &Limits::default(), Some(reason)).unwrap();
        assert_eq!(fine.forced, None, "nothing was forced");
    }
}
