//! What is found is what a plain model finds.

use super::{Make, add, at, batch, ids, read, search};
use crate::kit::store::permit;
use jiff::ToSpan;
use plated_core::appearance::Looks;
use plated_core::area::Area;
use plated_core::digest::Sha256;
use plated_core::officers::{Correction, Reading};
use plated_core::user::Author;
use plated_core::wire::batch::SealedDocument;
use plated_station::archive::{CheckedRead, Class, Document, DocumentQuery, Plate, Query, Retention};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

pub fn suite(make: Make) {
    pages_go_on_where_the_one_before_ended_over_days_and_classes(make);
    a_plate_is_found_by_parts_of_it_and_o_is_zero(make);
    what_is_found_is_what_a_plain_model_finds(make);
    a_corrected_read_is_found_by_both_texts_and_shows_both(make);
    documents_are_listed_by_kind_vehicle_and_time(make);
    reads_are_found_by_what_the_vehicle_was_seen_as(make);
}

/// What somebody says that a read really says.
fn correction(read: &CheckedRead, text: &str, state: &str, minute: i64) -> Document {
    let reading = |text: &str, state: &str| Reading { text: text.into(), state: state.into() };
    let correction = Correction {
        id: Uuid::now_v7(),
        vehicle: "unit-7".into(),
        read: read.id,
        read_sha256: read.sha256,
        original: reading(&read.envelope.text, "CA"),
        corrected: reading(text, state),
        at: at("2026-11-26T12:00:00Z").checked_add(minute.minutes()).unwrap(),
        by: Author { user: "jdoe".into(), uid: None },
        reason: "seen on the picture".into(),
        case: String::new(),
        hits: Vec::new(),
    };
    let SealedDocument { id, sha256, kind, body } =
        SealedDocument::new("correction", serde_json::to_vec(&correction).unwrap());
    Document { id, kind, read: Some(read.id), sha256, json: body.into() }
}

// policy: P-30
fn a_corrected_read_is_found_by_both_texts_and_shows_both(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let reads: Vec<_> =
        [("2026-11-24T12:00:00Z", "7A8C123"), ("2026-11-25T12:00:00Z", "7A8C123"), ("2026-11-26T10:00:00Z", "4KLM567")]
            .map(|(moment, text)| read(at(moment), text, Class::NoHit, &[]))
            .into();
    let mut sent = batch(reads.clone(), Vec::new());
    // The newest counts, whenever it comes.
    sent.documents = vec![correction(&reads[0], "7ABC123", "NV", 2), correction(&reads[0], "7ABC124", "NV", 1)];
    archive.ingest(sent).unwrap();
    let find = |text: &str, change: fn(&mut Query)| {
        let mut query = Query { plate: Some(Plate::parse(text).unwrap()), ..Query::default() };
        change(&mut query);
        ids(archive, &query)
    };
    assert_eq!(find("7A8C123", |_| {}), [reads[1].id, reads[0].id]);
    assert_eq!(find("7ABC123", |_| {}), [reads[0].id]);
    assert_eq!(find("7AB*", |_| {}), [reads[0].id]);
    assert_eq!(find("7A*", |_| {}), [reads[1].id, reads[0].id], "once each");
    assert_eq!(find("7ABC124", |_| {}), Vec::<Uuid>::new(), "that was corrected again");
    assert_eq!(find("7ABC123", |query| query.state = Some("NV".into())), [reads[0].id]);
    assert_eq!(find("7ABC123", |query| query.state = Some("CA".into())), Vec::<Uuid>::new());
    assert_eq!(find("7ABC123", |query| query.vehicle = Some("unit-8".into())), Vec::<Uuid>::new());
    assert_eq!(find("7ABC123", |query| query.from = Some(at("2026-11-25T00:00:00Z"))), Vec::<Uuid>::new());
    assert_eq!(find("7A*", |query| query.limit = 1), [reads[1].id, reads[0].id], "over pages");
    let page = archive.search(&search(), &Query::default()).unwrap();
    let texts: Vec<_> =
        page.reads.iter().map(|f| (&*f.envelope.text, f.corrected.as_ref().map(|c| &*c.text))).collect();
    assert_eq!(texts, [("4KLM567", None), ("7A8C123", None), ("7A8C123", Some("7ABC123"))]);
    let stored = archive.read(&search(), reads[0].id).unwrap().unwrap();
    assert_eq!((stored.documents.len(), stored.found.corrected.unwrap().text), (2, "7ABC123".to_owned()));
}

