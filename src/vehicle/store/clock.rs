//! What the store knows of the clock: the latest time at which something was written, and the changes
//! of the clock.

use super::By;
use super::connection::Fault;
use super::events::{self, What};
use super::monitor;
use super::readers::View;
use super::writer::Writer;
use jiff::{SignedDuration, Timestamp};
use plated_access::audit::Entry;
use plated_access::{Actor, Breach, Reason};
use plated_core::clock::Change;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// A change of the system's clock, as it is on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockChange {
    /// What the clock would have shown.
    pub from: Timestamp,
    /// What it showed.
    pub to: Timestamp,
    /// By how many seconds it jumped; 0 when only the trust in it changed.
    pub seconds: i64,
    /// Whether it was trusted from then on.
    pub trusted: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// By how many seconds times of reads were corrected that were not sealed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_by_s: Option<i64>,
}

impl From<&Change> for ClockChange {
    fn from(change: &Change) -> Self {
        Self {
            from: change.from,
            to: change.to,
            seconds: change.jump.as_secs(),
            trusted: change.doubt.is_none(),
            why: change.doubt.clone(),
            corrected_by_s: change.correction.map(|(by, ..)| by.as_secs()),
        }
    }
}

/// A clock that is set back by less is one that was set a little.
const MIN_SET_BACK: SignedDuration = SignedDuration::from_secs(60);

/// A clock that was set back may be to hide when something was done (control P-26).
pub fn breach_of(change: &Change) -> Option<Breach> {
    let back = change.jump.checked_neg().filter(|back| *back >= MIN_SET_BACK)?;
    Some(Breach::ClockSetBack { seconds: back.as_secs().unsigned_abs() })
}

/// Puts a change down, as an event. What officers entered for a span of time by a clock that was not
/// trusted ends as much later as that clock was behind; a time that was given as the end stays.
pub(super) fn changed(writer: &mut Writer, change: &Change) -> Result<(), Fault> {
    let reason = Reason::new("the system's clock was compared with its monotonic clock")?;
    let by = By { who: Actor::of_this_process(), reason };
    let subject = serde_json::json!(ClockChange::from(change));
    let stamp = writer.stamp();
    let tx = writer.write()?;
    events::write(&tx, &stamp, What::ClockChanged, &by, subject)?;
    if let Some(breach) = breach_of(change) {
        monitor::breach(&tx, &stamp, &breach)?;
    }
    if let Some((by, from, until)) = change.correction {
        tx.execute(
            "UPDATE manual_entry SET created = created + ?1, expires = expires + iif(is_span, ?1, 0)
             WHERE created BETWEEN ?2 AND ?3 AND removed IS NULL AND created + ?1 > 0",
            params![i64::try_from(by.as_micros()).unwrap_or(0), from.as_microsecond(), until.as_microsecond()],
        )?;
    }
    tx.commit()?;
    Ok(())
}

/// The last jump, and when it was put down.
pub(super) fn last_jump(view: &View<'_>) -> Result<Option<ClockChange>, Fault> {
    let found: Option<String> = view
        .conn()
        .prepare_cached(
            "SELECT entry FROM audit WHERE action = 'clock_changed' AND entry ->> '$.elements.seconds' <> '0'
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    let wrong = || Fault::Damaged("a change of the clock in it is not what was written".into());
    found.map(|entry| ClockChange::in_entry(&entry).ok_or_else(wrong)).transpose()
}

impl ClockChange {
    /// That of a row of the audit log, whose elements are texts.
    fn in_entry(entry: &str) -> Option<Self> {
        let entry: Entry = serde_json::from_str(entry).ok()?;
        let text = |name: &str| entry.elements.get(name).cloned();
        Some(Self {
            from: text("from")?.parse().ok()?,
            to: text("to")?.parse().ok()?,
            seconds: text("seconds")?.parse().ok()?,
            trusted: text("trusted")?.parse().ok()?,
            why: text("why"),
            corrected_by_s: text("corrected_by_s").and_then(|seconds| seconds.parse().ok()),
        })
    }
}

/// The latest time at which something was written here, by the newest row of each table: one of an older
/// row may be of a clock that was ahead.
pub(super) fn newest(view: &View<'_>) -> Result<Option<Timestamp>, Fault> {
    let newest: Option<i64> = view.conn().query_row(
        "SELECT max(at) FROM (
           SELECT (SELECT stored FROM read ORDER BY number DESC LIMIT 1) AS at
           UNION ALL SELECT (SELECT at FROM audit ORDER BY id DESC LIMIT 1)
           UNION ALL SELECT (SELECT received FROM receipt ORDER BY number DESC LIMIT 1)
           UNION ALL SELECT (SELECT created FROM manual_entry ORDER BY id DESC LIMIT 1)
           UNION ALL SELECT max(imported) FROM list_state)",
        [],
        |row| row.get(0),
    )?;
    newest.map(super::manual::time).transpose()
}
