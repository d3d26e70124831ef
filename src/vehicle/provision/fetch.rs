//! Looks for newer documents of the station, and brings them into force.

use super::held::Held;
use super::models::{self, blocking};
use super::{Kind as Provided, open_models};
use crate::config::Config;
use crate::control::OfficerService;
use crate::health::{Health, Level};
use crate::lists::{Ask, Remote};
use crate::store::{Key, Store};
use crate::transfer::{HttpsLink, Options};
use plated_access::{
    AccessRecord, Actor, AgencySettings, AuditLog, Case, Machine, Outcome, Reason, SealKey, UserDocument,
};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::retry::Backoff;
use plated_core::signing::Trust;
use plated_core::wire::{MAX_MODELS_DOCUMENT_BYTES, Problem, etag};
use plated_vision::recognition::Recognition;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// It is looked so often whether anything may go now.
const SCHEDULE_LOOK: Duration = Duration::from_secs(5);
const FIRST_BACKOFF: Duration = Duration::from_secs(5);

/// What comes from the station beside lists.
#[derive(Clone)]
pub struct Provisioning(Arc<State>);

/// The parts of the daemon that it works with.
pub struct Parts {
    /// The way to the station.
    pub link: HttpsLink,
    /// When anything goes.
    pub options: Options,
    /// Has the accounts.
    pub officers: Arc<OfficerService>,
    /// For the audit log.
    pub store: Store,
    /// Hears how it is.
    pub health: Arc<Health>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

struct State {
    parts: Parts,
    vehicle: String,
    interval: Duration,
    held: Held,
    trust: Trust,
    seal_key: PathBuf,
    recognition: Recognition,
    /// Settings and models that this process works by: the number of the document.
    started_with: [Option<u64>; 2],
    /// Models that failed, by the hash of their document: they are not tried again until a start.
    refused: std::sync::Mutex<Option<(Sha256, String)>>,
}

/// What became of a look at the station.
enum Found {
    /// The station hands out nothing of the kind.
    Nothing,
    /// This number is in force.
    InForce(u64),
}

impl Provisioning {
    /// For the daemon with these parts; none where the configuration has no `[provision]`.
    ///
    /// # Errors
    /// `Config` when the station's public key can't be read.
    pub fn new(config: &Config, key: &Key, parts: Parts) -> Result<Option<Self>> {
        let Some(settings) = &config.provision else { return Ok(None) };
        let held = Held::of(config, key)?;
        let trust = Trust::load(&settings.key)?;
        let serial =
            |kind| held.read(kind).ok().flatten().and_then(|text| serial(kind, &text, &trust, &config.vehicle));
        let started_with = [serial(Provided::Settings), serial(Provided::Models)];
        Ok(Some(Self(Arc::new(State {
            parts,
            vehicle: config.vehicle.clone(),
            interval: Duration::from_secs_f64(settings.interval_s),
            held,
            trust,
            seal_key: settings.seal_key.clone(),
            recognition: config.recognition.clone(),
            started_with,
            refused: Default::default(),
        }))))
    }

