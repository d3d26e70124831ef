//! `POST /v1/certificate`: a vehicle renews its certificate over the one that it has. The new one is answered when it is
//! in the register. The one before counts until the new one is used: whatever gets lost on the way, the vehicle comes
//! again with the one that it has.

use super::super::api::Problems;
use super::super::http::{HttpResult, Station, failure};
use super::super::listener::Vehicle;
use super::subject;
use super::table::{CertificateState, Renewal, VehicleCertificate};
use crate::rows::Rows;
use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use plated_access::Machine;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::tls::request::CheckedRequest;
use plated_core::wire::{CertificateAnswer, CertificateRequest, MAX_CERTIFICATE_REQUEST_BYTES};
use std::sync::Arc;
use std::time::Duration;

/// New certificates that a vehicle gets within a day.
const MAX_A_DAY: usize = 10;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A vehicle past that comes again after so long.
const COME_AGAIN: Duration = Duration::from_secs(3600);

/// Renews a vehicle's certificate over the one that it has
#[utoipa::path(
    post,
    path = "/v1/certificate",
    request_body = CertificateRequest,
    responses((status = 200, description = "The new certificate; the same request again gets the same", body = CertificateAnswer), Problems)
)]
pub(in super::super) async fn post_request(
    State(station): State<Arc<Station>>,
    ConnectInfo(Vehicle(vehicle, facts)): ConnectInfo<Vehicle>,
    request: Request,
) -> HttpResult<Json<CertificateAnswer>> {
    let (bytes, _held) = station.body(request, MAX_CERTIFICATE_REQUEST_BYTES).await?;
    let asked: CertificateRequest = serde_json::from_slice(&bytes).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        let text = format!("this is not a request for a certificate (line {line}, column {column})");
        failure(StatusCode::BAD_REQUEST, text)
    })?;
    if asked.vehicle != *vehicle {
        tracing::warn!(certificate = &*vehicle, "A vehicle asked for another vehicle's certificate; it got none");
        return Err(failure(StatusCode::FORBIDDEN, "the request names another vehicle than the certificate"));
    }
    let Some(authority) = &station.authority else {
        let text = "this station makes no certificates (authority_key is not set in its configuration); have the \
                    agency's authority make a new one, and put it into the vehicle";
        return Err(failure(StatusCode::NOT_IMPLEMENTED, text));
    };
    let wrong = |e: plated_core::error::Error| failure(StatusCode::UNPROCESSABLE_ENTITY, e.to_string());
    let request = CheckedRequest::parse(&asked.request).map_err(wrong)?;
    let (hash, now, old) = (Sha256::of(asked.request.as_bytes()), station.clock.wall(), facts.fingerprint);
    let (name, of) = (vehicle.to_string(), hash);
    let look = move |rows: &Rows<'_>| Ok(before(&rows.certificates_of(&name)?, &of, now));
    let certificate = match station.writer.call(move |database| database.read(look)).await? {
        Before::Same(certificate) => certificate,
        Before::TooMany => {
            let text = format!("this vehicle had {MAX_A_DAY} new certificates within a day; ask again later");
            return Err(failure(StatusCode::TOO_MANY_REQUESTS, text).after(COME_AGAIN));
        }
        Before::None => {
            let (certificate, facts) = authority.sign_vehicle(&vehicle, &request, &*station.clock).map_err(wrong)?;
            let why = "the vehicle asked for it over its certificate";
            station.register.record("vehicle_certificate_renewed", why, subject(&facts)).await?;
            let mut new = VehicleCertificate::new(facts, now, Machine::Register.as_str());
            new.renewal = Some(Renewal { of: old, request: hash, certificate: certificate.clone() });
            station.writer.call(move |database| database.transaction(|rows| enter(rows, &new, now))).await?;
            station.register.look().await?;
            tracing::info!(vehicle = &*vehicle, "A vehicle renewed its certificate");
            certificate
        }
    };
    Ok(Json(CertificateAnswer { station: station.name.clone(), certificate }))
}

/// What there is already for a request.
enum Before {
    /// The same was asked before: the answer.
    Same(String),
    /// The vehicle had so many that something is wrong with it.
    TooMany,
    /// Nothing.
    None,
}

fn before(of_vehicle: &[VehicleCertificate], request: &Sha256, now: Timestamp) -> Before {
    let renewed = || of_vehicle.iter().filter_map(|c| Some((c, c.renewal.as_ref()?)));
    let counts = |c: &VehicleCertificate| c.state == CertificateState::Active;
    if let Some((_, same)) = renewed().find(|(c, renewal)| counts(c) && renewal.request == *request) {
        return Before::Same(same.certificate.clone());
    }
    match renewed().filter(|(c, _)| now.duration_since(c.added).abs() < DAY).count() {
        MAX_A_DAY.. => Before::TooMany,
        _ => Before::None,
    }
}

/// Enters a renewed certificate. One that was made for the same old one and never used is over: the vehicle lost it.
fn enter(rows: &Rows<'_>, new: &VehicleCertificate, now: Timestamp) -> Result<()> {
    let old = new.renewal.as_ref().map(|renewal| renewal.of);
    for mut other in rows.certificates_of(&new.facts.name)? {
        let same = other.renewal.as_ref().map(|renewal| renewal.of) == old;
        if same && other.first_used.is_none() && other.state == CertificateState::Active {
            let why = "the vehicle asked for another one before it used this one";
            other.end(CertificateState::Retired, now, Machine::Register.as_str(), why);
            rows.put_vehicle_certificate(&other)?;
        }
    }
    rows.put_vehicle_certificate(new).map(drop)
}
