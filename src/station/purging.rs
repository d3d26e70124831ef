//! The scheduled purge of the running station (control P-14): at its start, and once a day.

use super::archive::{Archive, SqliteArchive};
use plated_access::{Actor, Case, Gate, Machine, Permit, Purge, Reason, Settings};
use plated_core::clock::Clock;
use plated_core::error::Result;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// What purges.
pub(super) struct Purging {
    archive: Arc<SqliteArchive>,
    gate: Gate,
    clock: Arc<dyn Clock>,
    /// How often it is looked whether something is due.
    interval: Duration,
}

/// The task; it ends with this value.
pub(super) struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Purging {
    pub(super) fn new(archive: Arc<SqliteArchive>, clock: Arc<dyn Clock>, interval: Duration) -> Result<Self> {
        let gate = gate(&archive, clock.clone())?;
        Ok(Self { archive, gate, clock, interval })
    }

    /// Looks now, and now and then.
    pub(super) fn start(self) -> Running {
        let this = Arc::new(self);
        Running(tokio::spawn(async move {
            loop {
                let at_work = this.clone();
                match tokio::task::spawn_blocking(move || at_work.once()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(e)) => tracing::error!(error = %e.chain(), "The purge failed; it is tried again"),
                    Err(_) => tracing::error!("A defect in the purge was caught; it is tried again"),
                }
                tokio::time::sleep(this.interval).await;
            }
        }))
    }

    fn once(&self) -> Result<()> {
        let now = self.clock.wall();
        if self.archive.due(now)?.is_empty() && !self.archive.has_unfinished_purge() {
            return Ok(());
        }
        let permit = permit(&self.gate)?;
        self.archive.purge(&permit, now).map(drop)
    }
}

/// The gate in front of the archive; its records are in the station's own log.
pub(super) fn gate(archive: &SqliteArchive, clock: Arc<dyn Clock>) -> Result<Gate> {
    Ok(Gate::new(Arc::new(archive.audit_log(clock)?), Settings::default()).0)
}

/// What lets the machine purge, once that is on record.
pub(super) fn permit(gate: &Gate) -> Result<Permit<Purge>> {
    let reason = Reason::new("the retention is over")?;
    gate.open(&Actor::Machine(Machine::Purge), &reason, &Case::none(), serde_json::json!({}))
}
