//! Batches that fail before or after their commit, and receipts that are lost, cut off or of something else.

use crate::kit::Depot;
use crate::kit::car::{Car, ids, send_all};
use crate::kit::middle::{Middle, Wrong};
use crate::kit::process::Station;
use crate::kit::proxy::BadLink;
use tokio::task::block_in_place;

// policy: P-12
#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_batch_or_its_receipt_nothing_is_marked_early_and_all_of_it_arrives_once() {
    for depot in block_in_place(Depot::on_each_engine) {
        receipts(&depot).await;
    }
}

async fn receipts(depot: &Depot) {
    use Wrong::*;
    let (_station, address) = Station::start(depot);
    let middle = Middle::start(depot, address).await;
    let mut car = Car::new();
    // Leaves a receipt that can be sent again.
    car.put(false, [2_000, 9_000]);
    assert_eq!(send_all(&mut car.sender(depot, depot.link(middle.address), 10)).await, 0);
    let cuts = [1, 128, 256, 384, 512].map(CutsReceipt);
    for wrong in
        [FailsBefore, FailsAfter, LosesReceipt, ReceiptOfBefore, OtherContent, OtherRead].into_iter().chain(cuts)
    {
        let before = car.put.len();
        car.put(false, [2_000, 9_000]);
        car.put(true, [2_000, 9_000]);
        middle.plan([wrong]);
        let mut sender = car.sender(depot, depot.link(middle.address), 10);
        assert!(sender.round().await.is_err(), "{wrong:?}");
        drop(sender);
        assert_eq!(car.transferred() as usize, before, "{wrong:?}");
        let at_station = block_in_place(|| ids(&*depot.archive()).len());
        assert_eq!(at_station, if wrong == FailsBefore { before } else { before + 2 }, "{wrong:?}");
        block_in_place(|| car.assert_none_early(depot));
        car.reopen();
        assert_eq!(send_all(&mut car.sender(depot, depot.link(middle.address), 10)).await, 0, "{wrong:?}");
        assert_eq!(car.transferred() as usize, before + 2, "{wrong:?}");
    }
    car.put(false, [2_000, 9_000]);
    middle.plan([Twice]);
    assert_eq!(send_all(&mut car.sender(depot, depot.link(middle.address), 10)).await, 0);
    block_in_place(|| car.assert_all_at(depot));
}

// policy: P-12
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_at_every_4_kb_marks_nothing_early_and_every_read_arrives_once() {
    for depot in block_in_place(Depot::on_each_engine) {
        cut(&depot).await;
    }
}

async fn cut(depot: &Depot) {
    let (_station, address) = Station::start(depot);
    let link = BadLink::start(address, 0).await;
    let mut car = Car::new();
    for n in 0..3 {
        car.put(n == 1, [3_000, 12_000]);
    }
    let mut cuts = 0;
    for behind in (1..).map(|n| n * 4096) {
        link.cut_next(behind);
        // Each time by a new connection, as after a break.
        match car.sender(depot, depot.link(link.address), 10).round().await {
            Err(_) => {
                cuts += 1;
                assert_eq!(car.transferred(), 0, "cut behind {behind}");
            }
            Ok(_) => break,
        }
    }
    assert!(cuts >= 10, "{cuts}");
    assert_eq!(send_all(&mut car.sender(depot, depot.link(link.address), 10)).await, 0);
    block_in_place(|| car.assert_all_at(depot));
}
