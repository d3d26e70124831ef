//! Once and only once, exactly as it came.

use super::{Make, add, at, batch, durable, id_at, ids, pictures, read, search};
use plated_core::digest::Sha256;
use plated_station::HeadFault;
use plated_station::archive::{AuditRow, Class, Document, Query, Retention, Verdict};
use std::sync::Arc;
use uuid::Uuid;

pub fn suite(make: Make) {
    a_read_is_kept_once_exactly_as_it_came_with_words_that_the_station_does_not_know(make);
    other_content_under_an_id_is_refused_in_any_class_and_what_is_here_stays(make);
    a_read_whose_picture_is_missing_or_of_another_size_is_refused_and_the_others_are_taken(make);
    documents_and_rows_of_audit_logs_are_kept_once_and_a_rewritten_log_is_a_sign_of_a_breach(make);
    batches_of_many_vehicles_at_once_lose_and_double_nothing(make);
}

// policy: P-12
fn a_read_is_kept_once_exactly_as_it_came_with_words_that_the_station_does_not_know(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let moment = at("2026-11-26T10:00:00.25Z");
    let new = read(moment, "7ABC123", Class::NoHit, &[b"plate", b"overview"]);
    for _ in 0..3 {
        add(archive, vec![new.clone()], pictures(&[b"plate", b"overview"]));
        // Again without its pictures, as when only the receipt was lost: it is here.
        add(archive, vec![new.clone(), new.clone()], Vec::new());
    }
    assert_eq!(ids(archive, &Query::default()), [new.id]);
    let stored = archive.read(&search(), new.id).unwrap().unwrap();
    assert_eq!((&stored.record[..], &stored.found.envelope), (&new.record[..], &new.envelope));
    for picture in pictures(&[b"plate", b"overview"]) {
        assert_eq!(archive.picture(&search(), new.id, &picture.sha256).unwrap().unwrap(), picture.bytes);
    }
    assert_eq!(archive.picture(&search(), new.id, &Sha256::of(b"another")).unwrap(), None);
    assert_eq!(archive.read(&search(), id_at(moment)).unwrap(), None);
    let counts = archive.statistics("2026-11-26".parse().unwrap(), "2026-11-26".parse().unwrap()).unwrap();
    assert_eq!((counts.reads, counts.pictures, counts.picture_bytes, counts.days.len()), (1, 2, 13, 1));
    assert_eq!((&*counts.vehicles[0].vehicle, counts.vehicles[0].reads), ("unit-7", 1));
    let report = archive.check().unwrap();
    assert_eq!((report.reads, report.pictures, report.problems.len()), (1, 2, 0));
}

fn other_content_under_an_id_is_refused_in_any_class_and_what_is_here_stays(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let first = read(at("2026-11-26T10:00:00Z"), "7ABC123", Class::NoHit, &[]);
    add(archive, vec![first.clone()], Vec::new());
    for class in Class::ALL {
        let mut other = read(at("2026-11-26T10:00:00Z"), "OTHER", class, &[]);
        other.id = first.id;
        assert_eq!(archive.ingest(batch(vec![other], Vec::new())).unwrap().reads, [Verdict::OtherContent]);
    }
    // The same content under another class stands where it stood first.
    let mut again = first.clone();
    again.envelope.class = Class::Hit;
    add(archive, vec![again], Vec::new());
    assert_eq!(ids(archive, &Query::default()), [first.id]);
    assert_eq!(archive.read(&search(), first.id).unwrap().unwrap().record, first.record);
}

// policy: P-12
fn a_read_whose_picture_is_missing_or_of_another_size_is_refused_and_the_others_are_taken(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let moment = at("2026-11-26T10:00:00Z");
    let whole = read(moment, "7ABC123", Class::NoHit, &[b"shared"]);
    let hit = read(moment, "7ABC124", Class::Hit, &[b"shared"]);
    let missing = read(moment, "7ABC125", Class::NoHit, &[b"shared", b"missing"]);
    let mut size = read(moment, "7ABC126", Class::NoHit, &[b"shared"]);
    size.envelope.pictures[0].bytes += 1;
    let sent = batch(vec![whole.clone(), missing.clone(), hit.clone(), size], pictures(&[b"shared", b"no read's"]));
    let shared = Sha256::of(b"shared");
    assert_eq!(
        archive.ingest(sent).unwrap().reads,
        [
            Verdict::Durable,
            Verdict::PictureMissing(Sha256::of(b"missing")),
            Verdict::Durable,
            Verdict::PictureSize(shared)
        ]
    );
    assert_eq!(ids(archive, &Query::default()).len(), 2);
    for id in [whole.id, hit.id] {
        assert_eq!(archive.picture(&search(), id, &shared).unwrap().unwrap(), &b"shared"[..]);
    }
    add(archive, vec![missing], pictures(&[b"shared", b"missing"]));
}

