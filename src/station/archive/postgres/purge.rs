//! The purge (control P-14): parts whose retention is over are closed, counted, detached, and their packs removed; then the
//! certificate is kept and their tables dropped, in one transaction. Cut off at any point, the next one goes on, at
//! whichever station.

use super::super::certificate::{Certificate, DeletedPart, SignedCertificate};
use super::super::day::{self, Over, date_of, day_of};
use super::super::own::{self, Count};
use super::super::report::Due;
use super::super::{Class, documents};
use super::holds::{clear as clear_holds, nowhere};
use super::parts::{HELD, Part};
use super::{PostgresArchive, parts, sweep};
use crate::postgres::{Lock, Tx};
use crate::rows::Rows;
use jiff::{SignedDuration, Timestamp};
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What a batch that was cut off left in object storage of a part that is gone, is looked for until so long after.
const LATE_PACKS: SignedDuration = SignedDuration::from_hours(2);

/// Something to delete.
struct Doomed {
    part: Part,
    due: Due,
    over: Over,
}

fn all_over(archive: &PostgresArchive, tx: &Tx<'_>, now: Timestamp) -> Result<Vec<Doomed>> {
    let today = date_of(now);
    let mut all = Vec::new();
    for part in parts::all(tx)? {
        let Part { day, class, .. } = part;
        let youngest = || Ok(part.youngest.and_then(|us| Timestamp::from_microsecond(us).ok()));
        let over = day::over(&archive.retention, (day, class), youngest, today)?;
        let reads = match over {
            Over::Nothing => continue,
            Over::Pictures if !has_packs(tx, part.number)? => continue,
            Over::Reads(age) => match sweep::count(tx, part.number, age, now)? {
                0 => continue,
                reads => reads,
            },
            _ => parts::counts(tx, part.number)?.iter().map(|count| count.reads).sum(),
        };
        all.push(Doomed { part, due: Due { day, class, pictures_only: over == Over::Pictures, reads }, over });
    }
    all.sort_by_key(|doomed| (doomed.part.day, doomed.part.class));
    Ok(all)
}

fn has_packs(tx: &Tx<'_>, part: i32) -> Result<bool> {
    Ok(tx.one("SELECT EXISTS (SELECT 1 FROM packs WHERE part = $1)", &[&part])?.get(0))
}

pub(super) fn due(archive: &PostgresArchive, now: Timestamp) -> Result<Vec<Due>> {
    archive.server.read(|tx| Ok(all_over(archive, tx, now)?.into_iter().map(|doomed| doomed.due).collect()))
}

/// Whether one was cut off.
pub(super) fn is_unfinished(tx: &Tx<'_>) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM parts WHERE purge IS NOT NULL) OR EXISTS (SELECT 1 FROM pictures_deleted)";
    Ok(tx.one(sql, &[])?.get(0))
}

pub(super) fn purge(archive: &PostgresArchive, now: Timestamp) -> Result<Option<SignedCertificate>> {
    let _changes = archive.server.hold_lock(Lock::Changes)?;
    clear_holds(archive)?;
    clear_late(archive, now)?;
    sweep::clear(archive)?;
    let mut last = finish(archive, now)?;
    let id = Uuid::now_v7();
    for Doomed { part, over, .. } in archive.server.read(|tx| all_over(archive, tx, now))? {
        if let Over::Reads(age) = over {
            sweep::sweep(archive, &part, age, now)?;
            continue;
        }
        archive.server.transaction(|tx| {
            // Whoever fills it has done so, and whoever comes finds it closed.
            tx.lock(Lock::Closing(part.number))?;
            match over == Over::Pictures {
                true => forget_pictures(tx, part.number, id),
                false => tx.run("UPDATE parts SET purge = $2 WHERE number = $1", &[&part.number, &id]).map(drop),
            }
        })?;
    }
    last = finish(archive, now)?.or(last);
    Ok(last)
}

/// Takes the pictures of a part out of the rows. Their packs go after that.
fn forget_pictures(tx: &Tx<'_>, part: i32, purge: Uuid) -> Result<()> {
    let pictures: i64 = parts::counts(tx, part)?.iter().map(|count| count.pictures.cast_signed()).sum();
    tx.run(
        "INSERT INTO pictures_deleted (part, purge, pictures) VALUES ($1, $2, $3)
         ON CONFLICT (part) DO UPDATE SET pictures = pictures_deleted.pictures + excluded.pictures",
        &[&part, &purge, &pictures],
    )?;
    tx.run("DELETE FROM packs WHERE part = $1", &[&part])?;
    // A pack that is on its way now would be removed with the others: its batch begins anew.
    tx.run("UPDATE parts SET packs_after = $2 WHERE number = $1", &[&part, &Uuid::now_v7()])?;
    tx.run("UPDATE counts SET pictures = 0, bytes = 0 WHERE part = $1", &[&part]).map(drop)
}

