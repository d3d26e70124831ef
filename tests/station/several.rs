//! Several stations on one database and one bucket, as behind a load balancer.

use crate::kit::objects::Objects;
use crate::kit::postgres::{Postgres, name_of};
use crate::kit::process::{Station, address};
use crate::kit::reading;
use crate::kit::{Depot, batch, body, link, pictures, pixels, post, receipt, record, seal};
use plated_access::signed;
use plated_core::clock::SystemClock;
use plated_core::digest::Sha256;
use plated_core::signing::{Purpose, Trust};
use plated_core::wire::ModelsDocument;
use plated_core::wire::batch::SealedRead;
use plated_hotlist::manifest;
use plated_vehicle::lists::{Ask, Body, Remote};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
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
    let list = depot.dir.path().join("svs.jsonl");
    std::fs::write(&list, "{\"plate\":\"7ABC123\",\"state\":\"CA\",\"category\":\"stolen_vehicle\"}\n").unwrap();
    tokio::task::block_in_place(|| {
        station(&files, &["hotlist", "import", list.to_str().unwrap(), "--name", "svs"]);
    });
    let manifest = handed_out(&depot, address, "v1/hotlists").await;
    drop(running);

    let text = std::fs::read_to_string(&files).unwrap();
    let url = tokio::task::spawn_blocking(|| server.database()).await.unwrap();
    depot.on_postgres(&url, &tokio::task::spawn_blocking(|| Objects::shared().bucket()).await.unwrap());
    let region = depot.dir.path().join("region.toml");
    // Another machine, with an empty data folder.
    let there = std::fs::read_to_string(depot.file()).unwrap().replace("data = \"data\"", "data = \"there\"");
    std::fs::write(&region, there).unwrap();
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
    // Its lists came along.
    assert_eq!(handed_out(&depot, address, "v1/hotlists").await, manifest);
    let trust = Trust::load(&depot.dir.path().join("hotlist.pub")).unwrap();
    let listed = manifest::open(&manifest, &trust).unwrap().lists.remove(0);
    let bytes = handed_out(&depot, address, &format!("v1/hotlists/svs/{}", listed.sha256)).await;
    assert_eq!(Sha256::of(&bytes), listed.sha256);
}

/// What a station hands out at this path.
async fn handed_out(depot: &Depot, station: SocketAddr, path: &str) -> Vec<u8> {
    let mut reply = depot.link(station).get(path, &Ask::default()).await.unwrap();
    assert_eq!(reply.status, 200, "{path}");
    let mut all = Vec::new();
    while let Some(piece) = reply.body.next().await.unwrap() {
        all.extend(piece);
    }
    all
}

/// The configurations of two machines: the same keys, and a data folder for each.
fn two_machines(depot: &Depot) -> (PathBuf, PathBuf) {
    let (one, other) = (depot.file(), depot.dir.path().join("other.toml"));
    std::fs::write(&other, std::fs::read_to_string(&one).unwrap().replace("data = \"data\"", "data = \"other\""))
        .unwrap();
    (one, other)
}

fn run(config: &Path) -> (Station, SocketAddr) {
    Station::run(Command::new(env!("CARGO_BIN_EXE_plated-station")).args(["run", "--config"]).arg(config))
}

