//! HTTPS for pages: TLS, then HTTP/1.1 or HTTP/2, with a limit of connections and of time.
//!
//! The station's own listener is another one: its clients are vehicles with a certificate, whose name
//! goes with each connection.

use axum::Router;
use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use plated_core::error::{Context, Kind, Result};
use plated_core::shutdown::Shutdown;
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// Most open connections, those in their handshake among them.
pub const MAX_CONNECTIONS: usize = 256;
/// Most requests at a time on one connection.
const MAX_STREAMS: u32 = 64;
/// Longest TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for the headers of a request, and longest rest of a connection between two.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection of HTTP/2 is asked for a sign of life so often, and closed without one.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// At the end, requests that are being answered get so long; live events end with it.
const GRACE: Duration = Duration::from_secs(2);
/// Pause after the system refused a connection, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Whose request it is: an extension of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Listens, and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    max_connections: usize,
}

impl Server {
    /// Listens on `address`; port 0 takes a free one.
    pub async fn bind(address: SocketAddr) -> Result<Self> {
        let failed = || format!("could not listen on {address}; is another program running there?");
        let listener = TcpListener::bind(address).await.context(Kind::Refused, failed)?;
        let address = listener.local_addr().context(Kind::Internal, failed)?;
        Ok(Self { listener, address, max_connections: MAX_CONNECTIONS })
    }

    /// The address it really listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is to stop. The configuration offers `h2` and `http/1.1`
    /// ([`plated_core::tls::page_server`]).
    pub async fn serve(self, tls: ServerConfig, router: Router, shutdown: Shutdown) {
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let places = Arc::new(Semaphore::new(self.max_connections));
        let graceful = GracefulShutdown::new();
        let stopped = shutdown.requested();
        tokio::pin!(stopped);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stopped => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(e) => {
                    tracing::warn!(error = %e, "Could not accept a connection; trying again");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = places.clone().try_acquire_owned() else {
                tracing::warn!(%peer, max = self.max_connections, "Too many connections; this one was closed");
                continue;
            };
            let (acceptor, router, watcher) = (acceptor.clone(), router.clone(), graceful.watcher());
            tokio::spawn(async move {
                let _place = place;
                let Some(stream) = handshake(&acceptor, stream, peer).await else { return };
                let service = tower::service_fn(move |mut request: Request<hyper::body::Incoming>| {
                    request.extensions_mut().insert(Peer(peer));
                    tower::ServiceExt::oneshot(router.clone(), request)
                });
                let builder = builder();
                let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
                if let Err(e) = watcher.watch(connection).await {
                    // Mostly a browser that went away.
                    tracing::debug!(%peer, error = %e, "A connection ended early");
                }
            });
        }
        drop(self.listener);
        if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
            tracing::debug!("Connections were closed while answers were under way");
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(64 << 10);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(32 << 10);
    builder
}

async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    // Events are small and should not wait for each other.
    let _ = stream.set_nodelay(true);
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(e)) => {
            tracing::info!(%peer, error = %e, "A TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::info!(%peer, "A client took too long over its TLS handshake");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Extension, routing::get};
    use plated_core::clock::SystemClock;
    use plated_core::tls::authority::Authority;
    use plated_core::tls::{Files, Identity, client, page_server};
    use rustls::pki_types::ServerName;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;
    use tokio_rustls::TlsConnector;

    struct Running {
        address: SocketAddr,
        identity: Identity,
        shutdown: Shutdown,
        task: JoinHandle<()>,
        _folder: tempfile::TempDir,
    }

    async fn start(router: Router, max_connections: usize) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path(), &SystemClock::new()).unwrap();
        let issued = authority.issue_station(&["localhost".into()], &SystemClock::new()).unwrap();
        let files = Files { ca: &issued.ca, certificate: &issued.certificate, key: &issued.key };
        let identity = Identity::load(&files).unwrap();
        let mut server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        server.max_connections = max_connections;
        let (address, shutdown) = (server.address(), Shutdown::new());
        let task = tokio::spawn(server.serve(page_server(&identity).unwrap(), router, shutdown.clone()));
        Running { address, identity, shutdown, task, _folder: folder }
    }

    impl Running {
        async fn connect(&self) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
            let mut config = client(&self.identity).unwrap();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            let stream = TcpStream::connect(self.address).await?;
            let name = ServerName::try_from("localhost").unwrap();
            TlsConnector::from(Arc::new(config)).connect(name, stream).await
        }
    }

    async fn talk(stream: &mut tokio_rustls::client::TlsStream<TcpStream>, request: &str) -> String {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = Vec::new();
        // A server that ends may leave out the TLS alert.
        let _ = stream.read_to_end(&mut text).await;
        String::from_utf8_lossy(&text).into_owned()
    }

    #[tokio::test]
    async fn a_page_comes_over_tls_and_knows_who_asks() {
        let router = Router::new().route("/", get(async |Extension(peer): Extension<Peer>| peer.0.ip().to_string()));
        let running = start(router, 8).await;
        let mut stream = running.connect().await.unwrap();
        let text = talk(&mut stream, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("127.0.0.1"), "{text}");
        running.shutdown.request();
        running.task.await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_too_many_is_closed_and_the_others_go_on() {
        let running = start(Router::new().route("/", get(async || "page")), 1).await;
        let mut first = running.connect().await.unwrap();
        assert!(running.connect().await.is_err());
        let text = talk(&mut first, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        assert!(text.ends_with("page"), "{text}");
        running.shutdown.request();
        running.task.await.unwrap();
    }

    #[tokio::test]
    async fn it_stops_though_live_events_are_open() {
        let events = async || {
            let (sender, receiver) = tokio::sync::mpsc::channel(1);
            std::mem::forget(sender);
            crate::sse::answer(receiver, Arc::new(SystemClock::new()))
        };
        let running = start(Router::new().route("/events", get(events)), 8).await;
        let mut stream = running.connect().await.unwrap();
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut begin = [0; 15];
        stream.read_exact(&mut begin).await.unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200 OK");
        running.shutdown.request();
        running.task.await.unwrap();
    }
}
