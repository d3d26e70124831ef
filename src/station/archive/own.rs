//! What the archive keeps beside the reads, on any engine: vehicles' audit logs, holds, certificates, counts of what was
//! deleted.

use super::batch::{AuditRow, CheckedBatch, Outcome, Verdict};
use super::certificate::SignedCertificate;
use super::class::Class;
use super::documents;
use super::hold::{Hold, NewHold};
use super::report::{CheckReport, DayCount, Statistics, VehicleCount};
use crate::computers::Seen;
use crate::heads::HeadFault;
use crate::rows::{Row, Rows};
use jiff::Timestamp;
use jiff::civil::Date;
use plated_access::audit::Who;
use plated_access::{Actor, HoldEvidence, Permit, Reason};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The schema of it.
pub(crate) const SCHEMA: &str = include_str!("own.sql");

/// Rows that are looked at in one look.
const AT_ONCE: u32 = 200;

/// What a batch leaves beside its reads.
pub(super) fn add_batch(rows: &Rows<'_>, batch: &CheckedBatch, verdicts: &[Option<Verdict>]) -> Result<Outcome> {
    let now = batch.received;
    rows.run(
        "INSERT INTO vehicles (vehicle, last_received) VALUES (?1, ?2)
         ON CONFLICT (vehicle) DO UPDATE SET last_received = excluded.last_received
         WHERE vehicles.last_received < excluded.last_received",
        &[&batch.vehicle, &now],
    )?;
    let seen = match &batch.computer {
        Some(computer) => rows.computer_seen(&batch.vehicle, computer, now)?,
        None => Seen::Usual,
    };
    let mut fault = match &batch.audit_head {
        Some(head) => rows.audit_head(&batch.vehicle, head, now)?,
        None => None,
    };
    let documents = batch.documents.iter().map(|d| documents::add(rows, batch, d)).collect::<Result<_>>()?;
    let mut audit_rows = Vec::with_capacity(batch.audit_rows.len());
    let mut faults: BTreeSet<&'static str> = BTreeSet::new();
    for row in &batch.audit_rows {
        let (verdict, wrong) = audit_row(rows, batch, row)?;
        audit_rows.push(verdict);
        faults.extend(wrong.map(HeadFault::as_str));
    }
    for wrong in faults {
        let reported = rows.security_event(&batch.vehicle, wrong, now)?;
        fault = fault.or(HeadFault::of_word(wrong).filter(|_| reported));
    }
    let missing = || Error::new(Kind::Internal, "a read had no result");
    let reads = verdicts.iter().map(|v| v.ok_or_else(missing)).collect::<Result<_>>()?;
    Ok(Outcome { reads, documents, audit_rows, seen, fault })
}

/// Keeps a row of a vehicle's audit log, and says what is wrong with it. One that contradicts a row that is here, by its
/// hash or by that of the row before it, is refused: the log was written anew. Any other is kept, as evidence.
fn audit_row(rows: &Rows<'_>, batch: &CheckedBatch, new: &AuditRow) -> Result<(Verdict, Option<HeadFault>)> {
    let hash = |number: i64| -> Result<Option<Sha256>> {
        rows.one(
            "SELECT hash FROM vehicle_audit WHERE vehicle = ?1 AND log = ?2 AND number = ?3",
            &[&batch.vehicle, &new.log, &number],
            |row| row.get(0),
        )
    };
    if let Some(here) = hash(new.number)? {
        return Ok(match here == new.hash {
            true => (Verdict::Durable, None),
            false => (Verdict::OtherContent, Some(HeadFault::Rewritten)),
        });
    }
    let before = hash(new.number.saturating_sub(1))?;
    if before.is_some_and(|before| before != new.prev) {
        return Ok((Verdict::OtherContent, Some(HeadFault::Rewritten)));
    }
    let wrong = match () {
        () if new.is_changed => Some(HeadFault::RowChanged),
        () if rows.contradicts_head(&batch.vehicle, new.log, new.number, &new.hash)? => Some(HeadFault::Rewritten),
        () if before.is_none() && new.number > 1 => Some(HeadFault::RowsMissing),
        () => None,
    };
    rows.run(
        "INSERT INTO vehicle_audit (vehicle, log, number, prev, hash, received, json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[&batch.vehicle, &new.log, &new.number, &new.prev, &new.hash, &batch.received, &&new.json[..]],
    )?;
    Ok((Verdict::Durable, wrong))
}

/// A hold as it begins, checked.
pub(super) fn new_hold(permit: &Permit<HoldEvidence>, new: &NewHold, now: Timestamp) -> Result<Hold> {
    let (actor, reason) = holder(permit)?;
    let reads: Vec<Uuid> = new.reads.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    if new.case.trim().is_empty() {
        return Err(Error::new(Kind::Input, "a hold needs the number of its case"));
    }
    if reads.is_empty() || reads.len() > NewHold::MAX_READS {
        let message = format!("a hold has 1 to {} reads; begin another one for the rest", NewHold::MAX_READS);
        return Err(Error::new(Kind::Input, message));
    }
    Ok(Hold {
        id: Uuid::now_v7(),
        case: new.case.trim().to_owned(),
        reason: reason.as_str().to_owned(),
        by: Who::from(actor),
        since: now,
        reads,
        released: None,
    })
}

