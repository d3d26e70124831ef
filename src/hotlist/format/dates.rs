//! Dates as lists write them: by the formats of a map, and by the forms that are common.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{Offset, TimeZone};

/// How a file writes its dates.
#[derive(Debug)]
pub struct Dates {
    formats: Vec<String>,
    /// A map of the list says that days stand before months.
    day_first: bool,
    zone: TimeZone,
}

/// What a text says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Written {
    /// A moment, with its offset from UTC.
    Moment(Timestamp),
    /// A time by the clocks of the list's zone.
    Clock(DateTime),
    /// A whole day.
    Day(Date),
}

/// What a year of two digits means.
#[derive(Clone, Copy, PartialEq)]
enum Century {
    /// From 1969 to 2068, as POSIX has it.
    Usual,
    /// From 2000 to 2099: an end "12/31/99" lies ahead.
    Ours,
}

/// The year that sources write for "never".
const NEVER: i16 = 9999;
/// How a moment in it begins.
const NEVER_BEGINS: &str = "9999-12-3";
/// The end of what never ends, 9999-12-30T00:00:00Z: a whole second that every form of a time holds.
const END_OF_TIME: Timestamp = Timestamp::constant(253_402_128_000, 0);

impl Dates {
    /// `formats` as for strptime; `zone` is an IANA name, or the system's zone.
    ///
    /// # Errors
    /// The zone that is not known.
    pub fn new(formats: &[String], zone: Option<&str>) -> Result<Self, String> {
        let zone = match zone {
            None => TimeZone::system(),
            Some(name) => TimeZone::get(name)
                .map_err(|_| format!("the time zone {name} is not known here; is the package tzdata installed?"))?,
        };
        let place = |format: &str, marks: [&str; 2]| marks.iter().filter_map(|m| format.find(m)).min();
        let day_first = formats.iter().any(|f| {
            let (day, month) = (place(f, ["%d", "%e"]), place(f, ["%m", "%b"]));
            matches!((day, month), (Some(day), Some(month)) if day < month && !f.contains("%b"))
        });
        Ok(Self { formats: formats.to_vec(), day_first, zone })
    }

    /// A date as `2026-11-02`, with its time where it has one, by the clocks of the list's zone;
    /// `None` when it is not written in any form that is known.
    pub fn day(&self, text: &str) -> Option<String> {
        Some(match self.read(text, Century::Usual)? {
            Written::Day(day) => day.to_string(),
            Written::Clock(time) => time.to_string(),
            Written::Moment(moment) => moment.to_zoned(self.zone.clone()).datetime().to_string(),
        })
    }

    /// The moment in a header.
    pub fn moment(&self, format: &str, text: &str) -> Option<Timestamp> {
        let at = BrokenDownTime::parse(format, text).ok()?.to_datetime().ok()?;
        Some(at.to_zoned(self.zone.clone()).ok()?.timestamp())
    }

    /// The moment from which an entry is wanted; a day begins with its first moment.
    pub fn start(&self, text: &str) -> Option<Timestamp> {
        match self.read(text, Century::Usual)? {
            Written::Moment(moment) => Some(moment),
            Written::Clock(time) => Some(self.zone.to_ambiguous_zoned(time).earlier().ok()?.timestamp()),
            Written::Day(day) => Some(day.to_zoned(self.zone.clone()).ok()?.timestamp()),
        }
    }

    /// The moment from which an entry is no longer wanted. A day without a time counts whole; an
    /// end in the year 9999 is the end of the calendar.
    pub fn end(&self, text: &str) -> Option<Timestamp> {
        let Some(written) = self.read(text, Century::Ours) else {
            // A moment in the last hours of the calendar, which no timestamp holds.
            return text.trim().starts_with(NEVER_BEGINS).then_some(END_OF_TIME);
        };
        match written {
            Written::Moment(moment) => Some(moment.min(END_OF_TIME)),
            Written::Clock(time) if time.year() == NEVER => Some(END_OF_TIME),
            Written::Clock(time) => Some(self.zone.to_ambiguous_zoned(time).later().ok()?.timestamp()),
            Written::Day(day) if day.year() == NEVER => Some(END_OF_TIME),
            Written::Day(day) => Some(day.tomorrow().ok()?.to_zoned(self.zone.clone()).ok()?.timestamp()),
        }
    }

