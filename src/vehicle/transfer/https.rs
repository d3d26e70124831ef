//! The real link: HTTP over mutual TLS, to the configured station and nowhere else.

use super::link::{Answer, Link};
use super::settings::Settings;
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::retry;
use plated_core::tls;
use reqwest::header::{HeaderName, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};
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
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client(&identity)?)
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(timeout)
            .read_timeout(timeout)
            .connect_timeout(timeout)
            .pool_idle_timeout(IDLE)
            .build()
            .context(Kind::Internal, || "could not set up the way to the station".into())?;
        Ok(Self { client, station, validity: identity.validity, clock })
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
    async fn put_image(&self, sha256: Sha256, bytes: Vec<u8>) -> Result<Answer> {
        let url = self.url(&format!("v1/images/{sha256}"))?;
        self.send(self.client.put(url).header("content-type", "image/jpeg").body(bytes)).await
    }

    async fn post_batch(&self, body: Vec<u8>) -> Result<Answer> {
        let url = self.url("v1/batches")?;
        self.send(self.client.post(url).header("content-type", "application/json").body(body)).await
    }
}
