//! Audits in the station's database.

use super::draw::Accesses;
use super::{Audit, Basis, Figures, Item, Judgement};
use crate::rows::Rows;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_access::audit::{Entry, Row};
use plated_access::{Access, Export, ExportReads, Hits, HoldEvidence, Live, Permit, Release, Sample, Search, Show};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Rows that say that somebody was shown data, or could be.
const ACCESSES: [&str; 8] = [
    Search::WORD,
    Show::WORD,
    Hits::WORD,
    ExportReads::WORD,
    Export::WORD,
    Live::WORD,
    HoldEvidence::WORD,
    Release::WORD,
];
/// Users and purposes that figures name.
const MAX_NAMED: usize = 50;

/// Rows that are looked at in one look.
const AT_ONCE: u32 = 1000;

/// The days of an audit, and what was here by then.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
    /// When it was begun.
    pub until: Timestamp,
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).context(Kind::Internal, || "an audit can't be written as JSON".into())
}

fn of_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).context(Kind::Damaged, || "an audit in the station's database can't be read".into())
}

/// What is looked at of a row; also of one that a newer vehicle writes otherwise.
#[derive(Deserialize)]
struct Said {
    at: String,
    action: String,
    actor: SaidActor,
    purpose: Option<String>,
}

#[derive(Deserialize)]
struct SaidActor {
    kind: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct SaidRow {
    entry: Said,
}

impl Said {
    /// Whether it is an access by a person on one of these days.
    fn counts(&self, first: &str, last: &str) -> bool {
        let day = self.at.get(..10).unwrap_or(&self.at);
        (first..=last).contains(&day) && ACCESSES.contains(&&*self.action) && self.actor.kind != "machine"
    }
}

impl Rows<'_> {
    /// The log that goes on: its name, the hash of its row of this number, and its signed head.
    pub fn audit_seed(&self, row: i64) -> Result<(Uuid, Sha256, String)> {
        let sql = "SELECT audit_log.id, hash, head FROM audit_log JOIN audit ON log = id
                   WHERE number = ?1 ORDER BY id DESC LIMIT 1";
        let seed = self.one(sql, &[&row], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        seed.ok_or_else(|| Error::new(Kind::Damaged, "the station's audit log has no row that an audit begins with"))
    }

    /// Draws accesses by this seed. Which there were is not shown.
    pub fn draw_accesses(&self, span: Span, seed: Sha256, wanted: u32) -> Result<(u64, Vec<Item>)> {
        let mut accesses = Accesses::new(seed, wanted);
        self.each_access(span, |item, _| accesses.push(item))?;
        Ok(accesses.finish())
    }

    /// Accesses by user and purpose, and misreads, of these days.
    pub fn audit_figures(&self, span: Span) -> Result<Figures> {
        let (mut users, mut purposes) = (BTreeMap::new(), BTreeMap::new());
        self.each_access(span, |_, said| {
            *users.entry(said.actor.name).or_default() += 1;
            *purposes.entry(said.purpose.unwrap_or_else(|| "none".into())).or_default() += 1;
        })?;
        let most_first = |counts: BTreeMap<String, u64>| {
            let mut counts: Vec<_> = counts.into_iter().collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            counts.truncate(MAX_NAMED);
            counts
        };
        let (first, last) = (day_begins(span.first)?, day_begins(span.last)? + DAY_US);
        let sql = "SELECT kind, json FROM documents WHERE received >= ?1 AND received < ?2
                   AND kind IN ('correction', 'disposition')";
        let mut misreads = 0;
        self.each(sql, &[&first, &last], |row| {
            let (kind, json): (String, Vec<u8>) = (row.get(0)?, row.get::<Vec<u8>>(1)?);
            misreads += u64::from(kind == "correction" || is_misread(&json));
            Ok(())
        })?;
        let (by_user, by_purpose) = (most_first(users), most_first(purposes));
        Ok(Figures { by_user, by_purpose, reads: 0, hits: 0, misreads })
    }

    /// Day and purpose of each look by a person on these days, of the station and of vehicles; no purpose is empty.
    pub(crate) fn each_look(&self, span: Span, mut take: impl FnMut(Date, String)) -> Result<()> {
        self.each_access(span, |_, said| {
            if let Some(day) = said.at.get(..10).and_then(|day| day.parse().ok()) {
                take(day, said.purpose.unwrap_or_default());
            }
        })
    }

    /// Accesses of the station, and of vehicles, of these days, in steps: a log may be long.
    fn each_access(&self, span: Span, mut take: impl FnMut(Item, Said)) -> Result<()> {
        let (first, last) = (span.first.to_string(), span.last.to_string());
        let sql = "SELECT log, number, entry FROM audit
                   WHERE at <= ?1 AND (log, number) > (?2, ?3) ORDER BY log, number LIMIT ?4";
        let mut after = (Uuid::nil(), 0_i64);
        loop {
            let page = self.all(sql, &[&span.until, &after.0, &after.1, &AT_ONCE], |row| {
                Ok((row.get::<Uuid>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?))
            })?;
            let Some((log, number, _)) = page.last() else { break };
            after = (*log, *number);
            for (log, number, entry) in page {
                let said = serde_json::from_str::<Said>(&entry).ok().filter(|said| said.counts(&first, &last));
                if let Some(said) = said {
                    take(Item::Access { vehicle: None, log, number }, said);
                }
            }
        }
        let sql = "SELECT vehicle, log, number, json FROM vehicle_audit
                   WHERE received <= ?1 AND (vehicle, log, number) > (?2, ?3, ?4) ORDER BY vehicle, log, number LIMIT ?5";
        let mut after = (String::new(), Uuid::nil(), 0_i64);
        loop {
            let page = self.all(sql, &[&span.until, &after.0, &after.1, &after.2, &AT_ONCE], |row| {
                Ok((row.get::<String>(0)?, row.get::<Uuid>(1)?, row.get::<i64>(2)?, row.get::<Vec<u8>>(3)?))
            })?;
            let Some((vehicle, log, number, _)) = page.last() else { return Ok(()) };
            after = (vehicle.clone(), *log, *number);
            for (vehicle, log, number, json) in page {
                let row = serde_json::from_slice::<SaidRow>(&json).ok().filter(|row| row.entry.counts(&first, &last));
                if let Some(row) = row {
                    take(Item::Access { vehicle: Some(vehicle), log, number }, row.entry);
                }
            }
        }
    }

    /// What a row that was drawn says; none when it can't be read.
    pub fn drawn_access(&self, _: &Permit<Sample>, item: &Item) -> Result<Option<Entry>> {
        let Item::Access { vehicle, log, number } = item else { return Ok(None) };
        match vehicle {
            None => {
                let sql = "SELECT entry FROM audit WHERE log = ?1 AND number = ?2";
                let text: Option<String> = self.one(sql, &[log, number], |row| row.get(0))?;
                Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
            }
            Some(vehicle) => {
                let sql = "SELECT json FROM vehicle_audit WHERE vehicle = ?1 AND log = ?2 AND number = ?3";
                let json = self.one(sql, &[vehicle, log, number], |row| row.get::<Vec<u8>>(0))?;
                Ok(json.and_then(|json| serde_json::from_slice::<Row>(&json).ok()).map(|row| row.entry))
            }
        }
    }

    /// Keeps an audit that was begun.
    ///
    /// # Errors
    /// `Refused` when another one goes on.
    pub fn begin_audit(&self, audit: &Audit) -> Result<()> {
        if self.one("SELECT 1 FROM audits WHERE report IS NULL", &[], |_| Ok(()))?.is_some() {
            return Err(Error::new(Kind::Refused, "an audit goes on; close it first"));
        }
        let (first, last, basis) = (audit.first.to_string(), audit.last.to_string(), json(&audit.basis)?);
        let sql = "INSERT INTO audits (id, begun, begun_by, first, last, basis) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.run(sql, &[&audit.id, &audit.begun, &audit.begun_by, &first, &last, &basis])?;
        for (number, (item, _)) in (1_i64..).zip(&audit.items) {
            let sql = "INSERT INTO audit_items (audit, number, item) VALUES (?1, ?2, ?3)";
            self.run(sql, &[&audit.id, &number, &json(item)?])?;
        }
        Ok(())
    }

    /// All audits, the newest first.
    pub fn audits(&self) -> Result<Vec<Audit>> {
        let sql = "SELECT id, begun, begun_by, first, last, basis, report FROM audits ORDER BY begun DESC, id DESC";
        self.all(sql, &[], |row| {
            let day = |column| row.get::<String>(column)?.parse::<Date>().context(Kind::Damaged, damaged);
            let id = row.get(0)?;
            Ok(Audit {
                id,
                begun: row.get(1)?,
                begun_by: row.get(2)?,
                first: day(3)?,
                last: day(4)?,
                basis: of_json::<Basis>(&row.get::<String>(5)?)?,
                items: self.audit_items(id)?,
                report: row.get(6)?,
            })
        })
    }

    fn audit_items(&self, audit: Uuid) -> Result<Vec<(Item, Option<Judgement>)>> {
        let sql = "SELECT item, judgement FROM audit_items WHERE audit = ?1 ORDER BY number";
        self.all(sql, &[&audit], |row| {
            let judgement: Option<String> = row.get(1)?;
            Ok((of_json(&row.get::<String>(0)?)?, judgement.as_deref().map(of_json).transpose()?))
        })
    }

    /// Keeps what was found about item `number`, from 1. It can be changed until the audit is closed.
    ///
    /// # Errors
    /// `Refused` when it is closed, `NotFound` when there is no such item.
    pub fn judge(&self, audit: Uuid, number: i64, judgement: &Judgement) -> Result<()> {
        let goes_on =
            self.one("SELECT report IS NULL FROM audits WHERE id = ?1", &[&audit], |row| row.get::<bool>(0))?;
        match goes_on {
            Some(true) => {}
            Some(false) => return Err(Error::new(Kind::Refused, "the audit is closed; its report stays as it is")),
            None => return Err(Error::new(Kind::NotFound, "there is no such audit")),
        }
        let sql = "UPDATE audit_items SET judgement = ?3 WHERE audit = ?1 AND number = ?2";
        match self.run(sql, &[&audit, &number, &json(judgement)?])? {
            0 => Err(Error::new(Kind::NotFound, "there is no such item")),
            _ => Ok(()),
        }
    }

    /// Closes an audit with its signed report.
    ///
    /// # Errors
    /// `Refused` when it is closed already.
    pub fn close_audit(&self, audit: Uuid, report: &str) -> Result<()> {
        let sql = "UPDATE audits SET report = ?2 WHERE id = ?1 AND report IS NULL";
        match self.run(sql, &[&audit, &report])? {
            0 => Err(Error::new(Kind::Refused, "the audit is closed; its report stays as it is")),
            _ => Ok(()),
        }
    }
}

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

fn day_begins(day: Date) -> Result<i64> {
    let at = day.to_zoned(jiff::tz::TimeZone::UTC).context(Kind::Input, || format!("{day} is no day of a calendar"))?;
    Ok(at.timestamp().as_microsecond())
}

fn damaged() -> String {
    "a day of an audit in the station's database can't be read".into()
}

/// Whether an officer's answer says that the plate was read wrong.
fn is_misread(disposition: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        finding: String,
    }
    let answer = serde_json::from_slice::<Answer>(disposition);
    answer.is_ok_and(|answer| matches!(&*answer.finding, "misread" | "wrong_state"))
}
