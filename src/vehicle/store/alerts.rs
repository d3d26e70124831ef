//! Hits that alerted, each with its read and all that was found about it; and pictures of reads.

use super::connection::Fault;
use super::corrections;
use super::dispositions::Finding;
use super::hits::Disposed;
use super::manual::time;
use super::readers::View;
use super::reads::parse;
use jiff::Timestamp;
use plated_access::{Hits, Live, Recorded, Search};
use plated_core::digest::Sha256;
use plated_core::record::{Alerting, HitRecord, ImageRole, ReadRecord};
use plated_core::user::Author;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// Kinds of access that see pictures of reads.
pub trait SeesPictures: Recorded {}

impl SeesPictures for Hits {}
impl SeesPictures for Live {}
impl SeesPictures for Search {}

/// A hit that alerted somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptAlert {
    /// The read, as it is so far.
    pub read: ReadRecord,
    /// Which of its hits it is.
    pub hit: HitRecord,
    /// What was found about it, the newest last.
    pub findings: Vec<Disposed>,
}

/// Those since a moment, the newest first.
pub(super) fn since(view: &View<'_>, from: Timestamp, limit: usize) -> Result<Vec<KeptAlert>, Fault> {
    let mut find = view.conn().prepare_cached(
        "SELECT hit.id, record FROM hit JOIN read ON read.number = hit.read WHERE hit.at >= ?1
         ORDER BY hit.at DESC, hit.id DESC",
    )?;
    let mut rows = find.query([from.as_microsecond()])?;
    let mut alerts = Vec::new();
    while let Some(row) = rows.next()? {
        let alert = kept(view.conn(), row.get(0)?, &row.get::<_, Vec<u8>>(1)?)?;
        if alert.hit.alert == Alerting::Sounded {
            alerts.push(alert);
            if alerts.len() == limit {
                break;
            }
        }
    }
    Ok(alerts)
}

/// The one with this id.
pub(super) fn by_id(view: &View<'_>, id: Uuid) -> Result<Option<KeptAlert>, Fault> {
    let sql = "SELECT record FROM hit JOIN read ON read.number = hit.read WHERE hit.id = ?1";
    let mut find = view.conn().prepare_cached(sql)?;
    let record: Option<Vec<u8>> = find.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
    record.map(|record| kept(view.conn(), *id.as_bytes(), &record)).transpose()
}

pub(super) fn kept(conn: &Connection, id: [u8; 16], record: &[u8]) -> Result<KeptAlert, Fault> {
    let (id, read) = (Uuid::from_bytes(id), parse(record)?);
    let hit = match read.hits.iter().find(|hit| hit.id == id) {
        Some(hit) => Some(hit.clone()),
        None => corrections::of_read(conn, read.id)?.into_iter().flat_map(|c| c.hits).find(|hit| hit.id == id),
    };
    let hit =
        hit.ok_or_else(|| Fault::Damaged(format!("the record of read {} does not have its hit {id}", read.id)))?;
    let mut find = conn
        .prepare_cached("SELECT word, at, user, uid FROM disposition WHERE read = ?1 AND hit = ?2 ORDER BY number")?;
    let mut rows = find.query(params![read.id.as_bytes(), id.as_bytes()])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let finding = Finding::of(row.get_ref(0)?.as_str().unwrap_or_default());
        findings.push(Disposed {
            finding: finding.ok_or_else(|| Fault::Damaged("a disposition in it is none".into()))?,
            at: time(row.get(1)?)?,
            by: Author { user: row.get(2)?, uid: row.get(3)? },
        });
    }
    Ok(KeptAlert { read, hit, findings })
}

/// A picture of a read, with its hash.
pub(super) fn picture(view: &View<'_>, read: Uuid, role: ImageRole) -> Result<Option<(Sha256, Vec<u8>)>, Fault> {
    let mut find = view.conn().prepare_cached(
        "SELECT image.sha256, jpeg FROM read JOIN read_image ON read_image.read = read.number
           JOIN image ON image.sha256 = read_image.image
         WHERE read.id = ?1 AND role = ?2 ORDER BY position LIMIT 1",
    )?;
    let found = find.query_row(params![read.as_bytes(), role.as_str()], |row| Ok((Sha256(row.get(0)?), row.get(1)?)));
    Ok(found.optional()?)
}
