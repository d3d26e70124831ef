//! Lists of millions: building, opening, matching and exchanging them, beside a hash map and a
//! plain scan of the same entries.
//!
//! Each part runs in a process of its own, so that its memory is its own.
//! `PLATED_BENCH_ENTRIES` sets another number of entries than 5 million.

mod plates;

use super::support::{figure, millis, percentile, resident_mib};
use plated::config::MatchRules;
use plated::hotlist::{Builder, Index, Lists, Meta, Partial, Query, Rules, Signer, Source, Trust};
use plated::plate::PlateText;
use plated::wire::{EntryRecord, Rule};
use plates::{Plates, read};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Names the part that a process of this bench runs.
pub const PART: &str = "PLATED_BENCH_HOTLIST";

/// Reads that are matched; one of a hundred is listed.
const READS: u64 = 200_000;
const SWAPS: usize = 20;

fn entries() -> u64 {
    std::env::var("PLATED_BENCH_ENTRIES").ok().and_then(|n| n.parse().ok()).unwrap_or(5_000_000)
}

pub fn run() {
    let dir = tempfile::tempdir().unwrap();
    println!("  {} entries; of {READS} reads 1 in 100 is listed", entries());
    for part in ["build", "match", "swap", "compare"] {
        let exe = std::env::current_exe().unwrap();
        let status = Command::new(exe).env(PART, part).current_dir(dir.path()).status().unwrap();
        assert!(status.success(), "{part}");
    }
}

/// Runs one part, in the folder with the index.
pub fn part(name: &str) {
    match name {
        "build" => build(),
        "match" => matching(),
        "swap" => swap(),
        _ => compare(),
    }
}

fn signer() -> Signer {
    let path = Path::new("key");
    Signer::load(path).or_else(|_| Signer::create_file(path)).unwrap()
}

fn open() -> Index {
    Index::open(Path::new("list"), &Trust::only([signer().public_key()])).unwrap()
}

fn build() {
    let start = Instant::now();
    Plates::new().entries(entries()).for_each(|entry| {
        std::hint::black_box(entry);
    });
    let generating = start.elapsed();
    let signer = signer();
    let now = jiff::Timestamp::now();
    let meta = Meta { name: "bench".into(), source: "made".into(), date: None, built: now, by: "bench".into() };
    let start = Instant::now();
    let mut builder = Builder::create(Path::new("list"), &signer, meta);
    Plates::new().entries(entries()).for_each(|entry| builder.add(&entry).unwrap());
    let manifest = builder.finish().unwrap();
    let took = start.elapsed().as_secs_f64();
    println!(
        "  {} plates, {:.1} MiB on disk; making the entries takes {:.1} s of the build",
        manifest.plates,
        manifest.bytes as f64 / 1048576.0,
        generating.as_secs_f64()
    );
    figure("build, verified and durable", took, "s", took <= 60.0, "<= 60");
    let most = peak_mib();
    figure("most memory while building", most, "MiB", most <= 1536.0, "<= 1536");
}

fn matching() {
    let before = resident_mib();
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(open());
            start.elapsed()
        })
        .collect();
    let longest = millis(percentile(&mut times, 1.0));
    figure("open, longest of 5", longest, "ms", longest <= 100.0, "<= 100");

    let index = open();
    let (mut absent, mut present) = (Vec::new(), Vec::new());
    each_read(|wanted, query| {
        let key = query.text.key();
        let start = Instant::now();
        std::hint::black_box(index.entries(key.as_str()).unwrap());
        let took = start.elapsed();
        if wanted { present.push(took) } else { absent.push(took) }
    });
    println!(
        "  index alone, exact: absent plates p50 {:.2} us, p99 {:.2} us; listed ones with their entries p50 {:.2} us, p99 {:.2} us",
        micros(&mut absent, 0.5),
        micros(&mut absent, 0.99),
        micros(&mut present, 0.5),
        micros(&mut present, 0.99)
    );
    drop(index);

    let exact = MatchRules { equivalents: 0, alternative_probability: 1.0, ..MatchRules::default() };
    let one = MatchRules { alternative_probability: 1.0, ..MatchRules::default() };
    let full = MatchRules { equivalents: 2, differences: 1, alternative_probability: 0.0, ..MatchRules::default() };
    for (name, rules, partials, bar) in
        [("exact", exact, 0_u64, 5.0), ("one equivalent", one, 0, 50.0), ("full rules", full, 100, 500.0)]
    {
        let lists = Lists::default();
        lists.put(Source::index(open(), Rules::new(&rules)));
        let partial = |n: u64| {
            let plate = Plates::seeded(1_000 + n).plate().1;
            let plate = format!("{}?{}*", &plate[..2], &plate[3..5]);
            Partial::new(EntryRecord { plate, ..EntryRecord::default() }, Rules::new(&rules)).unwrap()
        };
        lists.set_partials((0..partials).map(partial).collect()).unwrap();
        let (mut all, mut listed, mut found) = (Vec::new(), Vec::new(), 0);
        each_read(|wanted, query| {
            let start = Instant::now();
            let matches = lists.matches(query);
            let took = start.elapsed();
            found += matches.len();
            all.push(took);
            if wanted {
                assert!(matches.iter().any(|m| m.rule == Rule::Exact), "a listed plate was not found");
                listed.push(took);
            }
        });
        println!(
            "  {name}: p50 {:.2} us; of listed plates p50 {:.2} us, p99 {:.2} us; {found} matches",
            micros(&mut all, 0.5),
            micros(&mut listed, 0.5),
            micros(&mut listed, 0.99)
        );
        let p99 = micros(&mut all, 0.99);
        figure(&format!("{name}, p99"), p99, "us", p99 <= bar, &format!("<= {bar}"));
    }
    let after = resident_mib();
    println!("  resident before the first list was opened: {before:.1} MiB");
    figure("resident while matching, whole process", after, "MiB", after <= 60.0, "<= 60");
}

