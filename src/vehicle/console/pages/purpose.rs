//! Purpose and case, before anything is shown (controls P-01, P-02, P-21).

use crate::console::door::{redirect, target};
use crate::console::look;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::{Visit, home};
use crate::console::{blocking, draw};
use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plated_access::{Case, Hits, Live, Purpose, Recorded, Settings};
use plated_web::fields::Fields;
use plated_web::pages;
use plated_web::problem::Problem;
use plated_web::ui::{Field, Input, Link};

pub fn routes(routes: Routes) -> Routes {
    routes.get("/purpose", Needs::Trained, form).post("/purpose", Needs::Trained, give)
}

/// Purpose and case as they were given, and what is wrong with them.
#[derive(Default)]
pub struct Given {
    purpose: String,
    case: String,
    purpose_error: String,
    case_error: String,
}

impl Given {
    /// What a form brought.
    pub fn of(fields: &Fields) -> Self {
        Self { purpose: fields.get("purpose").into(), case: fields.get("case").into(), ..Self::default() }
    }

    /// What a form brought: an authorised purpose and a case, or what is wrong.
    ///
    /// # Errors
    /// The form, with that in it.
    pub fn read(access: &Settings, fields: &Fields) -> Result<(Purpose, Case), Self> {
        let mut given = Self::of(fields);
        let purpose = access.purposes.iter().find(|p| p.name.as_str() == given.purpose).map(|p| p.name.clone());
        if purpose.is_none() {
            given.purpose_error = "Choose one: without an authorised purpose nothing is shown.".into();
        }
        let case = Case::new(&given.case);
        match &case {
            Err(e) => given.case_error = e.to_string(),
            Ok(case) if access.case_required && case.as_str().is_empty() => {
                given.case_error = "Give the number: your agency asks for one.".into();
            }
            Ok(_) => {}
        }
        match (purpose, case) {
            (Some(purpose), Ok(case)) if given.case_error.is_empty() => Ok((purpose, case)),
            _ => Err(given),
        }
    }

    /// The fields that ask for them.
    pub fn fields(&self, access: &Settings) -> Vec<Field> {
        let choices = access.purposes.iter().map(|p| (p.name.as_str(), p.text.as_str()));
        let purpose = Field::new(Input::Radio, "purpose", "Purpose").required().choices(choices);
        let case = Field::new(Input::Text, "case", "Case or incident number").max(64);
        let case = match access.case_required {
            true => case.required().hint("Your agency asks for one"),
            false => case,
        };
        vec![
            purpose.value(&*self.purpose).error(&*self.purpose_error),
            case.value(&*self.case).error(&*self.case_error),
        ]
    }
}

async fn form(visit: Visit) -> Result<Response, Problem> {
    let role = visit.visitor()?.role();
    if !Live::ROLES.contains(&role) && !Hits::ROLES.contains(&role) {
        return Ok(redirect(home(role)));
    }
    let then = target(visit.query.get("then"));
    let purpose = visit.visitor()?.look.as_ref().and_then(|look| look.reason.purpose().cloned());
    let purpose = purpose.as_ref().map_or("", Purpose::as_str).to_owned();
    page(&visit, &then, StatusCode::OK, &Given { purpose, ..Given::default() }).await
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
