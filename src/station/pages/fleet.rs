//! How the vehicles are: when each was heard of last, what it sent, and signs of a breach. It shows no ALPR data.

use super::Station;
use super::site::{FLEET, Routes, Visit};
use crate::archive::Statistics;
use crate::{Contact, Sign, Standing};
use axum::response::{IntoResponse, Response};
use jiff::{Span, Timestamp};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::{age, count};
use plated_portal::{Needs, blocking, draw, words};
use plated_web::pages::{Fleet, VehicleRow};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Health, Message};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// Days over which reads are counted.
const DAYS: i64 = 7;
/// Signs of a breach that are named beside a vehicle.
const MAX_SIGNS: usize = 3;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/fleet", Needs::Session, page)
}

/// All that is known of the vehicles.
struct Known {
    statistics: Statistics,
    contacts: Vec<Contact>,
    /// Signs of a breach that nobody looked into.
    signs: Vec<Sign>,
}

async fn page(visit: Visit) -> Result<Response, Problem> {
    let role = visit.visitor()?.role();
    if !FLEET.contains(&role) {
        return Err(Error::new(Kind::Forbidden, format!("the role {role} may not look at the fleet")).into());
    }
    let station = visit.station.clone();
    let known = blocking(move || look(&station)).await?;
    let (station, now) = (&visit.station, visit.station.clock.wall());
    let mut names: BTreeSet<&str> = known.contacts.iter().map(|contact| contact.vehicle.as_str()).collect();
    names.extend(known.statistics.vehicles.iter().map(|of| of.vehicle.as_str()));
    let mut rows: Vec<VehicleRow> = names.iter().map(|name| row(&known, station, name, now)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.standing.0));
    let statistics = &known.statistics;
    let facts = vec![
        Fact::new("Reads kept", words::number(statistics.reads)),
        Fact::new("Pictures", words::number(statistics.pictures)),
        Fact::new("Room", format!("{} MB", words::number(statistics.picture_bytes / 1_000_000))),
        Fact::new("Vehicles", words::number(rows.len() as u64)),
    ];
    let needing = rows.iter().filter(|row| row.standing.0.needs_somebody()).count() as u64;
    let (health, verdict) = match needing {
        0 => (Health::Good, format!("In order: {}.", count(rows.len() as u64, "vehicle"))),
        1 => (Health::Warning, "1 vehicle needs somebody.".to_owned()),
        n => (Health::Warning, format!("{n} vehicles need somebody.")),
    };
    let mut frame = visit.frame("Fleet", "Fleet").await?;
    // Signs of the station itself, and of certificates that no vehicle of here has.
    let others = known.signs.iter().filter(|sign| !names.contains(sign.vehicle.as_str()));
    frame.messages.extend(
        others.map(|sign| Message { health: Health::Bad, text: format!("{}: {}", sign.vehicle, sentence(sign)) }),
    );
    Ok(draw(&Fleet { frame, health, verdict, facts, rows })?.into_response())
}

fn look(station: &Station) -> Result<Known> {
    let today = station.clock.wall().to_zoned(jiff::tz::TimeZone::UTC).date();
    let first = today.checked_sub(Span::new().days(DAYS - 1)).unwrap_or(today);
    let statistics = station.archive.statistics(first, today)?;
    let database = station.archive.database();
    let (contacts, mut signs) =
        database.lock().unwrap_or_else(PoisonError::into_inner).read(|rows| Ok((rows.contacts()?, rows.signs()?)))?;
    signs.retain(Sign::is_open);
    Ok(Known { statistics, contacts, signs })
}

fn row(known: &Known, station: &Station, name: &str, now: Timestamp) -> VehicleRow {
    let of = known.statistics.vehicles.iter().find(|of| of.vehicle == name);
    let contact = known.contacts.iter().find(|contact| contact.vehicle == name);
    let days = known.statistics.days.iter().filter(|day| day.vehicle == name);
    let (reads, hits) = days.fold((0, 0), |(reads, hits), day| (reads + day.reads, hits + day.hits));
    let signs: Vec<_> = known.signs.iter().filter(|sign| sign.vehicle == name).take(MAX_SIGNS).map(sentence).collect();
    let last = contact.map(|contact| contact.last).max(of.map(|of| of.last_received));
    VehicleRow {
        name: name.to_owned(),
        standing: match signs.is_empty() {
            true => contact.map_or((Health::Info, "Heard of".to_owned()), |contact| standing(contact, station, now)),
            false => (Health::Bad, signs.join(" ")),
        },
        last: last.map_or_else(String::new, words::day_time),
        reads: words::number(of.map_or(0, |of| of.reads)),
        recent: format!("{}, {}", words::number(reads), count(hits, "hit")),
    }
}

/// Whether its reads have to be brought in (control P-10).
fn standing(contact: &Contact, station: &Station, now: Timestamp) -> (Health, String) {
    let ago = |then: Timestamp| age(now.duration_since(then).as_secs().max(0).unsigned_abs());
    let waiting = match (contact.waiting, contact.oldest) {
        (Some(reads), Some(oldest)) => {
            format!("{} not here yet, the oldest {} old", count(reads, "read"), ago(oldest))
        }
        (Some(_), None) => format!("All it had was here {} ago", ago(contact.since())),
        (None, _) => "It did not say yet what waits in it".to_owned(),
    };
    match contact.standing(now, &station.overdue) {
        Standing::Ok if contact.waiting.is_none() => (Health::Info, waiting),
        Standing::Ok => (Health::Good, waiting),
        Standing::Warning => (Health::Warning, format!("Has to come soon. {waiting}")),
        Standing::Critical => (Health::Bad, format!("Has to come now. {waiting}")),
        Standing::Overdue => (Health::Bad, format!("Overdue. {waiting}")),
    }
}

fn sentence(sign: &Sign) -> String {
    format!("{}, last {}.", words::capital(&sign.text), words::day_time(sign.last))
}
