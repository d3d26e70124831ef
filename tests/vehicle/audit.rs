//! The audit log in the vehicle's store: what somebody did to it is found, and outlasts the store.

use crate::kit::store::{Place, hit, permit, read, rows};
use plated_access::audit::{Entry, LogReport};
use plated_access::{Actor, Breach, Case, Gate, Reason, Search as Access, Settings};
use plated_core::clock::{Clock, ManualClock, TrustedClock};
use plated_core::record::Alerting;
use plated_core::user::SystemUser;
use plated_vehicle::store::{KeptBreach, Key, NewRead, Store, check, verify_audit};
use serde_json::json;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Somebody looks so many times.
fn look(store: &Store, times: usize) {
    let (gate, _) = Gate::new(Arc::new(store.clone()), Settings::default());
    let officer = Actor::SystemUser(SystemUser { user: "jdoe".into(), uid: 1007 });
    for n in 0..times {
        let (why, case) = (Reason::new("traffic stop").unwrap(), Case::new("26-1234").unwrap());
        gate.open::<Access>(&officer, &why, &case, json!({"plate": format!("7ABC12{n}")})).unwrap();
    }
}

fn raw(place: &Place) -> rusqlite::Connection {
    let hex = std::fs::read_to_string(place.dir.path().join("store.key")).unwrap();
    let conn = rusqlite::Connection::open(place.path()).unwrap();
    conn.execute_batch(&format!("PRAGMA key = \"x'{}'\";", hex.trim())).unwrap();
    conn
}

fn verify(place: &Place) -> Vec<LogReport> {
    verify_audit(&place.path(), &place.key).unwrap()
}

fn faults(place: &Place) -> Vec<String> {
    verify(place).iter().flat_map(|log| log.rows.faults.iter().map(ToString::to_string)).collect()
}

// policy: P-21, P-22
#[test]
fn what_is_on_record_is_a_chain_up_to_a_signed_head_and_names_who_what_why_and_case() {
    let place = Place::new();
    let (store, _) = place.open();
    look(&store, 3);
    let rows = rows(&store);
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(rows.windows(2).all(|pair| pair[1].prev == pair[0].hash));
    let entry = &rows[2].entry;
    assert_eq!(
        (entry.actor.name.as_str(), entry.actor.uid, entry.action.as_str()),
        ("jdoe", Some(1007), "search_back")
    );
    assert_eq!((entry.reason.as_str(), entry.case.as_deref()), ("traffic stop", Some("26-1234")));
    assert_eq!(entry.elements["plate"], "7ABC122");
    store.close().unwrap();
    let report = verify(&place).remove(0);
    assert!(report.rows.is_whole() && report.problems.is_empty());
    assert_eq!((report.rows.rows, report.rows.signed), (3, 3));
}

// policy: P-22
#[test]
fn a_changed_missing_reordered_or_cut_off_row_is_found_and_named() {
    for (change, expected) in [
        ("UPDATE audit SET entry = replace(entry, '7ABC121', '7ABC129') WHERE number = 2", "row 2 was changed"),
        ("DELETE FROM audit WHERE number = 2", "row 2 is missing"),
        ("UPDATE audit SET id = 9 WHERE number = 2", "row 2 is out of order, after row 4"),
        ("DELETE FROM audit WHERE number > 2", "the log is cut off after row 2: row 4 was signed"),
        ("DELETE FROM audit", "the log is cut off after row 0: row 4 was signed"),
    ] {
        let place = Place::new();
        let (store, _) = place.open();
        look(&store, 4);
        store.close().unwrap();
        let conn = raw(&place);
        conn.execute_batch("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_removed;").unwrap();
        conn.execute_batch(change).unwrap();
        drop(conn);
        assert_eq!(faults(&place), [expected], "{change}");
        let report = check(&place.path(), &place.key).unwrap();
        let problems: Vec<&String> = report.checked.iter().flat_map(|checked| &checked.problems).collect();
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{problems:?}");
    }
}

