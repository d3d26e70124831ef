//! The provider: what it says of itself, logins that begin and that come back (authorization code with PKCE, state and
//! nonce).

use super::Settings;
use super::claims::{self, Claims};
use super::http::Http;
use crate::ArchiveKey;
use crate::postgres::read_secret;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken};
use openidconnect::{
    AuthType, AuthenticationContextClass, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadataWithLogout, RedirectUrl, RequestTokenError, Scope, TokenResponse, url::Url,
};
use plated_access::{Token, Vouched};
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::sealing::SealingKey;
use plated_web::fields::Fields;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

/// Where the provider leads back to.
pub const BACK: &str = "/login/agency/back";
/// Somebody has so long to log in at the provider.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// What the provider says of itself counts for so long; its keys are asked for anew as soon as one is unknown.
const FRESH: Duration = Duration::from_secs(3600);
/// A provider that could not be reached is left alone for so long.
const REST: Duration = Duration::from_secs(2);
/// Questions to the provider at a time; others wait.
const AT_ONCE: usize = 8;

type Metadata = ProviderMetadataWithLogout;
type Way = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What is known of the provider, or why nothing is.
enum Known {
    Metadata(Arc<Metadata>),
    Failed(String),
}

/// The agency's provider.
pub struct Provider {
    pub settings: Settings,
    client: Http,
    secret: Option<ClientSecret>,
    /// Seals logins that have begun into a cookie, so that any station on this database can go on with them.
    seal: SealingKey,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<(Known, Duration)>>,
    at_once: Semaphore,
}

/// A login that has begun, as a browser keeps it, sealed.
#[derive(Serialize, Deserialize)]
struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    then: String,
    /// In milliseconds since 1970.
    until: i64,
    /// Opens the session that goes on in this browser.
    old: Option<String>,
}

/// Somebody came back.
pub struct Back {
    pub person: Vouched,
    pub then: String,
    /// Whoever was logged in before in this browser.
    pub old: Option<Token>,
}

impl Provider {
    /// Nothing is asked of the provider yet: one that is down keeps no station from starting.
    ///
    /// # Errors
    /// `Config` for files that can't be used.
    pub fn new(settings: Settings, key: &ArchiveKey, station: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let file = settings.client_secret_file.as_deref();
        let secret = file.map(|file| read_secret(file, "client_secret_file")).transpose()?;
        let secret = secret.map(|text| ClientSecret::new(text.trim().to_owned()));
        let seal = SealingKey::new(&*key.of_file("agency login", station)?)?;
        let (client, at_once) = (Http::new(&settings.ca)?, Semaphore::new(AT_ONCE));
        Ok(Self { settings, client, secret, seal, clock, known: Mutex::default(), at_once })
    }

