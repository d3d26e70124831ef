//! The archive on PostgreSQL and object storage: several stations at once, crashes, a database and a storage that go away.

use super::{Engine, add, at, batch, durable, id_at, ids, pictures, purge, read, search};
use crate::kit::objects::Objects;
use crate::kit::postgres::{Postgres, name_of};
use crate::kit::store::permit;
use plated_core::digest::Sha256;
use plated_core::error::Kind;
use plated_core::signing::Trust;
use plated_station::archive::{
    Archive, CheckedRead, Class, Engine as _, NewHold, ObjectOptions, PostgresArchive, PostgresOptions, Query,
    Retention,
};
use plated_station::{ArchiveKey, ServerOptions};
use tempfile::TempDir;

/// A database, a bucket and a station on them.
pub struct Region {
    archive: PostgresArchive,
    server: &'static Postgres,
    storage: &'static Objects,
    url: String,
    objects: ObjectOptions,
    key: ArchiveKey,
    retention: Retention,
    _dir: TempDir,
}

fn open(url: &str, objects: &ObjectOptions, key: &ArchiveKey, retention: Retention) -> PostgresArchive {
    try_open(url, objects, key, retention).unwrap()
}

fn try_open(
    url: &str,
    objects: &ObjectOptions,
    key: &ArchiveKey,
    retention: Retention,
) -> plated_core::error::Result<PostgresArchive> {
    PostgresArchive::open(&PostgresOptions {
        server: ServerOptions { url: url.into(), ca: None, connections: 12 },
        objects: objects.clone(),
        key: key.clone(),
        station: "station-1",
        retention,
    })
}

impl Region {
    /// None where there is no PostgreSQL.
    fn new(retention: Retention) -> Option<Self> {
        let (server, storage) = (Postgres::shared()?, Objects::shared());
        let dir = tempfile::tempdir().unwrap();
        let key = ArchiveKey::create_file(&dir.path().join("archive.key")).unwrap();
        let (url, objects) = (server.database(), storage.bucket());
        let archive = open(&url, &objects, &key, retention);
        Some(Self { archive, server, storage, url, objects, key, retention, _dir: dir })
    }

    fn engine(retention: Retention) -> Box<dyn Engine> {
        Box::new(Self::new(retention).unwrap())
    }

    /// Another station on the same database and bucket.
    fn another(&self) -> PostgresArchive {
        open(&self.url, &self.objects, &self.key, self.retention)
    }

    fn sql(&self, sql: &str) -> String {
        self.server.sql(name_of(&self.url), sql)
    }

    fn packs(&self) -> usize {
        self.storage.packs(&self.objects.bucket).len()
    }
}

impl Engine for Region {
    fn archive(&self) -> &dyn Archive {
        &self.archive
    }

    fn trust(&self) -> Trust {
        Trust::only([self.archive.deletion_key()])
    }
}

#[test]
fn the_archive_on_postgresql_and_object_storage_does_what_any_archive_does() {
    if Postgres::shared().is_some() {
        super::suite(Region::engine);
    }
}

// policy: P-25
#[test]
fn no_object_holds_a_picture_in_clear_and_another_key_opens_nothing() {
    let Some(region) = Region::new(Retention::default()) else { return };
    let new = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"what a camera saw"]);
    add(&region.archive, vec![new.clone()], pictures(&[b"what a camera saw"]));
    let hold = NewHold { case: "26-1".into(), reads: vec![new.id] };
    region.archive.hold(&permit(), &hold, at("2026-11-26T12:00:00Z")).unwrap();
    let packs = region.storage.packs(&region.objects.bucket);
    assert_eq!(packs.len(), 2);
    for pack in packs {
        let bytes = std::fs::read(&pack).unwrap();
        assert!(!bytes.windows(10).any(|w| w == b"camera saw"), "{}", pack.display());
        assert!(!pack.display().to_string().contains("7ABC123"));
    }
    let dir = tempfile::tempdir().unwrap();
    let other = ArchiveKey::create_file(&dir.path().join("other.key")).unwrap();
    let refused = try_open(&region.url, &region.objects, &other, region.retention).unwrap_err();
    assert!(refused.kind() == Kind::Refused && refused.chain().contains("another key"), "{refused}");
}

