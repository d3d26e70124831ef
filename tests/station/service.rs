//! What a vehicle and an administrator may count on from a running station.

use crate::kit::process::Station;
use crate::kit::{Depot, VEHICLE, again, batch, body, link, record, seal};
use plated_core::clock::SystemClock;
use plated_core::digest::Sha256;
use plated_core::tls::authority::Authority;
use plated_core::wire::{Problem, Receipt, SecurityReceipt, SecurityReport};
use plated_vehicle::transfer::{Answer, HttpsLink, Link};
use std::process::Command;

fn receipt(answer: &Answer) -> Receipt {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

fn problem(answer: &Answer) -> String {
    serde_json::from_slice::<Problem>(&answer.body).unwrap().error
}

// policy: P-25
#[tokio::test]
async fn a_client_without_a_certificate_or_with_anothers_gets_nothing() {
    let depot = Depot::new();
    let address = depot.serve().await;
    let other = tempfile::tempdir().unwrap();
    let clock = SystemClock::new();
    let stranger = Authority::create(other.path(), &clock)
        .unwrap()
        .issue_vehicle(VEHICLE, &other.path().join("vehicle"), &clock)
        .unwrap();
    // It trusts the station; the station must not trust it.
    let refused = link(&stranger, VEHICLE, &depot.vehicle.ca, address).post_batch(body(&batch(VEHICLE, vec![]))).await;
    assert!(refused.is_err());

    // The station's own certificate is no vehicle's.
    let station = plated_core::tls::authority::Issued {
        ca: depot.config.ca.clone(),
        certificate: depot.config.certificate.clone(),
        key: depot.config.key.clone(),
    };
    assert!(link(&station, "localhost", &depot.vehicle.ca, address).post_batch(Vec::new()).await.is_err());

    let roots = reqwest::Certificate::from_pem(&std::fs::read(&depot.vehicle.ca).unwrap()).unwrap();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let bare = reqwest::Client::builder().tls_certs_only([roots]).no_proxy().build().unwrap();
    assert!(bare.get(format!("https://{address}/v1/health")).send().await.is_err());

    assert_eq!(receipt(&depot.link(address).post_batch(body(&batch(VEHICLE, vec![]))).await.unwrap()).durable, []);
}

// policy: P-25
#[tokio::test]
async fn a_vehicle_does_not_talk_to_a_station_of_another_authority() {
    let (depot, impostor) = (Depot::new(), Depot::new());
    let address = impostor.serve().await;
    let error = depot.link(address).post_batch(Vec::new()).await.unwrap_err().chain();
    assert!(error.contains("could not reach the station"), "{error}");
}

#[tokio::test]
async fn a_batch_sent_twice_is_stored_once_and_receipted_twice() {
    let depot = Depot::new();
    let address = depot.serve().await;
    let link = depot.link(address);
    let read = seal(&record(&[]));
    for _ in 0..2 {
        let sent = batch(VEHICLE, vec![again(&read)]);
        let receipt = receipt(&link.post_batch(body(&sent)).await.unwrap());
        assert_eq!(receipt.batch, sent.batch);
        assert_eq!((receipt.durable[0].id, receipt.durable[0].sha256), (read.id, read.sha256));
    }
    assert_eq!((depot.stored(&read), depot.reads()), (1, 1));
}

#[tokio::test]
async fn other_content_under_a_stored_id_is_refused_and_the_first_is_kept() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    let mut changed = record(&[]);
    let first = seal(&changed);
    receipt(&link.post_batch(body(&batch(VEHICLE, vec![again(&first)]))).await.unwrap());
    changed.text = "OTHER".into();
    let receipt = receipt(&link.post_batch(body(&batch(VEHICLE, vec![seal(&changed)]))).await.unwrap());
    assert_eq!((receipt.durable.len(), receipt.refused[0].id), (0, first.id));
    assert_eq!((depot.stored(&first), depot.reads()), (1, 1));
}

#[tokio::test]
async fn an_image_is_taken_only_under_its_own_hash_and_stored_once() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    let wrong = link.put_image(Sha256::of(b"picture"), b"another".to_vec()).await.unwrap();
    assert_eq!(wrong.status, 422);
    assert!(problem(&wrong).contains("hash"));
    assert_eq!((depot.image(b"picture"), depot.image(b"another")), (None, None));
    for status in [201, 200] {
        assert_eq!(link.put_image(Sha256::of(b"picture"), b"picture".to_vec()).await.unwrap().status, status);
    }
    assert_eq!(depot.image(b"picture").unwrap(), b"picture");
}

// policy: P-26
#[tokio::test]
async fn signs_of_a_breach_are_taken_in_the_vehicles_own_name_only_each_once() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    let report: SecurityReport = serde_json::from_str(include_str!("../golden/security_report.json")).unwrap();
    let send =
        async |report: &SecurityReport| link.post_security_report(serde_json::to_vec(report).unwrap()).await.unwrap();
    let foreign = send(&SecurityReport { vehicle: "unit-8".into(), ..report.clone() }).await;
    assert_eq!(foreign.status, 403, "{}", problem(&foreign));
    let mut odd = report.clone();
    odd.events[0].indicator = "failed logins".into();
    assert_eq!(send(&odd).await.status, 422);
    let many = SecurityReport { events: vec![report.events[0].clone(); 101], ..report.clone() };
    assert_eq!(send(&many).await.status, 413);
    assert_eq!(link.post_security_report(b"{".to_vec()).await.unwrap().status, 400);
    for _ in 0..2 {
        let answer = send(&report).await;
        let receipt: SecurityReceipt = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, receipt.durable), (200, 1));
    }
    let kept: (i64, String) = depot
        .database()
        .query_row("SELECT count(*), max(text) FROM breaches", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(kept, (1, "20 logins failed within 15 minutes".to_owned()));
}

