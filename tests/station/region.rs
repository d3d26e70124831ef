//! What a station knows besides reads, on PostgreSQL: each command, and what vehicles bring, as in files.

use crate::kit::objects::Objects;
use crate::kit::postgres::Postgres;
use crate::kit::process::{Station, address, until};
use crate::kit::{Batch, Depot, VEHICLE, batch, body, pictures, pixels, post, receipt, record, seal};
use plated_access::audit::{Entry, Head};
use plated_access::{AccessRecord, Actor, signed};
use plated_core::clock::SystemClock;
use plated_core::officers::{Correction, DispositionRecord, VehicleFinding};
use plated_core::signing::{Purpose, Signer};
use plated_core::wire::batch::{SealedDocument, SealedRow};
use serde_json::json;
use std::process::Command;
use uuid::Uuid;

/// A station on a database and a bucket of its own; none where there is no PostgreSQL.
pub async fn region() -> Option<Depot> {
    let server = tokio::task::spawn_blocking(Postgres::shared).await.unwrap()?;
    let (url, bucket) = tokio::task::spawn_blocking(|| (server.database(), Objects::shared().bucket())).await.unwrap();
    let mut depot = Depot::new();
    depot.on_postgres(&url, &bucket);
    Some(depot)
}

/// What a command prints, without holding up what else is done.
pub fn well(depot: &Depot, args: &[&str]) -> String {
    tokio::task::block_in_place(|| depot.well(args))
}

