//! The call by which vehicles fetch what was approved.

use super::super::api::Problems;
use super::super::hotlists::calls::is_known;
use super::super::http::{HttpResult, Station, failure};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_access::{HandOut, Permit};
use plated_core::digest::Sha256;
use plated_core::wire::etag;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The call.
pub fn router() -> OpenApiRouter<Arc<Station>> {
    OpenApiRouter::new().routes(routes!(findings))
}

/// "Not this vehicle": what was approved for all vehicles, as a signed document
#[utoipa::path(
    get,
    path = "/v1/findings",
    params(("If-None-Match" = Option<String>, Header, description = "ETag of the set that the vehicle has")),
    responses(
        (status = 200, description = "The signed set, with its ETag", content_type = "application/json", body = Object),
        (status = 304, description = "The vehicle has it"),
        Problems
    )
)]
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