// policy: P-12
#[test]
fn stations_that_take_in_the_same_batches_at_once_keep_each_read_once() {
    let Some(region) = Region::new(Retention::default()) else { return };
    let stations = [region.another(), region.another(), region.another()];
    let moment = at("2026-11-26T10:00:00Z");
    let of = |n: usize| read(moment, &format!("7ABC{n}"), Class::ALL[n % 4], &[b"one", b"two"]);
    let all: Vec<CheckedRead> = (0..60).map(of).collect();
    std::thread::scope(|scope| {
        for (n, station) in stations.iter().enumerate() {
            let all = &all;
            scope.spawn(move || {
                // Each in another order, and as another vehicle that has the same reads.
                let mut mine = all.clone();
                mine.rotate_left(n * 20);
                for reads in mine.chunks(7) {
                    let mut sent = batch(reads.to_vec(), pictures(&[b"one", b"two"]));
                    sent.vehicle = format!("unit-{n}");
                    assert_eq!(station.ingest(sent).unwrap(), durable(reads.len()));
                }
            });
        }
    });
    let mut expected: Vec<_> = all.iter().map(|read| read.id).collect();
    expected.sort();
    expected.reverse();
    assert_eq!(ids(&region.archive, &Query::default()), expected);
    let report = region.archive.check().unwrap();
    assert_eq!((report.reads, report.pictures, report.problems.len()), (60, 120, 0), "{report:?}");
    assert_eq!(region.sql("SELECT count(*) FROM records"), "60\n");
    assert_eq!(region.sql("SELECT sum(reads) FROM counts"), "60\n");
}

// policy: P-14
#[test]
fn a_purge_that_was_cut_off_anywhere_is_finished_by_whichever_station_comes_next() {
    let now = at("2026-12-24T12:00:00Z");
    let detach = "ALTER TABLE reads DETACH PARTITION reads_p1";
    // What a purge does one after the other, as far as it came.
    let steps =
        ["UPDATE parts SET purge = gen_random_uuid() WHERE number = 1", detach, &detach.replace("reads", "records")];
    for done in 0..=steps.len() + 1 {
        let Some(region) = Region::new(Retention { no_hit: 10, ..Retention::default() }) else { return };
        let old = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"a"]);
        let kept = read(at("2026-11-26T12:00:00Z"), "7ABC124", Class::Hit, &[b"b"]);
        add(&region.archive, vec![old.clone(), kept.clone()], pictures(&[b"a", b"b"]));
        for step in steps.iter().take(done) {
            region.sql(step);
        }
        if done > steps.len() {
            let gone = region.storage.packs(&region.objects.bucket);
            let gone = gone.iter().find(|pack| pack.display().to_string().contains("/parts/1/")).unwrap();
            std::fs::remove_file(gone).unwrap();
        }
        let another = region.another();
        assert_eq!(another.has_unfinished_purge().unwrap(), done > 0);
        another.purge(&purge(), now).unwrap().unwrap();
        assert_eq!(ids(&region.archive, &Query::default()), [kept.id], "{done}");
        let all = region.archive.certificates().unwrap();
        let parts: Vec<_> = all.iter().flat_map(|c| c.open(&region.trust()).unwrap().parts).collect();
        assert_eq!(parts.iter().map(|part| (part.reads, part.pictures)).collect::<Vec<_>>(), [(1, 1)], "{done}");
        assert_eq!(region.archive.check().unwrap().problems, [""; 0]);
        assert_eq!(region.packs(), 1, "{done}");
        assert_eq!(region.sql("SELECT to_regclass('reads_p1') IS NULL AND to_regclass('records_p1') IS NULL"), "t\n");
    }
}

