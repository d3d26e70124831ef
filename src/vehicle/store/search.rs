//! Searching back: reads already made that a plate or partial plate fits (control P-04).
//!
//! A [`Search`] holds the permit of the gate, which has its record by then; so nothing is found, let
//! alone shown, that is not on record.

use super::connection::Fault;
use super::readers::View;
use jiff::Timestamp;
use plated_access as access;
use plated_access::{Actor, Case, Gate, Permit, Reason};
use plated_core::error::{Error, Kind, Result};
use plated_core::plate::{MatchKey, PlateText};
use plated_hotlist::Pattern;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Most reads in one page.
pub const PAGE: usize = 100;
/// Reads looked at in one turn; the store has other things to do in between.
const STEP: usize = 10_000;

/// What is searched for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Reads with this match key.
    Plate(MatchKey),
    /// Reads that fit a partial plate, and how it was written.
    Partial(Pattern, String),
}

impl Wanted {
    /// A partial plate when `text` holds `?` or `*`, else a plate.
    ///
    /// # Errors
    /// `Input` when it is neither.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: String| Error::new(Kind::Input, why);
        if text.contains(['?', '*']) {
            return Ok(Self::Partial(Pattern::parse(text).map_err(refuse)?, text.to_owned()));
        }
        match PlateText::normalise(text) {
            plate if plate.len() < 2 => Err(refuse("a plate has at least 2 characters".into())),
            plate => Ok(Self::Plate(plate.key())),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Plate(key) => key.as_str(),
            Self::Partial(_, text) => text,
        }
    }
}

/// A search on record. It is what the next page goes on from.
#[derive(Debug)]
pub struct Search {
    permit: Arc<Permit<access::Search>>,
    wanted: Wanted,
    from: i64,
    /// Time and number of the last read that was looked at.
    last: (i64, i64),
}

impl Search {
    /// Lets `actor` search the reads made since `from`, once that is on record: what is on record is
    /// what is searched for.
    ///
    /// # Errors
    /// As [`Gate::open`]; nothing is searched then.
    pub fn begin(
        gate: &Gate,
        actor: &Actor,
        reason: &Reason,
        case: &Case,
        wanted: Wanted,
        from: Timestamp,
    ) -> Result<Self> {
        let permit = gate.open(actor, reason, case, json!({"plate": wanted.text(), "from": from}))?;
        Ok(Self { permit: Arc::new(permit), wanted, from: from.as_microsecond(), last: (i64::MAX, i64::MAX) })
    }

    /// What lets it be done.
    pub fn permit(&self) -> &Arc<Permit<access::Search>> {
        &self.permit
    }
}

/// A read that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Key of the read.
    pub id: Uuid,
    /// Registration number as read.
    pub text: String,
    /// Issuing state, or empty.
    pub state: String,
    /// Probability that the text is right, 0 to 1.
    pub confidence: f32,
    /// Camera.
    pub camera: String,
    /// First look.
    pub first_seen: Timestamp,
    /// Last look.
    pub last_seen: Timestamp,
}

/// The next page, with few reads or none in it, and how to go on; `None` after the last.
pub(super) fn page(view: &View<'_>, mut search: Search) -> Result<(Vec<Found>, Option<Search>), Fault> {
    let mut numbers: Vec<i64> = Vec::new();
    if look(view, &mut search, &mut numbers)? == 0 {
        return Ok((Vec::new(), None));
    }
    let mut find = view.conn().prepare_cached(
        "SELECT id, text, state, confidence, camera, first_seen, last_seen FROM read WHERE number = ?1",
    )?;
    let time = |row: &rusqlite::Row<'_>, column: usize| -> rusqlite::Result<Timestamp> {
        let micros = row.get(column)?;
        Timestamp::from_microsecond(micros).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, micros))
    };
    let mut found = Vec::new();
    for number in numbers {
        found.push(find.query_row([number], |row| {
            Ok(Found {
                id: Uuid::from_bytes(row.get(0)?),
                text: row.get(1)?,
                state: row.get(2)?,
                confidence: row.get(3)?,
                camera: row.get(4)?,
                first_seen: time(row, 5)?,
                last_seen: time(row, 6)?,
            })
        })?);
    }
    Ok((found, Some(search)))
}

/// Looks at the next reads, newest first, and notes the numbers of those that fit; gives how many
/// it looked at. Both questions are answered by an index alone.
fn look(view: &View<'_>, search: &mut Search, numbers: &mut Vec<i64>) -> Result<usize, Fault> {
    const ORDER: &str =
        "last_seen >= ?1 AND (last_seen, number) < (?2, ?3) ORDER BY last_seen DESC, number DESC LIMIT ?4";
    let (key, limit) = match &search.wanted {
        Wanted::Plate(key) => (Some(key.as_str()), PAGE),
        Wanted::Partial(..) => (None, STEP),
    };
    let sql = match key {
        Some(_) => format!("SELECT last_seen, number, key FROM read WHERE key = ?5 AND {ORDER}"),
        None => format!("SELECT last_seen, number, key FROM read WHERE ?5 IS NULL AND {ORDER}"),
    };
    let mut find = view.conn().prepare_cached(&sql)?;
    let mut rows = find.query(params![search.from, search.last.0, search.last.1, limit as i64, key])?;
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        looked_at += 1;
        search.last = (row.get(0)?, row.get(1)?);
        let fits = match &search.wanted {
            Wanted::Plate(_) => true,
            Wanted::Partial(pattern, _) => pattern.fits(row.get_ref(2)?.as_str().unwrap_or_default()),
        };
        if fits {
            numbers.push(search.last.1);
            if numbers.len() == PAGE {
                break;
            }
        }
    }
    Ok(looked_at)
}
