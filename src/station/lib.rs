//! The department's server: takes in batches of reads from vehicles over mutual TLS, keeps them
//! once, and answers with signed receipts that name what is durable. Hands out hotlists.

mod accounts;
mod api;
pub mod archive;
mod audit;
pub mod audits;
pub mod command;
mod computers;
mod config;
mod connection;
mod contacts;
mod database;
pub mod evidence;
mod findings;
pub mod forward;
mod heads;
mod hotlists;
mod http;
mod key;
mod sqlcipher;
mod intake;
mod listener;
mod medium;
mod misreads;
mod monitor;
mod owner;
pub mod pages;
mod places;
mod postgres;
mod provision;
mod purging;
pub mod push;
mod register;
pub mod releases;
mod reach;
mod rows;
mod security;
mod sending;
mod security_command;
mod shared_files;
pub mod transparency;
mod user;
mod why;
mod writer;

pub use computers::{ClonedVehicle, Seen};
pub use config::{Log, StationConfig};
pub use contacts::{Contact, Overdue, Standing};
pub use database::Database;
pub use findings::{Decision, StationFinding};
pub use heads::{HeadFault, SecurityEvent};
pub use hotlists::{
    Done, EntryName, Fetched, Fetcher, HotlistVersion, Inactive, Increment, Publication, Published, Publisher, Source,
    SourceState,
};
pub use key::ArchiveKey;
pub use monitor::Settings as MetricsSettings;
pub use postgres::ServerOptions;
pub use provision::{Provision, ProvisionKind, Provisioner};
pub use purging::Purging;
pub use register::{CertificateState, End, Renewal, VehicleCertificate};
pub use rows::{Bind, Column, Row, Rows, Value};
pub use security::ReportedBreach;
pub use security_command::Sign;

use clap::Parser;
use listener::{Vehicle, VehicleListener};
use plated_core::clock::Clock;
use plated_core::error::{Context, Kind, Result, exit_code};
use plated_core::shutdown::Shutdown;
use plated_core::signing::Signer;
use plated_core::tls;
use plated_core::tls::authority::Authority;
use plated_portal::Route;
use sending::Sender;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// The program `plated-station`.
pub fn main() -> ExitCode {
    let command = command::Command::parse();
    let _logs = plated_core::logging::init_as(command.log_format());
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
    monitor: Arc<monitor::Monitor>,
    metrics: Option<tokio::net::TcpListener>,
    senders: monitor::Senders,
    register: Arc<register::Register>,
    pages: Option<pages::Pages>,
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
        // It blocks, and may wait for the network.
        let settings = config.clone();
        let archive = blocking(move || archive::settings::open(&settings)).await?;
        let listener = VehicleListener::bind(config.listen, tls::server(&identity, &["h2", "http/1.1"])?).await?;
        let writer = writer::DatabaseHandle::start(archive.database().clone())?;
        let forwarder = match &config.forward {
            Some(settings) => {
                let (settings, access, archive, writer, clock) =
                    (settings.clone(), config.access.clone(), archive.clone(), writer.clone(), clock.clone());
                let forwarder = blocking(move || {
                    let gate = purging::gate(&*archive, &access, clock.clone())?;
                    forward::Forwarder::new(settings, archive, writer, &gate, clock)
                });
                Some(forwarder.await?)
            }
            None => None,
        };
        let mut pushers = Vec::new();
        for settings in config.push.clone() {
            let (access, archive, writer, clock) =
                (config.access.clone(), archive.clone(), writer.clone(), clock.clone());
            let station = config.name.clone();
            let pusher = blocking(move || {
                let gate = purging::gate(&*archive, &access, clock.clone())?;
                push::Pusher::new(settings, &station, archive, writer, &gate, clock)
            });
            pushers.push(pusher.await?);
        }
        let senders = monitor::Senders { upstream: forwarder, push: pushers };
        let purge = purging::Purging::new(archive.clone(), clock.clone(), config.retention.interval())?;
        let metrics = match config.metrics {
            Some(settings) => Some(monitor::bind(settings).await?),
            None => None,
        };
        let counts = Arc::new(monitor::Counts::default());
        let monitor = {
            let (data, sources, clock) = (config.data.clone(), config.sources.clone(), clock.clone());
            let (counts, senders) = (counts.clone(), senders.clone());
            monitor::Monitor::new(archive.clone(), data, sources, config.overdue, clock, counts, senders)
        };
        let authority = config.authority_key.as_ref().map(|key| Authority::open(&config.ca, key)).transpose()?;
        let register = {
            let (archive, writer, ca, clock) = (archive.clone(), writer.clone(), config.ca.clone(), clock.clone());
            blocking(move || register::Register::open(&*archive, writer, ca, clock)).await?
        };
        let (register, keys) = (Arc::new(register), http::Keys { receipt_signer, authority });
        let pages = pages::Pages::bind(config, &archive, clock.clone()).await?;
        let station = http::Station::new(config, archive, writer, register.clone(), keys, clock, counts);
        Ok(Self {
            listener,
            station: Arc::new(station),
            purge,
            monitor,
            metrics,
            senders,
            register,
            pages,
            spool: medium::Spool::of(config),
        })
    }

    /// The address it really listens on.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Where a monitoring system gets numbers and health, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Where its pages are, if it has any.
    pub fn pages_address(&self) -> Option<SocketAddr> {
        self.pages.as_ref().map(pages::Pages::address)
    }

    /// Every route of its pages, and what it needs.
    pub fn page_routes(&self) -> &[Route] {
        self.pages.as_ref().map_or(&[], pages::Pages::routes)
    }

    /// Answers until `stop` is done, then lets the requests under way end.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let (stopping, stopped) = tokio::sync::oneshot::channel();
        let _purging = self.purge.start();
        let _monitoring = self.monitor.start(self.metrics);
        let _forwarding = self.senders.upstream.as_ref().map(|forwarder| forwarder.start());
        let _pushing: Vec<_> = self.senders.push.iter().map(|pusher| pusher.start()).collect();
        let station = self.station.clone();
        let _register = self.register.follow(self.listener.places().clone(), self.listener.strangers());
        // They end with this value, whichever way it ends.
        let pages_stop = Stopping(Shutdown::new());
        if let Some(pages) = self.pages {
            tokio::spawn(pages.serve(pages_stop.0.clone()));
        }
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

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, || "the station could not be started".into())?
}

/// Asks for an end when it is dropped.
struct Stopping(Shutdown);

impl Drop for Stopping {
    fn drop(&mut self) {
        self.0.request();
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
