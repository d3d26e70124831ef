//! The station's calls over HTTP, as `wire` lists them. Every answer that is not a success carries
//! a [`Problem`]; its text is for the vehicle's log, and the station's own log says more.

use super::StationConfig;
use super::api::{Document, Problems};
use super::archive::Engine;
use super::contacts::{Contacts, Overdue};
use super::database::Database;
use super::findings;
use super::hotlists;
use super::intake;
use super::intake::room::Room;
use super::listener::Vehicle;
use super::monitor::Counts;
use super::provision;
use super::register::{Register, door, renewal};
use super::security;
use super::shared_files::SharedFiles;
use super::writer::DatabaseHandle;
use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use plated_access::{HandOut, Permit, station_permit};
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind};
use plated_core::signing::Signer;
use plated_core::tls::authority::Authority;
use plated_core::wire::Problem;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// One request takes at most this long; a batch may take longer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Bodies held in memory at a time, but for batches, all requests together, in KiB.
const MAX_BODIES_KIB: usize = 32 << 10;

/// When a request that finds the database busy is to come again.
const COME_AGAIN: Duration = Duration::from_secs(2);

/// What the calls work on.
pub struct Station {
    pub(super) name: String,
    pub(super) data: PathBuf,
    pub(super) archive: Arc<dyn Engine>,
    pub(super) writer: DatabaseHandle,
    /// Lists and models.
    pub(super) shared: Arc<SharedFiles>,
    pub(super) clock: Arc<dyn Clock>,
    bodies: Arc<Semaphore>,
    /// Room for batches that are arriving.
    pub(super) room: Arc<Room>,
    pub(super) receipt_signer: Signer,
    pub(super) counts: Arc<Counts>,
    /// What is shared with an upstream station.
    pub(super) sharing: intake::Sharing,
    /// Names of stations whose reads are taken.
    pub(super) downstream: Vec<String>,
    /// When vehicles were heard of last.
    pub(super) contacts: Contacts,
    pub(super) overdue: Overdue,
    /// Which vehicles there are.
    pub(super) register: Arc<Register>,
    /// Signs certificates of vehicles that renew theirs, where the station may.
    pub(super) authority: Option<Authority>,
    /// Lists go to vehicles that showed a certificate; no person sees them here.
    pub(super) hand_out: Permit<HandOut>,
}

impl Station {
    pub(super) fn new(
        config: &StationConfig,
        archive: Arc<dyn Engine>,
        writer: DatabaseHandle,
        register: Arc<Register>,
        keys: Keys,
        clock: Arc<dyn Clock>,
        counts: Arc<Counts>,
    ) -> Self {
        let Keys { receipt_signer, authority } = keys;
        let (name, data) = (config.name.clone(), config.data.clone());
        let shared = SharedFiles::of(&archive.database().lock().unwrap_or_else(PoisonError::into_inner), &data);
        let bodies = Arc::new(Semaphore::new(MAX_BODIES_KIB));
        let room = Room::new(intake::room::LIMITS);
        let (contacts, overdue, hand_out) = (Contacts::default(), config.overdue, station_permit());
        let sharing = config.sharing();
        let downstream = config.downstream.iter().map(|station| station.name.clone()).collect();
        Self {
            name,
            data,
            archive,
            writer,
            shared: Arc::new(shared),
            clock,
            bodies,
            room,
            receipt_signer,
            counts,
            sharing,
            downstream,
            contacts,
            overdue,
            register,
            authority,
            hand_out,
        }
    }
}

/// What the station signs with.
pub(super) struct Keys {
    pub(super) receipt_signer: Signer,
    pub(super) authority: Option<Authority>,
}

pub(super) type HttpResult<T> = std::result::Result<T, Failure>;

/// The calls, with what the document says of them.
pub(super) fn calls() -> OpenApiRouter<Arc<Station>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(security::post_report))
        .routes(routes!(renewal::post_request))
        .routes(routes!(health))
        .merge(hotlists::calls::router())
        .merge(findings::calls::router())
        .merge(provision::calls::router())
        .route_layer(from_fn(in_time))
        .routes(routes!(intake::post_batch))
}

/// The calls, behind the door of the register.
pub fn router(station: Arc<Station>) -> Router {
    Router::from(calls())
        .route_layer(from_fn_with_state(station.clone(), heard))
        .fallback(async || failure(StatusCode::NOT_FOUND, "the station has no such call"))
        .method_not_allowed_fallback(async || {
            failure(StatusCode::METHOD_NOT_ALLOWED, "the station has no such call with this method")
        })
        // Around all of it, what is no call too.
        .layer(from_fn_with_state(station.clone(), door::admit))
        .with_state(station)
}

async fn heard(
    State(station): State<Arc<Station>>,
    ConnectInfo(Vehicle(vehicle, _)): ConnectInfo<Vehicle>,
    request: Request,
    next: Next,
) -> Response {
    station.contacts.heard(&vehicle, station.clock.wall());
    next.run(request).await
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            failure(StatusCode::SERVICE_UNAVAILABLE, "the request took too long; send it again later").into_response()
        }
    }
}

/// That the station is well.
#[derive(serde::Serialize, utoipa::ToSchema)]
struct Health {
    /// Always `ok`: a station that is not answers with a problem.
    status: &'static str,
}

/// Answers when the station's database is in its place
#[utoipa::path(get, path = "/v1/health", responses((status = 200, description = "The station takes batches", body = Health), Problems))]
async fn health(State(station): State<Arc<Station>>) -> HttpResult<Json<Health>> {
    station.writer.call(Database::check_in_place).await?;
    Ok(Json(Health { status: "ok" }))
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
    retry_after: Option<Duration>,
}

pub(super) fn failure(status: StatusCode, text: impl Into<String>) -> Failure {
    Failure { status, text: text.into(), retry_after: None }
}

impl Failure {
    /// It may be tried again after this time.
    pub(super) fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::Network | Kind::Busy => failure(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).after(COME_AGAIN),
            // It is in the log already, with what to do.
            Kind::Missing => failure(
                StatusCode::SERVICE_UNAVAILABLE,
                "the station's database is not in its place; nothing was taken, send it again later, and tell the \
                 station's administrator",
            ),
            Kind::Storage => {
                tracing::error!(
                    error = %error.chain(),
                    "The station's disk, or that of its database, is full or failing; nothing is taken until there is room"
                );
                failure(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "the station's disk, or that of its database, is full or failing; nothing was taken, send it again later",
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
        let mut response = (self.status, Json(Problem { error: self.text })).into_response();
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        response
    }
}