// policy: P-25
#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_at_one_station_is_handed_out_by_all_byte_for_byte_with_one_signed_manifest() {
    let Some(depot) = super::region::region().await else { return };
    let (one, other) = two_machines(&depot);
    let ((first, first_address), (_second, second_address)) = (run(&one), run(&other));
    let entries = |plates: std::ops::Range<u32>| -> String {
        plates
            .map(|n| format!("{{\"plate\":\"7ABC{n:03}\",\"state\":\"CA\",\"category\":\"stolen_vehicle\"}}\n"))
            .collect()
    };
    let list = |name: &str, plates: std::ops::Range<u32>| {
        let path = depot.dir.path().join(name);
        std::fs::write(&path, entries(plates)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let on = |config: &Path, args: &[&str]| tokio::task::block_in_place(|| station(config, args));
    on(&one, &["hotlist", "import", &list("svs.jsonl", 0..300), "--name", "svs"]);
    on(&one, &["hotlist", "import", &list("sfr.jsonl", 300..310), "--name", "sfr"]);
    on(&one, &["hotlist", "disable", "svs", "--plate", "7ABC003", "--reason", "recovered, not cleared"]);
    // The next version at the other machine goes on from that one, and what was left out is known there.
    on(&other, &["hotlist", "import", &list("newer.jsonl", 0..301), "--name", "svs"]);
    on(&other, &["hotlist", "enable", "1", "--reason", "stolen again"]);

    let trust = Trust::load(&depot.dir.path().join("hotlist.pub")).unwrap();
    let mut seen = Vec::new();
    for address in [first_address, second_address] {
        let signed = handed_out(&depot, address, "v1/hotlists").await;
        let manifest = manifest::open(&signed, &trust).unwrap();
        let mut all = vec![signed];
        assert_eq!(manifest.lists.len(), 2);
        for list in &manifest.lists {
            let path = format!("v1/hotlists/{}/{}", list.name, list.sha256);
            let bytes = handed_out(&depot, address, &path).await;
            assert_eq!(Sha256::of(&bytes), list.sha256);
            assert_eq!(bytes.windows(7).any(|w| w == b"7ABC003"), list.name == "svs", "it is active again");
            all.push(bytes);
            for delta in &list.deltas {
                let bytes = handed_out(&depot, address, &format!("{path}/from/{}", delta.from)).await;
                assert_eq!(bytes.len() as u64, delta.bytes);
                all.push(bytes);
            }
        }
        assert!(all.len() > 3, "a delta is among them");
        seen.push(all);
    }
    assert_eq!(seen[0], seen[1]);

    // The machine that published goes away with its disk: the other one has all of it.
    drop(first);
    std::fs::remove_dir_all(depot.dir.path().join("data")).unwrap();
    std::fs::create_dir(depot.dir.path().join("data")).unwrap();
    on(&one, &["hotlist", "import", &list("newest.jsonl", 0..302), "--name", "svs"]);
    let manifest = manifest::open(&handed_out(&depot, second_address, "v1/hotlists").await, &trust).unwrap();
    let svs = manifest.lists.iter().find(|list| list.name == "svs").unwrap();
    assert!(!svs.deltas.is_empty(), "it went on from what the other one had");
    let path = format!("v1/hotlists/svs/{}", svs.sha256);
    assert_eq!(handed_out(&depot, second_address, &path).await.len() as u64, svs.bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn models_published_at_one_station_are_handed_out_by_the_other_which_throws_away_what_a_kill_left_half_fetched() {
    let Some(depot) = super::region::region().await else { return };
    let (one, other) = two_machines(&depot);
    let ((_first, first_address), (_second, second_address)) = (run(&one), run(&other));
    let folder = depot.dir.path().join("new-models");
    std::fs::create_dir(&folder).unwrap();
    reading::models(&folder);
    let publish = ["provision", "models", folder.to_str().unwrap(), "--reason", "better at night"];
    tokio::task::block_in_place(|| station(&one, &publish));

    let coming = depot.dir.path().join("other/sharing");
    std::fs::create_dir_all(&coming).unwrap();
    std::fs::write(coming.join(".left.unfinished"), b"half a model").unwrap();
    let signed = handed_out(&depot, second_address, "v1/provision/models").await;
    assert_eq!(signed, handed_out(&depot, first_address, "v1/provision/models").await);
    let trust = Trust::load(&depot.dir.path().join("hotlist.pub")).unwrap();
    let document: ModelsDocument = signed::open(&signed, "the models", Purpose::MODELS, &trust).unwrap();
    assert!(document.files.len() > 3, "{document:?}");
    for file in &document.files {
        let path = format!("v1/provision/models/{}", file.sha256);
        for address in [second_address, first_address] {
            assert_eq!(Sha256::of(&handed_out(&depot, address, &path).await), file.sha256, "{}", file.name);
        }
    }
    assert_eq!(std::fs::read_dir(&coming).unwrap().count(), 0);
}
