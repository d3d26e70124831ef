//! What the program itself puts on record: alerts, changes of the configuration, signs of a breach.

use super::Store;
use super::audit::{self, Stamp};
use super::connection::Fault;
use super::files::beside;
use super::readers::View;
use super::writer::Writer;
use jiff::Timestamp;
use plated_access::audit::Entry;
use plated_access::{AccessRecord, Actor, Breach, Machine};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::{Alerting, HitRecord, ReadRecord};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use uuid::Uuid;

/// Words on record.
pub(super) const ALERT_RAISED: &str = "alert_raised";
const CONFIGURATION: &str = "configuration_changed";
const BREACH: &str = "breach";

/// Name of the file beside the store that says when somebody came with another key.
const WRONG_KEY: &str = ".wrong-key";

fn record(what: &'static str, reason: &str, subject: Value) -> Result<AccessRecord> {
    AccessRecord::done(&Actor::Machine(Machine::Monitor), what, reason, subject)
}

/// The alerts that are new with these hits of a read, or of a correction of it, in the transaction that keeps them.
/// `before` are those until now. By then they have sounded. A row that can't be made keeps no read from being kept.
pub(super) fn alerts_raised(
    tx: &Connection,
    stamp: &Stamp,
    read: &ReadRecord,
    hits: &[HitRecord],
    before: &HashSet<Uuid>,
) -> Result<(), Fault> {
    for hit in sounded(hits).filter(|hit| !before.contains(&hit.id)) {
        let lists: Vec<&str> = hit.entries.iter().map(|e| &*e.entry.list).collect();
        let subject = json!({
            "hit": hit.id, "read": read.id, "camera": read.camera, "list": lists.join(" "), "plate": hit.listed,
            "priority": hit.priority(), "kept_late": hit.kept_late.then_some(true), "correction": hit.correction,
        });
        let written = record(ALERT_RAISED, "a plate in view matched a list", subject)
            .map_err(Fault::from)
            .and_then(|record| audit::write(tx, stamp, &record));
        match written {
            Err(fault) if fault.kind() == Kind::Internal => {
                let e = fault.say(|| "an alert could not be put on record".into());
                tracing::error!(hit = hit.short(), "{}", e.chain());
            }
            other => drop(other?),
        }
    }
    Ok(())
}

/// The hits that alerted.
pub(super) fn sounded(hits: &[HitRecord]) -> impl Iterator<Item = &HitRecord> {
    hits.iter().filter(|hit| hit.alert == Alerting::Sounded)
}

/// Puts a breach indicator on record (control P-26), in the transaction that `tx` is in.
pub(super) fn breach(tx: &Connection, stamp: &Stamp, breach: &Breach) -> Result<(), Fault> {
    let subject = serde_json::to_value(breach).map_err(|_| Error::new(Kind::Internal, "a breach can't be written"))?;
    let record = record(BREACH, "a sign that somebody tries to get in, or got in", subject)?;
    audit::write(tx, stamp, &record).map(drop)
}

fn raise(writer: &mut Writer, new: &Breach) -> Result<(), Fault> {
    let stamp = writer.stamp();
    let tx = writer.write()?;
    if let Breach::AuditChainBroken { fault } = new {
        // It stays broken, and is found at each start.
        let known = "SELECT 1 FROM audit WHERE action = ?1 AND entry ->> '$.elements.fault' = ?2";
        if tx.query_row(known, [BREACH, fault], |_| Ok(())).optional()?.is_some() {
            return Ok(());
        }
    }
    breach(&tx, &stamp, new)?;
    Ok(tx.commit()?)
}

/// The configuration of this start; a row when it is not that of the last one.
fn configuration(writer: &mut Writer, sections: &BTreeMap<String, String>) -> Result<(), Fault> {
    let key = writer.key().clone();
    let digests: BTreeMap<&str, Sha256> =
        sections.iter().map(|(name, text)| (&**name, key.keyed_digest(name, text))).collect();
    let last: Option<String> = writer
        .conn()
        .prepare_cached("SELECT entry ->> '$.elements.digests' FROM audit WHERE action = ?1 ORDER BY id DESC LIMIT 1")?
        .query_row([CONFIGURATION], |row| row.get(0))
        .optional()?
        .flatten();
    let last: Option<BTreeMap<String, Sha256>> = last.and_then(|text| serde_json::from_str(&text).ok());
    let before = |name: &str| last.as_ref().and_then(|last| last.get(name));
    let gone = last.iter().flat_map(|last| last.keys()).filter(|name| !sections.contains_key(*name));
    let mut changed: Vec<&str> = digests.iter().filter(|(name, d)| before(name) != Some(d)).map(|(n, _)| *n).collect();
    changed.extend(gone.map(String::as_str));
    if changed.is_empty() {
        return Ok(());
    }
    let whole: String = sections.iter().map(|(name, text)| format!("{name}\n{text}\n")).collect();
    let reason = match last {
        Some(_) => "the daemon started with another configuration than the last time",
        None => "the daemon started for the first time with this store",
    };
    let subject = json!({
        "sections": changed.join(" "), "digest": key.keyed_digest("", &whole), "digests": json!(digests).to_string(),
    });
    let (stamp, record) = (writer.stamp(), record(CONFIGURATION, reason, subject)?);
    let tx = writer.write()?;
    audit::write(&tx, &stamp, &record)?;
    Ok(tx.commit()?)
}

