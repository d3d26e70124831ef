//! Evidence holds (control P-15): begun on the page of a read, listed and released here.

use super::look::Look;
use super::not_found;
use super::read;
use super::site::{Routes, Visit};
use crate::archive::{Hold, NewHold};
use axum::Extension;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plated_access::{Case, HoldEvidence, Permit, Reason};
use plated_core::error::{Kind, Result};
use plated_core::text::{count, sentence};
use plated_portal::{Needs, blocking, draw, redirect, words};
use plated_web::fields::Fields;
use plated_web::pages::{HoldRow, Holds};
use plated_web::problem::Problem;
use plated_web::ui::{Field, Form, Health, Input, Link, Message, Pager};
use serde_json::json;
use uuid::Uuid;

/// Holds on a page.
const PAGE: usize = 50;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/holds", Needs::Look, list).post("/reads/{read}/hold", Needs::Look, begin).post(
        "/holds/{hold}/release",
        Needs::Look,
        release,
    )
}

/// What the form of a hold had, and what is wrong with it.
#[derive(Default)]
pub struct Entered {
    case: String,
    reason: String,
    wrong: Vec<(&'static str, String)>,
}

/// The form that keeps a read as evidence.
pub fn form(visit: &Visit, read: Uuid, entered: &Entered) -> Form {
    let error = |name: &str| {
        entered.wrong.iter().find(|(field, _)| *field == name).map_or_else(String::new, |(_, why)| why.clone())
    };
    let mut form = visit.form(&format!("/reads/{read}/hold"), "Keep as evidence");
    form.fields = vec![
        Field::new(Input::Text, "case", "Case number").max(64).required().value(&*entered.case).error(error("case")),
        Field::new(Input::Text, "reason", "Why").max(300).required().value(&*entered.reason).error(error("reason")),
    ];
    form
}

async fn begin(
    visit: Visit,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    visit.may::<HoldEvidence>("hold evidence")?;
    let id = read::id_of(&id)?;
    let text = |name: &str| fields.get(name).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut entered = Entered { case: text("case"), reason: text("reason"), wrong: Vec::new() };
    let case = Case::new(&entered.case);
    match &case {
        Ok(case) if case.as_str().is_empty() => {
            entered.wrong.push(("case", "A hold is for a case: give its number.".into()));
        }
        Ok(_) => {}
        Err(e) => entered.wrong.push(("case", sentence(&words::capital(&e.to_string())))),
    }
    if let Err(e) = Reason::new(&entered.reason) {
        entered.wrong.push(("reason", sentence(&words::capital(&e.to_string()))));
    }
    let (true, Ok(case)) = (entered.wrong.is_empty(), case) else {
        return read::page(&visit, id, StatusCode::UNPROCESSABLE_ENTITY, None, &entered).await;
    };
    let (station, look, why) = (visit.station.clone(), visit.look()?.clone(), entered.reason);
    blocking(move || {
        let subject = json!({"hold": "begin", "reads": [id]});
        let permit: Permit<HoldEvidence> = look.open_because(&station, &why, &case, subject)?;
        let new = NewHold { case: case.as_str().to_owned(), reads: vec![id] };
        station.archive.hold(&permit, &new, station.clock.wall())
    })
    .await?;
    Ok(redirect(&format!("/reads/{id}?done=held")))
}

/// All holds, on record as shown. Blocks.
fn all(visit: &Visit, look: &Look) -> Result<Vec<Hold>> {
    let station = &visit.station;
    let permit: Permit<HoldEvidence> = look.open(station, json!({"hold": "list"}))?;
    let holds = station.archive.holds(&permit)?;
    station.gate.shown(&permit, holds.len() as u64)?;
    Ok(holds)
}

async fn list(visit: Visit) -> Result<Response, Problem> {
    let message = match visit.query.get("done") {
        "released" => {
            Some((Health::Good, "The hold is released. What its retention is over for is deleted.".to_owned()))
        }
        _ => None,
    };
    page(&visit, StatusCode::OK, message).await
}

async fn page(visit: &Visit, status: StatusCode, message: Option<(Health, String)>) -> Result<Response, Problem> {
    visit.may::<HoldEvidence>("hold evidence")?;
    let (own, look) = (visit.clone(), visit.look()?.clone());
    let mut holds = blocking(move || all(&own, &look)).await?;
    holds.sort_by_key(|hold| hold.released.is_some());
    let first: usize = visit.query.get("from").parse().unwrap_or(0);
    let total = holds.len();
    let rows: Vec<_> = holds.iter().skip(first).take(PAGE).map(|hold| row(visit, hold)).collect();
    let pager: Pager = plated_portal::forms::pager("/holds", first, rows.len(), total, PAGE);
    let mut frame = visit.frame("Evidence holds", "Holds").await?;
    frame.messages.extend(message.map(|(health, text)| Message { health, text }));
    Ok((status, draw(&Holds { frame, rows, pager })?).into_response())
}

fn row(visit: &Visit, hold: &Hold) -> HoldRow {
    let links = hold.reads.iter().take(5).map(|read| Link::new(read.to_string(), format!("/reads/{read}")));
    let standing = match &hold.released {
        None => (Health::Info, "Kept".to_owned()),
        Some((at, by, why)) => (Health::Good, format!("Released {} by {}: {why}", words::day_time(*at), by.name)),
    };
    let release = hold.released.is_none().then(|| {
        let mut form = visit.form(&format!("/holds/{}/release", hold.id), "Release");
        let name = format!("why-{}", hold.id);
        form.fields = vec![Field::new(Input::Text, name, "Why it is released").required().max(300)];
        form
    });
    HoldRow {
        case: hold.case.clone(),
        why: hold.reason.clone(),
        by: format!("{}, {}", hold.by.name, words::day_time(hold.since)),
        reads: count(hold.reads.len() as u64, "read"),
        links: links.collect(),
        standing,
        release,
    }
}

async fn release(
    visit: Visit,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    visit.may::<HoldEvidence>("hold evidence")?;
    let id = Uuid::parse_str(&id).map_err(|_| not_found("hold"))?;
    let why = fields.get(&format!("why-{id}")).split_whitespace().collect::<Vec<_>>().join(" ");
    if let Err(e) = Reason::new(&why) {
        let text = sentence(&words::capital(&e.to_string()));
        return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, Some((Health::Bad, text))).await;
    }
    let (station, look) = (visit.station.clone(), visit.look()?.clone());
    let done = blocking(move || {
        let subject = json!({"hold": "release", "id": id});
        let permit: Permit<HoldEvidence> = look.open_because(&station, &why, &look.case, subject)?;
        match station.archive.release(&permit, id, station.clock.wall()) {
            Err(e) if e.kind() == Kind::NotFound => Ok(false),
            done => done.map(|_| true),
        }
    });
    match done.await? {
        true => Ok(redirect("/holds?done=released")),
        false => Err(not_found("hold").into()),
    }
}
