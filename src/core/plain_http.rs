//! Answers to monitoring systems on this computer, over plain HTTP: numbers and health, the same for everybody.
//!
//! What comes is a few bytes that nobody has proved to be from a friend: a request of 4 KiB at most within 5 s, four at a
//! time, only GET.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The longest request.
const MAX_REQUEST: usize = 4 << 10;
/// A request and its answer take so long at most.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many are answered at a time; the next is closed.
const MAX_CALLERS: usize = 4;
/// Pause after the system refused a connection.
const PAUSE: Duration = Duration::from_secs(2);

/// What is said to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Code and words, such as `200 OK`.
    pub status: &'static str,
    /// `Content-Type`.
    pub kind: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Numbers in the text format of Prometheus.
    pub fn metrics(body: String) -> Self {
        Self { status: "200 OK", kind: "text/plain; version=0.0.4; charset=utf-8", body }
    }

    /// JSON, of something that is well or is not.
    pub fn json(is_well: bool, body: String) -> Self {
        let status = if is_well { "200 OK" } else { "503 Service Unavailable" };
        Self { status, kind: "application/json", body }
    }

    /// There is no such path; these there are.
    pub fn not_found(paths: &str) -> Self {
        Self { status: "404 Not Found", kind: "text/plain; charset=utf-8", body: format!("Ask for {paths}.\n") }
    }
}

/// Answers what comes to `listener`, for ever. `respond` is given the path, without what is behind a question mark.
pub async fn serve(listener: TcpListener, respond: Arc<dyn Fn(&str) -> Answer + Send + Sync>) {
    let places = Arc::new(Semaphore::new(MAX_CALLERS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let respond = respond.clone();
        tokio::spawn(async move {
            let _place = place;
            let _ = timeout(PATIENCE, answer(stream, &*respond)).await;
        });
    }
}

/// Where it listens on this computer, and nowhere else.
pub fn here(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

async fn answer(mut stream: TcpStream, respond: &(dyn Fn(&str) -> Answer + Send + Sync)) -> std::io::Result<()> {
    let head = head(&mut stream).await?;
    let Answer { status, kind, body } = match asked_for(&head) {
        Some(path) => respond(path),
        None => Answer {
            status: "405 Method Not Allowed",
            kind: "text/plain; charset=utf-8",
            body: "Only GET is answered.\n".into(),
        },
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n",
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
