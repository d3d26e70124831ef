//! The call by which vehicles fetch what was approved.

use super::super::hotlists::calls::is_known;
use super::super::http::{HttpResult, Station, failure};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use plated_access::{HandOut, Permit};
use plated_core::digest::Sha256;
use plated_core::wire::etag;
use std::sync::Arc;

/// The call.
pub fn router() -> Router<Arc<Station>> {
    Router::new().route("/v1/findings", get(findings))
}

async fn findings(State(station): State<Arc<Station>>, headers: HeaderMap) -> HttpResult<Response> {
    let set = station.writer.call(|database| database.transaction(|rows| rows.finding_set())).await?;
    let Some((_, signed, _)) = set else {
        return Err(failure(StatusCode::NOT_FOUND, "the station hands out no findings"));
    };
    Ok(answer(&station.hand_out, signed, &headers))
}

fn answer(_: &Permit<HandOut>, signed: String, headers: &HeaderMap) -> Response {
    let tag = etag(&Sha256::of(signed.as_bytes()));
    match is_known(headers, &tag) {
        true => (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response(),
        false => ([(header::ETAG, tag), (header::CONTENT_TYPE, "application/json".into())], signed).into_response(),
    }
}
