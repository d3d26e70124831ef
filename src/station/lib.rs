//! The department's server: takes in batches of reads from vehicles over mutual TLS, keeps them
//! once, and answers with signed receipts that name what is durable. Hands out hotlists.

pub mod archive;
mod audit;
pub mod command;
mod computers;
mod config;
mod connection;
mod contacts;
mod database;
mod heads;
mod hotlists;
mod http;
mod key;
mod sqlcipher;
mod intake;
mod listener;
mod medium;
mod places;
mod purging;
mod security;
mod writer;

pub use audit::StationLog;
pub use computers::{ClonedVehicle, Seen};
pub use config::StationConfig;
pub use contacts::{Contact, Overdue, Standing};
pub use database::{Database, Rows};
pub use heads::{HeadFault, SecurityEvent};
pub use hotlists::{Done, HotlistVersion, Publication, Published, Publisher, Source};
pub use key::ArchiveKey;
pub use security::ReportedBreach;

use archive::SqliteArchive;
use clap::Parser;
use listener::{Vehicle, VehicleListener};
use plated_core::clock::Clock;
use plated_core::error::{Context, Kind, Result, exit_code};
use plated_core::signing::Signer;
use plated_core::tls;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// The program `plated-station`.
pub fn main() -> ExitCode {
    let command = command::Command::parse();
    let _logs = plated_core::logging::init();
    command.run().unwrap_or_else(|e| exit_code("plated-station", Err(e)))
}

/// The files of the station's end of a connection.
fn tls_files(config: &StationConfig) -> tls::Files<'_> {
    tls::Files { ca: &config.ca, certificate: &config.certificate, key: &config.key }
}

/// How long requests under way may take to end once the station is asked to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A station that holds its data and listens, but does not answer yet.
pub struct StationServer {
    listener: VehicleListener,
    station: Arc<http::Station>,
    purge: purging::Purging,
    spool: medium::Spool,
}

impl StationServer {
    /// Opens the data, loads the certificates and listens.
    pub async fn bind(config: &StationConfig, clock: Arc<dyn Clock>) -> Result<Self> {
        let identity = tls::Identity::load(&tls_files(config))?;
        if let Err(e) = identity.validity.check(clock.wall()) {
            tracing::error!(error = %e.chain(), "Vehicles will not talk to this station");
        }
        let receipt_signer = Signer::load(&config.receipt_key)?;
        let archive = Arc::new(SqliteArchive::open(&config.archive(ArchiveKey::load(&config.archive_key)?))?);
        let listener = VehicleListener::bind(config.listen, tls::server(&identity, &["h2", "http/1.1"])?).await?;
        let writer = writer::DatabaseHandle::start(archive.database().clone())?;
        let purge = purging::Purging::new(archive.clone(), clock.clone(), config.retention.interval())?;
        let station = Arc::new(http::Station::new(config, archive, writer, receipt_signer, clock));
        Ok(Self { listener, station, purge, spool: medium::Spool::of(config) })
    }

    /// The address it really listens on.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Answers until `stop` is done, then lets the requests under way end.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let (stopping, stopped) = tokio::sync::oneshot::channel();
        let _purging = self.purge.start();
        let station = self.station.clone();
        let media = self.spool.serve(station.archive.clone(), station.clock.clone());
        let service = http::router(self.station).into_make_service_with_connect_info::<Vehicle>();
        let serving = axum::serve(self.listener, service).with_graceful_shutdown(async move {
            stop.await;
            let _ = stopping.send(());
        });
        let ended = tokio::select! {
            served = serving => served.context(Kind::Network, || "the station stopped listening".into()),
            () = station.contacts.keep(&station.writer) => Ok(()),
            () = media => Ok(()),
            () = async { let _ = stopped.await; tokio::time::sleep(DRAIN_TIMEOUT).await } => {
                tracing::warn!("Some requests did not end in time and were cut off; vehicles send them again");
                Ok(())
            }
        };
        station.contacts.write(&station.writer).await;
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the unit of the service sets `name` to, each time.
    fn unit(name: &str) -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../systemd/plated-station.service");
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().filter_map(|line| line.split_once('='));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).collect()
    }

    #[test]
    fn the_unit_waits_longer_for_the_end_than_requests_under_way_may_take() {
        let wait = Duration::from_secs(unit("TimeoutStopSec")[0].parse().unwrap());
        assert!(wait >= DRAIN_TIMEOUT * 2, "{wait:?}");
    }

    #[test]
    fn the_unit_lets_the_clock_be_asked_and_not_set() {
        assert_eq!(unit("ProtectClock"), [""; 0]);
        let filters = unit("SystemCallFilter");
        let privileged = filters.iter().position(|f| f.contains("~@privileged")).unwrap();
        let allowed = filters.iter().position(|f| f == "adjtimex clock_adjtime clock_adjtime64").unwrap();
        assert!(allowed > privileged, "the later one counts");
        assert_eq!((unit("CapabilityBoundingSet"), unit("AmbientCapabilities")), (vec!["".into()], vec!["".into()]));
        assert_eq!(unit("NoNewPrivileges"), ["yes"]);
    }
}
