//! The queue of misreads (control P-30).

use super::look::Look;
use super::not_found;
use super::site::{Routes, Visit};
use crate::misreads::{Found, Misread};
use axum::Extension;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plated_access::{Permit, Reason, Role, Search};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::{count, sentence};
use plated_portal::forms::line;
use plated_portal::{Needs, blocking, draw, redirect, words};
use plated_web::fields::Fields;
use plated_web::pages::{MisreadRow, Misreads};
use plated_web::plate::Plate;
use plated_web::problem::Problem;
use plated_web::ui::{Field, Health, Input, Link, Message};
use serde_json::json;
use std::sync::PoisonError;
use uuid::Uuid;

/// Who looks at misreads.
pub const ROLES: [Role; 2] = [Role::Supervisor, Role::Custodian];
/// Misreads on the page.
const LISTED: u32 = 200;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/misreads", Needs::Look, list).post("/misreads/{misread}", Needs::Look, review)
}

fn allow(visit: &Visit) -> Result<(), Problem> {
    let role = visit.visitor()?.role();
    match ROLES.contains(&role) {
        true => Ok(()),
        false => Err(Error::new(Kind::Forbidden, format!("the role {role} may not review misreads")).into()),
    }
}

/// The queue, on record as shown. Blocks.
fn all(visit: &Visit, look: &Look) -> Result<(Vec<Misread>, u64)> {
    let station = &visit.station;
    let permit: Permit<Search> = look.open(station, json!({"misreads": true}))?;
    let database = station.archive.database();
    let found = database.lock().unwrap_or_else(PoisonError::into_inner).read(|rows| rows.misreads(&permit, LISTED))?;
    station.gate.shown(&permit, found.0.len() as u64)?;
    Ok(found)
}

async fn list(visit: Visit) -> Result<Response, Problem> {
    let message = (visit.query.get("done") == "reviewed")
        .then(|| Message { health: Health::Good, text: "It is off the queue.".into() });
    page(&visit, StatusCode::OK, message).await
}

async fn page(visit: &Visit, status: StatusCode, message: Option<Message>) -> Result<Response, Problem> {
    allow(visit)?;
    let (own, look) = (visit.clone(), visit.look()?.clone());
    let (misreads, waiting) = blocking(move || all(&own, &look)).await?;
    let rows = misreads.iter().map(|misread| row(visit, misread)).collect();
    let mut frame = visit.frame("Misreads", "Misreads").await?;
    frame.messages.extend(message);
    let (health, verdict) = match waiting {
        0 => (Health::Good, "Nothing waits.".to_owned()),
        1 => (Health::Info, "1 misread waits.".to_owned()),
        n => (Health::Info, format!("{} wait.", count(n, "misread"))),
    };
    Ok((status, draw(&Misreads { frame, health, verdict, rows })?).into_response())
}

fn row(visit: &Visit, misread: &Misread) -> MisreadRow {
    let now = visit.station.clock.wall();
    let (read_as, says, by, why, at) = match &misread.found {
        Found::Correction(of) => (
            Plate::new(&of.original.text, &of.original.state),
            Some(Plate::new(&of.corrected.text, &of.corrected.state)),
            of.by.to_string(),
            of.reason.clone(),
            of.at,
        ),
        Found::Disposition(of) => {
            (Plate::new(&of.listed, ""), None, of.by.to_string(), format!("Hit: {}", words::title(&of.finding)), of.at)
        }
    };
    let review = misread.review.is_none().then(|| {
        let mut form = visit.form(&format!("/misreads/{}", misread.id), "Reviewed");
        form.fields = vec![Field::new(Input::Text, format!("note-{}", misread.id), "Note").max(300)];
        form
    });
    MisreadRow {
        link: Link::new("The read", format!("/reads/{}", misread.read())),
        vehicle: misread.vehicle.clone(),
        read_as,
        says,
        why,
        by,
        at: words::moment(at, now),
        reviewed: misread.review.as_ref().map_or_else(String::new, |(by, at, note)| {
            [format!("{by}, {}", words::day_time(*at)), note.clone()].join(" ").trim().to_owned()
        }),
        review,
    }
}

/// Takes one off the queue; who did it is on record with what they looked at.
async fn review(
    visit: Visit,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    allow(&visit)?;
    let id = Uuid::parse_str(&id).map_err(|_| not_found("misread"))?;
    let note = line(fields.get(&format!("note-{id}")));
    if note.chars().count() > Reason::MAX_CHARS {
        let message = Message { health: Health::Bad, text: "The note is too long.".into() };
        return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, Some(message)).await;
    }
    let (station, look) = (visit.station.clone(), visit.look()?.clone());
    let done = blocking(move || {
        let _: Permit<Search> = look.open(&station, json!({"misread": id, "as": "reviewed"}))?;
        let by = look.actor().to_string();
        let at = station.clock.wall();
        let database = station.archive.database();
        let kept = database
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .transaction(|rows| rows.review_misread(id, &by, &note, at));
        match kept {
            Err(e) if e.kind() == Kind::Refused => Ok(Some(sentence(&words::capital(&e.to_string())))),
            other => other.map(|()| None),
        }
    });
    match done.await? {
        None => Ok(redirect("/misreads?done=reviewed")),
        Some(text) => page(&visit, StatusCode::CONFLICT, Some(Message { health: Health::Bad, text })).await,
    }
}