fn micros(times: &mut [Duration], share: f64) -> f64 {
    percentile(times, share).as_secs_f64() * 1e6
}

/// Gives each read to `ask`, with whether its plate is listed.
fn each_read(mut ask: impl FnMut(bool, &Query<'_>)) {
    let (mut listed, mut road) = (Plates::new(), Plates::seeded(99));
    let now = jiff::Timestamp::now();
    for n in 0..READS {
        let wanted = n % 100 == 0;
        // The listed ones from all over the list.
        let plate = if wanted { listed.nth(n * 7919 % entries()) } else { road.plate() };
        let (slots, candidates) = read(&plate.1, &mut road);
        let text = PlateText::normalise(&plate.1);
        ask(wanted, &Query { text: &text, state: plate.0, candidates: &candidates, slots: &slots, now });
    }
}

fn swap() {
    let lists = Lists::default();
    lists.put(Source::index(open(), Rules::default()));
    let (mut quiet, mut busy) = (Duration::ZERO, Duration::ZERO);
    let longest = |until: &dyn Fn() -> bool| {
        let (mut plates, mut most, mut count) = (Plates::seeded(7), Duration::ZERO, 0_u64);
        let mut reads = Vec::new();
        for n in 0..500 {
            let plate = if n % 10 == 0 { Plates::new().nth(n) } else { plates.plate() };
            reads.push((read(&plate.1, &mut plates), PlateText::normalise(&plate.1), plate.0));
        }
        let now = jiff::Timestamp::now();
        while !until() {
            for ((slots, candidates), text, state) in &reads {
                let query = Query { text, state, candidates, slots, now };
                let start = Instant::now();
                std::hint::black_box(lists.matches(&query));
                most = most.max(start.elapsed());
                count += 1;
            }
        }
        (most, count)
    };
    let mut counts = [0; 2];
    for (swaps, most, count) in
        [(0, &mut quiet), (SWAPS, &mut busy)].into_iter().zip(&mut counts).map(|((s, m), c)| (s, m, c))
    {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let matching = scope.spawn(|| longest(&|| done.load(Ordering::Relaxed)));
            let start = Instant::now();
            for _ in 0..swaps {
                lists.put(Source::index(open(), Rules::default()));
            }
            std::thread::sleep(Duration::from_secs(2).saturating_sub(start.elapsed()));
            done.store(true, Ordering::Relaxed);
            (*most, *count) = matching.join().unwrap();
        });
    }
    println!(
        "  longest of {} lookups without a swap: {:.2} ms (what else runs on this machine is in both)",
        counts[0],
        millis(quiet)
    );
    let ms = millis(busy);
    println!("  {SWAPS} swaps under {} lookups", counts[1]);
    figure("longest lookup while lists are exchanged", ms, "ms", ms <= 5.0, "<= 5");
}

/// The same entries in a hash map, as the index was before, and one after the other.
fn compare() {
    let before = resident_mib();
    let start = Instant::now();
    let mut map: HashMap<String, Vec<EntryRecord>> = HashMap::new();
    for entry in Plates::new().entries(entries()) {
        let key = PlateText::normalise(&entry.plate).key();
        map.entry(key.as_str().to_owned()).or_default().push(entry);
    }
    println!(
        "  hash map: built in {:.1} s at each start, {:.0} MiB resident",
        start.elapsed().as_secs_f64(),
        resident_mib() - before
    );
    let (mut exact, mut found) = (Vec::new(), 0);
    each_read(|_, query| {
        let start = Instant::now();
        let entries = map.get(query.text.key().as_str()).cloned();
        exact.push(start.elapsed());
        found += usize::from(entries.is_some());
    });
    println!(
        "  hash map, exact: p50 {:.2} us, p99 {:.2} us; {found} found",
        micros(&mut exact, 0.5),
        micros(&mut exact, 0.99)
    );
    let keys: Vec<String> = map.into_keys().collect();
    let mut scans = Vec::new();
    let mut road = Plates::seeded(99);
    for _ in 0..20 {
        let key = PlateText::normalise(&road.plate().1).key();
        let start = Instant::now();
        std::hint::black_box(keys.iter().position(|k| k == key.as_str()));
        scans.push(start.elapsed());
    }
    println!("  linear scan, exact: p50 {:.1} ms", millis(percentile(&mut scans, 0.5)));
}

/// Most resident memory of this process so far.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
