//! Reads that are kept for minutes go one by one, out of the part of their day (control P-14). The certificate comes with
//! the rest of the part, on the day after.

use super::super::batch::Picture;
use super::super::day::{MAX_WAY, micros};
use super::super::documents;
use super::super::own::{self, Count};
use super::super::pack::{self, Pack, sealed_bytes};
use super::PostgresArchive;
use super::holds::nowhere;
use super::parts::Part;
use super::rows::Placed;
use crate::postgres::Tx;
use crate::rows::Rows;
use jiff::{SignedDuration, Timestamp};
use plated_core::error::{Context, Error, Kind, Result};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Row;
use uuid::Uuid;

/// Reads that are deleted in one transaction.
const STEP: i64 = 1000;

/// A read counts from its last look, unless that is in the future or too long ago.
const MADE: &str = "CASE WHEN received - last_seen BETWEEN 0 AND $2 THEN last_seen ELSE received END";

/// How many reads of a part are over.
pub(super) fn count(tx: &Tx<'_>, part: i32, age: SignedDuration, now: Timestamp) -> Result<u64> {
    let before = now.as_microsecond() - micros(age);
    let sql = format!("SELECT count(*) FROM reads_p{part} WHERE {MADE} <= $1");
    Ok(tx.one(&sql, &[&before, &micros(MAX_WAY)])?.get::<_, i64>(0).unsigned_abs())
}

/// What goes in one step.
#[derive(Default)]
struct Step {
    ids: Vec<Uuid>,
    /// Pictures of each of them that are there.
    pictures: Vec<i64>,
    /// Of each vehicle and camera: reads, hits, pictures and their bytes.
    counts: BTreeMap<(String, String), [i64; 4]>,
    packs: BTreeSet<Uuid>,
}

/// A read that stays, and where its pictures are from now on.
struct Moved {
    id: Uuid,
    pack: Uuid,
    pictures: String,
}

/// Deletes them, with their pictures and what was put down about them.
pub(super) fn sweep(archive: &PostgresArchive, part: &Part, age: SignedDuration, now: Timestamp) -> Result<()> {
    let before = now.as_microsecond() - micros(age);
    let mut all = 0;
    loop {
        let step = archive.server.read(|tx| step(tx, part.number, before))?;
        if step.ids.is_empty() {
            break;
        }
        all += step.ids.len();
        let (new, moved) = pack_anew(archive, part.number, &step)?;
        archive.server.transaction(|tx| delete(tx, part, &step, &new, &moved))?;
        clear(archive)?;
    }
    if all > 0 {
        let (day, class) = (part.day, part.class.as_str());
        tracing::info!(day = %day, class, reads = all, "Deleted reads whose minutes are over");
    }
    Ok(())
}

fn step(tx: &Tx<'_>, part: i32, before: i64) -> Result<Step> {
    let sql = format!(
        "SELECT r.id, r.vehicle, r.camera, r.has_hit, p.id, c.pictures
         FROM (SELECT * FROM reads_p{part} WHERE {MADE} <= $1 LIMIT $3) AS r JOIN records_p{part} AS c ON c.id = r.id
           LEFT JOIN packs AS p ON p.id = c.pack"
    );
    let mut step = Step::default();
    for row in tx.all(&sql, &[&before, &micros(MAX_WAY), &STEP])? {
        let (has_hit, pack): (bool, Option<Uuid>) = (row.get(3), row.get(4));
        let pictures = if pack.is_some() { placed(&row, 5)? } else { Vec::new() };
        let bytes: i64 = pictures.iter().map(|picture| i64::from(picture.bytes)).sum();
        let more = [1, has_hit.into(), pictures.len() as i64, bytes];
        let sums = step.counts.entry((row.get(1), row.get(2))).or_default();
        sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        step.ids.push(row.get(0));
        step.pictures.push(pictures.len() as i64);
        step.packs.extend(pack);
    }
    Ok(step)
}

fn placed(row: &Row, column: usize) -> Result<Vec<Placed>> {
    let failed = || "a read does not say where its pictures are; run `plated-station check`".into();
    serde_json::from_str(row.get(column)).context(Kind::Damaged, failed)
}

