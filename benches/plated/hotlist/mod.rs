//! Lists of millions: building, opening, matching and exchanging them, beside a hash map and a
//! plain scan of the same entries.
//!
//! Each part runs in a process of its own, so that its memory is its own. Of long look-ups the
//! time in which they waited for the processor, because something else ran on it, is left out of
//! the figures that are held against a bar; the time by the clock is printed beside them. Short
//! ones are taken by the clock alone: asking how long they waited would take longer than they do.
//! `PLATED_BENCH_ENTRIES` sets another number of entries than 5 million.

pub mod plates;

use super::support::{figure, millis, percentile, resident_mib, stolen};
use plated_core::plate::PlateText;
use plated_core::record::{EntryRecord, Rule};
use plated_hotlist::settings::MatchRules;
use plated_hotlist::{Builder, Index, Lists, Meta, Partial, Query, Rules, Signer, Source, Trust};
use plates::{Plates, read};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Names the part that a process of this bench runs.
pub const PART: &str = "PLATED_BENCH_HOTLIST";

/// Reads that are matched; one of a hundred is listed.
const READS: u64 = 100_000;
/// So many are made at a time, so that making them is out of the way of what is measured.
const BATCH: u64 = 1000;
const SWAPS: usize = 20;

pub fn entries() -> u64 {
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
    let before = stolen();
    match name {
        "build" => build(),
        "match" => matching(),
        "swap" => swap(),
        _ => compare(),
    }
    println!("  stolen meanwhile by the host of this virtual machine: {:.0} ms", millis(stolen() - before));
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
    let before = processor_time();
    let mut builder = Builder::create(Path::new("list"), &signer, meta);
    Plates::new().entries(entries()).for_each(|entry| builder.add(&entry).unwrap());
    let manifest = builder.finish().unwrap();
    let took = start.elapsed().as_secs_f64();
    println!(
        "  {} plates, {:.1} MiB on disk; making the entries takes {:.1} s of the build, and the processor worked {:.1} s",
        manifest.plates,
        manifest.bytes as f64 / 1048576.0,
        generating.as_secs_f64(),
        (processor_time() - before).as_secs_f64()
    );
    figure("build, verified and durable", took, "s", took <= 60.0, "<= 60");
    let most = peak_mib();
    figure("most memory while building", most, "MiB", most <= 1536.0, "<= 1536");
}

fn matching() {
    let before = resident_mib();
    let mut most = before;
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
    let (mut absent, mut present) = (Times::default(), Times::default());
    each_read(&index, |wanted, query| {
        let key = query.text.key();
        let times = if wanted { &mut present } else { &mut absent };
        times.of(|| index.entries(key.as_str()).unwrap());
    });
    println!("  index alone, exact, absent plates: {absent}");
    println!("  index alone, exact, listed plates with their entries: {present}");
    drop(index); // Its memory would be counted beside that of the lists.

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
        let (mut all, mut listed, mut found) = (Times { long: partials > 0, ..Times::default() }, Times::default(), 0);
        let in_force = lists.in_force();
        each_read(in_force.sources()[0].as_index().unwrap(), |wanted, query| {
            let matches = all.of(|| lists.matches(query));
            found += matches.len();
            if wanted {
                assert!(matches.iter().any(|m| m.rule == Rule::Exact), "a listed plate was not found");
                listed.again(&all);
            }
        });
        println!("  {name}: {all}; {found} matches");
        println!("  {name}, listed plates: {listed}");
        most = most.max(resident_mib());
        let p99 = micros(all.own(0.99));
        figure(&format!("{name}, p99"), p99, "us", p99 <= bar, &format!("<= {bar}"));
    }
    println!("  resident before the first list was opened, the libraries of recognition: {before:.1} MiB");
    let most = most - before;
    figure("resident for the list while matching", most, "MiB", most <= 60.0, "<= 60");
}

/// Times of look-ups.
#[derive(Default)]
struct Times {
    /// By the clock.
    clock: Vec<Duration>,
    /// Without waiting for the processor, if that is asked for.
    own: Vec<Duration>,
    long: bool,
}

impl Times {
    fn of_long() -> Self {
        Self { long: true, ..Self::default() }
    }

    fn of<T>(&mut self, look_up: impl FnOnce() -> T) -> T {
        let waited_before = if self.long { waited() } else { Duration::ZERO };
        let start = Instant::now();
        let found = std::hint::black_box(look_up());
        let took = start.elapsed();
        self.clock.push(took);
        let waited = if self.long { waited() - waited_before } else { Duration::ZERO };
        self.own.push(took.saturating_sub(waited));
        found
    }

    /// Counts the last of `others` here too.
    fn again(&mut self, others: &Times) {
        self.clock.extend(others.clock.last());
        self.own.extend(others.own.last());
    }

