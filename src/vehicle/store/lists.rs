//! What is known of each list: which version is in force, how old it is, what went wrong last.

use super::Store;
use super::connection::Fault;
use super::events::{self, By, What};
use super::manual::{priority, time};
use super::readers::View;
use super::reads::word;
use super::writer::Writer;
use jiff::{SignedDuration, Timestamp};
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::Priority;
use plated_hotlist::settings::{Hotlist, ListKind};
use rusqlite::{Connection, Row, named_params, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// A date this far ahead of the clock is still believed: clocks differ.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// A list of the configuration and what is in force of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListState {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub kind: ListKind,
    /// Of entries that name none.
    pub priority: Priority,
    /// What is in force.
    pub in_force: Option<Version>,
    /// When a list was last looked for.
    pub checked: Option<Timestamp>,
    /// What was wrong then.
    pub error: Option<String>,
    /// From this age on it is stale; zero is never.
    pub warn_after: Duration,
    /// From this age on nobody may rely on it; zero is never.
    pub critical_after: Duration,
    /// What was looked at last at its configured path.
    pub seen: Option<Seen>,
    /// When what is in force was last known to be the newest there is.
    pub confirmed: Option<Timestamp>,
    /// Its hits and entries are shown to nobody.
    pub covert: bool,
}

/// A content that was looked at at the configured path of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Over the file.
    pub sha256: Sha256,
    /// If it was refused: over the settings by which it was.
    pub refused_by: Option<Sha256>,
}

/// A list that came into force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Over its canonical form.
    pub sha256: Sha256,
    /// Over the file as it came.
    pub origin: Sha256,
    /// The date it gives itself, or of its file.
    pub dated: Option<Timestamp>,
    /// When it came into force.
    pub imported: Timestamp,
    /// Number of entries.
    pub entries: u64,
}

impl Version {
    /// The date with which a list is compared that would replace it. One in the future can't be its
    /// date; if it were taken for one, every true list would be older. `now` is none where the clock is
    /// not trusted.
    pub fn comparable(&self, now: Option<Timestamp>) -> Option<Timestamp> {
        let ahead = |t: &Timestamp| now.is_some_and(|now| t.duration_since(now) > MAX_AHEAD);
        match self.dated {
            Some(dated) if ahead(&dated) => Some(self.imported).filter(|t| !ahead(t)),
            dated => dated,
        }
    }
}

/// How stale a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Staleness {
    /// Young enough.
    Fresh,
    /// Older than it should be.
    Warn,
    /// So old that it is no help, or there is none.
    Critical,
}

impl ListState {
    /// Time since it was last known to be the newest there is, or since its own date or that of its file, or
    /// where it has none since its import; whichever is later. A date in the future says nothing. A clock
    /// that was set back makes nothing younger than new.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        let version = self.in_force.as_ref()?;
        let believable = |t: &Timestamp| t.duration_since(now) <= MAX_AHEAD;
        let known = [Some(version.dated.unwrap_or(version.imported)), self.confirmed];
        let newest = known.into_iter().flatten().filter(believable).max();
        let from = newest.or(Some(version.imported).filter(believable)).unwrap_or(now);
        Some(Duration::try_from(now.duration_since(from)).unwrap_or_default())
    }

    /// How stale it is at `now`.
    pub fn staleness(&self, now: Timestamp) -> Staleness {
        let over = |age: Duration, limit: Duration| !limit.is_zero() && age >= limit;
        match self.age(now) {
            None => Staleness::Critical,
            Some(age) if over(age, self.critical_after) => Staleness::Critical,
            Some(age) if over(age, self.warn_after) => Staleness::Warn,
            Some(_) => Staleness::Fresh,
        }
    }
}

/// A list that passed its checks, or was forced past them.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Name of the list.
    pub name: String,
    /// Over its canonical form.
    pub sha256: Sha256,
    /// Over the file as it came.
    pub origin: Sha256,
    /// The date it gives itself, or of its file.
    pub dated: Option<Timestamp>,
    /// Number of entries.
    pub entries: u64,
    /// What it was forced past, in words.
    pub forced: Vec<String>,
    /// If it came from its configured path: that content.
    pub seen: Option<Seen>,
    /// When it was last known to be the newest there is, where its source says so.
    pub confirmed: Option<Timestamp>,
}

impl Store {
    /// Brings the configured lists into [`Store::list_states`].
    pub fn configure_lists(&self, lists: &[plated_hotlist::settings::Hotlist]) -> Result<()> {
        let lists = lists.to_vec();
        self.ask("could not keep the lists' settings", move |w| configure(w, &lists))
    }

    /// What is known of each list that is or was configured, by name.
    pub fn list_states(&self) -> Result<Vec<ListState>> {
        self.look("could not look at the lists' states", states)
    }

