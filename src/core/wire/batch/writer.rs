//! Writing a batch.

use super::frames::{head, kind};
use super::{BATCH_MAGIC, BatchHeader, BatchPicture, SealedDocument, SealedRead, SealedRow};
use crate::digest::Hasher;
use crate::error::{Context, Kind, Result};
use std::io::Write;

/// Small texts are packed together until they have so many bytes.
const PACK_BYTES: usize = 1 << 20;
/// Faster than any radio link, on the computer of a vehicle too.
const LEVEL: i32 = 3;

/// Writes a batch frame by frame.
#[derive(Debug)]
pub struct BatchWriter<W> {
    out: W,
    hasher: Hasher,
    texts: Vec<u8>,
}

impl<W: Write> BatchWriter<W> {
    /// Begins a batch. What is added has to be as many as the header says, or it will not be taken.
    ///
    /// # Errors
    /// `Storage` when it can't be written.
    pub fn new(out: W, header: &BatchHeader) -> Result<Self> {
        let mut writer = Self { out, hasher: Hasher::new(), texts: Vec::new() };
        let json = serde_json::to_vec(header).context(Kind::Internal, || "a batch's header can't be written".into())?;
        writer.write(BATCH_MAGIC)?;
        writer.frame(kind::HEADER, &[&json])?;
        Ok(writer)
    }

    /// Adds a read.
    ///
    /// # Errors
    /// As of [`BatchWriter::new`].
    pub fn read(&mut self, read: &SealedRead) -> Result<()> {
        self.text(kind::READ, &[read.id.as_bytes(), &read.sha256.0, &read.record])
    }

    /// Adds a document.
    ///
    /// # Errors
    /// As of [`BatchWriter::new`].
    pub fn document(&mut self, document: &SealedDocument) -> Result<()> {
        let kind = document.kind.as_bytes();
        let length = u8::try_from(kind.len()).context(Kind::Internal, || "a document's kind is too long".into())?;
        self.text(kind::DOCUMENT, &[document.id.as_bytes(), &document.sha256.0, &[length], kind, &document.body])
    }

    /// Adds a row of an audit log.
    ///
    /// # Errors
    /// As of [`BatchWriter::new`].
    pub fn audit_row(&mut self, row: &SealedRow) -> Result<()> {
        self.text(kind::AUDIT_ROW, &[row.log.as_bytes(), &row.number.to_be_bytes(), &row.sha256.0, &row.row])
    }

    /// Adds a picture.
    ///
    /// # Errors
    /// As of [`BatchWriter::new`].
    pub fn picture(&mut self, picture: &BatchPicture) -> Result<()> {
        self.pack()?;
        self.frame(kind::PICTURE, &[&picture.sha256.0, &picture.jpeg])
    }

    /// Ends the batch.
    ///
    /// # Errors
    /// As of [`BatchWriter::new`].
    pub fn finish(mut self) -> Result<W> {
        self.pack()?;
        let sha256 = std::mem::take(&mut self.hasher).finish();
        self.frame(kind::END, &[&sha256.0])?;
        Ok(self.out)
    }

    fn text(&mut self, kind: u8, parts: &[&[u8]]) -> Result<()> {
        self.texts.extend(head(kind, parts.iter().map(|part| part.len()).sum())?);
        parts.iter().for_each(|part| self.texts.extend_from_slice(part));
        if self.texts.len() >= PACK_BYTES { self.pack() } else { Ok(()) }
    }

    fn pack(&mut self) -> Result<()> {
        if self.texts.is_empty() {
            return Ok(());
        }
        let packed = zstd::bulk::compress(&self.texts, LEVEL);
        let packed = packed.context(Kind::Internal, || "a part of a batch can't be packed".into())?;
        self.texts.clear();
        self.frame(kind::PACKED, &[&packed])
    }

    pub(super) fn frame(&mut self, kind: u8, parts: &[&[u8]]) -> Result<()> {
        self.write(&head(kind, parts.iter().map(|part| part.len()).sum())?)?;
        parts.iter().try_for_each(|part| self.write(part))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes).context(Kind::Storage, || "a batch can't be written".into())
    }
}
