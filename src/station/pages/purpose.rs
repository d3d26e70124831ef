//! Purpose and case, before anything is shown (controls P-01, P-02, P-21).

use super::site::{Routes, Visit};
use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plated_access::{Recorded, Search};
use plated_portal::{Given, Needs, draw, redirect, target};
use plated_web::fields::Fields;
use plated_web::pages;
use plated_web::problem::Problem;
use plated_web::ui::Link;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/purpose", Needs::Trained, form).post("/purpose", Needs::Trained, give)
}

async fn form(visit: Visit) -> Result<Response, Problem> {
    let role = visit.visitor()?.role();
    if !Search::ROLES.contains(&role) {
        return Ok(redirect(visit.site.home(role)));
    }
    let then = target(visit.query.get("then"));
    let given = Given::for_purpose(visit.look().ok().and_then(|look| look.reason.purpose()));
    page(&visit, &then, StatusCode::OK, &given).await
}

async fn page(visit: &Visit, then: &str, status: StatusCode, given: &Given) -> Result<Response, Problem> {
    let mut form = visit.form("/purpose", "Go on");
    form.fields = given.fields(&visit.portal().access);
    form.hidden = vec![("then".into(), then.to_owned())];
    form.cancel = Some(Link::new("Back", "/account"));
    let frame = visit.frame("What do you look for?", "Search").await?;
    let page = draw(&pages::Purpose { frame, what: "look at reads".into(), form })?;
    Ok((status, page).into_response())
}

async fn give(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let then = target(fields.get("then"));
    match Given::read(&visit.portal().access, &fields) {
        Err(given) => page(&visit, &then, StatusCode::UNPROCESSABLE_ENTITY, &given).await,
        Ok((purpose, case)) => {
            visit.station.looks.begin(&visit.station, &visit.visitor()?.session, purpose, case)?;
            Ok(redirect(&then))
        }
    }
}
