//! Accepting vehicles: TCP, then mutual TLS, then a connection that knows whose it is.
//!
//! Handshakes run beside each other, at most [`MAX_HANDSHAKES`] with at most [`HANDSHAKE_TIMEOUT`] of time each;
//! when one more comes, the one that has been waiting longest is dropped, so that clients which
//! dawdle never keep out those which don't. Open connections are bounded too, all together and of
//! each vehicle ([`Places`]), and one on which nothing moves is closed.

use super::connection::Connection;
use super::places::{MAX_CONNECTIONS, Places};
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use plated_core::error::{Context, Kind, Result};
use plated_core::tls::Facts;
use rustls::ServerConfig;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// Most handshakes at a time.
const MAX_HANDSHAKES: usize = 128;
/// Strangers that wait to be noted.
const MAX_STRANGERS: usize = 16;
/// Longest handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Yields connections of vehicles that have shown a certificate of the authority.
pub struct VehicleListener {
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    address: SocketAddr,
    places: Places,
    strangers: Option<mpsc::Receiver<SocketAddr>>,
    accepting: AbortHandle,
}

/// Whose connection a request came on, and by which certificate.
#[derive(Clone, Debug)]
pub struct Vehicle(pub Arc<str>, pub Arc<Facts>);

impl VehicleListener {
    /// Listens on `address`; port 0 takes a free one.
    pub async fn bind(address: SocketAddr, config: ServerConfig) -> Result<Self> {
        let failed = || format!("could not listen on {address}; is another station running there?");
        let listener = TcpListener::bind(address).await.context(Kind::Refused, failed)?;
        let address = listener.local_addr().context(Kind::Internal, failed)?;
        let (sender, ready) = mpsc::channel(16);
        let (tell, strangers) = mpsc::channel(MAX_STRANGERS);
        let acceptor =
            Acceptor { tls: TlsAcceptor::from(Arc::new(config)), places: Places::default(), strangers: tell };
        let places = acceptor.places.clone();
        let accepting = tokio::spawn(accept(listener, acceptor, sender)).abort_handle();
        Ok(Self { ready, address, places, strangers: Some(strangers), accepting })
    }

    /// From where clients come whose certificate does not count here; some are left out when there are many. Given
    /// once.
    pub fn strangers(&mut self) -> Option<mpsc::Receiver<SocketAddr>> {
        self.strangers.take()
    }

    /// The open connections.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The address it really listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for VehicleListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl axum::serve::Listener for VehicleListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task ends only with this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, VehicleListener>> for Vehicle {
    fn connect_info(stream: IncomingStream<'_, VehicleListener>) -> Self {
        let facts = stream.io().facts();
        Vehicle(facts.name.as_str().into(), facts)
    }
}

/// What each handshake needs.
#[derive(Clone)]
struct Acceptor {
    tls: TlsAcceptor,
    places: Places,
    strangers: mpsc::Sender<SocketAddr>,
}

async fn accept(listener: TcpListener, acceptor: Acceptor, ready: mpsc::Sender<(Connection, SocketAddr)>) {
    let mut pending: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(e) => {
                // Mostly a client that went away, or no file descriptor left for the moment.
                tracing::warn!(error = %e, "Could not accept a connection; trying again");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        pending.retain(|handshake| !handshake.is_finished());
        if pending.len() >= MAX_HANDSHAKES
            && let Some(oldest) = pending.pop_front()
        {
            oldest.abort();
        }
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        let handshake = tokio::spawn(async move {
            let connection = match tokio::time::timeout(HANDSHAKE_TIMEOUT, shake_hands(&acceptor, stream, peer)).await {
                Ok(Some(connection)) => connection,
                Ok(None) => return,
                Err(_) => {
                    tracing::info!(%peer, "A client took too long over its TLS handshake");
                    return;
                }
            };
            match acceptor.places.take(&connection.facts()) {
                // The receiver is gone only when the station is ending.
                Some((place, closing)) => drop(ready.send((connection.holding(place, closing), peer)).await),
                None => tracing::warn!(%peer, "{MAX_CONNECTIONS} connections are open already; this one was closed"),
            }
        });
        pending.push_back(handshake.abort_handle());
    }
}

async fn shake_hands(acceptor: &Acceptor, stream: TcpStream, peer: SocketAddr) -> Option<Connection> {
    // Answers are small and should not wait for each other.
    let _ = stream.set_nodelay(true);
    let stream = match acceptor.tls.accept(stream).await {
        Ok(stream) => stream,
        Err(e) => {
            let refused = e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
            match refused {
                Some(e @ rustls::Error::InvalidCertificate(_)) => {
                    tracing::warn!(%peer, error = %e, "A client showed a certificate that does not count here");
                    let _ = acceptor.strangers.try_send(peer); // One of many is enough.
                }
                Some(e @ rustls::Error::NoCertificatesPresented) => {
                    tracing::warn!(%peer, error = %e, "A client without a certificate was turned away");
                }
                _ => tracing::info!(%peer, error = %e, "A TLS handshake failed"),
            }
            return None;
        }
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    match certificate.map(Facts::of) {
        Some(Ok(facts)) => Some(Connection::new(stream, facts.into())),
        Some(Err(e)) => {
            tracing::warn!(%peer, error = %e.chain(), "A client's certificate names no vehicle");
            None
        }
        None => None,
    }
}
