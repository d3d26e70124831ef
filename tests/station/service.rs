//! What a vehicle and an administrator may count on from a running station.

use crate::kit::process::Station;
use crate::kit::{Batch, Depot, VEHICLE, batch, body, body_with, link, pictures, post, receipt, record, seal};
use plated_core::clock::SystemClock;
use plated_core::signing::{Signer, Trust};
use plated_core::tls::authority::Authority;
use plated_core::wire::batch::{SignedReceipt, WaitingReport};
use plated_core::wire::{Problem, SecurityReceipt, SecurityReport};
use plated_vehicle::transfer::{Answer, HttpsLink};
use std::process::Command;

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
    let stranger = link(&stranger, VEHICLE, &depot.vehicle.ca, address);
    let refused = post(&stranger, body(&batch(VEHICLE, vec![]))).await;
    assert!(refused.is_err());

    // The station's own certificate is no vehicle's.
    let station = plated_core::tls::authority::Issued {
        ca: depot.config.ca.clone(),
        certificate: depot.config.certificate.clone(),
        key: depot.config.key.clone(),
    };
    assert!(post(&link(&station, "localhost", &depot.vehicle.ca, address), Vec::new()).await.is_err());

    let roots = reqwest::Certificate::from_pem(&std::fs::read(&depot.vehicle.ca).unwrap()).unwrap();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let bare = reqwest::Client::builder().tls_certs_only([roots]).no_proxy().build().unwrap();
    assert!(bare.get(format!("https://{address}/v1/health")).send().await.is_err());

    assert_eq!(receipt(&post(&depot.link(address), body(&batch(VEHICLE, vec![]))).await.unwrap()).reads.durable, []);
}

// policy: P-25
#[tokio::test]
async fn a_vehicle_does_not_talk_to_a_station_of_another_authority() {
    let (depot, impostor) = (Depot::new(), Depot::new());
    let address = impostor.serve().await;
    let error = post(&depot.link(address), Vec::new()).await.unwrap_err().chain();
    assert!(error.contains("could not reach the station"), "{error}");
}

#[tokio::test]
async fn a_batch_sent_twice_is_stored_once_and_receipted_twice() {
    let depot = Depot::new();
    let address = depot.serve().await;
    let link = depot.link(address);
    let read = seal(&record(&[]));
    for _ in 0..2 {
        let sent = batch(VEHICLE, vec![read.clone()]);
        let receipt = receipt(&post(&link, body(&sent)).await.unwrap());
        assert_eq!(receipt.batch, sent.batch);
        assert_eq!((receipt.reads.durable[0].id, receipt.reads.durable[0].sha256), (read.id, read.sha256));
    }
    assert_eq!((depot.stored(&read), depot.reads()), (1, 1));
}

#[tokio::test]
async fn other_content_under_a_stored_id_is_refused_and_the_first_is_kept() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    let mut changed = record(&[]);
    let first = seal(&changed);
    receipt(&post(&link, body(&batch(VEHICLE, vec![first.clone()]))).await.unwrap());
    changed.text = "OTHER".into();
    let receipt = receipt(&post(&link, body(&batch(VEHICLE, vec![seal(&changed)]))).await.unwrap());
    assert_eq!((receipt.reads.durable.len(), receipt.reads.refused[0].id), (0, first.id));
    assert_eq!((depot.stored(&first), depot.reads()), (1, 1));
}

