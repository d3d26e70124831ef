//! The audit log, shown and written out; both pass the gate, and so are on record in it themselves.

use super::{Answer, OfficerService};
use crate::control::Reply;
use crate::store::{By, Log};
use jiff::Timestamp;
use plated_access::audit::{Head, Line, Redactor};
use plated_access::{Audit, Case, Permit};
use plated_core::error::{Context, Error, Kind, Result};
use serde_json::json;
use uuid::Uuid;

/// Rows that are taken from the store at a time.
const PAGE: usize = 500;

impl OfficerService {
    /// The newest rows, at most `last`, oldest first.
    pub(super) fn show_audit(&self, last: u64, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        let permit = self.open_audit(json!({"limit": last}), case, by)?;
        let log = self.audit_log(&permit, None)?;
        let last = i64::try_from(last).unwrap_or(i64::MAX).min(log.last);
        self.gate.shown(&permit, last.unsigned_abs())?;
        self.each_row(&permit, &log, log.last.saturating_sub(last).max(0), &mut |row| {
            answer(Reply::AuditRow { number: row.number, entry: Box::new(row.entry) })
        })
    }

    /// A log as JSON lines: that of this store if none is named.
    pub(super) fn export_audit(
        &self,
        redacted: bool,
        log: Option<Uuid>,
        case: &str,
        by: &By,
        answer: Answer<'_>,
    ) -> Result<()> {
        let permit = self.open_audit(json!({"log": log, "redacted": redacted}), case, by)?;
        let log = self.audit_log(&permit, log)?;
        self.gate.shown(&permit, log.last.unsigned_abs())?;
        let mut write = |line: Line| {
            let text = serde_json::to_string(&line);
            answer(Reply::Line(text.context(Kind::Internal, || "a row can't be written as JSON".into())?))
        };
        write(Line::Start(Head::start(&log.vehicle, log.id, Timestamp::UNIX_EPOCH)))?;
        // Of this export alone, and thrown away: nobody can find out by trying what is hidden.
        let mut key = zeroize::Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key)
            .map_err(|e| Error::new(Kind::Internal, format!("the system gave no random numbers: {e}")))?;
        let redactor = redacted.then(|| Redactor::new(&key));
        self.each_row(&permit, &log, 0, &mut |row| {
            write(
                redactor.as_ref().map_or_else(|| Line::Row(Box::new(row.clone())), |r| Line::Redacted(r.redact(&row))),
            )
        })?;
        write(Line::head(log.head)?)
    }

    fn open_audit(&self, subject: serde_json::Value, case: &str, by: &By) -> Result<Permit<Audit>> {
        self.gate.open(&by.who, &by.reason, &Case::new(case)?, subject)
    }

    fn audit_log(&self, permit: &Permit<Audit>, id: Option<Uuid>) -> Result<Log> {
        let logs = self.store.audit_logs(permit)?;
        let found = match id {
            None => logs.iter().find(|log| !log.ended),
            Some(id) => logs.iter().find(|log| log.id == id),
        };
        found.cloned().ok_or_else(|| {
            let known: Vec<String> = logs.iter().map(|log| log.id.to_string()).collect();
            Error::new(Kind::NotFound, format!("there is no such audit log; there are: {}", known.join(", ")))
        })
    }

    /// Up to the row that the head is of.
    fn each_row(
        &self,
        permit: &Permit<Audit>,
        log: &Log,
        mut after: i64,
        each: &mut dyn FnMut(plated_access::audit::Row) -> Result<()>,
    ) -> Result<()> {
        loop {
            let rows = self.store.audit_rows(permit, log.id, after, PAGE)?;
            let Some(last) = rows.last().map(|row| row.number) else { return Ok(()) };
            rows.into_iter().filter(|row| row.number <= log.last).try_for_each(&mut *each)?;
            if last >= log.last {
                return Ok(());
            }
            after = last;
        }
    }
}