    /// Looks for ever, when the schedule of the transfer lets it. Stop it by dropping it: it may be cut off anywhere.
    pub async fn run(self) -> Infallible {
        let this = self.0.clone();
        let again = this.clone();
        // Into a store that was begun anew.
        if let Err(e) = blocking(move || again.users_again()).await {
            this.report(Provided::Users, Err(&e));
        }
        let mut asked = this.parts.options.send_now.asked();
        let mut heard = asked.borrow().to_send;
        let mut backoff = Backoff::new(FIRST_BACKOFF, this.interval.max(FIRST_BACKOFF));
        loop {
            let to_send = asked.borrow_and_update().to_send;
            let by_hand = std::mem::replace(&mut heard, to_send) != to_send;
            if !by_hand && this.parts.options.schedule.closed(this.parts.clock.wall()).is_some() {
                let _ = tokio::time::timeout(SCHEDULE_LOOK, changed(&mut asked.clone())).await;
                continue;
            }
            let pause = match this.round().await {
                Ok(()) => {
                    backoff.reset();
                    this.interval
                }
                Err(e) => backoff.fail_after(e.retry_after()).min(this.interval),
            };
            let _ = tokio::time::timeout(pause, changed(&mut asked.clone())).await;
        }
    }
}

async fn changed<T>(asked: &mut tokio::sync::watch::Receiver<T>) {
    if asked.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The number of a document that was in force.
fn serial(kind: Provided, text: &[u8], trust: &Trust, vehicle: &str) -> Option<u64> {
    match kind {
        Provided::Users => UserDocument::open(text, trust, vehicle).ok().map(|document| document.serial),
        Provided::Settings => AgencySettings::open(text, trust).ok().map(|document| document.serial),
        Provided::Models => open_models(text, trust).ok().map(|document| document.serial),
    }
}

impl State {
    /// Looks at all kinds; one that fails holds up no other.
    async fn round(self: &Arc<Self>) -> Result<()> {
        let mut failed = None;
        for kind in Provided::ALL {
            let outcome = self.look(kind).await;
            self.report(kind, outcome.as_ref());
            if let Err(e) = outcome {
                failed.get_or_insert(e);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn look(self: &Arc<Self>, kind: Provided) -> Result<Found> {
        let this = self.clone();
        let held = blocking(move || this.held.read(kind)).await.unwrap_or_else(|e| {
            // Whatever is newer than nothing counts then; the file stays until it is written over.
            tracing::error!(error = %e.chain(), "What the station handed out before can't be read");
            None
        });
        let in_force = held.as_ref().and_then(|text| serial(kind, text, &self.trust, &self.vehicle));
        let tag = held.as_ref().map(|text| etag(&Sha256::of(text)));
        let ask = Ask { unless: tag.filter(|_| in_force.is_some()), from: None };
        let mut reply = self.parts.link.get(&format!("v1/provision/{}", kind.as_str()), &ask).await?;
        match (reply.status, in_force) {
            (304, Some(serial)) => Ok(Found::InForce(serial)),
            (200, _) => {
                let most = match kind {
                    Provided::Users => UserDocument::MAX_BYTES,
                    Provided::Settings => AgencySettings::MAX_BYTES,
                    Provided::Models => MAX_MODELS_DOCUMENT_BYTES,
                };
                let text = reply.collect(most).await?;
                let text = text.ok_or_else(|| Error::new(Kind::Input, "the station's document is too long"))?;
                if let (Some(serial), Some(held)) = (in_force, &held)
                    && **held == text
                {
                    return Ok(Found::InForce(serial));
                }
                match kind {
                    Provided::Users => self.take_users(text, in_force).await,
                    Provided::Settings => self.take_settings(text, in_force).await,
                    Provided::Models => self.take_models(text, in_force).await,
                }
                .map(Found::InForce)
            }
            (404, in_force) => Ok(in_force.map_or(Found::Nothing, Found::InForce)),
            (status, _) => {
                let body = reply.collect(4096).await.ok().flatten().unwrap_or_default();
                Err(Problem::sentence(status, &body).after(reply.retry_after))
            }
        }
    }

    /// Brings the accounts in force into the store again: a store that was begun anew lacks them.
    fn users_again(&self) -> Result<()> {
        let Some(text) = self.held.read(Provided::Users)? else { return Ok(()) };
        let document = UserDocument::open(&text, &self.trust, &self.vehicle)?;
        self.provision(&document)
    }

    fn provision(&self, document: &UserDocument) -> Result<()> {
        self.parts.officers.accounts()?.provision(document, &SealKey::load(&self.seal_key)?)
    }

    async fn take_users(self: &Arc<Self>, text: Vec<u8>, in_force: Option<u64>) -> Result<u64> {
        let this = self.clone();
        blocking(move || {
            let document = UserDocument::open(&text, &this.trust, &this.vehicle)?;
            document.check_newer(in_force)?;
            this.provision(&document)?;
            this.held.put(Provided::Users, &text)?;
            tracing::info!(
                serial = document.serial,
                accounts = document.users.len(),
                "The station's accounts are in force"
            );
            Ok(document.serial)
        })
        .await
    }

    async fn take_settings(self: &Arc<Self>, text: Vec<u8>, in_force: Option<u64>) -> Result<u64> {
        let this = self.clone();
        blocking(move || {
            let document = AgencySettings::open(&text, &this.trust)?;
            check_newer(document.serial, in_force)?;
            let subject = json!({ "station": document.station, "serial": document.serial });
            this.record("settings_provisioned", "settings of the station", subject)?;
            this.held.put(Provided::Settings, &text)?;
            tracing::info!(serial = document.serial, "The station's settings count from the next start on");
            Ok(document.serial)
        })
        .await
    }

    async fn take_models(self: &Arc<Self>, text: Vec<u8>, in_force: Option<u64>) -> Result<u64> {
        let document = open_models(&text, &self.trust)?;
        check_newer(document.serial, in_force)?;
        let hash = Sha256::of(&text);
        let known = self.refused.lock().unwrap_or_else(|e| e.into_inner()).clone();
        if let Some((_, why)) = known.filter(|(refused, _)| *refused == hash) {
            return Err(Error::new(Kind::Damaged, why));
        }
        let folder = self.held.models(document.serial);
        models::fetch(&self.parts.link, &document, &folder).await?;
        let this = self.clone();
        blocking(move || {
            if let Err(e) = models::try_out(&this.recognition, &folder) {
                let why =
                    format!("models number {} failed their test, so those before stay: {}", document.serial, e.chain());
                *this.refused.lock().unwrap_or_else(|e| e.into_inner()) = Some((hash, why.clone()));
                tracing::error!("Of the station's {why}");
                return Err(Error::new(Kind::Damaged, why));
            }
            let subject = json!({ "station": document.station, "serial": document.serial });
            this.record("models_provisioned", "models of the station", subject)?;
            this.held.put(Provided::Models, &text)?;
            let working_by = this.started_with[1].map(|serial| this.held.models(serial));
            models::clear(&[Some(folder), working_by].into_iter().flatten().collect::<Vec<_>>());
            tracing::info!(serial = document.serial, "The station's models count from the next start on");
            Ok(document.serial)
        })
        .await
    }

    fn record(&self, what: &'static str, why: &str, subject: Value) -> Result<()> {
        let record = AccessRecord {
            actor: Actor::Machine(Machine::Accounts),
            what,
            reason: Reason::new(why)?,
            case: Case::none(),
            subject,
            outcome: Outcome::Done,
            rows: None,
            about: None,
        };
        self.parts.store.append(record).map(drop)
    }

    /// Says how a kind is.
    fn report(&self, kind: Provided, outcome: Result<&Found, &Error>) {
        let started_with = match kind {
            Provided::Users => None,
            Provided::Settings => Some(self.started_with[0]),
            Provided::Models => Some(self.started_with[1]),
        };
        let (level, text) = match outcome {
            Ok(Found::Nothing) => (Level::Ok, "the station hands out none; those of the vehicle count".to_owned()),
            Ok(Found::InForce(serial)) if started_with.is_some_and(|with| with != Some(*serial)) => {
                (Level::Ok, format!("number {serial} of the station counts from the next start of the daemon on"))
            }
            Ok(Found::InForce(serial)) => (Level::Ok, format!("number {serial} of the station is in force")),
            // Out of reach of the station is how a vehicle is most of the day.
            Err(e) if matches!(e.kind(), Kind::Network | Kind::Busy) => {
                (Level::Ok, format!("what is in force stays; the station could not be asked: {}", e.chain()))
            }
            Err(e) => (Level::Degraded, format!("what was in force stays: {}", e.chain())),
        };
        if self.parts.health.report(kind.part(), level, text.clone(), self.parts.clock.wall()) {
            tracing::warn!("The {}: {text}", kind.part());
        }
    }
}

fn check_newer(serial: u64, in_force: Option<u64>) -> Result<()> {
    match in_force {
        Some(held) if serial <= held => {
            let message = format!(
                "it is refused: it is number {serial}, not newer than the one in force, which is number {held}"
            );
            Err(Error::new(Kind::Refused, message))
        }
        _ => Ok(()),
    }
}
