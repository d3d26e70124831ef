//! From a vehicle's real store over TLS to a real station: a backlog, a slow link with losses, 200 vehicles at once.
//! `PLATED_TRANSFER_READS` and `PLATED_TRANSFER_BATCHES` make it smaller; then the figures say so.

use super::archive::open;
use super::kit::car::{Car, ids, options};
use super::kit::objects::Objects;
use super::kit::postgres::Postgres;
use super::kit::process::Station;
use super::kit::radio::{Air, Radio};
use super::kit::store::machine;
use super::kit::{Batch, Depot, batch, body, link, pictures, pixels, post, receipt, record, seal};
use super::support::{figure, load, millis, percentile, size, stolen};
use plated_core::clock::SystemClock;
use plated_core::record::ReadRecord;
use plated_station::archive::Retention;
use plated_vehicle::transfer::{HttpsLink, Progress, Round, Sender, StoreOutbox};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use uuid::Uuid;

/// Reads of 30 days.
const BACKLOG: usize = 300_000;
/// A crop and an overview, in bytes.
const PICTURES: [usize; 2] = [4 << 10, 40 << 10];
const VEHICLES: usize = 200;
/// Reads in one batch of each of them.
const READS: usize = 10;

pub fn run() {
    let runtime = Runtime::new().unwrap();
    let reads = size("PLATED_TRANSFER_READS", 20_000);
    backlog(&runtime, reads, &Depot::new(), "a SQLite station,", 800.0);
    match Postgres::durable() {
        Some(server) => {
            let mut depot = Depot::new();
            depot.on_postgres(&server.database(), &Objects::shared().bucket());
            backlog(&runtime, reads, &depot, "PostgreSQL, which syncs each commit,", 600.0);
        }
        None => println!("  SKIPPED: PostgreSQL is not installed"),
    }
    runtime.block_on(slow_link());
    runtime.block_on(many_vehicles(size("PLATED_TRANSFER_BATCHES", 10)));
}

/// As the daemon makes one.
fn sender(car: &Car, depot: &Depot, address: SocketAddr) -> Sender<StoreOutbox, HttpsLink> {
    let outbox = StoreOutbox::new(car.store().clone(), machine().transfer);
    let progress = watch::Sender::new(Progress::default());
    Sender::new(outbox, depot.link(address), options(depot.trust(), 500), Arc::new(SystemClock::new()), progress)
}

fn backlog(runtime: &Runtime, reads: usize, depot: &Depot, to: &str, bar: f64) {
    let mut car = Car::new();
    let from = Instant::now();
    for n in 0..reads {
        car.put(n.is_multiple_of(50), PICTURES);
        // Their pictures are not compared here, and do not all fit into memory.
        car.put.clear();
    }
    println!("  {reads} reads put into the vehicle's store, {:.0}/s", reads as f64 / from.elapsed().as_secs_f64());
    let (station, address) = Station::start(depot);
    let mut sender = sender(&car, depot, address);
    let (before, from, mut batches) = (stolen(), Instant::now(), 0);
    while runtime.block_on(sender.round()).unwrap() == Round::Sent {
        batches += 1;
    }
    let took = from.elapsed().as_secs_f64();
    let stats = car.store().stats().unwrap();
    assert_eq!((stats.transferred, stats.pending), (reads as u64, 0));
    drop(station);
    let here = open(depot, Retention::default()).statistics(jiff::civil::Date::MIN, jiff::civil::Date::MIN).unwrap();
    assert_eq!((here.reads, here.pictures), (reads as u64, 2 * reads as u64));
    let rate = reads as f64 / took;
    let what = format!("backlog, one vehicle to {to} durable receipts");
    figure(&what, rate, "reads/s", rate >= bar, &format!(">= {bar}"));
    println!("    {batches} batches in {took:.1} s, {:.1} MB/s; load {}", rate * 0.045, load());
    println!(
        "    {BACKLOG} reads (30 days) would take {:.1} min at this rate: extrapolated",
        BACKLOG as f64 / rate / 60.0
    );
    println!("    stolen by the host of this virtual machine: {:.0} ms", millis(stolen() - before));
}

