//! Reading a batch as it comes in.

use super::frames::{Frame, FrameParser, kind, split};
use super::packed::Packed;
use super::{
    BATCH_MAGIC, BatchCounts, BatchHeader, BatchPicture, MAX_BATCH_BYTES, MAX_HEADER_BYTES, MAX_PACKED_BYTES,
    MAX_PICTURE_BYTES, MAX_TEXT_BYTES, SealedDocument, SealedRead, SealedRow, is_document_kind, malformed,
};
use crate::digest::{Hasher, Sha256};
use crate::error::Result;
use uuid::Uuid;

/// What a batch holds, in the order in which it comes. Nothing of it counts before [`Event::End`].
#[derive(Debug)]
pub enum Event {
    /// Comes first, once.
    Header(BatchHeader),
    /// A read.
    Read(SealedRead),
    /// What an officer found.
    Document(SealedDocument),
    /// A row of an audit log.
    AuditRow(SealedRow),
    /// A picture.
    Picture(BatchPicture),
    /// The batch is whole: its hash is right, and so are the numbers of its header.
    End,
}

/// Reads a batch in pieces of any size. Frames of unknown kind are passed over. It holds one frame at a time
/// (16 MiB at most), and one that is being unpacked.
#[derive(Debug)]
pub struct BatchReader {
    magic_bytes: usize,
    frames: FrameParser,
    packed: Option<Packed>,
    hasher: Hasher,
    travelled: usize,
    content: usize,
    promised: Option<BatchCounts>,
    counts: BatchCounts,
    is_ended: bool,
}

impl Default for BatchReader {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchReader {
    /// A reader that has read nothing.
    pub fn new() -> Self {
        Self {
            magic_bytes: 0,
            frames: FrameParser::default(),
            packed: None,
            hasher: Hasher::new(),
            travelled: 0,
            content: 0,
            promised: None,
            counts: BatchCounts::default(),
            is_ended: false,
        }
    }

    /// The next event; `None` when all of `input` is taken and more is needed. What was taken is cut off `input`.
    ///
    /// # Errors
    /// `Input` when this is no batch, or one that was changed. Nothing of it counts then.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Event>> {
        loop {
            if let Some(packed) = &mut self.packed {
                match packed.next()? {
                    Some(frame) => match self.event(frame)? {
                        None => continue,
                        event => return Ok(event),
                    },
                    None => self.packed = None,
                }
            }
            let before = input.len();
            let frame = self.frame(input)?;
            self.travelled += before - input.len();
            if self.travelled > MAX_BATCH_BYTES {
                return Err(malformed(format!("it has more than {MAX_BATCH_BYTES} bytes")));
            }
            match frame {
                None => return Ok(None),
                Some(frame) => match self.event(frame)? {
                    None => {}
                    event => return Ok(event),
                },
            }
        }
    }

    /// Says that no more bytes come.
    ///
    /// # Errors
    /// `Input` when the batch was cut off.
    pub fn finish(self) -> Result<()> {
        if self.is_ended { Ok(()) } else { Err(malformed("it was cut off")) }
    }

    /// The next frame as it travels.
    fn frame(&mut self, input: &mut &[u8]) -> Result<Option<Frame>> {
        if self.is_ended {
            return if input.is_empty() { Ok(None) } else { Err(malformed("something follows its end")) };
        }
        if self.magic_bytes < BATCH_MAGIC.len() {
            let piece = split(input, BATCH_MAGIC.len() - self.magic_bytes);
            if !BATCH_MAGIC[self.magic_bytes..].starts_with(piece) {
                return Err(malformed("it begins with other bytes, or has another version"));
            }
            self.hasher.update(piece);
            self.magic_bytes += piece.len();
            if self.magic_bytes < BATCH_MAGIC.len() {
                return Ok(None);
            }
        }
        let hasher = &mut self.hasher;
        self.frames.next(input, limit, |kind, piece| {
            if kind != kind::END {
                hasher.update(piece);
            }
        })
    }

    fn event(&mut self, frame: Frame) -> Result<Option<Event>> {
        let Frame { kind, content } = frame;
        if self.promised.is_none() && kind != kind::HEADER {
            return Err(malformed("it does not begin with its header"));
        }
        self.content += content.len();
        if self.content > MAX_BATCH_BYTES {
            return Err(malformed(format!("it unpacks to more than {MAX_BATCH_BYTES} bytes")));
        }
        let event = match kind {
            kind::HEADER => Event::Header(self.header(&content)?),
            kind::PACKED => {
                self.packed = Some(Packed::new(content)?);
                return Ok(None);
            }
            kind::READ => Event::Read(read(&content)?),
            kind::DOCUMENT => Event::Document(document(&content)?),
            kind::AUDIT_ROW => Event::AuditRow(audit_row(&content)?),
            kind::PICTURE => Event::Picture(picture(content)?),
            kind::END => {
                self.end(&content)?;
                Event::End
            }
            _ => return Ok(None),
        };
        self.count(&event)?;
        Ok(Some(event))
    }

