//! The station's audit log for everybody: without plates, names, reasons and case numbers, and still verified.

use crate::archive::Engine;
use crate::database::Database;
use crate::rows::Rows;
use jiff::Timestamp;
use plated_access::audit::{Head, KeptRow, Line, Redactor};
use plated_access::{Access, Actor, Audit, Case, Gate, Machine, Permit, PublishLog, Reason};
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::shutdown::Shutdown;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// Rows that are looked at in one look.
const AT_ONCE: u32 = 200;
/// It is made anew after so long.
const MADE_EVERY: Duration = Duration::from_secs(24 * 3600);
/// It is looked so often whether it is to be made.
const LOOK_EVERY: Duration = Duration::from_secs(900);
/// Name of the file in the folder of what is published.
const FILE: &str = "audit-log.jsonl";

/// Makes the published log, day by day.
pub struct Publisher {
    archive: Arc<dyn Engine>,
    gate: Gate,
    path: PathBuf,
}

impl Publisher {
    /// Into this folder of the station's data.
    ///
    /// # Errors
    /// `Internal` when the station's log can't be used.
    pub fn new(archive: Arc<dyn Engine>, gate: Gate, data: &Path) -> Self {
        Self { archive, gate, path: data.join("published").join(FILE) }
    }

    /// Where it lies, once it was made.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it now and each day, until `stop` is requested.
    pub async fn run(self: Arc<Self>, stop: Shutdown) {
        while !stop.is_requested() {
            let at_work = self.clone();
            match tokio::task::spawn_blocking(move || at_work.once()).await {
                Ok(Ok(())) => {}
                Ok(Err(e)) => tracing::error!(error = %e.chain(), "The audit log for everybody could not be made"),
                Err(_) => tracing::error!("A defect was caught while the audit log for everybody was made"),
            }
            tokio::select! {
                () = stop.requested() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Makes it if it is old or not there.
    fn once(&self) -> Result<()> {
        let age = std::fs::metadata(&self.path).and_then(|of| of.modified()).ok();
        let age = age.and_then(|at| SystemTime::now().duration_since(at).ok());
        if age.is_some_and(|age| age < MADE_EVERY) {
            return Ok(());
        }
        let reason = Reason::new("the agency publishes its audit log")?;
        let actor = Actor::Machine(Machine::Publish);
        let permit: Permit<PublishLog> = self.gate.open(&actor, &reason, &Case::none(), json!({}))?;
        let failed = || format!("could not write {}", self.path.display());
        durable::make_folder(durable::folder_of(&self.path)).context(Kind::Storage, failed)?;
        let new = durable::beside(&self.path, ".new");
        let mut out = BufWriter::new(File::create(&new).context(Kind::Storage, failed)?);
        write_redacted(self.archive.database(), &permit, &mut out)?;
        out.flush().context(Kind::Storage, failed)?;
        durable::put_in_place(&new, &self.path).context(Kind::Storage, failed)
    }
}

/// What lets the log out without plates and names: the machine publishes it, and a person may see more than that.
pub trait LetsOut: Access {}
impl LetsOut for PublishLog {}
impl LetsOut for Audit {}

/// Writes the log that goes on, up to its signed head. No line names a plate or a person.
///
/// # Errors
/// `Damaged` when a row can't be read, and what keeps it from being written.
pub fn write_redacted<P: LetsOut>(database: &Mutex<Database>, _: &Permit<P>, mut out: impl Write) -> Result<()> {
    let look = |rows: &Rows<'_>| {
        let sql = "SELECT id, head FROM audit_log ORDER BY id DESC LIMIT 1";
        rows.one(sql, &[], |row| Ok((row.get::<Uuid>(0)?, row.get::<String>(1)?)))
    };
    let read = || database.lock().unwrap_or_else(PoisonError::into_inner);
    let none = || Error::new(Kind::NotFound, "the station has no audit log yet");
    let (log, signed) = read().read(look)?.ok_or_else(none)?;
    let (head, _) = Head::signed_by(signed.as_bytes())?;
    Line::Start(Head::start(&head.vehicle, log, Timestamp::UNIX_EPOCH)).write(&mut out)?;
    // Of this publication alone, and thrown away: nobody can find out by trying what is hidden.
    let mut key = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key)
        .map_err(|e| Error::new(Kind::Internal, format!("the system gave no random numbers: {e}")))?;
    let redactor = Redactor::new(&key);
    let mut after = 0_i64;
    while after < head.number {
        let page = read().read(|rows| rows.kept_of_log(log, after, head.number, AT_ONCE))?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for kept in &page {
            let broken = || Error::new(Kind::Damaged, format!("row {} of the audit log {log} is no row", kept.number));
            Line::Redacted(redactor.redact(&kept.row().ok_or_else(broken)?)).write(&mut out)?;
        }
    }
    Line::head(signed)?.write(&mut out)
}

impl Rows<'_> {
    fn kept_of_log(&self, log: Uuid, after: i64, until: i64, at_once: u32) -> Result<Vec<KeptRow>> {
        let sql = "SELECT number, at, action, prev, salt, hash, entry FROM audit
                   WHERE log = ?1 AND number > ?2 AND number <= ?3 ORDER BY number LIMIT ?4";
        self.all(sql, &[&log, &after, &until, &at_once], |row| {
            let (number, at, action, prev) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(KeptRow { number, at, action, prev, salt: row.get(4)?, hash: row.get(5)?, entry: row.get(6)? })
        })
    }
}
