//! The station's pages over HTTPS, on an address of their own (docs/guide/pages.md). Doors, login and accounts are
//! those of the crate portal, as on the console.
//!
//! What shows reads needs a [`Look`](look::Look): purpose and case that the person gave, on record (control P-21).

mod agency;
mod look;
mod settings;
mod site;
mod visible;

mod audit_report;
mod audits;
mod evidence;
mod fleet;
mod holds;
mod misreads;
mod partners;
mod pictures;
mod policy;
mod purpose;
mod read;
mod release;
mod releases;
mod search;
mod start;
mod statistics;
mod track;
mod transparency;

pub use settings::{Policy, Settings};

use crate::accounts;
use crate::archive::Engine;
use crate::transparency::Publisher;
use crate::{ArchiveKey, StationConfig, blocking, purging};
use axum::Router;
use look::Looks;
use plated_access::Gate;
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::shutdown::Shutdown;
use plated_core::signing::{PublicKey, Purpose, Signer};
use plated_core::tls::{Identity, page_server};
use plated_portal::{Portal, Route};
use plated_web::csrf::Csrf;
use plated_web::listener::Server;
use rustls::ServerConfig;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

/// What all pages of the station work with.
pub(crate) struct Station {
    portal: Portal,
    /// The agency's own login.
    provider: Option<agency::Provider>,
    archive: Arc<dyn Engine>,
    gate: Gate,
    name: String,
    settings: Settings,
    data: PathBuf,
    /// Signs archives of evidence.
    evidence: Signer,
    retention: crate::archive::Retention,
    overdue: crate::Overdue,
    clock: Arc<dyn Clock>,
    looks: Looks,
    samples: audits::Samples,
    audits: crate::audits::Settings,
    /// To whom reads may be released.
    release: crate::releases::Settings,
    /// Signs reports of audits.
    audit_report: Signer,
    /// Whose signed heads the audit log has.
    audit_key: PublicKey,
    /// Makes the audit log for everybody; none where it is not published.
    publisher: Option<Arc<Publisher>>,
    /// Figures for everybody.
    counted: transparency::Counted,
    /// Lists for which a CLETS grant is needed.
    clets_lists: HashSet<String>,
}

impl Station {
    /// Works on the station's database in one transaction. Blocks.
    fn rows<T>(&self, work: impl FnOnce(&crate::database::Rows<'_>) -> Result<T>) -> Result<T> {
        self.archive.database().lock().unwrap_or_else(PoisonError::into_inner).transaction(work)
    }
}

/// As handlers take it.
pub(crate) type Shared = Arc<Station>;

/// The pages, listening but not answering yet.
pub(crate) struct Pages {
    server: Server,
    tls: ServerConfig,
    router: Router,
    routes: Vec<Route>,
    publisher: Option<Arc<Publisher>>,
}

impl Pages {
    /// Loads the certificate and listens; none where no pages are configured.
    ///
    /// # Errors
    /// What keeps them from being shown.
    pub async fn bind(
        config: &StationConfig,
        archive: &Arc<dyn Engine>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>> {
        let Some(settings) = config.pages.clone() else { return Ok(None) };
        let identity = Identity::load_for_pages(&settings.certificate, &settings.key)?;
        if let Err(e) = identity.validity.check(clock.wall()) {
            tracing::warn!(error = %e.chain(), "Browsers will warn of the station's pages");
        }
        let tls = page_server(&identity)?;
        let (opened, of, time) = (archive.clone(), config.clone(), clock.clone());
        let accounts = blocking(move || accounts::open(&*opened, &of, time)).await?;
        let (gate, _) = Gate::new(Arc::new(archive.audit_log(clock.clone())?), config.access.clone());
        let listen = settings.listen;
        let portal = Portal {
            accounts: accounts.clone(),
            store: Arc::new(accounts::store(&**archive, clock.clone())),
            access: config.access.clone(),
            clock: clock.clone(),
            place: config.name.clone(),
            notice: settings.notice.clone(),
            here: "At this station",
            has_alerts: false,
            logins: Default::default(),
        };
        let publisher = match settings.policy.published.audit_log {
            true => {
                let gate = purging::gate(&**archive, &config.access, clock.clone())?;
                Some(Arc::new(Publisher::new(archive.clone(), gate, &config.data)))
            }
            false => None,
        };
        let key = ArchiveKey::load(&config.archive_key)?;
        let agency = settings.oidc.clone().map(|of| agency::Provider::new(of, &key, &config.name, clock.clone()));
        let station = Arc::new(Station {
            portal,
            provider: agency.transpose()?,
            archive: archive.clone(),
            gate: gate.with_accounts(accounts),
            name: config.name.clone(),
            settings,
            data: config.data.clone(),
            evidence: ArchiveKey::load(&config.archive_key)?.signer(Purpose::EVIDENCE)?,
            retention: config.retention,
            overdue: config.overdue,
            clock,
            looks: Looks::default(),
            samples: audits::Samples::default(),
            audits: config.audits,
            release: config.release.clone(),
            audit_report: ArchiveKey::load(&config.archive_key)?.signer(Purpose::AUDIT_REPORT)?,
            audit_key: ArchiveKey::load(&config.archive_key)?.signer(Purpose::AUDIT_HEAD)?.public_key(),
            publisher: publisher.clone(),
            counted: transparency::Counted::default(),
            clets_lists: config.sources.iter().filter(|s| s.needs_clets()).map(|s| s.name.clone()).collect(),
        });
        // The same at each station on one database, so that a form of one is taken by another.
        let csrf = Csrf::with_key(&*ArchiveKey::load(&config.archive_key)?.of_file("csrf", &config.name)?);
        let (router, routes) = site::router(station, csrf);
        let server = Server::bind(listen).await?;
        Ok(Some(Self { server, tls, router, routes, publisher }))
    }

    /// Where they listen.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Every route, and what it needs.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Answers until `stop` is requested.
    pub async fn serve(self, stop: Shutdown) {
        if let Some(publisher) = self.publisher {
            tokio::spawn(publisher.run(stop.clone()));
        }
        self.server.serve(self.tls, self.router, stop).await;
    }
}

/// What is none of these.
fn not_found(what: &str) -> Error {
    Error::new(Kind::NotFound, format!("there is no such {what}"))
}
