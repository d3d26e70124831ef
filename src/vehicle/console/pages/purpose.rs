//! Purpose and case, before anything is shown (controls P-01, P-02, P-21).

use crate::console::door::{redirect, target};
use crate::console::look;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::{Visit, home};
use crate::console::{blocking, draw};
use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plated_access::{Case, Hits, Live, Purpose, Recorded};
use plated_web::fields::Fields;
use plated_web::pages;
use plated_web::problem::Problem;
use plated_web::ui::{Field, Input, Link};

pub fn routes(routes: Routes) -> Routes {
    routes.get("/purpose", Needs::Trained, form).post("/purpose", Needs::Trained, give)
}

/// What was given, and what is wrong with it.
#[derive(Default)]
struct Given<'a> {
    then: &'a str,
    purpose: &'a str,
    case: &'a str,
    purpose_error: &'a str,
    case_error: &'a str,
}

async fn form(visit: Visit) -> Result<Response, Problem> {
    let role = visit.visitor()?.role();
    if !Live::ROLES.contains(&role) && !Hits::ROLES.contains(&role) {
        return Ok(redirect(home(role)));
    }
    let then = target(visit.query.get("then"));
    let purpose = visit.visitor()?.look.as_ref().and_then(|look| look.reason.purpose().cloned());
    let purpose = purpose.as_ref().map_or("", Purpose::as_str);
    page(&visit, Given { then: &then, purpose, ..Given::default() }).await
}

async fn page(visit: &Visit, given: Given<'_>) -> Result<Response, Problem> {
    let access = &visit.console.access;
    let choices = access.purposes.iter().map(|p| (p.name.as_str(), p.text.as_str()));
    let purpose = Field::new(Input::Radio, "purpose", "Purpose").required().choices(choices);
    let case = Field::new(Input::Text, "case", "Case or incident number").max(64);
    let case = match access.case_required {
        true => case.required().hint("Your agency asks for one"),
        false => case,
    };
    let mut form = visit.form("/purpose", "Go on");
    form.fields =
        vec![purpose.value(given.purpose).error(given.purpose_error), case.value(given.case).error(given.case_error)];
    form.hidden = vec![("then".into(), given.then.to_owned())];
    form.cancel = Some(Link::new("Back", home(visit.visitor()?.role())));
    let frame = visit.frame("What do you look for?", "").await?;
    let page = draw(&pages::Purpose { frame, what: "watch reads and alerts".into(), form })?;
    let wrong = !(given.purpose_error.is_empty() && given.case_error.is_empty());
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page).into_response())
}

async fn give(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (access, then) = (&visit.console.access, target(fields.get("then")));
    let mut given = Given { then: &then, purpose: fields.get("purpose"), case: fields.get("case"), ..Given::default() };
    let purpose = access.purposes.iter().find(|p| p.name.as_str() == given.purpose).map(|p| p.name.clone());
    let case = Case::new(given.case);
    if purpose.is_none() {
        given.purpose_error = "Choose one: without an authorised purpose nothing is shown.";
    }
    let said;
    match &case {
        Err(e) => {
            said = e.to_string();
            given.case_error = &said;
        }
        Ok(case) if access.case_required && case.as_str().is_empty() => {
            given.case_error = "Give the number: your agency asks for one.";
        }
        Ok(_) => {}
    }
    let (Some(purpose), Ok(case), "") = (purpose, case, given.case_error) else { return page(&visit, given).await };
    let (console, visitor) = (visit.console.clone(), visit.visitor()?.clone());
    blocking(move || look::begin(&console, &visitor, purpose, case)).await?;
    Ok(redirect(&then))
}