// policy: P-22
#[test]
fn rows_that_were_cut_off_stay_missing_when_the_log_goes_on() {
    let place = Place::new();
    let (store, _) = place.open();
    look(&store, 4);
    store.close().unwrap();
    let conn = raw(&place);
    conn.execute_batch("DROP TRIGGER audit_is_not_removed; DELETE FROM audit WHERE number > 2;").unwrap();
    drop(conn);
    let (store, _) = place.open();
    look(&store, 1);
    store.close().unwrap();
    assert_eq!(faults(&place), ["rows 3 to 4 are missing"]);
}

// policy: P-22
#[test]
fn a_log_whose_head_was_changed_ends_and_another_one_begins_so_that_officers_can_go_on() {
    let place = Place::new();
    let (store, _) = place.open();
    look(&store, 2);
    store.close().unwrap();
    let conn = raw(&place);
    conn.execute_batch("UPDATE audit_log SET head = replace(head, '\"number\":2', '\"number\":1');").unwrap();
    drop(conn);
    let (store, _) = place.open();
    look(&store, 1);
    let seen: Vec<String> = rows(&store).iter().map(|row| row.entry.action.to_string()).collect();
    assert_eq!(seen, ["audit_log_begun", "search_back"]);
    store.close().unwrap();
    let logs = verify(&place);
    assert!(logs[0].ended && logs[0].problems[0].contains("changed after it was signed"), "{logs:?}");
    assert!(!logs[1].ended && logs[1].rows.is_whole() && logs[1].problems.is_empty(), "{logs:?}");
}

// policy: P-22
#[test]
fn the_log_of_a_store_that_was_set_aside_comes_over_as_it_is_and_the_new_one_says_so() {
    let place = Place::new();
    let (store, _) = place.open();
    look(&store, 3);
    let mut new = read("7ABC123");
    new.record.hits.push(hit("svs"));
    store.put_read(&new).unwrap();
    let before = rows(&store);
    store.close().unwrap();
    let old = place.beside(".old");
    std::fs::rename(place.path(), &old).unwrap();
    let (store, _) = place.open();
    look(&store, 1);
    store.salvage(&old).unwrap();
    let again = store.salvage(&old).unwrap();
    assert_eq!(again.rows, 0, "it came over once");
    let permit = permit();
    let logs = store.audit_logs(&permit).unwrap();
    assert_eq!(logs.iter().map(|log| log.ended).collect::<Vec<_>>(), [true, false]);
    assert_eq!(store.audit_rows(&permit, logs[0].id, 0, 100).unwrap(), before);
    let told = rows(&store).remove(1);
    assert_eq!(told.entry.action.as_str(), "audit_log_brought_over");
    assert_eq!(told.entry.elements["log"], logs[0].id.to_string());
    store.close().unwrap();
    assert!(verify(&place).iter().all(|log| log.rows.is_whole() && log.problems.is_empty()));
    assert_eq!(check(&place.path(), &place.key).unwrap().problems(), 0);
}

// policy: P-22
#[test]
fn a_log_whose_signed_head_is_lost_with_its_store_is_counted_and_its_rows_come_over() {
    let place = Place::new();
    let (store, _) = place.open();
    look(&store, 3);
    store.close().unwrap();
    let conn = raw(&place);
    conn.execute_batch("DROP TRIGGER audit_log_is_not_removed; DELETE FROM audit_log;").unwrap();
    drop(conn);
    let old = place.beside(".old");
    std::fs::rename(place.path(), &old).unwrap();
    let (store, _) = place.open();
    let salvaged = store.salvage(&old).unwrap();
    assert_eq!((salvaged.lost_logs, salvaged.rows), (1, 3));
    assert!(salvaged.to_string().contains("the signed head of 1 audit log can't be read"), "{salvaged}");
    store.close().unwrap();
}

/// Rows of this action.
fn of(store: &Store, action: &str) -> Vec<Entry> {
    rows(store).into_iter().map(|row| row.entry).filter(|entry| entry.action.as_str() == action).collect()
}

