//! A part of a file as the body of an answer, read while it is sent.

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::{JoinHandle, spawn_blocking};

/// Bytes read at a time; no more of the file is in memory.
const CHUNK_BYTES: u64 = 256 << 10;

/// Bytes of a file. It may lose its name meanwhile.
pub struct FileBody {
    file: Arc<File>,
    left: Range<u64>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl FileBody {
    /// These bytes of the file, which must be there.
    pub fn new(file: File, bytes: Range<u64>) -> Self {
        Self { file: Arc::new(file), left: bytes, reading: None }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let (file, start) = (self.file.clone(), self.left.start);
        let size = CHUNK_BYTES.min(self.left.end - start) as usize;
        let reading = self.reading.get_or_insert_with(|| {
            spawn_blocking(move || {
                let mut chunk = vec![0; size];
                file.read_exact_at(&mut chunk, start)?;
                Ok(chunk.into())
            })
        });
        let read = ready!(Pin::new(reading).poll(cx)).map_err(io::Error::other).flatten();
        self.reading = None;
        if let Ok(chunk) = &read {
            self.left.start += chunk.len() as u64;
        } else {
            self.left = 0..0;
        }
        Poll::Ready(Some(read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.end - self.left.start)
    }
}
