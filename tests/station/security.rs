//! Audit logs of vehicles at the station: a gap, a changed row and a rewritten history are signs of a breach, which
//! somebody looks into.

use crate::kit::process::Station;
use crate::kit::{Batch, Depot, VEHICLE, batch, body, post, receipt};
use plated_access::audit::{Entry, Head, Row};
use plated_access::{AccessRecord, Actor, Case, Outcome, Reason};
use plated_core::signing::Signer;
use plated_core::wire::batch::{Receipt, SealedRow};
use serde_json::json;
use std::net::SocketAddr;
use uuid::Uuid;

/// A vehicle's audit log as it is written, and what of it is sent.
struct Log {
    head: Head,
    signer: Signer,
    rows: Vec<Row>,
}

impl Log {
    fn new(rows: usize) -> Self {
        let start = Head::start(VEHICLE, Uuid::now_v7(), jiff::Timestamp::now());
        let mut log = Self { head: start, signer: Signer::generate().unwrap(), rows: Vec::new() };
        (0..rows).for_each(|n| log.write(&format!("look {n}")));
        log
    }

    /// Another log under the same name and key, as when somebody writes it anew.
    fn rewritten(&self, rows: usize) -> Self {
        let signer = Signer::generate().unwrap();
        let mut log =
            Self { head: Head::start(VEHICLE, self.head.log, jiff::Timestamp::now()), signer, rows: Vec::new() };
        (0..rows).for_each(|n| log.write(&format!("another look {n}")));
        log
    }

    fn write(&mut self, reason: &str) {
        let record = AccessRecord {
            actor: Actor::of_this_process(),
            what: "plate_shown",
            reason: Reason::new(reason).unwrap(),
            case: Case::none(),
            subject: json!({"plate": "7ABC123"}),
            outcome: Outcome::Done,
            rows: None,
            about: None,
        };
        let (row, head) = self.head.next(Entry::of(&record, jiff::Timestamp::now(), true).unwrap()).unwrap();
        self.rows.push(row);
        self.head = head;
    }

    /// The rows of these numbers as `plated audit export` writes them.
    fn sealed(&self, numbers: impl IntoIterator<Item = usize>, change: fn(&mut Row)) -> Vec<SealedRow> {
        let seal = |number: usize| {
            let mut row = self.rows[number - 1].clone();
            change(&mut row);
            SealedRow::new(self.head.log, number as u64, serde_json::to_vec(&json!({"row": row})).unwrap())
        };
        numbers.into_iter().map(seal).collect()
    }
}

async fn send(depot: &Depot, address: SocketAddr, rows: Vec<SealedRow>, head: Option<String>) -> Receipt {
    let sent = Batch { rows, audit_head: head, ..batch(VEHICLE, Vec::new()) };
    receipt(&post(&depot.link(address), body(&sent)).await.unwrap())
}

fn signs(depot: &Depot, args: &[&str]) -> String {
    depot.well(&[&["security", "list"][..], args].concat())
}

// policy: P-22
#[tokio::test(flavor = "multi_thread")]
async fn a_gap_a_changed_row_and_a_rewritten_log_are_signs_of_a_breach_and_a_whole_log_is_none() {
    let depot = Depot::new();
    let (_station, address, log_file) = Station::start_with_log(&depot);
    let log = Log::new(10);
    let head = |log: &Log| Some(log.head.sign(&log.signer).unwrap());
    for _ in 0..2 {
        let receipt = send(&depot, address, log.sealed(1..=10, |_| {}), head(&log)).await;
        assert_eq!((receipt.audit_rows.durable.len(), receipt.audit_rows.refused.len()), (10, 0));
    }
    assert_eq!(signs(&depot, &[]), "there is no open sign of a breach\n");

    // Somebody changed what a row says, and left its hash.
    let other = Log::new(5);
    let changed = other.sealed(1..=3, |row| {
        if row.number == 2 {
            row.entry.reason = "nothing to see".into();
        }
    });
    assert_eq!(send(&depot, address, changed, None).await.audit_rows.durable.len(), 3, "it is kept as evidence");
    let said = signs(&depot, &[]);
    assert!(said.contains("OPEN unit-7 audit_row_changed: a row of the audit log was changed"), "{said}");
    // A row in between never came.
    send(&depot, address, other.sealed([5], |_| {}), None).await;
    assert!(signs(&depot, &[]).contains("OPEN unit-7 audit_rows_missing"));
    // The whole log was written anew, which contradicts what is here, or what was signed.
    let receipt = send(&depot, address, log.rewritten(3).sealed(1..=3, |_| {}), None).await;
    assert_eq!(receipt.audit_rows.refused.len(), 3);
    assert!(signs(&depot, &[]).contains("OPEN unit-7 audit_log_rewritten"));
    let logged = std::fs::read_to_string(log_file).unwrap();
    for expected in ["was changed after it was written", "are missing between", "was written anew"] {
        assert!(logged.contains(expected), "{logged}");
    }
    assert!(!logged.contains("7ABC123") && depot.status().contains("audit_log_rewritten"));
}

