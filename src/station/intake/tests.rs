use super::arrival::Parts;
use super::check::check;
use crate::archive::{Archive, Options, Retention, SqliteArchive};
use crate::key::ArchiveKey;
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Kind, Result};
use plated_core::record::ReadRecord;
use plated_core::wire::batch::{BatchCounts, BatchHeader, SealedRead, Verdicts};
use proptest::prelude::*;
use uuid::Uuid;

const RECORD: &str = include_str!("../../../tests/golden/read_record.json");

struct Bench {
    _dir: tempfile::TempDir,
    archive: SqliteArchive,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = ArchiveKey::of_tests();
        let options = Options { data: dir.path(), key, station: "station-1", retention: Retention::default() };
        let archive = SqliteArchive::open(&options).unwrap();
        Self { _dir: dir, archive }
    }

    fn send(&mut self, reads: Vec<SealedRead>) -> Result<Verdicts> {
        let header = BatchHeader {
            batch: Uuid::now_v7(),
            vehicle: "unit-7".into(),
            computer: None,
            sent: Timestamp::UNIX_EPOCH,
            waiting: None,
            audit_head: None,
            counts: BatchCounts::default(),
        };
        let parts = Parts { header, reads, documents: Vec::new(), rows: Vec::new(), pictures: Vec::new() };
        let checked = check(parts, Timestamp::UNIX_EPOCH);
        let outcome = self.archive.ingest(checked.batch.clone())?;
        Ok(checked.receipt("station-1", &outcome, Timestamp::UNIX_EPOCH).reads)
    }

    fn refusal(&mut self, read: SealedRead) -> String {
        let said = self.send(vec![read]).unwrap();
        assert_eq!(said.durable.len(), 0);
        said.refused[0].reason.clone()
    }
}

fn record() -> ReadRecord {
    ReadRecord { id: Uuid::now_v7(), images: Vec::new(), ..serde_json::from_str(RECORD).unwrap() }
}

fn seal(id: Uuid, text: String) -> SealedRead {
    SealedRead { id, sha256: Sha256::of(text.as_bytes()), record: text.into_bytes() }
}

fn seal_record(record: &ReadRecord) -> SealedRead {
    seal(record.id, serde_json::to_string(record).unwrap())
}

#[test]
fn a_bad_read_is_refused_with_its_reason_and_the_others_are_taken() {
    let mut bench = Bench::new();
    let good = seal_record(&record());
    let bad = seal(Uuid::now_v7(), "{\"text\":\"7ABC234\"}".into());
    let receipt = bench.send(vec![bad, good]).unwrap();
    assert_eq!((receipt.durable.len(), receipt.refused.len()), (1, 1));
    assert!(receipt.refused[0].reason.contains("not a read"));
    assert!(!receipt.refused[0].reason.contains("7ABC234"), "a reason never quotes the record");
}

#[test]
fn a_record_that_does_not_fit_its_seal_is_refused() {
    let mut bench = Bench::new();
    let record = record();
    let mut altered = seal_record(&record);
    altered.sha256 = Sha256::of(b"other");
    assert!(bench.refusal(altered).contains("hash"));
    assert!(bench.refusal(SealedRead { id: Uuid::now_v7(), ..seal_record(&record) }).contains("another id"));
    let other = ReadRecord { vehicle: "unit-8".into(), ..record.clone() };
    assert!(bench.refusal(seal_record(&other)).contains("another vehicle"));
    let unsorted = ReadRecord { id: Uuid::from_u128(7), ..record };
    assert!(bench.refusal(seal_record(&unsorted)).contains("version 7"));
}

