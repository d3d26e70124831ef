//! A batch as it is put together: the reads of the outbox with their pictures, and what goes with them.

use super::link::Waiting;
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Kind, Result};
use plated_core::wire::Computer;
use plated_core::wire::batch::{
    BatchCounts, BatchHeader, BatchPicture, BatchWriter, MAX_BATCH_PICTURES, MAX_PICTURE_BYTES, SealedDocument,
    SealedRead, SealedRow, WaitingReport,
};
use serde_json::value::RawValue;
use std::collections::HashSet;
use uuid::Uuid;

/// Largest record that any station takes.
const MAX_RECORD_BYTES: usize = 1 << 20;

/// What is sent in one request.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    pub reads: Vec<SealedRead>,
    /// Of each read, the pictures that it names.
    named: Vec<Vec<Sha256>>,
    pub pictures: Vec<BatchPicture>,
    pub documents: Vec<SealedDocument>,
    pub rows: Vec<SealedRow>,
    /// Reads that can't be sent as they are.
    pub stuck: Vec<Uuid>,
    pub installation: Option<Uuid>,
    pub audit_head: Option<String>,
    pub beside: Option<WaitingReport>,
}

impl Parcel {
    /// Gets the pictures of what waits. Blocks.
    ///
    /// # Errors
    /// What keeps the store from being read.
    pub fn gather(waiting: Waiting, image: impl Fn(&Sha256) -> Result<Option<Vec<u8>>>) -> Result<Self> {
        let Waiting { reads, documents, rows, installation, audit_head, beside } = waiting;
        let mut parcel = Self { documents, rows, installation, audit_head, beside, ..Self::default() };
        let mut packed: HashSet<Sha256> = HashSet::new();
        for read in reads {
            let id = read.sealed.id;
            let wanted: Vec<Sha256> =
                read.images.iter().map(|image| image.sha256).filter(|sha256| !packed.contains(sha256)).collect();
            if packed.len() + wanted.len() > MAX_BATCH_PICTURES {
                break;
            }
            if read.sealed.record.len() > MAX_RECORD_BYTES {
                tracing::error!(read = %id, "A read is too large for any batch and stays in the vehicle");
                parcel.stuck.push(id);
                continue;
            }
            let mut pictures = Vec::with_capacity(wanted.len());
            for sha256 in wanted {
                let jpeg = image(&sha256)?.filter(|jpeg| Sha256::of(jpeg) == sha256);
                pictures.extend(jpeg.filter(|jpeg| jpeg.len() <= MAX_PICTURE_BYTES).map(|jpeg| (sha256, jpeg)));
            }
            let here: HashSet<Sha256> = pictures.iter().map(|(sha256, _)| *sha256).collect();
            if !read.images.iter().all(|image| packed.contains(&image.sha256) || here.contains(&image.sha256)) {
                tracing::error!(
                    read = %id,
                    "A picture is lost or damaged in the store, and its read stays in the vehicle; run `plated check`"
                );
                parcel.stuck.push(id);
                continue;
            }
            packed.extend(here);
            parcel.pictures.extend(pictures.into_iter().map(|(sha256, jpeg)| BatchPicture { sha256, jpeg }));
            parcel.named.push(read.images.iter().map(|image| image.sha256).collect());
            parcel.reads.push(read.sealed);
        }
        Ok(parcel)
    }

    /// Nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.reads.is_empty() && self.documents.is_empty() && self.rows.is_empty()
    }

    /// Each read by itself, with its pictures.
    pub fn reads_alone(&self) -> impl Iterator<Item = Self> {
        self.reads.iter().zip(&self.named).map(|(read, named)| Self {
            reads: vec![read.clone()],
            named: vec![named.clone()],
            pictures: self.pictures.iter().filter(|picture| named.contains(&picture.sha256)).cloned().collect(),
            installation: self.installation,
            audit_head: self.audit_head.clone(),
            ..Self::default()
        })
    }

    /// What is not a read.
    pub fn others(&self) -> Self {
        Self {
            documents: self.documents.clone(),
            rows: self.rows.clone(),
            installation: self.installation,
            audit_head: self.audit_head.clone(),
            ..Self::default()
        }
    }

    /// How many parts may be refused by themselves.
    pub fn parts(&self) -> usize {
        self.reads.len() + usize::from(!self.documents.is_empty() || !self.rows.is_empty())
    }

    /// Its bytes, with a new id.
    ///
    /// # Errors
    /// `Internal` when they can't be made.
    pub fn write(&self, vehicle: &str, session: Uuid, sent: Timestamp) -> Result<(Uuid, Vec<u8>)> {
        let batch = Uuid::now_v7();
        let audit_head = self.audit_head.clone().map(RawValue::from_string).transpose();
        let header = BatchHeader {
            batch,
            vehicle: vehicle.to_owned(),
            computer: self.installation.map(|installation| Computer { installation, session }),
            sent,
            waiting: self.beside,
            audit_head: audit_head.context(Kind::Internal, || "the head of the audit log is no JSON".into())?,
            counts: BatchCounts {
                reads: self.reads.len(),
                pictures: self.pictures.len(),
                documents: self.documents.len(),
                audit_rows: self.rows.len(),
            },
        };
        let mut writer = BatchWriter::new(Vec::new(), &header)?;
        self.reads.iter().try_for_each(|read| writer.read(read))?;
        self.documents.iter().try_for_each(|document| writer.document(document))?;
        self.rows.iter().try_for_each(|row| writer.audit_row(row))?;
        self.pictures.iter().try_for_each(|picture| writer.picture(picture))?;
        Ok((batch, writer.finish()?))
    }
}