// policy: P-22
#[tokio::test(flavor = "multi_thread")]
async fn the_verification_says_which_log_of_which_vehicle_is_not_as_it_was_written() {
    let depot = Depot::new();
    let (_station, address) = Station::start(&depot);
    let (whole, other, mut coming) = (Log::new(10), Log::new(5), Log::new(2));
    let head = |log: &Log| Some(log.head.sign(&log.signer).unwrap());
    send(&depot, address, whole.sealed(1..=10, |_| {}), head(&whole)).await;
    send(&depot, address, other.sealed([1, 2, 4], |_| {}), None).await;
    coming.write("a look that is not here yet");
    let signed = coming.head.sign(&whole.signer).unwrap();
    send(&depot, address, coming.sealed(1..=2, |_| {}), Some(signed)).await;
    depot.well(&["security", "acknowledge", VEHICLE, "audit_rows_missing", "--reason", "the test's own"]);
    let verify = || {
        let verified = depot.command(&["audit-verify"]);
        (verified.status.code(), String::from_utf8_lossy(&verified.stdout).into_owned())
    };
    let (code, said) = verify();
    let line = |log: &Log| format!("vehicle unit-7, log {}: ", log.head.log);
    assert!(said.contains(&(line(&whole) + "10 rows, as it was written\n")), "{said}");
    assert!(said.contains(&(line(&other) + "3 rows, NOT as it was written: row 3 is missing\n")), "{said}");
    let to_come = "2 rows, as it was written; it signed row 3, and those after row 2 are not here yet\n";
    assert!(said.contains(&(line(&coming) + to_come)), "{said}");
    assert!(said.contains("archive, log ") && code == Some(65), "{said}");

    // Somebody changes rows of a vehicle and of the archive where they are kept.
    let database = depot.database();
    let changed = "UPDATE vehicle_audit SET json = CAST(replace(CAST(json AS TEXT), 'look 7', 'look 8') AS BLOB)";
    database.execute(changed, []).unwrap();
    database.execute("UPDATE audit SET entry = replace(entry, 'own', 'other')", []).unwrap();
    let (_, said) = verify();
    assert!(said.contains(&(line(&whole) + "10 rows, NOT as it was written: row 8 was changed\n")), "{said}");
    let own = said.lines().find(|line| line.starts_with("archive, log ")).unwrap();
    assert!(own.contains("NOT as it was written: row 2 was changed"), "{own}");
    assert!(!said.contains("7ABC123"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_contradict_a_head_that_was_signed_before_they_came_are_a_sign_of_a_breach() {
    let depot = Depot::new();
    let (_station, address) = Station::start(&depot);
    let log = Log::new(3);
    send(&depot, address, Vec::new(), Some(log.head.sign(&log.signer).unwrap())).await;
    send(&depot, address, log.rewritten(3).sealed(1..=3, |_| {}), None).await;
    assert!(signs(&depot, &[]).contains("audit_log_rewritten"), "{}", signs(&depot, &[]));
}

// policy: P-26
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_that_somebody_looked_into_is_closed_until_it_comes_again() {
    let depot = Depot::new();
    let (_station, address) = Station::start(&depot);
    let log = Log::new(9);
    send(&depot, address, log.sealed([2], |_| {}), None).await;
    let unknown = depot.command(&["security", "acknowledge", VEHICLE, "cloned", "--reason", "test"]);
    assert_eq!(unknown.status.code(), Some(66));
    let none = depot.command(&["security", "acknowledge", VEHICLE, "audit_rows_missing", "--reason", " "]);
    assert!(!none.status.success());
    depot.well(&["security", "acknowledge", VEHICLE, "audit_rows_missing", "--reason", "the station was restored"]);
    assert_eq!(signs(&depot, &[]), "there is no open sign of a breach\n");
    let all = signs(&depot, &["--all"]);
    assert!(
        all.starts_with("acknowledged unit-7 audit_rows_missing") && all.contains("the station was restored"),
        "{all}"
    );
    send(&depot, address, log.sealed([5], |_| {}), None).await;
    let json: serde_json::Value = serde_json::from_str(&signs(&depot, &["--json"])).unwrap();
    assert_eq!((&json["sign"], &json["open"], &json["times"]), (&"audit_rows_missing".into(), &true.into(), &2.into()));
    let sql = "SELECT count(*) FROM audit WHERE action = 'security_acknowledged'";
    let rows: i64 = depot.database().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}
