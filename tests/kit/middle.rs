//! Something between vehicle and station that speaks TLS to both, with the station's certificate on one side and the
//! vehicle's on the other, and does something wrong with chosen batches.

use super::Depot;
use plated_core::digest::Sha256;
use plated_core::signing::Signer;
use plated_core::tls;
use plated_core::wire::batch::{BatchReader, Durable, Event, SignedReceipt};
use plated_vehicle::transfer::{Answer, HttpsLink};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing wrong.
    Nothing,
    /// 500, and the station never saw it.
    FailsBefore,
    /// 500, and the station holds all of it.
    FailsAfter,
    /// The station holds all of it, and the connection ends without an answer.
    LosesReceipt,
    /// The station holds all of it, and the connection ends behind so many bytes of the receipt.
    CutsReceipt(usize),
    /// The receipt of the batch before it, which the station signed.
    ReceiptOfBefore,
    /// A receipt of this batch, signed with the station's key, that names other content under the ids.
    OtherContent,
    /// A receipt of this batch, signed with the station's key, that names a read that was not sent.
    OtherRead,
    /// The batch arrives twice.
    Twice,
}

/// A running one; it lives as long as the runtime.
#[derive(Clone)]
pub struct Middle {
    pub address: SocketAddr,
    station: Arc<Mutex<HttpsLink>>,
    plan: Arc<Mutex<VecDeque<Wrong>>>,
    /// Ids of the reads of each batch, as they came.
    batches: Arc<Mutex<Vec<Vec<Uuid>>>>,
}

struct Ends {
    acceptor: TlsAcceptor,
    station: Arc<Mutex<HttpsLink>>,
    signer: Signer,
    before: Mutex<Option<Answer>>,
}

impl Middle {
    pub async fn start(depot: &Depot, station: SocketAddr) -> Self {
        let files = tls::Files { ca: &depot.config.ca, certificate: &depot.config.certificate, key: &depot.config.key };
        let config = tls::server(&tls::Identity::load(&files).unwrap(), &["http/1.1"]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let station = Arc::new(Mutex::new(depot.link(station)));
        let ends = Arc::new(Ends {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            station: station.clone(),
            signer: Signer::load(&depot.config.receipt_key).unwrap(),
            before: Mutex::default(),
        });
        let middle =
            Self { address: listener.local_addr().unwrap(), station, plan: Arc::default(), batches: Arc::default() };
        let serving = middle.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (ends, middle) = (ends.clone(), serving.clone());
                // A vehicle that goes away in between is its own affair.
                tokio::spawn(async move { middle.serve(&ends, stream).await });
            }
        });
        middle
    }

    /// From now on leads to the station at this address.
    pub fn lead_to(&self, depot: &Depot, station: SocketAddr) {
        *self.station.lock().unwrap() = depot.link(station);
    }

    /// What becomes of the next batches.
    pub fn plan(&self, wrong: impl IntoIterator<Item = Wrong>) {
        self.plan.lock().unwrap().extend(wrong);
    }

    /// What was planned and did not come about.
    pub fn forget_plan(&self) {
        self.plan.lock().unwrap().clear();
    }

    /// Ids of the reads of each batch that came.
    pub fn batches(&self) -> Vec<Vec<Uuid>> {
        self.batches.lock().unwrap().clone()
    }

    async fn serve(&self, ends: &Ends, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = ends.acceptor.accept(stream).await?;
        let mut request = Vec::new();
        let (head, length) = loop {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
            if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&request[..end]).to_lowercase();
                let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
                break (end + 4, length.unwrap_or(0));
            }
        };
        while request.len() < head + length {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        let body = request.split_off(head);
        let wrong = self.plan.lock().unwrap().pop_front().unwrap_or(Wrong::Nothing);
        let (batch, reads) = contents(&body);
        self.batches.lock().unwrap().push(reads.iter().map(|read| read.id).collect());
        let failed = Answer { status: 500, ..Answer::default() };
        if wrong == Wrong::FailsBefore {
            return answer(&mut stream, &failed, usize::MAX).await;
        }
        let station = ends.station.lock().unwrap().clone();
        if wrong == Wrong::Twice {
            let _ = super::post(&station, body.clone()).await;
        }
        let Ok(real) = super::post(&station, body).await else { return Ok(()) };
        let before = ends.before.lock().unwrap().replace(real.clone());
        match wrong {
            Wrong::FailsAfter => answer(&mut stream, &failed, usize::MAX).await,
            Wrong::LosesReceipt => answer(&mut stream, &real, 0).await,
            Wrong::CutsReceipt(bytes) => answer(&mut stream, &real, bytes).await,
            Wrong::ReceiptOfBefore => answer(&mut stream, &before.unwrap_or(failed), usize::MAX).await,
            Wrong::OtherContent => {
                let other = reads.into_iter().map(|read| Durable { sha256: Sha256::of(b"another"), ..read }).collect();
                answer(&mut stream, &ends.receipt(&real, batch, other), usize::MAX).await
            }
            Wrong::OtherRead => {
                let other = reads.into_iter().map(|read| Durable { id: Uuid::now_v7(), ..read }).collect();
                answer(&mut stream, &ends.receipt(&real, batch, other), usize::MAX).await
            }
            Wrong::Nothing | Wrong::Twice | Wrong::FailsBefore => answer(&mut stream, &real, usize::MAX).await,
        }
    }
}

impl Ends {
    /// The station's receipt, naming these reads.
    fn receipt(&self, real: &Answer, batch: Uuid, durable: Vec<Durable>) -> Answer {
        let mut receipt = super::receipt(real);
        (receipt.batch, receipt.reads.durable) = (batch, durable);
        let body = serde_json::to_vec(&SignedReceipt::sign(&receipt, &self.signer).unwrap()).unwrap();
        Answer { body, ..real.clone() }
    }
}

/// The id of a batch, and its reads.
fn contents(mut body: &[u8]) -> (Uuid, Vec<Durable>) {
    let (mut reader, mut batch, mut reads) = (BatchReader::new(), Uuid::nil(), Vec::new());
    while let Ok(Some(event)) = reader.next(&mut body) {
        match event {
            Event::Header(header) => batch = header.batch,
            Event::Read(read) => reads.push(Durable { id: read.id, sha256: read.sha256 }),
            _ => {}
        }
    }
    (batch, reads)
}

/// Answers, at most so many bytes of the body, and closes.
async fn answer(
    stream: &mut tokio_rustls::server::TlsStream<TcpStream>,
    answer: &Answer,
    most: usize,
) -> std::io::Result<()> {
    if most > 0 {
        let (status, length) = (answer.status, answer.body.len());
        let head = format!("HTTP/1.1 {status} Answer\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&answer.body[..length.min(most)]).await?;
    }
    stream.shutdown().await
}
