//! One vehicle's open connection.

use super::places::Place;
use plated_core::tls::Facts;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::server::TlsStream;

/// A connection on which nothing was read or written for so long is closed. Longer than a request may take
/// and than a vehicle keeps an idle connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// A TLS stream with the certificate of the vehicle at its other end.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    facts: Arc<Facts>,
    idle: Pin<Box<Sleep>>,
    place: Option<(Place, oneshot::Receiver<()>)>,
    is_closed: bool,
}

impl Connection {
    pub(super) fn new(stream: TlsStream<TcpStream>, facts: Arc<Facts>) -> Self {
        Self { stream, facts, idle: Box::pin(sleep(IDLE_TIMEOUT)), place: None, is_closed: false }
    }

    /// Keeps `place` taken until the connection closes, and closes it when `closing` says so.
    pub(super) fn holding(self, place: Place, closing: oneshot::Receiver<()>) -> Self {
        Self { place: Some((place, closing)), ..self }
    }

    /// What the client's certificate says.
    pub fn facts(&self) -> Arc<Facts> {
        self.facts.clone()
    }

    /// An error once it is to be closed.
    fn check_open(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if let Some((_, closing)) = &mut self.place
            && !closing.is_terminated()
            && let Poll::Ready(Ok(())) = Pin::new(closing).poll(cx)
        {
            self.is_closed = true;
        }
        if self.is_closed { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check_open(cx)?;
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_read(cx, buf) {
            self.idle.as_mut().reset(Instant::now() + IDLE_TIMEOUT);
            return Poll::Ready(result);
        }
        ready!(self.idle.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check_open(cx)?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf));
        // A long download says nothing in the other direction.
        self.idle.as_mut().reset(Instant::now() + IDLE_TIMEOUT);
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
