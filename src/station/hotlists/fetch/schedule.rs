//! When each source is looked at: after its interval, and sooner, at growing waits, while it fails.

use super::super::source::Source;
use super::{Fetched, Fetcher, blocking};
use jiff::SignedDuration;
use plated_core::error::{Kind, Result};
use plated_core::retry::Backoff;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Wait after the first failure.
const FIRST_BACKOFF: Duration = Duration::from_secs(30);
/// How often it is looked whether the time of a version has come.
const PROMOTE_EVERY: Duration = Duration::from_secs(15);

/// Looks at all sources for ever; each by itself, so that a slow one holds up no other.
pub async fn watch(fetcher: Arc<Fetcher>) -> Infallible {
    let mut tasks = JoinSet::new();
    for source in fetcher.sources() {
        tasks.spawn(of_source(fetcher.clone(), source.clone()));
        if let Some(increments) = &source.increments {
            let interval = Duration::from_secs_f64(increments.interval_s);
            tasks.spawn(increments_of(fetcher.clone(), source.clone(), interval));
        }
    }
    let mut is_told = false;
    loop {
        let at_work = fetcher.clone();
        if let Err(e) = blocking(move || at_work.promote()).await {
            tracing::error!(error = %e.chain(), "A list that is to come into force now can't; it is tried again");
        }
        let at_work = fetcher.clone();
        match blocking(move || at_work.publish_accounts()).await {
            Ok(()) => is_told = false,
            Err(e) if !std::mem::replace(&mut is_told, true) => {
                tracing::error!(error = %e.chain(), "Changed accounts can't be handed out to vehicles; it is tried again");
            }
            Err(_) => {}
        }
        tokio::time::sleep(PROMOTE_EVERY).await;
    }
}

async fn of_source(fetcher: Arc<Fetcher>, source: Source) {
    let interval = Duration::from_secs_f64(source.interval_s);
    let mut backoff = Backoff::new(FIRST_BACKOFF.min(interval), interval);
    tokio::time::sleep(until_due(&fetcher, &source, interval).await).await;
    loop {
        let wait = match fetcher.once(&source, false).await {
            Ok(fetched) => {
                tell(&source, &fetched, backoff.failures());
                backoff.reset();
                // A little less at random, so that all stations do not come at once.
                interval.mul_f64(1.0 - 0.1 * f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX))
            }
            // Somebody fetches it by hand.
            Err(e) if e.kind() == Kind::Busy => FIRST_BACKOFF.min(interval),
            Err(e) => {
                let wait = backoff.fail_after(e.retry_after());
                let (list, failures) = (&source.name, backoff.failures());
                // Each hour or so again: nobody may take an old list for a new one.
                if failures.is_power_of_two() {
                    tracing::warn!(
                        list, failures, error = %e.chain(),
                        "A list could not be fetched; the version before stays and grows old. It is tried again in {} s",
                        wait.as_secs()
                    );
                }
                wait
            }
        };
        tokio::time::sleep(wait).await;
    }
}

async fn increments_of(fetcher: Arc<Fetcher>, source: Source, interval: Duration) {
    let (mut backoff, list) = (Backoff::new(FIRST_BACKOFF.min(interval), interval), &source.name);
    loop {
        tokio::time::sleep(match fetcher.increment(&source).await {
            Ok(published) => {
                backoff.reset();
                if let Some(published) = published {
                    let (version, report) = (published.version.version, &published.report);
                    tracing::info!(list, version, "Fetched an increment: {report}");
                }
                interval
            }
            // The whole list is being fetched.
            Err(e) if e.kind() == Kind::Busy => FIRST_BACKOFF.min(interval),
            Err(e) => {
                let wait = backoff.fail_after(e.retry_after());
                if backoff.failures().is_power_of_two() {
                    let failures = backoff.failures();
                    tracing::warn!(list, failures, error = %e.chain(), "An increment could not be fetched; it is tried again");
                }
                wait
            }
        })
        .await;
    }
}

fn tell(source: &Source, fetched: &Fetched, failures: u32) {
    let list = &source.name;
    if failures > 0 {
        tracing::info!(list, failures, "The list can be fetched again");
    }
    match fetched {
        Fetched::File(published) => {
            let (version, done) = (published.version.version, published.done);
            tracing::info!(list, version, ?done, inactive = published.inactive, "Fetched a list: {}", published.report);
        }
        Fetched::Same(_) => tracing::debug!(list, "The source has nothing newer"),
        Fetched::Withdrawn => tracing::debug!(list, "The list was withdrawn and is not fetched"),
    }
}

/// After a start a source is not asked sooner than it would have been.
async fn until_due(fetcher: &Arc<Fetcher>, source: &Source, interval: Duration) -> Duration {
    let (at_work, name) = (fetcher.clone(), source.name.clone());
    let known: Result<_> = blocking(move || at_work.known(&name)).await;
    let asked = known.ok().and_then(|(state, _)| state).filter(|state| state.failing.is_none()).map(|s| s.asked);
    let passed = asked.map(|asked| fetcher.clock.wall().duration_since(asked));
    match passed.filter(|passed| *passed >= SignedDuration::ZERO).and_then(|passed| Duration::try_from(passed).ok()) {
        Some(passed) => interval.saturating_sub(passed),
        None => Duration::ZERO,
    }
}