#[tokio::test]
async fn a_vehicle_can_not_send_in_another_vehicles_name() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    let answer = link.post_batch(body(&batch("unit-8", vec![seal(&record(&[]))]))).await.unwrap();
    assert_eq!((answer.status, depot.reads()), (403, 0));
    assert!(problem(&answer).contains("another vehicle"));
}

#[tokio::test]
async fn a_body_that_is_no_batch_or_too_large_is_told_so() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    assert_eq!(link.post_batch(b"{\"batch\":".to_vec()).await.unwrap().status, 400);
    let many = (0..501).map(|_| seal(&record(&[]))).collect();
    let answer = link.post_batch(body(&batch(VEHICLE, many))).await.unwrap();
    assert_eq!((answer.status, depot.reads()), (413, 0));
}

#[tokio::test]
async fn clients_that_dawdle_over_the_handshake_do_not_keep_out_the_others() {
    let depot = Depot::new();
    let address = depot.serve().await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    receipt(&depot.link(address).post_batch(body(&batch(VEHICLE, vec![]))).await.unwrap());
}

// policy: P-12
#[tokio::test]
async fn a_station_killed_between_batches_holds_every_read_it_receipted() {
    let depot = Depot::new();
    let mut receipted = Vec::new();
    for _ in 0..4 {
        let (process, address) = Station::start(&depot);
        let link: HttpsLink = depot.link(address);
        for _ in 0..5 {
            let image = uuid::Uuid::now_v7().as_bytes().to_vec();
            let read = seal(&record(std::slice::from_ref(&image)));
            assert_eq!(link.put_image(Sha256::of(&image), image.clone()).await.unwrap().status, 201);
            let receipt = receipt(&link.post_batch(body(&batch(VEHICLE, vec![again(&read)]))).await.unwrap());
            assert_eq!(receipt.durable.len(), 1);
            receipted.push((read, image));
        }
        drop(process); // SIGKILL
        for (read, image) in &receipted {
            assert_eq!((depot.stored(read), depot.image(image).as_ref()), (1, Some(image)));
        }
    }
}

#[tokio::test]
async fn a_station_whose_disk_takes_no_more_gives_no_receipt_and_says_why() {
    let depot = Depot::new();
    drop(Station::start(&depot)); // makes the database
    // No file may grow past 128 KiB, as if the disk were full.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 256; exec \"$0\" run --config \"$1\""]);
    let (_process, address) = Station::run(limited.arg(env!("CARGO_BIN_EXE_plated-station")).arg(depot.file()));
    let link = depot.link(address);
    let large = vec![7; 512 << 10];
    let answer = link.put_image(Sha256::of(&large), large.clone()).await.unwrap();
    assert_eq!((answer.status, depot.image(&large)), (507, None));
    let reads: Vec<_> = (0..200).map(|_| seal(&record(&[]))).collect();
    let sent = batch(VEHICLE, reads.iter().map(again).collect());
    let answer = link.post_batch(body(&sent)).await.unwrap();
    assert_eq!(answer.status, 507);
    assert!(problem(&answer).contains("nothing was taken"));
    assert_eq!(depot.reads(), 0);
}

// Several threads, so that the client can answer while the test waits for the station's end.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_station_cleanly() {
    let depot = Depot::new();
    let (mut process, address) = Station::start(&depot);
    receipt(&depot.link(address).post_batch(body(&batch(VEHICLE, vec![]))).await.unwrap());
    assert!(Command::new("kill").arg(process.0.id().to_string()).status().unwrap().success());
    assert!(process.0.wait().unwrap().success());
}

#[test]
fn two_stations_on_one_data_folder_are_refused() {
    let depot = Depot::new();
    let (_first, _) = Station::start(&depot);
    let second = Command::new(env!("CARGO_BIN_EXE_plated-station"))
        .args(["run", "--config"])
        .arg(depot.file())
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(77));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another plated-station uses"));
}

#[test]
fn init_makes_what_run_needs_and_never_writes_over_it() {
    let dir = tempfile::tempdir().unwrap();
    let station = dir.path().join("station");
    let init = || {
        Command::new(env!("CARGO_BIN_EXE_plated-station"))
            .args(["init", "--listen", "127.0.0.1:0", "--dir"])
            .arg(&station)
            .output()
            .unwrap()
    };
    assert!(init().status.success());
    let key = std::fs::read(station.join("ca.key")).unwrap();
    let again = init();
    assert_eq!(again.status.code(), Some(77));
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
    assert_eq!(std::fs::read(station.join("ca.key")).unwrap(), key);

    let vehicle = Command::new(env!("CARGO_BIN_EXE_plated-station"))
        .args(["vehicle", "unit-9", "--dir"])
        .arg(&station)
        .arg("--out")
        .arg(dir.path().join("v"))
        .status()
        .unwrap();
    assert!(vehicle.success() && dir.path().join("v/vehicle.key").exists());
    Station::run(
        Command::new(env!("CARGO_BIN_EXE_plated-station")).args(["run", "--config"]).arg(station.join("station.toml")),
    );
    let status = Command::new(env!("CARGO_BIN_EXE_plated-station"))
        .args(["status", "--config"])
        .arg(station.join("station.toml"))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&status.stdout).contains("reads 0"));
}
