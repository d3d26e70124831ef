//! The queue of misreads (control P-30): corrections that officers made, and hits that they found to be misread,
//! until a supervisor has looked at them.

use crate::database::{Rows, could_not_read};
use crate::sqlcipher::SqlContext;
use jiff::Timestamp;
use plated_access::{Permit, Search};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::officers::{Correction, DispositionRecord};
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

/// The schema in the station's database.
pub(super) const SCHEMA: &str = include_str!("misreads.sql");

/// What an officer found.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A read says something else.
    Correction(Box<Correction>),
    /// A hit was found to be misread, or of another state.
    Disposition(DispositionRecord),
}

/// A misread in the queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Misread {
    /// Names it, with the vehicle.
    pub id: Uuid,
    /// The vehicle.
    pub vehicle: String,
    /// What was found.
    pub found: Found,
    /// When it came.
    pub received: Timestamp,
    /// Who looked at it, when, and what they noted.
    pub review: Option<(String, Timestamp, String)>,
}

impl Misread {
    /// The read that it is about.
    pub fn read(&self) -> Uuid {
        match &self.found {
            Found::Correction(correction) => correction.read,
            Found::Disposition(disposition) => disposition.read,
        }
    }
}

/// Findings that say that a plate was misread.
const MISREAD: [&str; 2] = ["misread", "wrong_state"];

impl Rows<'_> {
    /// Misreads, those that nobody looked at first and of those the newest, at most `limit`; and how many wait.
    pub fn misreads(&self, _: &Permit<Search>, limit: u32) -> Result<(Vec<Misread>, u64)> {
        const QUEUE: &str = "FROM documents LEFT JOIN misread_reviews AS review
              ON review.vehicle = documents.vehicle AND review.document = documents.id
             WHERE (kind = 'correction' OR kind = 'disposition' AND CAST(json AS TEXT) ->> 'finding' IN (?1, ?2))";
        let sql = format!(
            "SELECT documents.vehicle, documents.id, kind, json, received, review.by, review.at, review.note {QUEUE}
             ORDER BY review.at IS NOT NULL, received DESC LIMIT ?3"
        );
        let mut find = self.0.prepare_cached(&sql).sql(could_not_read)?;
        let mut rows = find.query(params![MISREAD[0], MISREAD[1], limit]).sql(could_not_read)?;
        let mut misreads = Vec::new();
        while let Some(row) = rows.next().sql(could_not_read)? {
            let (kind, json): (String, Vec<u8>) = (row.get(2).sql(could_not_read)?, row.get(3).sql(could_not_read)?);
            let found = match kind.as_str() {
                "correction" => serde_json::from_slice(&json).map(|of| Found::Correction(Box::new(of))),
                _ => serde_json::from_slice(&json).map(Found::Disposition),
            };
            // What a newer vehicle wrote otherwise is kept, and not shown here.
            let Ok(found) = found else { continue };
            let by: Option<String> = row.get(5).sql(could_not_read)?;
            let review = match by {
                Some(by) => Some((by, time(row.get(6).sql(could_not_read)?)?, row.get(7).sql(could_not_read)?)),
                None => None,
            };
            misreads.push(Misread {
                id: Uuid::from_bytes(row.get(1).sql(could_not_read)?),
                vehicle: row.get(0).sql(could_not_read)?,
                found,
                received: time(row.get(4).sql(could_not_read)?)?,
                review,
            });
        }
        let waiting = self
            .0
            .prepare_cached(&format!("SELECT count(*) {QUEUE} AND review.at IS NULL"))
            .and_then(|mut s| s.query_row(params![MISREAD[0], MISREAD[1]], |row| row.get::<_, i64>(0)))
            .sql(could_not_read)?;
        Ok((misreads, waiting.unsigned_abs()))
    }

    /// Keeps that somebody looked at a misread.
    ///
    /// # Errors
    /// `NotFound` when there is none of this id, `Refused` when somebody looked at it before.
    pub fn review_misread(&self, id: Uuid, by: &str, note: &str, at: Timestamp) -> Result<()> {
        let could_not_write = || "the review of a misread could not be kept".to_owned();
        let vehicle: Option<String> = self
            .0
            .query_row("SELECT vehicle FROM documents WHERE id = ?1", [id.as_bytes()], |row| row.get(0))
            .optional()
            .sql(could_not_read)?;
        let vehicle = vehicle.ok_or_else(|| Error::new(Kind::NotFound, "there is no such misread"))?;
        let added = self
            .0
            .execute(
                "INSERT INTO misread_reviews (vehicle, document, at, by, note) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO NOTHING",
                params![vehicle, id.as_bytes(), at.as_microsecond(), by, note],
            )
            .sql(could_not_write)?;
        match added {
            0 => Err(Error::new(Kind::Refused, "somebody has looked at it already; load the page again")),
            _ => Ok(()),
        }
    }
}

fn time(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).context(Kind::Damaged, || "invalid timestamp in the station's database".into())
}