// policy: P-22
fn documents_and_rows_of_audit_logs_are_kept_once_and_a_rewritten_log_is_a_sign_of_a_breach(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let about = read(at("2026-11-26T10:00:00Z"), "7ABC123", Class::Hit, &[]);
    let document = |json: &'static [u8]| Document {
        id: Uuid::from_u128(5),
        kind: "of_a_newer_vehicle".into(),
        read: Some(about.id),
        sha256: Sha256::of(json),
        json: json.into(),
    };
    let row = |number: i64, prev: &[u8], hash: &[u8]| AuditRow {
        log: Uuid::from_u128(9),
        number,
        prev: Sha256::of(prev),
        hash: Sha256::of(hash),
        is_changed: false,
        json: b"{}"[..].into(),
    };
    let send = |documents: Vec<Document>, audit_rows: Vec<AuditRow>| {
        let mut sent = batch(vec![about.clone()], Vec::new());
        (sent.documents, sent.audit_rows) = (documents, audit_rows);
        let outcome = archive.ingest(sent).unwrap();
        (outcome.documents, outcome.audit_rows, outcome.fault)
    };
    use Verdict::{Durable, OtherContent};
    for _ in 0..2 {
        let done = send(vec![document(b"[1]")], vec![row(1, b"", b"a"), row(2, b"a", b"b")]);
        assert_eq!(done, (vec![Durable], vec![Durable, Durable], None));
    }
    assert_eq!(send(vec![document(b"[2]")], vec![]).0, [OtherContent]);
    let (_, rows, fault) = send(vec![], vec![row(2, b"a", b"other"), row(3, b"other", b"c"), row(3, b"b", b"c")]);
    assert_eq!((rows, fault), (vec![OtherContent, OtherContent, Durable], Some(HeadFault::Rewritten)));
    let stored = archive.read(&search(), about.id).unwrap().unwrap();
    assert_eq!(stored.documents, [("of_a_newer_vehicle".to_owned(), b"[1]".to_vec())]);
    assert_eq!(archive.check().unwrap().problems, [""; 0]);
    // What is only odd is kept as evidence.
    let (_, rows, fault) = send(vec![], vec![row(6, b"e", b"f"), row(7, b"f", b"g")]);
    assert_eq!((rows, fault), (vec![Durable, Durable], Some(HeadFault::RowsMissing)));
    let (_, rows, fault) = send(vec![], vec![AuditRow { is_changed: true, ..row(8, b"g", b"h") }]);
    assert_eq!((rows, fault), (vec![Durable], Some(HeadFault::RowChanged)));
}

fn batches_of_many_vehicles_at_once_lose_and_double_nothing(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let moment = at("2026-11-26T10:00:00Z");
    let of = |vehicle: usize, n: usize| {
        let class = Class::ALL[n % 4];
        let mut new = read(moment, &format!("{vehicle}ABC{n}"), class, &[b"one", b"two"]);
        new.envelope.vehicle = format!("unit-{vehicle}");
        new
    };
    let all: Vec<Vec<_>> = (0..8).map(|vehicle| (0..12).map(|n| of(vehicle, n)).collect()).collect();
    let all = Arc::new(all);
    std::thread::scope(|scope| {
        for vehicle in 0..8 {
            let all = all.clone();
            scope.spawn(move || {
                // Each batch twice, and once more by another thread.
                for whose in [vehicle, vehicle, (vehicle + 1) % 8] {
                    for reads in all[whose].chunks(3) {
                        let done = archive.ingest(batch(reads.to_vec(), pictures(&[b"one", b"two"]))).unwrap();
                        assert_eq!(done, durable(reads.len()));
                    }
                }
            });
        }
    });
    let mut expected: Vec<Uuid> = all.iter().flatten().map(|read| read.id).collect();
    expected.sort();
    expected.reverse();
    assert_eq!(ids(archive, &Query::default()), expected);
    let report = archive.check().unwrap();
    assert_eq!((report.reads, report.pictures, report.problems.len()), (96, 192, 0), "{report:?}");
}
