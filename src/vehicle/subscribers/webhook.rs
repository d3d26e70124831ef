//! A webhook's task: alerts that it has not been given are posted to it, one after the other, the oldest first.

use super::recipient::{Offer, Recipient};
use super::settings::Webhook;
use super::{MAX_AGE, MAX_AT_ONCE, Parts, blocking};
use crate::announcement::Published;
use crate::events::{Next, Subscription};
use crate::health::Level;
use crate::store::Delivery;
use plated_access::{GiveOut, Permit};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::retry::{self, Backoff};
use plated_core::text::{count, sentence};
use plated_core::tls;
use plated_core::webhook::{self, Answer};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// It is looked for alerts at least so often.
const LOOK: Duration = Duration::from_secs(1);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// One webhook.
struct Sender {
    settings: Webhook,
    recipient: Recipient,
    url: Url,
    token: HeaderValue,
    client: Client,
    parts: Parts,
}

/// What begins a webhook's task; none where it can't work, which is logged and reported. The others go on, and so
/// does all else.
pub fn start(settings: &Webhook, parts: &Parts) -> Option<impl Fn() -> Work + Send + use<>> {
    match Sender::new(settings.clone(), parts.clone()) {
        Ok(sender) => {
            let sender = Arc::new(sender);
            Some(move || Box::pin(run(sender.clone())) as Work)
        }
        Err(e) => {
            let why = format!("no alert is sent: {}", e.chain());
            parts.health.report(&part(&settings.name), Level::Failed, why, parts.clock.wall());
            tracing::error!("The webhook {} can't be used: {}", settings.name, e.chain());
            None
        }
    }
}

/// A webhook at work.
pub type Work = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn part(name: &str) -> String {
    format!("webhook {name}")
}

async fn run(sender: Arc<Sender>) {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let mut events = Some(sender.parts.events.subscribe());
    let mut permit = None;
    // What is on record as given out: an alert that is tried again needs no second record.
    let mut recorded = HashSet::new();
    let mut refused = 0;
    sender.report(Level::Ok, "no alert has been sent since the start".into());
    loop {
        let due = match sender.clone().look(permit.take()).await {
            Ok((still, due)) => {
                permit = Some(still);
                due
            }
            Err(e) => {
                sender.report(Level::Failed, format!("no alert is sent: {}", e.chain()));
                tokio::time::sleep(backoff.fail()).await;
                continue;
            }
        };
        let (waits, mut wait) = (due.len(), None);
        for (n, Offer { hit, json, subject }) in due.into_iter().enumerate() {
            if !recorded.contains(&hit) {
                if let Err(e) = sender.clone().record(subject).await {
                    sender.report(Level::Failed, format!("no alert is sent: {}", e.chain()));
                    wait = Some(backoff.fail());
                    break;
                }
                recorded.insert(hit);
            }
            let delivery = match sender.post(hit, json).await {
                Answer::Taken => Delivery::Delivered,
                Answer::Refused(why) => {
                    refused += 1;
                    tracing::warn!(webhook = sender.settings.name, "An alert was refused: {why}");
                    Delivery::Refused
                }
                Answer::Again(why, asked) => {
                    let left = count((waits - n) as u64, "alert");
                    sender.report(Level::Degraded, format!("{left} or more to be sent again: {why}"));
                    wait = Some(backoff.fail_after(asked));
                    break;
                }
            };
            backoff.reset();
            if let Err(e) = sender.clone().note(hit, delivery).await {
                sender.report(Level::Degraded, format!("alerts may be sent twice: {}", e.chain()));
                wait = Some(backoff.fail());
                break;
            }
            recorded.remove(&hit);
            match refused {
                0 => sender.report(Level::Ok, "alerts are sent as they are made".into()),
                n => sender.report(Level::Degraded, format!("it refused {}; the log says why", count(n, "alert"))),
            }
        }
        match wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None if waits == MAX_AT_ONCE => {}
            None => events = woken(events).await,
        }
    }
}