/// What was deleted of a part, and what is to be kept of it: counts.
struct Deleted {
    number: i32,
    part: DeletedPart,
    counts: Vec<Count>,
    /// Reads whose documents go.
    documents: Vec<Uuid>,
}

/// Goes on with what was closed, one purge after the other; gives the last certificate.
fn finish(archive: &PostgresArchive, now: Timestamp) -> Result<Option<SignedCertificate>> {
    let mut purges: BTreeMap<Uuid, (Vec<Part>, Vec<i32>)> = BTreeMap::new();
    archive.server.read(|tx| {
        for part in parts::doomed(tx)? {
            purges.entry(part.purge.unwrap_or_default()).or_default().0.push(part);
        }
        for row in tx.all("SELECT part, purge FROM pictures_deleted", &[])? {
            purges.entry(row.get(1)).or_default().1.push(row.get(0));
        }
        Ok(())
    })?;
    let mut last = None;
    for (id, (doomed, without_pictures)) in purges {
        for part in &doomed {
            for table in ["reads", "records"] {
                detach(archive, table, part.number)?;
            }
        }
        let held = archive.own(own::held)?;
        let mut deleted = Vec::new();
        for part in &doomed {
            deleted.push(archive.server.read(|tx| look(archive, tx, part, &held))?);
            archive.objects.remove_all_but(part.number, |_| false)?;
        }
        let mut pictures = Vec::new();
        for part in without_pictures {
            // What came after it was closed is not of this deletion.
            let after =
                archive.server.read(|tx| tx.one("SELECT packs_after FROM parts WHERE number = $1", &[&part]))?;
            let after: Option<Uuid> = after.get(0);
            archive.objects.remove_all_but(part, |pack| Some(pack) > after)?;
            pictures.extend(archive.server.read(|tx| deleted_pictures(archive, tx, part))?);
        }
        last = certify(archive, id, now, &deleted, &pictures)?.or(last);
    }
    Ok(last)
}

/// Takes a table out of those that are looked into, without holding up anybody. It may have been begun before.
fn detach(archive: &PostgresArchive, table: &str, part: i32) -> Result<()> {
    let pending = archive.server.read(|tx| {
        let sql = "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass($1)";
        Ok(tx.all(sql, &[&format!("{table}_p{part}")])?.first().map(|row| row.get::<_, bool>(0)))
    })?;
    let how = match pending {
        None => return Ok(()),
        Some(true) => "FINALIZE",
        Some(false) => "CONCURRENTLY",
    };
    archive.server.run_alone(&format!("ALTER TABLE {table} DETACH PARTITION {table}_p{part} {how}"))
}

fn look(archive: &PostgresArchive, tx: &Tx<'_>, doomed: &Part, held: &BTreeSet<Uuid>) -> Result<Deleted> {
    let Part { number, day, class, .. } = *doomed;
    let counts = parts::counts(tx, number)?;
    let (reads, ids_sha256) = hash(tx, number)?;
    let held_here: Vec<Uuid> = held.iter().copied().filter(|id| day_of(*id) == day).collect();
    let sql = format!(
        "SELECT count(*) FROM (SELECT id FROM reads_p{number} WHERE id = ANY($1)
                               UNION SELECT id FROM swept WHERE part = $2 AND id = ANY($1)) AS all_of_it"
    );
    let held_here: i64 = tx.one(&sql, &[&held_here, &number])?.get(0);
    let swept: i64 = tx.one("SELECT coalesce(sum(pictures), 0)::bigint FROM swept WHERE part = $1", &[&number])?.get(0);
    let mut documents = documents::reads_of_day(&Rows::of_postgres(tx), day)?;
    documents.retain(|read| !held.contains(read));
    let part = DeletedPart {
        day,
        class,
        kept_days: archive.retention.days(class),
        kept_minutes: archive.retention.no_hit_minutes.filter(|_| class == Class::NoHit),
        pictures_only: false,
        reads,
        pictures: counts.iter().map(|count| count.pictures).sum::<u64>() + swept.unsigned_abs(),
        ids_sha256,
        held: held_here.unsigned_abs(),
    };
    Ok(Deleted { number, part, counts, documents: nowhere(tx, &documents)? })
}

