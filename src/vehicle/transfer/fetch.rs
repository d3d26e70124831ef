//! The link as the way to the station's hotlists.

use super::https::HttpsLink;
use crate::lists::{Ask, Body, Remote, Reply};
use plated_core::error::{Context, Kind, Result};
use reqwest::Response;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_NONE_MATCH, IF_RANGE, RANGE};

/// The rest of an answer of the station.
#[derive(Debug)]
pub struct Download(Response);

impl Remote for HttpsLink {
    type Body = Download;

    async fn get(&self, path: &str, ask: &Ask) -> Result<Reply<Download>> {
        let mut headers = Vec::new();
        if let Some(tag) = &ask.unless {
            headers.push((IF_NONE_MATCH, tag.clone()));
        }
        if let Some((start, tag)) = &ask.from {
            headers.push((RANGE, format!("bytes={start}-")));
            headers.push((IF_RANGE, tag.clone()));
        }
        let response = self.download(path, headers).await?;
        let text = |name: &HeaderName| text(response.headers(), name);
        let (etag, start) = (text(&ETAG), text(&CONTENT_RANGE).and_then(|range| start(&range)));
        let retry_after = self.retry_after(&response);
        Ok(Reply { status: response.status().as_u16(), etag, start, retry_after, body: Download(response) })
    }
}

impl Body for Download {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let piece = self.0.chunk().await.map_err(reqwest::Error::without_url);
        Ok(piece.context(Kind::Network, || "the answer of the station was cut off".into())?.map(|p| p.to_vec()))
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Where `bytes 100-199/200` starts.
fn start(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}
