//! Alerts as a stream, for a program that asks for them with its token (`plated subscriber add`).
//!
//! An event's id is the alert's place in the store ([`AlertMark`]). A program that was cut off says which event it
//! had last, and is given all that came behind it: from the store, whatever happened meanwhile. Each program has one
//! stream; one that it opens anew ends the one before, which may hang. A program that is slow gets its alerts late;
//! one that takes nothing for [`STUCK`] is cut off, and goes on when it comes again. Nobody waits for it.

use super::recipient::{Offer, Recipient};
use super::{MAX_AGE, MAX_AT_ONCE, Parts, blocking};
use crate::announcement::Published;
use crate::events::{Next, Subscription};
use crate::health::Level;
use crate::store::AlertMark;
use plated_access::{GiveOut, Permit, SubscriberAccount, Token};
use plated_core::error::{Error, Kind, Result};
use plated_core::shutdown::Shutdown;
use plated_core::text::sentence;
use plated_web::sse::Event;
use serde_json::json;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// The version of the event that begins a stream.
const VERSION: u32 = 1;
/// Events that may wait for the connection.
const QUEUE: usize = 16;
/// A program that takes nothing for so long is cut off.
const STUCK: Duration = Duration::from_secs(30);
/// How often it is looked for alerts at least, and whether the program may still ask.
const LOOK: Duration = Duration::from_secs(1);

/// The streams that are open: one for each program.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Mutex<HashMap<String, Shutdown>>>);

impl Streams {
    /// Begins to give this program, which has shown `token`, the alerts behind the event that it had `last`; from
    /// now on where it had none, or one of another store. The events come through what is returned, until the
    /// program goes, is removed, opens another stream, or the daemon ends. On the async runtime.
    pub fn open(
        &self,
        parts: Parts,
        account: SubscriberAccount,
        token: Arc<Token>,
        address: &str,
        last: Option<&str>,
    ) -> Result<Receiver<Event>> {
        let new = &account.subscriber;
        let recipient =
            Recipient::new(account.subscriber(), new.priority, new.purpose.clone(), parts.officers.clone())?;
        let (send, receive) = channel(QUEUE);
        let (name, last) = (new.name.clone(), last.and_then(AlertMark::parse));
        let stop = self.take(&name);
        let stream = Arc::new(Stream { parts, account, token, address: address.to_owned(), recipient, send });
        tokio::spawn(async move {
            let ended = tokio::select! {
                () = stop.requested() => End::Replaced,
                () = stream.send.closed() => End::Gone,
                end = stream.clone().feed(last) => end,
            };
            stream.tell(&ended);
        });
        Ok(receive)
    }

    /// The place of this program's stream; the one before it ends.
    fn take(&self, name: &str) -> Shutdown {
        let stop = Shutdown::new();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = open.insert(name.to_owned(), stop.clone()) {
            before.request();
        }
        stop
    }
}

/// An alert as an event: the place behind it in the store, and the JSON of the alert.
pub fn event(mark: AlertMark, alert: String) -> Event {
    Event { id: Some(mark.to_string()), name: "alert", data: alert }
}

/// The number of an alert, and the alert where it is for this program.
type Numbered = (i64, Option<Offer>);

/// Why a stream ended.
enum End {
    /// The program went away.
    Gone,
    /// It has opened another one.
    Replaced,
    /// It took nothing for too long.
    Stuck,
    /// The daemon ends.
    Over,
    /// It may not ask any more, or that could not be found out or put on record.
    Refused(Error),
}

/// A stream at work.
struct Stream {
    parts: Parts,
    account: SubscriberAccount,
    token: Arc<Token>,
    address: String,
    recipient: Recipient,
    send: Sender<Event>,
}