#[test]
fn a_pack_of_a_batch_that_was_cut_off_goes_with_its_part_at_the_latest() {
    let Some(region) = Region::new(Retention { no_hit: 10, ..Retention::default() }) else { return };
    let new = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"a"]);
    add(&region.archive, vec![new], pictures(&[b"a"]));
    let real = region.storage.packs(&region.objects.bucket).remove(0);
    // Through the storage itself, since it keeps more than the file.
    std::fs::copy(&real, real.with_file_name("0193500000007000800000000000abcd.pack")).unwrap();
    region.archive.purge(&purge(), at("2026-12-24T12:00:00Z")).unwrap().unwrap();
    assert_eq!(region.packs(), 0);
    // And one that came when the part was gone already.
    std::fs::create_dir_all(real.parent().unwrap()).unwrap();
    std::fs::write(real.with_file_name("0193500000007000800000000000abce.pack"), "late").unwrap();
    assert!(region.archive.has_unfinished_purge().unwrap());
    region.archive.purge(&purge(), at("2026-12-24T15:00:00Z")).unwrap();
    assert_eq!(region.packs(), 0);
    assert!(!region.archive.has_unfinished_purge().unwrap());
}

// policy: P-12
#[test]
fn a_part_that_is_purged_while_batches_come_loses_none_of_what_was_receipted_after() {
    let Some(region) = Region::new(Retention { no_hit: 10, ..Retention::default() }) else { return };
    let another = region.another();
    let (moment, now) = (at("2026-11-26T12:00:00Z"), at("2026-12-24T12:00:00Z"));
    let reads: Vec<CheckedRead> = (0..40).map(|_| read(moment, "7ABC123", Class::NoHit, &[b"a"])).collect();
    std::thread::scope(|scope| {
        let ingest = scope.spawn(|| {
            for read in &reads {
                add(&another, vec![read.clone()], pictures(&[b"a"]));
            }
        });
        while !ingest.is_finished() {
            region.archive.purge(&purge(), now).unwrap();
        }
        ingest.join().unwrap();
    });
    region.archive.purge(&purge(), now).unwrap();
    let all = region.archive.certificates().unwrap();
    let parts: Vec<_> = all.iter().flat_map(|c| c.open(&region.trust()).unwrap().parts).collect();
    assert_eq!(parts.iter().map(|part| part.reads).sum::<u64>(), 40, "each read is in one certificate");
    assert!(ids(&region.archive, &Query::default()).is_empty());
    region.archive.purge(&purge(), at("2026-12-25T12:00:00Z")).unwrap();
    assert_eq!(region.packs(), 0);
}

#[test]
fn what_a_hold_that_was_cut_off_left_behind_is_cleared_away() {
    let Some(region) = Region::new(Retention::default()) else { return };
    let new = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"a"]);
    add(&region.archive, vec![new.clone()], pictures(&[b"a"]));
    let hold = NewHold { case: "26-1".into(), reads: vec![new.id, id_at(at("2026-11-26T12:00:00Z"))] };
    let refused = region.archive.hold(&permit(), &hold, at("2026-11-26T12:00:00Z")).unwrap_err();
    assert_eq!((refused.kind(), region.packs()), (Kind::NotFound, 1));
    let hold = NewHold { case: "26-1".into(), reads: vec![new.id] };
    region.archive.hold(&permit(), &hold, at("2026-11-26T12:00:00Z")).unwrap();
    let held = region.storage.packs(&region.objects.bucket);
    let held = held.iter().find(|pack| pack.display().to_string().contains("/held/")).unwrap();
    std::fs::copy(held, held.with_file_name("0193500000007000800000000000abcd.pack")).unwrap();
    region.archive.purge(&purge(), at("2026-11-26T12:00:00Z")).unwrap();
    assert_eq!(region.packs(), 2);
    assert_eq!(region.archive.check().unwrap().problems, [""; 0]);
}

