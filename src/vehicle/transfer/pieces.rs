//! The body of a batch as it is sent: piece by piece, so that it is seen whether anything moves, and not faster than is
//! allowed.

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

/// Bytes that are handed over at once.
const PIECE_BYTES: usize = 16 << 10;

/// The rest of a body.
pub(super) struct Pieces {
    rest: Bytes,
    /// Told of each piece that the connection takes.
    taken: watch::Sender<usize>,
    /// Bytes a second at most.
    limit: Option<u64>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Pieces {
    /// The pieces of `body`, and what tells that one was taken.
    pub fn new(body: Vec<u8>, limit: Option<u64>) -> (Self, watch::Receiver<usize>) {
        let (taken, moving) = watch::channel(0);
        (Self { rest: body.into(), taken, limit, pause: None }, moving)
    }

    /// So many bytes are handed over at once: of a slow link, what it takes in a second.
    fn piece(&self) -> usize {
        let a_second = self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PIECE_BYTES);
        PIECE_BYTES.min(a_second.max(256)).min(self.rest.len())
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.piece();
        let piece = self.rest.split_to(length);
        self.taken.send_modify(|taken| *taken += length);
        if let Some(limit) = self.limit.filter(|limit| *limit > 0) {
            let wait = Duration::from_secs_f64(length as f64 / limit as f64);
            self.pause = Some(Box::pin(tokio::time::sleep_until(Instant::now() + wait)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }
}
