//! Reads that officers correct (control P-30).

use super::*;
use crate::kit::store::{Place as StorePlace, open_read, permit, reads, rows, transfer};
use plated_core::officers::Correction;
use plated_core::record::Alerting;
use plated_vehicle::events::{Hub, Next};
use plated_vehicle::store::ReadEnd;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

fn correct(read: Uuid, plate: &str) -> Request {
    let (read, plate, case) = (read.to_string(), plate.to_owned(), "26-1234".to_owned());
    Request::Correct { read, plate, state: None, reason: reason("the last one is an 8"), case }
}

impl Vehicle {
    fn corrected(&self, read: Uuid, plate: &str) -> Correction {
        let replies = self.ask(correct(read, plate)).unwrap();
        let Reply::Corrected(correction) = &replies[0] else { panic!("{replies:?}") };
        (**correction).clone()
    }

    fn hits_of_the_hour(&self) -> Vec<plated_vehicle::store::KeptHit> {
        let hits = Request::Hits { window: 3600, reason: reason("end of shift"), case: String::new() };
        let kept = |reply| if let Reply::Hit(kept) = reply { Some(*kept) } else { None };
        self.ask(hits).unwrap().into_iter().filter_map(kept).collect()
    }
}

// policy: P-30
#[test]
fn the_original_the_correction_who_and_when_stay_together_and_the_sealed_read_stays_as_it_was() {
    let vehicle = Vehicle::new("");
    let read = vehicle.keep("7ABC123");
    let sealed = vehicle.store.outbox(transfer(), 10).unwrap().remove(0).sealed;
    vehicle.place.clock.advance(HOUR);
    let correction = vehicle.corrected(read.id, "7abc 128");
    assert_eq!((&*correction.original.text, &*correction.corrected.text), ("7ABC123", "7ABC128"));
    assert_eq!((&*correction.corrected.state, correction.read_sha256), ("CA", sealed.sha256));
    assert_eq!((correction.at, &*correction.by.user, &*correction.case), (start() + HOUR, "jdoe", "26-1234"));
    let after = vehicle.store.outbox(transfer(), 10).unwrap().remove(0).sealed;
    assert_eq!((after.sha256, after.record), (sealed.sha256, sealed.record));
    let event = vehicle.events().pop().unwrap();
    assert_eq!((event.what, &event.subject["corrected"]["text"]), (What::ReadCorrected, &"7ABC128".into()));
    // After a restart, and by the whole id as by its end.
    let vehicle = vehicle.again("");
    let end = read.id.simple().to_string().split_off(20);
    let kept = vehicle.store.find_read(&permit(), &ReadEnd::parse(&end).unwrap()).unwrap().unwrap();
    assert_eq!((kept.record, kept.corrections), (reads(&vehicle.store, 1).remove(0), vec![correction]));
    assert_eq!(check(&vehicle.place.path(), &vehicle.place.key).unwrap().problems(), 0);
}

// policy: P-30
#[test]
fn a_corrected_read_is_matched_again_and_its_hit_alerts_like_others_and_says_so() {
    let vehicle = Vehicle::new("");
    let events = Hub::default();
    vehicle.service.tell_events(events.clone());
    vehicle.ask(add("7ABC128")).unwrap();
    let counted: Arc<Mutex<(u64, u64)>> = Arc::default();
    let counting = counted.clone();
    vehicle.service.tell_count(Box::new(move |hits, alerts| {
        let mut counted = counting.lock().unwrap();
        *counted = (counted.0 + hits, counted.1 + alerts);
    }));
    let read = vehicle.keep("7ABC123");
    let correction = vehicle.corrected(read.id, "7ABC128");
    let [hit] = &correction.hits[..] else { panic!("{correction:?}") };
    assert_eq!((hit.rule, hit.alert, hit.correction), (Rule::Exact, Alerting::Sounded, Some(correction.id)));
    let mut subscription = events.resume(0);
    let Next::Event(_, event) = subscription.next(Duration::ZERO) else { panic!() };
    let announced = format!("{event:?}");
    assert!(announced.contains(&hit.id.to_string()) && announced.contains(&read.id.to_string()), "{announced}");
    let alert = vehicle.store.alert(&permit(), hit.id).unwrap().unwrap();
    assert_eq!((&alert.hit, alert.read.id), (hit, read.id));
    let raised: Vec<_> = rows(&vehicle.store).into_iter().map(|row| row.entry).collect();
    let raised: Vec<_> = raised.iter().filter(|entry| entry.action.as_str() == "alert_raised").collect();
    assert_eq!(raised.len(), 1, "on record as other alerts are");
    let named = |element: &str| raised[0].elements[element].clone();
    assert_eq!((named("hit"), named("plate")), (hit.id.to_string(), "7ABC128".to_owned()));
    assert_eq!((named("read"), named("correction")), (read.id.to_string(), correction.id.to_string()));
    assert_eq!(*counted.lock().unwrap(), (1, 1), "and counted");
    // It is a hit like others: listed, and an officer says what it was.
    let listed = vehicle.hits_of_the_hour();
    assert_eq!((listed.len(), &listed[0].hit, listed[0].read), (1, hit, read.id));
    let disposition =
        Request::Disposition { hit: hit.short(), finding: Finding::Correct, reason: reason("seen"), case: "".into() };
    vehicle.ask(disposition).unwrap();
    assert_eq!(vehicle.hits_of_the_hour()[0].disposition.as_ref().unwrap().finding, Finding::Correct);
    assert!(vehicle.corrected(read.id, "7ABC999").hits.is_empty());
}

