//! Searching reads already made (controls P-01, P-02, P-03, P-04, P-21). What is searched for is posted and kept
//! with the look; the result has an address without it.

mod export;

pub use plated_portal::search::Entered;

use crate::console::door::redirect;
use crate::console::look::Look;
use crate::console::routes::{Needs, Routes};
use crate::console::searches::MAX_PAGES;
use crate::console::visit::Visit;
use crate::console::{Console, blocking, draw, rows, scope};
use crate::store::{KeptRead, Search, Searches, Wanted};
use axum::Extension;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use plated_access::{ExportReads, Recorded, Search as Access};
use plated_core::clock::id_at;
use plated_core::error::{Error, Kind, Result};
use plated_core::text::count;
use plated_portal::search::{Offered, Wrong};
use plated_web::fields::Fields;
use plated_web::map::{Map, Mark, Place};
use plated_web::pages::{self, ReadRow, Results};
use plated_web::problem::Problem;
use plated_web::ui::{Link, Pager};
use uuid::Uuid;

/// Reads on a page of a result.
const PAGE: usize = 50;
/// What goes on record as the reason.
const REASON: &str = "reads are searched on the console";

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/search", Needs::Look, start)
        .post("/search", Needs::Look, search)
        .get("/search/{search}", Needs::Look, result)
        .get("/search/{search}/export", Needs::Look, export::form)
        .post("/search/{search}/export", Needs::Look, export::export)
}

/// Who may not search is told so before they enter anything.
fn may<P: Recorded>(visit: &Visit, what: &str) -> Result<(), Problem> {
    let role = visit.visitor()?.role();
    match P::ROLES.contains(&role) {
        true => Ok(()),
        false => Err(Error::new(Kind::Forbidden, format!("the role {role} may not {what}")).into()),
    }
}

async fn start(visit: Visit) -> Result<Response, Problem> {
    may::<Access>(&visit, "search reads")?;
    let (console, canvass) = (visit.console.clone(), visit.query.get("canvass").parse::<i64>().ok());
    // By its number in the store: that of the incident stands in no address.
    let incident = blocking(move || match canvass {
        Some(id) => Ok(console.store.canvasses(1000)?.into_iter().find(|c| c.id == id).map(|c| c.incident)),
        None => Ok(None),
    })
    .await?;
    let entered = Entered::new(visit.console.clock.wall(), incident);
    page(&visit, StatusCode::OK, &entered, &Wrong::new(), None).await
}

async fn search(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    may::<Access>(&visit, "search reads")?;
    let entered = Entered::of(&fields);
    let asked = match entered.read(Wanted::parse) {
        Ok(asked) => asked,
        Err(wrong) => return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, &entered, &wrong, None).await,
    };
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let from = asked.from.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut wanted = asked.plate.unwrap_or_default();
    (wanted.state, wanted.until, wanted.area) = (asked.state, asked.until, asked.area);
    wanted.vehicle = asked.looks;
    (wanted.camera, wanted.canvass, wanted.hits_only) = (asked.camera, asked.canvass, asked.hits_only);
    let id = blocking(move || {
        let why = look.because(REASON)?;
        let search = Search::begin(console.officers.gate(), look.actor(), &why, &look.case, wanted, from)?;
        let id = id_at(console.clock.wall());
        look.searches.keep(id, entered, search);
        Ok(id)
    })
    .await?;
    Ok(redirect(&format!("/search/{id}")))
}

async fn result(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let wanted = visit.query.get("page").parse::<usize>().unwrap_or(1).saturating_sub(1);
    let kept = Uuid::parse_str(&id).ok().and_then(|id| Some((id, look.searches.find(id, wanted)?)));
    // It is over, or of another purpose: what is searched for is entered again.
    let Some((id, (entered, number, search))) = kept else { return Ok(redirect("/search")) };
    let results = {
        let visit = visit.clone();
        blocking(move || results(&visit, &console, &look, id, number, search)).await?
    };
    page(&visit, StatusCode::OK, &entered, &Wrong::new(), Some(results)).await
}

