//! The form in which other programs are given alerts stays as it is (docs/reference/alerts-json.md).

use crate::kit::golden_record;
use plated_vehicle::store::{AlertMark, KeptAlert};
use plated_vehicle::subscribers::{AlertMessage, event};
use serde_json::Value;

const GOLDEN: &str = include_str!("../golden/alert.json");

#[test]
fn an_alert_for_another_program_reads_and_writes_as_the_golden_file() {
    let message: AlertMessage = serde_json::from_str(GOLDEN).unwrap();
    let written: Value = serde_json::from_str(&serde_json::to_string(&message).unwrap()).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(GOLDEN).unwrap());
    assert!(message.unverified && message.clock.is_none());
}

#[test]
fn an_alert_of_the_stream_goes_over_the_line_as_the_golden_file() {
    let message: AlertMessage = serde_json::from_str(GOLDEN).unwrap();
    let mark = AlertMark::parse("5f0c9c1e8f5c4b0e9d3b0123456789ab.2a").unwrap();
    let written = event(mark, serde_json::to_string(&message).unwrap()).written();
    assert_eq!(written, include_str!("../golden/alert_event.txt"));
}

// policy: P-06
#[test]
fn an_alert_says_what_the_hit_says_and_that_nobody_verified_it() {
    let read = golden_record();
    let hit = read.hits[0].clone();
    let message = AlertMessage::of(&KeptAlert { read: read.clone(), hit: hit.clone(), findings: Vec::new() }, &hit);
    assert!(message.unverified);
    assert_eq!((message.id, message.read, &message.text), (hit.id, read.id, &hit.text));
    assert_eq!((&message.entries, message.position), (&hit.entries, hit.position));
    assert_eq!((&message.differs, message.probability), (&hit.differs, hit.probability));
}