    fn read(&self, text: &str, century: Century) -> Option<Written> {
        let text = text.trim();
        let by_map = self.formats.iter().find_map(|format| {
            let parsed = BrokenDownTime::parse(format, text).ok()?;
            let short = format.contains("%y") && century == Century::Ours;
            let full = |day: Date| match day.year() {
                ..2000 if short => day.with().year(day.year() + 100).build().ok(),
                _ => Some(day),
            };
            match parsed.hour() {
                Some(_) => {
                    let time = parsed.to_datetime().ok()?;
                    Some(Written::Clock(full(time.date())?.to_datetime(time.time())))
                }
                None => Some(Written::Day(full(parsed.to_date().ok()?)?)),
            }
        });
        by_map.or_else(|| common(text, self.day_first, century))
    }
}

/// Whether a text in the place of a date says that there is none: zeros, or a word such as NCIC's
/// `NONEXP`.
pub fn is_none(text: &str) -> bool {
    const WORDS: [&str; 9] = ["NONE", "NEVER", "NONEXP", "INDEFINITE", "PERMANENT", "NULL", "NIL", "N/A", "NA"];
    let text = text.trim();
    let zeros = text.contains('0') && text.chars().all(|c| "0/-.: T".contains(c));
    zeros || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Reads the common forms: RFC 3339, `2026-11-02`, `20261102`, `11/2/2026`, `11/02/26`, `2-Nov-2026`,
/// `Nov 2, 2026`, each also with a time of day of 12 or 24 hours and a zone.
fn common(text: &str, day_first: bool, century: Century) -> Option<Written> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(Written::Moment(moment));
    }
    let (day, rest) = date(text, day_first, century)?;
    let rest = rest.trim_start_matches([' ', 'T', 't', ',']).trim_end();
    if rest.is_empty() {
        return Some(Written::Day(day));
    }
    let (time, rest) = time(rest)?;
    let at = match time {
        None => day.tomorrow().ok()?.to_datetime(Time::midnight()),
        Some(time) => day.to_datetime(time),
    };
    match rest.trim() {
        "" => Some(Written::Clock(at)),
        zone => Some(Written::Moment(offset(zone)?.to_timestamp(at).ok()?)),
    }
}

/// The date at the beginning of a text, and what follows it.
fn date(text: &str, day_first: bool, century: Century) -> Option<(Date, &str)> {
    let (first, rest) = token(text)?;
    if first.len() >= 8 && first.bytes().all(|b| b.is_ascii_digit()) {
        // Eight digits, or twelve or fourteen with the time.
        let (day, time) = text.split_at(8);
        matches!(first.len(), 8 | 12 | 14).then_some(())?;
        return Some((compact(day)?, time));
    }
    let (rest, first_mark) = mark(rest);
    let (second, rest) = token(rest)?;
    let (rest, second_mark) = mark(rest);
    let (third, rest) = token(rest)?;
    let named = |text: &str| month(text);
    let numbers = [first, second, third].map(|t| t.parse::<i16>().ok());
    let (year, month, day) = match (named(first), named(second)) {
        (Some(month), None) => (third, month, numbers[1]?),
        (None, Some(month)) if first.len() == 4 => (first, month, numbers[2]?),
        (None, Some(month)) => (third, month, numbers[0]?),
        (Some(_), Some(_)) => return None,
        (None, None) => {
            // All numbers: the two marks are the same, and none is a space.
            if first_mark != second_mark || !matches!(first_mark, Some('/' | '-' | '.')) || second.len() > 2 {
                return None;
            }
            let small = |n: usize| numbers[n].and_then(|n| i8::try_from(n).ok());
            match (first.len(), third.len()) {
                (4, 1 | 2) => (first, small(1)?, numbers[2]?),
                (1 | 2, 2 | 4) if day_first => (third, small(1)?, numbers[0]?),
                // With dots it may be day first, as in Europe.
                (1 | 2, 2 | 4) if first_mark != Some('.') => (third, small(0)?, numbers[1]?),
                _ => return None,
            }
        }
    };
    let year = match (year.len(), year.parse::<i16>().ok()?) {
        (4, year) => year,
        (2, year @ 69..) if century == Century::Usual => 1900 + year,
        (2, year) => 2000 + year,
        _ => return None,
    };
    Some((Date::new(year, month, i8::try_from(day).ok()?).ok()?, rest))
}

