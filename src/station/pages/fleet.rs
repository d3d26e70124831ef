//! How the vehicles are: when each was heard of last, what it sent, and signs of a breach. It shows no ALPR data.

use super::Station;
use super::site::{FLEET, Routes, Visit};
use crate::archive::{Archive, Statistics};
use crate::{ClonedVehicle, ReportedBreach, SecurityEvent};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Span};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::count;
use plated_portal::{Needs, blocking, draw, words};
use plated_web::pages::{Fleet, VehicleRow};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Health};
use std::sync::PoisonError;

/// A vehicle that was not heard of for so long should be looked at; and for so long is overdue (control P-10).
const LATE: SignedDuration = SignedDuration::from_hours(20 * 24);
const OVERDUE: SignedDuration = SignedDuration::from_hours(27 * 24);
/// Days over which reads are counted.
const DAYS: i64 = 7;
/// Signs of a breach that are named.
const MAX_SIGNS: usize = 50;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/fleet", Needs::Session, page)
}

/// What the database knows of vehicles.
struct Signs {
    cloned: Vec<ClonedVehicle>,
    events: Vec<SecurityEvent>,
    breaches: Vec<ReportedBreach>,
}

async fn page(visit: Visit) -> Result<Response, Problem> {
    let role = visit.visitor()?.role();
    if !FLEET.contains(&role) {
        return Err(Error::new(Kind::Forbidden, format!("the role {role} may not look at the fleet")).into());
    }
    let station = visit.station.clone();
    let (statistics, signs) = blocking(move || look(&station)).await?;
    let now = visit.station.clock.wall();
    let mut rows: Vec<_> = statistics
        .vehicles
        .iter()
        .map(|of| {
            let silent = now.duration_since(of.last_received);
            let standing = match silent {
                silent if silent > OVERDUE => {
                    (Health::Bad, "Not heard of for 27 days: its reads are overdue".to_owned())
                }
                silent if silent > LATE => (Health::Warning, "Not heard of for 20 days: bring its reads in".to_owned()),
                _ => (Health::Good, "Heard of".to_owned()),
            };
            let days = statistics.days.iter().filter(|day| day.vehicle == of.vehicle);
            let (reads, hits) = days.fold((0, 0), |(reads, hits), day| (reads + day.reads, hits + day.hits));
            let signs = signs.of(&of.vehicle);
            let standing = if signs.is_empty() { standing } else { (Health::Bad, signs.join(" ")) };
            VehicleRow {
                name: of.vehicle.clone(),
                standing,
                last: words::day_time(of.last_received),
                reads: words::number(of.reads),
                recent: format!("{}, {} hits", words::number(reads), words::number(hits)),
            }
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.standing.0));
    let facts = vec![
        Fact::new("Reads kept", words::number(statistics.reads)),
        Fact::new("Pictures", words::number(statistics.pictures)),
        Fact::new("Room", format!("{} MB", words::number(statistics.picture_bytes / 1_000_000))),
        Fact::new("Vehicles", words::number(statistics.vehicles.len() as u64)),
    ];
    let needing = rows.iter().filter(|row| row.standing.0.needs_somebody()).count() as u64;
    let (health, verdict) = match needing {
        0 => (Health::Good, format!("In order: {}.", count(rows.len() as u64, "vehicle"))),
        1 => (Health::Warning, "1 vehicle needs somebody.".to_owned()),
        n => (Health::Warning, format!("{n} vehicles need somebody.")),
    };
    let frame = visit.frame("Fleet", "Fleet").await?;
    Ok(draw(&Fleet { frame, health, verdict, facts, rows })?.into_response())
}

fn look(station: &Station) -> Result<(Statistics, Signs)> {
    let today = station.clock.wall().to_zoned(jiff::tz::TimeZone::UTC).date();
    let first = today.checked_sub(Span::new().days(DAYS - 1)).unwrap_or(today);
    let statistics = station.archive.statistics(first, today)?;
    let database = station.archive.database();
    let signs = database.lock().unwrap_or_else(PoisonError::into_inner).transaction(|rows| {
        let (breaches, _) = rows.breaches(MAX_SIGNS)?;
        Ok(Signs { cloned: rows.cloned_vehicles()?, events: rows.security_events()?, breaches })
    })?;
    Ok((statistics, signs))
}

impl Signs {
    /// What was noticed of a vehicle, as sentences.
    fn of(&self, vehicle: &str) -> Vec<String> {
        let cloned = self.cloned.iter().filter(|of| of.vehicle == vehicle);
        let cloned =
            cloned.map(|of| format!("Several computers use its certificate, last {}.", words::day_time(of.last_seen)));
        let events = self.events.iter().filter(|of| of.vehicle == vehicle);
        let events =
            events.map(|of| format!("{}, last {}.", words::title(&of.indicator), words::day_time(of.last_seen)));
        let breaches = self.breaches.iter().filter(|of| of.vehicle == vehicle);
        let breaches = breaches.map(|of| format!("{}, {}.", words::capital(&of.text), words::day_time(of.at)));
        cloned.chain(events).chain(breaches).take(3).collect()
    }
}
