//! Something on the station's address, with the station's certificate, that is of no use.

use crate::kit::Depot;
use plated_core::tls;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const FAILS: &str = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
pub const ENDS_MID_BODY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"batch\":\"";

/// Answers every request with the same text and closes. Ends when dropped.
pub struct WrongStation {
    answered: Arc<AtomicUsize>,
    runtime: tokio::runtime::Runtime,
}

impl WrongStation {
    pub fn start(depot: &Depot, address: SocketAddr, answer: &'static str) -> Self {
        let files = tls::Files { ca: &depot.config.ca, certificate: &depot.config.certificate, key: &depot.config.key };
        let config = tls::server(&tls::Identity::load(&files).unwrap(), &["http/1.1"]).unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind(address)).unwrap();
        let answered = Arc::new(AtomicUsize::new(0));
        let count = answered.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A vehicle that gives up in between is its own affair.
                if answer_one(&acceptor, stream, answer).await.is_ok() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self { answered, runtime }
    }

    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    pub fn stop(self) {
        self.runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    }
}

async fn answer_one(acceptor: &tokio_rustls::TlsAcceptor, stream: TcpStream, answer: &str) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut request = Vec::new();
    let body = loop {
        stream.read_buf(&mut request).await?;
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap_or("0");
            break head.len() + 4 + length.trim().parse::<usize>().unwrap();
        }
    };
    while request.len() < body {
        if stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
