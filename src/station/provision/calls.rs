//! The calls by which vehicles fetch accounts, settings and models.

use super::super::http::{HttpResult, Station, failure};
use super::super::listener::Vehicle;
use super::folder;
use super::table::ProvisionKind;
use crate::hotlists::calls::{file, hash, is_known};
use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use plated_core::digest::Sha256;
use plated_core::wire::etag;
use std::sync::Arc;

/// The calls.
pub fn router() -> Router<Arc<Station>> {
    Router::new()
        .route("/v1/provision/users", get(users))
        .route("/v1/provision/settings", get(settings))
        .route("/v1/provision/models", get(models))
        .route("/v1/provision/models/{sha256}", get(model))
}

async fn users(
    State(station): State<Arc<Station>>,
    ConnectInfo(vehicle): ConnectInfo<Vehicle>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    document(&station, ProvisionKind::Users, vehicle.0.to_string(), &headers).await
}

async fn settings(State(station): State<Arc<Station>>, headers: HeaderMap) -> HttpResult<Response> {
    document(&station, ProvisionKind::Settings, String::new(), &headers).await
}

async fn models(State(station): State<Arc<Station>>, headers: HeaderMap) -> HttpResult<Response> {
    document(&station, ProvisionKind::Models, String::new(), &headers).await
}

async fn document(
    station: &Station,
    kind: ProvisionKind,
    vehicle: String,
    headers: &HeaderMap,
) -> HttpResult<Response> {
    let look = move |rows: &crate::database::Rows<'_>| rows.provision(kind, &vehicle);
    let Some(found) = station.writer.call(move |database| database.transaction(look)).await? else {
        let text = format!("the station hands out no {} to this vehicle; publish them first", kind.as_str());
        return Err(failure(StatusCode::NOT_FOUND, text));
    };
    let tag = etag(&Sha256::of(found.signed.as_bytes()));
    if is_known(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag), (header::CONTENT_TYPE, "application/json".into())], found.signed).into_response())
}

/// A file of the models, or the part of it that is asked for.
async fn model(
    State(station): State<Arc<Station>>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    let sha256 = hash(&sha256)?;
    file(&station.hand_out, folder(&station.data).join(sha256.to_string()), etag(&sha256), headers).await
}
