//! The station's pages over HTTPS, beside an archive with the reads of a year: from what is posted to the whole page, with its
//! records in the audit log. First each alone, then with 50 users and 200 vehicles at once.

use super::archive::plate;
use super::kit::console::{Answer, Browser};
use super::kit::station_pages::Hall;
use super::kit::{Batch, Depot, batch, body, link, pictures, pixels, post, record, seal};
use super::support::{figure, load, millis, percentile, stolen};
use plated_core::clock::SystemClock;
use plated_core::record::{ImageRole, ReadRecord};
use plated_vehicle::transfer::HttpsLink;
use reqwest::StatusCode;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Times that each page is asked for.
const TIMES: usize = 100;
/// Reads with pictures, for their pages and the export.
const PICTURED: usize = 1000;
/// A crop and an overview, in bytes.
const PICTURES: [u32; 2] = [4 << 10, 40 << 10];
const USERS: usize = 50;
/// From one page of a user to their next.
const PAGE_EVERY: Duration = Duration::from_secs(5);
const VEHICLES: usize = 200;
/// A vehicle's batch and how often it comes: 14,400 reads a day.
const READS: usize = 10;
const BATCH_EVERY: Duration = Duration::from_secs(60);
/// How long all of them are there.
const RUSH: Duration = Duration::from_secs(120);

/// What was waited for, by what it is.
type Times = BTreeMap<&'static str, Vec<Duration>>;

/// Measures, and gives the station back.
pub fn run(depot: Depot, reads: usize) -> Depot {
    println!("  the station's pages over HTTPS, their audit records included:");
    let hall = Hall::on(depot, "");
    hall.hire("clerk", "custodian");
    let clerk = hall.looking("clerk");
    pictured(&hall);
    let before = stolen();
    let mut alone = Times::new();
    for n in 0..TIMES {
        round(&clerk, n, &mut alone);
    }
    for (what, bar) in [(SEARCH, 300.0), (READ, 150.0), (STATISTICS, 1000.0)] {
        let times = alone.get_mut(what).unwrap();
        let (half, most) = (millis(percentile(times, 0.5)), millis(percentile(times, 0.99)));
        figure(&format!("{what}, {reads} reads, p99"), most, "ms", most < bar, &format!("< {bar:.0}"));
        println!("    p50 {half:.1} ms");
    }
    evidence(&hall, &clerk);
    rush(&hall, &mut alone);
    println!("    stolen by the host of this virtual machine: {:.0} ms; load {}", millis(stolen() - before), load());
    hall.depot
}

const SEARCH: &str = "search by the beginning of a plate and its page";
const READ: &str = "a read's page with its pictures";
const STATISTICS: &str = "statistics of a year";

fn timed(times: &mut Times, what: &'static str, ask: impl FnOnce() -> Answer) -> Answer {
    let from = Instant::now();
    let answer = ask();
    times.entry(what).or_default().push(from.elapsed());
    assert_eq!(answer.status, StatusCode::OK, "{what}: {} {}", answer.to, answer.body);
    answer
}

/// What a user looks at in turn.
fn round(browser: &Browser, n: usize, times: &mut Times) {
    search(browser, n, times);
    open(browser, n, times);
    statistics(browser, times);
}

fn search(browser: &Browser, n: usize, times: &mut Times) {
    let token = browser.get("/search").token();
    let pattern = format!("{}*", &plate(n * 7)[..4]);
    timed(times, SEARCH, || browser.get(&browser.post("/search", &token, &[("plate", &pattern)]).to));
}

/// Opens one of the reads with pictures.
fn open(browser: &Browser, n: usize, times: &mut Times) {
    let token = browser.get("/search").token();
    let asked = browser.post("/search", &token, &[("plate", &pictured_plate(n % PICTURED))]).to;
    let found = browser.get(&asked);
    let read = links(&found.body, "/reads/").into_iter().find(|link| !link.ends_with("/track")).expect("one was found");
    timed(times, READ, || {
        let page = browser.get(&read);
        let shown = links(&page.body, "/pictures/");
        assert!(shown.len() >= 2, "{shown:?}");
        for picture in shown {
            assert_eq!(browser.get(&picture).status, StatusCode::OK);
        }
        page
    });
}