/// `yyyymmdd`, or `mmddyyyy`, which can't be mistaken for it: no month is 19 or 20.
fn compact(digits: &str) -> Option<Date> {
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
    let date = |y, m, d| Date::new(y?, i8::try_from(m?).ok()?, i8::try_from(d?).ok()?).ok();
    let year_first =
        date(part(0..4), part(4..6), part(6..8)).filter(|d| (1900..2200).contains(&d.year()) || d.year() == NEVER);
    year_first.or_else(|| date(part(4..8), part(0..2), part(2..4)).filter(|d| (1900..2200).contains(&d.year())))
}

/// Digits or letters at the beginning of a text, and what follows.
fn token(text: &str) -> Option<(&str, &str)> {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| if digits { !c.is_ascii_digit() } else { !c.is_ascii_alphabetic() });
    let (token, rest) = text.split_at(end.unwrap_or(text.len()));
    (!token.is_empty()).then_some((token, rest))
}

/// The mark between two parts of a date, and what follows it and its spaces.
fn mark(text: &str) -> (&str, Option<char>) {
    let trimmed = text.trim_start();
    match trimmed.chars().next() {
        Some(c @ ('/' | '-' | '.' | ',')) => (trimmed[1..].trim_start(), Some(c)),
        _ => (trimmed, None),
    }
}

fn month(text: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "JANUARY",
        "FEBRUARY",
        "MARCH",
        "APRIL",
        "MAY",
        "JUNE",
        "JULY",
        "AUGUST",
        "SEPTEMBER",
        "OCTOBER",
        "NOVEMBER",
        "DECEMBER",
    ];
    let text = text.to_ascii_uppercase();
    let known = MONTHS.iter().position(|m| {
        *m == text || (text.len() == 3 && m.starts_with(&text)) || text == "SEPT" && m.starts_with("SEPT")
    });
    known.and_then(|at| i8::try_from(at + 1).ok())
}

/// A time of day at the beginning of a text, and what follows; the time is `None` for 24:00.
fn time(text: &str) -> Option<(Option<Time>, &str)> {
    let (first, rest) = token(text)?;
    let (parts, rest) = match first.len() {
        4 | 6 => {
            let seconds = if first.len() == 6 { &first[4..] } else { "0" };
            ([&first[..2], &first[2..4], seconds], rest)
        }
        1 | 2 if rest.starts_with(':') => {
            let (minutes, rest) = token(&rest[1..])?;
            match rest.strip_prefix(':') {
                Some(rest) => {
                    let (seconds, rest) = token(rest)?;
                    ([first, minutes, seconds], fraction(rest))
                }
                None => ([first, minutes, "0"], rest),
            }
        }
        // "6 PM"
        1 | 2 => ([first, "0", "0"], rest),
        _ => return None,
    };
    let [hour, minute, second] = parts.map(|p| p.parse::<i8>().ok());
    let (hour, minute, second) = (hour?, minute?, second?);
    let (half, after) = half(rest.trim_start());
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
        None if parts[1] == "0" && first.len() <= 2 && !text.contains(':') => return None,
        None => hour,
    };
    let rest = if half.is_some() { after } else { rest };
    if (hour, minute, second) == (24, 0, 0) {
        return Some((None, rest));
    }
    Some((Some(Time::new(hour, minute, second, 0).ok()?), rest))
}

