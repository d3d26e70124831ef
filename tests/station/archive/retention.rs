//! What goes, when, and how it is proved; and what stays.

use super::{Engine, Make, add, at, id_at, ids, pictures, purge, read, search};
use crate::kit::store::{gate, permit};
use jiff::ToSpan;
use plated_access::{Actor, Case, HoldEvidence, Permit, Reason};
use plated_core::digest::Sha256;
use plated_core::error::Kind;
use plated_core::signing::{Signer, Trust};
use plated_station::archive::{Archive, CheckedRead, Class, DeletedPart, Document, NewHold, Query, Retention, SignedCertificate};
use uuid::Uuid;

pub fn suite(make: Make) {
    reads_go_on_the_366th_day_and_not_on_the_365th(make);
    each_class_has_its_own_time_and_pictures_of_fixed_sites_go_first(make);
    the_certificate_counts_only_as_it_was_signed(make);
    a_hold_survives_the_purge_and_its_reads_go_after_the_release(make);
    a_read_whose_clock_was_set_right_is_kept_from_its_real_time_on(make);
    what_was_deleted_stays_in_the_counts_and_may_come_again(make);
    reads_that_may_be_kept_for_minutes_go_one_by_one_and_the_certificate_names_them_all(make);
}

// policy: P-14, P-15
fn reads_that_may_be_kept_for_minutes_go_one_by_one_and_the_certificate_names_them_all(make: Make) {
    let engine = make(Retention { no_hit_minutes: Some(3), ..Retention::default() });
    let archive = engine.archive();
    let first = read(at("2026-11-26T11:58:00Z"), "7ABC123", Class::NoHit, &[b"a", b"s"]);
    let second = read(at("2026-11-26T11:59:00Z"), "7ABC124", Class::NoHit, &[b"b", b"s"]);
    let hit = read(at("2026-11-26T11:58:00Z"), "7ABC125", Class::Hit, &[b"h"]);
    let canvass = read(at("2026-11-26T11:58:00Z"), "7ABC126", Class::Canvass, &[]);
    // By a clock of the vehicle that is a year behind, or ahead: it counts from when it came.
    let behind = CheckedRead { id: id_at(at("2026-11-26T11:58:00Z")), ..read(at("2025-11-26T11:58:00Z"), "7ABC127", Class::NoHit, &[]) };
    let ahead = CheckedRead { id: id_at(at("2026-11-26T11:58:00Z")), ..read(at("2027-11-26T11:58:00Z"), "7ABC128", Class::NoHit, &[]) };
    let all = vec![first.clone(), second.clone(), hit.clone(), canvass.clone(), behind.clone(), ahead.clone()];
    add(archive, all, pictures(&[b"a", b"b", b"s", b"h"])); // at 12:00:00
    let new = NewHold { case: "26-1234".into(), reads: vec![second.id] };
    archive.hold(&hold(), &new, at("2026-11-26T12:00:00Z")).unwrap();
    assert!(archive.due(at("2026-11-26T12:00:29Z")).unwrap().is_empty());
    let over = |text: &str| {
        let certificate = archive.purge(&purge(), at(text)).unwrap();
        assert!(certificate.is_none(), "the certificate comes with the day");
    };
    over("2026-11-26T12:00:31Z");
    assert_eq!(archive.read(&search(), first.id).unwrap(), None);
    let shared = Sha256::of(b"s");
    assert!(archive.picture(&search(), first.id, &shared).unwrap().is_none());
    assert!(archive.picture(&search(), second.id, &shared).unwrap().is_some(), "the other still shows it");
    assert_eq!(archive.check().unwrap().problems, [""; 0]);
    over("2026-11-26T12:01:31Z");
    let mut left = ids(archive, &Query { limit: 500, ..Query::default() });
    left.sort_unstable();
    let mut expected = vec![second.id, hit.id, canvass.id, behind.id, ahead.id];
    expected.sort_unstable();
    assert_eq!(left, expected, "a hold keeps the second");
    over("2026-11-26T12:02:31Z");
    assert_eq!(ids(archive, &Query::default()).len(), 3);
    assert!(archive.due(at("2026-11-26T23:59:59Z")).unwrap().is_empty());
    // What comes again goes again, and counts once in the certificate.
    add(archive, vec![first.clone()], pictures(&[b"a", b"s"]));
    over("2026-11-26T12:03:00Z");
    assert_eq!(archive.statistics(at_day(), at_day()).unwrap().reads, 2);
    let certificate = archive.purge(&purge(), at("2026-11-27T00:00:30Z")).unwrap().unwrap();
    let part = certificate.open(&engine.trust()).unwrap().parts.remove(0);
    assert_eq!((part.class, part.kept_minutes, part.reads, part.pictures, part.held), (Class::NoHit, Some(3), 4, 4, 1));
    let mut named = vec![first.id, second.id, behind.id, ahead.id];
    named.sort_unstable();
    assert_eq!(part.ids_sha256, DeletedPart::hash_of(named));
    assert_eq!(archive.check().unwrap().problems, [""; 0]);
}

