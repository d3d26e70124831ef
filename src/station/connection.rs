//! One vehicle's open connection.

use super::places::Place;
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

/// A TLS stream with the name of the vehicle at its other end.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    vehicle: Arc<str>,
    idle: Pin<Box<Sleep>>,
    place: Option<(Place, oneshot::Receiver<()>)>,
}

impl Connection {
    pub(super) fn new(stream: TlsStream<TcpStream>, vehicle: Arc<str>) -> Self {
        Self { stream, vehicle, idle: Box::pin(sleep(IDLE_TIMEOUT)), place: None }
    }

    /// Keeps `place` taken until the connection closes, and closes it when `closing` says so.
    pub(super) fn holding(self, place: Place, closing: oneshot::Receiver<()>) -> Self {
        Self { place: Some((place, closing)), ..self }
    }

    /// The vehicle named in the client's certificate.
    pub fn vehicle(&self) -> Arc<str> {
        self.vehicle.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some((_, closing)) = &mut self.place
            && !closing.is_terminated()
            && let Poll::Ready(Ok(())) = Pin::new(closing).poll(cx)
        {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
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
