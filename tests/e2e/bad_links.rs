//! Batches over links that break and over slow ones.

use crate::kit::proxy::BadLink;
use crate::kit::{Depot, link_to, pixels};
use crate::transfer_faults::{Memory, sender, until_empty};
use plated_core::wire::batch::SealedRead;
use plated_vehicle::transfer::Round;
use std::time::{Duration, Instant};

/// Every request would end by a limit for the whole of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_takes_many_times_the_time_out_arrives_as_long_as_something_moves() {
    let depot = Depot::new();
    let link = BadLink::start(depot.serve().await, 8_000).await;
    let outbox = Memory::default();
    let read = outbox.add(&pixels(1, 64_000));
    let slow = link_to(&depot, link.address, |settings| settings.timeout_s = 3.0);
    let begun = Instant::now();
    let sent = sender(&depot, &outbox, slow, 10).round().await;
    assert_eq!(sent.map_err(|e| e.chain()).unwrap(), Round::Sent);
    assert!(begun.elapsed() > Duration::from_secs(6), "{:?}", begun.elapsed());
    assert_eq!((outbox.transferred(), depot.stored(&read)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_slow_link_with_cuts_batches_are_small_and_all_arrive() {
    let depot = Depot::new();
    let link = BadLink::start(depot.serve().await, 32_000).await;
    let outbox = Memory::default();
    let reads: Vec<SealedRead> = (0..12).map(|n| outbox.add(&pixels(n, 15_000))).collect();
    let mut failed = 0;
    for behind in [30_000, 70_000, 50_000] {
        link.cut_next(behind);
        let mut sender = sender(&depot, &outbox, depot.link(link.address), 500);
        while outbox.transferred() < reads.len() {
            match sender.round().await {
                Ok(Round::Empty) => break,
                Ok(Round::Sent) => {}
                Err(_) => {
                    failed += 1;
                    break;
                }
            }
        }
    }
    until_empty(&mut sender(&depot, &outbox, depot.link(link.address), 500)).await;
    assert!(failed > 0);
    assert_eq!((outbox.transferred(), depot.reads()), (12, 12));
    assert!(reads.iter().all(|read| depot.stored(read) == 1) && !outbox.marked_twice());
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_take_no_more_of_a_link_than_they_are_allowed() {
    let depot = Depot::new();
    let address = depot.serve().await;
    let outbox = Memory::default();
    outbox.add(&pixels(1, 30_000));
    let limited = link_to(&depot, address, |settings| settings.bandwidth_kbit_s = Some(80));
    let begun = Instant::now();
    assert_eq!(until_empty(&mut sender(&depot, &outbox, limited, 10)).await, 0);
    // 30 KB and some more at 10 KB/s; the last piece is not waited for.
    assert!(begun.elapsed() > Duration::from_secs(2), "{:?}", begun.elapsed());
}
