//! Signs of a breach that vehicles noticed (control P-26): kept once each, and logged when they come.

use super::api::Problems;
use super::http::{HttpResult, Station, failure};
use super::listener::Vehicle;
use super::rows::Rows;
use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use plated_core::error::Result;
use plated_core::text::visible;
use plated_core::wire::{
    MAX_SECURITY_EVENTS, MAX_SECURITY_REPORT_BYTES, SecurityNote, SecurityReceipt, SecurityReport,
};
use std::sync::Arc;

/// A sign of a breach that a vehicle noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedBreach {
    /// The vehicle.
    pub vehicle: String,
    /// When, by the vehicle's clock.
    pub at: Timestamp,
    /// When it came here.
    pub received: Timestamp,
    /// What happened, as a sentence without a full stop.
    pub text: String,
}

/// Takes in signs of a breach that a vehicle noticed
#[utoipa::path(
    post,
    path = "/v1/security-events",
    request_body = SecurityReport,
    responses((status = 200, description = "All events of the report are kept", body = SecurityReceipt), Problems)
)]
pub(super) async fn post_report(
    State(station): State<Arc<Station>>,
    ConnectInfo(vehicle): ConnectInfo<Vehicle>,
    request: Request,
) -> HttpResult<Json<SecurityReceipt>> {
    let (bytes, _held) = station.body(request, MAX_SECURITY_REPORT_BYTES).await?;
    let report: SecurityReport = serde_json::from_slice(&bytes).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        failure(StatusCode::BAD_REQUEST, format!("this is not a security report (line {line}, column {column})"))
    })?;
    if report.vehicle != *vehicle.0 {
        tracing::warn!(certificate = &*vehicle.0, "A vehicle reported in another vehicle's name; nothing was taken");
        return Err(failure(StatusCode::FORBIDDEN, "the report names another vehicle than the certificate"));
    }
    if report.events.len() > MAX_SECURITY_EVENTS {
        let text = format!("a security report has at most {MAX_SECURITY_EVENTS} events");
        return Err(failure(StatusCode::PAYLOAD_TOO_LARGE, text));
    }
    if let Some(why) = report.events.iter().find_map(out_of_bounds) {
        return Err(failure(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    let (durable, now) = (report.events.len(), station.clock.wall());
    let taken = move |rows: &Rows<'_>| {
        let mut new = Vec::new();
        for event in &report.events {
            if rows.add_breach(&report.vehicle, event, now)? {
                new.push(event.clone());
            }
        }
        Ok(new)
    };
    let new = station.writer.call(move |database| database.transaction(taken)).await?;
    for SecurityNote { at, text, .. } in new {
        tracing::error!(vehicle = &*vehicle.0, %at, "Security: a vehicle reports: {}", visible(&text).at_most(1000));
    }
    Ok(Json(SecurityReceipt { station: station.name.clone(), durable }))
}

/// What is wrong with an event; the certificate shows which vehicle sent it, not that its program is whole.
fn out_of_bounds(event: &SecurityNote) -> Option<&'static str> {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let indicator = event.indicator.as_bytes();
    if !(1..=64).contains(&indicator.len()) || !indicator.iter().all(|b| word(*b)) {
        return Some("the indicator of an event is no word of 1 to 64 small letters, digits and '_'");
    }
    if event.text.chars().count() > 1000 {
        return Some("the text of an event has more than 1000 characters");
    }
    (event.row < 1).then_some("an event names a row of the audit log below 1")
}

impl Rows<'_> {
    /// Keeps a sign of a breach; false when it is here already.
    pub fn add_breach(&self, vehicle: &str, event: &SecurityNote, now: Timestamp) -> Result<bool> {
        let added = self.run(
            "INSERT INTO breaches (vehicle, log, number, at, received, indicator, text)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            &[&vehicle, &event.log, &event.row, &event.at, &now, &event.indicator, &event.text],
        )?;
        Ok(added > 0)
    }

    /// The signs of a breach that came last, the newest first, at most `limit`; and how many there are in all.
    pub fn breaches(&self, limit: usize) -> Result<(Vec<ReportedBreach>, u64)> {
        let newest = self.all(
            "SELECT vehicle, at, received, text FROM breaches ORDER BY received DESC, number DESC LIMIT ?1",
            &[&(limit as u64)],
            |row| {
                let (at, received) = (row.get(1)?, row.get(2)?);
                Ok(ReportedBreach { vehicle: row.get(0)?, at, received, text: row.get(3)? })
            },
        )?;
        let all = self.one("SELECT count(*) FROM breaches", &[], |row| row.get(0))?;
        Ok((newest, all.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;
    use uuid::Uuid;

    fn event(row: i64) -> SecurityNote {
        SecurityNote {
            log: Uuid::from_u128(7),
            row,
            at: "2026-11-26T08:00:00Z".parse().unwrap(),
            indicator: "failed_logins".into(),
            text: "20 logins failed within 15 minutes".into(),
        }
    }

    // policy: P-26
    #[test]
    fn an_event_that_comes_twice_is_kept_once_and_one_of_another_vehicle_or_row_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("station.db"), &crate::key::ArchiveKey::of_tests()).unwrap();
        let now = "2026-11-26T09:00:00Z".parse().unwrap();
        let mut add =
            |vehicle: &str, row| database.transaction(|rows| rows.add_breach(vehicle, &event(row), now)).unwrap();
        assert_eq!([add("unit-7", 1), add("unit-7", 1), add("unit-7", 2), add("unit-8", 1)], [true, false, true, true]);
        let (newest, all) = database.transaction(|rows| rows.breaches(2)).unwrap();
        assert_eq!((newest.len(), all, &*newest[0].text), (2, 3, "20 logins failed within 15 minutes"));
    }

    #[test]
    fn what_a_vehicle_of_ours_would_not_send_is_refused() {
        assert_eq!(out_of_bounds(&event(1)), None);
        for odd in [
            SecurityNote { indicator: String::new(), ..event(1) },
            SecurityNote { indicator: "a".repeat(65), ..event(1) },
            SecurityNote { indicator: "failed logins".into(), ..event(1) },
            SecurityNote { text: "é".repeat(1001), ..event(1) },
            event(0),
        ] {
            assert!(out_of_bounds(&odd).is_some(), "{odd:?}");
        }
    }
}