fn at_day() -> jiff::civil::Date {
    "2026-11-26".parse().unwrap()
}

fn hold() -> Permit<HoldEvidence> {
    permit()
}

// policy: P-14
fn reads_go_on_the_366th_day_and_not_on_the_365th(make: Make) {
    let engine = make(Retention::default());
    let archive = engine.archive();
    let first = read(at("2026-11-26T00:00:00Z"), "7ABC123", Class::NoHit, &[b"a"]);
    let last = read(at("2026-11-26T23:59:59.9Z"), "7ABC124", Class::NoHit, &[b"b"]);
    let next = read(at("2026-11-27T00:00:00Z"), "7ABC125", Class::NoHit, &[]);
    add(archive, vec![first.clone(), last.clone(), next.clone()], pictures(&[b"a", b"b"]));
    // The 365th day of the last one ends a moment before this; then it is 365 days old.
    let early = at("2027-11-26T23:59:59Z");
    assert!(archive.due(early).unwrap().is_empty());
    assert_eq!(archive.purge(&purge(), early).unwrap(), None);
    assert_eq!(ids(archive, &Query::default()).len(), 3);

    let day = at("2027-11-27T00:00:00Z");
    let due = archive.due(day).unwrap();
    assert_eq!((due.len(), due[0].reads, due[0].pictures_only), (1, 2, false));
    let certificate = archive.purge(&purge(), day).unwrap().unwrap().open(&engine.trust()).unwrap();
    assert_eq!(
        certificate.parts,
        [DeletedPart {
            day: "2026-11-26".parse().unwrap(),
            class: Class::NoHit,
            kept_days: 365,
            kept_minutes: None,
            pictures_only: false,
            reads: 2,
            pictures: 2,
            ids_sha256: DeletedPart::hash_of([first.id, last.id]),
            held: 0,
        }]
    );
    assert_eq!(ids(archive, &Query::default()), [next.id]);
    assert_eq!(archive.read(&search(), first.id).unwrap(), None);
    assert_eq!(archive.picture(&search(), first.id, &Sha256::of(b"a")).unwrap(), None);
    assert_eq!(archive.purge(&purge(), day).unwrap(), None, "once");
    assert_eq!(archive.certificates().unwrap().len(), 1);
}

