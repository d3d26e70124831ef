//! The station's archive: searches among the reads of a year, 3 million in files and 20 million on PostgreSQL, the station's
//! pages over it, and a purge of a day of 1 million beside ingest. Rows without pictures. `PLATED_ARCHIVE_READS` and `PLATED_ARCHIVE_DAY` make it smaller; then
//! the figures say so. `PLATED_ARCHIVE_ENGINE` (`sqlite`, `postgresql`) leaves the other one out. `PLATED_ARCHIVE_AT` is the URL
//! of a database in which `PLATED_ARCHIVE_READS` reads are already, of an archive that has no key yet.

use super::kit::objects::Objects;
use super::kit::postgres::{Postgres, name_of};
use super::kit::store::{gate, permit};
use super::kit::{Depot, record, seal};
use super::support::{figure, load, millis, percentile, size, stolen};
use jiff::{SignedDuration, Timestamp};
use plated_access::{Actor, Case, Machine, Reason};
use plated_core::record::ReadRecord;
use plated_station::ArchiveKey;
use plated_station::archive::{
    Archive, CheckedBatch, CheckedRead, Class, EngineKind, Envelope, Options, Plate, PostgresArchive, PostgresOptions,
    Query, Retention, SqliteArchive,
};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use uuid::{NoContext, Uuid};

const DAYS: usize = 365;
const SEARCHES: usize = 200;
/// Reads in one batch while the archive is filled.
const BATCH: usize = 2000;

/// Different plates of California.
pub(super) fn plate(n: usize) -> String {
    let mut n = n.wrapping_mul(2_654_435_761) % 175_760_000;
    let mut text = String::from("7");
    for (count, from) in [(26, b'A'); 3].into_iter().chain([(10, b'0'); 3]) {
        text.push(char::from(from + (n % count) as u8));
        n /= count;
    }
    text.replace('O', "0")
}

fn read(n: usize, at: Timestamp) -> CheckedRead {
    let nanos = at.as_nanosecond().unsigned_abs();
    let unix = uuid::Timestamp::from_unix(NoContext, (nanos / 1_000_000_000) as u64, (nanos % 1_000_000_000) as u32);
    let (id, key, class) = (Uuid::new_v7(unix), plate(n), if n.is_multiple_of(50) { Class::Hit } else { Class::NoHit });
    let sealed =
        seal(&ReadRecord { id, text: key.clone(), hits: Vec::new(), first_seen: at, last_seen: at, ..record(&[]) });
    let envelope = Envelope {
        vehicle: format!("unit-{}", n % 40),
        camera: ["front", "left", "right"][n % 3].into(),
        text: key.clone(),
        key,
        state: "CA".into(),
        confidence: 0.98,
        first_seen: at,
        last_seen: at,
        position: None,
        has_hit: class == Class::Hit,
        canvass: None,
        site: None,
        class,
        pictures: Vec::new(),
    };
    CheckedRead { id, sha256: sealed.sha256, record: sealed.record.into(), envelope }
}

fn batch(reads: Vec<CheckedRead>, received: Timestamp) -> CheckedBatch {
    CheckedBatch {
        vehicle: "unit-7".into(),
        batch: Uuid::now_v7(),
        received,
        computer: None,
        audit_head: None,
        reads,
        pictures: Vec::new(),
        documents: Vec::new(),
        audit_rows: Vec::new(),
    }
}

/// Puts `some` of the reads of one day in, of which there are `count`; they are numbered from `first` on.
fn fill(archive: &dyn Archive, first: usize, count: usize, some: Range<usize>, day: Timestamp) {
    let step = SignedDuration::from_secs(86_000) / i32::try_from(count.max(1)).unwrap();
    for from in some.clone().step_by(BATCH) {
        let reads = (from..some.end.min(from + BATCH)).map(|n| read(first + n, day + step * n as i32)).collect();
        let outcome = archive.ingest(batch(reads, day)).unwrap();
        assert!(outcome.reads.iter().all(|verdict| verdict.is_durable()));
    }
}

/// Puts reads into all days in turn, and gives how many there are then. With `PLATED_ARCHIVE_GO` that file ends it early,
/// and is waited for: so the filling, which takes hours, can go on beside other work, and what is measured can wait until
/// the machine is quiet.
fn fill_year(archive: &dyn Archive, reads: usize, day: &dyn Fn(usize) -> Timestamp) -> usize {
    let go = std::env::var_os("PLATED_ARCHIVE_GO").map(PathBuf::from);
    let (from, of_day) = (Instant::now(), reads / DAYS);
    let mut filled = 0;
    for begin in (0..of_day).step_by(BATCH) {
        let some = begin..of_day.min(begin + BATCH);
        (0..DAYS).for_each(|n| fill(archive, n * of_day, of_day, some.clone(), day(n)));
        filled += some.len() * DAYS;
        if go.as_deref().is_some_and(Path::exists) {
            break;
        }
    }
    let took = from.elapsed().as_secs_f64();
    println!("  {filled} reads without pictures in {DAYS} days, in {took:.0} s: {:.0} reads/s", filled as f64 / took);
    while go.as_deref().is_some_and(|go| !go.exists()) {
        std::thread::sleep(Duration::from_secs(1));
    }
    filled
}

