//! Where somebody begins.

use super::site::{Routes, Visit};
use axum::response::Response;
use plated_portal::{Needs, redirect};
use plated_web::problem::Problem;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/", Needs::Session, start)
}

async fn start(visit: Visit) -> Result<Response, Problem> {
    Ok(redirect(visit.site.home(visit.visitor()?.role())))
}