fn statistics(browser: &Browser, times: &mut Times) {
    let today = jiff::Zoned::now().date();
    let first = today.checked_sub(jiff::Span::new().days(364)).unwrap();
    timed(times, STATISTICS, || browser.get(&format!("/statistics?from={first}&until={today}")));
}

/// The different addresses in a page that begin so.
fn links(page: &str, beginning: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for part in page.split('"').filter(|part| part.starts_with(beginning)) {
        let link = part.split('#').next().unwrap_or(part).replace("&amp;", "&");
        if !all.contains(&link) {
            all.push(link);
        }
    }
    all
}

/// A read with a crop and an overview.
fn with_overview(images: &[Vec<u8>]) -> ReadRecord {
    let mut read = record(images);
    read.images[1].role = ImageRole::Overview;
    read
}

fn pictured_plate(n: usize) -> String {
    format!("8EVD{n:03}")
}

/// Sends the reads with pictures.
fn pictured(hall: &Hall) {
    for n in 0..PICTURED {
        let images = PICTURES.map(|bytes| pixels(n as u32 * 2 + u32::from(bytes == PICTURES[0]), bytes));
        let now = jiff::Timestamp::now();
        let read = ReadRecord {
            text: pictured_plate(n),
            hits: Vec::new(),
            canvass: None,
            first_seen: now,
            last_seen: now,
            ..with_overview(&images)
        };
        hall.receive(&read, &images);
    }
}

fn evidence(hall: &Hall, clerk: &Browser) {
    let asked = clerk.submit("/search", &[("plate", "8EVD*")]).to;
    assert_eq!(clerk.get(&asked).status, StatusCode::OK);
    let form = clerk.get(&format!("{asked}/evidence"));
    let why = [("purpose", "arrest_warrant"), ("case", "26-7"), ("reason", "for the DA")];
    let from = Instant::now();
    let (status, bytes) = clerk.download(&format!("{asked}/evidence"), &form.token(), &why);
    let took = from.elapsed().as_secs_f64();
    assert_eq!(status, StatusCode::OK);
    figure(&format!("evidence of {PICTURED} reads with pictures exported"), took, "s", took < 20.0, "< 20");
    let (file, key) = (hall.depot.dir.path().join("evidence.zip"), hall.depot.dir.path().join("evidence.pub"));
    std::fs::write(&file, &bytes).unwrap();
    std::fs::write(&key, hall.command(&["evidence", "key"], "").stdout).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let from = Instant::now();
    let done = program.args(["evidence", "verify"]).arg(&file).arg("--key").arg(&key).output().unwrap();
    let took = from.elapsed().as_secs_f64();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    figure("verified without a connection", took, "s", took < 5.0, "< 5");
    println!("    {:.1} MB", bytes.len() as f64 / 1e6);
}

