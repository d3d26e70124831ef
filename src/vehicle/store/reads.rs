//! Writing and finding reads.

use super::connection::Fault;
use super::monitor;
use super::readers::View;
use super::writer::Writer;
use jiff::Timestamp;
use plated_core::appearance::{Appearance, Seen};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::{HitRecord, ImageRef, ImageRole, Priority, ReadRecord};
use rusqlite::{Connection, OptionalExtension, named_params, params};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// A read to be kept.
#[derive(Clone, Debug)]
pub struct NewRead {
    /// The record. Its `images` are either empty, and filled in from the pictures below, or
    /// exactly those.
    pub record: ReadRecord,
    /// Its pictures.
    pub images: Vec<NewImage>,
    /// The vehicle pass is still going on (written early, so that a hit can be shown while it is
    /// news; its alert does not wait for that): the read is kept but not sent until it is put again
    /// with `open` false. If the daemon ends before that, it is sealed as it is at the next start.
    pub open: bool,
}

/// A picture to be kept.
#[derive(Clone, Debug)]
pub struct NewImage {
    /// What it shows.
    pub role: ImageRole,
    /// The JPEG bytes.
    pub jpeg: Arc<[u8]>,
}

impl NewImage {
    /// What the record says of it.
    ///
    /// # Errors
    /// `Internal` for a picture of more than 4 GiB.
    pub fn reference(&self) -> Result<ImageRef> {
        let bytes = u32::try_from(self.jpeg.len())
            .context(Kind::Internal, || "a picture of a read is larger than 4 GiB".into())?;
        Ok(ImageRef { role: self.role, sha256: Sha256::of(&self.jpeg), bytes })
    }
}

/// A read that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Key of the read.
    pub id: Uuid,
    /// Over its content as it will be transferred; it changes while the read is open.
    pub sha256: Sha256,
    /// It won't change any more, and is waiting for transfer or has been transferred.
    pub sealed: bool,
}

/// A read whose pictures are hashed, ready for the store's thread.
pub(super) struct Prepared {
    record: ReadRecord,
    jpegs: Vec<Arc<[u8]>>,
    open: bool,
}

/// Hashes the pictures and sees that the record names exactly them.
pub(super) fn prepare(read: &NewRead) -> Result<Prepared> {
    let images = read.images.iter().map(NewImage::reference).collect::<Result<Vec<_>>>()?;
    let mut record = read.record.clone();
    if record.images.is_empty() {
        record.images = images;
    } else if record.images != images {
        return Err(Error::new(
            Kind::Internal,
            format!("read {}: the record names other pictures than it has", record.id),
        ));
    }
    Ok(Prepared { record, jpegs: read.images.iter().map(|i| i.jpeg.clone()).collect(), open: read.open })
}

/// What the store has of a read already.
struct Present {
    number: i64,
    sha256: [u8; 32],
    record: Vec<u8>,
    open: bool,
}

/// Writes a read, all of it or nothing.
pub(super) fn put(writer: &mut Writer, read: Prepared) -> Result<Stored, Fault> {
    let now = writer.now();
    let Prepared { mut record, jpegs, open } = read;
    let stamp = writer.stamp();
    let tx = writer.write()?;
    let present = present(&tx, record.id)?;
    let mut sounded = HashSet::new();
    if let Some(present) = &present {
        let before = parse(&present.record)?.hits;
        sounded.extend(monitor::sounded(&before).map(|hit| hit.id));
        keep_hits(&mut record, before);
    }
    let json = seal(&record)?;
    let sha256 = Sha256::of(&json);
    let replaced = match present {
        Some(p) if !p.open && p.sha256 == sha256.0 => return Ok(Stored { id: record.id, sha256, sealed: true }),
        // What is sealed stays as it is, byte for byte.
        Some(p) if !p.open && is_same_read(&p.record, &json)? => {
            return Ok(Stored { id: record.id, sha256: Sha256(p.sha256), sealed: true });
        }
        Some(p) if !p.open => {
            let message = format!("read {} is sealed and can't be given another content", record.id);
            return Err(Error::new(Kind::Internal, message).into());
        }
        Some(p) => forget(&tx, p.number)?,
        None => Vec::new(),
    };
    let new = Sealing { record: &record, json: &json, sha256, open, now };
    let number = write(&tx, &new, &jpegs)?;
    for sha256 in replaced {
        tx.prepare_cached(
            "DELETE FROM image WHERE sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM read_image WHERE image = ?1)",
        )?
        .execute([sha256])?;
    }
    queue(&tx, number, &new)?;
    monitor::alerts_raised(&tx, &stamp, &record, &record.hits, &sounded)?;
    tx.commit()?;
    Ok(Stored { id: record.id, sha256, sealed: !open })
}

