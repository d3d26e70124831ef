//! A database whose disk is really full.

use super::monitor::Running;
use crate::kit::disk::SmallDisk;
use crate::kit::objects::Objects;
use crate::kit::postgres::{Postgres, name_of};
use crate::kit::{Batch, Depot, VEHICLE, batch, body, pictures, pixels, post, receipt, record, seal};
use plated_core::wire::batch::SealedRead;
use plated_vehicle::transfer::{Answer, HttpsLink};
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

// policy: P-12
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_writes_after_a_failover_gives_no_receipt_and_the_station_goes_on_by_itself() {
    let Some(server) = block_in_place(Postgres::shared) else { return };
    let url = block_in_place(|| server.database());
    let mut depot = Depot::new();
    depot.on_postgres(&url, &Objects::shared().bucket());
    let address = depot.serve().await;
    let link = depot.link(address);
    let first = batch(VEHICLE, reads(READS));
    assert_eq!(receipt(&post(&link, body(&first)).await.unwrap()).reads.durable.len(), READS);

    // As a standby that took over and still refuses writes; connections to the one before are gone.
    let name = name_of(&url);
    let set = |what: &str| {
        server.sql("postgres", &format!("ALTER DATABASE {name} {what}"));
        let others = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        server.sql("postgres", &others);
    };
    block_in_place(|| set("SET default_transaction_read_only = on"));
    let second = batch(VEHICLE, reads(READS));
    for _ in 0..3 {
        let answer = post(&link, body(&second)).await.unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status == 503 && answer.retry_after.is_some(), "{} {text}", answer.status);
    }

    block_in_place(|| set("RESET default_transaction_read_only"));
    let answer = until_taken(&link, &second).await;
    assert_eq!(receipt(&answer).reads.durable.len(), READS);
    let status = block_in_place(|| depot.status());
    assert!(status.starts_with(&format!("reads {}\n", 2 * READS)), "{status}");
}

/// Sends a batch until it is taken: connections that were ended are found out one by one.
async fn until_taken(link: &HttpsLink, sent: &Batch) -> Answer {
    for _ in 0..20 {
        let answer = post(link, body(sent)).await.unwrap();
        if answer.status == 200 {
            return answer;
        }
        assert_eq!(answer.status, 503, "{}", String::from_utf8_lossy(&answer.body));
    }
    panic!("the station did not go on");
}
