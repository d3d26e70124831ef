//! Live events to a browser: Server-Sent Events.
//!
//! A browser that was cut off comes again by itself and says which event it had last; a page says it in
//! the address. Every [`ALIVE_INTERVAL`] an event `alive` brings this machine's time: when none comes,
//! the page says that the connection is lost.

use crate::fields::Fields;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use plated_core::clock::Clock;
use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Time between two events `alive`.
pub const ALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Time after which a browser that was cut off comes again.
const COME_AGAIN: Duration = Duration::from_secs(2);
/// Longest id of an event.
const MAX_ID: usize = 64;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// By which a browser resumes: ASCII without blanks, at most 64 characters; else it is left out.
    pub id: Option<String>,
    /// Its name, for which whoever reads them listens; the console's script for `put`, `remove`, `alert`, `answered`,
    /// `reload`, `leave`.
    pub name: &'static str,
    /// Text of any number of lines.
    pub data: String,
}

impl Event {
    /// As it goes over the line.
    pub fn written(&self) -> String {
        let mut text = String::with_capacity(self.data.len() + 64);
        if let Some(id) = self.id.as_deref().filter(|id| is_id(id)) {
            let _ = writeln!(text, "id: {id}");
        }
        let _ = writeln!(text, "event: {}", self.name);
        // Each of CR, LF and CRLF ends a line of the stream.
        for line in self.data.replace("\r\n", "\n").split(['\n', '\r']) {
            let _ = writeln!(text, "data: {line}");
        }
        text.push('\n');
        text
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_graphic())
}

/// The event that a browser had last: its own header, or `after` in the address.
pub fn resume_after(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let header = headers.get("last-event-id").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let query = uri.query().and_then(|q| Fields::parse(q.as_bytes())).map(|f| f.get("after").to_owned());
    header.or(query).filter(|id| is_id(id))
}

/// The answer: what comes through `events`, until its sender is dropped or the browser goes. A browser
/// that is too slow makes the sender wait, so let it be one that tells what was missed.
pub fn answer(events: Receiver<Event>, clock: Arc<dyn Clock>) -> Response {
    let mut alive = interval(ALIVE_INTERVAL);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy of the agency must not keep events back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::new(Stream { events, alive, clock, begun: false })).into_response()
}

struct Stream {
    events: Receiver<Event>,
    alive: Interval,
    clock: Arc<dyn Clock>,
    begun: bool,
}

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = |text: String| Poll::Ready(Some(Ok(Frame::data(Bytes::from(text)))));
        if !self.begun {
            self.begun = true;
            return frame(format!("retry: {}\n\n", COME_AGAIN.as_millis()));
        }
        match self.events.poll_recv(cx) {
            Poll::Ready(Some(event)) => return frame(event.written()),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => (),
        }
        ready!(self.alive.poll_tick(cx));
        let now = self.clock.wall().as_millisecond();
        frame(Event { id: None, name: "alive", data: now.to_string() }.written())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use plated_core::clock::SystemClock;
    use tokio::sync::mpsc::channel;

    async fn next(body: &mut Body) -> Option<String> {
        let frame = std::future::poll_fn(|cx| http_body::Body::poll_frame(Pin::new(&mut *body), cx)).await?;
        Some(String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
    }

    #[test]
    fn lines_of_an_event_can_not_become_another_event() {
        let event = Event { id: Some("7".into()), name: "put", data: "a\r\nb\n\nevent: alert\rdata: x".into() };
        assert_eq!(
            event.written(),
            "id: 7\nevent: put\ndata: a\ndata: b\ndata: \ndata: event: alert\ndata: data: x\n\n"
        );
        let odd = Event { id: Some("7\nevent: x".into()), name: "put", data: String::new() };
        assert_eq!(odd.written(), "event: put\ndata: \n\n");
    }

    #[test]
    fn a_browser_resumes_after_the_event_it_had_last() {
        let uri: Uri = "/events?after=41".parse().unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(resume_after(&headers, &uri).as_deref(), Some("41"));
        headers.insert("last-event-id", "57".parse().unwrap());
        assert_eq!(resume_after(&headers, &uri).as_deref(), Some("57"));
        assert_eq!(resume_after(&HeaderMap::new(), &"/events".parse().unwrap()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_says_that_it_lives_and_ends_with_its_sender() {
        let (sender, receiver) = channel(4);
        let answer = answer(receiver, Arc::new(SystemClock::new()));
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        let mut body = answer.into_body();
        assert_eq!(next(&mut body).await.unwrap(), "retry: 2000\n\n");
        assert!(next(&mut body).await.unwrap().starts_with("event: alive\ndata: 1"));
        let before = tokio::time::Instant::now();
        assert!(next(&mut body).await.unwrap().starts_with("event: alive\n"));
        assert_eq!(before.elapsed(), ALIVE_INTERVAL);
        sender.send(Event { id: Some("1".into()), name: "put", data: "<li></li>".into() }).await.unwrap();
        assert_eq!(next(&mut body).await.unwrap(), "id: 1\nevent: put\ndata: <li></li>\n\n");
        drop(sender);
        assert_eq!(next(&mut body).await, None);
    }
}
