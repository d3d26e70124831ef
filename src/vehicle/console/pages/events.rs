//! Live events: what is durable, as it is made known, to each page that is open.
//!
//! An event's number is that of the daemon's broadcast, behind a name of this run of the daemon. A page that
//! missed events, or knows those of another run, is told to load itself again.

use crate::announcement::{Announcement, Published};
use crate::console::door::{EVENTS, Visitor};
use crate::console::look::Look;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::Visit;
use crate::console::{Console, Shared, rows, status};
use crate::events::{Next, Subscription};
use askama::Template;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use plated_access::{Activity, Token};
use plated_core::error::Result;
use plated_core::thread::spawn;
use plated_web::pages::{AlertPart, CameraPart, ReadPart, ReadRow, StatusPart, Step};
use plated_web::problem::Problem;
use plated_web::sse::{self, Event};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Sender, channel};
use uuid::Uuid;

/// Pages that listen at the same time. Each has a thread.
const MAX_LISTENERS: usize = 16;
/// Events that may wait for a browser.
const QUEUE: usize = 64;
/// How often cameras and status line are looked at, and whether the session goes on.
const INTERVAL: Duration = Duration::from_secs(2);

pub fn routes(routes: Routes) -> Routes {
    routes.get(EVENTS, Needs::Look, events)
}

/// The address of the events after those that were made known by now.
pub fn address(console: &Console) -> String {
    format!("{EVENTS}?after={}", id(console, console.events.subscribe().last()))
}

fn id(console: &Console, number: u64) -> String {
    format!("{}.{number}", console.run)
}

/// Where a browser goes on, if it knows events of this run.
fn resumed(console: &Console, after: Option<String>) -> Option<Subscription<Published>> {
    let Some(after) = after else { return Some(console.events.subscribe()) };
    let (run, number) = after.split_once('.')?;
    let number: u64 = number.parse().ok()?;
    (run == console.run).then(|| console.events.resume(number))
}

async fn events(visit: Visit, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    let (console, visitor) = (visit.console.clone(), visit.visitor()?.clone());
    let (send, receive) = channel(QUEUE);
    let Some(subscription) = resumed(&console, sse::resume_after(&headers, &uri)) else {
        let _ = send.try_send(plain("reload", String::new()));
        return Ok(sse::answer(receive, console.clock.clone()));
    };
    let Some(place) = Place::take(&console.listeners) else {
        let what = format!("{MAX_LISTENERS} pages listen already.");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, what, "Close those that are not needed."));
    };
    let (look, clock) = (visit.look()?.clone(), console.clock.clone());
    let listener = Listener { console, visitor, look, csrf: visit.csrf.clone(), send, said: HashMap::new() };
    spawn("console-events", move || {
        let _place = place;
        listener.run(subscription);
    })?;
    Ok(sse::answer(receive, clock))
}

/// Place of a page that listens.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(listeners: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(listeners.clone());
        (listeners.fetch_add(1, Ordering::AcqRel) < MAX_LISTENERS).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn plain(name: &'static str, data: String) -> Event {
    Event { id: None, name, data }
}

/// The browser went away, or is to go.
struct Gone;

/// One page that listens.
struct Listener {
    console: Shared,
    visitor: Visitor,
    look: Arc<Look>,
    csrf: String,
    send: Sender<Event>,
    /// What cameras and status line looked like when they were sent last.
    said: HashMap<String, String>,
}

impl Listener {
    fn run(mut self, mut subscription: Subscription<Published>) {
        let mut due = Instant::now();
        while self.step(&mut subscription, &mut due).is_ok() {}
    }

    fn step(&mut self, subscription: &mut Subscription<Published>, due: &mut Instant) -> Result<(), Gone> {
        let now = Instant::now();
        if now >= *due {
            *due = now + INTERVAL;
            self.check_session()?;
            self.tell_state()?;
        }
        match subscription.next(due.saturating_duration_since(now)) {
            Next::Event(number, event) => self.tell(number, &event),
            Next::Lagged(_) => {
                self.put(plain("reload", String::new()))?;
                Err(Gone)
            }
            Next::TimedOut => Ok(()),
            Next::Closed => Err(Gone),
        }
    }