    fn header(&mut self, content: &[u8]) -> Result<BatchHeader> {
        if self.promised.is_some() {
            return Err(malformed("it has a second header"));
        }
        // Only the place: the parser's own message may quote the content.
        let header: BatchHeader = serde_json::from_slice(content)
            .map_err(|e| malformed(format!("its header can't be read (line {}, column {})", e.line(), e.column())))?;
        if let Some(what) = header.counts.excess() {
            return Err(malformed(format!("it has too many {what}")));
        }
        self.promised = Some(header.counts);
        Ok(header)
    }

    /// At most as many as the header says.
    fn count(&mut self, event: &Event) -> Result<()> {
        let promised = self.promised.unwrap_or_default();
        let (number, most) = match event {
            Event::Read(_) => (&mut self.counts.reads, promised.reads),
            Event::Document(_) => (&mut self.counts.documents, promised.documents),
            Event::AuditRow(_) => (&mut self.counts.audit_rows, promised.audit_rows),
            Event::Picture(_) => (&mut self.counts.pictures, promised.pictures),
            Event::Header(_) | Event::End => return Ok(()),
        };
        *number += 1;
        if *number > most { Err(malformed("it holds more than its header says")) } else { Ok(()) }
    }

    fn end(&mut self, content: &[u8]) -> Result<()> {
        let (sha256, rest) = sha256(content)?;
        if !rest.is_empty() || std::mem::take(&mut self.hasher).finish() != sha256 {
            return Err(malformed("its hash is wrong; it was changed on the way"));
        }
        if self.promised != Some(self.counts) {
            return Err(malformed("it holds less than its header says"));
        }
        self.is_ended = true;
        Ok(())
    }
}

fn limit(kind: u8) -> Option<usize> {
    match kind {
        kind::HEADER => Some(MAX_HEADER_BYTES),
        kind::PACKED => Some(MAX_PACKED_BYTES),
        kind::READ | kind::DOCUMENT | kind::AUDIT_ROW => Some(MAX_TEXT_BYTES),
        kind::PICTURE => Some(MAX_PICTURE_BYTES + 32),
        kind::END => Some(32),
        _ => None,
    }
}

fn read(content: &[u8]) -> Result<SealedRead> {
    let (id, rest) = uuid(content)?;
    let (sha256, record) = sha256(rest)?;
    Ok(SealedRead { id, sha256, record: record.to_vec() })
}

fn document(content: &[u8]) -> Result<SealedDocument> {
    let (id, rest) = uuid(content)?;
    let (sha256, rest) = sha256(rest)?;
    let (&length, rest) = rest.split_first().ok_or_else(too_short)?;
    let (kind, body) = rest.split_at_checked(length.into()).ok_or_else(too_short)?;
    let kind = std::str::from_utf8(kind).ok().filter(|kind| is_document_kind(kind));
    let kind = kind.ok_or_else(|| malformed("a document's kind is no word"))?.to_owned();
    Ok(SealedDocument { id, sha256, kind, body: body.to_vec() })
}

fn audit_row(content: &[u8]) -> Result<SealedRow> {
    let (log, rest) = uuid(content)?;
    let (number, rest) = rest.split_first_chunk().ok_or_else(too_short)?;
    let (sha256, row) = sha256(rest)?;
    Ok(SealedRow { log, number: u64::from_be_bytes(*number), sha256, row: row.to_vec() })
}

fn picture(mut content: Vec<u8>) -> Result<BatchPicture> {
    let (sha256, _) = sha256(&content)?;
    content.drain(..32);
    Ok(BatchPicture { sha256, jpeg: content })
}

fn uuid(content: &[u8]) -> Result<(Uuid, &[u8])> {
    let (id, rest) = content.split_first_chunk().ok_or_else(too_short)?;
    Ok((Uuid::from_bytes(*id), rest))
}

fn sha256(content: &[u8]) -> Result<(Sha256, &[u8])> {
    let (sha256, rest) = content.split_first_chunk().ok_or_else(too_short)?;
    Ok((Sha256(*sha256), rest))
}

fn too_short() -> crate::error::Error {
    malformed("a frame is too short for its kind")
}