/// All at once: what each page takes then, against what it took alone.
fn rush(hall: &Hall, alone: &mut Times) {
    let users: Vec<Browser> = (0..USERS)
        .map(|n| {
            let name = format!("user{n}");
            hall.hire(&name, "custodian");
            hall.looking(&name)
        })
        .collect();
    let links: Vec<(HttpsLink, String)> = (0..VEHICLES)
        .map(|n| {
            let name = format!("unit-{n}");
            let files =
                hall.depot.authority.issue_vehicle(&name, &hall.depot.dir.path().join(&name), &SystemClock::new());
            (link(&files.unwrap(), &name, &hall.depot.vehicle.ca, hall.vehicles), name)
        })
        .collect();
    let over = Arc::new(AtomicBool::new(false));
    let vehicles = std::thread::spawn({
        let over = over.clone();
        move || tokio::runtime::Runtime::new().unwrap().block_on(drive(links, over))
    });
    let end = Instant::now() + RUSH;
    let mut busy = Times::new();
    std::thread::scope(|scope| {
        let all: Vec<_> = users
            .iter()
            .enumerate()
            .map(|(n, browser)| {
                scope.spawn(move || {
                    // They do not all begin in the same moment.
                    std::thread::sleep(PAGE_EVERY * n as u32 / USERS as u32);
                    let (mut times, mut turn) = (Times::new(), n);
                    while Instant::now() < end {
                        let pages: [fn(&Browser, usize, &mut Times); 3] =
                            [search, open, |browser, _, times| statistics(browser, times)];
                        pages[turn % 3](browser, turn, &mut times);
                        std::thread::sleep(PAGE_EVERY);
                        turn += 1;
                    }
                    times
                })
            })
            .collect();
        for user in all {
            for (what, times) in user.join().unwrap() {
                busy.entry(what).or_default().extend(times);
            }
        }
    });
    over.store(true, Ordering::Relaxed);
    let (sent, mut receipts) = vehicles.join().unwrap();
    println!(
        "  {USERS} users, each with a page every {} s, and {VEHICLES} vehicles, {sent} reads meanwhile:",
        PAGE_EVERY.as_secs()
    );
    for (what, times) in &mut busy {
        let alone = alone.get_mut(what).unwrap();
        for share in [0.5, 0.99] {
            let (now, then) = (millis(percentile(times, share)), millis(percentile(alone, share)));
            let bar = format!("<= {:.1}, twice as long as alone", then * 2.0);
            figure(&format!("{what}, p{:.0} of {}", share * 100.0, times.len()), now, "ms", now <= then * 2.0, &bar);
        }
    }
    let (half, most) = (millis(percentile(&mut receipts, 0.5)), millis(percentile(&mut receipts, 0.99)));
    println!("    until the receipt of a batch of {READS} reads with pictures: p50 {half:.0} ms, p99 {most:.0} ms");
}

/// Vehicles send a batch a minute each, evenly spread, until it is over. Gives the reads and how long each batch took.
async fn drive(links: Vec<(HttpsLink, String)>, over: Arc<AtomicBool>) -> (usize, Vec<Duration>) {
    let mut driving = tokio::task::JoinSet::new();
    for (n, (link, name)) in links.into_iter().enumerate() {
        let over = over.clone();
        driving.spawn(async move {
            let mut times = Vec::new();
            tokio::time::sleep(BATCH_EVERY * n as u32 / VEHICLES as u32).await;
            while !over.load(Ordering::Relaxed) {
                times.push(send(&link, &name).await);
                tokio::time::sleep(BATCH_EVERY).await;
            }
            times
        });
    }
    let all = driving.join_all().await.concat();
    (all.len() * READS, all)
}

async fn send(link: &HttpsLink, name: &str) -> Duration {
    let (mut reads, mut all) = (Vec::new(), Vec::new());
    for _ in 0..READS {
        let seed = uuid::Uuid::now_v7().as_u128() as u32;
        let images = [pixels(seed, PICTURES[0]), pixels(seed ^ 1, PICTURES[1])];
        reads.push(seal(&ReadRecord { vehicle: name.to_owned(), ..with_overview(&images) }));
        all.extend(pictures(&images));
    }
    let bytes = body(&Batch { pictures: all, ..batch(name, reads) });
    let from = Instant::now();
    loop {
        let answer = post(link, bytes.clone()).await.unwrap();
        if answer.status == 200 {
            return from.elapsed();
        }
        assert!(matches!(answer.status, 429 | 503), "{}", answer.status);
        tokio::time::sleep(answer.retry_after.unwrap_or(Duration::from_secs(1))).await;
    }
}
