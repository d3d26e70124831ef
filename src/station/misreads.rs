//! The queue of misreads (control P-30): corrections that officers made, and hits that they found to be misread,
//! until a supervisor has looked at them.

use crate::rows::Rows;
use jiff::Timestamp;
use plated_access::{Permit, Search};
use plated_core::error::{Error, Kind, Result};
use plated_core::officers::{Correction, DispositionRecord};
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
             WHERE (kind = 'correction' OR kind = 'disposition' AND finding IN (?1, ?2))";
        let sql = format!(
            "SELECT documents.vehicle, documents.id, kind, json, received, review.by, review.at, review.note {QUEUE}
             ORDER BY review.at IS NOT NULL, received DESC LIMIT ?3"
        );
        let mut misreads = Vec::new();
        self.each(&sql, &[&MISREAD[0], &MISREAD[1], &limit], |row| {
            let (kind, json): (String, Vec<u8>) = (row.get(2)?, row.get(3)?);
            let found = match kind.as_str() {
                "correction" => serde_json::from_slice(&json).map(|of| Found::Correction(Box::new(of))),
                _ => serde_json::from_slice(&json).map(Found::Disposition),
            };
            // What a newer vehicle wrote otherwise is kept, and not shown here.
            let Ok(found) = found else { return Ok(()) };
            let review = match row.get(5)? {
                Some(by) => Some((by, row.get(6)?, row.get(7)?)),
                None => None,
            };
            misreads.push(Misread { id: row.get(1)?, vehicle: row.get(0)?, found, received: row.get(4)?, review });
            Ok(())
        })?;
        let waiting = format!("SELECT count(*) {QUEUE} AND review.at IS NULL");
        let waiting = self.one(&waiting, &[&MISREAD[0], &MISREAD[1]], |row| row.get(0))?;
        Ok((misreads, waiting.unwrap_or_default()))
    }

    /// Keeps that somebody looked at a misread.
    ///
    /// # Errors
    /// `NotFound` when there is none of this id, `Refused` when somebody looked at it before.
    pub fn review_misread(&self, id: Uuid, by: &str, note: &str, at: Timestamp) -> Result<()> {
        let vehicle: Option<String> =
            self.one("SELECT vehicle FROM documents WHERE id = ?1", &[&id], |row| row.get(0))?;
        let vehicle = vehicle.ok_or_else(|| Error::new(Kind::NotFound, "there is no such misread"))?;
        let added = self.run(
            "INSERT INTO misread_reviews (vehicle, document, at, by, note) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
            &[&vehicle, &id, &at, &by, &note],
        )?;
        match added {
            0 => Err(Error::new(Kind::Refused, "somebody has looked at it already; load the page again")),
            _ => Ok(()),
        }
    }
}
