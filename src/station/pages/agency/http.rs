//! The way to the provider: HTTPS, to servers of the agency's authority, with a limit for time and size, and no
//! redirects.

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::tls;
use reqwest::redirect::Policy;
use reqwest::{Client, Request};
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

/// An answer takes at most so long, and four of them have to fit into that of a page.
const TIMEOUT: Duration = Duration::from_secs(7);
/// Largest answer, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Sends what the crate openidconnect asks for.
pub struct Http(Client);

impl Http {
    /// # Errors
    /// `Config` when the file of authorities can't be used.
    pub fn new(ca: &Path) -> Result<Self> {
        Client::builder()
            .tls_backend_preconfigured(tls::client_without_certificate(ca)?)
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .user_agent(concat!("plated-station/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
            .context(Kind::Internal, || "could not set up the way to the agency's login".into())
    }

    /// # Errors
    /// `Network` when there is no answer, or one that is too large.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        let failed = || "there is no answer".to_owned();
        let request = Request::try_from(request).context(Kind::Internal, || "a request can't be made".into())?;
        let sent = self.0.execute(request).await;
        let mut answer = sent.map_err(reqwest::Error::without_url).context(Kind::Network, failed)?;
        let mut made = HttpResponse::new(Vec::new());
        *made.status_mut() = answer.status();
        *made.headers_mut() = std::mem::take(answer.headers_mut());
        while let Some(piece) =
            answer.chunk().await.map_err(reqwest::Error::without_url).context(Kind::Network, failed)?
        {
            if made.body().len() + piece.len() > MAX_ANSWER {
                return Err(Error::new(Kind::Network, "an answer is larger than 1 MiB"));
            }
            made.body_mut().extend_from_slice(&piece);
        }
        Ok(made)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
