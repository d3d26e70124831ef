//! What everybody is shown beside the policy, where the agency turned it on.

use crate::kit::console::Browser;
use crate::kit::objects::Objects;
use crate::kit::postgres::Postgres;
use crate::kit::process::until;
use crate::kit::station_pages::Hall;
use crate::kit::{Depot, record};
use plated_core::record::ReadRecord;
use reqwest::StatusCode;
use std::process::Command;

const ALL: &str = "[pages.policy.published]\nfigures = true\naudit_log = true\ndeletions = true\n";
/// What nobody outside may learn.
const SECRETS: [&str; 4] = ["7ABC123", "jdoe", "Robin Vale", "26-1234"];

/// A station with a read, a search for it by an officer, and an auditor.
fn busy(hall: Hall) -> Hall {
    hall.hire("jdoe", "officer");
    let now = jiff::Timestamp::now();
    let read = ReadRecord { text: "7ABC123".into(), first_seen: now, last_seen: now, ..record(&[]) };
    hall.receive(&read, &[]);
    let officer = hall.looking("jdoe");
    let found = officer.submit("/search", &[("plate", "7ABC123")]).to;
    assert!(officer.get(&found).body.contains(&read.id.to_string()));
    hall
}

fn without_secrets(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

/// The published log, once the station has made it.
fn published_log(browser: &Browser) -> String {
    until("the published log", || {
        let log = browser.get("/policy/audit-log.jsonl");
        assert!(matches!(log.status, StatusCode::OK | StatusCode::NOT_FOUND), "{}", log.body);
        (log.status == StatusCode::OK).then_some(log.body)
    })
}

fn verify(hall: &Hall, log: &str) -> (bool, String) {
    let (file, key) = (hall.depot.dir.path().join("log.jsonl"), hall.depot.dir.path().join("audit.pub"));
    std::fs::write(&file, log).unwrap();
    std::fs::write(&key, hall.command(&["audit", "key"], "").stdout).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let done = program.args(["audit", "verify"]).arg(&file).arg("--key").arg(&key).output().unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
}

fn figures_and_log(hall: Hall) {
    let hall = busy(hall);
    let anybody = hall.browser();
    assert!(anybody.get("/policy").body.contains("href=\"/policy/figures\""));
    let page = anybody.get("/policy/figures");
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for part in ["Reads and hits", "Looks at data, by purpose", "Audits", "Releases to other agencies", "Public key"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    without_secrets(&page.body);
    let table = anybody.get("/policy/figures.csv").body;
    without_secrets(&table);
    let month = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m").to_string();
    for (what, count) in [("reads", 1), ("hits", 1), ("looks_locate_vehicle", 1), ("release_requests", 0)] {
        assert!(table.contains(&format!("{month},{what},{count}\r\n")), "{what}: {table}");
    }
    assert_eq!(anybody.get("/policy/deletions.jsonl").status, StatusCode::OK);

    // The log that is published holds what was done by when it was made, and verifies.
    let log = published_log(&anybody);
    without_secrets(&log);
    let (whole, said) = verify(&hall, &log);
    assert!(whole && said.contains("as the station wrote it"), "{said}");
    // So does the one that a command writes, with all rows so far.
    let file = hall.depot.dir.path().join("now.jsonl");
    let done = hall.command(&["audit", "export", file.to_str().unwrap(), "--reason", "asked for"], "");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let log = std::fs::read_to_string(&file).unwrap();
    without_secrets(&log);
    assert!(log.contains("search_back") && log.contains("locate_vehicle"), "{log}");
    assert!(verify(&hall, &log).0);
    // A value that was changed and a row that was left out are named.
    let (whole, said) = verify(&hall, &log.replacen("locate_vehicle", "arrest_warrant", 1));
    assert!(!whole && said.contains("FAULT"), "{said}");
    let rows: Vec<&str> = log.lines().collect();
    let missing = [&rows[..3], &rows[4..]].concat().join("\n");
    let (whole, said) = verify(&hall, &missing);
    assert!(!whole && said.contains("FAULT"), "{said}");
    assert!(log.contains("audit_log_published"), "each publication is on record: {log}");
}

// policy: P-22, P-24
#[test]
fn everybody_sees_figures_and_a_log_that_verifies_and_no_plate_and_no_name() {
    figures_and_log(Hall::with(ALL));
}

// policy: P-22, P-24
#[test]
fn everybody_sees_the_same_of_a_station_on_postgresql() {
    let Some(server) = Postgres::shared() else { return };
    let mut depot = Depot::new();
    depot.on_postgres(&server.database(), &Objects::shared().bucket());
    figures_and_log(Hall::on(depot, ALL));
}

// policy: P-24
#[test]
fn what_the_agency_did_not_turn_on_is_not_there() {
    let hall = Hall::with("[pages.policy.published]\ndeletions = true\n");
    let anybody = hall.browser();
    let page = anybody.get("/policy/figures");
    assert!(page.body.contains("Certificates of deletion") && !page.body.contains("Reads and hits"), "{}", page.body);
    for path in ["/policy/figures.csv", "/policy/audit-log.jsonl"] {
        assert_eq!(anybody.get(path).status, StatusCode::NOT_FOUND, "{path}");
    }
    let hall = Hall::new();
    let anybody = hall.browser();
    assert!(!anybody.get("/policy").body.contains("/policy/figures"));
    for path in ["/policy/figures", "/policy/figures.csv", "/policy/audit-log.jsonl", "/policy/deletions.jsonl"] {
        assert_eq!(anybody.get(path).status, StatusCode::NOT_FOUND, "{path}");
    }
}
