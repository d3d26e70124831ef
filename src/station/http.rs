//! The station's calls over HTTP, as `wire` lists them. Every answer that is not a success carries
//! a [`Problem`]; its text is for the vehicle's log, and the station's own log says more.

use super::StationConfig;
use super::database::Database;
use super::hotlists;
use super::images::Images;
use super::ingest::ingest;
use super::listener::Vehicle;
use super::security;
use super::writer::DatabaseHandle;
use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use plated_access::{HandOut, Permit, station_permit};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind};
use plated_core::wire::{Batch, MAX_BATCH_BYTES, MAX_BATCH_READS, MAX_IMAGE_BYTES, Problem, Receipt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One request takes at most this long.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Bodies held in memory at a time, all requests together, in KiB.
const MAX_BODIES_KIB: usize = 256 << 10;

/// What the calls work on.
pub struct Station {
    pub(super) name: String,
    pub(super) data: PathBuf,
    pub(super) images: Images,
    pub(super) writer: DatabaseHandle,
    pub(super) clock: Arc<dyn Clock>,
    bodies: Arc<Semaphore>,
    /// Lists go to vehicles that showed a certificate; no person sees them here.
    pub(super) hand_out: Permit<HandOut>,
}

impl Station {
    pub(super) fn new(config: &StationConfig, images: Images, writer: DatabaseHandle, clock: Arc<dyn Clock>) -> Self {
        let (name, data) = (config.name.clone(), config.data.clone());
        let bodies = Arc::new(Semaphore::new(MAX_BODIES_KIB));
        Self { name, data, images, writer, clock, bodies, hand_out: station_permit() }
    }
}

pub(super) type HttpResult<T> = std::result::Result<T, Failure>;

/// The calls.
pub fn router(station: Arc<Station>) -> Router {
    Router::new()
        .route("/v1/images/{sha256}", put(put_image))
        .route("/v1/batches", post(post_batch))
        .route("/v1/security-events", post(security::post_report))
        .route("/v1/health", get(health))
        .merge(hotlists::calls::router())
        .fallback(async || failure(StatusCode::NOT_FOUND, "the station has no such call"))
        .method_not_allowed_fallback(async || {
            failure(StatusCode::METHOD_NOT_ALLOWED, "the station has no such call with this method")
        })
        .layer(from_fn(in_time))
        .with_state(station)
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            failure(StatusCode::SERVICE_UNAVAILABLE, "the request took too long; send it again later").into_response()
        }
    }
}

async fn put_image(
    State(station): State<Arc<Station>>,
    ConnectInfo(vehicle): ConnectInfo<Vehicle>,
    Path(sha256): Path<String>,
    request: Request,
) -> HttpResult<StatusCode> {
    let sha256: Sha256 = sha256.parse().map_err(|e: String| failure(StatusCode::BAD_REQUEST, e))?;
    let (bytes, _held) = station.body(request, MAX_IMAGE_BYTES).await?;
    let hashed = bytes.clone();
    let real = blocking(move || Ok(Sha256::of(&hashed))).await?;
    if real != sha256 {
        tracing::warn!(vehicle = &*vehicle.0, "A vehicle sent an image that does not fit its hash; it was not taken");
        return Err(failure(StatusCode::UNPROCESSABLE_ENTITY, "the image's bytes do not fit its hash"));
    }
    let size = bytes.len() as u64;
    let noted = station.writer.call(move |database| database.transaction(|rows| rows.image(&sha256))).await?;
    if noted == Some(size) && station.images.size(&sha256) == Some(size) {
        return Ok(StatusCode::OK);
    }
    let images = station.images.clone();
    blocking(move || images.put(&sha256, &bytes)).await?;
    let now = station.clock.wall();
    station.writer.call(move |database| database.transaction(|rows| rows.add_image(&sha256, size, now))).await?;
    Ok(StatusCode::CREATED)
}

