//! Media for a vehicle without a link (control P-11): whoever asks writes the files, since the daemon sees no medium.

use super::{Answer, OfficerService};
use crate::control::Reply;
use crate::store::{By, Key};
use crate::transfer::{MediumExport, MediumWriter, Settings, VehicleIdentity, apply_brought_receipt};
use plated_access::{Case, ExportMedium, Permit};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::Trust;
use serde_json::json;
use std::path::Path;

/// Bytes of a file that are handed over at once.
const PIECE_BYTES: usize = 48 << 10;
/// Largest receipt that is read.
const MAX_RECEIPT_BYTES: u64 = 4 << 20;

impl OfficerService {
    fn way(&self) -> Result<&Settings> {
        let none = || {
            let text = "no station is configured: [transfer] names it, and the vehicle's certificate and keys";
            Error::new(Kind::Missing, text)
        };
        self.config.transfer.as_ref().ok_or_else(none)
    }

    /// Hands over what waits and is not in the files `present`, nor with `rest` in others, as files; how many reads are in each is on record
    /// before it is handed over.
    pub(super) fn export_medium(
        &self,
        present: &[Sha256],
        rest: bool,
        case: &str,
        by: &By,
        answer: Answer<'_>,
    ) -> Result<()> {
        let (way, case, now) = (self.way()?, Case::new(case)?, self.clock.wall());
        let waiting = self.store.stats()?;
        let subject = json!({"waiting": waiting.pending + waiting.refused, "files": present.len()});
        let permit: Permit<ExportMedium> = self.gate.open(&by.who, &by.reason, &case, subject)?;
        let identity = VehicleIdentity::open(&self.config, way, &Key::load(&self.config.store)?)?.in_use()?;
        let writer = MediumWriter::new(&self.vehicle, identity, &way.medium_recipient, now)?;
        let mut export = MediumExport::begin(&self.store, &permit, writer, present, rest)?;
        let (reads, bytes) = export.waiting()?;
        answer(Reply::MediumBegins { reads, bytes })?;
        while let Some(part) = export.next(self.clock.wall())? {
            if part.reads > 0 {
                self.gate.shown(&permit, part.reads)?;
            }
            for piece in part.file.chunks(PIECE_BYTES) {
                answer(Reply::MediumPiece(hex::encode(piece)))?;
            }
            answer(Reply::MediumPart { sha256: part.sha256, reads: part.reads, bytes: part.bytes })?;
        }
        match export.stuck() {
            0 => Ok(()),
            stuck => answer(Reply::NotExported(stuck)),
        }
    }

    /// Applies a receipt that came back, if it is the station's and answers what was exported here.
    pub(super) fn bring_receipt(&self, file: &Path, by: &By, answer: Answer<'_>) -> Result<()> {
        let trust = Trust::load(&self.way()?.receipt_keys)?;
        let failed = || format!("could not read the receipt {}", file.display());
        if std::fs::metadata(file).context(Kind::Input, failed)?.len() > MAX_RECEIPT_BYTES {
            return Err(Error::new(Kind::Input, "it is too large to be a receipt"));
        }
        let json = std::fs::read(file).context(Kind::Input, failed)?;
        let applied = apply_brought_receipt(&self.store, &trust, &json)?;
        self.store.receipt_brought(&applied, by)?;
        answer(Reply::ReceiptBrought(applied))
    }
}