// policy: P-12
#[tokio::test]
async fn a_read_is_durable_only_with_all_its_pictures_and_a_shared_one_comes_once() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    let (plate, other, overview) = (b"plate".to_vec(), b"other".to_vec(), b"overview".to_vec());
    let first = seal(&record(&[plate.clone(), overview.clone()]));
    let second = seal(&record(&[other.clone(), overview.clone()]));
    let send = async |all: &[Vec<u8>]| {
        let sent = Batch { pictures: pictures(all), ..batch(VEHICLE, vec![first.clone(), second.clone()]) };
        receipt(&post(&link, body(&sent)).await.unwrap()).reads
    };
    let without = send(&[plate.clone(), overview.clone()]).await;
    assert_eq!((without.durable.len(), without.refused.len()), (1, 1));
    assert!(without.refused[0].reason.contains("did not come with it"), "{}", without.refused[0].reason);
    assert_eq!((depot.stored(&first), depot.stored(&second)), (1, 0));
    assert_eq!(send(&[plate.clone(), other.clone(), overview.clone()]).await.durable.len(), 2);
    assert_eq!((depot.stored(&first), depot.stored(&second)), (1, 1));
    assert!([&plate, &other, &overview].iter().all(|jpeg| depot.image(jpeg).as_ref() == Some(*jpeg)));

    // A picture that is not what its hash says is none.
    let third = seal(&record(&[b"third".to_vec()]));
    let mut wrong = pictures(&[b"third".to_vec()]);
    wrong[0].jpeg = b"thirt".to_vec();
    let sent = Batch { pictures: wrong, ..batch(VEHICLE, vec![third.clone()]) };
    let said = receipt(&post(&link, body(&sent)).await.unwrap()).reads;
    assert_eq!((said.durable.len(), said.refused.len(), depot.stored(&third)), (0, 1, 0));
}

// policy: P-12
#[tokio::test]
async fn a_receipt_is_signed_by_the_stations_own_key() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    let answer = post(&link, body(&batch(VEHICLE, vec![seal(&record(&[]))]))).await.unwrap();
    assert_eq!(SignedReceipt::open(&answer.body, &depot.trust()).unwrap().reads.durable.len(), 1);
    let other = Trust::only([Signer::generate().unwrap().public_key()]);
    assert!(SignedReceipt::open(&answer.body, &other).is_err());
}

// policy: P-12
#[tokio::test]
async fn a_changed_batch_is_refused_as_a_whole() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    let mut changed = body(&batch(VEHICLE, vec![seal(&record(&[]))]));
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let answer = post(&link, changed).await.unwrap();
    assert_eq!((answer.status, depot.reads()), (400, 0));
}

/// Words that this station does not know, as of a newer vehicle, with a plate and a place that it knows.
#[tokio::test]
async fn a_newer_vehicles_read_is_taken_whatever_words_are_new_in_it() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    let mut newer = serde_json::to_value(record(&[])).unwrap();
    newer["colour"] = serde_json::json!({ "seen": ["red"] });
    newer["clock"] = "atomic".into();
    newer["hits"][0]["rule"] = "telepathy".into();
    newer["hits"][0]["alert"] = "whispered".into();
    newer["hits"][0]["entries"][0]["entry"]["category"] = "new_category".into();
    newer["hits"][0]["entries"][0]["priority"] = "extreme".into();
    let id = newer["id"].as_str().unwrap().parse().unwrap();
    let read = crate::kit::seal_text(id, newer.to_string());
    let said = receipt(&post(&link, body(&batch(VEHICLE, vec![read.clone()]))).await.unwrap()).reads;
    assert_eq!((said.durable.len(), said.refused.len(), depot.stored(&read)), (1, 0, 1), "{:?}", said.refused);
}

#[tokio::test]
async fn one_vehicle_with_a_thousand_idle_connections_does_not_lock_the_others_out() {
    let depot = Depot::new();
    let address = depot.serve().await;
    let hoarder =
        depot.authority.issue_vehicle("unit-8", &depot.dir.path().join("hoarder"), &SystemClock::new()).unwrap();
    let files = plated_core::tls::Files { ca: &hoarder.ca, certificate: &hoarder.certificate, key: &hoarder.key };
    let identity = plated_core::tls::Identity::load(&files).unwrap();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(plated_core::tls::client(&identity).unwrap()));
    let mut idle = Vec::new();
    for _ in 0..1024 {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        idle.push(connector.connect(name, stream).await.unwrap());
    }
    receipt(&post(&depot.link(address), body(&batch(VEHICLE, vec![]))).await.unwrap());
    drop(idle);
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
    let answer = post(&link, body(&batch("unit-8", vec![seal(&record(&[]))]))).await.unwrap();
    assert_eq!((answer.status, depot.reads()), (403, 0));
    assert!(problem(&answer).contains("another vehicle"));
}

