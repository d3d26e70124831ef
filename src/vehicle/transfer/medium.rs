//! The way without a link (control P-11): what waits as encrypted files for a medium, and the receipts that come back.
//! The same batches as over the network, and the same receipts mark the same.

use super::link::Waiting;
use super::parcel::Parcel;
use crate::store::{Applied, MediumCursor, MediumLimits, Store};
use jiff::Timestamp;
use plated_access::{ExportMedium, Permit};
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::medium::{MediumRecipient, seal};
use plated_core::signing::Trust;
use plated_core::tls::Identity;
use plated_core::wire::batch::{MAX_BATCH_READS, SignedReceipt, WaitingReport};
use std::path::Path;
use uuid::Uuid;

/// Reads with their pictures in one file take about so many bytes.
const PART_BYTES: usize = 12 << 20;
/// Documents, and rows of audit logs, in one file.
const PART_OTHERS: usize = 500;

/// A file for the medium.
#[derive(Debug)]
pub struct MediumPart {
    /// Its bytes.
    pub file: Vec<u8>,
    /// Over them.
    pub sha256: Sha256,
    /// Reads in it.
    pub reads: u64,
    /// Bytes of these reads with their pictures.
    pub bytes: u64,
}

/// Who makes files, and for whom.
pub struct MediumWriter {
    vehicle: String,
    identity: Identity,
    recipient: MediumRecipient,
}

impl MediumWriter {
    /// The vehicle with this certificate, and the station with the key in the file `recipient`.
    ///
    /// # Errors
    /// `Config` when one of them can't be used.
    pub fn new(vehicle: &str, identity: Identity, recipient: &Path, now: Timestamp) -> Result<Self> {
        if identity.name != vehicle {
            let message =
                format!("the vehicle's certificate is of \"{}\" and this vehicle is \"{vehicle}\"", identity.name);
            return Err(Error::new(Kind::Config, message));
        }
        identity.validity.check(now)?;
        Ok(Self { vehicle: vehicle.to_owned(), identity, recipient: MediumRecipient::load(recipient)? })
    }
}

/// Writes what waits as files.
pub struct MediumExport<'a> {
    store: &'a Store,
    permit: &'a Permit<ExportMedium>,
    writer: MediumWriter,
    cursor: MediumCursor,
    session: Uuid,
    /// Reads that can't be exported as they are.
    stuck: u64,
}

impl<'a> MediumExport<'a> {
    /// An export to a medium on which files of these hashes are already; with `rest`, of what is on no other either.
    ///
    /// # Errors
    /// What keeps the store from being read.
    pub fn begin(
        store: &'a Store,
        permit: &'a Permit<ExportMedium>,
        writer: MediumWriter,
        present: &[Sha256],
        rest: bool,
    ) -> Result<Self> {
        let cursor = store.begin_medium(permit, present, rest)?;
        Ok(Self { store, permit, writer, cursor, session: Uuid::now_v7(), stuck: 0 })
    }

    /// Reads that are to be exported, and their bytes with pictures.
    ///
    /// # Errors
    /// What keeps them from being counted.
    pub fn waiting(&self) -> Result<(u64, u64)> {
        self.store.medium_waiting(self.permit, &self.cursor)
    }

    /// Reads that can't be exported as they are; the log names them.
    pub fn stuck(&self) -> u64 {
        self.stuck
    }

    /// The next file; none when all is in one. Which reads are in it is noted before this returns.
    ///
    /// # Errors
    /// What keeps it from being made.
    pub fn next(&mut self, now: Timestamp) -> Result<Option<MediumPart>> {
        let limits = MediumLimits { reads: MAX_BATCH_READS, bytes: PART_BYTES, others: PART_OTHERS };
        loop {
            let portion = self.store.next_for_medium(self.permit, &mut self.cursor, limits)?;
            if portion.is_empty() {
                return Ok(None);
            }
            let sizes: Vec<(Uuid, u64)> = portion.reads.iter().map(|r| (r.sealed.id, r.bytes() as u64)).collect();
            let (left, _) = self.waiting()?;
            let waiting = Waiting {
                reads: portion.reads,
                documents: portion.documents,
                rows: portion.rows,
                installation: self.store.installation().ok(),
                audit_head: self.store.audit_head().unwrap_or_default(),
                // The oldest of what follows is not looked for: the station learns it when that comes.
                beside: Some(WaitingReport { reads: left, oldest: None }).filter(|report| report.reads == 0),
            };
            let parcel = Parcel::gather(waiting, |sha256| self.store.medium_image(self.permit, sha256))?;
            self.stuck += parcel.stuck.len() as u64;
            if parcel.is_empty() {
                continue;
            }
            let (batch, body) = parcel.write(&self.writer.vehicle, self.session, now)?;
            let file = seal(&self.writer.recipient, &self.writer.identity, &body)?;
            let sha256 = Sha256::of(&file);
            let ids: Vec<Uuid> = parcel.reads.iter().map(|read| read.id).collect();
            let bytes = sizes.iter().filter(|(id, _)| ids.contains(id)).map(|(_, bytes)| bytes).sum();
            let reads = ids.len() as u64;
            self.store.note_medium_part(batch, sha256, ids)?;
            return Ok(Some(MediumPart { file, sha256, reads, bytes }));
        }
    }
}

/// Applies a receipt that came back on a medium: one that the station signed, for a batch that was exported here.
///
/// # Errors
/// `Refused` when it is none of these; nothing is marked then.
pub fn apply_brought_receipt(store: &Store, trust: &Trust, json: &[u8]) -> Result<Applied> {
    let refuse = |why: &str| Error::new(Kind::Refused, format!("this receipt does not count: {why}"));
    let signed: SignedReceipt = serde_json::from_slice(json).map_err(|_| refuse("it can't be read"))?;
    let receipt = signed.verified(trust)?;
    if !store.is_on_medium(receipt.batch)? {
        return Err(refuse("it answers nothing that was exported here and has no receipt yet"));
    }
    let applied = store.apply_receipt(&signed)?;
    store.forget_medium_part(receipt.batch)?;
    Ok(applied)
}
