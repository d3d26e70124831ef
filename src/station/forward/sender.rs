//! What sends batches to the upstream station.

use super::queue::UPSTREAM;
use super::settings::Settings;
use crate::archive::{Engine, SharedRead};
use crate::sending::{Pace, Progress, Sender};
use crate::writer::DatabaseHandle;
use jiff::Timestamp;
use plated_access::{Actor, Case, Forward, Gate, Machine, Permit, Reason};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::retry;
use plated_core::signing::Trust;
use plated_core::text::visible;
use plated_core::tls;
use plated_core::wire::Problem;
use plated_core::wire::batch::{
    BATCH_CONTENT_TYPE, BatchCounts, BatchHeader, BatchPicture, BatchWriter, MAX_BATCH_DOCUMENTS, MAX_BATCH_PICTURES,
    Receipt, SealedDocument, SealedRead, SignedReceipt,
};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::json;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Largest batch, in bytes; one read goes in any case.
const MAX_BYTES: usize = 16 << 20;
/// Largest answer that is read.
const MAX_ANSWER: usize = 1 << 20;
/// What is about reads and is shared with them.
const KINDS: [&str; 2] = ["correction", "disposition"];

/// Sends what waits.
pub struct Forwarder {
    settings: Settings,
    archive: Arc<dyn Engine>,
    writer: DatabaseHandle,
    clock: Arc<dyn Clock>,
    permit: Permit<Forward>,
    client: Client,
    url: Url,
    trust: Trust,
    /// As this station is known upstream.
    name: String,
    validity: tls::Validity,
    progress: Mutex<Progress>,
}

/// What is sent in one request.
#[derive(Default)]
struct Parcel {
    reads: Vec<SealedRead>,
    pictures: Vec<BatchPicture>,
    documents: Vec<SealedDocument>,
    /// Those that are not to be shared, or are not here any more.
    over: Vec<Uuid>,
}

impl Forwarder {
    /// Loads the certificates, and has it put on record what is shared with whom.
    ///
    /// # Errors
    /// `Config` for files that can't be used, and what keeps the record from being written.
    pub fn new(
        settings: Settings,
        archive: Arc<dyn Engine>,
        writer: DatabaseHandle,
        gate: &Gate,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>> {
        let files = tls::Files { ca: &settings.ca, certificate: &settings.certificate, key: &settings.key };
        let identity = tls::Identity::load(&files)?;
        let wrong = || format!("forward.station: \"{}\" is not an address of a station", settings.station);
        let url = Url::parse(&settings.station).and_then(|url| url.join("v1/batches")).context(Kind::Config, wrong)?;
        let timeout = Duration::from_secs_f64(settings.timeout_s);
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client(&identity)?)
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(timeout)
            .build()
            .context(Kind::Internal, || "could not set up the way to the upstream station".into())?;
        let trust = Trust::load(&settings.receipt_keys)?;
        let (vehicles, sites) = (settings.vehicles.clone(), settings.sites.clone());
        let host = url.host_str().unwrap_or_default().to_owned();
        let subject = json!({"to": host, "classes": settings.classes, "vehicles": vehicles, "sites": sites});
        let reason = Reason::new("shared with the upstream station")?;
        let permit = gate.open(&Actor::Machine(Machine::Forward), &reason, &Case::none(), subject)?;
        let (name, validity, progress) = (identity.name, identity.validity, Mutex::default());
        Ok(Arc::new(Self { settings, archive, writer, clock, permit, client, url, trust, name, validity, progress }))
    }

