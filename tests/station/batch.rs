//! A batch as it travels, its receipt, and that no bytes panic as one of them.

use crate::batch_entry_points;
use crate::kit::corpus;
use plated_core::digest::Sha256;
use plated_core::medium::Part;
use plated_core::wire::Computer;
use plated_core::wire::batch::{
    BatchCounts, BatchHeader, BatchPicture, BatchReader, BatchWriter, Event, Receipt, SealedDocument, SealedRead,
    SealedRow,
};
use serde_json::value::RawValue;
use uuid::Uuid;

const GOLDEN: &[u8] = include_bytes!("../golden/batch.plated");
const RECORD: &str = include_str!("../golden/read_record.json");
const CORRECTION: &str = include_str!("../golden/correction.json");
const AUDIT: &str = include_str!("../golden/audit.jsonl");

fn id(last: u16) -> Uuid {
    Uuid::from_u128(0x0192_f0c1_2345_7000_8000_0000_0000_0000 | u128::from(last))
}

/// What the golden file holds.
fn events() -> Vec<Event> {
    let counts = BatchCounts { reads: 1, pictures: 2, documents: 1, audit_rows: 1 };
    let header = BatchHeader {
        batch: id(0xb001),
        vehicle: "unit-7".into(),
        computer: Some(Computer { installation: id(1), session: id(2) }),
        sent: "2026-11-26T08:04:59Z".parse().unwrap(),
        waiting: None,
        audit_head: Some(RawValue::from_string("{\"signed\":\"head\"}".into()).unwrap()),
        counts,
    };
    let record = RECORD.trim().as_bytes().to_vec();
    let sha256 = Sha256::of(&record);
    let row = AUDIT.lines().nth(1).unwrap().as_bytes().to_vec();
    let picture = |jpeg: &[u8]| Event::Picture(BatchPicture { sha256: Sha256::of(jpeg), jpeg: jpeg.to_vec() });
    vec![
        Event::Header(header),
        Event::Read(SealedRead { id: id(0xa1), sha256, record }),
        Event::Document(SealedDocument {
            id: id(0xd1),
            ..SealedDocument::new("correction", CORRECTION.trim().as_bytes().to_vec())
        }),
        Event::AuditRow(SealedRow::new(id(1), 1, row)),
        picture(b"abc"),
        picture(b"def"),
        Event::End,
    ]
}

fn write(events: &[Event]) -> Vec<u8> {
    let Event::Header(header) = &events[0] else { panic!("no header") };
    let mut writer = BatchWriter::new(Vec::new(), header).unwrap();
    for event in &events[1..] {
        match event {
            Event::Read(read) => writer.read(read),
            Event::Document(document) => writer.document(document),
            Event::AuditRow(row) => writer.audit_row(row),
            Event::Picture(picture) => writer.picture(picture),
            Event::Header(_) | Event::End => Ok(()),
        }
        .unwrap();
    }
    writer.finish().unwrap()
}

fn read(mut bytes: &[u8]) -> Vec<Event> {
    let mut reader = BatchReader::new();
    let events = std::iter::from_fn(|| reader.next(&mut bytes).unwrap()).collect();
    reader.finish().unwrap();
    events
}

#[test]
fn a_batch_reads_as_the_golden_file_and_what_is_written_reads_the_same() {
    let expected = format!("{:?}", events());
    assert!(format!("{:?}", read(GOLDEN)) == expected);
    // The bytes may differ: another version of zstd may pack them in another way.
    assert!(format!("{:?}", read(&write(&events()))) == expected);
}

// policy: P-12
#[test]
fn a_batchs_receipt_reads_and_writes_as_the_golden_file() {
    let golden = include_str!("../golden/batch_receipt.json");
    let receipt: Receipt = serde_json::from_str(golden).unwrap();
    let written = serde_json::to_value(&receipt).unwrap();
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(golden).unwrap());
    assert_eq!((receipt.reads.durable.len(), receipt.reads.refused.len()), (1, 1));
}

// policy: P-11
#[test]
fn what_is_in_a_file_of_a_medium_reads_as_the_golden_file() {
    let part = Part::parse(include_bytes!("../golden/medium_part.bin").to_vec()).unwrap();
    assert_eq!((part.batch(), part.certificate()), (GOLDEN, &b"a certificate as DER"[..]));
    for other in [&b"PLATEDM2"[..], b"PLATEDM1", b""] {
        assert!(Part::parse(other.to_vec()).is_err());
    }
}

#[test]
fn no_bytes_panic_as_a_batch_or_as_its_receipt() {
    for (target, run) in batch_entry_points::TARGETS {
        corpus::run(target, run, 300);
    }
}
