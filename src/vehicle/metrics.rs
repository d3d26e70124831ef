//! `[metrics]`: an address where a monitoring system gets numbers, in the text format of Prometheus.
//!
//! What comes is a few bytes of HTTP that nobody has proved to be from a friend: a request of 4 KiB at most within
//! 5 s, four at a time, and an answer that is the same for everybody. It has no plate, no name of a person and no
//! list.

use crate::health::{Health, Level};
use plated_core::clock::Clock;
use plated_core::error::{Context, Kind, Result};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The name of the part.
const METRICS: &str = "metrics";
/// The longest request.
const MAX_REQUEST: usize = 4 << 10;
/// A request and its answer take so long at most.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many are answered at a time; the next is closed.
const MAX_CALLERS: usize = 4;
/// Pause after the system refused a connection, or the address.
const PAUSE: Duration = Duration::from_secs(2);

/// The endpoint; without the section there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens; on this computer alone unless another address is given.
    #[serde(default = "here")]
    pub listen: SocketAddr,
}

fn here() -> SocketAddr {
    ([127, 0, 0, 1], 9464).into()
}

/// Answers `GET /metrics` with what `text` says then, for ever.
pub async fn serve(
    settings: Settings,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
    text: Arc<dyn Fn() -> String + Send + Sync>,
) {
    let listener = loop {
        match bind(settings.listen).await {
            Ok(listener) => break listener,
            Err(e) => {
                if health.report(METRICS, Level::Degraded, e.chain(), clock.wall()) {
                    tracing::warn!("A monitoring system gets no numbers: {}", e.chain());
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    health.report(METRICS, Level::Ok, format!("it listens on {}", settings.listen), clock.wall());
    let places = Arc::new(Semaphore::new(MAX_CALLERS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let text = text.clone();
        tokio::spawn(async move {
            let _place = place;
            let _ = timeout(PATIENCE, answer(stream, &*text)).await;
        });
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let failed = || format!("could not listen on {address} (metrics.listen); is another program running there?");
    TcpListener::bind(address).await.context(Kind::Refused, failed)
}

async fn answer(mut stream: TcpStream, text: &(dyn Fn() -> String + Send + Sync)) -> std::io::Result<()> {
    let head = head(&mut stream).await?;
    let (status, body) = match asked_for(&head) {
        Some("/metrics") => ("200 OK", text()),
        Some(_) => ("404 Not Found", "Ask for /metrics.\n".into()),
        None => ("405 Method Not Allowed", "Only GET is answered.\n".into()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// The lines before the body, or as much of them as is allowed.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut bytes = [0; 1024];
    while head.len() < MAX_REQUEST && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut bytes).await? {
            0 => break,
            length => head.extend_from_slice(&bytes[..length]),
        }
    }
    Ok(head)
}

/// The path of a GET, without what is behind a question mark.
fn asked_for(head: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    let path = line.strip_prefix("GET ")?.split(' ').next()?;
    path.split('?').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_reached_from_this_computer_alone_unless_another_address_is_given() {
        let settings: Settings = toml::from_str("").unwrap();
        assert!(settings.listen.ip().is_loopback());
        assert!(toml::from_str::<Settings>("listne = \"[::]:1\"").is_err());
    }

    #[tokio::test]
    async fn a_request_without_an_end_is_read_as_far_as_allowed_and_no_more() {
        let mut endless: &[u8] = &[b'a'; 100_000];
        assert!(head(&mut endless).await.unwrap().len() < MAX_REQUEST + 1024);
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_a_path_or_none(bytes: Vec<u8>) {
            assert!(asked_for(&bytes).is_none_or(|path| path.len() <= bytes.len()));
        }
    }

    #[test]
    fn only_a_get_has_a_path() {
        assert_eq!(asked_for(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), Some("/metrics"));
        assert_eq!(asked_for(b"GET /metrics?x=1 HTTP/1.1\r\n\r\n"), Some("/metrics"));
        assert_eq!(asked_for(b"POST /metrics HTTP/1.1\r\n\r\n"), None);
        assert_eq!(asked_for(b""), None);
    }
}
