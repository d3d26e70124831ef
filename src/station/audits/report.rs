//! What comes out of an audit: signed, for the administrator. It holds no plate.

use super::{Audit, Basis, Item, Judgement};
use jiff::Timestamp;
use jiff::civil::Date;
use plated_access::signed;
use plated_core::error::Result;
use plated_core::signing::{Purpose, Signer, Trust};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What happened in the time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Accesses by whoever had them, most first.
    pub by_user: Vec<(String, u64)>,
    /// Accesses by purpose, most first.
    pub by_purpose: Vec<(String, u64)>,
    /// Reads that were made.
    pub reads: u64,
    /// Those of them with a hit.
    pub hits: u64,
    /// Corrections, and hits that were found to be misread.
    pub misreads: u64,
}

/// The report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Names the audit.
    pub id: Uuid,
    /// The station.
    pub station: String,
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
    /// When it was begun.
    pub begun: Timestamp,
    /// By whom.
    pub begun_by: String,
    /// When it was closed.
    pub closed: Timestamp,
    /// By whom.
    pub closed_by: String,
    /// By what it was drawn.
    pub basis: Basis,
    /// What was drawn, and what was found.
    pub items: Vec<(Item, Judgement)>,
    /// What happened in the time.
    pub figures: Figures,
    /// In the auditor's words.
    pub conclusion: String,
}

impl AuditReport {
    /// Of an audit of which each item is judged; none otherwise.
    pub fn of(
        audit: &Audit,
        station: &str,
        closed: (Timestamp, String),
        figures: Figures,
        conclusion: String,
    ) -> Option<Self> {
        let judged = |(item, judgement): &(Item, Option<Judgement>)| Some((item.clone(), judgement.clone()?));
        Some(Self {
            id: audit.id,
            station: station.to_owned(),
            first: audit.first,
            last: audit.last,
            begun: audit.begun,
            begun_by: audit.begun_by.clone(),
            closed: closed.0,
            closed_by: closed.1,
            basis: audit.basis.clone(),
            items: audit.items.iter().map(judged).collect::<Option<_>>()?,
            figures,
            conclusion,
        })
    }

    /// Signs it.
    ///
    /// # Errors
    /// `Internal` when it can't be written.
    pub fn sign(&self, signer: &Signer) -> Result<String> {
        signed::sign(self, Purpose::AUDIT_REPORT, signer)
    }

    /// The report in such a text.
    ///
    /// # Errors
    /// `Refused` when it was changed, or no such key signed it.
    pub fn open(text: &str, trust: &Trust) -> Result<Self> {
        signed::open(text.as_bytes(), "the report of an audit", Purpose::AUDIT_REPORT, trust)
    }
}
