//! The calls by which vehicles fetch accounts, settings and models.

use super::super::api::{FileBytes, Problems};
use super::super::http::{HttpResult, Station, failure};
use super::super::listener::Vehicle;
use super::folder;
use super::table::ProvisionKind;
use crate::hotlists::calls::{file, hash, is_known};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_core::digest::Sha256;
use plated_core::wire::etag;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The calls.
pub fn router() -> OpenApiRouter<Arc<Station>> {
    OpenApiRouter::new().routes(routes!(users)).routes(routes!(settings)).routes(routes!(models)).routes(routes!(model))
}

/// The accounts of a vehicle, sealed for it
#[utoipa::path(
    get,
    path = "/v1/provision/users",
    params(("If-None-Match" = Option<String>, Header, description = "ETag of what the vehicle has")),
    responses(
        (status = 200, description = "The signed document, with its ETag", content_type = "application/json", body = Object),
        (status = 304, description = "The vehicle has it"),
        Problems
    )
)]
async fn users(
    State(station): State<Arc<Station>>,
    ConnectInfo(vehicle): ConnectInfo<Vehicle>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    document(&station, ProvisionKind::Users, vehicle.0.to_string(), &headers).await
}

/// Settings of the agency for all vehicles
#[utoipa::path(
    get,
    path = "/v1/provision/settings",
    params(("If-None-Match" = Option<String>, Header, description = "ETag of what the vehicle has")),
    responses(
        (status = 200, description = "The signed document, with its ETag", content_type = "application/json", body = Object),
        (status = 304, description = "The vehicle has it"),
        Problems
    )
)]
async fn settings(State(station): State<Arc<Station>>, headers: HeaderMap) -> HttpResult<Response> {
    document(&station, ProvisionKind::Settings, String::new(), &headers).await
}

/// Which models vehicles are to have
#[utoipa::path(
    get,
    path = "/v1/provision/models",
    params(("If-None-Match" = Option<String>, Header, description = "ETag of what the vehicle has")),
    responses(
        (status = 200, description = "The signed document, with its ETag", content_type = "application/json", body = Object),
        (status = 304, description = "The vehicle has it"),
        Problems
    )
)]
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

/// A file of the models, whole or a part of it
#[utoipa::path(
    get,
    path = "/v1/provision/models/{sha256}",
    params(("sha256" = String, Path, description = "Hash of the file, of the models' document"), ("Range" = Option<String>, Header, description = "Bytes that are missing after a cut: `bytes=FIRST-`"), ("If-Range" = Option<String>, Header, description = "ETag of what there is so far"), ("If-None-Match" = Option<String>, Header, description = "ETag of what the vehicle has")),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream", body = FileBytes),
        (status = 206, description = "The bytes that were asked for", content_type = "application/octet-stream", body = FileBytes),
        (status = 304, description = "The vehicle has it"),
        Problems
    )
)]
async fn model(
    State(station): State<Arc<Station>>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    let sha256 = hash(&sha256)?;
    file(&station, folder(&station.data).join(sha256.to_string()), etag(&sha256), "application/octet-stream", headers)
        .await
}
