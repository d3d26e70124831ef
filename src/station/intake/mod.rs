//! `POST /v1/batches`: a batch as a stream, what is checked of it, and its signed receipt.
//!
//! There is no limit for the whole request, only for standing still: [`IDLE`] without a byte ends it. Its bytes count
//! against the [room] for all that is arriving and for the vehicle. What takes time, hashes and JSON, is done off the
//! threads that serve and off the database; the receipt is signed when all that it calls durable is on disk (control
//! P-12).

mod arrival;
mod bounds;
mod check;
mod envelope;
pub mod room;

use super::api::{BatchBytes, Problems};
use super::archive::{CheckedBatch, Outcome};
use super::computers::Seen;
use super::forward;
use super::http::{Failure, HttpResult, Station, blocking, failure};
use super::listener::Vehicle;
use super::monitor::Counts;
use super::push;
use arrival::Arrival;
pub(super) use arrival::Refused;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
pub(super) use check::check;
use http_body::Body as _;
use plated_core::wire::batch::{BATCH_CONTENT_TYPE, MAX_BATCH_BYTES, SignedReceipt};
use room::{LIMITS, NoRoom, Place, Room};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A body of which nothing comes for so long is given up.
const IDLE: Duration = Duration::from_secs(30);
/// When a vehicle that finds no room is to come again.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// Takes in a batch: reads with their pictures, documents, rows of audit logs
#[utoipa::path(
    post,
    path = "/v1/batches",
    request_body(content = BatchBytes, content_type = "application/vnd.plated.batch", description = "A batch; the reference of the transfer says how it is made"),
    responses((status = 200, description = "What is durable and what was refused, signed", body = SignedReceipt), Problems)
)]
pub(super) async fn post_batch(
    State(station): State<Arc<Station>>,
    ConnectInfo(Vehicle(vehicle, _)): ConnectInfo<Vehicle>,
    request: Request,
) -> HttpResult<Json<SignedReceipt>> {
    let taken = take(&station, vehicle, request).await;
    if taken.is_err() {
        Counts::add(&station.counts.failures, 1);
    }
    taken
}

async fn take(station: &Station, vehicle: Arc<str>, request: Request) -> HttpResult<Json<SignedReceipt>> {
    let place = station.room.place(&vehicle).map_err(no_room)?;
    let (parts, place) = arrive(request, &vehicle, place).await?;
    let (received, waiting) = (station.clock.wall(), parts.header.waiting);
    let bytes = place.bytes();
    let is_station = station.downstream.iter().any(|name| **name == *vehicle);
    let checked = blocking(move || Ok(check::check(parts, received, is_station))).await?;
    let (archive, batch, counts) = (station.archive.clone(), checked.batch.clone(), station.counts.clone());
    let outcome = blocking(move || {
        let outcome = archive.ingest(batch);
        counts.note_written(&outcome, received);
        outcome
    })
    .await?;
    drop(place);
    // Before the receipt, so that a vehicle sends it again where this fails.
    share(station, &checked.batch, &outcome).await?;
    let came = checked.batch.reads.iter().zip(&outcome.reads).filter(|(_, verdict)| verdict.is_durable());
    let late = came.filter(|(read, _)| station.overdue.is_late(read.envelope.last_seen, received)).count();
    if late > 0 {
        let days = station.overdue.limit_days;
        tracing::warn!(vehicle = &*vehicle, late, "Reads came later than within {days} days");
    }
    station.contacts.batch(&vehicle, received, waiting, late as u64);
    report(&vehicle, outcome.fault, outcome.seen);
    let receipt = checked.receipt(&station.name, &outcome, station.clock.wall());
    let refused = receipt.reads.refused.len() + receipt.documents.refused.len() + receipt.audit_rows.refused.len();
    if refused > 0 {
        tracing::warn!(vehicle = &*vehicle, batch = %receipt.batch, refused, "Parts of a batch were refused");
    }
    let counts = &station.counts;
    Counts::add(&counts.batches, 1);
    Counts::add(&counts.batch_bytes, bytes);
    Counts::add(&counts.reads, receipt.reads.durable.len());
    Counts::add(&counts.documents, receipt.documents.durable.len());
    Counts::add(&counts.audit_rows, receipt.audit_rows.durable.len());
    Counts::add(&counts.refused, refused);
    tracing::debug!(
        vehicle = &*vehicle,
        batch = %receipt.batch,
        reads = receipt.reads.durable.len(),
        documents = receipt.documents.durable.len(),
        audit_rows = receipt.audit_rows.durable.len(),
        "Took in a batch"
    );
    Ok(Json(SignedReceipt::sign(&receipt, &station.receipt_signer)?))
}

/// Has what is shared with an upstream station and with receivers wait for them.
async fn share(station: &Station, batch: &CheckedBatch, outcome: &Outcome) -> HttpResult<()> {
    let waiting = station.sharing.of(batch, outcome);
    if waiting.is_empty() {
        return Ok(());
    }
    let now = batch.received;
    let add = move |rows: &crate::rows::Rows<'_>| {
        waiting.iter().try_for_each(|(receiver, reads)| rows.forward(receiver, reads, now))
    };
    Ok(station.writer.call(move |database| database.transaction(add)).await?)
}

