//! The real link: HTTP over mutual TLS, to the configured station and nowhere else.

use super::identity::VehicleIdentity;
use super::link::{Answer, Link};
use super::pieces::Pieces;
use super::settings::Settings;
use crate::config::Config;
use crate::store::Key;
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::retry;
use plated_core::tls;
use plated_core::wire::batch::BATCH_CONTENT_TYPE;
use reqwest::header::{HeaderName, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, ClientBuilder, RequestBuilder, Response, Url};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Largest answer that is read; a receipt of the largest batch is far smaller.
const MAX_ANSWER: usize = 1 << 20;
/// A download may take so long as long as it goes on.
const DOWNLOAD: Duration = Duration::from_secs(24 * 3600);
/// An idle connection is given up before the station gives it up.
const IDLE: Duration = Duration::from_secs(60);

/// Talks to the station named in the configuration.
#[derive(Clone)]
pub struct HttpsLink(Arc<Shared>);

/// What all clones have together.
struct Shared {
    way: RwLock<Arc<Way>>,
    /// Bytes of batches a second at most.
    limit: Option<u64>,
    timeout: Duration,
    station: Url,
    clock: Arc<dyn Clock>,
}

/// The clients with a certificate.
struct Way {
    client: Client,
    /// For batches, whose time has no limit as long as something moves.
    batches: Client,
    validity: tls::Validity,
}

impl Way {
    fn new(identity: &tls::Identity, timeout: Duration) -> Result<Self> {
        let client = || -> Result<ClientBuilder> {
            Ok(Client::builder()
                .tls_backend_preconfigured(tls::client(identity)?)
                .https_only(true)
                .redirect(Policy::none())
                .no_proxy()
                .connect_timeout(timeout)
                .pool_idle_timeout(IDLE))
        };
        let failed = || "could not set up the way to the station".to_owned();
        // No limit of TCP for what is not acknowledged: a slow link that fills up can be taken for a dead one.
        let batches = client()?.build().context(Kind::Internal, failed)?;
        let client = client()?.timeout(timeout).read_timeout(timeout).build().context(Kind::Internal, failed)?;
        Ok(Self { client, batches, validity: identity.validity.clone() })
    }
}

impl HttpsLink {
    /// Loads the configured certificates and makes the client; nothing is sent yet.
    ///
    /// # Errors
    /// [`Kind::Config`] naming the file that is missing, damaged, readable by others or does not
    /// fit the rest.
    pub fn new(vehicle: &str, config: &Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        let files = tls::Files { ca: &config.ca, certificate: &config.certificate, key: &config.key };
        Self::with_identity(vehicle, config, &tls::Identity::load(&files)?, clock)
    }

