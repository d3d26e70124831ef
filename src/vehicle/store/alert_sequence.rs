//! Alerts in the order in which they became durable, for whoever goes on after the last one it had.
//!
//! The order is that of the rows `alert_raised` of the audit log: each alert has one, written in the transaction
//! that keeps it, and none is ever changed or removed.

use super::Store;
use super::alerts::{self, KeptAlert};
use super::connection::Fault;
use super::monitor::ALERT_RAISED;
use super::outbox;
use super::readers::View;
use jiff::Timestamp;
use plated_access::{GiveOut, Permit};
use plated_core::error::Result;
use plated_core::record::Alerting;
use rusqlite::params;
use std::fmt;
use uuid::Uuid;

/// A place in the order of a store's alerts. As text `STORE.NUMBER`, both in digits of hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertMark {
    /// The store's random id: numbers of another one mean nothing.
    pub store: Uuid,
    /// Alerts up to this one are before the place.
    pub number: i64,
}

impl fmt::Display for AlertMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}", self.store.simple(), self.number)
    }
}

impl AlertMark {
    /// The place that a text names; none when it is no such text.
    pub fn parse(text: &str) -> Option<Self> {
        let (store, number) = text.split_once('.')?;
        let plain = |digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit());
        if store.len() != 32 || number.is_empty() || number.len() > 16 || !plain(store) || !plain(number) {
            return None;
        }
        let number = i64::from_str_radix(number, 16).ok()?;
        Some(Self { store: Uuid::try_parse(store).ok()?, number })
    }
}

impl Store {
    /// The place behind the newest alert.
    ///
    /// # Errors
    /// What kept it from being read.
    pub fn newest_alert(&self) -> Result<AlertMark> {
        self.look("could not look for the newest alert", |view| {
            let sql = "SELECT coalesce(max(id), 0) FROM audit WHERE action = ?1";
            let number = view.conn().prepare_cached(sql)?.query_row([ALERT_RAISED], |row| row.get(0))?;
            Ok(AlertMark { store: outbox::installation(view)?, number })
        })
    }

    /// Alerts behind this number that were raised since a moment, the oldest first, at most `limit`: each with its
    /// own number, and nothing where its read is not here any more.
    ///
    /// # Errors
    /// What kept them from being read.
    pub fn alerts_after(
        &self,
        _: &Permit<GiveOut>,
        number: i64,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<(i64, Option<KeptAlert>)>> {
        self.look("could not read the alerts for a program", |view| after(view, number, since, limit))
    }
}

fn after(view: &View<'_>, number: i64, since: Timestamp, limit: usize) -> Result<Vec<(i64, Option<KeptAlert>)>, Fault> {
    let mut find = view.conn().prepare_cached(
        "SELECT id, entry ->> '$.elements.hit' FROM audit WHERE action = ?1 AND id > ?2 AND at >= ?3
         ORDER BY id LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = find.query(params![ALERT_RAISED, number, since.as_microsecond(), limit])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, hit): (i64, Option<String>) = (row.get(0)?, row.get(1)?);
        let alert = match hit.and_then(|hit| Uuid::try_parse(&hit).ok()) {
            Some(hit) => alerts::by_id(view, hit)?.filter(|alert| alert.hit.alert == Alerting::Sounded),
            None => None,
        };
        all.push((number, alert));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_mark_is_read_back_and_no_other_text_is_one(store in any::<u128>(), number in 0..i64::MAX, odd in "\\PC{0,60}") {
            let mark = AlertMark { store: Uuid::from_u128(store), number };
            prop_assert_eq!(AlertMark::parse(&mark.to_string()), Some(mark));
            if let Some(read) = AlertMark::parse(&odd) {
                prop_assert!(odd.len() >= 34 && read.number >= 0);
            }
        }
    }

    #[test]
    fn what_is_not_written_by_us_is_no_mark() {
        let store = "00112233445566778899aabbccddeeff";
        for odd in ["", ".", "7.7", store, &format!("{store}."), &format!("{store}.-1"), &format!("{store}.+1")] {
            assert_eq!(AlertMark::parse(odd), None, "{odd}");
        }
        assert_eq!(AlertMark::parse(&format!("{store}.ffffffffffffffff")), None, "no number below zero");
    }
}