/// With whom reads are shared as they come.
#[derive(Clone, Debug, Default)]
pub(super) struct Sharing {
    /// The upstream station.
    pub upstream: Option<forward::Settings>,
    /// Receivers.
    pub push: Vec<push::Settings>,
}

impl Sharing {
    /// What of a batch waits for whom, and whether it has a hit.
    pub fn of(&self, batch: &CheckedBatch, outcome: &Outcome) -> Vec<(String, Vec<(Uuid, bool)>)> {
        let reads = || batch.reads.iter().zip(&outcome.reads).filter(|(_, verdict)| verdict.is_durable());
        let upstream = self.upstream.as_ref().map(|settings| {
            let mut shared: Vec<(Uuid, bool)> = reads()
                .filter(|(read, _)| settings.shares(&read.envelope))
                .map(|(read, _)| (read.id, read.envelope.has_hit))
                .collect();
            // What is about a read that came earlier goes with it once more; whether it is shared is seen then.
            shared.extend(batch.documents.iter().filter_map(|document| document.read).map(|read| (read, false)));
            (forward::UPSTREAM.to_owned(), shared)
        });
        // A receiver is given each read once: to it the same read again would be another one.
        let pushed = self.push.iter().map(|settings| {
            let takes =
                |read: &crate::archive::Envelope| settings.takes(read.class, &read.vehicle, read.site.as_deref());
            let shared = reads().filter(|(read, _)| takes(&read.envelope));
            (settings.name.clone(), shared.map(|(read, _)| (read.id, read.envelope.has_hit)).collect())
        });
        upstream.into_iter().chain(pushed).filter(|(_, reads): &(_, Vec<_>)| !reads.is_empty()).collect()
    }
}

/// A batch that is here as a whole, which has to be this vehicle's.
pub(super) fn whole(vehicle: &str, batch: &[u8]) -> Result<arrival::Parts, Refused> {
    let mut arrival = Arrival::new(Room::new(LIMITS).place(&vehicle.into())?);
    arrival.take(vehicle, batch)?;
    Ok(arrival.finish()?.0)
}

/// The whole body, taken apart as it comes.
async fn arrive(request: Request, vehicle: &str, place: Place) -> HttpResult<(arrival::Parts, Place)> {
    check_headers(request.headers())?;
    let (mut body, mut arrival) = (request.into_body(), Arrival::new(place));
    loop {
        match tokio::time::timeout(IDLE, next(&mut body)).await {
            Ok(Ok(Some(bytes))) => arrival.take(vehicle, &bytes).map_err(|why| refused(vehicle, why))?,
            Ok(Ok(None)) => return arrival.finish().map_err(|why| refused(vehicle, why)),
            Ok(Err(())) => return Err(failure(StatusCode::BAD_REQUEST, "the body was cut off")),
            Err(_) => {
                let text = format!("nothing of the body came for {} s", IDLE.as_secs());
                return Err(failure(StatusCode::REQUEST_TIMEOUT, text));
            }
        }
    }
}

fn check_headers(headers: &HeaderMap) -> HttpResult<()> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if header(header::CONTENT_TYPE) != Some(BATCH_CONTENT_TYPE) {
        let text = format!("a batch has the content type {BATCH_CONTENT_TYPE}");
        return Err(failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    let length = header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > MAX_BATCH_BYTES) {
        return Err(failure(StatusCode::PAYLOAD_TOO_LARGE, format!("a batch has at most {MAX_BATCH_BYTES} bytes")));
    }
    Ok(())
}

/// The next bytes of a body.
async fn next(body: &mut Body) -> Result<Option<Bytes>, ()> {
    loop {
        match std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            Some(Err(_)) => return Err(()),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

fn refused(vehicle: &str, why: Refused) -> Failure {
    match why {
        Refused::OtherVehicle => {
            tracing::warn!(certificate = vehicle, "A vehicle sent reads in another vehicle's name; nothing was taken");
            failure(StatusCode::FORBIDDEN, "the batch names another vehicle than the certificate")
        }
        Refused::Malformed(e) => failure(StatusCode::BAD_REQUEST, e.to_string()),
        Refused::NoRoom(none) => no_room(none),
    }
}

fn no_room(none: NoRoom) -> Failure {
    match none {
        NoRoom::OfVehicle => {
            failure(StatusCode::TOO_MANY_REQUESTS, "too many batches of this vehicle are arriving").after(COME_AGAIN)
        }
        NoRoom::Full => {
            failure(StatusCode::SERVICE_UNAVAILABLE, "the station is busy; send it again later").after(COME_AGAIN)
        }
    }
}

/// Says in the log what a batch shows of a breach.
pub(super) fn report(vehicle: &str, fault: Option<super::HeadFault>, seen: Seen) {
    if let Some(fault) = fault {
        tracing::error!(vehicle, "Security: of a vehicle, {}", fault.text());
    }
    if seen == (Seen::Cloned { report: true }) {
        tracing::error!(
            vehicle,
            "Security: several computers send reads with the certificate of one vehicle. Find out which is the real \
             one and have a new certificate made for it; `plated-station status` shows since when"
        );
    }
}

#[cfg(test)]
mod tests;
