//! Exports: a log, whole or redacted, as JSON lines.

use super::head::Head;
use super::redact::RedactedRow;
use super::row::Row;
use super::verify::{Fault, Report, Verifier};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::Trust;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::{BufRead, Read, Write};

/// A line of an export. The first is a start, or a signed head when the log goes back further; then
/// rows in order, each signed head behind the row that it is of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The log begins here.
    Start(Head),
    /// A row. It holds its salt: for those who may see all of it.
    Row(Box<Row>),
    /// A row for everybody.
    Redacted(RedactedRow),
    /// A signed head, as [`Head::sign`] gives it.
    Head(Box<RawValue>),
}

/// Longest line in bytes: an entry, and what comes with it.
const MAX_LINE: u64 = 4 << 20;

impl Line {
    /// A signed head, as [`Head::sign`] gives it.
    ///
    /// # Errors
    /// `Input` when it is no JSON.
    pub fn head(signed: String) -> Result<Self> {
        RawValue::from_string(signed).map(Self::Head).context(Kind::Input, || "a signed head is no JSON".into())
    }

    /// Writes it and the end of the line.
    ///
    /// # Errors
    /// `Storage` when it can't be written.
    pub fn write(&self, mut out: impl Write) -> Result<()> {
        let failed = || "could not write the audit log".to_owned();
        let mut line = serde_json::to_vec(self).context(Kind::Internal, failed)?;
        line.push(b'\n');
        out.write_all(&line).context(Kind::Storage, failed)
    }
}

/// Verifies an export. Without the vehicle's public key no signature counts, so that only the chain is
/// verified.
///
/// # Errors
/// `Storage` when it can't be read, `Input` when it does not begin as an export, `Refused` when a head is
/// not signed by a trusted key.
pub fn verify_file(mut input: impl BufRead, trust: Option<&Trust>) -> Result<Report> {
    let no_export = || Error::new(Kind::Input, "this is no audit log: its first line is no start and no head");
    let (mut verifier, mut number, mut text): (Option<Verifier>, u64, _) = (None, 0, Vec::new());
    loop {
        text.clear();
        number += 1;
        let read = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut text);
        if read.context(Kind::Storage, || "could not read the audit log".into())? == 0 {
            break;
        }
        if text.len() as u64 == MAX_LINE && text.last() != Some(&b'\n') {
            return Err(Error::new(Kind::Input, format!("line {number} of the audit log is longer than 4 MiB")));
        }
        let line = serde_json::from_slice::<Line>(&text).ok();
        let Some(verifier) = &mut verifier else {
            let start = match (line, trust) {
                (Some(Line::Start(head)), _) if head.is_start() => head,
                (Some(Line::Head(signed)), Some(trust)) => Head::open(signed.get().as_bytes(), trust)?,
                (Some(Line::Head(_)), None) => {
                    let message = "this audit log goes on from a signed head; give the vehicle's public key";
                    return Err(Error::new(Kind::Input, message));
                }
                _ => return Err(no_export()),
            };
            verifier = Some(Verifier::new(start)?);
            continue;
        };
        match line {
            Some(Line::Row(row)) => verifier.push(row.link()),
            Some(Line::Redacted(row)) => verifier.push(row.link()),
            Some(Line::Head(signed)) => {
                if let Some(trust) = trust {
                    verifier.head(Head::open(signed.get().as_bytes(), trust)?)?;
                }
            }
            Some(Line::Start(_)) | None => verifier.fault(Fault::Unreadable { line: number }),
        }
    }
    verifier.map(Verifier::finish).ok_or_else(no_export)
}
