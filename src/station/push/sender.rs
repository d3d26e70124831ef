//! What pushes reads on to one receiver.

use super::group::About;
use super::{Group, Settings, within};
use crate::archive::{Engine, SharedRead};
use crate::sending::{Pace, Progress, Sender};
use crate::writer::DatabaseHandle;
use plated_access::{Actor, Case, Forward, Gate, Machine, Permit, Reason};
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::officers::Correction;
use plated_core::record::{Alerting, ImageRole, ReadRecord};
use plated_core::retry;
use plated_core::tls;
use plated_core::webhook::{self, Answer};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Reads that are taken from the queue at a time.
const AT_ONCE: usize = 20;
/// Kind of a document that says what a read really says.
const CORRECTION: &str = "correction";

/// Pushes what waits for one receiver.
pub struct Pusher {
    settings: Settings,
    station: String,
    archive: Arc<dyn Engine>,
    writer: DatabaseHandle,
    clock: Arc<dyn Clock>,
    permit: Permit<Forward>,
    client: Client,
    url: Url,
    token: HeaderValue,
    progress: Mutex<Progress>,
}

/// What came of making the message of a read.
enum Made {
    Json(Vec<u8>),
    /// It is not here any more, or is not for this receiver.
    Over,
    /// It can't be made, whatever is tried.
    Never(String),
}