impl Stream {
    async fn feed(self: Arc<Self>, last: Option<AlertMark>) -> End {
        match self.give(last).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn give(self: Arc<Self>, last: Option<AlertMark>) -> Result<Infallible, End> {
        let mut events = self.parts.events.subscribe();
        let this = self.clone();
        let (mut permit, from, resumed) = blocking(move || this.begin(last)).await.map_err(End::Refused)?;
        let mut mark = from;
        let about = json!({"version": VERSION, "subscriber": self.name(), "resumed": resumed});
        self.put(Event { id: Some(mark.to_string()), name: "begin", data: about.to_string() }).await?;
        self.report(Level::Ok, "alerts are given out as they are made".into());
        loop {
            let this = self.clone();
            let (still, offers) = blocking(move || this.look(permit, mark)).await.map_err(End::Refused)?;
            permit = still;
            let more = offers.len() == MAX_AT_ONCE;
            for (number, offer) in offers {
                mark.number = number;
                let Some(Offer { json, subject, .. }) = offer else { continue };
                let this = self.clone();
                blocking(move || this.recipient.record(subject)).await.map_err(End::Refused)?;
                self.put(event(mark, json)).await?;
            }
            if !more {
                events = woken(events).await.ok_or(End::Over)?;
            }
        }
    }

    /// Puts the beginning on record; gives where it goes on, and whether that is behind the event named.
    fn begin(&self, last: Option<AlertMark>) -> Result<(Permit<GiveOut>, AlertMark, bool)> {
        let newest = self.parts.store.newest_alert()?;
        let subject = json!({"as": "stream", "to": self.address, "resumed": last.map(|mark| mark.to_string())});
        let permit = self.recipient.begin(subject)?;
        Ok(match last {
            None => (permit, newest, false),
            Some(mark) if mark.store == newest.store && mark.number <= newest.number => (permit, mark, true),
            // The store was begun anew since, with what the one before held: rather twice than never.
            Some(_) => (permit, AlertMark { number: 0, ..newest }, false),
        })
    }

    /// The alerts behind the mark, each with its number; those that are not for this program too.
    fn look(&self, permit: Permit<GiveOut>, mark: AlertMark) -> Result<(Permit<GiveOut>, Vec<Numbered>)> {
        self.parts.officers.accounts()?.still_subscribed(&self.token, &self.account)?;
        let since = self.parts.clock.wall() - MAX_AGE;
        let alerts = self.parts.store.alerts_after(&permit, mark.number, since, MAX_AT_ONCE)?;
        let offer = |(number, alert): &(i64, Option<_>)| match alert {
            Some(alert) => Ok((*number, self.recipient.offer(alert, &permit)?)),
            None => Ok((*number, None)),
        };
        let offers = alerts.iter().map(offer).collect::<Result<_>>()?;
        Ok((permit, offers))
    }

    async fn put(&self, event: Event) -> Result<(), End> {
        put(&self.send, event).await
    }

    fn name(&self) -> &str {
        &self.account.subscriber.name
    }

    fn tell(&self, end: &End) {
        match end {
            // The one that replaces it tells how it is.
            End::Replaced | End::Over => {}
            End::Gone => self.report(Level::Ok, "it is not connected".into()),
            End::Stuck => {
                let text = format!("it took nothing for {} s and was cut off", STUCK.as_secs());
                self.report(Level::Degraded, text);
            }
            End::Refused(e) if e.kind() == Kind::Unauthenticated => self.report(Level::Ok, e.to_string()),
            End::Refused(e) => self.report(Level::Degraded, format!("no alert is given out: {}", e.chain())),
        }
    }

    fn report(&self, level: Level, text: String) {
        let logged = sentence(&text);
        let part = format!("subscriber {}", self.name());
        if self.parts.health.report(&part, level, text, self.parts.clock.wall()) {
            tracing::warn!("Program {}: {logged}", self.name());
        }
    }
}

async fn put(send: &Sender<Event>, event: Event) -> Result<(), End> {
    match tokio::time::timeout(STUCK, send.send(event)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Stuck),
    }
}

/// Waits for something new, for a moment at most; none at the end of the daemon.
async fn woken(mut events: Subscription<Published>) -> Option<Subscription<Published>> {
    let waited = tokio::task::spawn_blocking(move || {
        let next = events.next(LOOK);
        (!matches!(next, Next::Closed)).then_some(events)
    });
    waited.await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    fn alive() -> Event {
        Event { id: None, name: "alert", data: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_takes_nothing_is_waited_for_and_then_cut_off() {
        let (send, mut receive) = channel(QUEUE);
        for _ in 0..QUEUE {
            assert!(put(&send, alive()).await.is_ok());
        }
        let from = Instant::now();
        let late = async {
            tokio::time::sleep(STUCK / 2).await;
            receive.recv().await
        };
        let (given, taken) = tokio::join!(put(&send, alive()), late);
        assert!(given.is_ok() && taken.is_some(), "one that is slow gets it late");
        assert_eq!(from.elapsed(), STUCK / 2);

        let from = Instant::now();
        assert!(matches!(put(&send, alive()).await, Err(End::Stuck)));
        assert_eq!(from.elapsed(), STUCK);
        drop(receive);
        assert!(matches!(put(&send, alive()).await, Err(End::Gone)));
    }

    #[test]
    fn a_program_has_one_stream_and_the_newest_counts() {
        let streams = Streams::default();
        let (first, other) = (streams.take("cad"), streams.take("mdt"));
        let second = streams.take("cad");
        assert!(first.is_requested() && !second.is_requested() && !other.is_requested());
    }
}
