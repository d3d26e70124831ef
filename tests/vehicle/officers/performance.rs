//! Performance tests while driving (control P-31).

use super::*;
use plated_access::signed;
use plated_core::performance::{Counts, Method, PerformanceTest};
use plated_core::record::MadeBy;
use plated_vehicle::performance::Miss;
use plated_vehicle::store::{DriveTest, KeptTest, NewTest};

fn begin_drive(camera: &str) -> Request {
    Request::StartDriveTest { camera: camera.into(), note: "rain".into(), reason: reason("yearly test") }
}

fn enter(plate: &str, state: &str) -> Request {
    Request::EnterTestPlate { plate: plate.into(), state: state.into(), reason: reason("yearly test") }
}

fn end_drive() -> Request {
    Request::EndDriveTest { misses: true, reason: reason("yearly test"), case: "26-1234".into() }
}

fn discard() -> Request {
    Request::DiscardDriveTest { reason: reason("yearly test") }
}

/// The drive test that goes on, and the results.
fn tests(vehicle: &Vehicle) -> (Option<DriveTest>, Vec<KeptTest>) {
    let (mut drive, mut tests) = (None, Vec::new());
    for reply in vehicle.ask(Request::PerformanceTests { limit: 10 }).unwrap() {
        match reply {
            Reply::DriveTest(going_on) => drive = Some(*going_on),
            Reply::Test(test) => tests.push(*test),
            other => panic!("{other:?}"),
        }
    }
    (drive, tests)
}

/// A camera reads this plate now.
fn sees(vehicle: &Vehicle, camera: &str, plate: &str, state: &str) {
    let mut new = read(plate);
    (new.record.camera, new.record.state) = (camera.into(), state.into());
    (new.record.first_seen, new.record.last_seen) = (vehicle.place.clock.wall(), vehicle.place.clock.wall());
    vehicle.store.put_read(&new).unwrap();
}

/// What was missed: on the plate, and read.
fn misses(replies: &[Reply]) -> Vec<(String, Option<String>)> {
    let miss = |reply: &Reply| match reply {
        Reply::Miss(miss) => {
            let Miss { plate, read, .. } = &**miss;
            Some((plate.text.clone(), read.as_ref().map(|r| format!("{} {}", r.text, r.state))))
        }
        _ => None,
    };
    replies.iter().filter_map(miss).collect()
}

/// The result of a replay.
fn replayed(counts: Counts) -> NewTest {
    NewTest {
        camera: "front".into(),
        method: Method::Replay { set: "autumn".into(), sha256: Sha256::of(b"autumn"), files: 2 },
        counts,
        made_by: MadeBy { plated: "0.1.0".into(), detector: "d1".into(), reader: "r1".into() },
        note: String::new(),
    }
}

fn counts(plates: u64, found: u64, exact: u64) -> Counts {
    Counts { plates, found, exact, texts: exact, folded: exact, extra: 0 }
}

// policy: P-31
#[test]
fn a_drive_test_compares_what_its_tester_entered_with_what_that_camera_read_meanwhile() {
    let vehicle = Vehicle::new("");
    sees(&vehicle, "front", "7AAA111", "CA"); // before it
    vehicle.place.clock.advance(Duration::from_secs(60));
    vehicle.ask(begin_drive("front")).unwrap();
    for (camera, plate, state) in
        [("front", "7ABC123", "CA"), ("front", "8XYZ9B7", "CA"), ("front", "812XKR", "CA"), ("rear", "4HNU635", "CA")]
    {
        vehicle.place.clock.advance(Duration::from_secs(10));
        sees(&vehicle, camera, plate, state);
    }
    for (plate, state) in [("7abc-123", "CA"), ("8XYZ987", ""), ("812XKR", "NV"), ("4HNU635", "CA"), ("7AAA111", "")] {
        vehicle.ask(enter(plate, state)).unwrap();
    }
    let vehicle = vehicle.again("");
    let (drive, results) = tests(&vehicle);
    assert_eq!((drive.map(|d| (d.camera, d.plates)), results.len()), (Some(("front".into(), 5)), 0));
    vehicle.place.clock.advance(Duration::from_secs(60));
    let replies = vehicle.ask(end_drive()).unwrap();
    let Reply::Test(kept) = &replies[0] else { panic!("{replies:?}") };
    let test = &kept.test;
    let want = Counts { plates: 5, found: 3, exact: 1, texts: 2, folded: 2, extra: 0 };
    assert_eq!((test.counts, &*test.camera, &*test.tester.user), (want, "front", "jdoe"));
    assert_eq!((&*test.note, test.at), ("rain", vehicle.place.clock.wall()));
    assert!(matches!(test.method, Method::Drive { until, .. } if until == test.at));
    assert_eq!((&*test.made_by.detector, &*test.made_by.reader), ("d1", "r1"));
    let missed = misses(&replies);
    assert_eq!(missed.len(), 4, "the worst first: {missed:?}");
    assert!(missed[0].1.is_none() && missed[1].1.is_none());
    assert!(missed.contains(&("8XYZ987".into(), Some("8XYZ9B7 CA".into()))), "{missed:?}");
    assert!(missed.contains(&("812XKR".into(), Some("812XKR CA".into()))), "{missed:?}");
    let (drive, results) = tests(&vehicle);
    assert!(drive.is_none() && results == [(**kept).clone()]);
    assert!(vehicle.refusal(end_drive()).contains("no drive test is going on"));
}

