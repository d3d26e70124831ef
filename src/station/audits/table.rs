//! Audits in the station's database.

use super::draw::Accesses;
use super::{Audit, Basis, Figures, Item, Judgement};
use crate::database::{Rows, could_not_read};
use crate::sqlcipher::SqlContext;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_access::audit::{Entry, Row};
use plated_access::{Access, Export, ExportReads, Hits, HoldEvidence, Live, Permit, Sample, Search, Show};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{OptionalExtension, Row as SqlRow, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Rows that say that somebody was shown data, or could be.
const ACCESSES: [&str; 7] =
    [Search::WORD, Show::WORD, Hits::WORD, ExportReads::WORD, Export::WORD, Live::WORD, HoldEvidence::WORD];
/// Users and purposes that figures name.
const MAX_NAMED: usize = 50;

/// Accesses of the station, and of vehicles, of the days ?1 to ?2 that were here by ?3.
const STATION: &str = "FROM audit WHERE at <= ?3 AND substr(entry ->> '$.at', 1, 10) BETWEEN ?1 AND ?2
    AND action IN (SELECT value FROM json_each(?4)) AND entry ->> '$.actor.kind' <> 'machine'";
const VEHICLES: &str = "FROM (SELECT vehicle, log, number, received, CAST(json AS TEXT) AS row FROM vehicle_audit)
    WHERE received <= ?3 AND json_valid(row) AND substr(row ->> '$.entry.at', 1, 10) BETWEEN ?1 AND ?2
    AND row ->> '$.entry.action' IN (SELECT value FROM json_each(?4)) AND row ->> '$.entry.actor.kind' <> 'machine'";

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

fn could_not_write() -> String {
    "an audit could not be kept".into()
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).context(Kind::Internal, || "an audit can't be written as JSON".into())
}

fn of_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).context(Kind::Damaged, || "an audit in the station's database can't be read".into())
}

