//! Figures over days: reads, hits, cameras. They hold no plate.

use super::site::{Routes, Visit};
use crate::archive::DayCount;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Span;
use jiff::civil::Date;
use plated_access::Role;
use plated_core::error::{Error, Kind, Result};
use plated_portal::{Needs, blocking, draw, words};
use plated_web::bars::Bars;
use plated_web::pages::{CameraFigures, StatisticsPage};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Form, Health, Input, Link, Message};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Who sees figures.
pub const ROLES: [Role; 4] = [Role::Supervisor, Role::Administrator, Role::Auditor, Role::Custodian];
/// Days that are shown at first.
const DAYS: i64 = 30;
/// Most days at a time.
const MAX_DAYS: i32 = 3700;
/// More days than these are summed up by weeks, and more than those by months.
const MAX_SINGLE: i32 = 62;
const MAX_WEEKS: i32 = 370;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/statistics", Needs::Session, page).get("/statistics.csv", Needs::Session, csv)
}

/// The days that were asked for, and what is wrong with them.
struct Asked {
    first: Date,
    last: Date,
    wrong: Option<String>,
}

fn asked(visit: &Visit) -> Asked {
    let today = visit.station.clock.wall().to_zoned(jiff::tz::TimeZone::UTC).date();
    let before = |days: i64| today.checked_sub(Span::new().days(days)).unwrap_or(today);
    let usual = |wrong: Option<&str>| Asked { first: before(DAYS - 1), last: today, wrong: wrong.map(str::to_owned) };
    let day = |name: &str, default: Date| match visit.query.get(name) {
        "" => Some(default),
        text => text.parse::<Date>().ok(),
    };
    match (day("from", before(DAYS - 1)), day("until", today)) {
        (Some(first), Some(last)) if first > last => usual(Some("The first day is after the last.")),
        (Some(first), Some(last)) if days(first, last) > MAX_DAYS => usual(Some("That are more than ten years.")),
        (Some(first), Some(last)) => Asked { first, last, wrong: None },
        _ => usual(Some("That is no day.")),
    }
}

/// How many days, both ends included.
fn days(first: Date, last: Date) -> i32 {
    (last - first).get_days() + 1
}

async fn counts(visit: &Visit, first: Date, last: Date) -> Result<Vec<DayCount>, Problem> {
    let role = visit.visitor()?.role();
    if !ROLES.contains(&role) {
        return Err(Error::new(Kind::Forbidden, format!("the role {role} may not see statistics")).into());
    }
    let station = visit.station.clone();
    blocking(move || Ok(station.archive.statistics(first, last)?.days)).await
}

async fn page(visit: Visit) -> Result<Response, Problem> {
    let Asked { first, last, wrong } = asked(&visit);
    let counts = counts(&visit, first, last).await?;
    let mut frame = visit.frame("Statistics", "Statistics").await?;
    frame.messages.extend(wrong.map(|text| Message { health: Health::Bad, text }));
    let (reads, hits) = counts.iter().fold((0, 0), |(r, h), of| (r + of.reads, h + of.hits));
    let find = Form {
        action: "/statistics".into(),
        button: "Show".into(),
        fields: vec![
            Field::new(Input::Date, "from", "From").value(first.to_string()),
            Field::new(Input::Date, "until", "Until").value(last.to_string()),
        ],
        ..Form::default()
    };
    let facts = vec![
        Fact::new("Days", words::number(u64::from(days(first, last).unsigned_abs()))),
        Fact::new("Reads", words::number(reads)),
        Fact::new("With a hit", words::number(hits)),
        Fact::new("Share", share(hits, reads)),
    ];
    let (step, over) = match days(first, last) {
        n if n <= MAX_SINGLE => (Step::Day, "day"),
        n if n <= MAX_WEEKS => (Step::Week, "week"),
        _ => (Step::Month, "month"),
    };
    let bars = |what: &str, of: fn(&DayCount) -> u64, all: u64| Bars {
        summary: format!("{what} on each {over}: {} in all.", words::number(all)),
        values: over_time(&counts, first, last, step, of),
    };
    let page = StatisticsPage {
        frame,
        find,
        facts,
        reads: bars("Reads", |of| of.reads, reads),
        hits: bars("Reads with a hit", |of| of.hits, hits),
        rows: by_camera(&counts, days(first, last)),
        csv: Link::new("As a table", format!("/statistics.csv?from={first}&until={last}")),
    };
    Ok(draw(&page)?.into_response())
}

