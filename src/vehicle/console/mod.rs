//! The officer's console: pages over HTTPS, from the daemon (docs/guide/pages.md).
//!
//! ```text
//! browser ─► listener ─► headers, limits, errors ─► token of the form ─► door of the route ─► page
//!                                                    (no change without)   (session, training, purpose)
//! ```
//!
//! Each route says what it [needs](Needs) of whoever comes, and [`door`] sees to it before the page is
//! made. What shows reads or hits needs a [`Look`](look::Look): purpose and case that the officer gave, on record
//! (control P-21), with the permits that the gate gave for it.
//!
//! A page is drawn on the async runtime; all that asks the store or the accounts goes to [`blocking`].

mod cameras;
mod cards;
mod door;
mod forms;
mod look;
mod pages;
mod routes;
mod rows;
mod scope;
mod searches;
mod settings;
mod status;
mod uploads;
mod visit;

pub use cameras::{AimState, CameraAccess};
pub use routes::{Needs, Route};
pub use settings::Settings;

use crate::announcement::Published;
use crate::config::Config;
use crate::control::OfficerService;
use crate::events::Hub;
use crate::health::{Health, Level};
use crate::store::Store;
use crate::subscribers::Streams;
use axum::Router;
use cameras::Cameras;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use look::Looks;
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::shutdown::Shutdown;
use plated_core::tls::{Identity, page_server};
use plated_portal::{Portal, blocking, draw, words};
use plated_vision::capture::View;
use plated_web::csrf::Csrf;
use plated_web::listener::Server;
use status::Glance;
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::runtime::Handle;
use uploads::Uploads;

/// The end waits for answers that are under way for so long; a little longer than the listener gives them.
const END_TIMEOUT: Duration = Duration::from_secs(3);

/// What the console shows and works with.
pub struct Parts {
    /// Changes and looks, and the gate before them.
    pub officers: Arc<OfficerService>,
    /// Reads, hits, pictures; each against a permit.
    pub store: Store,
    /// What is made known.
    pub events: Hub<Published>,
    /// How each part of the daemon is.
    pub health: Arc<Health>,
    /// The cameras.
    pub cameras: CameraAccess,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// What all pages share.
pub(crate) struct Console {
    officers: Arc<OfficerService>,
    store: Store,
    events: Hub<Published>,
    clock: Arc<dyn Clock>,
    access: plated_access::Settings,
    settings: Settings,
    vehicle: String,
    shift: Duration,
    /// Names this run of the daemon: events of another one have other numbers.
    run: String,
    looks: Looks,
    portal: Portal,
    uploads: Uploads,
    glance: Arc<Glance>,
    health: Arc<Health>,
    cameras: Cameras,
    /// What of each camera's picture counts.
    views: HashMap<String, View>,
    /// Pages that listen to live events.
    listeners: Arc<AtomicUsize>,
    /// Programs that listen to alerts.
    streams: Streams,
}

/// As handlers take it.
pub(crate) type Shared = Arc<Console>;

/// The console at work; dropping it ends it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    router: Router,
    routes: Vec<Route>,
    stop: Shutdown,
    ended: Receiver<()>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What answers, to be asked without a connection.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Every route, and what it needs.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.request();
        match self.ended.recv_timeout(END_TIMEOUT) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => tracing::error!("The console ended by a defect."),
            Err(RecvTimeoutError::Timeout) => tracing::error!("The console hangs and is left behind."),
        }
    }
}

/// Starts the console, if one is configured. Without it reading goes on: what keeps it from starting is
/// logged, and a part `console` of the health says so.
pub fn start(config: &Config, parts: Parts, runtime: &Handle, stop: &Shutdown) -> Option<Running> {
    let settings = config.console.clone()?;
    let (health, clock) = (parts.health.clone(), parts.clock.clone());
    let report = |level, text| health.report("console", level, text, clock.wall());
    let started = serve(config, settings, parts, runtime, stop);
    match started {
        Ok((running, None)) => {
            report(Level::Ok, format!("it is at https://{}", running.address));
            tracing::info!("The console is at https://{}", running.address);
            Some(running)
        }
        Ok((running, Some(doubt))) => {
            report(Level::Degraded, format!("it is at https://{}, and {doubt}", running.address));
            tracing::warn!("The console: {doubt}");
            Some(running)
        }
        Err(e) => {
            report(Level::Failed, e.chain());
            tracing::error!("There is no console: {}", e.chain());
            None
        }
    }
}

/// What browsers may not like about it comes along.
fn serve(
    config: &Config,
    settings: Settings,
    parts: Parts,
    runtime: &Handle,
    stop: &Shutdown,
) -> Result<(Running, Option<String>)> {
    let Parts { officers, store, events, cameras, clock, health } = parts;
    let identity = Identity::load_for_pages(&settings.certificate, &settings.key)?;
    let doubt = identity.validity.check(clock.wall()).err().map(|e| e.chain());
    let tls = page_server(&identity)?;
    let mut random = [0; 6];
    getrandom::fill(&mut random)
        .map_err(|e| Error::new(Kind::Internal, format!("the system gave no random numbers: {e}")))?;
    let listen = settings.listen;
    let accounts = officers.accounts()?.clone();
    let portal = Portal {
        accounts,
        store: Arc::new(store.clone()),
        access: config.access.clone(),
        clock: clock.clone(),
        place: config.vehicle.clone(),
        notice: settings.notice.clone(),
        here: "In this vehicle",
        has_alerts: true,
        logins: Default::default(),
    };
    let console = Arc::new(Console {
        officers,
        store,
        events,
        access: config.access.clone(),
        settings,
        vehicle: config.vehicle.clone(),
        shift: Duration::from_secs(u64::from(config.shift.hours) * 3600),
        run: hex::encode(random),
        looks: Looks::default(),
        portal,
        uploads: Uploads::default(),
        glance: Arc::default(),
        health,
        cameras: Cameras::new(cameras),
        views: config.sources.iter().map(|source| (source.name.clone(), source.view.clone())).collect(),
        listeners: Arc::default(),
        streams: Streams::default(),
        clock,
    });
    let (router, routes) = routes::router(console, Csrf::random()?);
    let server = runtime.block_on(Server::bind(listen))?;
    let (address, stop, (end, ended)) = (server.address(), stop.child(), bounded(1));
    let serving = server.serve(tls, router.clone(), stop.clone());
    runtime.spawn(async move {
        serving.await;
        let _ = end.send(());
    });
    Ok((Running { address, router, routes, stop, ended }, doubt))
}