/// Pictures that reads still show, and that are in a pack with others that go, are written to another pack.
fn pack_anew(archive: &PostgresArchive, part: i32, step: &Step) -> Result<(Vec<Pack>, Vec<Moved>)> {
    let packs: Vec<Uuid> = step.packs.iter().copied().collect();
    let sql = format!("SELECT id, pack, pictures FROM records_p{part} WHERE pack = ANY($1) AND NOT id = ANY($2)");
    let stay = archive.server.read(|tx| tx.all(&sql, &[&packs, &step.ids]))?;
    let mut by_pack: BTreeMap<Uuid, Vec<(Uuid, Vec<Placed>)>> = BTreeMap::new();
    for row in &stay {
        by_pack.entry(row.get(1)).or_default().push((row.get(0), placed(row, 2)?));
    }
    let (mut new, mut moved) = (Vec::new(), Vec::new());
    for (old, reads) in by_pack {
        let wanted: BTreeMap<_, &Placed> =
            reads.iter().flat_map(|(_, placed)| placed).map(|placed| (placed.sha256, placed)).collect();
        let mut pictures = Vec::new();
        for (sha256, Placed { start, bytes, .. }) in wanted {
            let place = || archive.objects.key(part, old).to_string();
            let missing =
                || Error::new(Kind::Damaged, format!("could not read a picture in {}: it is not there", place()));
            let sealed = archive.objects.get(part, old, *start, sealed_bytes((*bytes).into()))?.ok_or_else(missing)?;
            let bytes = pack::open(&archive.key, old, *start, &sha256, sealed.into(), place)?;
            pictures.push(Picture { sha256, bytes: bytes.into() });
        }
        let pack = archive.objects.write(part, &archive.key, &pictures)?;
        for (id, mut placed) in reads {
            for picture in &mut placed {
                picture.start = pack.starts.get(&picture.sha256).copied().unwrap_or_default();
            }
            let pictures = serde_json::to_string(&placed)
                .context(Kind::Internal, || "the pictures of a read can't be written".into())?;
            moved.push(Moved { id, pack: pack.id, pictures });
        }
        new.push(pack);
    }
    Ok((new, moved))
}

fn delete(tx: &Tx<'_>, part: &Part, step: &Step, new: &[Pack], moved: &[Moved]) -> Result<()> {
    let Part { number, day, class, .. } = *part;
    tx.run("DELETE FROM reads WHERE part = $1 AND id = ANY($2)", &[&number, &step.ids])?;
    tx.run("DELETE FROM records WHERE part = $1 AND id = ANY($2)", &[&number, &step.ids])?;
    note(tx, number, &step.ids, &step.pictures)?;
    for pack in new {
        let sql = "INSERT INTO packs (id, part, bytes) VALUES ($1, $2, $3)";
        tx.run(sql, &[&pack.id, &number, &pack.bytes.cast_signed()])?;
    }
    let column = |of: fn(&Moved) -> Uuid| moved.iter().map(of).collect::<Vec<_>>();
    let pictures: Vec<&str> = moved.iter().map(|moved| moved.pictures.as_str()).collect();
    tx.run(
        "UPDATE records SET pack = m.pack, pictures = m.pictures
         FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS m (id, pack, pictures)
         WHERE records.part = $1 AND records.id = m.id",
        &[&number, &column(|moved| moved.id), &column(|moved| moved.pack), &pictures],
    )?;
    let packs: Vec<Uuid> = step.packs.iter().copied().collect();
    tx.run("INSERT INTO packs_to_remove (id, part) SELECT id, part FROM packs WHERE id = ANY($1)", &[&packs])?;
    tx.run("DELETE FROM packs WHERE id = ANY($1)", &[&packs])?;
    let mut gone = Vec::new();
    for ((vehicle, camera), [reads, hits, pictures, bytes]) in &step.counts {
        tx.run(
            "UPDATE counts SET reads = reads - $4, hits = hits - $5, pictures = pictures - $6, bytes = bytes - $7
             WHERE part = $1 AND vehicle = $2 AND camera = $3",
            &[&number, vehicle, camera, reads, hits, pictures, bytes],
        )?;
        let (vehicle, camera) = (vehicle.clone(), camera.clone());
        let (reads, hits) = (reads.unsigned_abs(), hits.unsigned_abs());
        gone.push(Count { vehicle, camera, reads, hits, pictures: 0, bytes: 0 });
    }
    let rows = Rows::of_postgres(tx);
    own::keep_counts(&rows, day, class, &gone)?;
    let held = own::held(&rows)?;
    let ids: Vec<Uuid> = step.ids.iter().copied().filter(|id| !held.contains(id)).collect();
    documents::forget(&rows, &nowhere(tx, &ids)?)
}

/// Notes which reads of a part were deleted one by one, and how many pictures each had.
pub(super) fn note(tx: &Tx<'_>, part: i32, ids: &[Uuid], pictures: &[i64]) -> Result<()> {
    tx.run(
        "INSERT INTO swept (part, id, pictures) SELECT $1, * FROM unnest($2::uuid[], $3::bigint[]) ON CONFLICT DO NOTHING",
        &[&part, &ids, &pictures],
    )
    .map(drop)
}

/// Removes packs that no read has any more, those of a step that was cut off too.
pub(super) fn clear(archive: &PostgresArchive) -> Result<()> {
    let rows = archive.server.read(|tx| tx.all("SELECT id, part FROM packs_to_remove", &[]))?;
    let mut by_part: BTreeMap<i32, Vec<Uuid>> = BTreeMap::new();
    for row in &rows {
        by_part.entry(row.get(1)).or_default().push(row.get(0));
    }
    for (part, packs) in by_part {
        archive.objects.remove(part, packs.iter().copied())?;
        archive.server.transaction(|tx| tx.run("DELETE FROM packs_to_remove WHERE id = ANY($1)", &[&packs]))?;
    }
    Ok(())
}