/// Over what is summed up.
#[derive(Clone, Copy)]
enum Step {
    Day,
    Week,
    Month,
}

impl Step {
    /// The first day of what this day belongs to.
    fn begin(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(Span::new().days(since)).unwrap_or(day)
            }
            Self::Month => day.first_of_month(),
        }
    }

    fn next(self, day: Date) -> Option<Date> {
        let span = match self {
            Self::Day => Span::new().days(1),
            Self::Week => Span::new().weeks(1),
            Self::Month => Span::new().months(1),
        };
        day.checked_add(span).ok()
    }

    fn label(self, day: Date) -> String {
        match self {
            Self::Day | Self::Week => day.strftime("%-d %b").to_string(),
            Self::Month => day.strftime("%b %Y").to_string(),
        }
    }
}

fn over_time(counts: &[DayCount], first: Date, last: Date, step: Step, of: fn(&DayCount) -> u64) -> Vec<(String, u64)> {
    let mut sums: BTreeMap<Date, u64> = BTreeMap::new();
    let mut at = Some(step.begin(first));
    while let Some(day) = at.filter(|day| *day <= last) {
        sums.insert(day, 0);
        at = step.next(day);
    }
    for count in counts {
        *sums.entry(step.begin(count.day)).or_default() += of(count);
    }
    sums.into_iter().map(|(day, sum)| (step.label(day), sum)).collect()
}

fn by_camera(counts: &[DayCount], days: i32) -> Vec<CameraFigures> {
    let mut sums: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for of in counts {
        let sum = sums.entry((&of.vehicle, &of.camera)).or_default();
        *sum = (sum.0 + of.reads, sum.1 + of.hits);
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, (reads, _))| std::cmp::Reverse(*reads));
    let row = |((vehicle, camera), (reads, hits)): ((&str, &str), (u64, u64))| CameraFigures {
        vehicle: vehicle.to_owned(),
        camera: camera.to_owned(),
        reads: words::number(reads),
        hits: words::number(hits),
        share: share(hits, reads),
        daily: format!("{:.1}", reads as f64 / f64::from(days.max(1))),
    };
    sums.into_iter().map(row).collect()
}

/// Hits in reads, in percent.
pub fn share(hits: u64, reads: u64) -> String {
    if reads == 0 { "–".into() } else { format!("{:.2} %", 100.0 * hits as f64 / reads as f64) }
}

/// All figures, a line for each day, camera and class.
async fn csv(visit: Visit) -> Result<Response, Problem> {
    let Asked { first, last, .. } = asked(&visit);
    let mut text = String::from("day,vehicle,camera,class,reads,hits\r\n");
    for of in counts(&visit, first, last).await? {
        // Names of vehicles are plain; that of a camera is what a vehicle says.
        let camera = of.camera.replace('"', "\"\"");
        let quote = if camera.starts_with(['=', '+', '-', '@', '\t']) { "'" } else { "" };
        let (class, reads, hits) = (of.class.as_str(), of.reads, of.hits);
        let _ = write!(text, "{},{},\"{quote}{camera}\",{class},{reads},{hits}\r\n", of.day, of.vehicle);
    }
    let about = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"statistics-{first}-{last}.csv\"")),
    ];
    Ok((about, text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Class;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn count(at: &str, camera: &str, reads: u64, hits: u64) -> DayCount {
        DayCount { day: day(at), vehicle: "unit-7".into(), camera: camera.into(), class: Class::NoHit, reads, hits }
    }

    #[test]
    fn days_without_reads_stand_in_the_chart_and_weeks_and_months_are_summed_up() {
        let counts = [count("2026-11-02", "front", 5, 1), count("2026-11-04", "front", 7, 0)];
        let (first, last) = (day("2026-11-02"), day("2026-11-05"));
        let daily = over_time(&counts, first, last, Step::Day, |of| of.reads);
        assert_eq!(daily.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [5, 0, 7, 0]);
        assert_eq!(over_time(&counts, first, last, Step::Week, |of| of.reads), [("2 Nov".to_owned(), 12)]);
        assert_eq!(over_time(&counts, first, last, Step::Month, |of| of.hits), [("Nov 2026".to_owned(), 1)]);
        let rows = by_camera(&[count("2026-11-02", "a", 1, 0), count("2026-11-02", "b", 8, 2)], 4);
        assert_eq!((rows[0].camera.as_str(), rows[0].share.as_str(), rows[0].daily.as_str()), ("b", "25.00 %", "2.0"));
    }
}
