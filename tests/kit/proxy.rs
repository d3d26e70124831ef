//! A bad link: a proxy between vehicle and station that cuts connections and carries so many bytes a second.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How the link is; may be changed while it is in use.
#[derive(Clone, Debug)]
pub struct BadLink {
    /// Where vehicles connect to.
    pub address: SocketAddr,
    /// The next connection is cut when so many bytes came from the vehicle; 0: it is not.
    cut: Arc<AtomicU64>,
    /// Bytes from the vehicle, since the start.
    carried: Arc<AtomicU64>,
}

impl BadLink {
    /// A link to the station that carries up to `rate` bytes a second from the vehicle; 0: as many as come.
    pub async fn start(station: SocketAddr, rate: u64) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // What waits in front of the link is the vehicle's, not the proxy's.
        socket.set_recv_buffer_size(8 << 10).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener: TcpListener = socket.listen(64).unwrap();
        let link = Self { address: listener.local_addr().unwrap(), cut: Arc::default(), carried: Arc::default() };
        let carrying = link.clone();
        tokio::spawn(async move {
            while let Ok((vehicle, _)) = listener.accept().await {
                let cut = carrying.cut.swap(0, Ordering::Relaxed);
                tokio::spawn(carry(vehicle, station, rate, cut, carrying.carried.clone()));
            }
        });
        link
    }

    /// Has the next connection cut behind so many bytes.
    pub fn cut_next(&self, bytes: u64) {
        self.cut.store(bytes, Ordering::Relaxed);
    }

    /// Bytes that came from vehicles.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }
}

async fn carry(mut vehicle: TcpStream, station: SocketAddr, rate: u64, cut: u64, carried: Arc<AtomicU64>) {
    let Ok(mut to) = TcpStream::connect(station).await else { return };
    let (mut from_vehicle, mut to_vehicle) = vehicle.split();
    let (mut from_station, mut to_station) = to.split();
    let up = async {
        let (mut passed, mut piece) = (0, vec![0; 1024]);
        loop {
            let most = if cut > 0 { piece.len().min((cut - passed) as usize) } else { piece.len() };
            let Ok(n @ 1..) = from_vehicle.read(&mut piece[..most]).await else { return };
            if rate > 0 {
                // The link's own slowness: what is modelled, not a wait for something.
                tokio::time::sleep(Duration::from_secs_f64(n as f64 / rate as f64)).await;
            }
            carried.fetch_add(n as u64, Ordering::Relaxed);
            passed += n as u64;
            if to_station.write_all(&piece[..n]).await.is_err() || passed == cut {
                return;
            }
        }
    };
    // Either side's end is the end of both.
    tokio::select! {
        () = up => {}
        _ = tokio::io::copy(&mut from_station, &mut to_vehicle) => {}
    }
}
