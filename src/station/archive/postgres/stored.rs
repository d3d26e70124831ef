//! One read with all that is kept of it, and its pictures.

use super::super::day::day_of;
use super::super::pack::{self, sealed_bytes};
use super::super::query::StoredRead;
use super::super::{documents, own};
use super::parts::HELD;
use super::rows::{Whole, whole};
use super::{PostgresArchive, parts};
use crate::postgres::Tx;
use crate::rows::Rows;
use bytes::Bytes;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use uuid::Uuid;

/// A read wherever it is: in its part first, then what a hold keeps.
pub(super) fn wholes(tx: &Tx<'_>, id: Uuid) -> Result<Vec<Whole>> {
    let mut places: Vec<(i32, Uuid)> =
        parts::of_days(tx, &[day_of(id)])?.iter().map(|part| (part.number, id)).collect();
    places.push((HELD, id));
    let mut all = whole(tx, &places)?;
    all.sort_by_key(|whole| whole.part == HELD);
    Ok(all)
}

pub(super) fn read(archive: &PostgresArchive, id: Uuid) -> Result<Option<StoredRead>> {
    let stored = archive.server.read(|tx| {
        let Some(mut whole) = wholes(tx, id)?.into_iter().next() else { return Ok(None) };
        let rows = Rows::of_postgres(tx);
        documents::put_corrections(&rows, std::slice::from_mut(&mut whole.found))?;
        let documents = documents::of_read(&rows, id)?;
        let holds = own::holds_of(&rows, id)?;
        let Whole { found, record, batch, .. } = whole;
        Ok(Some(StoredRead { found, record, batch, documents, holds }))
    })?;
    if let Some(stored) = &stored
        && Sha256::of(&stored.record) != stored.found.sha256
    {
        let message = format!("the read {id} does not fit its hash; run `plated-station check`");
        return Err(Error::new(Kind::Damaged, message));
    }
    Ok(stored)
}

pub(super) fn picture(archive: &PostgresArchive, id: Uuid, sha256: &Sha256) -> Result<Option<Bytes>> {
    // Once more, since pictures may be packed anew while one is looked for.
    for _ in 0..2 {
        for whole in archive.server.read(|tx| wholes(tx, id))? {
            if let Some(picture) = picture_of(archive, &whole, sha256)? {
                return Ok(Some(picture));
            }
        }
    }
    Ok(None)
}

/// A picture of a read; none when it has none like this, or it was deleted.
pub(super) fn picture_of(archive: &PostgresArchive, whole: &Whole, sha256: &Sha256) -> Result<Option<Bytes>> {
    let placed = whole.pictures.iter().find(|placed| placed.sha256 == *sha256);
    let Some((placed, id)) = placed.zip(whole.pack) else { return Ok(None) };
    let place = || archive.objects.key(whole.part, id).to_string();
    let sealed = archive.objects.get(whole.part, id, placed.start, sealed_bytes(placed.bytes.into()))?;
    match sealed {
        Some(sealed) => {
            pack::open(&archive.key, id, placed.start, sha256, sealed.into(), place).map(|bytes| Some(bytes.into()))
        }
        // Deleted while it was looked for.
        None if !archive.server.read(|tx| is_there(tx, id))? => Ok(None),
        None => Err(Error::new(Kind::Damaged, format!("could not read a picture in {}: it is not there", place()))),
    }
}

fn is_there(tx: &Tx<'_>, pack: Uuid) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM packs JOIN parts ON number = part WHERE packs.id = $1 AND purge IS NULL)";
    Ok(tx.one(sql, &[&pack])?.get(0))
}
