//! One round: some reads of the outbox, sent, receipted, marked.

use super::hold::Held;
use super::link::{Answer, Link, Outbox};
use super::receipt::{Trouble, check, problem};
use super::{Progress, State};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::ReadRecord;
use plated_core::text::{count, visible};
use plated_core::wire::{Batch, Computer, MAX_BATCH_BYTES, MAX_BATCH_READS, Receipt, SealedRead};
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use uuid::Uuid;

/// Images on their way at a time.
const UPLOADS: usize = 4;
/// Room in a batch for what stands around the reads.
const ENVELOPE: usize = 4096;

/// What a round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Nothing was waiting.
    Empty,
    /// The station answered for every read that was sent.
    Sent,
}

/// Sends rounds. Dropping a round half way does no harm; the next one sends the same again.
pub struct Sender<O, L> {
    outbox: O,
    link: L,
    vehicle: String,
    batch_reads: usize,
    clock: Arc<dyn Clock>,
    held: Held,
    /// Names this start of the program to the station.
    session: Uuid,
    installation: Option<Uuid>,
    /// Of the audit log, as it is sent with each batch.
    audit_head: Option<String>,
    progress: watch::Sender<Progress>,
}

impl<O: Outbox, L: Link> Sender<O, L> {
    /// A sender for the vehicle `vehicle`, with batches of at most `batch_reads` reads.
    pub fn new(
        outbox: O,
        link: L,
        vehicle: &str,
        batch_reads: usize,
        clock: Arc<dyn Clock>,
        progress: watch::Sender<Progress>,
    ) -> Self {
        let batch_reads = batch_reads.clamp(1, MAX_BATCH_READS);
        Self {
            outbox,
            link,
            vehicle: vehicle.to_owned(),
            batch_reads,
            clock,
            held: Held::default(),
            session: Uuid::now_v7(),
            installation: None,
            audit_head: None,
            progress,
        }
    }

    /// The published progress.
    pub(super) fn progress(&self) -> &watch::Sender<Progress> {
        &self.progress
    }

    /// Sends the next reads of the outbox.
    ///
    /// # Errors
    /// Whatever kept the round from its end. What was receipted until then is marked.
    pub async fn round(&mut self) -> Result<Round> {
        let reads = self.next().await?;
        if reads.is_empty() {
            return Ok(Round::Empty);
        }
        self.progress.send_if_modified(|p| {
            let idle = p.state == State::Idle;
            if idle {
                p.state = State::Sending;
            }
            idle
        });
        let mut batch = self.batch(reads);
        let result = match self.deliver(&mut batch).await {
            // Perhaps one of them spoils it for the others.
            Err(Trouble::Rejected(e)) if batch.reads.len() > 1 => self.one_by_one(batch.reads, e).await,
            other => other.map_err(Trouble::into_error),
        };
        self.progress.send_modify(|p| p.held = self.held.len());
        result.map(|()| Round::Sent)
    }

    /// Reads to send now: not those set aside, and no more than a batch can hold.
    async fn next(&mut self) -> Result<Vec<SealedRead>> {
        self.held.release_due(self.clock.monotonic());
        let (outbox, limit) = (self.outbox.clone(), self.batch_reads + self.held.len());
        // The store can be begun anew while this runs. One that can't tell its id still sends its reads.
        let look = move || Ok((outbox.next(limit)?, outbox.installation().ok(), outbox.audit_head()));
        let (waiting, installation, audit_head) = blocking(look).await?;
        self.installation = installation;
        self.audit_head = audit_head.unwrap_or_else(|e| {
            tracing::warn!("Reads are sent without the head of the audit log: {}", e.chain());
            None
        });
        let mut room = MAX_BATCH_BYTES - ENVELOPE;
        let mut reads = Vec::new();
        for read in waiting.into_iter().filter(|r| !self.held.contains(r.id)).take(self.batch_reads).collect::<Vec<_>>()
        {
            let size = read.record.get().len() + 200;
            if size > MAX_BATCH_BYTES - ENVELOPE {
                tracing::error!(read = %read.id, size, "A read is too large for any batch and stays in the vehicle");
                self.hold(read.id);
            } else if size <= room {
                room -= size;
                reads.push(read);
            } else {
                break;
            }
        }
        Ok(reads)
    }

    fn batch(&self, reads: Vec<SealedRead>) -> Batch {
        let computer = self.installation.map(|installation| Computer { installation, session: self.session });
        let audit_head = self.audit_head.clone().and_then(|head| RawValue::from_string(head).ok());
        Batch { batch: Uuid::now_v7(), vehicle: self.vehicle.clone(), computer, audit_head, reads }
    }

    fn hold(&mut self, id: Uuid) {
        self.held.add(id, self.clock.monotonic());
    }

    /// Sends `batch` until the station has answered for every read of it. What is left in it on
    /// an error was not answered for.
    async fn deliver(&mut self, batch: &mut Batch) -> Result<(), Trouble> {
        let missing = self.post(batch).await?;
        if batch.reads.is_empty() {
            return Ok(());
        }
        self.upload(batch, missing).await?;
        if batch.reads.is_empty() {
            return Ok(());
        }
        batch.batch = Uuid::now_v7();
        self.post(batch).await?;
        match batch.reads.len() {
            0 => Ok(()),
            left => Err(Error::new(
                Kind::Network,
                format!(
                    "the station gave no answer for {}, though it was sent all images it asked for",
                    count(left as u64, "read")
                ),
            )
            .into()),
        }
    }