fn reads_are_found_by_what_the_vehicle_was_seen_as(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let seen = |minute: i64, appearance: &str| {
        let moment = at("2026-11-26T10:00:00Z").checked_add(minute.minutes()).unwrap();
        let mut one = read(moment, "7ABC123", Class::NoHit, &[]);
        let record = format!("{{\"id\":\"{}\",\"text\":\"7ABC123\"{appearance}}}", one.id);
        (one.sha256, one.record) = (Sha256::of(record.as_bytes()), record.into_bytes().into());
        one
    };
    let white = r#","appearance":{"class":{"is":"pickup","confidence":0.9},"colour":{"is":"white","confidence":0.8}}"#;
    let car = r#","appearance":{"class":{"is":"car","confidence":0.9}}"#;
    let reads = vec![seen(0, white), seen(1, car), seen(2, "")];
    let ids_of: Vec<_> = reads.iter().map(|read| read.id).collect();
    archive.ingest(batch(reads, Vec::new())).unwrap();
    let find = |class: Option<&str>, colour: Option<&str>| {
        let looks = Looks { class: class.map(Into::into), colour: colour.map(Into::into), make: None };
        ids(archive, &Query { looks, ..Query::default() })
    };
    assert_eq!(find(Some("pickup"), Some("white")), [ids_of[0]]);
    assert_eq!(find(Some("car"), None), [ids_of[1]]);
    assert_eq!(find(Some("car"), Some("white")), Vec::<Uuid>::new());
}

fn documents_are_listed_by_kind_vehicle_and_time(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let about = read(at("2026-11-26T10:00:00Z"), "7A8C123", Class::NoHit, &[]);
    let mut sent = batch(vec![about.clone()], Vec::new());
    sent.documents = vec![correction(&about, "7ABC123", "CA", 0)];
    archive.ingest(sent).unwrap();
    let list = |change: fn(&mut DocumentQuery)| {
        let mut query = DocumentQuery { kind: "correction".into(), limit: 10, ..DocumentQuery::default() };
        change(&mut query);
        archive.documents(&permit(), &query).unwrap().len()
    };
    assert_eq!(list(|_| {}), 1);
    assert_eq!(list(|query| query.vehicle = Some("unit-7".into())), 1);
    assert_eq!(list(|query| query.from = Some(at("2026-11-26T12:00:00Z"))), 1);
    assert_eq!(list(|query| query.kind = "disposition".into()), 0);
    assert_eq!(list(|query| query.vehicle = Some("unit-8".into())), 0);
    assert_eq!(list(|query| query.until = Some(at("2026-11-26T12:00:00Z"))), 0);
}

fn pages_go_on_where_the_one_before_ended_over_days_and_classes(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let start = at("2026-11-20T12:00:00Z");
    let reads: Vec<_> = (0..60)
        .map(|n| read(start.checked_add((n * 2).hours()).unwrap(), "7ABC123", Class::ALL[n as usize % 4], &[]))
        .collect();
    add(archive, reads.clone(), Vec::new());
    let mut expected: Vec<Uuid> = reads.iter().map(|r| r.id).collect();
    expected.reverse();
    for limit in [1, 7, 30, 59, 60, 61, 0] {
        assert_eq!(ids(archive, &Query { limit, ..Query::default() }), expected, "{limit}");
        let plate = Some(Plate::parse("7AB*").unwrap());
        assert_eq!(ids(archive, &Query { limit, plate, ..Query::default() }), expected, "{limit}");
    }
}

fn a_plate_is_found_by_parts_of_it_and_o_is_zero(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let moment = at("2026-11-26T12:00:00Z");
    add(archive, vec![read(moment, "7ABO123", Class::NoHit, &[])], Vec::new());
    let finds =
        |text: &str| ids(archive, &Query { plate: Some(Plate::parse(text).unwrap()), ..Query::default() }).len();
    for text in ["7ABO123", "7ab0 123", "7AB*", "*O123", "?AB0*", "7*3*", "7AB?123"] {
        assert_eq!(finds(text), 1, "{text}");
    }
    for text in ["7ABO12", "7AB*4", "?7AB*", "*B012"] {
        assert_eq!(finds(text), 0, "{text}");
    }
}