    /// A session that is over or locked, training that lapsed, a role or grants that were changed: the page
    /// goes to the start page, which leads on.
    fn check_session(&self) -> Result<(), Gone> {
        let token = Token::parse(&self.visitor.token.to_hex());
        let visitor = token.and_then(|token| self.console.portal.visitor(token, Activity::Background).ok());
        let goes_on = visitor.is_some_and(|visitor| {
            let same = self.console.looks.of(&visitor.session).is_some_and(|look| Arc::ptr_eq(&look, &self.look));
            same && !visitor.session.locked && visitor.session.due.is_none() && visitor.untrained.is_none()
        });
        if goes_on {
            return Ok(());
        }
        self.put(plain("leave", String::new()))?;
        Err(Gone)
    }

    fn put(&self, event: Event) -> Result<(), Gone> {
        self.send.blocking_send(event).map_err(|_| Gone)
    }

    fn tell_state(&mut self) -> Result<(), Gone> {
        if self.send.is_closed() {
            return Err(Gone);
        }
        let (report, console) = (self.console.status(), self.console.clone());
        let line = StatusPart { status: status::line(&console, &report, self.visitor.role()) };
        self.put_if_new("status", line.render().ok())?;
        for camera in console.cameras.cards(&report.parts, console.clock.wall(), console.clock.monotonic()) {
            let name = format!("camera {}", camera.id);
            self.put_if_new(&name, CameraPart { camera }.render().ok())?;
        }
        Ok(())
    }

    fn put_if_new(&mut self, name: &str, part: Option<String>) -> Result<(), Gone> {
        let Some(part) = part.filter(|part| self.said.get(name) != Some(part)) else { return Ok(()) };
        self.said.insert(name.to_owned(), part.clone());
        self.put(plain("put", part))
    }

    fn tell(&self, number: u64, event: &Published) -> Result<(), Gone> {
        let id = Some(id(&self.console, number));
        let seen = match (&self.look.hits, &self.look.live) {
            (Some(permit), _) => event.seen_with(permit),
            (None, Some(permit)) => event.seen_with(permit),
            (None, None) => None,
        };
        let Some(event) = &seen else { return Ok(()) };
        let told = match event {
            Announcement::Read { read, .. } if self.look.live.is_some() => {
                self.console.cameras.read(&read.camera, read.last_seen);
                let scope = self.look.hits.as_ref().map(|permit| permit.scope());
                self.row(rows::row(&self.console, read, scope, self.console.clock.wall()), id.clone())
            }
            Announcement::Corrected { read } => self.corrected(*read, id.clone()),
            // That there is an alert of another list is told on the page of live reads.
            Announcement::Read { .. } | Announcement::Concealed { .. } => None,
            Announcement::Hit { hit, .. } if hit.alert != plated_core::record::Alerting::Sounded => None,
            Announcement::Hit { hit, .. } => self.alert(hit.id, id.clone()),
            Announcement::Disposed { hit } => self.alert(*hit, id.clone()),
        };
        told.map_or(Ok(()), |event| self.put(event))
    }

    fn row(&self, read: ReadRow, id: Option<String>) -> Option<Event> {
        let read = rows::reached(read, self.visitor.role());
        ReadPart { read }.render().ok().map(|data| Event { id, name: "put", data })
    }

    /// The row of a read that was corrected, as it is now.
    fn corrected(&self, read: Uuid, id: Option<String>) -> Option<Event> {
        let scope = self.look.hits.as_ref().map(|permit| permit.scope());
        match self.console.store.live_read(self.look.live.as_ref()?, read) {
            Ok(read) => self.row(rows::kept(&self.console, &read?, scope, self.console.clock.wall()), id),
            Err(e) => {
                tracing::error!("A corrected read is not shown on the console: {}", e.chain());
                Some(plain("reload", String::new()))
            }
        }
    }

    /// The alert as it is now, if it may be seen.
    fn alert(&self, hit: Uuid, id: Option<String>) -> Option<Event> {
        match super::alerts::part(&self.console, &self.look, &self.csrf, hit) {
            Ok(Some(card)) if matches!(card.step, Step::Answered(_)) => {
                Some(Event { id, name: "answered", data: hit.to_string() })
            }
            Ok(Some(card)) => Some(Event { id, name: "alert", data: AlertPart { card }.render().ok()? }),
            Ok(None) => None,
            Err(e) => {
                // It sounds all the same, and is shown once it can be put on record.
                tracing::error!("An alert is not shown on the console: {}", e.chain());
                Some(plain("reload", String::new()))
            }
        }
    }
}
