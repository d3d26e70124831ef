//! The messages on the wire stay as they are: a golden file for each.

use plated_core::officers::{Correction, VehicleFinding};
use plated_core::performance::PerformanceTest;
use plated_core::record::{ClockMark, ReadRecord};
use plated_core::wire::{
    CertificateAnswer, CertificateRequest, ModelsDocument, Problem, SecurityReceipt, SecurityReport,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The golden text reads as `T`, and what is written again says the same.
fn round_trip<T: Serialize + DeserializeOwned>(golden: &str) -> T {
    let message: T = serde_json::from_str(golden).unwrap();
    let written: Value = serde_json::from_str(&serde_json::to_string(&message).unwrap()).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(golden).unwrap());
    message
}

#[test]
fn a_read_record_reads_and_writes_as_the_golden_file() {
    let record: ReadRecord = round_trip(include_str!("../golden/read_record.json"));
    assert_eq!((record.text.as_str(), record.hits[0].differs[0].listed), ("7ABC234", '1'));
    let (read, hit) = (record.position.unwrap(), record.hits[0].position.unwrap());
    assert_eq!((read.heading, hit.heading, read.error_m), (Some(271.5), None, Some(4.5)));
    assert!(read.metres_to(&hit) < 20.0);
}

#[test]
fn a_read_of_before_the_clock_was_trusted_says_so_as_in_the_golden_file() {
    let record: ReadRecord = round_trip(include_str!("../golden/read_record_clock.json"));
    assert_eq!((record.clock, record.position), (Some(ClockMark::NotTrusted), None));
}

#[test]
fn what_the_vehicle_looks_like_reads_and_writes_as_the_golden_file() {
    let record: ReadRecord = round_trip(include_str!("../golden/read_record_vehicle.json"));
    assert_eq!(record.appearance.unwrap().in_words(), "silver car");
    let differs = &record.hits[0].entries[0].vehicle_differs;
    assert_eq!(differs[0].in_words(), "list says MC, seen: car");
}

// policy: P-30
#[test]
fn a_correction_reads_and_writes_as_the_golden_file() {
    let correction: Correction = round_trip(include_str!("../golden/correction.json"));
    assert_eq!((&*correction.original.text, &*correction.corrected.text), ("7ABC234", "1ABC234"));
    assert_eq!(correction.hits[0].correction, Some(correction.id));
}

#[test]
fn a_finding_that_it_is_not_this_vehicle_reads_and_writes_as_the_golden_file() {
    let finding: VehicleFinding = round_trip(include_str!("../golden/vehicle_finding.json"));
    assert!(!finding.counts() && finding.speaks_of(&finding.entry, ""));
    assert!(!finding.speaks_of(&finding.entry, "CA"), "a plate of another state");
}

// policy: P-31
#[test]
fn a_performance_test_reads_and_writes_as_the_golden_file() {
    let test: PerformanceTest = round_trip(include_str!("../golden/performance_test.json"));
    assert!(test.counts.hold());
    assert_eq!((test.counts.end_to_end().part, test.counts.end_to_end().whole), (470, 500));
}

// policy: P-26
#[test]
fn a_security_report_and_its_receipt_read_and_write_as_the_golden_files() {
    let report: SecurityReport = round_trip(include_str!("../golden/security_report.json"));
    assert_eq!((report.version, report.events[0].row), (1, 42));
    let receipt: SecurityReceipt = round_trip(include_str!("../golden/security_receipt.json"));
    assert_eq!(receipt.durable, report.events.len());
}

// policy: P-26
#[test]
fn a_request_for_a_certificate_and_its_answer_read_and_write_as_the_golden_files() {
    let request: CertificateRequest = round_trip(include_str!("../golden/certificate_request.json"));
    assert_eq!((request.version, &*request.vehicle), (1, "unit-7"));
    let answer: CertificateAnswer = round_trip(include_str!("../golden/certificate_answer.json"));
    assert!(answer.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
}

#[test]
fn a_document_of_models_reads_and_writes_as_the_golden_file() {
    let document: ModelsDocument = round_trip(include_str!("../golden/models_document.json"));
    document.check().unwrap();
    let missing = ModelsDocument { files: document.files[..3].to_vec(), ..document.clone() };
    assert!(missing.check().unwrap_err().contains("reader.toml"));
    let mut outside = document;
    outside.files[0].name = "../detector.onnx".into();
    assert!(outside.check().unwrap_err().contains("plain name"));
}

#[test]
fn a_problem_reads_and_writes_as_the_golden_file() {
    let problem: Problem = round_trip(include_str!("../golden/problem.json"));
    assert!(problem.error.contains("full"));
}