/// Waits for something new, for a moment at most.
async fn woken(events: Option<Subscription<Published>>) -> Option<Subscription<Published>> {
    let Some(mut events) = events else {
        tokio::time::sleep(LOOK).await;
        return None;
    };
    let waited = tokio::task::spawn_blocking(move || {
        let next = events.next(LOOK);
        (!matches!(next, Next::Closed)).then_some(events)
    });
    waited.await.ok().flatten()
}

impl Sender {
    fn new(settings: Webhook, parts: Parts) -> Result<Self> {
        let wrong = |why: &str| Error::new(Kind::Config, format!("webhook {}: {why}", settings.name));
        let url = settings.address().ok_or_else(|| wrong("its url is no address"))?;
        let token = webhook::token("webhook", &settings.name, settings.token_file.as_deref())?;
        let mut token = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| wrong("its token holds characters that no header can have"))?;
        token.set_sensitive(true);
        let timeout = Duration::from_secs_f64(settings.timeout_s);
        let client = Client::builder().redirect(Policy::none()).no_proxy().timeout(timeout).connect_timeout(timeout);
        let client = match &settings.ca {
            Some(ca) => client.tls_backend_preconfigured(tls::client_without_certificate(ca)?),
            // Plain http to this computer.
            None => client.tls_backend_preconfigured(tls::client_that_trusts_nobody()?),
        };
        let client = client.build().context(Kind::Internal, || "could not set up the way to a webhook".into())?;
        parts.store.begin_webhook(&settings.name)?;
        let recipient =
            Recipient::new(settings.subscriber(), settings.priority, settings.purpose.clone(), parts.officers.clone())?;
        Ok(Self { settings, recipient, url, token, client, parts })
    }

    fn report(&self, level: Level, text: String) {
        let logged = sentence(&text);
        let name = &self.settings.name;
        if self.parts.health.report(&part(name), level, text, self.parts.clock.wall()) {
            tracing::warn!("Webhook {name}: {logged}");
        }
    }

    /// What is to be posted.
    async fn look(self: Arc<Self>, permit: Option<Permit<GiveOut>>) -> Result<(Permit<GiveOut>, Vec<Offer>)> {
        blocking(move || {
            let permit = match permit {
                Some(permit) => permit,
                None => {
                    let to = self.url.host_str().unwrap_or_default();
                    self.recipient.begin(json!({"as": "webhook", "to": to}))?
                }
            };
            let since = self.parts.clock.wall() - MAX_AGE;
            let alerts = self.parts.store.undelivered(&permit, &self.settings.name, since, MAX_AT_ONCE)?;
            let mut due = Vec::new();
            for alert in &alerts {
                match self.recipient.offer(alert, &permit)? {
                    Some(offer) => due.push(offer),
                    None => self.parts.store.note_delivery(&self.settings.name, alert.hit.id, Delivery::NotTheirs)?,
                }
            }
            Ok((permit, due))
        })
        .await
    }

    /// Puts on record that an alert is about to be given out.
    async fn record(self: Arc<Self>, subject: serde_json::Value) -> Result<()> {
        blocking(move || self.recipient.record(subject)).await
    }

    async fn note(self: Arc<Self>, hit: Uuid, delivery: Delivery) -> Result<()> {
        blocking(move || self.parts.store.note_delivery(&self.settings.name, hit, delivery)).await
    }

    async fn post(&self, hit: Uuid, json: String) -> Answer {
        let request = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, self.token.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", hit.to_string())
            .body(json);
        match request.send().await {
            Ok(response) => {
                let asked = response.headers().get(RETRY_AFTER).and_then(|field| field.to_str().ok());
                let asked = asked.and_then(|field| retry::retry_after(field, self.parts.clock.wall()));
                Answer::of(response.status().as_u16(), asked)
            }
            Err(e) => {
                let why = Error::new(Kind::Network, e.without_url().to_string());
                Answer::Again(format!("it can't be reached: {}", why.chain()), None)
            }
        }
    }
}