/// A record and its bytes as they are kept.
pub(super) struct Sealing<'a> {
    pub(super) record: &'a ReadRecord,
    pub(super) json: &'a [u8],
    pub(super) sha256: Sha256,
    pub(super) open: bool,
    pub(super) now: i64,
}

/// Writes the rows of a read but for its place in the outbox; `jpegs` are the pictures that its
/// record names, in the same order.
pub(super) fn write<P: AsRef<[u8]>>(tx: &Connection, new: &Sealing<'_>, jpegs: &[P]) -> rusqlite::Result<i64> {
    let record = new.record;
    let word_of = |of: fn(&Appearance) -> &Option<Seen>| {
        record.appearance.as_ref().and_then(|seen| of(seen).as_ref()).map_or("", |seen| &seen.is)
    };
    let number: i64 = tx.query_row(
        "INSERT INTO read (id, camera, text, key, state, class, confidence, has_hit, canvass, looks, agreeing,
                           first_seen, last_seen, latitude, longitude, stored, sha256, record, colour, make)
         VALUES (:id, :camera, :text, :key, :state, :class, :confidence, :has_hit, :canvass, :looks, :agreeing,
                 :first_seen, :last_seen, :latitude, :longitude, :stored, :sha256, :record, :colour, :make)
         ON CONFLICT (id) DO UPDATE SET
           camera = excluded.camera, text = excluded.text, key = excluded.key, state = excluded.state,
           confidence = excluded.confidence, has_hit = excluded.has_hit, canvass = excluded.canvass,
           looks = excluded.looks,
           agreeing = excluded.agreeing, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
           latitude = excluded.latitude, longitude = excluded.longitude,
           stored = excluded.stored, sha256 = excluded.sha256, record = excluded.record,
           class = excluded.class, colour = excluded.colour, make = excluded.make
         RETURNING number",
        named_params! {
            ":id": record.id.as_bytes(),
            ":camera": record.camera,
            ":text": record.text,
            ":key": PlateText::normalise(&record.text).key().as_str(),
            ":state": record.state,
            ":class": word_of(|seen| &seen.class),
            ":colour": word_of(|seen| &seen.colour),
            ":make": word_of(|seen| &seen.make),
            ":confidence": record.confidence,
            ":has_hit": !record.hits.is_empty(),
            ":canvass": record.canvass.as_deref().unwrap_or_default(),
            ":looks": record.looks,
            ":agreeing": record.agreeing,
            ":first_seen": record.first_seen.as_microsecond(),
            ":last_seen": record.last_seen.as_microsecond(),
            ":latitude": record.position.map(|p| p.lat),
            ":longitude": record.position.map(|p| p.lon),
            ":stored": new.now,
            ":sha256": new.sha256.0,
            ":record": new.json,
        },
        |row| row.get(0),
    )?;
    for (position, (image, jpeg)) in record.images.iter().zip(jpegs).enumerate() {
        tx.prepare_cached("INSERT INTO image (sha256, jpeg) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING")?
            .execute(params![image.sha256.0, jpeg.as_ref()])?;
        tx.prepare_cached("INSERT INTO read_image (read, position, role, image) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![number, position as i64, image.role.as_str(), image.sha256.0])?;
    }
    add_hits(tx, number, &record.hits, None)?;
    Ok(number)
}

/// Writes the rows of hits, but for those that are there.
pub(super) fn add_hits(
    tx: &Connection,
    number: i64,
    hits: &[HitRecord],
    correction: Option<Uuid>,
) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO hit (id, read, at, list, priority, correction) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO NOTHING",
    )?;
    for hit in hits {
        let list = hit.entries.first().map_or("", |e| &e.entry.list);
        let (id, at) = (hit.id.as_bytes(), hit.at.as_microsecond());
        insert.execute(params![id, number, at, list, word(hit.priority()), correction.as_ref().map(Uuid::as_bytes)])?;
    }
    Ok(())
}

/// The pictures of a read that are here.
pub(super) fn pictures(conn: &Connection, record: &ReadRecord) -> rusqlite::Result<Vec<NewImage>> {
    let mut find = conn.prepare_cached("SELECT jpeg FROM image WHERE sha256 = ?1")?;
    let mut pictures = Vec::new();
    for image in &record.images {
        let jpeg: Option<Vec<u8>> = find.query_row([image.sha256.0], |row| row.get(0)).optional()?;
        pictures.extend(jpeg.map(|jpeg| NewImage { role: image.role, jpeg: jpeg.into() }));
    }
    Ok(pictures)
}