// policy: P-14
fn each_class_has_its_own_time_and_pictures_of_fixed_sites_go_first(make: Make) {
    let retention = Retention { no_hit: 1, hit: 30, canvass: 10, fixed_site: 20, fixed_site_pictures: 5, no_hit_minutes: None };
    let engine = make(retention);
    let archive = engine.archive();
    let moment = at("2026-11-26T12:00:00Z");
    let all = Class::ALL.map(|class| read(moment, "7ABC123", class, &[b"a"]));
    add(archive, all.to_vec(), pictures(&[b"a"]));
    let sha256 = Sha256::of(b"a");
    let site = all[3].id;
    for day in 1..=32 {
        let now = moment.checked_add((day * 24).hours()).unwrap();
        let certificate = archive.purge(&purge(), now).unwrap();
        let gone: Vec<(Class, bool)> = certificate.map_or_else(Vec::new, |signed| {
            signed.open(&engine.trust()).unwrap().parts.iter().map(|part| (part.class, part.pictures_only)).collect()
        });
        let expected: &[(Class, bool)] = match day {
            2 => &[(Class::NoHit, false)],
            6 => &[(Class::FixedSite, true)],
            11 => &[(Class::Canvass, false)],
            21 => &[(Class::FixedSite, false)],
            31 => &[(Class::Hit, false)],
            _ => &[],
        };
        assert_eq!(gone, expected, "day {day}");
        assert_eq!(archive.picture(&search(), site, &sha256).unwrap().is_some(), day < 6, "day {day}");
        let stored = archive.read(&search(), site).unwrap();
        assert_eq!(stored.map(|read| read.found.envelope.pictures.len()), (day < 21).then_some(1), "day {day}");
    }
    assert!(ids(archive, &Query::default()).is_empty());
    assert_eq!(archive.check().unwrap().problems, [""; 0]);
}

// policy: P-14
fn the_certificate_counts_only_as_it_was_signed(make: Make) {
    let engine = make(Retention { no_hit: 1, ..Retention::default() });
    let archive = engine.archive();
    add(archive, vec![read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[])], Vec::new());
    let signed = archive.purge(&purge(), at("2026-11-28T00:00:00Z")).unwrap().unwrap();
    let certificate = signed.open(&engine.trust()).unwrap();
    assert_eq!((certificate.station.as_str(), certificate.at), ("station-1", at("2026-11-28T00:00:00Z")));
    assert_eq!(archive.certificates().unwrap(), std::slice::from_ref(&signed));
    assert!(!signed.as_str().contains("7ABC123"), "no plate is in it");
    let changed = signed.as_str().replace("\"reads\":1", "\"reads\":2");
    assert_ne!(changed, signed.as_str());
    assert_eq!(SignedCertificate::from_text(changed).open(&engine.trust()).unwrap_err().kind(), Kind::Refused);
    let stranger = Trust::only([Signer::generate().unwrap().public_key()]);
    assert_eq!(signed.open(&stranger).unwrap_err().kind(), Kind::Refused);
    let forged = SignedCertificate::sign(&certificate, &Signer::generate().unwrap()).unwrap();
    assert!(forged.open(&engine.trust()).is_err());
}

fn document(read: Uuid, number: u128) -> Document {
    let json = b"{\"disposition\":\"confirmed\"}";
    Document {
        id: Uuid::from_u128(number),
        kind: "disposition".into(),
        read: Some(read),
        sha256: Sha256::of(json),
        json: json[..].into(),
    }
}

