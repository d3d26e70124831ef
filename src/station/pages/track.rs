//! A vehicle's track: where and when one plate was read, as a map and a time line (controls P-08, P-21). It is a search of
//! its own, with its own record; the address names a read, no plate.

use super::look::Look;
use super::read::{self, Known, row};
use super::search::next;
use super::site::{Routes, Visit};
use super::visible::{KnownLists, urgency};
use super::{Station, not_found};
use crate::archive::{Plate as Asked, Query};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_access::{Permit, Search};
use plated_core::error::Result;
use plated_core::text::count;
use plated_portal::{Needs, blocking, draw, words};
use plated_web::map::{MAX_PLACES, Map, Mark, Place};
use plated_web::pages::{Track, TrackDay};
use plated_web::plate::Plate;
use plated_web::problem::Problem;
use plated_web::ui::Link;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/reads/{read}/track", Needs::Look, track)
}

async fn track(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    visit.may::<Search>("search reads")?;
    let id = read::id_of(&id)?;
    let (station, look) = (visit.station.clone(), visit.look()?.clone());
    let (of, found, more) = blocking(move || find(&station, &look, id)).await?;
    let now = visit.station.clock.wall();
    let current = of.current();
    let times: Vec<Timestamp> = found.iter().map(|known| known.record.last_seen).collect();
    let span = match (times.first(), times.last()) {
        (Some(first), Some(last)) if found.len() > 1 => {
            format!(", from {} to {}", words::day_time(*first), words::day_time(*last))
        }
        _ => String::new(),
    };
    let oldest = if more { ", the newest ones" } else { "" };
    let page = Track {
        frame: visit.frame("Track", "Search").await?,
        plate: Plate::new(&current.text, &current.state),
        purpose: visit.purpose()?,
        summary: format!("{}{oldest}{span}", count(found.len() as u64, "read")),
        map: map(&found, id),
        days: days(&found, now),
        read: Link::new("The read", format!("/reads/{id}")),
    };
    Ok(draw(&page)?.into_response())
}

/// The read that was asked for, and all reads of its plate that may be shown, the oldest first; and whether there are
/// more. How many are shown is on record before they are. Blocks.
fn find(station: &Station, look: &Look, id: Uuid) -> Result<(Known, Vec<Known>, bool)> {
    let of = read::find(station, look, id)?;
    let query = Query { plate: Some(Asked::parse(&of.current().text)?), ..Query::default() };
    let mut elements = query.elements();
    if let Some(elements) = elements.as_object_mut() {
        elements.extend([("as".to_owned(), json!("track")), ("read".to_owned(), json!(id))]);
    }
    let permit: Arc<Permit<Search>> = Arc::new(look.open(station, elements)?);
    let lists = KnownLists::of(station)?;
    let (mut found, after) = next(station, &lists, &permit, &query, MAX_PLACES)?;
    if found.is_empty() {
        return Err(not_found("read"));
    }
    station.gate.shown(&permit, found.len() as u64)?;
    found.iter().for_each(|known| look.show(known.record.id, &permit));
    found.sort_by_key(|known| (known.record.last_seen, known.record.id));
    Ok((of, found, after.is_some()))
}

/// Where it was, and in which order.
fn map(found: &[Known], focus: Uuid) -> Option<Map> {
    let with_place: Vec<_> = found.iter().filter_map(|known| Some((known, known.record.position?))).collect();
    let places = with_place.iter().enumerate().map(|(n, (known, position))| {
        let mark = if urgency(&known.hits).is_some() { Mark::Hit } else { Mark::Read };
        let label = format!("{}: {}, {}", n + 1, words::day_time(known.record.last_seen), known.record.vehicle);
        let is_focus = known.record.id == focus;
        Place { lat: position.lat, lon: position.lon, heading: None, mark, label, focus: is_focus }
    });
    let places: Vec<_> = places.collect();
    // From read to read: the roads between them are not known.
    let way = with_place.iter().map(|(_, position)| (position.lat, position.lon)).collect();
    let summary = format!("Where it was read, {} from the oldest to the newest.", count(places.len() as u64, "place"));
    Map::of(summary, places, way)
}

/// By day, the oldest first.
fn days(found: &[Known], now: Timestamp) -> Vec<TrackDay> {
    let mut days: Vec<TrackDay> = Vec::new();
    for known in found {
        let day = words::day(known.record.last_seen.to_zoned(TimeZone::system()).date());
        let row = row(known, now);
        match days.last_mut() {
            Some(last) if last.day == day => last.rows.push(row),
            _ => days.push(TrackDay { day, rows: vec![row] }),
        }
    }
    days
}