// policy: P-30
#[test]
fn a_corrected_read_is_found_by_both_texts_once() {
    let vehicle = Vehicle::new("");
    let read = vehicle.keep("7ABC123");
    vehicle.keep("7ABC555");
    vehicle.corrected(read.id, "7ABX128");
    for (plate, expected) in
        [("7ABC123", &["7ABC123"][..]), ("7ABX128", &["7ABC123"]), ("7AB*12?", &["7ABC123"]), ("7AB?128", &["7ABC123"])]
    {
        let replies = vehicle.ask(search(plate, HOUR)).unwrap();
        assert_eq!(found(&replies), expected, "{plate}");
        let Reply::Read(found) = &replies[0] else { panic!() };
        assert_eq!(found.corrected.as_ref().unwrap().text, "7ABX128");
    }
    let all = vehicle.ask(search("7AB*", HOUR)).unwrap();
    assert_eq!(found(&all).len(), 2);
}

#[test]
fn what_is_no_correction_is_refused_with_what_to_do_and_changes_nothing() {
    let vehicle = Vehicle::new("");
    let read = vehicle.keep("7ABC123");
    let state = |state: &str| match correct(read.id, "7ABC128") {
        Request::Correct { read, plate, reason, case, .. } => {
            Request::Correct { read, plate, state: Some(state.into()), reason, case }
        }
        _ => unreachable!(),
    };
    for (request, message) in [
        (correct(read.id, "7ABC-123"), "says already"),
        (correct(read.id, ""), "at least 2"),
        (correct(read.id, "7ABC12*"), "no plate has"),
        (correct(read.id, "1234567890123"), "at most 12"),
        (state("ZZ"), "postal code"),
        (correct(Uuid::now_v7(), "7ABC128"), "no read"),
    ] {
        let refused = vehicle.refusal(request);
        assert!(refused.contains(message), "{message}: {refused}");
    }
    assert!(!whats(&vehicle.events()).contains(&What::ReadCorrected));
}

// policy: P-30
#[test]
fn a_correction_of_a_pass_that_goes_on_keeps_its_hit_when_the_pass_ends() {
    let vehicle = Vehicle::new("");
    vehicle.ask(add("7ABC128")).unwrap();
    let mut pass = open_read("7ABC123");
    vehicle.store.put_read(&pass).unwrap();
    vehicle.corrected(pass.record.id, "7ABC128");
    (pass.open, pass.record.looks) = (false, 9);
    vehicle.store.put_read(&pass).unwrap();
    assert_eq!(vehicle.hits_of_the_hour().len(), 1);
    assert_eq!(check(&vehicle.place.path(), &vehicle.place.key).unwrap().problems(), 0);
}

// policy: P-03, P-30
#[test]
fn corrections_with_their_hits_and_canvasses_come_over_from_a_damaged_store() {
    let vehicle = Vehicle::new("");
    vehicle.ask(add("7ABC128")).unwrap();
    vehicle.ask(Request::StartCanvass { incident: "26-77".into(), reason: reason("homicide") }).unwrap();
    let read = vehicle.keep("7ABC123");
    let correction = vehicle.corrected(read.id, "7ABC128");
    let Vehicle { place, store, service } = vehicle;
    drop(service);
    store.close().unwrap();
    let other = StorePlace { key: place.key.clone(), ..StorePlace::new() };
    let (store, _) = other.open();
    store.salvage(&place.path()).unwrap();
    let end = ReadEnd::parse(&read.id.to_string()).unwrap();
    assert_eq!(store.find_read(&permit(), &end).unwrap().unwrap().corrections, std::slice::from_ref(&correction));
    let hit = plated_vehicle::store::HitEnd::parse(&correction.hits[0].short()).unwrap();
    assert_eq!(store.find_hit(&permit(), &hit).unwrap().unwrap().hit, correction.hits[0]);
    assert_eq!(store.open_canvass().unwrap().unwrap().incident, "26-77");
    store.close().unwrap();
}
