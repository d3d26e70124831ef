//! Compares everything with its hash, page by page.

use super::super::pack::{self, sealed_bytes};
use super::super::report::CheckReport;
use super::super::{logs, own};
use super::parts::HELD;
use super::rows::Placed;
use super::{PostgresArchive, parts};
use bytes::Bytes;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::text::count;
use uuid::Uuid;

/// Rows that are looked at in one look.
const AT_ONCE: i64 = 200;

/// The pack that was read last: those of reads beside each other are mostly the same.
#[derive(Default)]
struct LastPack(Option<(Uuid, Option<Bytes>)>);

pub(super) fn check(archive: &PostgresArchive) -> Result<CheckReport> {
    let mut report = CheckReport::default();
    let mut numbers: Vec<i32> = archive.server.read(parts::all)?.iter().map(|part| part.number).collect();
    numbers.push(HELD);
    let promised = |part| -> Result<u64> {
        let counts = archive.server.read(|tx| parts::counts(tx, part))?;
        Ok(counts.iter().map(|count| count.reads).sum())
    };
    for part in numbers {
        let (before, all) = (report.reads, promised(part)?);
        check_part(archive, part, &mut report)?;
        // Once more, since reads may go meanwhile, one by one or all of them.
        let (here, all) = (report.reads - before, all.min(promised(part)?));
        if here < all {
            report.problem(format!("part {part} has {here} of {} that were taken in", count(all, "read")));
        }
    }
    let mut after = Some(Default::default());
    while let Some(place) = after {
        after = archive.own(|rows| own::check_documents(rows, &place, &mut report))?;
    }
    logs::check(&archive.database, &mut report)?;
    Ok(report)
}

fn check_part(archive: &PostgresArchive, part: i32, report: &mut CheckReport) -> Result<()> {
    let sql = "SELECT c.id, c.sha256, c.record, p.id, p.bytes, c.pictures,
                 EXISTS (SELECT 1 FROM reads r WHERE r.part = $1 AND r.id = c.id)
               FROM records c LEFT JOIN packs p ON p.id = c.pack
               WHERE c.part = $1 AND c.id > $2 ORDER BY c.id LIMIT $3";
    let (mut after, mut last) = (Uuid::nil(), LastPack::default());
    loop {
        let page = archive.server.read(|tx| tx.all(sql, &[&part, &after, &AT_ONCE]))?;
        for row in &page {
            let (id, sha256, record): (Uuid, &[u8], &[u8]) = (row.get(0), row.get(1), row.get(2));
            after = id;
            report.reads += 1;
            if Sha256::of(record).0 != sha256 {
                report.problem(format!("the read {id} does not fit its hash"));
            }
            if !row.get::<_, bool>(6) {
                report.problem(format!("the read {id} can't be found by what it says: half of it is missing"));
            }
            let (pack, bytes): (Option<Uuid>, Option<i64>) = (row.get(3), row.get(4));
            let Some((pack, bytes)) = pack.zip(bytes) else { continue };
            let Ok(pictures) = serde_json::from_str::<Vec<Placed>>(row.get(5)) else {
                report.problem(format!("the read {id} does not say where its pictures are"));
                continue;
            };
            for placed in pictures {
                report.pictures += 1;
                if let Err(why) = last.check(archive, part, pack, bytes.unsigned_abs(), &placed)? {
                    report.problem(format!("a picture of the read {id}: {why}"));
                }
            }
        }
        if page.is_empty() {
            return Ok(());
        }
    }
}

impl LastPack {
    /// What is wrong with a picture, if something is.
    fn check(
        &mut self,
        archive: &PostgresArchive,
        part: i32,
        pack: Uuid,
        bytes: u64,
        placed: &Placed,
    ) -> Result<std::result::Result<(), String>> {
        if self.0.as_ref().is_none_or(|(last, _)| *last != pack) {
            self.0 = Some((pack, archive.objects.get(part, pack, 0, bytes)?));
        }
        let Some((_, Some(whole))) = &self.0 else {
            return Ok(Err(format!("{} is not there, or cut off", archive.objects.key(part, pack))));
        };
        let end = placed.start.saturating_add(sealed_bytes(placed.bytes.into()));
        let sealed = usize::try_from(placed.start).ok().zip(usize::try_from(end).ok());
        let Some(sealed) = sealed.and_then(|(start, end)| whole.get(start..end)) else {
            return Ok(Err(format!("{} has no such place", archive.objects.key(part, pack))));
        };
        let place = || archive.objects.key(part, pack).to_string();
        let opened = pack::open(&archive.key, pack, placed.start, &placed.sha256, sealed.to_vec(), place);
        Ok(opened.map(drop).map_err(|e| e.chain()))
    }
}
