//! A database whose disk is really full.

use super::monitor::Running;
use crate::kit::disk::SmallDisk;
use crate::kit::objects::Objects;
use crate::kit::postgres::Postgres;
use crate::kit::{Batch, Depot, VEHICLE, batch, body, pictures, pixels, post, receipt, record, seal};
use plated_core::wire::batch::SealedRead;
use tokio::task::block_in_place;

const READS: usize = 100;
/// What PostgreSQL puts into an empty database takes 8 MiB, and the station's tables less than one.
const MIB: u32 = 16;

fn reads(count: usize) -> Vec<SealedRead> {
    (0..count).map(|_| seal(&record(&[]))).collect()
}

// policy: P-12
#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_disk_is_full_gives_no_receipt_says_so_and_goes_on_when_there_is_room() {
    let Some(server) = block_in_place(Postgres::own) else { return };
    let small = server.dir().join("small");
    let Some(disk) = block_in_place(|| SmallDisk::mount(&small, MIB)) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let url = block_in_place(|| {
        server.own_path(&small);
        server.sql("postgres", &format!("CREATE TABLESPACE small LOCATION '{}'", small.display()));
        server.sql("postgres", "CREATE DATABASE small TABLESPACE small STRATEGY file_copy");
        server.url("small")
    });
    let mut depot = Depot::new();
    depot.on_postgres(&url, &Objects::shared().bucket());
    let station = block_in_place(|| Running::start(&depot, ""));
    let link = depot.link(station.address);

    let mut receipted = 0;
    let refused = loop {
        let sent = batch(VEHICLE, reads(READS));
        let answer = post(&link, body(&sent)).await.unwrap();
        if answer.status != 200 {
            break (answer, sent);
        }
        assert_eq!(receipt(&answer).reads.durable.len(), READS);
        receipted += READS;
        assert!(receipted < 100 * READS, "{MIB} MiB are not full");
    };
    let text = String::from_utf8_lossy(&refused.0.body).into_owned();
    assert!(refused.0.status == 507 && text.contains("nothing was taken"), "{} {text}", refused.0.status);
    let (_, health) = block_in_place(|| station.get("/healthz"));
    assert!(health.contains("batches can't be written since") && health.contains("its disk is full"), "{health}");
    // What was taken in is there, and can be looked at.
    let status = block_in_place(|| depot.well(&["status"]));
    assert!(status.starts_with(&format!("reads {receipted}\n")), "{status}");

    disk.grow(4 * MIB);
    let images = vec![pixels(1, 3000)];
    let more = Batch { pictures: pictures(&images), ..batch(VEHICLE, vec![seal(&record(&images))]) };
    for (sent, expected) in [(&refused.1, READS), (&more, 1)] {
        assert_eq!(receipt(&post(&link, body(sent)).await.unwrap()).reads.durable.len(), expected);
        receipted += expected;
    }
    let (_, health) = block_in_place(|| station.get("/healthz"));
    assert!(!health.contains("can't be written"), "{health}");
    let check = block_in_place(|| depot.well(&["check"]));
    assert!(
        check.starts_with(&format!("reads {receipted}\n")) && check.contains("everything fits its hash"),
        "{check}"
    );
    let log = block_in_place(|| station.terminate());
    assert!(log.contains("its disk is full (SQLSTATE 53100)") && !log.contains(&record(&[]).text), "{log}");
}