#[test]
fn a_record_with_a_text_that_is_too_long_or_that_a_terminal_would_obey_is_refused_by_its_key() {
    let mut bench = Bench::new();
    let full = || -> serde_json::Value { serde_json::from_str(RECORD).unwrap() };
    let long = "A".repeat(1 << 20);
    let texts = ["7AB\0C", "\u{1b}[2J", "\u{9b}31m", "7ABC\u{202e}1", "7abc123", "7ABC 123", &long];
    let plates = ["/text", "/candidates/1/text", "/best/text", "/sightings/0/text", "/hits/0/text"];
    let names = ["/camera", "/state", "/hits/0/entries/1/entry/list"];
    let free = ["/hits/0/listed", "/hits/0/entries/0/entry/reason", "/hits/0/entries/0/entry/plate", "/made_by/reader"];
    let name_texts = ["a\0", "\u{1b}[2J", "a\u{202e}", &long];
    let free_texts = ["a\0b", "\u{1b}[2J", "\u{9b}31m", &long];
    let all = plates.iter().map(|key| (key, &texts[..]));
    let all = all.chain(names.iter().map(|key| (key, &name_texts[..])));
    let all = all.chain(free.iter().map(|key| (key, &free_texts[..])));
    let mut reads = Vec::new();
    let mut expected = Vec::new();
    for (key, texts) in all {
        for text in texts {
            let (mut value, id) = (full(), Uuid::now_v7());
            value["id"] = id.to_string().into();
            value["images"] = serde_json::json!([]);
            *value.pointer_mut(key).unwrap() = (*text).into();
            reads.push(seal(id, value.to_string()));
            let last = key.rsplit('/').next().unwrap();
            expected.push((id, last.to_owned()));
        }
    }
    let good = seal_record(&record());
    let good_id = good.id;
    reads.push(good);
    let receipt = bench.send(reads).unwrap();
    assert_eq!(receipt.durable.iter().map(|d| d.id).collect::<Vec<_>>(), [good_id], "the others go on");
    for (refusal, (id, key)) in receipt.refused.iter().zip(&expected) {
        assert_eq!(refusal.id, *id);
        let named = refusal.reason.contains(&format!("{key} ")) || refusal.reason.contains("more than 1 MiB");
        assert!(named && refusal.reason.len() < 200, "{key}: {}", refusal.reason);
        assert!(!refusal.reason.contains("7AB"), "a reason never quotes the record");
    }
    assert_eq!(receipt.refused.len(), expected.len());

    // Also under a key that this station does not know.
    let mut newer = full();
    newer["colour"] = serde_json::json!({ "seen": ["red", "\u{7}"] });
    newer["images"] = serde_json::json!([]);
    assert!(bench.refusal(seal(record().id, newer.to_string())).contains("another id"));
    let id = Uuid::now_v7();
    newer["id"] = id.to_string().into();
    assert!(bench.refusal(seal(id, newer.to_string())).contains("colour.seen holds a control character"));
}

// policy: P-12
#[test]
fn what_lists_and_officers_write_is_taken_as_the_vehicle_kept_it() {
    let mut bench = Bench::new();
    let mut record = record();
    let entry = &mut record.hits[0].entries[0].entry;
    entry.reason = "Driver José, \u{202e}see remarks — “armed” ♥ \u{200d}".into();
    entry.remarks = "x".repeat(60 << 10);
    entry.plate = "♥ 7abc-123*".into();
    record.hits[0].listed = "?ABC*".into();
    record.state = String::new();
    record.best.text = String::new();
    assert_eq!(bench.send(vec![seal_record(&record)]).unwrap().durable.len(), 1);
}

#[test]
fn a_full_disk_gives_no_receipt_and_takes_nothing_until_there_is_room() {
    let mut bench = Bench::new();
    bench.send(vec![seal_record(&record())]).unwrap();
    bench.archive.limit_pages(10).unwrap();
    let reads: Vec<ReadRecord> = (0..40).map(|_| record()).collect();
    let seal_all = || reads.iter().map(seal_record).collect::<Vec<_>>();
    assert_eq!(bench.send(seal_all()).unwrap_err().kind(), Kind::Storage);
    bench.archive.limit_pages(1_000_000).unwrap();
    assert_eq!(bench.send(seal_all()).unwrap().durable.len(), 40);
}

/// What the station has to understand of a record; everything else may be as it likes.
const ENVELOPE: [&str; 7] = ["id", "vehicle", "camera", "text", "confidence", "first_seen", "last_seen"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_record_is_answered_and_never_fails_the_batch(
        key in 0usize..16,
        value in prop::sample::select(vec!["null", "-1", "1e300", "\"\"", "\"x\"", "[]", "{}", "[[]]"]),
    ) {
        let record = record();
        let mut fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        let key = fields.keys().nth(key).unwrap().clone();
        fields.insert(key.clone(), serde_json::from_str(value).unwrap());
        let mut bench = Bench::new();
        let said = bench.send(vec![seal(record.id, serde_json::to_string(&fields).unwrap())]).unwrap();
        prop_assert_eq!(said.durable.len() + said.refused.len(), 1);
        let is_kept = ENVELOPE.contains(&&*key) && !(key == "camera" && value == "\"x\"")
            && !(key == "confidence" && ["-1", "1e300"].contains(&value));
        prop_assert!(!is_kept || said.refused.len() == 1, "{} {}", key, value);
    }
}
