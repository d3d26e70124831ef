//! The scheduled purge of the running station (control P-14): at its start, and every quarter of an hour.
//!
//! A clock that is set ahead must not empty the archive. Without a time server that keeps it, nothing is deleted while it
//! has jumped ahead since the start, nor while no vehicle has made a read in the days before what it shows: vehicles
//! have clocks of their own.

use super::archive::Engine;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use plated_access::{Actor, Case, Gate, Machine, Permit, Purge, Reason, Settings};
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// A clock that no time server keeps may be set ahead by so much while the station runs.
const MAX_JUMP: SignedDuration = SignedDuration::from_hours(24);
/// One that no time server keeps is believed when there are reads of so many days before what it shows.
const DAYS_WITH_READS: i64 = 7;

/// What purges.
pub struct Purging {
    archive: Arc<dyn Engine>,
    gate: Gate,
    clock: Arc<dyn Clock>,
    /// How often it is looked whether something is due.
    interval: Duration,
    /// Wall clock and monotonic clock at the start.
    began: (Timestamp, Duration),
}

/// The task; it ends with this value.
pub(super) struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Purging {
    /// Of this archive, by this clock. Running, it looks so often whether something is due.
    ///
    /// # Errors
    /// `Internal` when the archive's own log can't be used.
    pub fn new(archive: Arc<dyn Engine>, clock: Arc<dyn Clock>, interval: Duration) -> Result<Self> {
        // What is asked of persons is not asked of the machine.
        let gate = gate(&*archive, &Settings::default(), clock.clone())?;
        let began = (clock.wall(), clock.monotonic());
        Ok(Self { archive, gate, clock, interval, began })
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

    /// Deletes what is due now.
    ///
    /// # Errors
    /// `Refused` when something is due by a clock that is not believed; what keeps it from being deleted.
    pub fn once(&self) -> Result<()> {
        let now = self.clock.wall();
        if self.archive.due(now)?.is_empty() && !self.archive.has_unfinished_purge()? {
            return Ok(());
        }
        if let Some(doubt) = self.doubt(now)? {
            let message = format!(
                "nothing is deleted, since the clock may be wrong: {doubt}. Let a time server keep it; if it is right, stop \
                 the station and run `plated-station purge`"
            );
            return Err(Error::new(Kind::Refused, message));
        }
        let permit = permit(&self.gate)?;
        self.archive.purge(&permit, now).map(drop)
    }
}

impl Purging {
    /// Why the clock is not believed, as a sentence; none when it is.
    fn doubt(&self, now: Timestamp) -> Result<Option<String>> {
        if self.clock.is_synchronised() == Some(true) {
            return Ok(None);
        }
        let (wall, monotonic) = self.began;
        let passed = self.clock.monotonic().saturating_sub(monotonic);
        let jump = SignedDuration::try_from(passed).map(|passed| now.duration_since(wall) - passed);
        if let Some(jump) = jump.ok().filter(|jump| *jump > MAX_JUMP) {
            return Ok(Some(format!("it was set {} hours ahead since the station started", jump.as_hours())));
        }
        let today = now.to_zoned(TimeZone::UTC).date();
        let first = today.checked_sub(Span::new().days(DAYS_WITH_READS));
        let first = first.context(Kind::Config, || format!("the clock can't be right, it shows {now}"))?;
        match self.archive.statistics(first, today)?.days.iter().any(|day| day.reads > 0) {
            true => Ok(None),
            false => Ok(Some(format!("it shows {now:.0}, and no read is of the {DAYS_WITH_READS} days before that"))),
        }
    }
}

/// The gate in front of the archive, with what the agency asks of each access; its records are in the station's own log.
pub(super) fn gate(archive: &dyn Engine, access: &Settings, clock: Arc<dyn Clock>) -> Result<Gate> {
    Ok(Gate::new(Arc::new(archive.audit_log(clock)?), access.clone()).0)
}

/// What lets the machine purge, once that is on record.
pub(super) fn permit(gate: &Gate) -> Result<Permit<Purge>> {
    let reason = Reason::new("the retention is over")?;
    gate.open(&Actor::Machine(Machine::Purge), &reason, &Case::none(), serde_json::json!({}))
}