async fn page(
    visit: &Visit,
    status: StatusCode,
    entered: &Entered,
    wrong: &Wrong,
    results: Option<Results>,
) -> Result<Response, Problem> {
    let mut form = visit.form("/search", "Search");
    form.fields = entered.fields(Offered::Cameras(visit.console.cameras.names()), wrong);
    let look = visit.look()?;
    let access = &visit.console.access;
    let purpose = look.reason.purpose().and_then(|p| access.purposes.iter().find(|known| known.name == *p));
    let mut words = purpose.map_or_else(String::new, |p| p.text.clone());
    if !look.case.as_str().is_empty() {
        words += &format!(" · case {}", look.case.as_str());
    }
    let frame = visit.frame("Search", "Search").await?;
    let asked = if results.is_some() { entered.in_words() } else { String::new() };
    let change = Link::new("Change", "/purpose?then=/search");
    let page = draw(&pages::Search { frame, purpose: words, change, form, asked, results })?;
    Ok((status, page).into_response())
}

/// The next reads of a search that may be shown, as many as a page has or less, and how to go on.
fn next<K: Searches>(console: &Console, search: Search<K>, size: usize) -> Result<(Vec<KeptRead>, Option<Search<K>>)> {
    let (mut found, mut next) = (Vec::new(), Some(search));
    while let Some(search) = next.take_if(|_| found.len() < size) {
        let permit = search.permit().clone();
        // Reads whose hits are of lists that this person does not see would be given away by being there.
        let seen = |read: &KeptRead| scope::urgency(read.hits(), permit.scope(), console.officers.settings());
        let for_hits = search.is_for_hits();
        let (mut page, more) = console.store.search_whole(search.by(size - found.len()))?;
        page.retain(|read| !for_hits || seen(read).is_some());
        found.append(&mut page);
        next = more;
    }
    Ok((found, next))
}

/// A page of the result, on record before it is given. Blocks.
fn results(visit: &Visit, console: &Console, look: &Look, id: Uuid, number: usize, search: Search) -> Result<Results> {
    let permit = search.permit().clone();
    let (found, more) = next(console, search, PAGE)?;
    // Whether there is anything after it.
    let more = match more.filter(|_| number + 1 < MAX_PAGES) {
        Some(more) if !next(console, more.clone(), 1)?.0.is_empty() => Some(more),
        _ => None,
    };
    console.officers.gate().shown(&permit, found.len() as u64)?;
    let now = console.clock.wall();
    let rows: Vec<_> = found.iter().map(|read| rows::kept(console, read, Some(permit.scope()), now)).collect();
    let first = number * PAGE;
    let (shown, has_more) = (format!("{}–{}", first + 1, first + rows.len()), more.is_some());
    if let Some(more) = more {
        look.searches.goes_on(id, number, more);
    }
    let at = |page: usize| format!("/search/{id}?page={}", page + 1);
    let summary = match (number, rows.len(), has_more) {
        (0, 0, _) => "Nothing found".to_owned(),
        (0, n, false) => format!("{}, newest first", count(n as u64, "read")),
        (_, 0, _) => "No older reads".to_owned(),
        _ => format!("Reads {shown}, newest first"),
    };
    let may_export = visit.visitor().is_ok_and(|visitor| ExportReads::ROLES.contains(&visitor.role()));
    let export = (may_export && !rows.is_empty()).then(|| Link::new("Export", format!("/search/{id}/export")));
    Ok(Results {
        summary,
        map: map(&found, &rows),
        pager: Pager {
            shown: if rows.is_empty() { String::new() } else { shown },
            previous: (number > 0).then(|| at(number - 1)),
            next: has_more.then(|| at(number + 1)),
        },
        rows,
        export,
        track: None,
    })
}

/// Where the reads of a page were made.
fn map(found: &[KeptRead], rows: &[ReadRow]) -> Option<Map> {
    let place = |(read, row): (&KeptRead, &ReadRow)| {
        let position = read.record.position?;
        let mark = if row.urgency.is_some() { Mark::Hit } else { Mark::Read };
        let label = format!("{}, {}", row.plate.text(), row.at.text);
        let heading = position.heading.map(f64::from);
        Some(Place { lat: position.lat, lon: position.lon, heading, mark, label, focus: false })
    };
    let places: Vec<_> = found.iter().zip(rows).filter_map(place).collect();
    let summary = format!("Where {} of this page were made.", count(places.len() as u64, "read"));
    Map::of(summary, places, Vec::new())
}