/// Counts the reads of a part, and hashes their ids in their order.
fn hash(tx: &Tx<'_>, part: i32) -> Result<(u64, Sha256)> {
    let sql = format!(
        "SELECT count(*), sha256(coalesce(string_agg(uuid_send(id), ''::bytea ORDER BY id), ''::bytea))
         FROM (SELECT id FROM reads_p{part} UNION SELECT id FROM swept WHERE part = $1) AS all_of_it"
    );
    let row = tx.one(&sql, &[&part])?;
    let hash: &[u8] = row.get(1);
    let odd = |_| Error::new(Kind::Internal, "the database gave no hash");
    Ok((row.get::<_, i64>(0).unsigned_abs(), Sha256(hash.try_into().map_err(odd)?)))
}

fn deleted_pictures(archive: &PostgresArchive, tx: &Tx<'_>, part: i32) -> Result<Option<DeletedPart>> {
    let Some(Part { day, class, .. }) = parts::all(tx)?.into_iter().find(|other| other.number == part) else {
        return Ok(None);
    };
    let pictures: i64 = tx.one("SELECT pictures FROM pictures_deleted WHERE part = $1", &[&part])?.get(0);
    let (reads, ids_sha256) = hash(tx, part)?;
    Ok(Some(DeletedPart {
        day,
        class,
        kept_days: archive.retention.picture_days(class),
        kept_minutes: None,
        pictures_only: true,
        reads,
        pictures: pictures.unsigned_abs(),
        ids_sha256,
        held: 0,
    }))
}

/// Keeps the certificate, and drops what it speaks of.
fn certify(
    archive: &PostgresArchive,
    id: Uuid,
    now: Timestamp,
    deleted: &[Deleted],
    pictures: &[DeletedPart],
) -> Result<Option<SignedCertificate>> {
    let parts: Vec<DeletedPart> = deleted.iter().map(|d| &d.part).chain(pictures).cloned().collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let certificate = Certificate { id, station: archive.station.clone(), at: now, parts };
    let signed = SignedCertificate::sign(&certificate, &archive.deletion)?;
    archive.server.transaction(|tx| {
        let rows = Rows::of_postgres(tx);
        own::add_certificate(&rows, id, now, &signed)?;
        for Deleted { number, part, counts, documents } in deleted {
            own::keep_counts(&rows, part.day, part.class, counts)?;
            documents::forget(&rows, documents)?;
            tx.ddl(&format!("DROP TABLE reads_p{number}, records_p{number}"))?;
            tx.run("DELETE FROM counts WHERE part = $1", &[number])?;
            tx.run("DELETE FROM packs WHERE part = $1", &[number])?;
            tx.run("DELETE FROM packs_to_remove WHERE part = $1", &[number])?;
            tx.run("DELETE FROM swept WHERE part = $1", &[number])?;
            tx.run("UPDATE parts SET gone = $2 WHERE number = $1", &[number, &now.as_microsecond()])?;
        }
        tx.run("DELETE FROM pictures_deleted WHERE purge = $1", &[&id]).map(drop)
    })?;
    for part in &certificate.parts {
        tracing::info!(
            certificate = %id,
            day = %part.day,
            class = part.class.as_str(),
            reads = if part.pictures_only { 0 } else { part.reads },
            pictures = part.pictures,
            held = part.held,
            "Deleted what its retention was over for"
        );
    }
    Ok(Some(signed))
}

/// Removes packs that were still on their way when their part went.
fn clear_late(archive: &PostgresArchive, now: Timestamp) -> Result<()> {
    let rows = archive.server.read(|tx| tx.all("SELECT number, gone FROM parts WHERE gone IS NOT NULL", &[]))?;
    for row in rows {
        let (part, gone): (i32, i64) = (row.get(0), row.get(1));
        debug_assert_ne!(part, HELD);
        archive.objects.remove_all_but(part, |_| false)?;
        if now.as_microsecond().saturating_sub(gone) >= LATE_PACKS.as_micros() as i64 {
            archive.server.transaction(|tx| tx.run("DELETE FROM parts WHERE number = $1", &[&part]))?;
        }
    }
    Ok(())
}
