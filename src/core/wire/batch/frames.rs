//! One frame after the other: kind, length, content.

use super::malformed;
use crate::error::Result;

/// Kind and length.
pub(super) const HEAD_BYTES: usize = 5;

/// The kinds of frames.
pub(super) mod kind {
    pub const HEADER: u8 = b'H';
    pub const PACKED: u8 = b'Z';
    pub const READ: u8 = b'R';
    pub const DOCUMENT: u8 = b'D';
    pub const AUDIT_ROW: u8 = b'A';
    pub const PICTURE: u8 = b'P';
    pub const END: u8 = b'E';
}

/// Kind and length, as they are written.
pub(super) fn head(kind: u8, length: usize) -> Result<[u8; HEAD_BYTES]> {
    let length = u32::try_from(length).map_err(|_| malformed("a frame is too large to be written"))?;
    let [a, b, c, d] = length.to_be_bytes();
    Ok([kind, a, b, c, d])
}

/// A frame, or that one which is not known was passed over.
#[derive(Debug)]
pub(super) struct Frame {
    pub kind: u8,
    /// Empty where it was passed over.
    pub content: Vec<u8>,
}

/// Takes frames out of pieces of any size. Holds one frame at most, and only as much of it as came.
#[derive(Debug, Default)]
pub(super) struct FrameParser {
    head: [u8; HEAD_BYTES],
    head_bytes: usize,
    /// Bytes of the content that are still to come.
    missing: usize,
    is_kept: bool,
    content: Vec<u8>,
}

impl FrameParser {
    /// The next frame that is complete; `None` when all of `input` is taken. `limit` says how large the content
    /// of a kind may be, and is `None` for kinds that are not known. `taken` is called with each piece of
    /// the frame, and with its kind.
    pub(super) fn next(
        &mut self,
        input: &mut &[u8],
        limit: impl Fn(u8) -> Option<usize>,
        mut taken: impl FnMut(u8, &[u8]),
    ) -> Result<Option<Frame>> {
        if self.head_bytes < HEAD_BYTES {
            let piece = split(input, HEAD_BYTES - self.head_bytes);
            self.head[self.head_bytes..self.head_bytes + piece.len()].copy_from_slice(piece);
            self.head_bytes += piece.len();
            if self.head_bytes < HEAD_BYTES {
                return Ok(None);
            }
            let [kind, length @ ..] = self.head;
            self.missing = u32::from_be_bytes(length) as usize;
            let limit = limit(kind);
            self.is_kept = limit.is_some();
            if limit.is_some_and(|limit| self.missing > limit) {
                return Err(malformed(format!("a frame has {} bytes, which is too many", self.missing)));
            }
            taken(kind, &self.head);
        }
        let piece = split(input, self.missing);
        taken(self.head[0], piece);
        self.missing -= piece.len();
        if self.is_kept {
            self.content.extend_from_slice(piece);
        }
        if self.missing > 0 {
            return Ok(None);
        }
        self.head_bytes = 0;
        Ok(Some(Frame { kind: self.head[0], content: std::mem::take(&mut self.content) }))
    }

    /// Whether a frame has begun and not ended.
    pub(super) fn is_inside(&self) -> bool {
        self.head_bytes > 0
    }
}

/// Takes up to `most` bytes.
pub(super) fn split<'a>(input: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (piece, rest) = input.split_at(most.min(input.len()));
    *input = rest;
    piece
}
