//! What came up with batches is shown by commands, with purpose and reason, and on record before.

use crate::kit::process::Station;
use crate::kit::{Batch, Depot, VEHICLE, batch, body, post, receipt, record, seal};
use plated_core::officers::{Correction, DispositionRecord};
use plated_core::record::ReadRecord;
use plated_core::wire::batch::SealedDocument;

/// A station that has a read of 7ABC234 which was corrected to 7ABC999, with a disposition.
async fn station() -> (Depot, Station, ReadRecord) {
    let depot = Depot::new();
    let (station, address) = Station::start(&depot);
    let read = record(&[]);
    let sealed = seal(&read);
    let mut correction: Correction = serde_json::from_str(include_str!("../golden/correction.json")).unwrap();
    (correction.read, correction.read_sha256) = (read.id, sealed.sha256);
    correction.original.text = read.text.clone();
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
    let documents = vec![
        SealedDocument::new("correction", serde_json::to_vec(&correction).unwrap()),
        SealedDocument::new("disposition", serde_json::to_vec(&disposition).unwrap()),
        SealedDocument::new("correction", b"{\"of\":\"a newer vehicle\"}".to_vec()),
    ];
    let sent = Batch { documents, ..batch(VEHICLE, vec![sealed]) };
    let receipt = receipt(&post(&depot.link(address), body(&sent)).await.unwrap());
    assert_eq!((receipt.reads.durable.len(), receipt.documents.durable.len()), (1, 3), "{receipt:?}");
    (depot, station, read)
}

/// What is on record of looks: action, reason, purpose, case and rows shown.
fn on_record(depot: &Depot) -> Vec<String> {
    let database = depot.database();
    let sql = "SELECT entry FROM audit WHERE action NOT LIKE 'vehicle_certificate%' ORDER BY number";
    let mut rows = database.prepare(sql).unwrap();
    let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let line = |entry: String| {
        let e: serde_json::Value = serde_json::from_str(&entry).unwrap();
        let text = |key: &str| e[key].as_str().map_or_else(|| e[key].to_string(), str::to_owned);
        let plate = e["elements"]["plate"].as_str().unwrap_or("-").to_owned();
        format!("{} {} {} {} {plate} {}", text("action"), text("reason"), text("purpose"), text("case"), text("rows"))
    };
    rows.map(|row| line(row.unwrap())).collect()
}

// policy: P-21
// policy: P-30
#[tokio::test(flavor = "multi_thread")]
async fn a_read_is_found_by_what_was_read_and_by_its_correction_and_the_search_is_on_record() {
    let (depot, _station, read) = station().await;
    for plate in ["7ABC234", "7ABC999", "7ABC9?9"] {
        let found = depot.well(&[
            "search",
            plate,
            "--reason",
            "witness named it",
            "--purpose",
            "locate_vehicle",
            "--case",
            "26-1234",
        ]);
        assert!(found.contains("7ABC234") && found.contains("corrected to 7ABC999"), "{found}");
        assert!(found.contains(&read.id.to_string()), "{found}");
    }
    assert_eq!(depot.well(&["search", "8XYZ123", "--reason", "other"]), "no read fits\n");
    let record = on_record(&depot);
    assert_eq!(record[0], "search_back witness named it locate_vehicle 26-1234 7ABC234 null");
    assert_eq!(record[1], "rows_shown witness named it locate_vehicle null - 1");
    assert!(record.last().unwrap().ends_with(" 0"), "{record:?}");
    for args in [&["search", "7ABC234"][..], &["search", "7ABC234", "--reason", " "], &["corrections", "list"]] {
        assert!(!depot.command(args).status.success(), "without a reason");
    }
    let odd = depot.command(&["search", "7ABC234", "--reason", "test", "--purpose", "curiosity"]);
    assert!(String::from_utf8_lossy(&odd.stderr).contains("not a purpose that the agency authorises"));
    assert_eq!(on_record(&depot).len(), record.len(), "nothing was shown");
}

// policy: P-30
#[tokio::test(flavor = "multi_thread")]
async fn corrections_and_dispositions_of_vehicles_are_listed() {
    let (depot, _station, read) = station().await;
    let corrections = depot.well(&["corrections", "list", "--reason", "weekly review"]);
    assert!(corrections.contains(&format!("read {}: read as 7ABC234", read.id)), "{corrections}");
    assert!(corrections.contains("corrected to 7ABC999"), "{corrections}");
    assert!(corrections.contains("a correction of another form; --json shows it"), "{corrections}");
    let dispositions = depot.well(&["dispositions", "list", "--reason", "weekly review"]);
    assert!(dispositions.contains("listed 1ABC234: misread, by "), "{dispositions}");
    let json = depot.well(&["dispositions", "list", "--json", "--reason", "weekly review"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["disposition"]["finding"], "misread");
    let of_other = depot.well(&["dispositions", "list", "--vehicle", "unit-8", "--reason", "weekly review"]);
    assert_eq!(of_other, "no vehicle sent a disposition\n");
    let record = on_record(&depot);
    assert_eq!(record[..2], ["hits_shown weekly review null null - null", "rows_shown weekly review null null - 2"]);
}
