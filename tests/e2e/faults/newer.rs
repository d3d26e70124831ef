//! A batch of a vehicle of a later version, at this station.

use crate::kit::process::Station;
use crate::kit::store::permit;
use crate::kit::{Depot, post, receipt};
use plated_core::wire::batch::{BatchReader, Event};
use tokio::task::block_in_place;

/// Keys that are not known here in the header and its counts, frames of unknown kinds before, between and inside packed
/// ones, two reads with keys, words and a role of a picture that are not known, a document of an unknown kind, and a row of
/// the audit log with an unknown key.
const NEWER: &[u8] = include_bytes!("../../golden/batch_newer.plated");

// policy: P-12
#[tokio::test(flavor = "multi_thread")]
async fn a_station_takes_all_of_a_batch_of_a_newer_vehicle_and_keeps_its_bytes() {
    for depot in block_in_place(Depot::on_each_engine) {
        newer(&depot).await;
    }
}

async fn newer(depot: &Depot) {
    let (_station, address) = Station::start(depot);
    let (mut bytes, mut reader) = (NEWER, BatchReader::new());
    let sent: Vec<Event> = std::iter::from_fn(|| reader.next(&mut bytes).unwrap()).collect();
    for _ in 0..2 {
        let receipt = receipt(&post(&depot.link(address), NEWER.to_vec()).await.unwrap());
        assert_eq!((receipt.reads.durable.len(), receipt.reads.refused.len()), (2, 0), "{:?}", receipt.reads.refused);
        assert_eq!((receipt.documents.durable.len(), receipt.audit_rows.durable.len()), (1, 1));
    }
    block_in_place(|| assert_whole(depot, &sent));
}

fn assert_whole(depot: &Depot, sent: &[Event]) {
    let (archive, permit) = (depot.archive(), permit());
    let (mut reads, mut pictures) = (0, 0);
    for event in sent {
        let Event::Read(read) = event else { continue };
        reads += 1;
        let stored = archive.read(&permit, read.id).unwrap().unwrap();
        assert_eq!((stored.found.sha256, &stored.record), (read.sha256, &read.record), "byte for byte");
        for named in &stored.found.envelope.pictures {
            let there = archive.picture(&permit, read.id, &named.sha256).unwrap().unwrap();
            let was_sent = |event: &Event| matches!(event, Event::Picture(sent) if sent.jpeg[..] == there[..]);
            assert!(sent.iter().any(was_sent), "{}", named.role);
            pictures += 1;
        }
        let documents = sent.iter().filter_map(|event| match event {
            Event::Document(document) if !stored.documents.is_empty() => {
                Some((document.kind.clone(), document.body.clone()))
            }
            _ => None,
        });
        assert_eq!(stored.documents, documents.collect::<Vec<_>>());
    }
    assert_eq!((reads, pictures, depot.reads()), (2, 4, 2));
    // The golden file's one row was never the first of a log; all else fits.
    let problems = archive.check().unwrap().problems;
    assert!(problems.len() == 1 && problems[0].contains("row 1 does not follow row 0"), "{problems:?}");
}
