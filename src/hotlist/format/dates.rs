//! Dates as lists write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

/// How a file writes its dates.
#[derive(Debug)]
pub struct Dates {
    formats: Vec<String>,
    zone: TimeZone,
}

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
        Ok(Self { formats: formats.to_vec(), zone })
    }

    /// A date as `2026-11-02`, with its time where it has one; `None` when no format fits. Where
    /// there is no format, any text is a date.
    pub fn day(&self, text: &str) -> Option<String> {
        if self.formats.is_empty() {
            return Some(text.to_owned());
        }
        self.formats.iter().find_map(|format| {
            let parsed = BrokenDownTime::parse(format, text).ok()?;
            match parsed.hour() {
                Some(_) => Some(parsed.to_datetime().ok()?.to_string()),
                None => Some(parsed.to_date().ok()?.to_string()),
            }
        })
    }

    /// The moment in a header.
    pub fn moment(&self, format: &str, text: &str) -> Option<Timestamp> {
        let at = BrokenDownTime::parse(format, text).ok()?.to_datetime().ok()?;
        Some(at.to_zoned(self.zone.clone()).ok()?.timestamp())
    }

    /// The moment from which an entry is no longer wanted. A day without a time counts whole.
    pub fn end(&self, text: &str) -> Option<Timestamp> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(moment);
        }
        let day = self.day(text)?;
        let at = match (day.parse::<Date>(), day.contains(':')) {
            (Ok(date), false) => date.tomorrow().ok()?.to_datetime(jiff::civil::Time::midnight()),
            _ => day.parse::<DateTime>().ok()?,
        };
        Some(at.to_zoned(self.zone.clone()).ok()?.timestamp())
    }
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

    fn dates(formats: &[&str]) -> Dates {
        let formats: Vec<String> = formats.iter().map(|f| (*f).to_owned()).collect();
        Dates::new(&formats, Some("America/Los_Angeles")).unwrap()
    }

    #[test]
    fn dates_of_several_forms_become_one_form() {
        let dates = dates(&["%Y%m%d", "%m/%d/%y %H:%M"]);
        assert_eq!(dates.day("20261102").unwrap(), "2026-11-02");
        assert_eq!(dates.day("11/02/26 09:30").unwrap(), "2026-11-02T09:30:00");
        for wrong in ["20261302", "20260231", "2026110", "", "00000000"] {
            assert_eq!(dates.day(wrong), None, "{wrong}");
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
    fn a_last_day_counts_whole() {
        let dates = dates(&[]);
        let end = |text| dates.end(text).map(|t| t.to_string());
        assert_eq!(end("2026-11-21").unwrap(), "2026-11-22T08:00:00Z");
        assert_eq!(end("2026-11-21T18:00").unwrap(), "2026-11-22T02:00:00Z");
        assert_eq!(end("2026-11-21T18:00:00Z").unwrap(), "2026-11-21T18:00:00Z");
        assert_eq!(end("tomorrow"), None);
    }

    #[test]
    fn an_unknown_format_or_zone_is_refused() {
        assert!(check("%Y-%K").unwrap_err().contains("%Y-%K"));
        assert!(Dates::new(&[], Some("California")).unwrap_err().contains("California"));
    }
}