    /// From here on this version of the list is in force; the event is in the same transaction.
    pub fn list_imported(&self, list: &Imported, by: &By) -> Result<()> {
        let (list, by) = (list.clone(), by.clone());
        self.ask("could not record an import", move |w| imported(w, &list, &by))
    }

    /// The list was refused; the event is in the same transaction. `seen` is its content, if it came
    /// from its configured path.
    pub fn list_refused(&self, name: &str, error: &str, seen: Option<Seen>, by: &By) -> Result<()> {
        let (name, error, by) = (name.to_owned(), error.to_owned(), by.clone());
        self.ask("could not record a refusal", move |w| refused(w, &name, &error, seen.as_ref(), &by))
    }

    /// The list in force is the newest there is, as was known at `at`; `seen` is what is at its path.
    pub fn list_confirmed(&self, name: &str, at: Option<Timestamp>, seen: Option<Seen>) -> Result<()> {
        let name = name.to_owned();
        self.ask("could not record a look for a list", move |w| confirmed(w, &name, at, seen.as_ref()))
    }

    /// The list is out of force; the event is in the same transaction.
    pub fn list_withdrawn(&self, name: &str, by: &By) -> Result<()> {
        let (name, by) = (name.to_owned(), by.clone());
        self.ask("could not record a withdrawal", move |w| withdrawn(w, &name, &by))
    }

    /// The list was looked for and nothing changed; `error` says why it could not be looked at.
    pub fn list_checked(&self, name: &str, error: Option<&str>) -> Result<()> {
        let (name, error) = (name.to_owned(), error.map(str::to_owned));
        self.ask("could not record a look for a list", move |w| checked(w, &name, error.as_deref()))
    }
}

/// Brings what stands in the configuration into the states. Lists that are not configured any
/// more keep their row; they are not given out.
pub(super) fn configure(writer: &mut Writer, lists: &[Hotlist]) -> Result<(), Fault> {
    let tx = writer.write()?;
    for list in lists {
        tx.execute(
            "INSERT INTO list_state (name, kind, priority, warn_s, critical_s, covert)
             VALUES (:name, :kind, :priority, :warn, :critical, :covert)
             ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, priority = excluded.priority,
               warn_s = excluded.warn_s, critical_s = excluded.critical_s, covert = excluded.covert",
            named_params! {
                ":name": list.name, ":kind": list.kind.as_str(), ":priority": word(list.priority),
                ":warn": seconds(list.stale.warn()), ":critical": seconds(list.stale.critical()), ":covert": list.covert,
            },
        )?;
    }
    tx.commit()?;
    Ok(())
}

fn seconds(limit: Duration) -> i64 {
    i64::try_from(limit.as_secs()).unwrap_or(i64::MAX)
}

/// All states, by name.
pub(super) fn states(view: &View<'_>) -> Result<Vec<ListState>, Fault> {
    let conn: &Connection = view.conn();
    let mut find = conn.prepare_cached(
        "SELECT name, kind, priority, version, origin, dated, imported, entries, checked, error, warn_s, critical_s,
                seen, seen_refused_by, confirmed, covert
         FROM list_state ORDER BY name",
    )?;
    let mut rows = find.query([])?;
    let mut states = Vec::new();
    while let Some(row) = rows.next()? {
        states.push(state(row)?);
    }
    Ok(states)
}

fn state(row: &Row<'_>) -> Result<ListState, Fault> {
    let at = |column| row.get::<_, Option<i64>>(column).map_err(Fault::from)?.map(time).transpose();
    let in_force = match (row.get::<_, Option<[u8; 32]>>(3)?, row.get::<_, Option<[u8; 32]>>(4)?, at(6)?) {
        (Some(sha256), origin, Some(imported)) => Some(Version {
            sha256: Sha256(sha256),
            origin: Sha256(origin.unwrap_or(sha256)),
            dated: at(5)?,
            imported,
            entries: row.get::<_, i64>(7)?.unsigned_abs(),
        }),
        _ => None,
    };
    let limit = |column| Ok::<_, Fault>(Duration::from_secs(row.get::<_, i64>(column)?.unsigned_abs()));
    let refused_by = row.get::<_, Option<[u8; 32]>>(13)?.map(Sha256);
    Ok(ListState {
        name: row.get(0)?,
        kind: ListKind::of(&row.get::<_, String>(1)?),
        priority: priority(&row.get::<_, String>(2)?),
        in_force,
        checked: at(8)?,
        error: row.get(9)?,
        warn_after: limit(10)?,
        critical_after: limit(11)?,
        seen: row.get::<_, Option<[u8; 32]>>(12)?.map(|sha256| Seen { sha256: Sha256(sha256), refused_by }),
        confirmed: at(14)?,
        covert: row.get(15)?,
    })
}