impl Rows<'_> {
    /// The log that goes on: its name, the hash of its row of this number, and its signed head.
    pub fn audit_seed(&self, row: i64) -> Result<(Uuid, Sha256, String)> {
        let sql = "SELECT audit_log.id, hash, head FROM audit_log JOIN audit ON log = id
                   WHERE number = ?1 ORDER BY id DESC LIMIT 1";
        let (log, hash, head): ([u8; 16], [u8; 32], String) =
            self.0.query_row(sql, [row], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).sql(could_not_read)?;
        Ok((Uuid::from_bytes(log), Sha256(hash), head))
    }

    /// Draws accesses by this seed. Which there were is not shown.
    pub fn draw_accesses(&self, span: Span, seed: Sha256, wanted: u32) -> Result<(u64, Vec<Item>)> {
        let mut accesses = Accesses::new(seed, wanted);
        let uuid = |row: &SqlRow<'_>, column| row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes);
        self.each_access(&format!("SELECT log, number {STATION}"), span, |row| {
            accesses.push(Item::Access { vehicle: None, log: uuid(row, 0)?, number: row.get(1)? });
            Ok(())
        })?;
        self.each_access(&format!("SELECT vehicle, log, number {VEHICLES}"), span, |row| {
            accesses.push(Item::Access { vehicle: Some(row.get(0)?), log: uuid(row, 1)?, number: row.get(2)? });
            Ok(())
        })?;
        Ok(accesses.finish())
    }

    /// Accesses by user and purpose, and misreads, of these days.
    pub fn audit_figures(&self, span: Span) -> Result<Figures> {
        let (mut users, mut purposes) = (BTreeMap::new(), BTreeMap::new());
        let mut count = |row: &SqlRow<'_>| {
            let purpose: Option<String> = row.get(1)?;
            *users.entry(row.get::<_, String>(0)?).or_default() += 1;
            *purposes.entry(purpose.unwrap_or_else(|| "none".into())).or_default() += 1;
            Ok(())
        };
        self.each_access(
            &format!("SELECT entry ->> '$.actor.name', entry ->> '$.purpose' {STATION}"),
            span,
            &mut count,
        )?;
        let sql = format!("SELECT row ->> '$.entry.actor.name', row ->> '$.entry.purpose' {VEHICLES}");
        self.each_access(&sql, span, &mut count)?;
        let most_first = |counts: BTreeMap<String, u64>| {
            let mut counts: Vec<_> = counts.into_iter().collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            counts.truncate(MAX_NAMED);
            counts
        };
        let (first, last) = (day_begins(span.first)?, day_begins(span.last)? + DAY_US);
        let misreads: i64 = self
            .0
            .query_row(
                "SELECT count(*) FROM documents WHERE received >= ?1 AND received < ?2
                   AND (kind = 'correction' OR kind = 'disposition' AND CAST(json AS TEXT) ->> 'finding'
                        IN ('misread', 'wrong_state'))",
                [first, last],
                |row| row.get(0),
            )
            .sql(could_not_read)?;
        let (by_user, by_purpose) = (most_first(users), most_first(purposes));
        Ok(Figures { by_user, by_purpose, reads: 0, hits: 0, misreads: misreads.unsigned_abs() })
    }

    fn each_access(
        &self,
        sql: &str,
        span: Span,
        mut each: impl FnMut(&SqlRow<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        let words = json(&ACCESSES)?;
        let (first, last, until) = (span.first.to_string(), span.last.to_string(), span.until.as_microsecond());
        let mut find = self.0.prepare_cached(sql).sql(could_not_read)?;
        let mut rows = find.query(params![first, last, until, words]).sql(could_not_read)?;
        while let Some(row) = rows.next().sql(could_not_read)? {
            each(row).sql(could_not_read)?;
        }
        Ok(())
    }

    /// What a row that was drawn says; none when it can't be read.
    pub fn drawn_access(&self, _: &Permit<Sample>, item: &Item) -> Result<Option<Entry>> {
        let Item::Access { vehicle, log, number } = item else { return Ok(None) };
        match vehicle {
            None => {
                let sql = "SELECT entry FROM audit WHERE log = ?1 AND number = ?2";
                let text: Option<String> = self
                    .0
                    .query_row(sql, params![log.as_bytes(), number], |row| row.get(0))
                    .optional()
                    .sql(could_not_read)?;
                Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
            }
            Some(vehicle) => {
                let sql = "SELECT json FROM vehicle_audit WHERE vehicle = ?1 AND log = ?2 AND number = ?3";
                let bytes: Option<Vec<u8>> = self
                    .0
                    .query_row(sql, params![vehicle, log.as_bytes(), number], |row| row.get(0))
                    .optional()
                    .sql(could_not_read)?;
                Ok(bytes.and_then(|json| serde_json::from_slice::<Row>(&json).ok()).map(|row| row.entry))
            }
        }
    }

    /// Keeps an audit that was begun.
    ///
    /// # Errors
    /// `Refused` when another one goes on.
    pub fn begin_audit(&self, audit: &Audit) -> Result<()> {
        let goes_on: bool = self
            .0
            .query_row("SELECT EXISTS (SELECT 1 FROM audits WHERE report IS NULL)", [], |row| row.get(0))
            .sql(could_not_read)?;
        if goes_on {
            return Err(Error::new(Kind::Refused, "an audit goes on; close it first"));
        }
        let (first, last, basis) = (audit.first.to_string(), audit.last.to_string(), json(&audit.basis)?);
        self.0
            .execute(
                "INSERT INTO audits (id, begun, begun_by, first, last, basis) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![audit.id.as_bytes(), audit.begun.as_microsecond(), audit.begun_by, first, last, basis],
            )
            .sql(could_not_write)?;
        for (n, (item, _)) in audit.items.iter().enumerate() {
            let number = i64::try_from(n).unwrap_or(i64::MAX).saturating_add(1);
            self.0
                .execute(
                    "INSERT INTO audit_items (audit, number, item) VALUES (?1, ?2, ?3)",
                    params![audit.id.as_bytes(), number, json(item)?],
                )
                .sql(could_not_write)?;
        }
        Ok(())
    }

    /// All audits, the newest first.
    pub fn audits(&self) -> Result<Vec<Audit>> {
        let sql = "SELECT id, begun, begun_by, first, last, basis, report FROM audits ORDER BY begun DESC, id DESC";
        let mut find = self.0.prepare_cached(sql).sql(could_not_read)?;
        let mut rows = find.query([]).sql(could_not_read)?;
        let mut audits = Vec::new();
        while let Some(row) = rows.next().sql(could_not_read)? {
            let text = |column: usize| row.get::<_, String>(column).sql(could_not_read);
            let day = |column: usize| text(column)?.parse::<Date>().context(Kind::Damaged, damaged);
            let id = Uuid::from_bytes(row.get(0).sql(could_not_read)?);
            audits.push(Audit {
                id,
                begun: time(row.get(1).sql(could_not_read)?)?,
                begun_by: text(2)?,
                first: day(3)?,
                last: day(4)?,
                basis: of_json::<Basis>(&text(5)?)?,
                items: self.audit_items(id)?,
                report: row.get(6).sql(could_not_read)?,
            });
        }
        Ok(audits)
    }

    fn audit_items(&self, audit: Uuid) -> Result<Vec<(Item, Option<Judgement>)>> {
        let sql = "SELECT item, judgement FROM audit_items WHERE audit = ?1 ORDER BY number";
        let rows: Vec<(String, Option<String>)> = self
            .0
            .prepare_cached(sql)
            .and_then(|mut s| s.query_map([audit.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .sql(could_not_read)?;
        let item = |(item, judgement): &(String, Option<String>)| {
            Ok((of_json(item)?, judgement.as_deref().map(of_json).transpose()?))
        };
        rows.iter().map(item).collect()
    }

    /// Keeps what was found about item `number`, from 1. It can be changed until the audit is closed.
    ///
    /// # Errors
    /// `Refused` when it is closed, `NotFound` when there is no such item.
    pub fn judge(&self, audit: Uuid, number: i64, judgement: &Judgement) -> Result<()> {
        let goes_on: Option<bool> = self
            .0
            .query_row("SELECT report IS NULL FROM audits WHERE id = ?1", [audit.as_bytes()], |row| row.get(0))
            .optional()
            .sql(could_not_read)?;
        match goes_on {
            Some(true) => {}
            Some(false) => return Err(Error::new(Kind::Refused, "the audit is closed; its report stays as it is")),
            None => return Err(Error::new(Kind::NotFound, "there is no such audit")),
        }
        let sql = "UPDATE audit_items SET judgement = ?3 WHERE audit = ?1 AND number = ?2";
        match self.0.execute(sql, params![audit.as_bytes(), number, json(judgement)?]).sql(could_not_write)? {
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
        match self.0.execute(sql, params![audit.as_bytes(), report]).sql(could_not_write)? {
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

fn time(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).context(Kind::Damaged, || "invalid timestamp in the station's database".into())
}