/// Whether a read fits, looked at one by one.
fn fits(read: &CheckedRead, query: &Query) -> bool {
    let e = &read.envelope;
    let plate = query.plate.as_ref().is_none_or(|plate| match plate {
        Plate::Whole(key) => *key == e.key,
        Plate::Partial(_, text) => glob(text.as_bytes(), e.key.as_bytes()),
    });
    let area = query.area.is_none_or(|area| {
        e.position.is_some_and(|p| {
            let [south, west, north, east] = area.bounds();
            (south..=north).contains(&p.lat) && (west..=east).contains(&p.lon) && area.holds((p.lat, p.lon))
        })
    });
    plate
        && area
        && query.state.as_ref().is_none_or(|state| *state == e.state)
        && query.camera.as_ref().is_none_or(|camera| *camera == e.camera)
        && query.vehicle.as_ref().is_none_or(|vehicle| *vehicle == e.vehicle)
        && query.class.is_none_or(|class| class == e.class)
        && query.canvass.as_ref().is_none_or(|canvass| Some(canvass) == e.canvass.as_ref())
        && query.from.is_none_or(|from| e.last_seen >= from)
        && query.until.is_none_or(|until| e.first_seen < until)
        && (!query.hits_only || e.has_hit)
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if glob(rest, text) => true,
        (Some((b'*', _)), Some((_, text))) => glob(pattern, text),
        (Some((b'?', pattern)), Some((_, text))) => glob(pattern, text),
        (Some((p, pattern)), Some((t, text))) => p == t && glob(pattern, text),
        _ => false,
    }
}

fn a_read() -> impl Strategy<Value = CheckedRead> {
    ("[AB1]{3,5}", 0..96_i64, 0..4_usize, 0..3_usize, 0..2_usize, prop::option::of(0..40_i32), 0..3_i64).prop_map(
        |(plate, hours, class, camera, state, place, lasts)| {
            let moment = at("2026-11-22T00:30:00Z").checked_add(hours.hours()).unwrap();
            let mut read = read(moment, &plate, Class::ALL[class], &[]);
            let e = &mut read.envelope;
            e.last_seen = moment.checked_add((lasts * 20).minutes()).unwrap();
            e.camera = ["front", "left", "rear"][camera].into();
            e.vehicle = ["unit-1", "unit-2"][camera % 2].into();
            e.state = ["CA", "NV"][state].into();
            e.position = place.and_then(|n| {
                e.position.map(|p| plated_core::position::Position { lat: 38.0 + f64::from(n) / 1000.0, ..p })
            });
            read
        },
    )
}

fn a_query() -> impl Strategy<Value = Query> {
    let plate =
        prop::option::of(prop_oneof!["[AB1]{3,5}", "[AB1]{2}[?*]{1,2}", "[?*][AB1]{2,3}", "[AB1][*?][AB1]{1,2}\\*"]);
    let time = || prop::option::weighted(0.3, 0..100_i64);
    let area = prop::option::weighted(0.3, (0..40_i32, 200.0..3000.0_f64, any::<bool>()));
    let words = (prop::option::weighted(0.2, 0..2_usize), prop::option::weighted(0.2, 0..3_usize), any::<bool>());
    let rest = (prop::option::weighted(0.2, 0..4_usize), prop::bool::weighted(0.2), 1..12_usize);
    (plate, time(), time(), area, words, rest).prop_map(|(plate, from, until, area, words, rest)| {
        let hour = |n: i64| at("2026-11-22T00:00:00Z").checked_add(n.hours()).unwrap();
        let (state, camera, by_vehicle) = words;
        let (class, hits_only, limit) = rest;
        let camera = camera.map(|n| ["front", "left", "rear"][n].to_owned());
        Query {
            plate: plate.and_then(|text| Plate::parse(&text).ok()),
            state: state.map(|n| ["CA", "NV"][n].into()),
            from: from.map(hour),
            until: until.map(hour),
            vehicle: (by_vehicle && camera.is_none()).then(|| "unit-1".into()),
            camera,
            area: area.map(|(n, metres, round)| {
                let (lat, lon) = (38.0 + f64::from(n) / 1000.0, -121.27);
                match round {
                    true => Area::Around { lat, lon, metres },
                    false => Area::Box { south: lat - 0.005, west: -122.0, north: lat + 0.005, east: -121.0 },
                }
            }),
            class: class.map(|n| Class::ALL[n]),
            looks: Looks::default(),
            canvass: None,
            hits_only,
            after: None,
            limit,
        }
    })
}

fn what_is_found_is_what_a_plain_model_finds(make: Make) {
    let mut runner = TestRunner::new(Config { cases: 8, failure_persistence: None, ..Config::default() });
    let cases = (prop::collection::vec(a_read(), 1..80), prop::collection::vec(a_query(), 1..25));
    runner
        .run(&cases, |(reads, queries)| {
            let engine = make(Retention::default());
            add(engine.archive(), reads.clone(), Vec::new());
            for query in queries {
                let mut expected: Vec<Uuid> = reads.iter().filter(|read| fits(read, &query)).map(|r| r.id).collect();
                expected.sort();
                expected.reverse();
                prop_assert_eq!(ids(engine.archive(), &query), expected, "{:?}", query);
            }
            Ok(())
        })
        .unwrap();
}