// policy: P-15
fn a_hold_survives_the_purge_and_its_reads_go_after_the_release(make: Make) {
    let engine = make(Retention { hit: 10, ..Retention::default() });
    let archive = engine.archive();
    let moment = at("2026-11-26T12:00:00Z");
    let held = read(moment, "7ABC123", Class::Hit, &[b"evidence"]);
    let other = read(moment, "7ABC124", Class::Hit, &[b"other"]);
    let mut sent = super::batch(vec![held.clone(), other.clone()], pictures(&[b"evidence", b"other"]));
    sent.documents = vec![document(held.id, 1), document(other.id, 2)];
    archive.ingest(sent).unwrap();

    let begin = |case: &str, reads: &[Uuid]| {
        let reason = Reason::new("homicide, evidence").unwrap();
        let permit = gate().open(&Actor::of_this_process(), &reason, &Case::none(), serde_json::json!({})).unwrap();
        archive.hold(&permit, &NewHold { case: case.into(), reads: reads.to_vec() }, moment)
    };
    assert_eq!(begin("26-1", &[held.id, Uuid::now_v7()]).unwrap_err().kind(), Kind::NotFound, "all or nothing");
    assert_eq!(begin(" ", &[held.id]).unwrap_err().kind(), Kind::Input);
    assert!(archive.holds(&hold()).unwrap().is_empty());
    let first = begin("26-1", &[held.id, held.id]).unwrap();
    let second = begin("26-2", &[held.id]).unwrap();
    assert_eq!(
        (&*first.case, &*first.reason, first.since, &first.reads[..]),
        ("26-1", "homicide, evidence", moment, &[held.id][..])
    );
    assert_eq!(first.by.name, Actor::of_this_process().to_string());
    assert_eq!(archive.read(&search(), held.id).unwrap().unwrap().holds.len(), 2);
    assert_eq!(ids(archive, &Query::default()).len(), 2, "found once");

    let late = at("2027-11-26T12:00:00Z");
    let certificate = archive.purge(&purge(), late).unwrap().unwrap().open(&engine.trust()).unwrap();
    assert_eq!((certificate.parts[0].reads, certificate.parts[0].held), (2, 1));
    let is_here = |archive: &dyn Archive| {
        let stored = archive.read(&search(), held.id).unwrap();
        let picture = archive.picture(&search(), held.id, &Sha256::of(b"evidence")).unwrap();
        assert_eq!(stored.is_some(), picture.is_some_and(|picture| picture == b"evidence"[..]));
        assert_eq!(ids(archive, &Query::default()), stored.iter().map(|s| s.found.id).collect::<Vec<_>>());
        stored.is_some_and(|stored| stored.record == held.record && stored.documents.len() == 1)
    };
    assert!(is_here(archive));
    assert_eq!(archive.read(&search(), other.id).unwrap(), None);
    assert_eq!(archive.check().unwrap().problems, [""; 0]);

    let released = archive.release(&hold(), first.id, late).unwrap();
    assert!(released.released.is_some_and(|(when, _, why)| (when, &*why) == (late, "test")));
    assert!(is_here(archive), "the second hold has it");
    assert_eq!(archive.release(&hold(), first.id, late).unwrap_err().kind(), Kind::NotFound);
    archive.release(&hold(), second.id, late).unwrap();
    assert!(!is_here(archive));
    assert_eq!(archive.check().unwrap().documents, 0, "what was said of it went too");
    assert_eq!(archive.holds(&hold()).unwrap().len(), 2, "who held and released stays");
}

// policy: P-14
fn a_read_whose_clock_was_set_right_is_kept_from_its_real_time_on(make: Make) {
    let engine = make(Retention { no_hit: 10, ..Retention::default() });
    let archive = engine.archive();
    let mut new = read(at("2026-09-01T12:00:00Z"), "7ABC123", Class::NoHit, &[]);
    (new.envelope.first_seen, new.envelope.last_seen) = (at("2026-11-26T11:00:00Z"), at("2026-11-26T11:00:01Z"));
    add(archive, vec![new.clone()], Vec::new());
    let mut future = read(at("2026-11-01T12:00:00Z"), "7ABC124", Class::NoHit, &[]);
    future.envelope.first_seen = at("2099-01-01T00:00:00Z");
    add(archive, vec![future.clone()], Vec::new());
    assert_eq!(archive.purge(&purge(), at("2026-12-06T12:00:00Z")).unwrap(), None);
    archive.purge(&purge(), at("2026-12-07T12:00:00Z")).unwrap().unwrap();
    assert!(ids(archive, &Query::default()).is_empty());
}

fn what_was_deleted_stays_in_the_counts_and_may_come_again(make: Make) {
    let engine: Box<dyn Engine> = make(Retention { no_hit: 10, ..Retention::default() });
    let archive = engine.archive();
    let new = read(at("2026-11-01T12:00:00Z"), "7ABC123", Class::NoHit, &[]);
    for _ in 0..2 {
        add(archive, vec![new.clone()], Vec::new());
        archive.purge(&purge(), at("2026-11-26T12:00:00Z")).unwrap().unwrap();
    }
    let day = "2026-11-01".parse().unwrap();
    let counts = archive.statistics(day, day).unwrap();
    assert_eq!((counts.reads, counts.days[0].reads, counts.vehicles[0].reads), (0, 2, 2));
}