#[tokio::test]
async fn a_body_that_is_no_batch_or_too_large_is_told_so() {
    let depot = Depot::new();
    let link = depot.link(depot.serve().await);
    assert_eq!(post(&link, b"{\"batch\":".to_vec()).await.unwrap().status, 400);
    let many = (0..501).map(|_| seal(&record(&[]))).collect();
    let answer = post(&link, body(&batch(VEHICLE, many))).await.unwrap();
    assert_eq!((answer.status, depot.reads()), (400, 0));
    assert!(problem(&answer).contains("too many reads"), "{}", problem(&answer));
}

#[tokio::test]
async fn clients_that_dawdle_over_the_handshake_do_not_keep_out_the_others() {
    let depot = Depot::new();
    let address = depot.serve().await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    receipt(&post(&depot.link(address), body(&batch(VEHICLE, vec![]))).await.unwrap());
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
            let sent = Batch { pictures: pictures(std::slice::from_ref(&image)), ..batch(VEHICLE, vec![read.clone()]) };
            let receipt = receipt(&post(&link, body(&sent)).await.unwrap());
            assert_eq!(receipt.reads.durable.len(), 1);
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
    let read = seal(&record(std::slice::from_ref(&large)));
    let sent = Batch { pictures: pictures(std::slice::from_ref(&large)), ..batch(VEHICLE, vec![read]) };
    let answer = post(&link, body(&sent)).await.unwrap();
    assert_eq!((answer.status, depot.image(&large)), (507, None));
    let sent = batch(VEHICLE, (0..200).map(|_| seal(&record(&[]))).collect());
    let answer = post(&link, body(&sent)).await.unwrap();
    assert_eq!(answer.status, 507);
    assert!(problem(&answer).contains("nothing was taken"));
    assert_eq!(depot.reads(), 0);
}

// Several threads, so that the client can answer while the test waits for the station's end.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_station_cleanly() {
    let depot = Depot::new();
    let (mut process, address) = Station::start(&depot);
    receipt(&post(&depot.link(address), body(&batch(VEHICLE, vec![]))).await.unwrap());
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
        .args(["vehicle", "issue", "unit-9", "--config"])
        .arg(station.join("station.toml"))
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

// policy: P-10
#[tokio::test(flavor = "multi_thread")]
async fn the_station_names_vehicles_that_have_to_come_by_their_own_reports_with_an_exit_code() {
    let depot = Depot::new();
    let (mut station, address) = Station::start(&depot);
    let vehicles = |args: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        let output = program.arg("vehicles").args(args).arg("--config").arg(depot.file()).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    assert_eq!(vehicles(&[]), ("no vehicle was heard of yet\n".into(), Some(0)));
    let oldest = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(28 * 24);
    let report = WaitingReport { reads: 3, oldest: Some(oldest) };
    let sent = body_with(&batch(VEHICLE, vec![seal(&record(&[]))]), Some(report));
    assert_eq!(post(&depot.link(address), sent).await.unwrap().status, 200);
    // What was noted is written at the end.
    assert!(Command::new("kill").arg(station.0.id().to_string()).status().unwrap().success());
    assert!(station.0.wait().unwrap().success());
    let (text, code) = vehicles(&[]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.starts_with(&format!("CRITICAL  {VEHICLE}: last contact ")), "{text}");
    assert!(text.contains("it has 3 reads that are not here, the oldest 28 d"), "{text}");
    // The read of this test was made long ago.
    assert!(text.contains("1 read came late"), "{text}");
    let (json, code) = vehicles(&["--json"]);
    let line: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&line["standing"], &line["contact"]["waiting"], code), (&"critical".into(), &3.into(), Some(2)));
}
