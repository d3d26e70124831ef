//! "Not this vehicle": findings that a plate is not the vehicle that an entry wants. Proposed by one person, in
//! force once another one, a supervisor, approved it. Each is kept, and goes to the station, with the vehicle's
//! signature; one without it is not in force.

use super::Store;
use super::connection::Fault;
use super::events::{self, By, What};
use super::manual::time;
use super::readers::View;
use super::writer::Writer;
use jiff::{SignedDuration, Timestamp};
use plated_access::{self as access, Permit, signed};
use plated_core::clock::id_at;
use plated_core::error::{Error, Kind, Result};
use plated_core::officers::{Signed, VehicleFinding};
use plated_core::record::EntryRecord;
use plated_core::signing::{Purpose, Signer, Trust};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// The farthest end of a finding.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 2);

/// A finding to be proposed.
#[derive(Clone, Debug)]
pub struct NewFinding {
    /// The plate that is not the wanted one, A–Z and 0–9.
    pub plate: String,
    /// Its state, or empty.
    pub state: String,
    /// The entry.
    pub entry: EntryRecord,
    /// The hit that led to it.
    pub hit: Uuid,
    /// Case or incident, or empty.
    pub case: String,
    /// From then on the entry alerts again.
    pub until: Timestamp,
}

/// A finding and its number, by which people name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptFinding {
    /// Its number in this store.
    pub number: i64,
    /// The finding.
    #[serde(flatten)]
    pub finding: VehicleFinding,
}

impl Store {
    /// Keeps a finding as proposed, with its event in the same transaction. [`Kind::Refused`] when there is one that
    /// says the same.
    pub fn propose_finding(&self, new: NewFinding, by: &By) -> Result<KeptFinding> {
        let (by, signer) = (by.clone(), self.finding_signer.clone());
        self.ask("could not keep a finding", move |w| propose(w, new, &by, &signer))
    }

    /// Approves a finding, with its event in the same transaction. [`Kind::Refused`] for who proposed it.
    pub fn approve_finding(&self, number: i64, by: &By) -> Result<KeptFinding> {
        let (by, signer) = (by.clone(), self.finding_signer.clone());
        self.ask("could not approve a finding", move |w| approve(w, number, &by, &signer))
    }

    /// Ends a finding, with its event in the same transaction.
    pub fn withdraw_finding(&self, number: i64, by: &By) -> Result<KeptFinding> {
        let (by, signer) = (by.clone(), self.finding_signer.clone());
        self.ask("could not withdraw a finding", move |w| withdraw(w, number, &by, &signer))
    }

    /// All findings, newest first.
    pub fn vehicle_findings(&self, _: &Permit<access::Show>) -> Result<Vec<KeptFinding>> {
        let trust = self.trusted_findings();
        self.look("could not list findings", |view| newest(view, &trust))
    }

    /// Findings that are approved, and neither withdrawn nor over.
    pub fn findings_in_force(&self, _: &Permit<access::Matching>) -> Result<Vec<VehicleFinding>> {
        let trust = self.trusted_findings();
        self.look("could not list the findings in force", |view| in_force(view, &trust))
    }

