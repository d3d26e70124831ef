//! Sending what waits for somebody else, again and again until it is taken: the upstream station, other programs.

use jiff::Timestamp;
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::retry::Backoff;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Wait after the first failure.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// How it is getting on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Reads that the other side has since the start.
    pub sent: u64,
    /// Why the last try failed, and since when all do; none once one has worked.
    pub failing: Option<(String, Timestamp)>,
}

/// The task; it ends with this value.
pub struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// When it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Seconds between looks when nothing waited.
    pub idle_s: f64,
    /// Longest wait after failures, in seconds.
    pub max_backoff_s: f64,
}

/// Somebody who is sent reads.
pub trait Sender: Send + Sync + 'static {
    /// What goes where, for the log: `to the upstream station`.
    fn to(&self) -> String;

    /// When it is tried.
    fn pace(&self) -> Pace;

    /// How it is getting on.
    fn progress(&self) -> &Mutex<Progress>;

    /// What time it is.
    fn clock(&self) -> &dyn Clock;

    /// Sends what is next; false when nothing waits.
    fn round(self: std::sync::Arc<Self>) -> impl Future<Output = Result<bool>> + Send;

    /// Sends for ever.
    fn start(self: &std::sync::Arc<Self>) -> Running
    where
        Self: Sized,
    {
        Running(tokio::spawn(keep_sending(self.clone())))
    }
}

async fn keep_sending<S: Sender>(sender: std::sync::Arc<S>) {
    let note = |change: &dyn Fn(&mut Progress)| {
        change(&mut sender.progress().lock().unwrap_or_else(PoisonError::into_inner));
    };
    let pace = sender.pace();
    let longest = Duration::from_secs_f64(pace.max_backoff_s);
    let mut backoff = Backoff::new(FIRST_BACKOFF.min(longest), longest);
    loop {
        let pause = match sender.clone().round().await {
            Ok(sent) => {
                if backoff.failures() > 0 {
                    tracing::info!(failures = backoff.failures(), "Reads go {} again", sender.to());
                    backoff.reset();
                    note(&|p| p.failing = None);
                }
                (!sent).then(|| Duration::from_secs_f64(pace.idle_s))
            }
            Err(e) => {
                let pause = backoff.fail_after(e.retry_after());
                let (failures, now) = (backoff.failures(), sender.clock().wall());
                if failures == 1 {
                    tracing::warn!(error = %e.chain(), "No reads go {}; they wait", sender.to());
                }
                note(&|p| {
                    let since = p.failing.as_ref().map_or(now, |(_, since)| *since);
                    p.failing = Some((e.chain(), since));
                });
                Some(pause)
            }
        };
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }
}
