//! The vehicle renews its certificate over the one that it has, before that ends. Beside all else: no read waits for it.

use super::https::HttpsLink;
use super::identity::VehicleIdentity;
use super::link::Answer;
use super::receipt::problem;
use super::schedule::Options;
use crate::health::Level;
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};
use plated_access::{AccessRecord, Actor, AuditLog, Case, Machine, Outcome, Reason};
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::retry::Backoff;
use plated_core::tls::{Identity, Validity};
use plated_core::wire::{CERTIFICATE_REQUEST_VERSION, CertificateAnswer, CertificateRequest};
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// It is looked so often whether the certificate is to be renewed.
const LOOK: Duration = Duration::from_secs(3600);
/// Longest wait after failures.
const LONGEST: Duration = Duration::from_secs(900);
/// So long before its end a certificate is renewed; of one that counts for less than 180 days, in the last third.
const BEFORE_END: SignedDuration = SignedDuration::from_hours(60 * 24);
/// From so long before its end on a certificate is a warning, and then critical; of one that counts for a short time
/// the last sixth, and the last 24th.
const WARNING: SignedDuration = SignedDuration::from_hours(30 * 24);
const CRITICAL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Says how the certificate is.
pub type Tell = Arc<dyn Fn(Level, String) + Send + Sync>;

/// What the renewal works with.
#[derive(Clone)]
pub struct Renewal {
    /// The link whose certificate it is.
    pub link: HttpsLink,
    /// Where it is kept.
    pub identity: Arc<VehicleIdentity>,
    /// For the audit log.
    pub store: Store,
    /// When it is tried again.
    pub options: Options,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Hears how it is.
    pub tell: Tell,
}

impl Renewal {
    /// Renews for ever. Stop it by dropping it: it may be cut off anywhere.
    pub async fn run(self) -> Infallible {
        let mut backoff = Backoff::new(self.options.first_backoff, LONGEST);
        loop {
            let outcome = self.round().await;
            let error = outcome.as_ref().err().map(Error::chain);
            let (level, text) = standing(&self.link.validity(), self.clock.wall(), error.as_deref());
            (self.tell)(level, text);
            match outcome {
                Ok(()) => {
                    backoff.reset();
                    tokio::time::sleep(LOOK).await;
                }
                Err(e) => {
                    let pause = backoff.fail_after(e.retry_after());
                    match (backoff.failures(), e.kind()) {
                        (1, Kind::Network | Kind::Busy) => {
                            tracing::info!(error = %e.chain(), "The certificate could not be renewed yet");
                        }
                        (1, _) => tracing::warn!(error = %e.chain(), "The certificate could not be renewed"),
                        _ => tracing::debug!(error = %e.chain(), "The certificate could not be renewed again"),
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    async fn round(&self) -> Result<()> {
        if self.coming().await?.is_none() {
            if self.clock.wall() < due(&self.link.validity()) {
                return Ok(());
            }
            self.ask().await?;
        }
        self.try_new().await
    }

    async fn coming(&self) -> Result<Option<Identity>> {
        let identity = self.identity.clone();
        blocking(move || identity.coming()).await
    }

    /// Asks for a new certificate, and keeps it.
    async fn ask(&self) -> Result<()> {
        let identity = self.identity.clone();
        let next = blocking(move || identity.next()).await?;
        let (version, vehicle) = (CERTIFICATE_REQUEST_VERSION, self.options.vehicle.clone());
        let request = CertificateRequest { version, vehicle, request: next.request.clone() };
        let failed = || "could not write a request for a certificate".into();
        let body = serde_json::to_vec(&request).context(Kind::Internal, failed)?;
        let answer = self.link.post_certificate_request(body).await?;
        check(&answer)?;
        let answer: CertificateAnswer = serde_json::from_slice(&answer.body)
            .map_err(|_| Error::new(Kind::Network, "the station said yes but sent no certificate; asked again"))?;
        let identity = self.identity.clone();
        blocking(move || identity.answered(&answer.certificate)).await
    }

    /// Uses the new certificate for the first time, on a connection of its own; the station then knows it for the
    /// vehicle's.
    async fn try_new(&self) -> Result<()> {
        let Some(new) = self.coming().await? else { return Ok(()) };
        let answer = self.link.over(&new)?.get_health().await?;
        if answer.status == 403 {
            // The station does not know it, as after a restore of an older copy of its data: begun anew.
            let identity = self.identity.clone();
            blocking(move || identity.give_up()).await?;
        }
        check(&answer)?;
        let until = new.validity.until();
        let (identity, store) = (self.identity.clone(), self.store.clone());
        blocking(move || {
            identity.take_over()?;
            // What is not on record holds no transfer up.
            if let Err(e) = note(&store, until) {
                tracing::warn!(error = %e.chain(), "That the certificate was renewed is not on record");
            }
            Ok(())
        })
        .await?;
        self.link.use_identity(&new)?;
        tracing::info!(%until, "The vehicle has a new certificate");
        Ok(())
    }
}

fn note(store: &Store, until: Timestamp) -> Result<()> {
    let record = AccessRecord {
        actor: Actor::Machine(Machine::Transfer),
        what: "certificate_renewed",
        reason: Reason::new("the one before ends")?,
        case: Case::none(),
        subject: json!({ "until": until }),
        outcome: Outcome::Done,
        rows: None,
        about: None,
    };
    store.append(record).map(drop)
}

fn check(answer: &Answer) -> Result<()> {
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(problem(answer)) }
}

/// From when on a certificate is to be renewed.
fn due(validity: &Validity) -> Timestamp {
    let part = validity.until().duration_since(validity.from()) / 3;
    validity.until() - BEFORE_END.min(part)
}

/// How a certificate is, in words; `error` is why it could not be renewed.
pub fn standing(validity: &Validity, now: Timestamp, error: Option<&str>) -> (Level, String) {
    let (whole, left) = (validity.until().duration_since(validity.from()), validity.until().duration_since(now));
    if let Err(e) = validity.check(now) {
        return (Level::Failed, e.chain());
    }
    let level = if left < CRITICAL.min(whole / 24) {
        Level::Failed
    } else if left < WARNING.min(whole / 6) {
        Level::Degraded
    } else {
        Level::Ok
    };
    let (until, days) = (validity.until(), left.as_hours() / 24);
    let text = match error {
        Some(error) => format!("it ends in {days} days, on {until:.0}, and could not be renewed yet: {error}"),
        None => format!("it counts until {until:.0}, and is renewed by itself from {:.0} on", due(validity)),
    };
    (level, text)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, || "a task of the transfer failed".into())?
}
