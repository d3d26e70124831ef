//! A radio link between vehicle and station, in a proxy: so many bytes a second, some packets lost.
//!
//! TCP hides loss from whoever uses it; what is left of it is modelled. What the vehicle sends is cut into packets that
//! take their time on the air one after the other. One that is lost is sent again: it takes its time twice, arrives a
//! round trip later, and all behind it waits for it.

use super::random::Random;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Bytes in a packet.
const PACKET: usize = 1400;

#[derive(Clone, Debug)]
pub struct Radio {
    /// Where vehicles connect to.
    pub address: SocketAddr,
    carried: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
}

/// How it is.
#[derive(Clone, Copy, Debug)]
pub struct Air {
    pub bytes_a_second: u64,
    pub lost_percent: u64,
    pub round_trip: Duration,
}

impl Radio {
    /// It lives as long as the runtime.
    pub async fn start(station: SocketAddr, air: Air) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // What waits in front of the link is the vehicle's, not the proxy's.
        socket.set_recv_buffer_size(8 << 10).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(64).unwrap();
        let radio = Self { address: listener.local_addr().unwrap(), carried: Arc::default(), lost: Arc::default() };
        let carrying = radio.clone();
        tokio::spawn(async move {
            let mut seed = 1;
            while let Ok((vehicle, _)) = listener.accept().await {
                seed += 2;
                tokio::spawn(carrying.clone().carry(vehicle, station, air, seed));
            }
        });
        radio
    }

    /// Bytes from vehicles that arrived.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }

    /// Packets that were lost.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    async fn carry(self, mut vehicle: TcpStream, station: SocketAddr, air: Air, seed: u64) {
        let Ok(mut to) = TcpStream::connect(station).await else { return };
        let _ = to.set_nodelay(true);
        let (mut from_vehicle, mut to_vehicle) = vehicle.split();
        let (mut from_station, mut to_station) = to.split();
        // What is on the air; the vehicle's side is let go on as packets are sent, not as they arrive.
        let (send, mut on_air) = mpsc::channel::<(Instant, Vec<u8>)>(256);
        let up = async {
            // Ends what arrives with it.
            let send = send;
            let (mut random, mut free, mut arrival) = (Random::quiet(seed), Instant::now(), Instant::now());
            loop {
                let mut packet = vec![0; PACKET];
                let Ok(n @ 1..) = from_vehicle.read(&mut packet).await else { return };
                packet.truncate(n);
                let is_lost = random.below(100) < air.lost_percent;
                self.lost.fetch_add(u64::from(is_lost), Ordering::Relaxed);
                let times = if is_lost { 2 } else { 1 };
                let on_air = Duration::from_secs_f64(n as f64 / air.bytes_a_second as f64) * times;
                free = free.max(Instant::now()) + on_air;
                let trips = if is_lost { 3 } else { 1 };
                arrival = arrival.max(free + air.round_trip / 2 * trips);
                // The link's own slowness: what is modelled, not a wait for something.
                sleep_until(free).await;
                if send.send((arrival, packet)).await.is_err() {
                    return;
                }
            }
        };
        let arrive = async {
            while let Some((at, packet)) = on_air.recv().await {
                sleep_until(at).await;
                self.carried.fetch_add(packet.len() as u64, Ordering::Relaxed);
                if to_station.write_all(&packet).await.is_err() {
                    return;
                }
            }
        };
        let down = async {
            let mut piece = vec![0; PACKET];
            while let Ok(n @ 1..) = from_station.read(&mut piece).await {
                sleep_until(Instant::now() + air.round_trip / 2).await;
                if to_vehicle.write_all(&piece[..n]).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            ((), ()) = async { tokio::join!(up, arrive) } => {}
            () = down => {}
        }
    }
}
