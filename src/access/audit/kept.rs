//! A row as a database keeps it, and the verification of a log that comes out of one. The SQL is with whoever keeps it.

use super::entry::Entry;
use super::head::Head;
use super::row::{Row, Salt};
use super::verify::{Report, Verifier};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Kind, Result};
use plated_core::signing::Trust;
use uuid::Uuid;

/// The columns of a row: all of it, and copies of parts to find it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRow {
    /// Number in its log.
    pub number: i64,
    /// Copy of the time in the entry, microseconds since 1970.
    pub at: i64,
    /// Copy of the action in the entry.
    pub action: String,
    /// Hash of the row before it.
    pub prev: [u8; 32],
    /// Secret salt.
    pub salt: [u8; 32],
    /// Hash of the row.
    pub hash: [u8; 32],
    /// JSON of [`Entry`].
    pub entry: String,
}

impl KeptRow {
    /// The columns of this row.
    ///
    /// # Errors
    /// `Internal` when it can't be written as JSON.
    pub fn of(row: &Row) -> Result<Self> {
        let entry = serde_json::to_string(&row.entry)
            .context(Kind::Internal, || "a row of the audit log can't be written as JSON".into())?;
        Ok(Self {
            number: row.number,
            at: row.entry.at.as_microsecond(),
            action: row.entry.action.as_str().to_owned(),
            prev: row.prev.0,
            salt: *row.salt.as_bytes(),
            hash: row.hash.0,
            entry,
        })
    }

    /// The row; none when its entry is none. The copies beside the entry are not looked at.
    pub fn row(&self) -> Option<Row> {
        let entry: Entry = serde_json::from_str(&self.entry).ok()?;
        let (prev, salt, hash) = (Sha256(self.prev), Salt::new(self.salt), Sha256(self.hash));
        Some(Row { number: self.number, prev, salt, entry, hash })
    }
}

/// What the verification of a log found.
#[derive(Clone, Debug)]
pub struct LogReport {
    /// Names the log.
    pub log: Uuid,
    /// No row is added to it any more.
    pub ended: bool,
    /// Its rows.
    pub rows: Report,
    /// What is wrong besides, in words.
    pub problems: Vec<String>,
}

impl LogReport {
    /// Faults that are named in words.
    const MAX_NAMED: usize = 3;

    /// What is wrong, in words; none when all is as it was written.
    pub fn fault(&self) -> Option<String> {
        if self.rows.is_whole() && self.problems.is_empty() {
            return None;
        }
        let faults = self.rows.faults.iter().map(ToString::to_string).chain(self.problems.iter().cloned());
        Some(faults.take(Self::MAX_NAMED).collect::<Vec<_>>().join("; "))
    }
}

/// Verifies one log as its rows come out of a database, in their order.
#[derive(Debug)]
pub struct LogVerifier {
    log: Uuid,
    ended: bool,
    verifier: Verifier,
    problems: Vec<String>,
}

impl LogVerifier {
    /// Of the log of `owner`, with its newest head as it was signed. A head that does not count is a fault of the log.
    ///
    /// # Errors
    /// `Input` when no log begins like this.
    pub fn new(log: Uuid, owner: &str, ended: bool, head: &str, trust: &Trust) -> Result<Self> {
        let mut verifier = Verifier::new(Head::start(owner, log, Timestamp::UNIX_EPOCH))?;
        let signed = Head::open(head.as_bytes(), trust).and_then(|head| verifier.head(head));
        let problems = signed.err().map(|e| e.chain()).into_iter().collect();
        Ok(Self { log, ended, verifier, problems })
    }

    /// The next row.
    pub fn push(&mut self, kept: &KeptRow) {
        let number = kept.number;
        let Some(row) = kept.row() else {
            self.problems.push(format!("row {number} is no row"));
            return;
        };
        if (kept.at, kept.action.as_str()) != (row.entry.at.as_microsecond(), row.entry.action.as_str()) {
            self.problems.push(format!("row {number}: the columns beside the entry differ from it"));
        }
        self.verifier.push(row.link());
    }

    /// There are no more rows.
    pub fn finish(self) -> LogReport {
        let Self { log, ended, verifier, problems } = self;
        LogReport { log, ended, rows: verifier.finish(), problems }
    }
}
