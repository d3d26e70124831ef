//! The rows about findings.

use crate::audit::Stamp;
use crate::rows::{Row, Rows};
use jiff::Timestamp;
use plated_access::{Permit, Show, signed};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::officers::{Signed, VehicleFinding};
use plated_core::signing::{Purpose, Trust};
use plated_core::user::Author;
use plated_core::wire::FindingSet;
use uuid::Uuid;

/// The kind of document that a finding travels as.
pub const KIND: &str = "vehicle_finding";

/// What was decided about a finding at the station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// It is in force in all vehicles; otherwise in none.
    pub is_approved: bool,
    /// Who decided, when and why.
    pub by: Signed,
    /// Its end, of one that is approved.
    pub until: Timestamp,
}

/// A finding that came from a vehicle.
#[derive(Clone, Debug, PartialEq)]
pub struct StationFinding {
    /// By which people name it.
    pub number: i64,
    /// As it came last.
    pub finding: VehicleFinding,
    /// When it came.
    pub received: Timestamp,
    /// What was decided about it here.
    pub decision: Option<Decision>,
}

impl StationFinding {
    /// As it is handed out to all vehicles at `now`, if it is.
    fn handed_out(&self, now: Timestamp) -> Option<VehicleFinding> {
        let decision = self.decision.as_ref().filter(|d| d.is_approved && d.until > now)?;
        let is_withdrawn = self.finding.withdrawn.is_some();
        (!is_withdrawn).then(|| VehicleFinding {
            until: decision.until,
            approved: Some(decision.by.clone()),
            ..self.finding.clone()
        })
    }
}

/// The document, if the vehicle signed it; and by which key.
fn open(json: &[u8]) -> Result<(VehicleFinding, [u8; 32])> {
    let key = signed::key_of(json).ok_or_else(|| Error::new(Kind::Input, "a finding is not signed"))?;
    let finding = signed::open(json, "a finding", Purpose::VEHICLE_FINDING, &Trust::only([key]))?;
    Ok((finding, key))
}

