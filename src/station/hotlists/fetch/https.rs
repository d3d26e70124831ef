//! The file of a list from a server.

use super::super::source::Source;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use plated_core::durable::Scratch;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::{retry, tls};
use plated_hotlist::format::read_password;
use reqwest::header::{ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// A server that is there answers within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// A download of which nothing comes for so long is given up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest tag that is kept.
const MAX_TAG: usize = 256;

/// What the server said.
#[derive(Debug)]
pub enum Answer {
    /// It has nothing newer than what the tags are of.
    Same,
    /// A file, which was written.
    File {
        /// By these it tells that it has something newer.
        etag: Option<String>,
        /// `Last-Modified`, as it came.
        modified: Option<String>,
        /// The same as a time.
        date: Option<Timestamp>,
    },
}

/// By what a server tells whether it has something newer than what came last: `ETag` and `Last-Modified`.
pub type Known<'a> = (Option<&'a str>, Option<&'a str>);

/// Gets the file to `to`, unless it is what is known.
///
/// # Errors
/// `Config` for files of the configuration that can't be used, `Refused` where the server wants something else of the
/// configuration, `Network` where trying again later is right, `Input` for a file that is too large.
pub async fn fetch(source: &Source, url: &str, known: Option<Known<'_>>, to: &Path, now: Timestamp) -> Result<Answer> {
    let url = Url::parse(url).map_err(|_| Error::new(Kind::Config, "url: it is no address of a file"))?;
    // Never more of the address: what is behind it may be a secret too.
    let host = url.host_str().unwrap_or_default().to_owned();
    let client = client(source)?;
    let mut request = client.get(url);
    if let (Some(user), Some(file)) = (&source.user, &source.password_file) {
        let password = read_password(file)?;
        request = request.basic_auth(user, Some(password.as_str()));
    }
    if let Some(known) = known {
        // A server that knows both goes by the first.
        request = match known {
            (Some(etag), _) => request.header(IF_NONE_MATCH, etag),
            (None, Some(modified)) => request.header(IF_MODIFIED_SINCE, modified),
            (None, None) => request,
        };
    }
    let failed = || format!("could not reach {host}; look at url, ca, and the way there");
    let response = request.send().await.map_err(reqwest::Error::without_url).context(Kind::Network, failed)?;
    if response.status() == 304 && known.is_some() {
        return Ok(Answer::Same);
    }
    if response.status() != 200 {
        return Err(refusal(&host, &response, now));
    }
    let (etag, modified) = (text(response.headers(), &ETAG), text(response.headers(), &LAST_MODIFIED));
    let date = modified.as_deref().and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
    save(response, &host, source.max_mib, to).await?;
    Ok(Answer::File { etag, modified, date })
}

fn client(source: &Source) -> Result<Client> {
    let ca = source.ca.as_deref().ok_or_else(|| Error::new(Kind::Config, "ca: it is missing"))?;
    Client::builder()
        .tls_backend_preconfigured(tls::client_without_certificate(ca)?)
        .https_only(true)
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("plated-station/", env!("CARGO_PKG_VERSION")))
        .build()
        .context(Kind::Internal, || "could not set up the way to a source of lists".into())
}

async fn save(mut response: Response, host: &str, max_mib: u32, to: &Path) -> Result<()> {
    let failed = || format!("could not write to {}", to.display());
    let cut_off = || format!("the file from {host} was cut off");
    let most = u64::from(max_mib) << 20;
    let too_large = || Error::new(Kind::Input, format!("the file from {host} has more than {max_mib} MiB (max_mib)"));
    if response.content_length().is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let mut file = Scratch::create(to).context(Kind::Storage, failed)?;
    let mut size = 0;
    while let Some(piece) =
        response.chunk().await.map_err(reqwest::Error::without_url).context(Kind::Network, cut_off)?
    {
        size += piece.len() as u64;
        if size > most {
            return Err(too_large());
        }
        file.write_all(&piece).context(Kind::Storage, failed)?;
    }
    Ok(())
}

/// What an answer without success means, and what to do.
fn refusal(host: &str, response: &Response, now: Timestamp) -> Error {
    let status = response.status();
    let wait = text(response.headers(), &RETRY_AFTER).and_then(|field| retry::retry_after(&field, now));
    let (kind, what) = match status.as_u16() {
        401 | 403 => (Kind::Refused, "does not let this name and password in; look at user and password_file"),
        404 | 410 => (Kind::Refused, "has no such file; look at url"),
        300..=399 => (Kind::Refused, "sends to another address, which is not followed; put the new one into url"),
        429 | 503 => (Kind::Network, "is busy; it is tried again later"),
        _ => (Kind::Network, "can't give the file now; it is tried again later"),
    };
    Error::new(kind, format!("{host} {what} (status {})", status.as_u16())).after(wait)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| text.len() <= MAX_TAG).map(str::to_owned)
}