impl Pusher {
    /// Loads what is needed, and has it put on record what is pushed to whom.
    ///
    /// # Errors
    /// `Config` for files that can't be used, and what keeps the record from being written.
    pub fn new(
        settings: Settings,
        station: &str,
        archive: Arc<dyn Engine>,
        writer: DatabaseHandle,
        gate: &Gate,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>> {
        let wrong = || format!("push {}: \"{}\" is no address", settings.name, settings.url);
        let url = Url::parse(&settings.url).context(Kind::Config, wrong)?;
        let token = webhook::token("push", &settings.name, settings.token_file.as_deref())?;
        let mut token = HeaderValue::from_str(&format!("Bearer {token}")).context(Kind::Config, || {
            format!("push {}: its token holds characters that no header can have", settings.name)
        })?;
        token.set_sensitive(true);
        let timeout = Duration::from_secs_f64(settings.timeout_s);
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client_without_certificate(&settings.ca)?)
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(timeout)
            .connect_timeout(timeout)
            .build()
            .context(Kind::Internal, || "could not set up the way to a receiver".into())?;
        let to = url.host_str().unwrap_or_default();
        let subject = json!({
            "to": to,
            "as": "alpr_group",
            "receiver": settings.name,
            "classes": settings.classes,
            "vehicles": settings.vehicles,
            "sites": settings.sites,
        });
        let reason = Reason::new("pushed on to a receiver")?;
        let permit = gate.open(&Actor::Machine(Machine::Forward), &reason, &Case::none(), subject)?;
        let (station, progress) = (station.to_owned(), Mutex::default());
        Ok(Arc::new(Self { settings, station, archive, writer, clock, permit, client, url, token, progress }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// How it is getting on.
    pub fn how(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The message of a read. Blocks.
    fn make(&self, id: Uuid) -> Result<Made> {
        let Some(shared) = self.archive.to_forward(&self.permit, id)? else { return Ok(Made::Over) };
        let SharedRead { envelope, sha256, record, pictures, documents } = shared;
        if !self.settings.takes(envelope.class, &envelope.vehicle, envelope.site.as_deref()) {
            return Ok(Made::Over);
        }
        let Ok(record) = serde_json::from_slice::<ReadRecord>(&record) else {
            return Ok(Made::Never("its record can't be read".into()));
        };
        // That it is there for a covert list would give the hit away.
        let all_covert = !record.hits.is_empty() && record.hits.iter().all(|hit| hit.alert == Alerting::Covert);
        if all_covert && !self.settings.classes.contains(&crate::archive::Class::NoHit) {
            return Ok(Made::Over);
        }
        let picture = |role: ImageRole, max: Option<usize>| {
            let named = record.images.iter().find(|image| image.role == role)?;
            let jpeg = pictures.iter().find(|picture| picture.sha256 == named.sha256)?;
            Some(max.map_or_else(|| Ok(jpeg.bytes.to_vec()), |max| within(&jpeg.bytes, max)))
        };
        let plate = picture(ImageRole::Plate, self.settings.plate_bytes).transpose();
        let overview = picture(ImageRole::Overview, self.settings.overview_bytes).transpose();
        let (plate, overview) = match (plate, overview) {
            (Ok(plate), Ok(overview)) => (plate, overview),
            (Err(e), _) | (_, Err(e)) => return Ok(Made::Never(e.chain())),
        };
        let mut corrections: Vec<Correction> = documents
            .iter()
            .filter(|(kind, _)| kind == CORRECTION)
            .filter_map(|(_, json)| serde_json::from_slice(json).ok())
            .collect();
        corrections.sort_by_key(|correction| correction.at);
        let corrected = corrections.last().map(|last| (&*last.corrected.text, &*last.corrected.state));
        let (plate, overview) = (plate.as_deref(), overview.as_deref());
        let about = About { station: &self.station, sealed: sha256, corrected, plate, overview };
        let json = serde_json::to_vec(&Group::of(&record, about));
        Ok(Made::Json(json.context(Kind::Internal, || "a message can't be written as JSON".into())?))
    }

    async fn post(&self, id: Uuid, json: Vec<u8>) -> Answer {
        let request = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, self.token.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", id.to_string())
            .body(json);
        match request.send().await {
            Ok(response) => {
                let asked = response.headers().get(RETRY_AFTER).and_then(|field| field.to_str().ok());
                let asked = asked.and_then(|field| retry::retry_after(field, self.clock.wall()));
                Answer::of(response.status().as_u16(), asked)
            }
            Err(e) => {
                let why = Error::new(Kind::Network, e.without_url().to_string());
                Answer::Again(format!("it can't be reached: {}", why.chain()), None)
            }
        }
    }

    /// It need not wait any more.
    async fn over(&self, id: Uuid) -> Result<()> {
        let name = self.settings.name.clone();
        self.writer.call(move |db| db.transaction(|rows| rows.forwarded(&name, [id]))).await
    }

    /// It stays, and is tried again in an hour.
    async fn refused(&self, id: Uuid, why: String) -> Result<()> {
        tracing::warn!(receiver = self.name(), read = %id, "A read was not taken: {why}; it is offered again in an hour");
        let (name, now) = (self.settings.name.clone(), self.clock.wall());
        self.writer.call(move |db| db.transaction(|rows| rows.forward_refused(&name, id, now, &why))).await
    }
}

impl Sender for Pusher {
    fn to(&self) -> String {
        format!("to the receiver {}", self.settings.name)
    }

    fn pace(&self) -> Pace {
        Pace { idle_s: self.settings.idle_s, max_backoff_s: self.settings.max_backoff_s }
    }

    fn progress(&self) -> &Mutex<Progress> {
        &self.progress
    }

    fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    async fn round(self: Arc<Self>) -> Result<bool> {
        let (name, now) = (self.settings.name.clone(), self.clock.wall());
        let next = move |rows: &crate::rows::Rows<'_>| rows.next_to_forward(&name, AT_ONCE, now);
        let ids = self.writer.call(move |db| db.transaction(next)).await?;
        for id in &ids {
            let (at_work, id) = (self.clone(), *id);
            let made = tokio::task::spawn_blocking(move || at_work.make(id)).await;
            match made.context(Kind::Internal, || "a task of the pushing failed".into())?? {
                Made::Over => self.over(id).await?,
                Made::Never(why) => self.refused(id, why).await?,
                Made::Json(json) => match self.post(id, json).await {
                    Answer::Taken => {
                        self.over(id).await?;
                        self.progress.lock().unwrap_or_else(PoisonError::into_inner).sent += 1;
                    }
                    Answer::Refused(why) => self.refused(id, why).await?,
                    Answer::Again(why, asked) => {
                        return Err(Error::new(Kind::Network, format!("{}: {why}", self.settings.name)).after(asked));
                    }
                },
            }
        }
        Ok(!ids.is_empty())
    }
}