    /// How it is getting on.
    pub fn how(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The reads of these ids with their pictures, as many as fit.
    fn gather(&self, ids: &[Uuid]) -> Result<Parcel> {
        let (mut parcel, mut bytes, mut packed) = (Parcel::default(), 0, HashSet::new());
        for id in ids {
            let Some(shared) = self.archive.to_forward(&self.permit, *id)? else {
                parcel.over.push(*id);
                continue;
            };
            let SharedRead { envelope, sha256, record, pictures, documents } = shared;
            if !self.settings.shares(&envelope) {
                parcel.over.push(*id);
                continue;
            }
            let new: Vec<_> = pictures.into_iter().filter(|picture| !packed.contains(&picture.sha256)).collect();
            let size = record.len() + new.iter().map(|picture| picture.bytes.len()).sum::<usize>();
            let documents: Vec<_> = documents
                .into_iter()
                .filter(|(kind, _)| KINDS.contains(&kind.as_str()))
                .map(|(kind, json)| SealedDocument::new(&kind, json))
                .collect();
            let is_full = bytes + size > MAX_BYTES
                || packed.len() + new.len() > MAX_BATCH_PICTURES
                || parcel.documents.len() + documents.len() > MAX_BATCH_DOCUMENTS;
            if is_full && !parcel.reads.is_empty() {
                break;
            }
            bytes += size;
            packed.extend(new.iter().map(|picture| picture.sha256));
            let sealed = |picture: crate::archive::Picture| BatchPicture {
                sha256: picture.sha256,
                jpeg: picture.bytes.to_vec(),
            };
            parcel.pictures.extend(new.into_iter().map(sealed));
            parcel.documents.extend(documents);
            parcel.reads.push(SealedRead { id: *id, sha256, record });
        }
        Ok(parcel)
    }

    async fn deliver(self: &Arc<Self>, parcel: Parcel) -> Result<()> {
        let (batch, sent) = (Uuid::now_v7(), self.clock.wall());
        let name = self.name.clone();
        let (parcel, body) = blocking(move || {
            let body = parcel.write(batch, &name, sent)?;
            Ok((parcel, body))
        })
        .await?;
        let answer = self.post(body).await?;
        let receipt = SignedReceipt::open(&answer, &self.trust)?;
        if receipt.batch != batch || !parcel.is_answered_by(&receipt) {
            let message = "the upstream station sent the receipt of something else; nothing was marked";
            return Err(Error::new(Kind::Network, message));
        }
        for refusal in &receipt.reads.refused {
            let reason = visible(&refusal.reason).at_most(300);
            tracing::warn!(read = %refusal.id, %reason, "The upstream station refused a read; it is offered again in an hour");
        }
        let unanswered = parcel.reads.len() - receipt.reads.durable.len() - receipt.reads.refused.len();
        let (durable, now) = (receipt.reads.durable.len() as u64, self.clock.wall());
        let signed = String::from_utf8_lossy(&answer).into_owned();
        let mark = move |rows: &crate::rows::Rows<'_>| {
            rows.keep_forward_receipt(batch, now, &signed)?;
            for refusal in &receipt.reads.refused {
                rows.forward_refused(UPSTREAM, refusal.id, now, &refusal.reason)?;
            }
            rows.forwarded(UPSTREAM, receipt.reads.durable.iter().map(|durable| durable.id))
        };
        self.writer.call(move |db| db.transaction(mark)).await?;
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).sent += durable;
        match unanswered {
            0 => Ok(()),
            _ => Err(Error::new(Kind::Network, "the upstream station did not answer for all reads")),
        }
    }

    /// The body of an answer that says yes.
    async fn post(&self, body: Vec<u8>) -> Result<Vec<u8>> {
        self.validity.check(self.clock.wall())?;
        let host = self.url.host_str().unwrap_or_default();
        let failed = || format!("could not reach the upstream station {host}");
        // A slow link takes its time: 8 KiB/s at least.
        let most =
            Duration::from_secs_f64(self.settings.timeout_s) + Duration::from_secs(body.len() as u64 / (8 << 10));
        let request = self.client.post(self.url.clone()).header("content-type", BATCH_CONTENT_TYPE).body(body);
        let response = request.timeout(most).send().await.map_err(reqwest::Error::without_url);
        let mut response = response.context(Kind::Network, failed)?;
        let status = response.status().as_u16();
        let wait = response.headers().get(RETRY_AFTER).and_then(|field| field.to_str().ok());
        let wait = wait.and_then(|field| retry::retry_after(field, self.clock.wall()));
        let mut answer = Vec::new();
        while let Some(piece) =
            response.chunk().await.map_err(reqwest::Error::without_url).context(Kind::Network, failed)?
        {
            if answer.len() + piece.len() > MAX_ANSWER {
                return Err(Error::new(Kind::Network, format!("the upstream station {host} sent an endless answer")));
            }
            answer.extend_from_slice(&piece);
        }
        match status {
            200 => Ok(answer),
            _ => Err(Problem::sentence(status, &answer).after(wait)),
        }
    }
}

impl Sender for Forwarder {
    fn to(&self) -> String {
        "to the upstream station".into()
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
        let (limit, now) = (self.settings.batch_reads, self.clock.wall());
        let next = move |rows: &crate::rows::Rows<'_>| rows.next_to_forward(UPSTREAM, limit, now);
        let ids = self.writer.call(move |db| db.transaction(next)).await?;
        if ids.is_empty() {
            return Ok(false);
        }
        let at_work = self.clone();
        let parcel = blocking(move || at_work.gather(&ids)).await?;
        let over = parcel.over.clone();
        if !over.is_empty() {
            self.writer.call(move |db| db.transaction(|rows| rows.forwarded(UPSTREAM, over))).await?;
        }
        if !parcel.reads.is_empty() {
            self.deliver(parcel).await?;
        }
        Ok(true)
    }
}

impl Parcel {
    fn write(&self, batch: Uuid, name: &str, sent: Timestamp) -> Result<Vec<u8>> {
        let header = BatchHeader {
            batch,
            vehicle: name.to_owned(),
            computer: None,
            sent,
            waiting: None,
            audit_head: None,
            counts: BatchCounts {
                reads: self.reads.len(),
                pictures: self.pictures.len(),
                documents: self.documents.len(),
                audit_rows: 0,
            },
        };
        let mut writer = BatchWriter::new(Vec::new(), &header)?;
        self.reads.iter().try_for_each(|read| writer.read(read))?;
        self.documents.iter().try_for_each(|document| writer.document(document))?;
        self.pictures.iter().try_for_each(|picture| writer.picture(picture))?;
        writer.finish()
    }

    /// Whether a receipt names nothing else than what was sent.
    fn is_answered_by(&self, receipt: &Receipt) -> bool {
        let sent: HashSet<(Uuid, Sha256)> = self.reads.iter().map(|read| (read.id, read.sha256)).collect();
        receipt.reads.durable.iter().all(|durable| sent.contains(&(durable.id, durable.sha256)))
            && receipt.reads.refused.iter().all(|refused| sent.contains(&(refused.id, refused.sha256)))
            && receipt.reads.durable.len() + receipt.reads.refused.len() <= sent.len()
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, || "a task of the forwarding failed".into())?
}
