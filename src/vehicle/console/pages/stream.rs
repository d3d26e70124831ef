//! Alerts for programs, as they are made; no page. Whoever asks has a token of its own.

use crate::console::Shared;
use crate::console::door::Program;
use crate::console::routes::Routes;
use crate::subscribers::Parts;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use plated_web::problem::Problem;
use plated_web::sse;

pub fn routes(routes: Routes) -> Routes {
    routes.program("/subscribers/alerts", alerts)
}

async fn alerts(
    State(console): State<Shared>,
    Extension(program): Extension<Program>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let Program { account, token, address } = program;
    let parts = Parts {
        officers: console.officers.clone(),
        store: console.store.clone(),
        events: console.events.clone(),
        health: console.health.clone(),
        clock: console.clock.clone(),
    };
    let last = sse::resume_after(&headers, &uri);
    let events = console.streams.open(parts, account, token, &address, last.as_deref())?;
    Ok(sse::answer(events, console.clock.clone()))
}
