//! Frames inside a packed one (zstd), unpacked one after the other.

use super::frames::{Frame, FrameParser, kind};
use super::{MAX_TEXT_BYTES, MAX_UNPACKED_BYTES, malformed};
use crate::error::Result;
use std::fmt;
use std::io::{Cursor, Read};
use zstd::stream::read::Decoder;

/// Largest window that may be asked of the one who unpacks, as a power of two: 8 MiB.
const MAX_WINDOW_LOG: u32 = 23;
const PIECE_BYTES: usize = 16 << 10;

/// A packed frame that is being unpacked.
pub(super) struct Packed {
    decoder: Decoder<'static, Cursor<Vec<u8>>>,
    frames: FrameParser,
    piece: Vec<u8>,
    position: usize,
    unpacked: usize,
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes so far)", self.unpacked)
    }
}

impl Packed {
    pub(super) fn new(content: Vec<u8>) -> Result<Self> {
        let broken = |_| malformed("a packed frame can't be unpacked");
        let mut decoder = Decoder::with_buffer(Cursor::new(content)).map_err(broken)?;
        decoder.window_log_max(MAX_WINDOW_LOG).map_err(broken)?;
        Ok(Self { decoder, frames: FrameParser::default(), piece: Vec::new(), position: 0, unpacked: 0 })
    }

    /// The next frame; `None` behind the last one.
    pub(super) fn next(&mut self) -> Result<Option<Frame>> {
        loop {
            let mut input = self.piece.get(self.position..).unwrap_or_default();
            let frame = self.frames.next(&mut input, limit, |_, _| {})?;
            self.position = self.piece.len() - input.len();
            if frame.is_some() {
                return Ok(frame);
            }
            self.piece.resize(PIECE_BYTES, 0);
            self.position = 0;
            let n = self.decoder.read(&mut self.piece).map_err(|_| malformed("a packed frame can't be unpacked"))?;
            self.piece.truncate(n);
            self.unpacked += n;
            if self.unpacked > MAX_UNPACKED_BYTES {
                return Err(malformed("a packed frame grows too large"));
            }
            match (n, self.frames.is_inside()) {
                (0, false) => return Ok(None),
                (0, true) => return Err(malformed("a packed frame ends inside another")),
                _ => {}
            }
        }
    }
}

fn limit(kind: u8) -> Option<usize> {
    matches!(kind, kind::READ | kind::DOCUMENT | kind::AUDIT_ROW).then_some(MAX_TEXT_BYTES)
}