/// Gives a read its place in the outbox.
pub(super) fn queue(tx: &Connection, number: i64, new: &Sealing<'_>) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO outbox (read, state, has_hit, captured, in_canvass) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (read) DO UPDATE
           SET state = excluded.state, has_hit = excluded.has_hit, in_canvass = excluded.in_canvass,
               captured = excluded.captured",
        params![
            number,
            if new.open { "open" } else { "pending" },
            !new.record.hits.is_empty(),
            new.record.first_seen.as_microsecond(),
            new.record.canvass.is_some()
        ],
    )?;
    Ok(())
}

/// A picture by its content.
pub(super) fn image(view: &View<'_>, sha256: &Sha256) -> Result<Option<Vec<u8>>, Fault> {
    let mut find = view.conn().prepare_cached("SELECT jpeg FROM image WHERE sha256 = ?1")?;
    Ok(find.query_row([sha256.0], |row| row.get(0)).optional()?)
}

/// The last reads, newest first.
pub(super) fn newest(view: &View<'_>, limit: usize) -> Result<Vec<ReadRecord>, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut find = view.conn().prepare_cached("SELECT record FROM read ORDER BY number DESC LIMIT ?1")?;
    let rows = find.query_map([limit], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|json| parse(&json?)).collect()
}

/// A record as it is kept.
pub(super) fn parse(json: &[u8]) -> Result<ReadRecord, Fault> {
    serde_json::from_slice(json).map_err(|_| Fault::Damaged("a record in it is not what was written".into()))
}

/// The one serialisation of a record.
fn seal(record: &ReadRecord) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(record)
        .context(Kind::Internal, || format!("read {} can't be written as JSON", record.id))?;
    // A number that is none (NaN) becomes `null`, which nobody could read back later.
    serde_json::from_slice::<ReadRecord>(&json)
        .context(Kind::Internal, || format!("read {} can't be read back from JSON", record.id))?;
    Ok(json)
}

fn present(conn: &Connection, id: Uuid) -> rusqlite::Result<Option<Present>> {
    conn.prepare_cached(
        "SELECT number, sha256, record, coalesce(outbox.state = 'open', 0)
         FROM read LEFT JOIN outbox ON outbox.read = number WHERE id = ?1",
    )?
    .query_row([id.as_bytes()], |row| {
        Ok(Present { number: row.get(0)?, sha256: row.get(1)?, record: row.get(2)?, open: row.get(3)? })
    })
    .optional()
}

/// Whether two records are of the same read but for how late it was kept, its times, its pictures and what they show of the
/// vehicle. A
/// store that is given up right after a commit lets a read come again: late then, perhaps with times that were
/// corrected meanwhile, or without its pictures.
fn is_same_read(a: &[u8], b: &[u8]) -> Result<bool, Fault> {
    let what_stays = |json: &[u8]| {
        parse(json).map(|mut record| {
            let at = Timestamp::UNIX_EPOCH;
            (record.clock, record.first_seen, record.last_seen, record.best.at) = (None, at, at, at);
            record.images.clear();
            // Seen with the pictures.
            record.appearance = None;
            record.sightings.iter_mut().for_each(|look| look.at = at);
            for hit in &mut record.hits {
                (hit.kept_late, hit.at) = (false, at);
                hit.entries.iter_mut().for_each(|entry| entry.vehicle_differs.clear());
            }
            record
        })
    };
    Ok(what_stays(a)? == what_stays(b)?)
}

/// A hit that was once written, and perhaps sounded, stays, whatever the read becomes.
fn keep_hits(record: &mut ReadRecord, before: Vec<HitRecord>) {
    let mut kept: Vec<HitRecord> =
        before.into_iter().filter(|old| record.hits.iter().all(|new| new.id != old.id)).collect();
    kept.append(&mut record.hits);
    record.hits = kept;
}

/// Takes hits and pictures from an open read that is about to get new ones; gives the pictures
/// that may now be of no use.
fn forget(conn: &Connection, number: i64) -> rusqlite::Result<Vec<[u8; 32]>> {
    conn.execute("DELETE FROM hit WHERE read = ?1 AND correction IS NULL", [number])?;
    conn.prepare_cached("DELETE FROM read_image WHERE read = ?1 RETURNING image")?
        .query_map([number], |row| row.get(0))?
        .collect()
}

/// The word for it in the store.
pub(super) fn word(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
    }
}
