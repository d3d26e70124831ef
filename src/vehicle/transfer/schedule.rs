//! When rounds are sent: at once while reads wait, now and then when none do, and at growing
//! intervals while it does not work.

use super::link::{Link, Outbox};
use super::sender::{Round, Sender};
use super::settings::Settings;
use super::when::{Asked, Schedule, SendNow};
use super::{Progress, State};
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::retry::Backoff;
use plated_core::signing::Trust;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// It is looked so often whether batches may go now.
const SCHEDULE_LOOK: Duration = Duration::from_secs(5);

/// How the transfer goes about it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the vehicle, as its certificate has it.
    pub vehicle: String,
    /// Whose receipts count.
    pub trust: Trust,
    /// Reads in one batch at most.
    pub batch_reads: usize,
    /// When batches go.
    pub schedule: Schedule,
    /// By which somebody says that they go now.
    pub send_now: SendNow,
    /// Wait between looks at the outbox when it was empty.
    pub idle: Duration,
    /// Wait after the first failure; it doubles with each further one.
    pub first_backoff: Duration,
    /// Longest wait after failures.
    pub max_backoff: Duration,
    /// A batch is given up when nothing of it moves for so long, beside what a slow link takes.
    pub idle_limit: Duration,
}

impl Options {
    /// As the configuration says.
    ///
    /// # Errors
    /// `Config` when there are no keys of receipts.
    pub fn of(vehicle: &str, transfer: &Settings) -> Result<Self> {
        let max_backoff = Duration::from_secs_f64(transfer.max_backoff_s);
        Ok(Self {
            vehicle: vehicle.to_owned(),
            trust: Trust::load(&transfer.receipt_keys)?,
            batch_reads: transfer.batch_reads,
            schedule: transfer.schedule(),
            send_now: SendNow::default(),
            idle: Duration::from_secs_f64(transfer.idle_s),
            first_backoff: Duration::from_secs(1).min(max_backoff),
            max_backoff,
            idle_limit: Duration::from_secs_f64(transfer.timeout_s),
        })
    }
}

/// Transfers for ever; progress is published on `progress`. Stop it by dropping it (aborting its
/// task): it may be cut off anywhere.
pub async fn run<O: Outbox, L: Link>(
    outbox: O,
    link: L,
    options: Options,
    clock: Arc<dyn Clock>,
    progress: watch::Sender<Progress>,
) -> Infallible {
    let mut backoff = Backoff::new(options.first_backoff, options.max_backoff);
    let (idle, schedule) = (options.idle, options.schedule.clone());
    let mut asked = options.send_now.asked();
    let mut heard = *asked.borrow();
    let mut sender = Sender::new(outbox, link, options, clock.clone(), progress);
    // Somebody said so, or a shift ended, and not all is sent yet.
    let mut by_hand = sender.outbox(|outbox| outbox.is_to_send_all()).await.unwrap_or_default();
    loop {
        let now_asked = *asked.borrow_and_update();
        by_hand |= now_asked.to_send != heard.to_send;
        if now_asked.to_try != heard.to_try {
            backoff.reset();
        }
        heard = now_asked;
        // The network is looked at elsewhere, since the system may take its time.
        let (looked, now) = (schedule.clone(), clock.wall());
        let closed = match by_hand {
            true => None,
            false => sender.outbox(move |_| looked.closed(now)).await.flatten(),
        };
        if let Some(why) = closed {
            sender
                .progress()
                .send_if_modified(|p| std::mem::replace(&mut p.state, State::Waiting(why)) != State::Waiting(why));
            wait(SCHEDULE_LOOK, &asked).await;
            continue;
        }
        match sender.round().await {
            Ok(round) => {
                if backoff.failures() > 0 {
                    tracing::info!(failures = backoff.failures(), "The transfer to the station works again");
                    backoff.reset();
                }
                let state = if round == Round::Empty { State::Idle } else { State::Sending };
                sender.progress().send_if_modified(|p| {
                    let changed = p.state != state || p.last_error.is_some();
                    p.state = state;
                    p.last_error = None;
                    p.operator_needed = false;
                    changed
                });
                if round == Round::Empty {
                    if std::mem::take(&mut by_hand) {
                        sender.outbox(|outbox| outbox.all_is_sent()).await;
                    }
                    wait(idle, &asked).await;
                }
            }
            Err(e) => {
                let pause = backoff.fail_after(e.retry_after());
                let failures = backoff.failures();
                if failures == 1 {
                    report(&e);
                } else {
                    tracing::debug!(error = %e.chain(), failures, "The transfer failed again");
                }
                let now = clock.wall();
                sender.progress().send_modify(|p| {
                    let since = match p.state {
                        State::BackingOff { since, .. } => since,
                        State::Idle | State::Sending | State::Waiting(_) => now,
                    };
                    p.state = State::BackingOff { since, failures };
                    p.last_error = Some(e.chain());
                    p.operator_needed = !matches!(e.kind(), Kind::Network | Kind::Busy);
                });
                wait(pause, &asked).await;
            }
        }
    }
}

/// Waits, or until somebody says that it is to be sent now.
async fn wait(time: Duration, asked: &watch::Receiver<Asked>) {
    let is_asked = async {
        let mut heard = asked.clone();
        if heard.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let _ = tokio::time::timeout(time, is_asked).await;
}

/// Once for each time it stops working, not for each try.
fn report(e: &Error) {
    match e.kind() {
        Kind::Network => {
            tracing::warn!(error = %e.chain(), "Reads can't be transferred for now; they stay in the vehicle");
        }
        _ => tracing::error!(error = %e.chain(), "Reads can't be transferred; they stay in the vehicle"),
    }
}
