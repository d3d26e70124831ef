//! The calls by which vehicles fetch lists.

use super::super::api::Problems;
use super::super::http::{Failure, HttpResult, Station, blocking, failure};
use super::super::listener::Vehicle;
use super::body::FileBody;
use super::range::{FilePart, part};
use super::{delta_name, file_name, folder};
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_access::{HandOut, Permit};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Kind};
use plated_core::wire::{SignedManifest, etag};
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// JSON of an entry on each line.
const NDJSON: &str = "application/x-ndjson";

/// The calls.
pub fn router() -> OpenApiRouter<Arc<Station>> {
    OpenApiRouter::new().routes(routes!(manifest)).routes(routes!(list)).routes(routes!(delta))
}

/// Which lists the station hands out
#[utoipa::path(
    get,
    path = "/v1/hotlists",
    params(("If-None-Match" = Option<String>, Header, description = "ETag of the manifest that the vehicle has")),
    responses(
        (status = 200, description = "The signed manifest, with its ETag", body = SignedManifest),
        (status = 304, description = "The vehicle has it"),
        Problems
    )
)]
async fn manifest(State(station): State<Arc<Station>>, headers: HeaderMap) -> HttpResult<Response> {
    let current = station.writer.call(|database| database.read(|rows| rows.manifest())).await?;
    let Some(current) = current else {
        return Err(failure(StatusCode::NOT_FOUND, "the station hands out no hotlists; publish one first"));
    };
    let tag = etag(&Sha256::of(current.signed.as_bytes()));
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag), (header::CONTENT_TYPE, "application/json".into())], current.signed).into_response())
}

/// A version of a list, whole or a part of it
#[utoipa::path(
    get,
    path = "/v1/hotlists/{name}/{sha256}",
    params(
        ("name" = String, Path, description = "Name of the list, of the manifest"),
        ("sha256" = String, Path, description = "Hash of the version, of the manifest: 64 hex digits"),
        ("Range" = Option<String>, Header, description = "Bytes that are missing after a cut: `bytes=FIRST-`"),
        ("If-Range" = Option<String>, Header, description = "ETag of what there is so far"),
        ("If-None-Match" = Option<String>, Header, description = "ETag of what the vehicle has")
    ),
    responses(
        (status = 200, description = "The list: an entry in JSON on each line", content_type = "application/x-ndjson", body = String),
        (status = 206, description = "The bytes that were asked for", content_type = "application/x-ndjson", body = String),
        (status = 304, description = "The vehicle has it"),
        Problems
    )
)]
async fn list(
    State(station): State<Arc<Station>>,
    ConnectInfo(vehicle): ConnectInfo<Vehicle>,
    Path((name, sha256)): Path<(String, String)>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    let sha256 = hash(&sha256)?;
    let path = kept(&station, &name, sha256).await?.join(file_name(&sha256));
    tracing::debug!(vehicle = &*vehicle.0, list = name, "A vehicle fetches a list");
    file(&station, path, etag(&sha256), NDJSON, headers).await
}

/// What changed from one version of a list to another
#[utoipa::path(
    get,
    path = "/v1/hotlists/{name}/{sha256}/from/{from}",
    params(
        ("name" = String, Path, description = "Name of the list, of the manifest"),
        ("sha256" = String, Path, description = "Hash of the version that it makes"),
        ("from" = String, Path, description = "Hash of the version that the vehicle has"),
        ("Range" = Option<String>, Header, description = "Bytes that are missing after a cut: `bytes=FIRST-`"),
        ("If-Range" = Option<String>, Header, description = "ETag of what there is so far"),
        ("If-None-Match" = Option<String>, Header, description = "ETag of what the vehicle has")
    ),
    responses(
        (status = 200, description = "A header, then the entries that go and come", content_type = "application/x-ndjson", body = String),
        (status = 206, description = "The bytes that were asked for", content_type = "application/x-ndjson", body = String),
        (status = 304, description = "The vehicle has it"),
        Problems
    )
)]
async fn delta(
    State(station): State<Arc<Station>>,
    ConnectInfo(vehicle): ConnectInfo<Vehicle>,
    Path((name, sha256, from)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    let (to, from) = (hash(&sha256)?, hash(&from)?);
    let path = kept(&station, &name, to).await?.join(delta_name(&from, &to));
    tracing::debug!(vehicle = &*vehicle.0, list = name, "A vehicle fetches a delta");
    file(&station, path, format!("\"{from}-{to}\""), NDJSON, headers).await
}

pub(crate) fn hash(text: &str) -> HttpResult<Sha256> {
    text.parse().map_err(|e: String| failure(StatusCode::BAD_REQUEST, e))
}

/// The folder of a list, if this version of it is there. The name is looked up, never used as it
/// came.
async fn kept(station: &Station, name: &str, sha256: Sha256) -> HttpResult<PathBuf> {
    let asked = name.to_owned();
    let found = station.writer.call(move |db| db.read(|rows| rows.list_version(&asked, &sha256))).await?;
    match found {
        Some(version) => Ok(folder(&station.data).join(version.name)),
        None => Err(gone()),
    }
}

fn gone() -> Failure {
    failure(StatusCode::NOT_FOUND, "the station does not have this version of the list; fetch its manifest again")
}

/// A file, or the part of it that is asked for. It needs what lets lists go to vehicles, which the station has.
pub(crate) async fn file(
    station: &Station,
    path: PathBuf,
    tag: String,
    content: &'static str,
    headers: HeaderMap,
) -> HttpResult<Response> {
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let (_, shared): (&Permit<HandOut>, _) = (&station.hand_out, station.shared.clone());
    let opened = blocking(move || {
        if !shared.fetch(&path)? {
            return Ok(None);
        }
        let failed = || format!("could not read {}", path.display());
        match File::open(&path) {
            Ok(file) => {
                let size = file.metadata().context(Kind::Damaged, failed)?.len();
                Ok(Some((file, size)))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e).context(Kind::Damaged, failed),
        }
    });
    let (file, size) = opened.await?.ok_or_else(gone)?;
    // Half of one file and half of another make no file: without the same tag the whole is sent.
    let same = text(&headers, &header::IF_RANGE).is_none_or(|t| t == tag);
    let asked = text(&headers, &header::RANGE).filter(|_| same).map_or(FilePart::Whole, |range| part(range, size));
    let (status, bytes) = match asked {
        FilePart::Whole => (StatusCode::OK, 0..size),
        FilePart::Bytes(bytes) => (StatusCode::PARTIAL_CONTENT, bytes),
        FilePart::Nothing => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            let problem = failure(StatusCode::RANGE_NOT_SATISFIABLE, "the file has no such bytes");
            return Ok((range, problem).into_response());
        }
    };
    let mut response = Response::builder()
        .status(status)
        .header(header::ETAG, tag)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_TYPE, content);
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1);
        response = response.header(header::CONTENT_RANGE, range);
    }
    let response = response.body(Body::new(FileBody::new(file, bytes)));
    response.context(Kind::Internal, || "an answer could not be made".into()).map_err(Failure::from)
}

/// True when the request names this tag as one it has (`If-None-Match`).
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    text(headers, &header::IF_NONE_MATCH)
        .is_some_and(|known| known.split(',').map(str::trim).any(|t| t == "*" || t.trim_start_matches("W/") == tag))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