    fn own(&self, share: f64) -> Duration {
        percentile(&mut self.own.clone(), share)
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let clock = micros(percentile(&mut self.clock.clone(), 0.99));
        let (half, p99) = (micros(self.own(0.5)), micros(self.own(0.99)));
        write!(f, "p50 {half:.2} us, p99 {p99:.2} us")?;
        if self.long { write!(f, " (by the clock {clock:.2} us)") } else { Ok(()) }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// How long this thread has been ready to run while the processor was given to others.
fn waited() -> Duration {
    thread_local!(static STAT: std::fs::File = std::fs::File::open("/proc/thread-self/schedstat").unwrap());
    let mut text = [0; 64];
    let length = STAT.with(|file| std::os::unix::fs::FileExt::read_at(file, &mut text, 0)).unwrap();
    let text = std::str::from_utf8(&text[..length]).unwrap();
    Duration::from_nanos(text.split_whitespace().nth(1).unwrap().parse().unwrap())
}

/// Gives each read to `ask`, with whether its plate is listed.
fn each_read(index: &Index, mut ask: impl FnMut(bool, &Query<'_>)) {
    let (mut listed, mut road) = (Plates::new(), Plates::seeded(99));
    let now = jiff::Timestamp::now();
    for batch in 0..READS / BATCH {
        let reads: Vec<_> = (0..BATCH)
            .map(|n| {
                let wanted = n % 100 == 0;
                // The listed ones from all over the list.
                let number = (batch * BATCH + n) * 7919 % entries();
                let is_listed =
                    |plate: &str| !index.entries(PlateText::normalise(plate).key().as_str()).unwrap().is_empty();
                let mut unlisted = || loop {
                    let plate = road.plate();
                    if !is_listed(&plate.1) {
                        return plate;
                    }
                };
                let (state, plate) = if wanted { listed.nth(number) } else { unlisted() };
                (wanted, state, PlateText::normalise(&plate), read(&plate, &mut road))
            })
            .collect();
        for (wanted, state, text, (slots, candidates)) in &reads {
            // In the vehicle a read was put together a moment ago and is in the processor's cache.
            let (text, slots, candidates) = (text.clone(), slots.clone(), candidates.clone());
            ask(*wanted, &Query { text: &text, state, candidates: &candidates, slots: &slots, now });
        }
    }
}

fn swap() {
    let lists = Lists::default();
    lists.put(Source::index(open(), Rules::default()));
    let mut reads = Vec::new();
    each_read(&open(), |_, query| {
        if reads.len() < 2000 {
            reads.push((query.text.clone(), query.state.to_owned(), query.candidates.to_vec(), query.slots.clone()));
        }
    });
    let now = jiff::Timestamp::now();
    let looked_up = |swaps: usize| {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let matching = scope.spawn(|| {
                let mut times = Times::of_long();
                while !done.load(Ordering::Relaxed) {
                    for (text, state, candidates, slots) in &reads {
                        times.of(|| lists.matches(&Query { text, state, candidates, slots, now }));
                    }
                }
                times
            });
            let start = Instant::now();
            (0..swaps).for_each(|_| lists.put(Source::index(open(), Rules::default())));
            // The run without swaps lasts as long as one with: what is compared is the longest look-up.
            std::thread::sleep(Duration::from_secs(3).saturating_sub(start.elapsed()));
            done.store(true, Ordering::Relaxed);
            matching.join().unwrap()
        })
    };
    for swaps in [0, SWAPS] {
        let times = looked_up(swaps);
        let (longest, clock) = (millis(times.own(1.0)), millis(percentile(&mut times.clock.clone(), 1.0)));
        println!("  {swaps} swaps under {} look-ups; the longest by the clock {clock:.2} ms", times.own.len());
        let what = format!("longest look-up with {swaps} swaps");
        figure(&what, longest, "ms", longest <= 5.0, "<= 5");
    }
}

/// The same entries in a hash map, as the index was before, and one after the other.
fn compare() {
    let before = resident_mib();
    let start = Instant::now();
    let mut map: HashMap<String, Vec<Arc<EntryRecord>>> = HashMap::new();
    for entry in Plates::new().entries(entries()) {
        let key = PlateText::normalise(&entry.plate).key();
        map.entry(key.as_str().to_owned()).or_default().push(Arc::new(entry));
    }
    println!(
        "  hash map: built in {:.1} s at each start, {:.0} MiB resident",
        start.elapsed().as_secs_f64(),
        resident_mib() - before
    );
    let (mut exact, mut found) = (Times::default(), 0);
    each_read(&open(), |_, query| {
        let entries = exact.of(|| map.get(query.text.key().as_str()).cloned());
        found += usize::from(entries.is_some());
    });
    println!("  hash map, exact: {exact}; {found} found");
    let keys: Vec<String> = map.into_keys().collect();
    let (mut scans, mut road) = (Times::of_long(), Plates::seeded(99));
    for _ in 0..20 {
        let key = PlateText::normalise(&road.plate().1).key();
        scans.of(|| keys.iter().position(|k| k == key.as_str()));
    }
    println!("  linear scan, exact: {scans}");
}

/// Processor time of this process so far; the time of day also counts what else runs here.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
    Duration::from_millis(10 * ticks.map(|t| t.parse::<u64>().unwrap()).sum::<u64>())
}

/// Most resident memory of this process so far.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
