//! Rows of reads: how they are put in and taken out.

use super::super::batch::{CheckedRead, Envelope, PictureRef};
use super::super::class::Class;
use super::super::query::Found;
use crate::postgres::Tx;
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

/// A read to be put in.
pub(super) struct NewRow<'a> {
    pub read: &'a CheckedRead,
    pub received: Timestamp,
    pub batch: Uuid,
    /// Where its pictures are: the pack, and where in it each begins, in their order.
    pub pack: Option<Uuid>,
    pub starts: Vec<u64>,
}

/// A picture that a read names, and where it begins in its pack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Placed {
    pub role: String,
    pub sha256: Sha256,
    pub bytes: u32,
    pub start: u64,
}

/// A read with its record.
pub(super) struct Whole {
    pub part: i32,
    pub found: Found,
    pub record: Vec<u8>,
    pub batch: Uuid,
    /// Where its pictures are; none when they were deleted.
    pub pack: Option<Uuid>,
    pub pictures: Vec<Placed>,
}

/// Puts reads into a part; gives how many were not there before.
pub(super) fn insert(tx: &Tx<'_>, part: i32, new: &[NewRow<'_>]) -> Result<u64> {
    if new.is_empty() {
        return Ok(0);
    }
    let placed = |row: &NewRow<'_>| {
        let all = row.read.envelope.pictures.iter().zip(row.starts.iter().copied().chain(std::iter::repeat(0)));
        let all: Vec<Placed> =
            all.map(|(p, start)| Placed { role: p.role.clone(), sha256: p.sha256, bytes: p.bytes, start }).collect();
        serde_json::to_string(&all).context(Kind::Internal, || "the pictures of a read can't be written".into())
    };
    let pictures = new.iter().map(placed).collect::<Result<Vec<_>>>()?;
    let ids = column(new, |n| n.read.id);
    let inserted = tx.run(
        "INSERT INTO records (part, id, sha256, batch, record, pack, pictures)
         SELECT $1, * FROM unnest($2::uuid[], $3::bytea[], $4::uuid[], $5::bytea[], $6::uuid[], $7::text[])
         ON CONFLICT DO NOTHING",
        &[
            &part,
            &ids,
            &column(new, |n| &n.read.sha256.0[..]),
            &column(new, |n| n.batch),
            &column(new, |n| &n.read.record[..]),
            &column(new, |n| n.pack),
            &pictures,
        ],
    )?;
    let position = |n: &NewRow<'_>| n.read.envelope.position.as_ref().map(serde_json::to_string).transpose();
    let positions = new.iter().map(position).collect::<Result<Vec<_>, _>>();
    let positions = positions.context(Kind::Internal, || "a position can't be written".into())?;
    tx.run(
        "INSERT INTO reads (part, id, key, text, state, vehicle, camera, first_seen, last_seen, received, latitude,
           longitude, confidence, has_hit, class, canvass, position, site)
         SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
           $9::bigint[], $10::bigint[], $11::float8[], $12::float8[], $13::float8[], $14::boolean[], $15::text[],
           $16::text[], $17::text[], $18::text[])
         ON CONFLICT DO NOTHING",
        &[
            &part,
            &ids,
            &column(new, |n| &*n.read.envelope.key),
            &column(new, |n| &*n.read.envelope.text),
            &column(new, |n| &*n.read.envelope.state),
            &column(new, |n| &*n.read.envelope.vehicle),
            &column(new, |n| &*n.read.envelope.camera),
            &column(new, |n| n.read.envelope.first_seen.as_microsecond()),
            &column(new, |n| n.read.envelope.last_seen.as_microsecond()),
            &column(new, |n| n.received.as_microsecond()),
            &column(new, |n| n.read.envelope.position.map(|p| p.lat)),
            &column(new, |n| n.read.envelope.position.map(|p| p.lon)),
            &column(new, |n| f64::from(n.read.envelope.confidence)),
            &column(new, |n| n.read.envelope.has_hit),
            &column(new, |n| n.read.envelope.class.as_str()),
            &column(new, |n| n.read.envelope.canvass.as_deref()),
            &positions,
            &column(new, |n| n.read.envelope.site.as_deref()),
        ],
    )?;
    Ok(inserted)
}

