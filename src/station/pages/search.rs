//! Searching the reads of a year (controls P-01, P-02, P-08, P-21). What is searched for is posted and kept with the look;
//! the result has an address without it.

use super::Station;
use super::look::{Kept, Look, MAX_PAGES};
use super::read::{Known, row};
use super::site::{Routes, Visit};
use super::visible::KnownLists;
use crate::archive::{Cursor, Page, Plate, Query};
use axum::Extension;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use plated_access::{Permit, Search};
use plated_core::clock::id_at;
use plated_core::error::Result;
use plated_core::text::count;
use plated_portal::search::{Offered, Wrong};
use plated_portal::{Needs, blocking, draw, redirect};
use plated_web::fields::Fields;
use plated_web::map::{Map, Mark, Place};
use plated_web::pages::{self, ReadRow, Results};
use plated_web::problem::Problem;
use plated_web::ui::{Link, Pager};
use uuid::Uuid;

pub use plated_portal::search::Entered;

/// Reads on a page of a result.
const PAGE: usize = 50;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/search", Needs::Look, start).post("/search", Needs::Look, search).get(
        "/search/{search}",
        Needs::Look,
        result,
    )
}

async fn start(visit: Visit) -> Result<Response, Problem> {
    visit.may::<Search>("search reads")?;
    let entered = Entered::new(visit.station.clock.wall(), None);
    page(&visit, StatusCode::OK, &entered, &Wrong::new(), None).await
}

async fn search(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    visit.may::<Search>("search reads")?;
    let entered = Entered::of(&fields);
    let asked = match entered.read(Plate::parse) {
        Ok(asked) => asked,
        Err(wrong) => return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, &entered, &wrong, None).await,
    };
    let query = Query {
        plate: asked.plate,
        state: asked.state,
        from: asked.from,
        until: asked.until,
        camera: asked.camera,
        vehicle: asked.vehicle,
        area: asked.area,
        class: None,
        canvass: asked.canvass,
        looks: asked.looks,
        hits_only: asked.hits_only,
        after: None,
        limit: PAGE,
    };
    let (station, look) = (visit.station.clone(), visit.look()?.clone());
    let id = blocking(move || {
        let permit = look.open(&station, query.elements())?;
        let id = id_at(station.clock.wall());
        look.keep(id, entered, query, permit);
        Ok(id)
    })
    .await?;
    Ok(redirect(&format!("/search/{id}")))
}

async fn result(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let wanted = visit.query.get("page").parse::<usize>().unwrap_or(1).saturating_sub(1);
    let (station, look) = (visit.station.clone(), visit.look()?.clone());
    let kept = Uuid::parse_str(&id).ok().and_then(|id| look.search(id, wanted));
    // It is over, or of another purpose: what is searched for is entered again.
    let Some((kept, number)) = kept else { return Ok(redirect("/search")) };
    let entered = kept.entered.clone();
    let results = blocking(move || results(&station, &look, &kept, number)).await?;
    page(&visit, StatusCode::OK, &entered, &Wrong::new(), Some(results)).await
}

async fn page(
    visit: &Visit,
    status: StatusCode,
    entered: &Entered,
    wrong: &Wrong,
    results: Option<Results>,
) -> Result<Response, Problem> {
    let station = visit.station.clone();
    let vehicles = blocking(move || {
        let statistics = station.archive.statistics(Date::MIN, Date::MIN)?;
        Ok(statistics.vehicles.into_iter().map(|of| of.vehicle).collect())
    });
    let mut form = visit.form("/search", "Search");
    form.fields = entered.fields(Offered::Vehicles(vehicles.await?), wrong);
    let frame = visit.frame("Search", "Search").await?;
    let asked = if results.is_some() { entered.in_words() } else { String::new() };
    let change = Link::new("Change", "/purpose?then=/search");
    let page = pages::Search { frame, purpose: visit.purpose()?, change, form, asked, results };
    Ok((status, draw(&page)?).into_response())
}

/// The next reads that may be shown, at most `size`, and where to go on.
pub fn next(
    station: &Station,
    lists: &KnownLists,
    permit: &Permit<Search>,
    query: &Query,
    size: usize,
) -> Result<(Vec<Known>, Option<Cursor>)> {
    let (mut found, mut query) = (Vec::new(), query.clone());
    loop {
        query.limit = size - found.len();
        let Page { reads, next } = station.archive.search(permit, &query)?;
        for of in reads {
            let Some(known) = Known::find(station, lists, permit, of.id)? else { continue };
            // A read that is there for a hit that may not be seen would give it away.
            if !query.hits_only || !known.hits.is_empty() {
                found.push(known);
            }
        }
        match next {
            Some(cursor) if found.len() < size => query.after = Some(cursor),
            next => return Ok((found, next)),
        }
    }
}

/// A page of the result, on record before it is given. Blocks.
fn results(station: &Station, look: &Look, kept: &Kept, number: usize) -> Result<Results> {
    let (lists, permit) = (KnownLists::of(station)?, &kept.permit);
    let (found, after) = next(station, &lists, permit, &kept.query, PAGE)?;
    // Whether there is anything after it that may be shown.
    let more = match after.filter(|_| number + 1 < MAX_PAGES) {
        Some(after) => {
            let rest = Query { after: Some(after), ..kept.query.clone() };
            (!next(station, &lists, permit, &rest, 1)?.0.is_empty()).then_some(after)
        }
        None => None,
    };
    station.gate.shown(permit, found.len() as u64)?;
    found.iter().for_each(|known| look.show(known.record.id, permit));
    let now = station.clock.wall();
    let rows: Vec<_> = found.iter().map(|known| row(known, now)).collect();
    let first = number * PAGE;
    let (shown, has_more) = (format!("{}–{}", first + 1, first + rows.len()), more.is_some());
    if let Some(more) = more {
        look.goes_on(kept.id, number, more);
    }
    let at = |page: usize| format!("/search/{}?page={}", kept.id, page + 1);
    let summary = match (number, rows.len(), has_more) {
        (0, 0, _) => "Nothing found".to_owned(),
        (0, n, false) => format!("{}, newest first", count(n as u64, "read")),
        (_, 0, _) => "No older reads".to_owned(),
        _ => format!("Reads {shown}, newest first"),
    };
    Ok(Results {
        summary,
        map: map(&found, &rows),
        pager: Pager {
            shown: if rows.is_empty() { String::new() } else { shown },
            previous: (number > 0).then(|| at(number - 1)),
            next: has_more.then(|| at(number + 1)),
        },
        export: (look.may_export() && !rows.is_empty())
            .then(|| Link::new("Export as evidence", format!("/search/{}/evidence", kept.id))),
        track: found
            .first()
            .filter(|_| matches!(kept.query.plate, Some(Plate::Whole(_))))
            .map(|known| Link::new("Track of this plate", format!("/reads/{}/track", known.record.id))),
        rows,
    })
}

/// Where the reads of a page were made.
fn map(found: &[Known], rows: &[ReadRow]) -> Option<Map> {
    let place = |(known, row): (&Known, &ReadRow)| {
        let position = known.record.position?;
        let mark = if row.urgency.is_some() { Mark::Hit } else { Mark::Read };
        let label = format!("{}, {}", row.plate.text(), row.at.text);
        let heading = position.heading.map(f64::from);
        Some(Place { lat: position.lat, lon: position.lon, heading, mark, label, focus: false })
    };
    let places: Vec<_> = found.iter().zip(rows).filter_map(place).collect();
    let summary = format!("Where {} of this page were made.", count(places.len() as u64, "read"));
    Map::of(summary, places, Vec::new())
}
