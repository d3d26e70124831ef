//! Connections on which next to nothing comes.

use crate::kit::Depot;
use crate::kit::car::{Car, send_all};
use crate::kit::process::Station;
use plated_core::clock::SystemClock;
use plated_core::tls;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::block_in_place;
use tokio_rustls::TlsConnector;

/// The pace at which they send, a byte at a time: how slow they are, not a wait for something.
const PACE: Duration = Duration::from_millis(20);

/// Sends byte after byte for as long as it is let.
async fn dribble(mut to: impl AsyncWrite + Unpin, bytes: impl Iterator<Item = u8>) {
    for byte in bytes {
        if to.write_all(&[byte]).await.is_err() || to.flush().await.is_err() {
            return;
        }
        tokio::time::sleep(PACE).await;
    }
    std::future::pending::<()>().await;
}

async fn connect(connector: &TlsConnector, address: SocketAddr) -> tokio_rustls::client::TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_idle_connections_of_strangers_and_of_another_vehicle_keep_no_vehicle_out() {
    for depot in block_in_place(Depot::on_each_engine) {
        slow_and_idle(&depot).await;
    }
}

async fn slow_and_idle(depot: &Depot) {
    let (_station, address) = Station::start(depot);
    let other = depot.authority.issue_vehicle("unit-8", &depot.dir.path().join("other"), &SystemClock::new()).unwrap();
    let files = tls::Files { ca: &other.ca, certificate: &other.certificate, key: &other.key };
    let mut client = tls::client(&tls::Identity::load(&files).unwrap()).unwrap();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    let connector = TlsConnector::from(Arc::new(client));
    let mut slow = tokio::task::JoinSet::new();
    // Of strangers: nothing at all, and the beginning of a handshake.
    for n in 0..200u32 {
        let stream = TcpStream::connect(address).await.unwrap();
        let hello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01].into_iter().chain(std::iter::repeat(0x00));
        match n % 2 {
            0 => drop(slow.spawn(async move { dribble(stream, std::iter::empty()).await })),
            _ => drop(slow.spawn(async move { dribble(stream, hello).await })),
        }
    }
    // Of a vehicle: nothing, a request that never ends, and batches that never end.
    let heads: [&[u8]; 3] = [
        b"",
        b"POST /v1/batches HTTP/1.1\r\nhost: localhost\r\nx-long: ",
        b"POST /v1/batches HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/vnd.plated.batch\r\n\
          content-length: 60000000\r\n\r\nPLATEDB1",
    ];
    for n in 0..60 {
        let mut stream = connect(&connector, address).await;
        let head = heads[n % heads.len()];
        // One that was closed meanwhile, as the oldest of too many, is as good.
        let _ = stream.write_all(head).await;
        let rest = usize::from(!head.is_empty()) * 1_000_000;
        slow.spawn(async move { dribble(stream, std::iter::repeat_n(b'x', rest)).await });
    }

    let mut car = Car::new();
    for n in 0..40 {
        car.put(n % 10 == 0, [4_000, 40_000]);
    }
    assert_eq!(send_all(&mut car.sender(depot, depot.link(address), 10)).await, 0);
    block_in_place(|| car.assert_all_at(depot));
    slow.abort_all();
}