/// That a hold names a read that is not here.
pub(super) fn no_such_read(id: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("there is no read {id} in the archive"))
}

fn holder(permit: &Permit<HoldEvidence>) -> Result<(&Actor, &Reason)> {
    permit.holder().ok_or_else(|| Error::new(Kind::Internal, "a hold needs somebody who holds"))
}

/// Puts a hold down.
pub(super) fn add_hold(rows: &Rows<'_>, hold: &Hold) -> Result<()> {
    rows.run(
        "INSERT INTO holds (id, case_number, reason, by, since) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[&hold.id, &hold.case, &hold.reason, &as_json(&hold.by)?, &hold.since],
    )?;
    hold.reads.iter().try_for_each(|read| {
        rows.run("INSERT INTO hold_reads (hold, read) VALUES (?1, ?2)", &[&hold.id, read]).map(drop)
    })
}

fn as_json(who: &Who) -> Result<String> {
    serde_json::to_string(who).context(Kind::Internal, || "a name could not be written".into())
}

/// Puts down that a hold ended; gives it.
pub(super) fn release_hold(rows: &Rows<'_>, permit: &Permit<HoldEvidence>, id: Uuid, now: Timestamp) -> Result<Hold> {
    let (actor, reason) = holder(permit)?;
    let changed = rows.run(
        "UPDATE holds SET released = ?2, released_by = ?3, release_reason = ?4 WHERE id = ?1 AND released IS NULL",
        &[&id, &now, &as_json(&Who::from(actor))?, &reason.as_str()],
    )?;
    match hold(rows, id)? {
        Some(hold) if changed == 1 => Ok(hold),
        Some(_) => Err(Error::new(Kind::NotFound, format!("the hold {id} was released already"))),
        None => Err(Error::new(Kind::NotFound, format!("there is no hold {id}"))),
    }
}

/// All holds, the newest first.
pub(super) fn holds(rows: &Rows<'_>) -> Result<Vec<Hold>> {
    let ids: Vec<Uuid> = rows.all("SELECT id FROM holds ORDER BY since DESC, id DESC", &[], |row| row.get(0))?;
    ids.into_iter().filter_map(|id| hold(rows, id).transpose()).collect()
}

fn hold(rows: &Rows<'_>, id: Uuid) -> Result<Option<Hold>> {
    let who = |text: String| -> Result<Who> {
        serde_json::from_str(&text).context(Kind::Damaged, || format!("the hold {id} does not say whose it is"))
    };
    let take = |row: &Row<'_>| {
        let released = match (row.get::<Option<Timestamp>>(4)?, row.get::<Option<String>>(5)?, row.get(6)?) {
            (Some(at), Some(by), Some(why)) => Some((at, who(by)?, why)),
            _ => None,
        };
        let (case, reason, by, since) = (row.get(0)?, row.get(1)?, who(row.get(2)?)?, row.get(3)?);
        Ok(Hold { id, case, reason, by, since, reads: Vec::new(), released })
    };
    let found = rows.one(
        "SELECT case_number, reason, by, since, released, released_by, release_reason FROM holds WHERE id = ?1",
        &[&id],
        take,
    )?;
    let Some(mut hold) = found else { return Ok(None) };
    hold.reads = rows.all("SELECT read FROM hold_reads WHERE hold = ?1 ORDER BY read", &[&id], |row| row.get(0))?;
    Ok(Some(hold))
}

/// The reads that holds keep now.
pub(super) fn held(rows: &Rows<'_>) -> Result<BTreeSet<Uuid>> {
    let all: Vec<Uuid> =
        rows.all("SELECT DISTINCT read FROM hold_reads JOIN holds ON id = hold WHERE released IS NULL", &[], |row| {
            row.get(0)
        })?;
    Ok(all.into_iter().collect())
}

impl Rows<'_> {
    /// Holds that go on, the reads that they keep, and when something was deleted last.
    pub(crate) fn holds_and_purges(&self) -> Result<(u64, u64, Option<Timestamp>)> {
        let sql = "SELECT (SELECT count(*) FROM holds WHERE released IS NULL),
                          (SELECT count(DISTINCT read) FROM hold_reads JOIN holds ON holds.id = hold
                           WHERE released IS NULL),
                          (SELECT max(at) FROM certificates)";
        let counts = self.one(sql, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(counts.unwrap_or_default())
    }
}

/// The holds that keep a read now.
pub(super) fn holds_of(rows: &Rows<'_>, read: Uuid) -> Result<Vec<Uuid>> {
    let sql = "SELECT hold FROM hold_reads JOIN holds ON id = hold WHERE read = ?1 AND released IS NULL ORDER BY hold";
    rows.all(sql, &[&read], |row| row.get(0))
}

