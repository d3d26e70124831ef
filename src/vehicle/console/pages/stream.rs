//! Alerts for programs, as they are made; no page. Whoever asks has a token of its own.

use crate::console::Shared;
use crate::console::door::{self, Program};
use crate::console::routes::{Needs, Route};
use crate::subscribers::Parts;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use plated_web::problem::Problem;
use plated_web::sse;

/// Without cookies, and without the token of a form.
pub fn programs(console: &Shared) -> (Router<Shared>, Vec<Route>) {
    let route = Route { method: "GET", path: "/subscribers/alerts", needs: Needs::Token };
    let guarded = get(alerts).layer(from_fn_with_state(console.clone(), door::program));
    (Router::new().route(route.path, guarded), vec![route])
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
