//! Signs of a breach on their way to the station (control P-26): by requests of their own, so that they neither
//! wait for a read nor hold one up. What the station holds is noted in the store, so that what was noticed while it
//! could not be reached, or before a restart, is sent later.

use super::https::HttpsLink;
use super::link::Answer;
use super::receipt::problem;
use super::schedule::Options;
use crate::store::{KeptBreach, Store};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::retry::Backoff;
use plated_core::text::count;
use plated_core::wire::{
    Computer, MAX_SECURITY_EVENTS, SECURITY_REPORT_VERSION, SecurityNote, SecurityReceipt, SecurityReport,
};
use std::convert::Infallible;
use std::time::Duration;
use uuid::Uuid;

/// It is looked for new ones at most so often.
const LOOK: Duration = Duration::from_millis(500);

/// Reports for ever. Stop it by dropping it: it may be cut off anywhere.
pub async fn report_breaches(store: Store, link: HttpsLink, options: Options) -> Infallible {
    let mut backoff = Backoff::new(options.first_backoff, options.max_backoff);
    let session = Uuid::now_v7();
    loop {
        match round(&store, &link, &options.vehicle, session).await {
            Ok(0) => tokio::time::sleep(options.idle.max(LOOK)).await,
            Ok(events) => {
                backoff.reset();
                tracing::info!("The station was told of {}", count(events as u64, "sign of a breach"));
            }
            Err(e) => {
                let pause = backoff.fail_after(e.retry_after());
                match backoff.failures() {
                    1 => tracing::warn!("The station could not be told of a sign of a breach yet: {}", e.chain()),
                    _ => tracing::debug!("The station could not be told of a sign of a breach again: {}", e.chain()),
                }
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Tells the station of those that it does not hold yet; gives how many.
async fn round(store: &Store, link: &HttpsLink, vehicle: &str, session: Uuid) -> Result<usize> {
    let looking = store.clone();
    let look = move || Ok((looking.unreported_breaches(MAX_SECURITY_EVENTS)?, looking.installation().ok()));
    let (kept, installation) = blocking(look).await?;
    let Some(last) = kept.last().map(|kept| kept.id) else { return Ok(0) };
    let report = SecurityReport {
        version: SECURITY_REPORT_VERSION,
        vehicle: vehicle.to_owned(),
        computer: installation.map(|installation| Computer { installation, session }),
        events: kept.iter().map(note).collect(),
    };
    let body = serde_json::to_vec(&report).context(Kind::Internal, || "could not write a security report".into())?;
    check(&report, &link.post_security_report(body).await?)?;
    let noting = store.clone();
    blocking(move || noting.breaches_reported(last)).await?;
    Ok(report.events.len())
}

fn note(kept: &KeptBreach) -> SecurityNote {
    let KeptBreach { log, row, at, breach, .. } = kept;
    let text = breach.to_string().chars().take(1000).collect();
    SecurityNote { log: *log, row: *row, at: *at, indicator: breach.as_str().to_owned(), text }
}

/// Whether the answer says that the station holds all of it.
fn check(report: &SecurityReport, answer: &Answer) -> Result<()> {
    if !(200..300).contains(&answer.status) {
        return Err(problem(answer));
    }
    match serde_json::from_slice::<SecurityReceipt>(&answer.body) {
        Ok(receipt) if receipt.durable == report.events.len() => Ok(()),
        _ => {
            let message = "the station said yes, but not that it holds the signs of a breach; they are sent again";
            Err(Error::new(Kind::Network, message))
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, || "a task of the transfer failed".into())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_says_that_all_is_durable_counts() {
        let note = SecurityNote {
            log: Uuid::nil(),
            row: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            indicator: "failed_logins".into(),
            text: "20 logins failed within 15 minutes".into(),
        };
        let report = SecurityReport { version: 1, vehicle: "unit-7".into(), computer: None, events: vec![note] };
        let answer = |status, body: &str| Answer { status, body: body.into(), retry_after: None };
        check(&report, &answer(200, r#"{"station":"s","durable":1}"#)).unwrap();
        for (status, body) in [
            (200, ""),
            (200, "{}"),
            (200, r#"{"station":"s","durable":0}"#),
            (200, r#"{"station":"s","durable":2}"#),
            (404, r#"{"error":"the station has no such call"}"#),
            (500, r#"{"station":"s","durable":1}"#),
        ] {
            assert!(check(&report, &answer(status, body)).is_err(), "{status} {body}");
        }
    }
}
