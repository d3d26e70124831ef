//! The station's own audit log (control P-22): who looked into the archive, held, released and purged.

use crate::database::Database;
use crate::key::ArchiveKey;
use crate::rows::Rows;
use jiff::Timestamp;
use plated_access::audit::{Entry, Head, KeptRow};
use plated_access::{AccessRecord, AuditLog};
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::signing::{Purpose, Signer, Trust};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Keeps access records of the station.
pub struct StationLog {
    main: Arc<Mutex<Database>>,
    signer: Signer,
    station: String,
    clock: Arc<dyn Clock>,
}

impl StationLog {
    pub(super) fn new(
        main: Arc<Mutex<Database>>,
        key: &ArchiveKey,
        station: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        Ok(Self { main, signer: key.signer(Purpose::AUDIT_HEAD)?, station: station.to_owned(), clock })
    }

    /// The head that the next row follows. A log whose head can't be used stays, and another one is begun.
    fn head(&self, rows: &Rows<'_>, at: Timestamp) -> Result<Head> {
        let found: Option<String> =
            rows.one("SELECT head FROM audit_log ORDER BY id DESC LIMIT 1", &[], |row| row.get(0))?;
        if let Some(text) = found {
            match Head::open(text.as_bytes(), &Trust::only([self.signer.public_key()])) {
                Ok(head) if head.vehicle == self.station => return Ok(head),
                Ok(_) => tracing::warn!("The station has another name than before; another audit log is begun"),
                Err(e) => {
                    tracing::error!(error = %e.chain(), "The audit log can't be gone on with; another one is begun")
                }
            }
        }
        let head = Head::start(&self.station, Uuid::now_v7(), at);
        rows.run("INSERT INTO audit_log (id, head) VALUES (?1, ?2)", &[&head.log, &head.sign(&self.signer)?])?;
        Ok(head)
    }
}

impl AuditLog for StationLog {
    fn append(&self, record: AccessRecord) -> Result<i64> {
        let at = self.clock.wall();
        self.main.lock().unwrap_or_else(PoisonError::into_inner).transaction(|rows| {
            let head = self.head(rows, at)?;
            let (row, head) = head.next(Entry::of(&record, at, true)?)?;
            let KeptRow { number, at, action, prev, salt, hash, entry } = KeptRow::of(&row)?;
            rows.run(
                "INSERT INTO audit (log, number, at, action, prev, salt, hash, entry)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                &[&head.log, &number, &at, &action, &prev, &salt, &hash, &entry],
            )?;
            rows.run("UPDATE audit_log SET head = ?2 WHERE id = ?1", &[&head.log, &head.sign(&self.signer)?])?;
            Ok(number)
        })
    }
}
