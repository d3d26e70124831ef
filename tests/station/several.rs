//! Several stations on one database and one bucket, as behind a load balancer.

use crate::kit::objects::Objects;
use crate::kit::postgres::{Postgres, name_of};
use crate::kit::process::{Station, address};
use crate::kit::{Depot, batch, body, link, pictures, pixels, post, receipt, record, seal};
use plated_core::clock::SystemClock;
use plated_core::wire::batch::SealedRead;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

const VEHICLES: usize = 3;
const BATCHES: usize = 30;
const READS: usize = 4;

fn station(config: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let output = command.args(args).arg("--config").arg(config).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Sends a vehicle's batches to one station or the other until each read has its receipt.
async fn drive(depot: &Depot, vehicle: &str, stations: [SocketAddr; 2]) -> Vec<SealedRead> {
    let files = depot.authority.issue_vehicle(vehicle, &depot.dir.path().join(vehicle), &SystemClock::new()).unwrap();
    std::fs::copy(depot.dir.path().join("receipt.pub"), files.key.with_file_name("receipt.pub")).unwrap();
    let links = stations.map(|station| link(&files, vehicle, &files.ca, station));
    let mut all = Vec::new();
    for n in 0..BATCHES {
        let own: Vec<Vec<u8>> = (0..READS).map(|r| pixels((n * READS + r) as u32, 3000)).collect();
        let reads: Vec<SealedRead> = own
            .iter()
            .map(|picture| {
                let mut read = record(std::slice::from_ref(picture));
                read.vehicle = vehicle.into();
                seal(&read)
            })
            .collect();
        let mut sent = batch(vehicle, reads.clone());
        sent.pictures = pictures(&own);
        let mut turn = n;
        loop {
            turn += 1;
            let answer = tokio::time::timeout(Duration::from_secs(20), post(&links[turn % 2], body(&sent))).await;
            if let Ok(Ok(answer)) = answer
                && answer.status == 200
            {
                assert_eq!(receipt(&answer).reads.durable.len(), READS);
                break;
            }
            // As a vehicle comes again after a pause; without one the stations would be asked without end while they start.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        all.extend(reads);
    }
    all
}

// policy: P-12
#[tokio::test(flavor = "multi_thread")]
async fn stations_that_are_killed_one_by_one_keep_each_read_exactly_once() {
    let Some(server) = tokio::task::spawn_blocking(Postgres::shared).await.unwrap() else { return };
    let mut depot = Depot::new();
    let url = tokio::task::spawn_blocking(|| server.database()).await.unwrap();
    let bucket = tokio::task::spawn_blocking(|| Objects::shared().bucket()).await.unwrap();
    depot.on_postgres(&url, &bucket);
    let stations = [address(), address()];
    let start = |n: usize| Station::start_at(&depot, stations[n]).0;
    let mut running = [start(0), start(1)];
    let over = AtomicBool::new(false);
    let mut seed = 0x9E37_79B9_u32;
    let mut random = move |below: u32| {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed % below
    };
    let mut kills = 0;
    let driving = async {
        let vehicles = (0..VEHICLES).map(|n| format!("unit-{n}")).collect::<Vec<_>>();
        let (a, b, c) = tokio::join!(
            drive(&depot, &vehicles[0], stations),
            drive(&depot, &vehicles[1], stations),
            drive(&depot, &vehicles[2], stations)
        );
        over.store(true, Ordering::Relaxed);
        [a, b, c].concat()
    };
    let killing = async {
        while !over.load(Ordering::Relaxed) {
            // The moment is what the test is about: any of whatever they are doing.
            tokio::time::sleep(Duration::from_millis(50 + u64::from(random(250)))).await;
            let n = random(2) as usize;
            // SIGKILL, and started again in its place.
            tokio::task::block_in_place(|| {
                drop(running[n].0.kill());
                running[n] = start(n);
            });
            kills += 1;
        }
    };
    let (sent, ()) = tokio::join!(driving, killing);
    assert!(kills > 3, "{kills}");
    let config = depot.file();
    tokio::task::spawn_blocking(move || {
        let stored: BTreeMap<Uuid, u32> = server
            .sql(name_of(&url), "SELECT id, count(*) FROM records GROUP BY id")
            .lines()
            .map(|line| line.split_once('|').map(|(id, n)| (id.parse().unwrap(), n.parse().unwrap())).unwrap())
            .collect();
        assert_eq!(stored.len(), sent.len());
        assert!(sent.iter().all(|read| stored.get(&read.id) == Some(&1)));
        let status = station(&config, &["status"]);
        assert!(status.starts_with(&format!("reads {}\nimages {}", sent.len(), sent.len())), "{status}");
        assert!(station(&config, &["check"]).contains("everything fits its hash"));
    })
    .await
    .unwrap();
}

// policy: P-14
// policy: P-15
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_in_files_is_moved_with_everything_and_goes_on_at_the_new_place() {
    let Some(server) = tokio::task::spawn_blocking(Postgres::shared).await.unwrap() else { return };
    let mut depot = Depot::new();
    let picture = pixels(7, 5000);
    let reads: Vec<SealedRead> = (0..5).map(|_| seal(&record(std::slice::from_ref(&picture)))).collect();
    let send = |address, reads: Vec<SealedRead>| {
        let mut sent = batch(crate::kit::VEHICLE, reads);
        sent.pictures = pictures(std::slice::from_ref(&picture));
        let link = depot.link(address);
        async move { receipt(&post(&link, body(&sent)).await.unwrap()).reads.durable.len() }
    };
    let (running, address) = Station::start(&depot);
    assert_eq!(send(address, reads.clone()).await, 5);
    let files = depot.file();
    let held = reads[0].id.to_string();
    station(&files, &["hold", "add", "--case", "26-1", "--reason", "homicide, evidence", &held]);
    drop(running);

    let text = std::fs::read_to_string(&files).unwrap();
    let url = tokio::task::spawn_blocking(|| server.database()).await.unwrap();
    depot.on_postgres(&url, &tokio::task::spawn_blocking(|| Objects::shared().bucket()).await.unwrap());
    let region = depot.dir.path().join("region.toml");
    std::fs::rename(depot.file(), &region).unwrap();
    std::fs::write(&files, text).unwrap();
    let to = region.to_str().unwrap().to_owned();
    let moved = tokio::task::block_in_place(|| station(&files, &["archive", "move", "--to", &to]));
    assert!(
        moved.contains("reads 6\n") && moved.contains("everything fits its hash"),
        "five and one that is held: {moved}"
    );
    let holds = tokio::task::block_in_place(|| station(&region, &["hold", "list", "--reason", "review"]));
    assert!(holds.contains("case 26-1, 1 read"), "{holds}");
    // A second move finds the new place in use.
    let mut again = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let again = again.args(["archive", "move", "--to", &to, "--config"]).arg(&files).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("in use already"));

    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let (_running, address) = Station::run(command.args(["run", "--config"]).arg(&region));
    let send = |reads: Vec<SealedRead>| {
        let link = depot.link(address);
        async move {
            let sent = batch(crate::kit::VEHICLE, reads);
            receipt(&post(&link, body(&sent)).await.unwrap()).reads.durable.len()
        }
    };
    assert_eq!(send(reads).await, 5, "they are known, also without their pictures");
    assert_eq!(send(vec![seal(&record(&[]))]).await, 1);
    let status = tokio::task::block_in_place(|| station(&region, &["status"]));
    assert!(status.starts_with("reads 6\nimages 5"), "{status}");
}