/// The certificate of a purge, if it has one.
pub(super) fn certificate(rows: &Rows<'_>, purge: Uuid) -> Result<Option<SignedCertificate>> {
    rows.one("SELECT signed FROM certificates WHERE id = ?1", &[&purge], |row| {
        row.get(0).map(SignedCertificate::from_text)
    })
}

/// Keeps the certificate of a purge.
pub(super) fn add_certificate(rows: &Rows<'_>, id: Uuid, at: Timestamp, signed: &SignedCertificate) -> Result<()> {
    let sql = "INSERT INTO certificates (id, at, signed) VALUES (?1, ?2, ?3)";
    rows.run(sql, &[&id, &at, &signed.as_str()]).map(drop)
}

/// All certificates, the newest first.
pub(super) fn certificates(rows: &Rows<'_>) -> Result<Vec<SignedCertificate>> {
    rows.all("SELECT signed FROM certificates ORDER BY at DESC, id DESC", &[], |row| {
        row.get(0).map(SignedCertificate::from_text)
    })
}

/// Reads of one camera in a part.
#[derive(Debug)]
pub(super) struct Count {
    pub vehicle: String,
    pub camera: String,
    pub reads: u64,
    pub hits: u64,
    pub pictures: u64,
    pub bytes: u64,
}

/// Keeps the counts of a part that goes.
pub(super) fn keep_counts(rows: &Rows<'_>, day: Date, class: Class, counts: &[Count]) -> Result<()> {
    let (day, class) = (day.to_string(), class.as_str());
    counts.iter().try_for_each(|count| {
        rows.run(
            "INSERT INTO past_days (day, class, vehicle, camera, reads, hits) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (day, class, vehicle, camera) DO UPDATE
             SET reads = past_days.reads + excluded.reads, hits = past_days.hits + excluded.hits",
            &[&day, &class, &count.vehicle, &count.camera, &count.reads, &count.hits],
        )
        .map(drop)
    })
}

/// Vehicles from which reads came, by name.
pub(super) fn vehicles(rows: &Rows<'_>) -> Result<Vec<String>> {
    rows.all("SELECT vehicle FROM vehicles ORDER BY vehicle", &[], |row| row.get(0))
}

/// The statistics, from the counts of the parts that are here and of those that went.
pub(super) fn statistics(
    rows: &Rows<'_>,
    here: impl IntoIterator<Item = (Date, Class, Count)>,
    first: Date,
    last: Date,
) -> Result<Statistics> {
    let mut all = Statistics::default();
    let mut vehicles: BTreeMap<String, u64> = BTreeMap::new();
    let mut days: BTreeMap<(Date, String, String, Class), (u64, u64)> = BTreeMap::new();
    let mut day_count = |day: Date, class, vehicle: String, camera, reads, hits| {
        *vehicles.entry(vehicle.clone()).or_default() += reads;
        if (first..=last).contains(&day) {
            let count = days.entry((day, vehicle, camera, class)).or_default();
            *count = (count.0 + reads, count.1 + hits);
        }
    };
    for (day, class, Count { vehicle, camera, reads, hits, pictures, bytes }) in here {
        all.reads += reads;
        all.pictures += pictures;
        all.picture_bytes += bytes;
        day_count(day, class, vehicle, camera, reads, hits);
    }
    rows.all("SELECT day, class, vehicle, camera, reads, hits FROM past_days", &[], |row| {
        let (day, class) = (row.get::<String>(0)?.parse::<Date>().ok(), Class::of_word(&row.get::<String>(1)?));
        if let Some((day, class)) = day.zip(class) {
            day_count(day, class, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
        }
        Ok(())
    })?;
    all.vehicles = rows.all("SELECT vehicle, last_received FROM vehicles ORDER BY vehicle", &[], |row| {
        let vehicle: String = row.get(0)?;
        let reads = vehicles.get(&vehicle).copied().unwrap_or_default();
        Ok(VehicleCount { vehicle, reads, last_received: row.get(1)? })
    })?;
    all.days = days
        .into_iter()
        .map(|((day, vehicle, camera, class), (reads, hits))| DayCount { day, vehicle, camera, class, reads, hits })
        .collect();
    Ok(all)
}

/// Compares the documents after this one with their hashes; gives the last of them.
pub(super) fn check_documents(
    rows: &Rows<'_>,
    after: &(String, Uuid),
    report: &mut CheckReport,
) -> Result<Option<(String, Uuid)>> {
    let page = rows.all(
        "SELECT vehicle, id, sha256, json FROM documents WHERE (vehicle, id) > (?1, ?2) ORDER BY vehicle, id LIMIT ?3",
        &[&after.0, &after.1, &AT_ONCE],
        |row| {
            let fits = Sha256::of(&row.get::<Vec<u8>>(3)?) == row.get(2)?;
            Ok((row.get::<String>(0)?, row.get::<Uuid>(1)?, fits))
        },
    )?;
    for (_, id, fits) in &page {
        report.documents += 1;
        if !fits {
            report.problem(format!("the document {id} does not fit its hash"));
        }
    }
    Ok(page.into_iter().next_back().map(|(vehicle, id, _)| (vehicle, id)))
}