// policy: P-22
#[test]
fn an_alert_is_on_record_once_with_the_read_that_keeps_it_and_a_record_that_fails_keeps_no_read_out() {
    let place = Place::new();
    let (store, _) = place.open();
    let mut new = NewRead { open: true, ..read("7ABC123") };
    let mut quiet = hit("svs");
    quiet.alert = Alerting::Candidate;
    new.record.hits.extend([hit("svs"), quiet]);
    store.put_read(&new).unwrap();
    store.put_read(&NewRead { open: false, ..new.clone() }).unwrap();
    let raised = of(&store, "alert_raised");
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert_eq!((raised[0].actor.name.as_str(), &*raised[0].elements["list"]), ("monitor", "svs"));
    assert_eq!(raised[0].elements["hit"], new.record.hits[0].id.to_string());
    raw(&place)
        .execute_batch("CREATE TRIGGER fault BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'fault'); END;")
        .unwrap();
    let mut other = read("6DEF128");
    other.record.hits.push(hit("svs"));
    store.put_read(&other).unwrap();
    assert_eq!(store.stats().unwrap().reads, 2);
}

// policy: P-22
#[test]
fn another_configuration_than_at_the_last_start_is_on_record_by_its_sections_and_without_its_values() {
    let place = Place::new();
    let (store, _) = place.open();
    let sections = |password: &str| {
        let all = [("alert", "sound = true".to_owned()), ("sources", format!("url = \"rtsp://u:{password}@cam\""))];
        all.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
    };
    for password in ["one", "one", "two"] {
        store.note_configuration(&sections(password)).unwrap();
    }
    store.note_configuration(&[("alert".to_owned(), "sound = true".to_owned())].into()).unwrap();
    let noted = of(&store, "configuration_changed");
    let changed: Vec<&str> = noted.iter().map(|entry| &*entry.elements["sections"]).collect();
    assert_eq!(changed, ["alert sources", "sources", "sources"]);
    assert!(!serde_json::to_string(&noted).unwrap().contains("rtsp"));
}

// policy: P-26
#[test]
fn a_clock_that_is_set_back_and_another_key_are_signs_of_a_breach_on_record() {
    let place = Place::new();
    let (store, _) = place.open();
    let system = Arc::new(ManualClock::at(place.clock.wall()));
    let clock = TrustedClock::over(system.clone());
    clock.check();
    system.advance(Duration::from_secs(10));
    system.jump_to(place.clock.wall() - Duration::from_secs(3600));
    store.clock_changed(&clock.check().unwrap()).unwrap();
    let seconds = match &store.breaches(0, 10).unwrap()[..] {
        [KeptBreach { breach: Breach::ClockSetBack { seconds }, .. }] => *seconds,
        other => panic!("{other:?}"),
    };
    assert!((3600..3620).contains(&seconds), "{seconds}");
    store.close().unwrap();
    let other = Key::create_file(&place.dir.path().join("other.key")).unwrap();
    for _ in 0..2 {
        assert!(place.try_open(&other).is_err());
    }
    let (store, _) = place.open();
    let all: Vec<Breach> = store.breaches(0, 10).unwrap().into_iter().map(|kept| kept.breach).collect();
    assert_eq!(all[1..], [Breach::StoreKeyMismatch], "once");
    store.close().unwrap();
    let (store, _) = place.open();
    assert_eq!(store.breaches(0, 10).unwrap().len(), 2);
}

// policy: P-22, P-26
#[test]
fn a_broken_log_is_found_beside_all_else_and_is_a_sign_of_a_breach_on_record_once() {
    let place = Place::new();
    let (store, _) = place.open();
    look(&store, 4);
    let verified = |store: &Store| {
        let (tell, told) = channel();
        store.verify_audit_in_background(move |reports| tell.send(reports).unwrap()).unwrap();
        told.recv().unwrap()
    };
    assert!(verified(&store).iter().all(|log| log.fault().is_none()));
    let conn = raw(&place);
    conn.execute_batch("DROP TRIGGER audit_is_not_removed; DELETE FROM audit WHERE number = 2;").unwrap();
    drop(conn);
    for _ in 0..2 {
        let fault = verified(&store)[0].fault().unwrap();
        assert_eq!(fault, "row 2 is missing");
        store.raise(&Breach::AuditChainBroken { fault }).unwrap();
    }
    let all: Vec<Breach> = store.breaches(0, 10).unwrap().into_iter().map(|kept| kept.breach).collect();
    assert_eq!(all, [Breach::AuditChainBroken { fault: "row 2 is missing".into() }]);
}