/// What follows the fraction of a second, which does not count.
fn fraction(text: &str) -> &str {
    text.strip_prefix('.').map_or(text, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// `Some(true)` for PM, `Some(false)` for AM, and what follows.
fn half(text: &str) -> (Option<bool>, &str) {
    for (word, afternoon) in [("p.m.", true), ("a.m.", false), ("pm", true), ("am", false), ("p", true), ("a", false)] {
        if let Some(start) = text.get(..word.len())
            && start.eq_ignore_ascii_case(word)
            && !text[word.len()..].starts_with(|c: char| c.is_ascii_alphabetic())
        {
            return (Some(afternoon), &text[word.len()..]);
        }
    }
    (None, text)
}

/// The offset that a zone of North America, or a number, stands for.
fn offset(zone: &str) -> Option<Offset> {
    const ZONES: [(&str, i8); 14] = [
        ("Z", 0),
        ("UTC", 0),
        ("GMT", 0),
        ("AST", -4),
        ("ADT", -3),
        ("EST", -5),
        ("EDT", -4),
        ("CST", -6),
        ("CDT", -5),
        ("MST", -7),
        ("MDT", -6),
        ("PST", -8),
        ("PDT", -7),
        ("HST", -10),
    ];
    if let Some((_, hours)) = ZONES.iter().find(|(name, _)| name.eq_ignore_ascii_case(zone)) {
        return Offset::from_hours(*hours).ok();
    }
    let negative = zone.starts_with('-');
    let digits: String = zone.strip_prefix(['-', '+'])?.chars().filter(|c| *c != ':').collect();
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i32>().ok();
    let seconds = match digits.len() {
        2 => number(0..2)? * 3600,
        4 => number(0..2)? * 3600 + number(2..4)? * 60,
        _ => return None,
    };
    Offset::from_seconds(if negative { -seconds } else { seconds }).ok()
}

/// Whether a format is one: writing a date by it shows whether its directives are known.
///
/// # Errors
/// The format and what is wrong with it.
pub fn check(format: &str) -> Result<(), String> {
    let some_day = DateTime::constant(2026, 11, 2, 9, 30, 0, 0);
    BrokenDownTime::from(some_day)
        .to_string(format)
        .map(|_| ())
        .map_err(|why| format!("\"{format}\" is no way to write a date: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dates(formats: &[&str]) -> Dates {
        let formats: Vec<String> = formats.iter().map(|f| (*f).to_owned()).collect();
        Dates::new(&formats, Some("America/Los_Angeles")).unwrap()
    }

    #[test]
    fn dates_of_several_forms_become_one_form() {
        let dates = dates(&["%Y%m%d", "%m/%d/%y %H:%M"]);
        assert_eq!(dates.day("20261102").unwrap(), "2026-11-02");
        assert_eq!(dates.day("11/02/26 09:30").unwrap(), "2026-11-02T09:30:00");
        for wrong in ["20261302", "20260231", "2026110", "0180627", "", "00000000", "2026113X"] {
            assert_eq!(dates.day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_are_read_in_each_form_that_lists_use() {
        let dates = dates(&[]);
        for text in [
            "11/2/2026",
            "11/02/2026",
            "11/02/26",
            "11-2-2026",
            "2026-11-02",
            "2026-11-2",
            "2026/11/02",
            "20261102",
            "11022026",
            "2026.11.02",
            "2-Nov-2026",
            "02NOV2026",
            "02-NOV-26",
            "Nov 2, 2026",
            "November 2 2026",
            " 11/2/2026 ",
        ] {
            assert_eq!(dates.day(text).as_deref(), Some("2026-11-02"), "{text}");
        }
        for no in [
            "soon",
            "11/2",
            "13/45/2026",
            "2/30/2026",
            "25/11/2026",
            "02.11.2026",
            "11/2/202",
            "1/2/3",
            "46327",
            "2026-11",
            "11 2 2026",
            "11/02-2026",
            "Nov",
            "11/2/2026 x",
            "11/2/2026 25:00",
            "11/2/2026 13:00 PM",
            "11/2/2026 6",
        ] {
            assert_eq!(dates.day(no), None, "{no}");
        }
    }

    #[test]
    fn times_are_read_with_12_and_24_hours_and_with_a_zone() {
        let dates = dates(&[]);
        for (text, expected) in [
            ("11/2/2026 6:05", "2026-11-02T06:05:00"),
            ("11/02/2026 06:05 PM", "2026-11-02T18:05:00"),
            ("11/2/2026 12:00:00 AM", "2026-11-02T00:00:00"),
            ("11/2/2026 12:30pm", "2026-11-02T12:30:00"),
            ("11/2/2026 6 p.m.", "2026-11-02T18:00:00"),
            ("2026-11-02 1805", "2026-11-02T18:05:00"),
            ("2026-11-02T18:05:09.250", "2026-11-02T18:05:09"),
            ("202611021805", "2026-11-02T18:05:00"),
            ("20261102180509", "2026-11-02T18:05:09"),
            ("11/2/2026 24:00", "2026-11-03T00:00:00"),
            ("2026-11-03T02:05:00Z", "2026-11-02T18:05:00"),
            ("11/2/2026 21:05 EST", "2026-11-02T18:05:00"),
            ("11/2/2026 6:05 PM -0800", "2026-11-02T18:05:00"),
        ] {
            assert_eq!(dates.day(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_time_of_a_header_is_of_the_zone_of_its_source() {
        let moment = |text| dates(&[]).moment("DATE%m/%d/%Y %H:%M", text).map(|t| t.to_string());
        assert_eq!(moment("DATE11/21/2026 08:00").unwrap(), "2026-11-21T16:00:00Z");
        assert_eq!(moment("DATE07/02/2018 09:00").unwrap(), "2018-07-02T16:00:00Z");
        assert_eq!(moment("DATE07/02/2018"), None);
    }

    #[test]
    fn a_last_day_counts_whole_and_a_first_day_from_its_midnight() {
        let dates = dates(&[]);
        let end = |text| dates.end(text).map(|t| t.to_string());
        assert_eq!(end("2026-11-21").unwrap(), "2026-11-22T08:00:00Z");
        assert_eq!(end("11/1/2026").unwrap(), "2026-11-02T08:00:00Z", "the day on which the clocks change");
        assert_eq!(end("2026-11-21T18:00").unwrap(), "2026-11-22T02:00:00Z");
        assert_eq!(end("11/21/2026 6:00 PM").unwrap(), "2026-11-22T02:00:00Z");
        assert_eq!(end("2026-11-21T18:00:00Z").unwrap(), "2026-11-21T18:00:00Z");
        assert_eq!(end("11/1/2026 1:30").unwrap(), "2026-11-01T09:30:00Z", "the later of two");
        assert_eq!(end("12/31/99").unwrap(), "2100-01-01T08:00:00Z", "an end lies ahead");
        for text in
            ["12/31/9999", "9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-08:00", "9999-12-30T22:00:00Z"]
        {
            assert_eq!(dates.end(text), Some(END_OF_TIME), "{text}");
        }
        assert_eq!(end("tomorrow"), None);
        let start = |text| dates.start(text).map(|t| t.to_string());
        assert_eq!(start("11/21/2026").unwrap(), "2026-11-21T08:00:00Z");
        assert_eq!(start("12/31/99").unwrap(), "1999-12-31T08:00:00Z");
    }

    #[test]
    fn a_map_may_put_the_day_first() {
        let dates = dates(&["%d/%m/%Y"]);
        assert_eq!(dates.day("02/11/2026 18:00").unwrap(), "2026-11-02T18:00:00");
        assert_eq!(dates.day("11/25/2026"), None);
    }

    #[test]
    fn words_and_zeros_say_that_there_is_no_date() {
        assert!(["00000000", "0", "00/00/0000", "NONEXP", "never", "N/A"].iter().all(|t| is_none(t)));
        assert!(!["", "11/02/2026", "soon", "/"].iter().any(|t| is_none(t)));
    }

    #[test]
    fn an_unknown_format_or_zone_is_refused() {
        assert!(check("%Y-%K").unwrap_err().contains("%Y-%K"));
        assert!(Dates::new(&[], Some("California")).unwrap_err().contains("California"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9/:. TtZaApPmM+-]{0,24}|\\PC{0,24}") {
            let dates = dates(&[]);
            let _ = (dates.day(&text), dates.start(&text), dates.end(&text), is_none(&text));
        }

        #[test]
        fn each_day_reads_back_in_each_form(y in 1970..2100i16, m in 1..=12i8, d in 1..=28i8) {
            let dates = dates(&[]);
            let expected = Date::new(y, m, d).unwrap().to_string();
            for text in [
                format!("{m}/{d}/{y}"), format!("{m:02}/{d:02}/{y}"), format!("{y}-{m:02}-{d:02}"),
                format!("{y}{m:02}{d:02}"), format!("{m}-{d}-{y}"),
            ] {
                let read = dates.day(&text);
                prop_assert_eq!(read.as_deref(), Some(expected.as_str()), "{}", text);
            }
        }
    }
}