fn column<'a, 'r, T>(new: &'a [NewRow<'r>], of: impl Fn(&'a NewRow<'r>) -> T) -> Vec<T> {
    new.iter().map(of).collect()
}

const COLUMNS: &str = "r.part, r.id, r.key, r.text, r.state, r.vehicle, r.camera, r.first_seen, r.last_seen, r.received, \
                       r.confidence, r.has_hit, r.class, r.canvass, r.position, c.sha256, c.pictures, r.site";

/// Reads by their parts and ids, in no order.
pub(super) fn found(tx: &Tx<'_>, places: &[(i32, Uuid)]) -> Result<Vec<(i32, Found)>> {
    select(tx, places, "")?.iter().map(|row| Ok((row.get(0), of_row(row)?.0))).collect()
}

/// The same with all that is kept of them.
pub(super) fn whole(tx: &Tx<'_>, places: &[(i32, Uuid)]) -> Result<Vec<Whole>> {
    let rows = select(tx, places, ", c.record, c.batch, (SELECT p.id FROM packs p WHERE p.id = c.pack)")?;
    let of = |row: &Row| {
        let (found, pictures) = of_row(row)?;
        let (part, record, batch, pack) = (row.get(0), row.get(18), row.get(19), row.get(20));
        Ok(Whole { part, found, record, batch, pack, pictures })
    };
    rows.iter().map(of).collect()
}

fn select(tx: &Tx<'_>, places: &[(i32, Uuid)], more: &str) -> Result<Vec<Row>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let (parts, ids): (Vec<i32>, Vec<Uuid>) = places.iter().copied().unzip();
    let mut named = parts.clone();
    named.sort_unstable();
    named.dedup();
    // One by one, by the index of its part: the limits keep it from being planned as a join of whole parts.
    let sql = format!(
        "SELECT {COLUMNS}{more} FROM unnest($1::int4[], $2::uuid[]) AS f (part, id)
         CROSS JOIN LATERAL (
           SELECT * FROM reads WHERE reads.part = f.part AND reads.id = f.id AND reads.part = ANY($3) LIMIT 1) r
         CROSS JOIN LATERAL (
           SELECT * FROM records WHERE records.part = f.part AND records.id = f.id AND records.part = ANY($3) LIMIT 1) c"
    );
    tx.all(&sql, &[&parts, &ids, &named])
}

fn of_row(row: &Row) -> Result<(Found, Vec<Placed>)> {
    let id: Uuid = row.get(1);
    let damaged = || Error::new(Kind::Damaged, format!("the row of the read {id} is not what was written"));
    let time = |column: usize| Timestamp::from_microsecond(row.get(column)).map_err(|_| damaged());
    let position: Option<&str> = row.get(14);
    let pictures: Vec<Placed> = serde_json::from_str(row.get(16)).map_err(|_| damaged())?;
    let envelope = Envelope {
        key: row.get(2),
        text: row.get(3),
        state: row.get(4),
        vehicle: row.get(5),
        camera: row.get(6),
        first_seen: time(7)?,
        last_seen: time(8)?,
        confidence: row.get::<_, f64>(10) as f32,
        has_hit: row.get(11),
        class: Class::of_word(row.get(12)).ok_or_else(damaged)?,
        canvass: row.get(13),
        site: row.get(17),
        position: position.map(serde_json::from_str).transpose().map_err(|_| damaged())?,
        pictures: pictures
            .iter()
            .map(|p| PictureRef { role: p.role.clone(), sha256: p.sha256, bytes: p.bytes })
            .collect(),
    };
    let sha256: &[u8] = row.get(15);
    let sha256 = Sha256(sha256.try_into().map_err(|_| damaged())?);
    Ok((Found { id, sha256, received: time(9)?, envelope, corrected: None }, pictures))
}