#[test]
fn damage_is_found_by_the_check_and_shown_as_such() {
    let Some(region) = Region::new(Retention::default()) else { return };
    let new = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"a picture"]);
    add(&region.archive, vec![new.clone()], pictures(&[b"a picture"]));
    let pack = region.storage.packs(&region.objects.bucket).remove(0);
    let mut bytes = std::fs::read(&pack).unwrap();
    bytes[12] ^= 1;
    std::fs::write(&pack, &bytes).unwrap();
    let problems = region.archive.check().unwrap().problems;
    assert!(problems.len() == 1 && problems[0].contains(&new.id.to_string()), "{problems:?}");
    let picture = || region.archive.picture(&search(), new.id, &Sha256::of(b"a picture"));
    assert_eq!(picture().unwrap_err().kind(), Kind::Damaged);
    std::fs::remove_file(&pack).unwrap();
    assert_eq!(picture().unwrap_err().kind(), Kind::Damaged);
    assert_eq!(region.archive.check().unwrap().problems.len(), 1);
    region.sql("UPDATE records SET record = 'x'");
    assert_eq!(region.archive.check().unwrap().problems.len(), 2);
    assert_eq!(region.archive.read(&search(), new.id).unwrap_err().kind(), Kind::Damaged);
}

#[test]
fn a_database_that_goes_away_gives_no_receipts_and_the_station_goes_on_when_it_is_back() {
    let Some(mut server) = Postgres::own() else { return };
    let dir = tempfile::tempdir().unwrap();
    let key = ArchiveKey::create_file(&dir.path().join("archive.key")).unwrap();
    let archive = open(&server.database(), &Objects::shared().bucket(), &key, Retention::default());
    let moment = at("2026-11-26T12:00:00Z");
    let before = read(moment, "7ABC123", Class::NoHit, &[b"a"]);
    add(&archive, vec![before.clone()], pictures(&[b"a"]));
    for _ in 0..2 {
        server.stop();
        let new = read(moment, "7ABC124", Class::NoHit, &[b"a"]);
        let refused = archive.ingest(batch(vec![new.clone()], pictures(&[b"a"]))).unwrap_err();
        assert_eq!(refused.kind(), Kind::Network, "{refused}");
        assert!(!refused.chain().contains("7ABC"), "{}", refused.chain());
        assert_eq!(archive.search(&search(), &Query::default()).unwrap_err().kind(), Kind::Network);
        server.start();
        // A connection of before may be noticed only now.
        let taken = (0..20).find_map(|_| archive.ingest(batch(vec![new.clone()], pictures(&[b"a"]))).ok());
        assert_eq!(taken, Some(durable(1)));
    }
    assert_eq!(ids(&archive, &Query::default()).len(), 3);
    assert_eq!(archive.check().unwrap().problems, [""; 0]);
}

#[test]
fn a_storage_that_answers_503_gives_no_receipts_for_reads_with_pictures_and_a_short_time_of_it_is_waited_for() {
    let Some(server) = Postgres::shared() else { return };
    let storage: &'static Objects = Box::leak(Box::new(Objects::start()));
    let dir = tempfile::tempdir().unwrap();
    let key = ArchiveKey::create_file(&dir.path().join("archive.key")).unwrap();
    let archive = open(&server.database(), &storage.bucket(), &key, Retention::default());
    let moment = at("2026-11-26T12:00:00Z");
    let new = read(moment, "7ABC123", Class::NoHit, &[b"a"]);
    let sent = || batch(vec![new.clone()], pictures(&[b"a"]));
    storage.be_busy(true);
    assert_eq!(archive.ingest(sent()).unwrap_err().kind(), Kind::Network);
    add(&archive, vec![read(moment, "7ABC124", Class::NoHit, &[])], Vec::new());
    assert_eq!(ids(&archive, &Query::default()).len(), 1, "only what has no picture");
    // It is tried again until the storage is back.
    let tried = storage.refused();
    std::thread::scope(|scope| {
        let ingest = scope.spawn(|| archive.ingest(sent()));
        crate::kit::process::until("a try that was refused", || (storage.refused() > tried).then_some(()));
        storage.be_busy(false);
        assert_eq!(ingest.join().unwrap().unwrap(), durable(1));
    });
    assert_eq!(archive.picture(&search(), new.id, &Sha256::of(b"a")).unwrap().unwrap(), &b"a"[..]);
}