// policy: P-31, P-21
#[test]
fn each_step_of_a_test_is_on_record_and_its_result_holds_no_plate() {
    let vehicle = Vehicle::new("");
    vehicle.ask(begin_drive("front")).unwrap();
    sees(&vehicle, "front", "7ABC123", "CA");
    vehicle.ask(enter("8XYZ987", "")).unwrap();
    vehicle.ask(Request::TakeTestPlateBack { reason: reason("typed wrong") }).unwrap();
    vehicle.ask(enter("7ABC123", "CA")).unwrap();
    vehicle.ask(end_drive()).unwrap();
    let events = vehicle.events();
    assert_eq!(
        whats(&events),
        [
            What::DriveTestStarted,
            What::DriveTestPlate,
            What::DriveTestPlate,
            What::DriveTestPlate,
            What::SearchBack,
            What::PerformanceTest
        ]
    );
    assert_eq!((&events[1].subject["plate"], &events[2].subject["taken_back"]), (&"8XYZ987".into(), &"true".into()));
    let look = &events[4];
    assert_eq!((&look.subject["camera"], &look.subject["case"]), (&"front".into(), &"26-1234".into()));
    let kept = &events[5].subject;
    assert_eq!((&kept["camera"], &kept["plates"], &kept["exact"]), (&"front".into(), &"1".into(), &"1".into()));
    assert!(events.iter().all(|e| e.who.user == "jdoe"));
    let result = serde_json::to_string(&tests(&vehicle).1).unwrap();
    assert!(!result.contains("7ABC123"), "{result}");
    assert!(!kept.to_string().contains("7ABC123"));
}

// policy: P-31
#[test]
fn a_result_is_signed_with_the_vehicles_key_for_its_tester_and_one_that_was_changed_says_so() {
    let vehicle = Vehicle::new("");
    for exact in [470, 460] {
        let request = Request::KeepTest { test: replayed(counts(500, 480, exact)), reason: reason("yearly test") };
        vehicle.ask(request).unwrap();
    }
    let Vehicle { place, store, service } = vehicle;
    drop(service);
    store.close().unwrap();
    let hex = std::fs::read_to_string(place.dir.path().join("store.key")).unwrap();
    let conn = rusqlite::Connection::open(place.path()).unwrap();
    conn.execute_batch(&format!("PRAGMA key = \"x'{}'\";", hex.trim())).unwrap();
    let record: String =
        conn.query_row("SELECT record FROM performance_test WHERE number = 1", [], |row| row.get(0)).unwrap();
    let key = signed::key_of(record.as_bytes()).unwrap();
    let trust = plated_core::signing::Trust::only([key]);
    let purpose = plated_core::signing::Purpose::PERFORMANCE_TEST;
    let test: PerformanceTest = signed::open(record.as_bytes(), "the test", purpose, &trust).unwrap();
    assert_eq!((test.counts.exact, &*test.tester.user, test.tester.uid), (470, "jdoe", Some(1007)));
    // Of the second alone: the figures can stand in the first one's signature too.
    let change = "UPDATE performance_test SET record = replace(record, '460', '480') WHERE number = 2";
    assert_eq!(conn.execute(change, []).unwrap(), 1);
    drop(conn);
    let vehicle = Vehicle::at(place, "");
    let kept = tests(&vehicle).1;
    assert_eq!(kept.iter().map(|k| (k.number, k.genuine)).collect::<Vec<_>>(), [(2, false), (1, true)]);
}

