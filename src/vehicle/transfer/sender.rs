//! One round: some of what waits, sent, receipted, marked.

use super::hold::Held;
use super::link::{Link, Outbox};
use super::parcel::Parcel;
use super::receipt::{Trouble, check};
use super::schedule::Options;
use super::speed::Speed;
use super::{Progress, State};
use crate::store::Portion;
use jiff::{SignedDuration, Timestamp};
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::{count, visible};
use plated_core::wire::batch::{MAX_BATCH_DOCUMENTS, Receipt, SignedReceipt};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// Documents and rows of the audit log that go with a batch of reads, of each; more where no read waits.
const OTHERS_BESIDE_READS: usize = 50;
/// What the station will not have besides reads rests for so long.
const OTHERS_REST: Duration = Duration::from_secs(3600);

/// What a round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Nothing was waiting.
    Empty,
    /// The station answered for all that was sent.
    Sent,
}

/// Sends rounds. Dropping a round half way does no harm; the next one sends the same again.
pub struct Sender<O, L> {
    outbox: O,
    link: L,
    options: Options,
    clock: Arc<dyn Clock>,
    held: Held,
    /// Documents and rows are not sent before this monotonic time.
    others_after: Duration,
    speed: Speed,
    /// Names this start of the program to the station.
    session: Uuid,
    progress: watch::Sender<Progress>,
}

impl<O: Outbox, L: Link> Sender<O, L> {
    /// A sender that has sent nothing.
    pub fn new(outbox: O, link: L, options: Options, clock: Arc<dyn Clock>, progress: watch::Sender<Progress>) -> Self {
        let session = Uuid::now_v7();
        let (held, speed, others_after) = (Held::default(), Speed::new(), Duration::ZERO);
        Self { outbox, link, options, clock, held, others_after, speed, session, progress }
    }

    /// The published progress.
    pub(super) fn progress(&self) -> &watch::Sender<Progress> {
        &self.progress
    }