async fn slow_link() {
    let depot = Depot::new();
    let (_station, address) = Station::start(&depot);
    let air = Air { bytes_a_second: 8_000, lost_percent: 2, round_trip: Duration::from_millis(300) };
    let radio = Radio::start(address, air).await;
    let mut car = Car::new();
    for n in 0..16 {
        car.put(n % 4 == 1, PICTURES);
    }
    let mut expected: Vec<Uuid> = car.put.iter().filter(|put| put.has_hit).map(|put| put.id).rev().collect();
    expected.extend(car.put.iter().filter(|put| !put.has_hit).map(|put| put.id));
    let mut sender = sender(&car, &depot, radio.address);
    let (from, mut arrived) = (Instant::now(), Vec::new());
    let mut first = None;
    loop {
        let before = car.waiting();
        match sender.round().await {
            Ok(Round::Empty) => break,
            Ok(Round::Sent) => {}
            Err(e) => panic!("{}", e.chain()),
        }
        let after: HashSet<Uuid> = car.waiting().into_iter().collect();
        arrived.extend(before.into_iter().filter(|id| !after.contains(id)));
        first.get_or_insert(from.elapsed());
    }
    let took = from.elapsed().as_secs_f64();
    assert_eq!(arrived, expected, "hits first, from the newest on");
    car.assert_all_at(&depot);
    println!(
        "  64 kbit/s, 300 ms round trip, 2 % loss, played by a proxy as packets sent again that hold up what follows:"
    );
    println!("    16 reads of 44 KB in {took:.0} s, {} packets lost; hits came first, the newest first", radio.lost());
    println!("    first receipt after {:.1} s", first.unwrap().as_secs_f64());
    let used = radio.carried() as f64 / (air.bytes_a_second as f64 * took) * 100.0;
    figure("link used, of its 64 kbit/s", used, "%", used >= 80.0, ">= 80");
}

/// A vehicle that is only a certificate and batches. Gives the time that each took until its receipt.
async fn drive(link: HttpsLink, name: String, batches: usize) -> (Vec<Uuid>, Vec<Duration>, usize) {
    let (mut sent, mut times, mut again) = (Vec::new(), Vec::new(), 0);
    for n in 0..batches {
        let (mut reads, mut all) = (Vec::new(), Vec::new());
        for _ in 0..READS {
            let seed = Uuid::now_v7().as_u128() as u32;
            let images = [pixels(seed, PICTURES[0] as u32), pixels(seed ^ 1, PICTURES[1] as u32)];
            let read = ReadRecord { vehicle: name.clone(), ..record(&images) };
            sent.push(read.id);
            reads.push(seal(&read));
            all.extend(pictures(&images));
        }
        let bytes = body(&Batch { pictures: all, ..batch(&name, reads) });
        // The receipt of each fourth is lost.
        let mut left = if n % 4 == 3 { 2 } else { 1 };
        let from = Instant::now();
        while left > 0 {
            let answer = match post(&link, bytes.clone()).await {
                Ok(answer) if !matches!(answer.status, 429 | 503) => answer,
                // A station that has no room may close the connection before it has the whole batch.
                refused => {
                    again += 1;
                    let pause = refused.ok().and_then(|answer| answer.retry_after);
                    tokio::time::sleep(pause.unwrap_or(Duration::from_secs(1))).await;
                    continue;
                }
            };
            assert_eq!(receipt(&answer).reads.durable.len(), READS);
            left -= 1;
        }
        times.push(from.elapsed());
    }
    (sent, times, again)
}

async fn many_vehicles(batches: usize) {
    let depot = Depot::new();
    let (_station, address) = Station::start(&depot);
    let clock = SystemClock::new();
    let from_each = batches * READS;
    let mut driving = tokio::task::JoinSet::new();
    let links: Vec<_> = (0..VEHICLES)
        .map(|n| {
            let name = format!("unit-{n}");
            let issued = depot.authority.issue_vehicle(&name, &depot.dir.path().join(&name), &clock).unwrap();
            (link(&issued, &name, &depot.vehicle.ca, address), name)
        })
        .collect();
    let (before, from) = (stolen(), Instant::now());
    for (link, name) in links {
        driving.spawn(drive(link, name, batches));
    }
    let (mut sent, mut times, mut again) = (Vec::new(), Vec::new(), 0);
    while let Some(done) = driving.join_next().await {
        let (ids, took, busy) = done.unwrap();
        sent.extend(ids);
        times.extend(took);
        again += busy;
    }
    let took = from.elapsed().as_secs_f64();
    let mut there = ids(&*depot.archive());
    there.sort();
    sent.sort();
    let exact = there == sent;
    println!("  {VEHICLES} vehicles at once, {batches} batches of {READS} reads each, every fourth sent twice:");
    let (lost, all) = (sent.len().abs_diff(there.len()), VEHICLES * from_each);
    figure("lost or doubled reads", lost as f64, "", exact && all == there.len(), "0");
    println!("    {:.0} reads/s, {again} times told to come again; load {}", all as f64 / took, load());
    let (half, most) = (millis(percentile(&mut times, 0.5)), millis(percentile(&mut times, 0.99)));
    println!("    until the receipt of a batch: p50 {half:.0} ms, p99 {most:.0} ms");
    println!("    stolen by the host of this virtual machine: {:.0} ms", millis(stolen() - before));
}
