//! Hits as officers meet them again: listed, and named by the end of their id.
//!
//! A [`HitSearch`] holds the permit of the gate, as in [`super::search`].

use super::connection::Fault;
use super::corrections;
use super::dispositions::Finding;
use super::manual::time;
use super::readers::View;
use super::reads::parse;
use super::search::PAGE;
use jiff::Timestamp;
use plated_access as access;
use plated_access::{Actor, Case, Gate, Permit, Reason};
use plated_core::error::{Error, Kind, Result};
use plated_core::record::HitRecord;
use plated_core::user::Author;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Fewest digits by which a hit is named.
const MIN_DIGITS: usize = 6;
/// As many bytes at the end of an id.
const END_BYTES: usize = MIN_DIGITS / 2;

/// A hit, and what was found about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptHit {
    /// The hit.
    pub hit: HitRecord,
    /// Key of the read.
    pub read: Uuid,
    /// Camera.
    pub camera: String,
    /// The newest disposition of this hit.
    pub disposition: Option<Disposed>,
}

/// What was found about a hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposed {
    /// What it was.
    pub finding: Finding,
    /// When that was put down.
    pub at: Timestamp,
    /// Who.
    pub by: Author,
}

/// A list of hits on record. It is what the next page goes on from.
#[derive(Debug)]
pub struct HitSearch {
    permit: Arc<Permit<access::Hits>>,
    from: i64,
    /// Time and key of the last hit that was given.
    last: (i64, [u8; 16]),
}

impl HitSearch {
    /// Lets `actor` see the hits since `from`, once that is on record.
    ///
    /// # Errors
    /// As [`Gate::open`]; nothing is shown then.
    pub fn begin(gate: &Gate, actor: &Actor, reason: &Reason, case: &Case, from: Timestamp) -> Result<Self> {
        let permit = gate.open(actor, reason, case, json!({"from": from}))?;
        Ok(Self { permit: Arc::new(permit), from: from.as_microsecond(), last: (i64::MAX, [u8::MAX; 16]) })
    }

    /// What lets it be done.
    pub fn permit(&self) -> &Arc<Permit<access::Hits>> {
        &self.permit
    }
}

/// The end of a hit's id, by which people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HitEnd(String);

impl HitEnd {
    /// # Errors
    /// `Input` when it is fewer than 6 digits, or something else.
    pub fn parse(end: &str) -> Result<Self> {
        digits(end).map(Self).ok_or_else(|| {
            let message = format!(
                "{end:?} is no hit; give its id or the end of it, at least {MIN_DIGITS} digits, as `plated hit list` \
                 shows them"
            );
            Error::new(Kind::Input, message)
        })
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The digits of an id, or of the end of one, when they are enough.
pub(super) fn digits(end: &str) -> Option<String> {
    let digits: String = end.chars().filter(|c| *c != '-').collect();
    let is_end = (MIN_DIGITS..=32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_end.then_some(digits)
}

/// The next page, newest first, and how to go on; `None` after the last.
pub(super) fn page(view: &View<'_>, mut search: HitSearch) -> Result<(Vec<KeptHit>, Option<HitSearch>), Fault> {
    let mut find = view.conn().prepare_cached(&format!(
        "{SELECT} WHERE hit.at >= ?1 AND (hit.at, hit.id) < (?2, ?3) ORDER BY hit.at DESC, hit.id DESC LIMIT ?4"
    ))?;
    let mut rows = find.query(params![search.from, search.last.0, search.last.1, PAGE as i64])?;
    let mut hits = Vec::new();
    while let Some(row) = rows.next()? {
        hits.push(kept(row)?);
        search.last = (row.get("at")?, row.get("id")?);
    }
    let more = hits.len() == PAGE;
    Ok((hits, more.then_some(search)))
}

/// The one hit whose id ends so.
pub(super) fn find(view: &View<'_>, HitEnd(digits): &HitEnd) -> Result<Option<KeptHit>, Fault> {
    let conn = view.conn();
    let found = by_end(conn, "hit", digits)?;
    match found[..] {
        [id] => by_id(conn, Uuid::from_bytes(id)),
        [] => Ok(None),
        _ => {
            let message = format!(
                "more than one hit has an id that ends in {digits}; give more digits of it, as `plated hit list \
                 --json` shows them"
            );
            Err(Error::new(Kind::Input, message).into())
        }
    }
}

/// Up to two keys of a table that end in these digits, of which there are at least 6: the last three bytes are
/// looked up.
pub(super) fn by_end(conn: &Connection, table: &str, digits: &str) -> Result<Vec<[u8; 16]>, Fault> {
    let mut end = [0; END_BYTES];
    let last = digits.len().checked_sub(2 * END_BYTES).and_then(|from| digits.get(from..));
    if last.is_none_or(|last| hex::decode_to_slice(last, &mut end).is_err()) {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT id FROM {table} WHERE substr(id, 14) = ?1 AND hex(id) LIKE '%' || ?2 LIMIT 2");
    let mut find = conn.prepare_cached(&sql)?;
    Ok(find.query_map(params![end, digits], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// The hit with this key.
pub(super) fn by_id(conn: &Connection, id: Uuid) -> Result<Option<KeptHit>, Fault> {
    let mut find = conn.prepare_cached(&format!("{SELECT} WHERE hit.id = ?1"))?;
    find.query_row([id.as_bytes()], |row| Ok(kept(row))).optional()?.transpose()
}

const SELECT: &str = "SELECT hit.id AS id, hit.at AS at, read.record AS record, correction.record AS correction, word,
            d.at AS found, user, uid FROM hit
     JOIN read ON read.number = hit.read
     LEFT JOIN correction ON correction.id = hit.correction
     LEFT JOIN disposition AS d ON d.number =
       (SELECT max(number) FROM disposition WHERE disposition.read = read.id AND disposition.hit = hit.id)";

fn kept(row: &Row<'_>) -> Result<KeptHit, Fault> {
    let id = Uuid::from_bytes(row.get("id")?);
    let record = parse(&row.get::<_, Vec<u8>>("record")?)?;
    let disposition = match row.get::<_, Option<String>>("word")? {
        Some(word) => Some(Disposed {
            finding: Finding::ALL
                .into_iter()
                .find(|f| f.as_str() == word)
                .ok_or_else(|| Fault::Damaged("a disposition in it is none".into()))?,
            at: time(row.get("found")?)?,
            by: Author { user: row.get("user")?, uid: row.get("uid")? },
        }),
        None => None,
    };
    let hits = match row.get::<_, Option<String>>("correction")? {
        Some(json) => corrections::read(&json)?.hits,
        None => record.hits,
    };
    match hits.into_iter().find(|hit| hit.id == id) {
        Some(hit) => Ok(KeptHit { hit, read: record.id, camera: record.camera, disposition }),
        None => Err(Fault::Damaged(format!("the record of read {} does not have its hit {id}", record.id))),
    }
}