    /// Has the outbox asked, or told, off this thread; none after a defect.
    pub(super) async fn outbox<T: Send + 'static>(&self, ask: impl FnOnce(O) -> T + Send + 'static) -> Option<T> {
        let outbox = self.outbox.clone();
        tokio::task::spawn_blocking(move || ask(outbox)).await.ok()
    }

    /// Sends what is next in the outbox.
    ///
    /// # Errors
    /// Whatever kept the round from its end. What was receipted until then is marked.
    pub async fn round(&mut self) -> Result<Round> {
        let parcel = self.next().await?;
        parcel.stuck.iter().for_each(|id| self.hold(*id));
        self.progress.send_modify(|p| p.held = self.held.len());
        if parcel.is_empty() {
            return Ok(if parcel.stuck.is_empty() { Round::Empty } else { Round::Sent });
        }
        self.progress.send_if_modified(|p| {
            let idle = p.state == State::Idle && !parcel.reads.is_empty();
            if idle {
                p.state = State::Sending;
            }
            idle
        });
        let parcel = Arc::new(parcel);
        let result = match self.deliver(parcel.clone()).await {
            // Perhaps one of them spoils it for the others.
            Err(Trouble::Rejected(e)) if parcel.parts() > 1 => self.one_by_one(&parcel, e).await,
            Err(Trouble::Rejected(e)) if parcel.reads.is_empty() => {
                self.rest_others();
                Err(e)
            }
            other => other.map_err(Trouble::into_error),
        };
        self.progress.send_modify(|p| p.held = self.held.len());
        result.map(|()| Round::Sent)
    }

    /// What is sent now: not those set aside, and as much as the link takes in some seconds.
    async fn next(&mut self) -> Result<Parcel> {
        let now = self.clock.monotonic();
        self.held.release_due(now);
        let others = if now < self.others_after { 0 } else { OTHERS_BESIDE_READS };
        let wanted = Portion {
            reads: self.options.batch_reads,
            bytes: self.speed.budget(),
            others,
            held: self.held.all().collect(),
        };
        let outbox = self.outbox.clone();
        blocking(move || {
            let mut waiting = outbox.next(&wanted)?;
            if waiting.reads.is_empty() && waiting.documents.len().max(waiting.rows.len()) == others && others > 0 {
                // Perhaps there are more of them, and nothing keeps them.
                waiting = outbox.next(&Portion { others: MAX_BATCH_DOCUMENTS, ..wanted })?;
            }
            Parcel::gather(waiting, |sha256| outbox.image(sha256))
        })
        .await
    }

    fn hold(&mut self, id: Uuid) {
        self.held.add(id, self.clock.monotonic());
    }

    fn rest_others(&mut self) {
        tracing::error!(
            "The station will not take what officers put down or rows of the audit log; tried again in an hour"
        );
        self.others_after = self.clock.monotonic() + OTHERS_REST;
    }

    /// Sends a batch, and marks what its receipt names.
    async fn deliver(&mut self, parcel: Arc<Parcel>) -> Result<(), Trouble> {
        let (vehicle, session, sent) = (self.options.vehicle.clone(), self.session, self.clock.wall());
        let written = parcel.clone();
        let (batch, body) = blocking(move || written.write(&vehicle, session, sent)).await?;
        let (bytes, begun) = (body.len(), self.clock.awake());
        let patience = self.speed.patience(bytes, self.options.idle_limit);
        let answer = self.link.post_batch(body, patience).await.inspect_err(|_| self.speed.failed())?;
        let took = self.clock.awake().saturating_sub(begun);
        let (signed, receipt) = check(batch, &parcel, &answer, &self.options.trust)?;
        self.speed.took(bytes, took);
        self.note_clock(sent, took, receipt.at);
        self.apply(signed, &receipt).await?;
        self.answered(&parcel, &receipt)
    }

    /// Holds what was refused, and sees that everything was answered.
    fn answered(&mut self, parcel: &Parcel, receipt: &Receipt) -> Result<(), Trouble> {
        for refusal in &receipt.reads.refused {
            tracing::warn!(read = %refusal.id, "The station refused a read; it stays in the vehicle");
            let reason = visible(&refusal.reason).at_most(300);
            tracing::debug!(read = %refusal.id, %reason, "Reason of the refusal");
            self.hold(refusal.id);
        }
        for refusal in &receipt.documents.refused {
            let reason = visible(&refusal.reason).at_most(300);
            tracing::warn!(document = %refusal.id, %reason, "The station refused what an officer put down; it stays in the vehicle");
        }
        if let Some(refusal) = receipt.audit_rows.refused.first() {
            let reason = visible(&refusal.reason).at_most(300);
            tracing::error!(log = %refusal.log, row = refusal.number, %reason, "The station refused rows of the audit log");
            self.rest_others();
        }
        let mut named: HashSet<Uuid> = receipt.reads.durable.iter().map(|d| d.id).collect();
        named.extend(receipt.reads.refused.iter().map(|r| r.id));
        match parcel.reads.iter().filter(|read| !named.contains(&read.id)).count() {
            0 => Ok(()),
            left => {
                let text = format!("the station gave no answer for {}", count(left as u64, "read"));
                Err(Error::new(Kind::Network, text).into())
            }
        }
    }

    async fn apply(&self, signed: SignedReceipt, receipt: &Receipt) -> Result<()> {
        let outbox = self.outbox.clone();
        let applied = blocking(move || outbox.apply(&signed)).await?;
        if applied.unknown > 0 {
            tracing::warn!(unknown = applied.unknown, "A receipt named content that the store does not hold");
        }
        let station = receipt.station.clone();
        self.progress.send_modify(|p| {
            p.transferred += applied.transferred as u64;
            p.documents += applied.documents as u64;
            p.audit_rows += applied.audit_rows as u64;
            p.receipts += 1;
            p.station = Some(station);
            p.bytes_a_second = Some(self.speed.bytes_a_second() as u64);
        });
        Ok(())
    }

    /// By how much the station's clock is ahead of this one, if the way there and back took as long.
    fn note_clock(&self, sent: Timestamp, took: Duration, station: Timestamp) {
        let middle = SignedDuration::try_from(took / 2).ok().and_then(|half| sent.checked_add(half).ok());
        let ahead = middle.map(|middle| station.duration_since(middle));
        self.progress.send_modify(|p| p.station_clock_ahead = ahead);
    }

    /// After a batch was rejected as a whole: each read alone, and those that are rejected again
    /// are set aside. When the station rejects every one, it is the station, and none is.
    async fn one_by_one(&mut self, parcel: &Parcel, whole: Error) -> Result<()> {
        let mut rejected = Vec::new();
        for alone in parcel.reads_alone() {
            let id = alone.reads.first().map(|read| read.id).unwrap_or_default();
            match self.deliver(Arc::new(alone)).await {
                Ok(()) => {}
                Err(Trouble::Rejected(_)) => rejected.push(id),
                Err(Trouble::Failed(e)) => return Err(e),
            }
        }
        if rejected.len() == parcel.reads.len() && !rejected.is_empty() {
            return Err(whole);
        }
        for id in rejected {
            tracing::warn!(read = %id, "The station will not take a read; it stays in the vehicle");
            self.hold(id);
        }
        let others = parcel.others();
        match others.is_empty() {
            true => Ok(()),
            false => match self.deliver(Arc::new(others)).await {
                Err(Trouble::Rejected(_)) => {
                    self.rest_others();
                    Ok(())
                }
                other => other.map_err(Trouble::into_error),
            },
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, || "a task of the transfer failed".into())?
}
