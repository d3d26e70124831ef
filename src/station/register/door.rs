//! What stands in front of every call: the certificate of the connection is in the register, and counts.

use super::super::http::{Failure, Station, failure};
use super::super::listener::Vehicle;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Lets a request through or answers it 403.
pub(in super::super) async fn admit(
    State(station): State<Arc<Station>>,
    ConnectInfo(Vehicle(_, facts)): ConnectInfo<Vehicle>,
    request: Request,
    next: Next,
) -> Response {
    match station.register.admit(&facts).await {
        Ok(Ok(())) => next.run(request).await,
        Ok(Err(why)) => failure(StatusCode::FORBIDDEN, why.text(&facts.fingerprint)).into_response(),
        Err(e) => Failure::from(e).into_response(),
    }
}