pub fn run() {
    let engine = std::env::var("PLATED_ARCHIVE_ENGINE").unwrap_or_default();
    if engine != "postgresql" {
        println!("  in files:");
        measure(size("PLATED_ARCHIVE_READS", 3_000_000), Depot::new(), &|| {});
    }
    if let Ok(url) = std::env::var("PLATED_ARCHIVE_AT") {
        let mut depot = Depot::new();
        depot.on_postgres(&url, &Objects::shared().bucket());
        println!("  on PostgreSQL, filled before:");
        return measure_filled(size("PLATED_ARCHIVE_READS", 20_000_000), depot, first_day());
    }
    if engine != "sqlite" {
        let Some(server) = Postgres::durable() else {
            println!("  SKIPPED: PostgreSQL is not installed");
            return;
        };
        let (url, mut depot) = (server.database(), Depot::new());
        depot.on_postgres(&url, &Objects::shared().bucket());
        println!("  on PostgreSQL, which syncs each commit:");
        // As autovacuum does by itself within the day.
        let settle = || drop(server.sql(name_of(&url), "VACUUM ANALYZE"));
        measure(size("PLATED_ARCHIVE_READS", 20_000_000), depot, &settle);
    }
}

/// The archive of this station.
pub(super) fn open(depot: &Depot, retention: Retention) -> Box<dyn Archive> {
    let (config, key) = (&depot.config, ArchiveKey::load(&depot.config.archive_key).unwrap());
    match config.archive.engine {
        EngineKind::Sqlite => Box::new(
            SqliteArchive::open(&Options { data: &config.data, key, station: &config.name, retention }).unwrap(),
        ),
        EngineKind::Postgresql => {
            let (server, objects) = (config.archive.server().unwrap(), config.archive.objects().unwrap());
            let options = PostgresOptions { server, objects, key, station: &config.name, retention };
            Box::new(PostgresArchive::open(&options).unwrap())
        }
    }
}

fn measure(reads: usize, depot: Depot, settle: &dyn Fn()) {
    let archive = open(&depot, Retention::default());
    let start = first_day();
    let day = |n: usize| start + SignedDuration::from_hours(24) * n as i32;
    let reads = fill_year(&*archive, reads, &day);
    drop(archive);
    settle();
    measure_filled(reads, depot, start);
}

/// The year ends today: what people ask for are the last weeks and months.
fn first_day() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(24 * DAYS as i64)
}

fn measure_filled(reads: usize, depot: Depot, start: Timestamp) {
    let of_day = size("PLATED_ARCHIVE_DAY", 1_000_000);
    let from = Instant::now();
    let retention = Retention { no_hit: 365, hit: 3650, ..Retention::default() };
    let archive = open(&depot, retention);
    println!("  opened in {:.0} ms", millis(from.elapsed()));
    let before = stolen();
    let part = |n: usize, from: usize, to: usize| plate(n * 7)[from..to].to_owned();
    let look = |what: &str, bar: f64, pattern: &dyn Fn(usize) -> String| searches(&*archive, reads, what, bar, pattern);
    look("by the beginning of a plate", 200.0, &|n| format!("{}*", part(n, 0, 4)));
    look("by a whole plate", 200.0, &|n| part(n, 0, 7));
    look("with a wildcard in front", 2000.0, &|n| format!("*{}", part(n, 3, 7)));
    look("with a wildcard in front, nothing found", 2000.0, &|n| format!("*{:02}QQ", n % 100));
    println!("  stolen by the host of this virtual machine: {:.0} ms; load {}", millis(stolen() - before), load());
    drop(archive);
    let depot = super::pages::run(depot, reads);

    // The day before all others, so that it alone is over.
    let archive = open(&depot, retention);
    fill(&*archive, reads, of_day, 0..of_day, start - SignedDuration::from_hours(24));
    purge(&*archive, of_day, start + SignedDuration::from_hours(365 * 24));
}

fn searches(archive: &dyn Archive, reads: usize, what: &str, bar_ms: f64, pattern: &dyn Fn(usize) -> String) {
    let permit = permit();
    let mut found = 0;
    let mut times: Vec<Duration> = (0..SEARCHES)
        .map(|n| {
            let query = Query { plate: Some(Plate::parse(&pattern(n)).unwrap()), limit: 100, ..Query::default() };
            let from = Instant::now();
            found += archive.search(&permit, &query).unwrap().reads.len();
            from.elapsed()
        })
        .collect();
    let (half, most) = (millis(percentile(&mut times, 0.5)), millis(percentile(&mut times, 0.99)));
    figure(&format!("{what} among {reads} reads, p99"), most, "ms", most < bar_ms, &format!("< {bar_ms:.0}"));
    println!("    p50 {half:.1} ms, {:.1} reads a page", found as f64 / SEARCHES as f64);
}

fn purge(archive: &dyn Archive, of_day: usize, now: Timestamp) {
    let reason = Reason::new("retention is over").unwrap();
    let permit = gate().open(&Actor::Machine(Machine::Purge), &reason, &Case::none(), serde_json::json!({})).unwrap();
    let done = AtomicBool::new(false);
    let (begins, begun) = std::sync::mpsc::channel();
    let (took, mut times) = std::thread::scope(|scope| {
        let done = &done;
        let ingest = scope.spawn(move || {
            let mut times = Vec::new();
            while !done.load(Ordering::Relaxed) || times.len() < 100 {
                let reads = (0..50).map(|n| read(n, now)).collect();
                let from = Instant::now();
                archive.ingest(batch(reads, now)).unwrap();
                times.push(from.elapsed());
                let _ = begins.send(());
            }
            times
        });
        // Ingest is under way when the purge begins.
        begun.recv().unwrap();
        let from = Instant::now();
        assert!(archive.purge(&permit, now).unwrap().is_some());
        let took = from.elapsed();
        done.store(true, Ordering::Relaxed);
        (took, ingest.join().unwrap())
    });
    let took = millis(took) / 1000.0;
    figure(&format!("purge of a day of {of_day} reads"), took, "s", took < 5.0, "< 5");
    let most = millis(percentile(&mut times, 0.99));
    figure("ingest of 50 reads meanwhile, p99", most, "ms", most < 1000.0, "< 1000");
}