async fn post_batch(
    State(station): State<Arc<Station>>,
    ConnectInfo(vehicle): ConnectInfo<Vehicle>,
    request: Request,
) -> HttpResult<Json<Receipt>> {
    let (bytes, _held) = station.body(request, MAX_BATCH_BYTES).await?;
    let batch: Batch = serde_json::from_slice(&bytes).map_err(|e| {
        // Only the place: the parser's own message may quote the content.
        failure(StatusCode::BAD_REQUEST, format!("this is not a batch (line {}, column {})", e.line(), e.column()))
    })?;
    if batch.vehicle != *vehicle.0 {
        tracing::warn!(certificate = &*vehicle.0, "A vehicle sent reads in another vehicle's name; nothing was taken");
        return Err(failure(StatusCode::FORBIDDEN, "the batch names another vehicle than the certificate"));
    }
    if batch.reads.len() > MAX_BATCH_READS {
        return Err(failure(StatusCode::PAYLOAD_TOO_LARGE, format!("a batch has at most {MAX_BATCH_READS} reads")));
    }
    let at_work = station.clone();
    let receipt = station
        .writer
        .call(move |database| ingest(database, &at_work.images, &at_work.name, &batch, at_work.clock.wall()))
        .await?;
    if !receipt.refused.is_empty() {
        let refused = receipt.refused.len();
        tracing::warn!(vehicle = &*vehicle.0, batch = %receipt.batch, refused, "Some reads of a batch were refused");
    }
    tracing::debug!(
        vehicle = &*vehicle.0,
        batch = %receipt.batch,
        durable = receipt.durable.len(),
        missing_images = receipt.missing_images.len(),
        "Took in a batch"
    );
    Ok(Json(receipt))
}

async fn health(State(station): State<Arc<Station>>) -> HttpResult<Json<serde_json::Value>> {
    station.writer.call(Database::check_in_place).await?;
    Ok(Json(serde_json::json!({ "status": "ok" })))
}

impl Station {
    /// The whole body, at most `limit` bytes, and its share of the memory for bodies.
    pub(super) async fn body(&self, request: Request, limit: usize) -> HttpResult<(Bytes, OwnedSemaphorePermit)> {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let Some(length) = length.and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok()) else {
            return Err(failure(StatusCode::LENGTH_REQUIRED, "the request must give its length"));
        };
        if length > limit {
            return Err(failure(StatusCode::PAYLOAD_TOO_LARGE, format!("the body may have at most {limit} bytes")));
        }
        let kib = u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX);
        let held = self
            .bodies
            .clone()
            .acquire_many_owned(kib)
            .await
            .context(Kind::Internal, || "the memory for bodies is closed".into())?;
        let bytes = to_bytes(request.into_body(), length)
            .await
            .map_err(|_| failure(StatusCode::BAD_REQUEST, "the body was cut off"))?;
        Ok((bytes, held))
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> plated_core::error::Result<T> + Send + 'static,
) -> HttpResult<T> {
    Ok(tokio::task::spawn_blocking(work).await.context(Kind::Internal, || "a task failed".into())??)
}

/// An answer that is not a success.
pub(super) struct Failure {
    status: StatusCode,
    text: String,
}

pub(super) fn failure(status: StatusCode, text: impl Into<String>) -> Failure {
    Failure { status, text: text.into() }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::Network | Kind::Busy => failure(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            // It is in the log already, with what to do.
            Kind::Missing => failure(
                StatusCode::SERVICE_UNAVAILABLE,
                "the station's database is not in its place; nothing was taken, send it again later, and tell the \
                 station's administrator",
            ),
            Kind::Storage => {
                tracing::error!(
                    error = %error.chain(),
                    "The station's disk is full or failing; nothing is taken until there is room"
                );
                failure(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "the station's disk is full or failing; nothing was taken, send it again later",
                )
            }
            _ => {
                tracing::error!(error = %error.chain(), "A request failed inside the station");
                failure(StatusCode::INTERNAL_SERVER_ERROR, "the station failed; its log says more")
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(Problem { error: self.text })).into_response()
    }
}