    /// The same by the certificate that the vehicle has now, the configured one or one that it renewed.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_vehicle(config: &Config, transfer: &Settings, key: &Key, clock: Arc<dyn Clock>) -> Result<Self> {
        let identity = VehicleIdentity::open(config, transfer, key)?;
        Self::with_identity(&config.vehicle, transfer, &identity.in_use()?, clock)
    }

    /// The same by this certificate.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_identity(
        vehicle: &str,
        config: &Settings,
        identity: &tls::Identity,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        if identity.name != vehicle {
            return Err(Error::new(
                Kind::Config,
                format!(
                    "the certificate {} is of \"{}\" and this vehicle is \"{vehicle}\"; the station would refuse its reads",
                    config.certificate.display(),
                    identity.name
                ),
            ));
        }
        let wrong = || format!("transfer.station: \"{}\" is not an address of a station", config.station);
        let mut station = Url::parse(&config.station).context(Kind::Config, wrong)?;
        if station.cannot_be_a_base() || station.query().is_some() || station.fragment().is_some() {
            return Err(Error::new(Kind::Config, wrong()));
        }
        if !station.path().ends_with('/') {
            station.set_path(&format!("{}/", station.path()));
        }
        let timeout = Duration::from_secs_f64(config.timeout_s);
        let limit = config.bandwidth_kbit_s.map(|kbit| u64::from(kbit) * 1000 / 8);
        let way = Arc::new(Way::new(identity, timeout)?).into();
        Ok(Self(Arc::new(Shared { way, limit, timeout, station, clock })))
    }

    /// Another link to the same station, by this certificate.
    ///
    /// # Errors
    /// `Internal` when TLS can't be set up.
    pub(super) fn over(&self, identity: &tls::Identity) -> Result<Self> {
        let Shared { limit, timeout, ref station, ref clock, .. } = *self.0;
        let way = Arc::new(Way::new(identity, timeout)?).into();
        Ok(Self(Arc::new(Shared { way, limit, timeout, station: station.clone(), clock: clock.clone() })))
    }

    /// From now on this link and all its clones use this certificate. What is under way ends as it began.
    ///
    /// # Errors
    /// `Internal` when TLS can't be set up.
    pub(super) fn use_identity(&self, identity: &tls::Identity) -> Result<()> {
        let way = Arc::new(Way::new(identity, self.0.timeout)?);
        *self.0.way.write().unwrap_or_else(PoisonError::into_inner) = way;
        Ok(())
    }

    /// When its certificate counts.
    pub fn validity(&self) -> tls::Validity {
        self.way().validity.clone()
    }

    fn way(&self) -> Arc<Way> {
        self.0.way.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn url(&self, path: &str) -> Result<Url> {
        self.0.station.join(path).context(Kind::Internal, || "could not make the station's address".into())
    }

    /// `GET` of this path; the body is read by the caller. Its limit is on each wait, not on the
    /// whole: a list of millions takes its time.
    pub(super) async fn download(&self, path: &str, headers: Vec<(HeaderName, String)>) -> Result<Response> {
        let way = self.way();
        way.validity.check(self.0.clock.wall())?;
        let mut request = way.client.get(self.url(path)?).timeout(DOWNLOAD);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let failed = || format!("could not reach the station {}", self.0.station);
        request.send().await.map_err(reqwest::Error::without_url).context(Kind::Network, failed)
    }

    /// How long the station asks to wait.
    pub(super) fn retry_after(&self, response: &Response) -> Option<Duration> {
        let field = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
        retry::retry_after(field, self.0.clock.wall())
    }

    /// `POST /v1/security-events`, with the JSON of a report.
    pub async fn post_security_report(&self, body: Vec<u8>) -> Result<Answer> {
        let url = self.url("v1/security-events")?;
        self.post_json(url, body).await
    }

    /// `POST /v1/certificate`, with the JSON of a request.
    pub(super) async fn post_certificate_request(&self, body: Vec<u8>) -> Result<Answer> {
        self.post_json(self.url("v1/certificate")?, body).await
    }

    /// `GET /v1/health`.
    pub(super) async fn get_health(&self) -> Result<Answer> {
        let (way, url) = (self.way(), self.url("v1/health")?);
        self.send(&way, way.client.get(url)).await
    }

    async fn post_json(&self, url: Url, body: Vec<u8>) -> Result<Answer> {
        let way = self.way();
        self.send(&way, way.client.post(url).header("content-type", "application/json").body(body)).await
    }

    async fn send(&self, way: &Way, request: RequestBuilder) -> Result<Answer> {
        let station = &self.0.station;
        // The other end would only close the connection without saying why.
        way.validity.check(self.0.clock.wall())?;
        let failed = || format!("could not reach the station {station}");
        let cut_off = || format!("the answer of the station {station} was cut off");
        let mut response = request.send().await.map_err(reqwest::Error::without_url).context(Kind::Network, failed)?;
        let (status, retry_after) = (response.status().as_u16(), self.retry_after(&response));
        let mut body = Vec::new();
        while let Some(piece) =
            response.chunk().await.map_err(reqwest::Error::without_url).context(Kind::Network, cut_off)?
        {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(Error::new(
                    Kind::Network,
                    format!("the station {station} sent an endless answer; is it a station?"),
                ));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status, body, retry_after })
    }
}

impl Link for HttpsLink {
    async fn post_batch(&self, body: Vec<u8>, patience: Duration) -> Result<Answer> {
        let (pieces, mut moving) = Pieces::new(body, self.0.limit);
        let way = self.way();
        let request = way.batches.post(self.url("v1/batches")?).header("content-type", BATCH_CONTENT_TYPE);
        let sending = self.send(&way, request.body(Body::wrap(pieces)));
        tokio::pin!(sending);
        let mut is_sent = false;
        loop {
            let still = async {
                let moved = async { if is_sent { std::future::pending().await } else { moving.changed().await } };
                tokio::time::timeout(patience, moved).await
            };
            tokio::select! {
                answer = &mut sending => return answer,
                moved = still => match moved {
                    Ok(Ok(())) => {}
                    // All of it is handed over; what is left is the answer.
                    Ok(Err(_)) => is_sent = true,
                    Err(_) => {
                        let text = format!("nothing moved on the way to the station {} for {} s", self.0.station, patience.as_secs());
                        return Err(Error::new(Kind::Network, text));
                    }
                },
            }
        }
    }
}