impl Rows<'_> {
    /// Keeps a finding that came from `vehicle`; false when it is not that vehicle's, signed by its key.
    pub fn finding_came(&self, vehicle: &str, json: &[u8], now: Timestamp) -> Result<bool> {
        let Ok((finding, key)) = open(json) else { return Ok(false) };
        if finding.vehicle != vehicle || self.finding_key(vehicle, &key, now)? != key {
            return Ok(false);
        }
        let record = String::from_utf8_lossy(json);
        let step = match (&finding.approved, &finding.withdrawn) {
            (_, Some(_)) => 2_u32,
            (Some(_), None) => 1,
            (None, None) => 0,
        };
        self.run(
            "INSERT INTO findings (id, vehicle, until, received, step, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET until = excluded.until, received = excluded.received,
               step = excluded.step, record = excluded.record
             WHERE excluded.step > findings.step AND excluded.vehicle = findings.vehicle",
            &[&finding.id, &vehicle, &finding.until, &now, &step, &&*record],
        )?;
        Ok(true)
    }

    /// The key of a vehicle; `key` when none is known.
    fn finding_key(&self, vehicle: &str, key: &[u8; 32], now: Timestamp) -> Result<[u8; 32]> {
        self.run(
            "INSERT INTO finding_keys (vehicle, key, first_seen) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            &[&vehicle, key, &now],
        )?;
        let known = self.one("SELECT key FROM finding_keys WHERE vehicle = ?1", &[&vehicle], |row| row.get(0))?;
        Ok(known.unwrap_or(*key))
    }

    /// All findings, the newest first.
    pub fn findings(&self, _: &Permit<Show>) -> Result<Vec<StationFinding>> {
        let mut all = self.all_findings()?;
        all.reverse();
        Ok(all)
    }

    /// The finding of this number.
    pub fn finding(&self, _: &Permit<Show>, number: i64) -> Result<Option<StationFinding>> {
        Ok(self.all_findings()?.into_iter().find(|finding| finding.number == number))
    }

    /// How many wait for a supervisor; no plate is in that.
    pub fn findings_waiting(&self, now: Timestamp) -> Result<u64> {
        let sql = "SELECT count(*) FROM findings WHERE decision IS NULL AND until > ?1 AND step < 2";
        Ok(self.one(sql, &[&now], |row| row.get(0))?.unwrap_or_default())
    }

    fn all_findings(&self) -> Result<Vec<StationFinding>> {
        let rows: Vec<Kept> = self.all(
            "SELECT number, record, received, decision, decided, decided_by, decided_why, decided_until
             FROM findings ORDER BY number",
            &[],
            kept,
        )?;
        rows.into_iter().map(Kept::opened).collect()
    }

    /// Notes what was decided.
    pub(super) fn decide_finding(&self, number: i64, decision: &Decision) -> Result<()> {
        let by = serde_json::to_string(&decision.by.by);
        let by = by.context(Kind::Internal, || "a name can't be written as JSON".into())?;
        let word = if decision.is_approved { "approved" } else { "refused" };
        self.run(
            "UPDATE findings SET decision = ?2, decided = ?3, decided_by = ?4, decided_why = ?5, decided_until = ?6
             WHERE number = ?1",
            &[&number, &word, &decision.by.at, &by, &decision.by.reason, &decision.until],
        )
        .map(drop)
    }

    /// What is to be handed out now, and the digest of that.
    fn finding_content(&self, now: Timestamp) -> Result<(Vec<VehicleFinding>, Vec<Uuid>, Sha256)> {
        let all = self.all_findings()?;
        let findings: Vec<VehicleFinding> = all.iter().filter_map(|finding| finding.handed_out(now)).collect();
        let is_refused = |f: &&StationFinding| {
            f.finding.until > now && f.decision.as_ref().is_some_and(|decision| !decision.is_approved)
        };
        let refused: Vec<Uuid> = all.iter().filter(is_refused).map(|f| f.finding.id).collect();
        let text = serde_json::to_vec(&(&findings, &refused));
        let text = text.context(Kind::Internal, || "findings can't be written as JSON".into())?;
        Ok((findings, refused, Sha256::of(&text)))
    }

    /// Whether what is handed out is another than what should be.
    pub fn findings_changed(&self, now: Timestamp) -> Result<bool> {
        let (findings, refused, content) = self.finding_content(now)?;
        Ok(match self.finding_set()? {
            Some((_, _, before)) => before != content,
            None => !findings.is_empty() || !refused.is_empty(),
        })
    }

    /// Signs what is handed out, where it has changed.
    pub fn sign_findings(&self, stamp: &Stamp<'_>) -> Result<()> {
        if !self.findings_changed(stamp.at)? {
            return Ok(());
        }
        let (findings, refused, content) = self.finding_content(stamp.at)?;
        // Seconds, as with the manifest of lists.
        let seconds = u64::try_from(stamp.at.as_second()).unwrap_or(0);
        let serial = self.finding_set()?.map_or(0, |(serial, _, _)| serial + 1).max(seconds);
        let set = FindingSet { station: stamp.station.to_owned(), serial, made: stamp.at, findings, refused };
        let text = signed::sign(&set, Purpose::FINDINGS, stamp.signer)?;
        self.run(
            "INSERT INTO finding_sets (serial, made, content, signed) VALUES (?1, ?2, ?3, ?4)",
            &[&serial, &stamp.at, &content, &text],
        )
        .map(drop)
    }

    /// What is handed out: its number, as it was signed, and its digest.
    pub fn finding_set(&self) -> Result<Option<(u64, String, Sha256)>> {
        self.one("SELECT serial, signed, content FROM finding_sets ORDER BY serial DESC LIMIT 1", &[], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
    }
}

/// A row as it is.
struct Kept {
    number: i64,
    record: String,
    received: Timestamp,
    decision: Option<(String, Timestamp, String, String, Timestamp)>,
}

fn kept(row: &Row<'_>) -> Result<Kept> {
    let decision = match row.get::<Option<String>>(3)? {
        Some(word) => Some((word, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?)),
        None => None,
    };
    Ok(Kept { number: row.get(0)?, record: row.get(1)?, received: row.get(2)?, decision })
}

impl Kept {
    fn opened(self) -> Result<StationFinding> {
        let damaged = || format!("finding {} is not what was written", self.number);
        let (finding, _) = open(self.record.as_bytes()).context(Kind::Damaged, damaged)?;
        let decision = match self.decision {
            None => None,
            Some((word, at, by, reason, until)) => {
                let by: Author = serde_json::from_str(&by).context(Kind::Damaged, damaged)?;
                let by = Signed { by, at, reason };
                Some(Decision { is_approved: word == "approved", by, until })
            }
        };
        Ok(StationFinding { number: self.number, finding, received: self.received, decision })
    }
}