// policy: P-31
#[test]
fn results_that_contradict_themselves_or_come_of_no_such_camera_are_refused() {
    let vehicle = Vehicle::new("");
    let keep = |test: NewTest| vehicle.refusal(Request::KeepTest { test, reason: reason("yearly test") });
    for counts in [counts(0, 0, 0), counts(10, 11, 1), counts(10, 5, 6)] {
        assert!(keep(replayed(counts)).contains("contradict"), "{counts:?}");
    }
    let unknown = NewTest { camera: "left".into(), ..replayed(counts(5, 5, 5)) };
    assert!(keep(unknown).contains("there are: front"));
    let method = Method::Drive { from: start(), until: start() };
    let drive = NewTest { method, ..replayed(counts(5, 5, 5)) };
    assert!(keep(drive).contains("plated performance end"));
    let long = NewTest { note: "x".repeat(501), ..replayed(counts(5, 5, 5)) };
    assert!(keep(long).contains("500 characters"));
    assert!(vehicle.refusal(begin_drive("left")).contains("there are: front"));
    assert!(tests(&vehicle).1.is_empty() && vehicle.events().is_empty());
}

#[test]
fn a_drive_test_is_its_testers_and_anybody_may_discard_it() {
    let vehicle = Vehicle::new("");
    assert!(vehicle.refusal(enter("7ABC123", "")).contains("begin one first"));
    assert!(vehicle.refusal(discard()).contains("begin one first"));
    let other = Actor::SystemUser(SystemUser { user: "mlee".into(), uid: 1008 });
    vehicle.service.answer(begin_drive("front"), &other, None, &mut |_| Ok(())).unwrap();
    let refused = vehicle.refusal(begin_drive("front"));
    assert!(refused.contains("mlee is testing the camera front"), "{refused}");
    assert!(vehicle.refusal(enter("7ABC123", "")).contains("that of mlee"));
    assert!(vehicle.refusal(end_drive()).contains("no plate was entered"));
    vehicle.service.answer(enter("7ABC123", ""), &other, None, &mut |_| Ok(())).unwrap();
    assert!(vehicle.refusal(end_drive()).contains("that of mlee"));
    for (plate, state, why) in [("7", "", "at least 2"), ("7AB?", "", "no plate has"), ("7ABC123", "XX", "no state")] {
        let refused = vehicle.service.answer(enter(plate, state), &other, None, &mut |_| Ok(())).unwrap_err();
        assert!(refused.chain().contains(why), "{refused}");
    }
    vehicle.ask(discard()).unwrap();
    let (drive, results) = tests(&vehicle);
    assert!(drive.is_none() && results.is_empty());
    assert_eq!(vehicle.events().pop().unwrap().what, What::DriveTestDiscarded);
}

// policy: P-31
#[test]
fn results_and_a_drive_test_come_over_from_a_store_that_was_set_aside() {
    let vehicle = Vehicle::new("");
    let request = Request::KeepTest { test: replayed(counts(500, 480, 470)), reason: reason("yearly test") };
    vehicle.ask(request).unwrap();
    vehicle.ask(begin_drive("front")).unwrap();
    vehicle.ask(enter("7ABC123", "CA")).unwrap();
    let before = tests(&vehicle);
    let Vehicle { place, store, service } = vehicle;
    drop(service);
    store.close().unwrap();
    let aside = place.beside(".old");
    std::fs::rename(place.path(), &aside).unwrap();
    let vehicle = Vehicle::at(place, "");
    assert_eq!(tests(&vehicle), (None, Vec::new()));
    vehicle.store.salvage(&aside).unwrap();
    assert_eq!(tests(&vehicle), before);
    assert!(before.1[0].genuine);
}
