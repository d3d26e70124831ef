//! The real link: HTTP over mutual TLS, to the configured station and nowhere else.

use super::link::{Answer, Link};
use super::pieces::Pieces;
use super::settings::Settings;
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::retry;
use plated_core::tls;
use plated_core::wire::batch::BATCH_CONTENT_TYPE;
use reqwest::header::{HeaderName, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, ClientBuilder, RequestBuilder, Response, Url};
use std::sync::Arc;
use std::time::Duration;

/// Largest answer that is read; a receipt of the largest batch is far smaller.
const MAX_ANSWER: usize = 1 << 20;
/// A download may take so long as long as it goes on.
const DOWNLOAD: Duration = Duration::from_secs(24 * 3600);
/// An idle connection is given up before the station gives it up.
const IDLE: Duration = Duration::from_secs(60);

/// Talks to the station named in the configuration.
#[derive(Clone)]
pub struct HttpsLink {
    client: Client,
    /// For batches, whose time has no limit as long as something moves.
    batches: Client,
    /// Bytes of batches a second at most.
    limit: Option<u64>,
    station: Url,
    validity: tls::Validity,
    clock: Arc<dyn Clock>,
}

impl HttpsLink {
    /// Loads the certificates and makes the client; nothing is sent yet.
    ///
    /// # Errors
    /// [`Kind::Config`] naming the file that is missing, damaged, readable by others or does not
    /// fit the rest.
    pub fn new(vehicle: &str, config: &Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        let files = tls::Files { ca: &config.ca, certificate: &config.certificate, key: &config.key };
        let identity = tls::Identity::load(&files)?;
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
        let client = || -> Result<ClientBuilder> {
            Ok(Client::builder()
                .tls_backend_preconfigured(tls::client(&identity)?)
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
        let limit = config.bandwidth_kbit_s.map(|kbit| u64::from(kbit) * 1000 / 8);
        Ok(Self { client, batches, limit, station, validity: identity.validity, clock })
    }

    fn url(&self, path: &str) -> Result<Url> {
        self.station.join(path).context(Kind::Internal, || "could not make the station's address".into())
    }

    /// `GET` of this path; the body is read by the caller. Its limit is on each wait, not on the
    /// whole: a list of millions takes its time.
    pub(super) async fn download(&self, path: &str, headers: Vec<(HeaderName, String)>) -> Result<Response> {
        self.validity.check(self.clock.wall())?;
        let mut request = self.client.get(self.url(path)?).timeout(DOWNLOAD);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let failed = || format!("could not reach the station {}", self.station);
        request.send().await.map_err(reqwest::Error::without_url).context(Kind::Network, failed)
    }

    /// How long the station asks to wait.
    pub(super) fn retry_after(&self, response: &Response) -> Option<Duration> {
        let field = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
        retry::retry_after(field, self.clock.wall())
    }

    /// `POST /v1/security-events`, with the JSON of a report.
    pub async fn post_security_report(&self, body: Vec<u8>) -> Result<Answer> {
        let url = self.url("v1/security-events")?;
        self.send(self.client.post(url).header("content-type", "application/json").body(body)).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        // The other end would only close the connection without saying why.
        self.validity.check(self.clock.wall())?;
        let failed = || format!("could not reach the station {}", self.station);
        let cut_off = || format!("the answer of the station {} was cut off", self.station);
        let mut response = request.send().await.map_err(reqwest::Error::without_url).context(Kind::Network, failed)?;
        let (status, retry_after) = (response.status().as_u16(), self.retry_after(&response));
        let mut body = Vec::new();
        while let Some(piece) =
            response.chunk().await.map_err(reqwest::Error::without_url).context(Kind::Network, cut_off)?
        {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(Error::new(
                    Kind::Network,
                    format!("the station {} sent an endless answer; is it a station?", self.station),
                ));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status, body, retry_after })
    }
}

impl Link for HttpsLink {
    async fn post_batch(&self, body: Vec<u8>, patience: Duration) -> Result<Answer> {
        let (pieces, mut moving) = Pieces::new(body, self.limit);
        let request = self.batches.post(self.url("v1/batches")?).header("content-type", BATCH_CONTENT_TYPE);
        let sending = self.send(request.body(Body::wrap(pieces)));
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
                        let text = format!("nothing moved on the way to the station {} for {} s", self.station, patience.as_secs());
                        return Err(Error::new(Kind::Network, text));
                    }
                },
            }
        }
    }
}