    /// Where to lead somebody who wants in, and what their browser keeps meanwhile.
    ///
    /// # Errors
    /// `Network` when the provider can't be reached.
    pub async fn begin(&self, then: String, old: Option<&Token>) -> Result<(Url, String)> {
        let metadata = self.metadata(None).await?;
        let way = self.way(&metadata)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request =
            way.authorize_url(flow, CsrfToken::new_random, Nonce::new_random).set_pkce_challenge(challenge);
        for scope in &self.settings.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        for level in &self.settings.acr_values {
            request = request.add_auth_context_value(AuthenticationContextClass::new(level.clone()));
        }
        if !self.settings.single_sign_on {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        let (url, state, nonce) = request.url();
        let begun = Begun {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            then,
            until: self.clock.wall().as_millisecond() + PATIENCE.as_millis() as i64,
            old: old.map(|token| token.to_hex().to_string()),
        };
        let text = serde_json::to_vec(&begun).context(Kind::Internal, || "a login can't be kept".into())?;
        Ok((url, hex::encode(self.seal.seal(&self.settings.client_id, &text)?)))
    }

    /// Somebody comes back from the provider with this query; `kept` is what their browser kept.
    ///
    /// # Errors
    /// `Network` when the provider can't be reached; otherwise why it does not count, for the person to read.
    pub async fn finish(&self, query: &Fields, kept: Option<&str>) -> Result<Back> {
        let begun = kept
            .and_then(|kept| self.open(kept))
            .ok_or_else(|| refused("this login did not begin in this browser, or took too long; begin again".into()))?;
        let same = verify_slices_are_equal(begun.state.as_bytes(), query.get("state").as_bytes()).is_ok();
        if !same {
            return Err(refused("the answer belongs to another login; begin again".into()));
        }
        let issuer = query.get("iss");
        if !issuer.is_empty() && issuer != self.settings.issuer {
            return Err(refused("the answer is another provider's".into()));
        }
        if !query.get("error").is_empty() {
            let word: String =
                query.get("error").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
            return Err(refused(format!("it did not let you in ({word})")));
        }
        let metadata = self.metadata(None).await?;
        let (token, access) = self.exchange(&metadata, query.get("code"), begun.verifier).await?;
        self.verify(metadata, &token, &Nonce::new(begun.nonce)).await?;
        let mut claims = Claims::of(&token)?;
        claims::fresh(&claims, &self.settings, self.clock.wall())?;
        if claims.lack(&self.settings) {
            self.ask(&mut claims, &access).await?;
        }
        let person = claims::vouched(&claims, &self.settings)?;
        Ok(Back { person, then: begun.then, old: begun.old.as_deref().and_then(Token::parse) })
    }

    /// Where a browser is logged out of the provider too; none when it offers that not.
    pub async fn end(&self) -> Option<Url> {
        let metadata = self.metadata(None).await.ok()?;
        let mut url = metadata.additional_metadata().end_session_endpoint.as_ref()?.url().clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", &format!("{}/login", self.settings.address));
        Some(url)
    }

    fn open(&self, kept: &str) -> Option<Begun> {
        let text = self.seal.open(&self.settings.client_id, &hex::decode(kept).ok()?)?;
        let begun: Begun = serde_json::from_slice(&text).ok()?;
        (begun.until > self.clock.wall().as_millisecond()).then_some(begun)
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::new(Kind::Network, format!("the login of {} can't be reached: {why}", self.settings.agency))
    }

    /// What the provider says of itself, by discovery, which is kept for a while; other than `stale` where that is given.
    async fn metadata(&self, stale: Option<&Arc<Metadata>>) -> Result<Arc<Metadata>> {
        let mut known = self.known.lock().await;
        let now = self.clock.monotonic();
        match &*known {
            Some((Known::Metadata(metadata), at))
                if now.saturating_sub(*at) < FRESH && stale.is_none_or(|stale| !Arc::ptr_eq(stale, metadata)) =>
            {
                return Ok(metadata.clone());
            }
            Some((Known::Failed(why), at)) if now.saturating_sub(*at) < REST => return Err(self.unreachable(why)),
            _ => {}
        }
        let issuer =
            IssuerUrl::new(self.settings.issuer.clone()).context(Kind::Config, || "issuer: it is no address".into())?;
        match Metadata::discover_async(issuer, &self.client).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Some((Known::Metadata(metadata.clone()), self.clock.monotonic()));
                Ok(metadata)
            }
            Err(e) => {
                let why = chain(&e);
                *known = Some((Known::Failed(why.clone()), self.clock.monotonic()));
                Err(self.unreachable(&why))
            }
        }
    }

    fn way(&self, metadata: &Metadata) -> Result<Way> {
        let back = format!("{}{BACK}", self.settings.address);
        let back = RedirectUrl::new(back).context(Kind::Config, || "address: it is no address".into())?;
        let id = ClientId::new(self.settings.client_id.clone());
        let way = CoreClient::from_provider_metadata(metadata.clone(), id, self.secret.clone()).set_redirect_uri(back);
        // In the header, as each provider has to take it unless it says otherwise.
        let methods = metadata.token_endpoint_auth_methods_supported();
        let in_body = methods.is_some_and(|m| {
            m.contains(&CoreClientAuthMethod::ClientSecretPost) && !m.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        Ok(way.set_auth_type(if in_body { AuthType::RequestBody } else { AuthType::BasicAuth }))
    }

    /// The code for an ID token, and the token by which more can be asked.
    async fn exchange(&self, metadata: &Metadata, code: &str, verifier: String) -> Result<(CoreIdToken, String)> {
        let _permit = self.at_once.acquire().await.context(Kind::Internal, || "nothing is asked any more".into())?;
        let way = self.way(metadata)?;
        let request = way
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .context(Kind::Network, || "it names no place for tokens".into())?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let tokens = request.request_async(&self.client).await.map_err(|e| match e {
            RequestTokenError::Request(e) => self.unreachable(&e.chain()),
            RequestTokenError::ServerResponse(said) => {
                refused(format!("it does not take its own code ({}); begin again", said.error()))
            }
            _ => self.unreachable("its answer can't be read"),
        })?;
        let token =
            tokens.id_token().ok_or_else(|| refused("it does not say who you are: there is no ID token".into()))?;
        Ok((token.clone(), tokens.access_token().secret().clone()))
    }

    /// Signature, issuer, audience, time and nonce. A key that is not known is asked for once.
    async fn verify(&self, metadata: Arc<Metadata>, token: &CoreIdToken, nonce: &Nonce) -> Result<()> {
        let wrong =
            |e: &ClaimsVerificationError| refused(format!("what it says of you does not count: {}", claims::why(e)));
        match claims::check(&self.way(&metadata)?, token, nonce) {
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let newer = self.metadata(Some(&metadata)).await?;
                claims::check(&self.way(&newer)?, token, nonce).map_err(|e| wrong(&e))
            }
            other => other.map_err(|e| wrong(&e)),
        }
    }

    /// What the ID token does not say, at the provider's place for that. It has to be about the same person.
    async fn ask(&self, claims: &mut Claims, access: &str) -> Result<()> {
        let metadata = self.metadata(None).await?;
        let Some(place) = metadata.userinfo_endpoint() else { return Ok(()) };
        let request = axum::http::Request::get(place.url().as_str())
            .header("accept", "application/json")
            .header("authorization", format!("Bearer {access}"));
        let request = request.body(Vec::new()).context(Kind::Internal, || "a request can't be made".into())?;
        let answer = self.client.send(request).await.map_err(|e| self.unreachable(&e.chain()))?;
        if answer.status() != 200 {
            return Err(refused(format!("it does not say more of you (status {})", answer.status().as_u16())));
        }
        claims.add(answer.body())
    }
}

/// For the person to read.
pub fn refused(why: String) -> Error {
    Error::new(Kind::Unauthenticated, why)
}

/// What is wrong with discovery, with what led to it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}