fn file(depot: &Depot, name: &str, text: &str) -> String {
    let path = depot.dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Entries of a list, one on each line.
fn entries(numbers: std::ops::Range<u32>) -> String {
    numbers
        .map(|n| format!("{{\"plate\":\"7ABC{n:03}\",\"state\":\"CA\",\"category\":\"stolen_vehicle\"}}\n"))
        .collect()
}

// policy: P-21, P-22, P-26, P-30
#[tokio::test(flavor = "multi_thread")]
async fn what_vehicles_bring_and_officers_put_down_is_kept_and_shown_on_postgresql_too() {
    let Some(depot) = region().await else { return };
    let (_station, address) = Station::start(&depot);
    let read = record(&[]);
    let sealed = seal(&read);
    let mut correction: Correction = serde_json::from_str(include_str!("../golden/correction.json")).unwrap();
    (correction.read, correction.read_sha256) = (read.id, sealed.sha256);
    correction.corrected.text = "7ABC999".into();
    let disposition = DispositionRecord {
        vehicle: VEHICLE.into(),
        read: read.id,
        hit: read.hits[0].id,
        at: read.last_seen,
        by: correction.by.clone(),
        finding: "misread".into(),
        listed: "1ABC234".into(),
    };
    let mut finding: VehicleFinding = serde_json::from_str(include_str!("../golden/vehicle_finding.json")).unwrap();
    (finding.withdrawn, finding.approved, finding.vehicle) = (None, None, VEHICLE.into());
    finding.until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    let signer = Signer::generate().unwrap();
    let sign = |finding: &VehicleFinding, signer: &Signer| {
        let text = signed::sign(finding, Purpose::VEHICLE_FINDING, signer).unwrap();
        SealedDocument::new("vehicle_finding", text.into_bytes())
    };
    let stranger = VehicleFinding { id: Uuid::now_v7(), ..finding.clone() };
    let documents = vec![
        SealedDocument::new("correction", serde_json::to_vec(&correction).unwrap()),
        SealedDocument::new("disposition", serde_json::to_vec(&disposition).unwrap()),
        sign(&finding, &signer),
        sign(&stranger, &Signer::generate().unwrap()),
    ];
    // A log of three rows, of which the first never comes.
    let mut head = Head::start(VEHICLE, Uuid::now_v7(), jiff::Timestamp::now());
    let mut rows = Vec::new();
    for number in 1..=3 {
        let record =
            AccessRecord::done(&Actor::of_this_process(), "plate_shown", "a look", json!({"number": number})).unwrap();
        let (row, next) = head.next(Entry::of(&record, jiff::Timestamp::now(), true).unwrap()).unwrap();
        rows.push(SealedRow::new(head.log, number, serde_json::to_vec(&json!({"row": row})).unwrap()));
        head = next;
    }
    rows.remove(0);
    let audit_head = Some(head.sign(&signer).unwrap());
    let sent = Batch { documents, rows, audit_head, ..batch(VEHICLE, vec![sealed]) };
    for _ in 0..2 {
        let receipt = receipt(&post(&depot.link(address), body(&sent)).await.unwrap());
        assert_eq!((receipt.reads.durable.len(), receipt.documents.durable.len()), (1, 4), "{receipt:?}");
        assert_eq!(receipt.audit_rows.durable.len(), 2);
    }
    for plate in [read.text.as_str(), "7ABC999", "7ABC9?9"] {
        let found = well(&depot, &["search", plate, "--reason", "witness named it"]);
        assert!(found.contains("corrected to 7ABC999"), "{plate}: {found}");
    }
    let all = ["--reason", "weekly review", "--from", "2026-01-01 00:00"];
    let corrections = well(&depot, &[&["corrections", "list"][..], &all].concat());
    assert!(corrections.contains("corrected to 7ABC999"), "{corrections}");
    let dispositions = well(&depot, &[&["dispositions", "list", "--vehicle", VEHICLE][..], &all].concat());
    assert!(dispositions.contains("misread"), "{dispositions}");

    let signs = well(&depot, &["security", "list"]);
    assert!(signs.contains("audit_rows_missing") && signs.contains("finding_not_signed"), "{signs}");
    well(&depot, &["security", "acknowledge", VEHICLE, "audit_rows_missing", "--reason", "the station was restored"]);
    assert!(!well(&depot, &["security", "list"]).contains("audit_rows_missing"));

    let findings = well(&depot, &["finding", "list", "--reason", "review"]);
    assert!(findings.starts_with("1 ") && findings.contains("WAITS FOR A SUPERVISOR"), "{findings}");
    let approved = well(&depot, &["finding", "approve", "1", "--reason", "seen the registration"]);
    assert!(approved.contains("approved for all vehicles"), "{approved}");
    let refused = well(&depot, &["finding", "refuse", "1", "--reason", "plates were swapped"]);
    assert!(refused.contains("refused by"), "{refused}");

    until("the contact to be written", || well(&depot, &["vehicles"]).contains(VEHICLE).then_some(()));
    let listed = well(&depot, &["vehicle", "list"]);
    assert!(listed.contains(VEHICLE) && !listed.contains("never used"), "{listed}");
    well(&depot, &["vehicle", "revoke", VEHICLE, "--reason", "the car was stolen"]);
    assert!(well(&depot, &["vehicle", "list", "--all"]).contains("REVOKED"));
    // The row that never came is told of, also here.
    let verified = tokio::task::block_in_place(|| depot.command(&["audit-verify"]));
    let told = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(!verified.status.success() && told.contains("NOT as it was written"), "{told}");
    assert!(told.contains("commands, log") && told.contains("archive, log"), "{told}");
    let held = well(&depot, &["hold", "add", "--case", "26-1", "--reason", "evidence", &read.id.to_string()]);
    let hold = held.split_whitespace().nth(1).unwrap();
    assert!(well(&depot, &["hold", "list", "--reason", "review"]).contains("case 26-1"));
    well(&depot, &["hold", "release", hold, "--reason", "closed"]);
    assert_eq!(well(&depot, &["purge", "--dry-run"]), "nothing is due\n");
    let checked = tokio::task::block_in_place(|| depot.command(&["check"]));
    let told = [checked.stdout, checked.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("the audit log") && told.contains("the archive has 1 problem"), "{told}");
    let status = well(&depot, &["status"]);
    assert!(status.starts_with("reads 1\n") && status.contains("finding_not_signed"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_published_changed_and_fetched_beside_a_station_on_postgresql() {
    let Some(mut depot) = region().await else { return };
    let (source, none) = (file(&depot, "source.jsonl", &entries(0..10)), depot.dir.path().join("none"));
    depot.tables += &format!(
        "[[sources]]\nname = \"svs\"\ncommand = [\"/bin/cat\", \"{source}\"]\n\
         [[sources]]\nname = \"sfr\"\ncommand = [\"/bin/cat\", \"{}\"]\n",
        none.display()
    );
    let (_station, _) = Station::start(&depot);
    let fetched = tokio::task::block_in_place(|| depot.command(&["hotlist", "fetch"]));
    let said = String::from_utf8_lossy(&fetched.stdout).into_owned() + &String::from_utf8_lossy(&fetched.stderr);
    assert!(!fetched.status.success() && said.contains("svs") && said.contains("sfr"), "{said}");
    let listed = well(&depot, &["hotlist", "list"]);
    assert!(listed.contains("svs version 1 current: 10 entries"), "{listed}");
    let newer = file(&depot, "newer.jsonl", &entries(0..11));
    let at = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).to_string();
    well(&depot, &["hotlist", "import", &newer, "--name", "svs", "--valid-from", &at]);
    let listed = well(&depot, &["hotlist", "list"]);
    assert!(listed.contains("svs version 2 in force from") && listed.contains("svs version 1 current"), "{listed}");
    well(&depot, &["hotlist", "disable", "svs", "--plate", "7ABC003", "--reason", "recovered, not cleared"]);
    let inactive = well(&depot, &["hotlist", "inactive", "--reason", "review"]);
    assert!(inactive.starts_with("1 svs 7ABC003 any state: inactive since "), "{inactive}");
    well(&depot, &["hotlist", "enable", "1", "--reason", "stolen again"]);
    well(&depot, &["hotlist", "import", &newer, "--name", "svs"]);
    assert!(well(&depot, &["hotlist", "list"]).contains("current: 11 entries"));
    let status = well(&depot, &["status"]);
    assert!(status.contains("svs") && status.contains("sfr"), "{status}");
    well(&depot, &["hotlist", "withdraw", "svs", "--reason", "the agreement ended"]);
    assert!(well(&depot, &["hotlist", "list"]).contains("the station hands out no lists"));
    assert!(well(&depot, &["audit-verify"]).contains("as it was written"));
}

// policy: P-17
#[tokio::test(flavor = "multi_thread")]
async fn a_station_on_postgresql_shares_reads_with_an_upstream_station() {
    let Some(mut depot) = region().await else { return };
    let (centre, upstream) = (Depot::new(), address());
    let files = depot.dir.path().join("forward");
    centre.authority.issue_vehicle("example-pd", &files, &SystemClock::new()).unwrap();
    std::fs::copy(centre.dir.path().join("receipt.pub"), files.join("receipt.pub")).unwrap();
    depot.tables += &format!(
        "[forward]\nstation = \"https://{upstream}\"\nca = \"forward/ca.crt\"\ncertificate = \"forward/vehicle.crt\"\n\
         key = \"forward/vehicle.key\"\nreceipt_keys = \"forward/receipt.pub\"\nidle_s = 0.02\nmax_backoff_s = 0.1\n\
         classes = [\"hit\"]\n"
    );
    let (_station, address) = Station::start(&depot);
    let images = vec![pixels(1, 3000)];
    let mut read = record(&images);
    read.canvass = None;
    let sent = Batch { pictures: pictures(&images), ..batch(VEHICLE, vec![seal(&read)]) };
    assert_eq!(receipt(&post(&depot.link(address), body(&sent)).await.unwrap()).reads.durable.len(), 1);
    let status = well(&depot, &["status"]);
    assert!(status.contains("forward: 1 read to go, the oldest since "), "{status}");
    let config = centre.file_at(upstream);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text + "[[downstream]]\nname = \"example-pd\"\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let (_centre, _) = Station::run(command.args(["run", "--config"]).arg(&config));
    until("the read to be shared", || well(&depot, &["status"]).contains("forward: 0 reads to go").then_some(()));
    assert_eq!(centre.image(&images[0]).as_ref(), Some(&images[0]));
}