/// A breach indicator on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBreach {
    /// Order in which rows came into this store.
    pub id: i64,
    /// The audit log that it is a row of, and its number there.
    pub log: Uuid,
    /// Its number in that log.
    pub row: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub breach: Breach,
}

fn breaches(view: &View<'_>, after: i64, limit: usize) -> Result<Vec<KeptBreach>, Fault> {
    let mut find = view.conn().prepare_cached(
        "SELECT id, log, number, entry FROM audit WHERE action = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = find.query(rusqlite::params![BREACH, after, limit])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, log, number, text): (i64, [u8; 16], i64, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        // What a newer program found is of no use here.
        let Ok(entry) = serde_json::from_str::<Entry>(&text) else { continue };
        let kept = |breach| KeptBreach { id, log: Uuid::from_bytes(log), row: number, at: entry.at, breach };
        all.extend(breach_of(&entry).map(kept));
    }
    Ok(all)
}

/// The breach of a row, whose elements are texts.
fn breach_of(entry: &Entry) -> Option<Breach> {
    let number = |text: &String| text.parse::<u64>().map_or_else(|_| Value::from(text.clone()), Value::from);
    let object = entry.elements.iter().map(|(name, text)| match name.as_str() {
        "fault" | "address" | "indicator" => (name.clone(), Value::from(text.clone())),
        _ => (name.clone(), number(text)),
    });
    serde_json::from_value(Value::Object(object.collect())).ok()
}

impl Store {
    /// Puts a breach indicator on record (control P-26), from where it is to go to the station. That the
    /// log is broken at the same place is put down once.
    ///
    /// # Errors
    /// What kept it from being written.
    pub fn raise(&self, breach: &Breach) -> Result<()> {
        let breach = breach.clone();
        self.ask("could not put a breach indicator on record", move |w| raise(w, &breach))
    }

    /// Breach indicators behind this id, oldest first, at most `limit`.
    ///
    /// # Errors
    /// What kept them from being read.
    pub fn breaches(&self, after: i64, limit: usize) -> Result<Vec<KeptBreach>> {
        self.look("could not list breach indicators", |view| breaches(view, after, limit))
    }

    /// Breach indicators that the station does not hold yet, as far as is known here; oldest first, at most `limit`.
    ///
    /// # Errors
    /// What kept them from being read.
    pub fn unreported_breaches(&self, limit: usize) -> Result<Vec<KeptBreach>> {
        self.look("could not list breach indicators", |view| {
            let sql = "SELECT breaches_reported FROM installation";
            let after = view.conn().prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            breaches(view, after, limit)
        })
    }

    /// The station holds those up to this id.
    ///
    /// # Errors
    /// What kept that from being noted; they are sent again then, which does no harm.
    pub fn breaches_reported(&self, id: i64) -> Result<()> {
        self.ask("could not note which breach indicators the station holds", move |w| {
            let tx = w.write_receipt()?;
            tx.execute("UPDATE installation SET breaches_reported = max(breaches_reported, ?1)", [id])?;
            Ok(tx.commit()?)
        })
    }

    /// Puts on record that the daemon starts with another configuration than the last time: which of its
    /// `sections` (name and text) changed, by digests under the store's key, which give no value away.
    ///
    /// # Errors
    /// What kept it from being written.
    pub fn note_configuration(&self, sections: &BTreeMap<String, String>) -> Result<()> {
        let sections = sections.clone();
        self.ask("could not put the configuration on record", move |w| configuration(w, &sections))
    }
}

/// Notes beside the store, which can't be opened, that somebody came with another key; once.
pub(super) fn note_wrong_key(store: &Path, clock: &dyn Clock) {
    let path = beside(store, WRONG_KEY);
    match durable::write_new(&path, format!("{}\n", clock.wall()).as_bytes(), 0o600) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
            tracing::error!("That the store's key is another one could not be noted in {}: {e}", path.display());
        }
        _ => {}
    }
    tracing::error!("Security: {}.", Breach::StoreKeyMismatch);
}

/// Brings such a note into the audit log of the store, which is open by now.
pub(super) fn take_wrong_key(writer: &mut Writer, store: &Path) {
    let path = beside(store, WRONG_KEY);
    if !path.exists() {
        return;
    }
    let taken =
        raise(writer, &Breach::StoreKeyMismatch).map_err(|fault| fault.say(|| "it could not be written".into()));
    let removed = taken.map_err(|e| e.chain()).and_then(|()| durable::remove(&path).map_err(|e| e.to_string()));
    if let Err(why) = removed {
        tracing::warn!("That somebody came with another key is not on record yet: {why}");
    }
}