    /// Posts the batch, applies the receipt, and takes out of the batch what it answers. Returns
    /// the images that the station lacks.
    async fn post(&mut self, batch: &mut Batch) -> Result<Vec<Sha256>, Trouble> {
        let body = serde_json::to_vec(batch).context(Kind::Internal, || "could not write a batch".into())?;
        let answer = self.link.post_batch(body).await?;
        let receipt = Arc::new(check(batch, &answer)?);
        self.apply(receipt.clone()).await?;
        let mut answered: HashSet<Uuid> = receipt.durable.iter().map(|d| d.id).collect();
        for refusal in &receipt.refused {
            tracing::warn!(read = %refusal.id, "The station refused a read; it stays in the vehicle");
            let reason = visible(&refusal.reason).at_most(300);
            tracing::debug!(read = %refusal.id, %reason, "Reason of the refusal");
            self.hold(refusal.id);
            answered.insert(refusal.id);
        }
        batch.reads.retain(|r| !answered.contains(&r.id));
        Ok(receipt.missing_images.clone())
    }

    async fn apply(&self, receipt: Arc<Receipt>) -> Result<()> {
        let outbox = self.outbox.clone();
        let applied = blocking(move || outbox.apply(&receipt)).await?;
        if applied.unknown > 0 {
            tracing::warn!(unknown = applied.unknown, "A receipt named content that the store does not hold");
        }
        self.progress.send_modify(|p| {
            p.transferred += applied.transferred as u64;
            p.receipts += 1;
        });
        Ok(())
    }

    /// Sends the images of `batch` that the station lacks. Reads of which an image is damaged in
    /// the vehicle, or is not taken by the station, are set aside and taken out of the batch.
    async fn upload(&mut self, batch: &mut Batch, missing: Vec<Sha256>) -> Result<(), Trouble> {
        let missing: HashSet<Sha256> = missing.into_iter().collect();
        let wanted: HashSet<Sha256> =
            batch.reads.iter().flat_map(images).filter(|image| missing.contains(image)).collect();
        let mut hopeless: HashSet<Sha256> = HashSet::new();
        let mut uploads = JoinSet::new();
        for sha256 in wanted {
            let outbox = self.outbox.clone();
            let stored = blocking(move || Ok(outbox.image(&sha256)?.filter(|b| Sha256::of(b) == sha256))).await?;
            let Some(bytes) = stored else {
                tracing::error!(image = %sha256, "An image is lost or damaged in the store; run `plated check`");
                hopeless.insert(sha256);
                continue;
            };
            if uploads.len() >= UPLOADS
                && let Some(done) = uploads.join_next().await
            {
                hopeless.extend(rejected_image(done)?);
            }
            let link = self.link.clone();
            uploads.spawn(async move { (sha256, link.put_image(sha256, bytes).await) });
        }
        while let Some(done) = uploads.join_next().await {
            hopeless.extend(rejected_image(done)?);
        }
        let (stuck, whole): (Vec<_>, Vec<_>) = std::mem::take(&mut batch.reads)
            .into_iter()
            .partition(|read| images(read).iter().any(|image| hopeless.contains(image)));
        batch.reads = whole;
        for read in stuck {
            tracing::error!(read = %read.id, "A read stays in the vehicle because one of its images can't be transferred");
            self.hold(read.id);
        }
        Ok(())
    }

    /// After a batch was rejected as a whole: each read alone, and those that are rejected again
    /// are set aside. When the station rejects every one, it is the station, and none is.
    async fn one_by_one(&mut self, reads: Vec<SealedRead>, whole: Error) -> Result<()> {
        let mut rejected = Vec::new();
        let count = reads.len();
        for read in reads {
            let id = read.id;
            let mut batch = self.batch(vec![read]);
            match self.deliver(&mut batch).await {
                Ok(()) => {}
                Err(Trouble::Rejected(_)) => rejected.push(id),
                Err(Trouble::Failed(e)) => return Err(e),
            }
        }
        if rejected.len() == count {
            return Err(whole);
        }
        for id in rejected {
            tracing::warn!(read = %id, "The station will not take a read; it stays in the vehicle");
            self.hold(id);
        }
        Ok(())
    }
}

fn images(read: &SealedRead) -> Vec<Sha256> {
    // A record that can't be read has no images to send; the station will say what is wrong.
    serde_json::from_str::<ReadRecord>(read.record.get())
        .map(|record| record.images.iter().map(|image| image.sha256).collect())
        .unwrap_or_default()
}

/// The image that was sent, if the station understood and will not have it.
fn rejected_image(done: Result<(Sha256, Result<Answer>), JoinError>) -> Result<Option<Sha256>> {
    let (sha256, answer) = done.context(Kind::Internal, || "an upload failed".into())?;
    let answer = answer?;
    match answer.status {
        200..300 => Ok(None),
        400 | 413 | 422 => {
            tracing::error!(image = %sha256, error = %problem(&answer), "The station will not take an image");
            Ok(Some(sha256))
        }
        _ => Err(problem(&answer)),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, || "a task of the transfer failed".into())?
}
