//! Figures by month, for everybody. No plate, no name of a person and of no covert list is in them.

use crate::archive::Engine;
use crate::audits::{AuditReport, Finding, Span};
use crate::rows::Rows;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use plated_core::error::Result;
use plated_core::signing::{PublicKey, Trust};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

/// Months that are shown, the one that goes on included.
const MONTHS: i64 = 13;

/// What happened in a month (UTC).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Month {
    /// Reads that were made.
    pub reads: u64,
    /// Those of them with a hit.
    pub hits: u64,
    /// What officers found about hits, by the finding's word.
    pub found: BTreeMap<String, u64>,
    /// Looks of people at reads, hits and lists, by purpose; empty for none that is named.
    pub looks: BTreeMap<String, u64>,
    /// Audits that were closed.
    pub audits: u64,
    /// Accesses and reads that were looked at in them.
    pub audited: u64,
    /// Those of them that were wrong.
    pub wrong: u64,
    /// Requests of other agencies.
    pub requests: u64,
    /// Those of them that were approved.
    pub approved: u64,
    /// Reads that left by requests of this month.
    pub released: u64,
}

/// Figures of the last year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// By the first day of the month, the newest last.
    pub months: Vec<(Date, Month)>,
    /// Lists that vehicles compare with now, and their entries; no covert ones.
    pub lists: Vec<(String, u64)>,
}

impl Figures {
    /// Counts all of it. Blocks.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn count(archive: &dyn Engine, covert: &[String], reports: PublicKey, now: Timestamp) -> Result<Self> {
        let last = now.to_zoned(TimeZone::UTC).date();
        let first = last.first_of_month().saturating_sub(jiff::Span::new().months(MONTHS - 1));
        let mut months: BTreeMap<Date, Month> = BTreeMap::new();
        let mut month = first;
        while month <= last {
            months.insert(month, Month::default());
            month = month.saturating_add(jiff::Span::new().months(1));
        }
        for day in archive.statistics(first, last)?.days {
            if let Some(month) = months.get_mut(&day.day.first_of_month()) {
                (month.reads, month.hits) = (month.reads + day.reads, month.hits + day.hits);
            }
        }
        let mut rows = archive.database().lock().unwrap_or_else(PoisonError::into_inner);
        let lists = rows.read(|rows| {
            of_people(rows, &mut months, Span { first, last, until: now })?;
            of_audits(rows, &mut months, &Trust::only([reports]))?;
            open_lists(rows, covert)
        })?;
        Ok(Self { months: months.into_iter().collect(), lists })
    }

    /// Every word that some month has, by what is counted.
    pub fn words(&self, of: impl Fn(&Month) -> &BTreeMap<String, u64>) -> BTreeSet<String> {
        self.months.iter().flat_map(|(_, month)| of(month).keys().cloned()).collect()
    }
}

/// The month of a moment, if it is counted.
fn month_at(months: &mut BTreeMap<Date, Month>, at: Timestamp) -> Option<&mut Month> {
    months.get_mut(&at.to_zoned(TimeZone::UTC).date().first_of_month())
}

fn of_people(rows: &Rows<'_>, months: &mut BTreeMap<Date, Month>, span: Span) -> Result<()> {
    rows.each_look(span, |day, purpose| {
        if let Some(month) = months.get_mut(&day.first_of_month()) {
            *month.looks.entry(purpose).or_default() += 1;
        }
    })?;
    let from = span.first.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |at| at.timestamp());
    let sql = "SELECT finding, received FROM documents WHERE kind = 'disposition' AND received >= ?1";
    rows.each(sql, &[&from], |row| {
        let (finding, at): (Option<String>, Timestamp) = (row.get(0)?, row.get(1)?);
        if let (Some(finding), Some(month)) = (finding, month_at(months, at)) {
            *month.found.entry(finding).or_default() += 1;
        }
        Ok(())
    })?;
    for (at, approved, released) in rows.release_counts(from)? {
        if let Some(month) = month_at(months, at) {
            month.requests += 1;
            month.approved += u64::from(approved);
            month.released += released;
        }
    }
    Ok(())
}

fn of_audits(rows: &Rows<'_>, months: &mut BTreeMap<Date, Month>, trust: &Trust) -> Result<()> {
    for audit in rows.audits()? {
        let Some(report) = audit.report.and_then(|text| AuditReport::open(&text, trust).ok()) else { continue };
        if let Some(month) = month_at(months, report.closed) {
            month.audits += 1;
            month.audited += report.items.len() as u64;
            month.wrong += report.items.iter().filter(|(_, of)| of.finding == Finding::Wrong).count() as u64;
        }
    }
    Ok(())
}

fn open_lists(rows: &Rows<'_>, covert: &[String]) -> Result<Vec<(String, u64)>> {
    let current = rows.list_versions()?.into_iter().filter(|list| list.current && !covert.contains(&list.name));
    Ok(current.map(|list| (list.name, list.entries)).collect())
}
