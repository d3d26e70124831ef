//! Purpose and case, before anything is shown (controls P-01, P-02, P-21).

use crate::console::door::{redirect, target};
use crate::console::look;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::{Visit, home};
use crate::console::{blocking, draw};
use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plated_access::{Hits, Live, Recorded};
use plated_portal::Given;
use plated_web::fields::Fields;
use plated_web::pages;
use plated_web::problem::Problem;
use plated_web::ui::Link;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/purpose", Needs::Trained, form).post("/purpose", Needs::Trained, give)
}

async fn form(visit: Visit) -> Result<Response, Problem> {
    let role = visit.visitor()?.role();
    if !Live::ROLES.contains(&role) && !Hits::ROLES.contains(&role) {
        return Ok(redirect(home(role)));
    }
    let then = target(visit.query.get("then"));
    let given = Given::for_purpose(visit.look().ok().and_then(|look| look.reason.purpose()));
    page(&visit, &then, StatusCode::OK, &given).await
}

async fn page(visit: &Visit, then: &str, status: StatusCode, given: &Given) -> Result<Response, Problem> {
    let mut form = visit.form("/purpose", "Go on");
    form.fields = given.fields(&visit.console.access);
    form.hidden = vec![("then".into(), then.to_owned())];
    form.cancel = Some(Link::new("Back", home(visit.visitor()?.role())));
    let frame = visit.frame("What do you look for?", "").await?;
    let page = draw(&pages::Purpose { frame, what: "watch reads and alerts".into(), form })?;
    Ok((status, page).into_response())
}

async fn give(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let then = target(fields.get("then"));
    match Given::read(&visit.console.access, &fields) {
        Err(given) => page(&visit, &then, StatusCode::UNPROCESSABLE_ENTITY, &given).await,
        Ok((purpose, case)) => {
            let (console, visitor) = (visit.console.clone(), visit.visitor()?.clone());
            blocking(move || look::begin(&console, &visitor, purpose, case)).await?;
            Ok(redirect(&then))
        }
    }
}
