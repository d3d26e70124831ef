//! Several computers with the certificate of one vehicle.

use crate::kit::process::{Station, until};
use crate::kit::{Batch, Depot, VEHICLE, batch, body, post, receipt, record, seal};
use plated_core::wire::Computer;
use plated_vehicle::transfer::HttpsLink;
use std::fs;
use uuid::Uuid;

async fn send(link: &HttpsLink, computer: Option<Computer>) {
    let sent = Batch { computer, ..batch(VEHICLE, vec![seal(&record(&[]))]) };
    let answer = post(link, body(&sent)).await.unwrap();
    assert_eq!(receipt(&answer).reads.durable.len(), 1, "its reads are taken");
}

fn computer() -> Computer {
    Computer { installation: random(), session: Uuid::now_v7() }
}

fn random() -> Uuid {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    Uuid::from_bytes(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloned_vehicle_computer_is_logged_as_a_security_event_and_shown_and_its_reads_are_taken() {
    let depot = Depot::new();
    let (_station, address, log) = Station::start_with_log(&depot);
    let link = depot.link(address);
    // An older vehicle; a new computer in its place; that one started again.
    let first = computer();
    send(&link, None).await;
    send(&link, Some(first)).await;
    let first = Computer { session: Uuid::now_v7(), ..first };
    send(&link, Some(first)).await;
    assert!(!depot.status().contains("SECURITY"), "{}", depot.status());

    let clone = computer();
    for one in [clone, first, clone, first, clone] {
        send(&link, Some(one)).await;
    }
    let status = depot.status();
    let line = status.lines().find(|line| line.starts_with("SECURITY")).unwrap();
    assert!(line.contains("SECURITY vehicle unit-7: several computers use its certificate; noticed 2 times, first "));
    assert!(status.contains("vehicle unit-7: 8 reads"), "{status}");
    let errors = || fs::read_to_string(&log).unwrap().lines().filter(|line| line.contains("ERROR")).count();
    until("the error in the log", || (errors() > 0).then_some(()));
    assert_eq!(errors(), 1, "{}", fs::read_to_string(&log).unwrap());
    assert!(fs::read_to_string(&log).unwrap().contains("Security: several computers send reads"));
}
