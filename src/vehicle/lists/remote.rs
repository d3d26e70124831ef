//! The way to what the station hands out, as the synchronisation sees it.

use plated_core::error::Result;
use std::time::Duration;

/// Gets things from the station. An `Err` means that no answer came.
pub trait Remote: Clone + Send + Sync + 'static {
    /// The rest of an answer.
    type Body: Body;

    /// `GET` of this path.
    fn get(&self, path: &str, ask: &Ask) -> impl Future<Output = Result<Reply<Self::Body>>> + Send;
}

/// The body of an answer, piece by piece.
pub trait Body: Send {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// `Network` when it is cut off.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>>> + Send;
}

/// What is asked for, beside the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Not if it is what carries this tag (`If-None-Match`).
    pub unless: Option<String>,
    /// Only from this byte on, if it is still what carries this tag (`Range`, `If-Range`).
    pub from: Option<(u64, String)>,
}

/// The beginning of an answer.
#[derive(Debug)]
pub struct Reply<B> {
    /// HTTP status.
    pub status: u16,
    /// The tag of the content (`ETag`), as it was sent.
    pub etag: Option<String>,
    /// Where a part starts (`Content-Range`).
    pub start: Option<u64>,
    /// How long the station asks to wait before it is tried again (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: B,
}

impl<B: Body> Reply<B> {
    /// The whole body, if it has at most so many bytes; `None` when it has more.
    pub async fn collect(&mut self, most: usize) -> Result<Option<Vec<u8>>> {
        let mut all = Vec::new();
        while let Some(piece) = self.body.next().await? {
            if all.len() + piece.len() > most {
                return Ok(None);
            }
            all.extend_from_slice(&piece);
        }
        Ok(Some(all))
    }
}
