//! The register of vehicles: which certificates of the authority count at the station.

use crate::kit::process::{Station, until};
use crate::kit::{Batch, Depot, VEHICLE, batch, body, link, link_to, pictures, pixels, post, receipt, record, seal};
use plated_core::clock::{ManualClock, SystemClock};
use plated_core::digest::Sha256;
use plated_core::tls::authority::{Issued, issued};
use plated_core::tls::{certificates, request};
use plated_core::wire::{CertificateAnswer, CertificateRequest, Problem};
use plated_station::StationServer;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

fn vehicle(depot: &Depot, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    command.arg("vehicle").args(args).arg("--config").arg(depot.file()).output().unwrap()
}

fn well(depot: &Depot, args: &[&str]) -> String {
    let output = vehicle(depot, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn fingerprint(path: &Path) -> Sha256 {
    Sha256::of(&certificates(path, "the certificate").unwrap()[0])
}

/// A certificate of the agency's authority that nobody entered.
fn strange(depot: &Depot, name: &str) -> Issued {
    let files = depot.authority.issue_vehicle(name, &depot.dir.path().join(name), &SystemClock::new()).unwrap();
    std::fs::remove_file(issued(&depot.config.ca, &fingerprint(&files.certificate))).unwrap();
    let keys = depot.dir.path().join("receipt.pub");
    std::fs::copy(keys, depot.dir.path().join(name).join("receipt.pub")).unwrap();
    files
}

fn errors(log: &Path) -> Vec<String> {
    let log = std::fs::read_to_string(log).unwrap();
    log.lines().filter(|line| line.contains("ERROR")).map(str::to_owned).collect()
}

// policy: P-26
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_in_the_register_opens_nothing_until_somebody_enters_it() {
    let depot = Depot::new();
    let (_station, address, log) = Station::start_with_log(&depot);
    let files = strange(&depot, "unit-9");
    let link = link(&files, "unit-9", &depot.vehicle.ca, address);
    for _ in 0..5 {
        let answer = post(&link, body(&batch("unit-9", vec![]))).await.unwrap();
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 403);
        assert!(problem.error.contains("nothing was taken") && problem.error.contains("vehicle add"), "{problem:?}");
    }
    let told: Vec<_> = errors(&log).into_iter().filter(|line| line.contains("does not count here")).collect();
    assert_eq!(told.len(), 1, "once, not for each request: {told:?}");
    let line = "SECURITY vehicle unit-9: unknown_certificate; noticed 1 time";
    assert!(depot.status().contains(line), "{}", depot.status());

    let certificate = files.certificate.to_str().unwrap();
    well(&depot, &["add", certificate, "--reason", "a new patrol car"]);
    let again = vehicle(&depot, &["add", certificate, "--reason", "twice"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("in the register already"));
    let send = async || post(&link, body(&batch("unit-9", vec![seal(&own("unit-9"))]))).await.unwrap();
    let taken = async {
        loop {
            let answer = send().await;
            if answer.status != 403 {
                return answer;
            }
            // The running station looks at its register again within seconds, and tells nobody.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(60), taken).await.unwrap();
    assert_eq!(receipt(&answer).reads.durable.len(), 1);
    let list = well(&depot, &["list"]);
    assert!(list.contains("unit-9 counts, until 2") && list.contains(&fingerprint(&files.certificate).to_string()));
    let mut verify = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let verified = verify.args(["audit-verify", "--config"]).arg(depot.file()).output().unwrap();
    assert!(String::from_utf8_lossy(&verified.stdout).contains("1 row, as it was written"), "{verified:?}");
}

fn own(vehicle: &str) -> plated_core::record::ReadRecord {
    plated_core::record::ReadRecord { vehicle: vehicle.into(), ..record(&[]) }
}

// policy: P-26
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_revoked_counts_no_more_on_connections_that_are_open_and_in_the_midst_of_a_batch() {
    let depot = Depot::new();
    let (_station, address, log) = Station::start_with_log(&depot);
    let link = depot.link(address);
    receipt(&post(&link, body(&batch(VEHICLE, vec![seal(&record(&[]))]))).await.unwrap());
    // At 4 kbit/s this takes two minutes and more.
    let image = pixels(7, 64 << 10);
    let sent = Batch {
        pictures: pictures(std::slice::from_ref(&image)),
        ..batch(VEHICLE, vec![seal(&record(std::slice::from_ref(&image)))])
    };
    let slow = link_to(&depot, address, |settings| settings.bandwidth_kbit_s = Some(4));
    let sending = tokio::spawn(async move { post(&slow, body(&sent)).await });
    until("the batch on its way", || {
        let sql = "SELECT count(*) FROM vehicle_certificates WHERE first_used IS NOT NULL";
        let used: i64 = depot.database().query_row(sql, [], |row| row.get(0)).unwrap();
        (used == 1).then_some(())
    });
    let none = vehicle(&depot, &["revoke", "unit-8", "--reason", "a test"]);
    assert_eq!(none.status.code(), Some(66), "{}", String::from_utf8_lossy(&none.stderr));
    assert!(well(&depot, &["revoke", VEHICLE, "--reason", "the car was stolen"]).contains("1 certificate"));

    let cut_off = sending.await.unwrap();
    assert!(cut_off.as_ref().map_or(true, |answer| answer.status == 403), "{cut_off:?}");
    // Its open connection may be noticed to be closed by this only.
    let answer = loop {
        if let Ok(answer) = post(&link, body(&batch(VEHICLE, vec![seal(&record(&[]))]))).await {
            break answer;
        }
    };
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
    assert!(answer.status == 403 && problem.error.contains("was revoked"), "{problem:?}");
    assert_eq!(depot.reads(), 1);
    until("the line", || errors(&log).iter().any(|line| line.contains("was revoked")).then_some(()));
    assert!(depot.status().contains("revoked_certificate; noticed 1 time"));
    let list = well(&depot, &["list", "--all"]);
    assert!(list.contains("REVOKED") && list.contains("the car was stolen"), "{list}");
    assert!(well(&depot, &["list"]).contains("holds no vehicle"));
    // The copy beside the authority does not bring it back, nor does a command.
    let certificate = depot.vehicle.certificate.to_str().unwrap();
    let again = vehicle(&depot, &["add", certificate, "--reason", "it was found"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("never counts again"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vehicle_that_was_issued_a_certificate_by_the_station_is_in_its_register() {
    let depot = Depot::new();
    let out = depot.dir.path().join("unit-8");
    let issue = ["issue", "unit-8", "--out", out.to_str().unwrap()];
    drop(Station::start(&depot)); // makes the data folder
    let printed = well(&depot, &issue);
    for file in ["ca.crt", "vehicle.crt", "vehicle.key", "receipt.pub"] {
        assert!(printed.contains(file) && out.join(file).exists(), "{file}: {printed}");
    }
    let again = vehicle(&depot, &issue);
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
    let (_station, address) = Station::start(&depot);
    let files = Issued { ca: out.join("ca.crt"), certificate: out.join("vehicle.crt"), key: out.join("vehicle.key") };
    receipt(&post(&link(&files, "unit-8", &files.ca, address), body(&batch("unit-8", vec![]))).await.unwrap());
    let line = well(&depot, &["list", "--json"]);
    let row: serde_json::Value = serde_json::from_str(line.trim()).unwrap();
    assert_eq!((row["vehicle"].as_str(), row["state"].as_str()), (Some("unit-8"), Some("active")));
    assert!(row["first_used"].is_string() && row["renews"].is_null());
}

fn client(depot: &Depot, certificate: &str, key: &str) -> reqwest::Client {
    let identity =
        plated_core::tls::Identity::of_texts(&depot.vehicle.ca, certificate, key, Path::new("memory")).unwrap();
    let tls = plated_core::tls::client(&identity).unwrap();
    reqwest::Client::builder().tls_backend_preconfigured(tls).https_only(true).build().unwrap()
}

// policy: P-26
#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_counts_beside_the_old_one_until_it_is_used_and_then_the_old_one_is_over() {
    let depot = Depot::new();
    let clock = Arc::new(ManualClock::at(jiff::Timestamp::now()));
    let server = StationServer::bind(&depot.config, clock.clone()).await.unwrap();
    let address = server.address();
    tokio::spawn(server.run(std::future::pending()));
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let old = client(&depot, &text(&depot.vehicle.certificate), &text(&depot.vehicle.key));
    let url = |path: &str| format!("https://{address}/v1/{path}");
    let ask = async |vehicle: &str, request: &str| {
        let body = CertificateRequest { version: 1, vehicle: vehicle.into(), request: request.into() };
        old.post(url("certificate")).json(&body).send().await.unwrap()
    };
    let health = async |client: &reqwest::Client| client.get(url("health")).send().await.unwrap().status().as_u16();

    let key = request::new_key().unwrap();
    let wanted = request::request(VEHICLE, &key).unwrap();
    let other = request::request("unit-8", &key).unwrap();
    assert_eq!(ask("unit-8", &other).await.status(), 403, "in another vehicle's name");
    assert_eq!(ask(VEHICLE, &other).await.status(), 422, "for another vehicle");
    assert_eq!(ask(VEHICLE, "rubbish").await.status(), 422);
    let first: CertificateAnswer = ask(VEHICLE, &wanted).await.json().await.unwrap();
    assert!(request::belongs(&first.certificate, &key));
    let again: CertificateAnswer = ask(VEHICLE, &wanted).await.json().await.unwrap();
    assert_eq!(first, again, "the same request, as after an answer that was lost, has the same answer");

    // A vehicle that lost its new key asks with another one: what was made for the lost one opens nothing.
    let second_key = request::new_key().unwrap();
    let wanted = request::request(VEHICLE, &second_key).unwrap();
    let second: CertificateAnswer = ask(VEHICLE, &wanted).await.json().await.unwrap();
    clock.advance(Duration::from_secs(600));
    assert_eq!(health(&client(&depot, &first.certificate, &key)).await, 403);
    assert_eq!(health(&old).await, 200, "nothing has used the new one yet");
    let new = client(&depot, &second.certificate, &second_key);
    assert_eq!(health(&new).await, 200);
    assert_eq!(health(&old).await, 200, "what is on its way ends in peace");
    clock.advance(Duration::from_secs(301));
    assert_eq!((health(&old).await, health(&new).await), (403, 200));
}

// policy: P-26
#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_another_authority_is_a_security_event_once() {
    let (depot, other) = (Depot::new(), Depot::new());
    let (_station, address, log) = Station::start_with_log(&depot);
    for _ in 0..3 {
        let link = link(&other.vehicle, VEHICLE, &depot.vehicle.ca, address);
        assert!(post(&link, body(&batch(VEHICLE, vec![]))).await.is_err());
    }
    let line = "SECURITY vehicle (no vehicle): certificate_of_no_vehicle; noticed ";
    until("the security event", || depot.status().contains(line).then_some(()));
    let told = errors(&log).iter().filter(|line| line.contains("none of this station's authority")).count();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn a_station_without_the_authoritys_key_says_so_to_a_vehicle_that_asks_for_a_certificate() {
    let mut depot = Depot::new();
    depot.config.authority_key = None;
    let address = depot.serve().await;
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let client = client(&depot, &text(&depot.vehicle.certificate), &text(&depot.vehicle.key));
    let wanted = request::request(VEHICLE, &request::new_key().unwrap()).unwrap();
    let body = CertificateRequest { version: 1, vehicle: VEHICLE.into(), request: wanted };
    let answer = client.post(format!("https://{address}/v1/certificate")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 501);
    assert!(answer.json::<Problem>().await.unwrap().error.contains("agency's authority"));
}