/// The list is in force from here on, with its event. [`configure`] made its row.
pub(super) fn imported(writer: &mut Writer, list: &Imported, by: &By) -> Result<(), Fault> {
    let (now, stamp) = (writer.now(), writer.stamp());
    let tx = writer.write()?;
    let changed = tx.execute(
        "UPDATE list_state SET version = ?2, origin = ?3, dated = ?4, imported = ?5, entries = ?6, checked = ?5,
                               error = NULL, confirmed = ?7 WHERE name = ?1",
        params![
            list.name,
            list.sha256.0,
            list.origin.0,
            list.dated.map(Timestamp::as_microsecond),
            now,
            i64::try_from(list.entries).unwrap_or(i64::MAX),
            list.confirmed.map(Timestamp::as_microsecond),
        ],
    )?;
    if changed == 0 {
        let message = format!("no list {} is configured; add it to [[hotlists]]", list.name);
        return Err(Error::new(Kind::Config, message).into());
    }
    see(&tx, &list.name, list.seen.as_ref())?;
    let what = if list.forced.is_empty() { What::ListImported } else { What::ListForced };
    let mut subject = json!({"list": list.name, "version": list.sha256, "origin": list.origin, "entries": list.entries,
                             "dated": list.dated});
    if !list.forced.is_empty() {
        subject["forced"] = list.forced.iter().map(String::as_str).collect();
    }
    events::write(&tx, &stamp, what, by, subject)?;
    tx.commit()?;
    Ok(())
}

/// Notes what was looked at at the list's path, if it came from there.
fn see(tx: &Connection, name: &str, seen: Option<&Seen>) -> rusqlite::Result<()> {
    if let Some(seen) = seen {
        let sql = "UPDATE list_state SET seen = ?2, seen_refused_by = ?3 WHERE name = ?1";
        tx.execute(sql, params![name, seen.sha256.0, seen.refused_by.map(|s| s.0)])?;
    }
    Ok(())
}

/// The list was refused; what is in force stays. With its event.
pub(super) fn refused(writer: &mut Writer, name: &str, error: &str, seen: Option<&Seen>, by: &By) -> Result<(), Fault> {
    let (now, stamp) = (writer.now(), writer.stamp());
    let tx = writer.write()?;
    tx.execute("UPDATE list_state SET checked = ?2, error = ?3 WHERE name = ?1", params![name, now, error])?;
    see(&tx, name, seen)?;
    events::write(&tx, &stamp, What::ListRefused, by, json!({"list": name, "error": error}))?;
    tx.commit()?;
    Ok(())
}

/// The list is out of force, with its event.
pub(super) fn withdrawn(writer: &mut Writer, name: &str, by: &By) -> Result<(), Fault> {
    let (now, stamp) = (writer.now(), writer.stamp());
    let tx = writer.write()?;
    tx.execute(
        "UPDATE list_state SET version = NULL, origin = NULL, dated = NULL, imported = NULL, entries = 0, checked = ?2,
                               error = NULL, confirmed = NULL, seen = NULL, seen_refused_by = NULL WHERE name = ?1",
        params![name, now],
    )?;
    events::write(&tx, &stamp, What::ListWithdrawn, by, json!({"list": name}))?;
    tx.commit()?;
    Ok(())
}

/// The list was looked for: it is the one in force, or `error` kept it from being looked at. No
/// event, since nothing changed.
pub(super) fn checked(writer: &mut Writer, name: &str, error: Option<&str>) -> Result<(), Fault> {
    let now = writer.now();
    let tx = writer.write()?;
    tx.execute("UPDATE list_state SET checked = ?2, error = ?3 WHERE name = ?1", params![name, now, error])?;
    tx.commit()?;
    Ok(())
}

/// The list was looked for, and what is in force is the newest there is, as was known at `at`. `seen`
/// is what is at its path. No event, since nothing changed.
pub(super) fn confirmed(
    writer: &mut Writer,
    name: &str,
    at: Option<Timestamp>,
    seen: Option<&Seen>,
) -> Result<(), Fault> {
    let now = writer.now();
    let latest = now.saturating_add(i64::try_from(MAX_AHEAD.as_micros()).unwrap_or(i64::MAX));
    let tx = writer.write()?;
    tx.execute(
        "UPDATE list_state SET checked = ?2, error = NULL,
           confirmed = CASE WHEN ?3 IS NULL OR (confirmed > ?3 AND confirmed <= ?4) THEN confirmed ELSE ?3 END
         WHERE name = ?1",
        params![name, now, at.map(Timestamp::as_microsecond), latest],
    )?;
    see(&tx, name, seen)?;
    tx.commit()?;
    Ok(())
}