    /// Ids of findings that were withdrawn in this vehicle.
    pub fn findings_withdrawn(&self, _: &Permit<access::Matching>) -> Result<Vec<Uuid>> {
        self.look("could not list the findings that were withdrawn", |view| {
            let mut find = view.conn().prepare_cached("SELECT id FROM vehicle_finding WHERE withdrawn = 1")?;
            let ids = find.query_map([], |row| row.get(0).map(Uuid::from_bytes))?;
            Ok(ids.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn trusted_findings(&self) -> Trust {
        Trust::only([self.finding_signer.public_key()])
    }
}

/// Keeps it as proposed, with its event.
pub(super) fn propose(writer: &mut Writer, new: NewFinding, by: &By, signer: &Signer) -> Result<KeptFinding, Fault> {
    let (now, stamp) = (writer.now(), writer.stamp());
    let at = time(now)?;
    let NewFinding { plate, state, entry, hit, case, until } = new;
    if until <= at {
        return Err(Error::new(Kind::Input, "it would be over before it begins; give a later end").into());
    }
    if until.duration_since(at) > MAX_AHEAD {
        let message = "a finding ends within two years, so that none is forgotten; give an earlier end";
        return Err(Error::new(Kind::Input, message).into());
    }
    let tx = writer.write()?;
    for KeptFinding { number, finding } in all(&tx, &Trust::only([signer.public_key()]))? {
        let is_same = finding.withdrawn.is_none() && finding.until > at && finding.plate == plate;
        if is_same && finding.state == state && finding.entry == entry {
            let how = if finding.approved.is_some() { "is in force" } else { "waits for a supervisor" };
            return Err(Error::new(Kind::Refused, format!("finding {number} says the same and {how}")).into());
        }
    }
    let proposed = signature(by, at);
    let vehicle = stamp.vehicle.to_string();
    let id = id_at(at);
    let finding = VehicleFinding {
        id,
        vehicle,
        plate,
        state,
        entry,
        hit,
        case,
        until,
        proposed,
        approved: None,
        withdrawn: None,
    };
    tx.execute(
        "INSERT INTO vehicle_finding (id, until, withdrawn, record) VALUES (?1, ?2, 0, ?3)",
        params![id.as_bytes(), until.as_microsecond(), json(&finding, signer)?],
    )?;
    let kept = KeptFinding { number: tx.last_insert_rowid(), finding };
    write(&tx, &stamp, What::FindingProposed, by, &kept)?;
    tx.commit()?;
    Ok(kept)
}

/// Approves it, with its event: from here on it is in force.
pub(super) fn approve(writer: &mut Writer, number: i64, by: &By, signer: &Signer) -> Result<KeptFinding, Fault> {
    change(writer, number, by, signer, What::FindingApproved, |finding, signed| {
        let refuse = |why: &str| Err(Error::new(Kind::Refused, format!("finding {number} {why}")));
        if finding.approved.is_some() {
            return refuse("is approved already");
        }
        if finding.until <= signed.at {
            return refuse("is over; propose it again");
        }
        // By name alone: a login and a system user of one name are one person.
        if finding.proposed.by.user.eq_ignore_ascii_case(&signed.by.user) {
            return refuse("was proposed by the same person; another one has to approve it");
        }
        finding.approved = Some(signed);
        Ok(())
    })
}

/// Ends it, with its event: the entry alerts again.
pub(super) fn withdraw(writer: &mut Writer, number: i64, by: &By, signer: &Signer) -> Result<KeptFinding, Fault> {
    change(writer, number, by, signer, What::FindingWithdrawn, |finding, signed| {
        finding.withdrawn = Some(signed);
        Ok(())
    })
}

/// All of them, the newest first.
pub(super) fn newest(view: &View<'_>, trust: &Trust) -> Result<Vec<KeptFinding>, Fault> {
    let mut findings = all(view.conn(), trust)?;
    findings.reverse();
    Ok(findings)
}

/// Those in force. One that can't be read is left out: its entry alerts.
pub(super) fn in_force(view: &View<'_>, trust: &Trust) -> Result<Vec<VehicleFinding>, Fault> {
    let now = view.now();
    let mut find =
        view.conn().prepare_cached("SELECT number, record FROM vehicle_finding WHERE withdrawn = 0 AND until > ?1")?;
    let rows = find.query_map([now], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let mut findings = Vec::new();
    for row in rows {
        let (number, json) = row?;
        match open(&json, trust) {
            Ok(finding) if finding.counts() => findings.push(finding),
            Ok(_) => {}
            Err(e) => tracing::error!(number, "A finding is not in force, its entry alerts: {}", e.chain()),
        }
    }
    Ok(findings)
}

fn change(
    writer: &mut Writer,
    number: i64,
    by: &By,
    signer: &Signer,
    what: What,
    to: impl FnOnce(&mut VehicleFinding, Signed) -> Result<()>,
) -> Result<KeptFinding, Fault> {
    let (now, stamp) = (writer.now(), writer.stamp());
    let at = time(now)?;
    let tx = writer.write()?;
    let found: Option<String> = tx
        .query_row("SELECT record FROM vehicle_finding WHERE number = ?1 AND withdrawn = 0", [number], |row| row.get(0))
        .optional()?;
    let Some(record) = found else {
        let message = format!("there is no finding {number}, or it was withdrawn; `plated finding list` shows them");
        return Err(Error::new(Kind::Input, message).into());
    };
    let mut finding = read(&record, &Trust::only([signer.public_key()]))?;
    to(&mut finding, signature(by, at))?;
    tx.execute(
        "UPDATE vehicle_finding SET withdrawn = ?2, record = ?3 WHERE number = ?1",
        params![number, finding.withdrawn.is_some(), json(&finding, signer)?],
    )?;
    let kept = KeptFinding { number, finding };
    write(&tx, &stamp, what, by, &kept)?;
    tx.commit()?;
    Ok(kept)
}

fn write(
    tx: &Connection,
    stamp: &super::audit::Stamp,
    what: What,
    by: &By,
    KeptFinding { number, finding }: &KeptFinding,
) -> Result<i64, Fault> {
    let subject = json!({"id": number, "plate": finding.plate, "state": finding.state, "list": finding.entry.list,
                         "hit": finding.hit, "until": finding.until, "case": finding.case});
    events::write(tx, stamp, what, by, subject)
}

fn all(conn: &Connection, trust: &Trust) -> Result<Vec<KeptFinding>, Fault> {
    let mut find = conn.prepare_cached("SELECT number, record FROM vehicle_finding ORDER BY number")?;
    let rows = find.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let mut findings = Vec::new();
    for row in rows {
        let (number, record) = row?;
        findings.extend(read(&record, trust).ok().map(|finding| KeptFinding { number, finding }));
    }
    Ok(findings)
}

fn signature(by: &By, at: Timestamp) -> Signed {
    Signed { by: by.who.author(), at, reason: by.reason.as_str().to_owned() }
}

fn json(finding: &VehicleFinding, signer: &Signer) -> Result<String> {
    signed::sign(finding, Purpose::VEHICLE_FINDING, signer)
}

fn open(json: &str, trust: &Trust) -> Result<VehicleFinding> {
    signed::open(json.as_bytes(), "the finding", Purpose::VEHICLE_FINDING, trust)
}

fn read(json: &str, trust: &Trust) -> Result<VehicleFinding, Fault> {
    open(json, trust).map_err(|_| Fault::Damaged("a finding in it is not what this vehicle signed".into()))
}
