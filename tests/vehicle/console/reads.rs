//! One read: what is shown of it, and its correction.

use crate::kit::console::{Browser, Desk, root};
use crate::kit::store::{hit, read, receipt, rows};
use plated_access::{Reason, Role};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::record::{Alerting, Candidate, Position, Priority};
use plated_vehicle::control::Request;
use plated_vehicle::store::NewRead;
use reqwest::StatusCode;
use std::time::Duration;

fn now(desk: &Desk, text: &str) -> NewRead {
    let mut new = read(text);
    (new.record.first_seen, new.record.last_seen) = (desk.place.clock.wall(), desk.place.clock.wall());
    new
}

fn path(new: &NewRead) -> String {
    format!("/reads/{}", new.record.id)
}

fn correct(browser: &Browser, new: &NewRead, fields: &[(&str, &str)]) -> crate::kit::console::Answer {
    let page = browser.get(&path(new));
    browser.post(&format!("{}/correct", path(new)), &page.token(), fields)
}

/// A plate that officers look for, entered before there are accounts.
fn wanted(desk: &Desk, plate: &str) {
    let request = Request::Add {
        plate: plate.into(),
        state: "CA".into(),
        category: "stolen_vehicle".into(),
        priority: Priority::High,
        reason: Reason::new("robbery at 5th and Main").unwrap(),
        case: "26-1".into(),
        expires: None,
        search_back: None,
    };
    desk.service.answer(request, &root(), None, &mut |_| Ok(())).unwrap();
}

// policy: P-21
#[test]
fn a_read_shows_all_that_is_known_of_it_and_who_looked_is_on_record() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let mut new = now(&desk, "7ABC123");
    new.record.candidates.push(Candidate { text: "7ABC128".into(), confidence: 0.04 });
    new.record.position = Some(Position {
        lat: 37.83531,
        lon: -122.26416,
        heading: Some(12.0),
        speed_m_s: Some(10.7),
        error_m: Some(4.0),
        age_s: 0.1,
    });
    new.record.canvass = Some("26-9".into());
    new.record.hits.push(hit("svs"));
    desk.read(&new);
    let mut before = now(&desk, "6DEF128");
    before.record.last_seen = desk.place.clock.wall() - Duration::from_secs(20);
    before.record.position = new.record.position.map(|p| Position { lat: p.lat - 0.001, ..p });
    desk.read(&before);
    let browser = desk.watching("jdoe");
    let page = browser.get(&path(&new));
    for part in [
        "7 A B C 1 2 3, state CA",
        "93 %",
        "/plate.jpg",
        "/overview.jpg",
        "37.83531, -122.26416 ± 4 m",
        "12°, north, 24 mph",
        "the way of this vehicle",
        "class=\"way\"",
        "3 looks, 2 agree",
        "26-9",
        "plated 0.1.0, reader r1",
        "7 A B C 1 2 8",
        "Stolen vehicle",
        "Unverified lead",
        "Waits to be sent",
        "Correct and match again",
    ] {
        assert!(page.body.contains(part), "{part} is missing in {}", page.body);
    }
    assert!(!page.body.contains("6DEF128") && !page.body.contains("6 D E F"), "of others only the way is told");
    let entries: Vec<_> = rows(&desk.store).into_iter().map(|row| row.entry).collect();
    let look = entries.iter().rfind(|e| e.action.as_str() == "search_back").unwrap();
    assert_eq!((look.elements["read"].clone(), look.case.as_deref()), (new.record.id.to_string(), Some("26-1234")));
    assert_eq!(entries.iter().rfind(|e| e.action.as_str() == "rows_shown").unwrap().rows, Some(1));

    let sealed = desk.store.outbox(crate::kit::store::transfer(), 10).unwrap();
    let sealed = sealed.iter().find(|read| read.sealed.id == new.record.id).unwrap();
    let (id, sha256): (_, Sha256) = (sealed.sealed.id, sealed.sealed.sha256);
    desk.store.apply_receipt(&receipt(&[(id, sha256)])).unwrap();
    assert!(browser.get(&path(&new)).body.contains("Received by station-1, receipt of "));
    assert_eq!(browser.get("/reads/0199ac00-0000-7000-8000-000000000000").status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/reads/x").status, StatusCode::NOT_FOUND);
}

// policy: P-08
#[test]
fn hits_of_covert_lists_are_not_on_the_page_of_their_read() {
    let desk = Desk::with("", "[[hotlists]]\nname = \"watch\"\ncovert = true\n");
    desk.hire("jdoe", Role::Officer);
    let mut new = now(&desk, "7ABC123");
    new.record.hits.push(hit("watch"));
    desk.read(&new);
    let page = desk.watching("jdoe").get(&path(&new)).body;
    assert!(page.contains("No hit that may be shown") && !page.contains("Stolen vehicle"), "{page}");
    assert!(!page.contains(&new.record.hits[0].id.to_string()) && !page.contains("not authorised"), "{page}");
}

// policy: P-30
#[test]
fn a_corrected_read_is_matched_again_and_the_alert_comes_to_each_console() {
    let desk = Desk::new();
    wanted(&desk, "7ABC128");
    desk.hire("jdoe", Role::Officer);
    desk.hire("asmith", Role::Officer);
    let mut misread = now(&desk, "7ABC123");
    misread.record.candidates.push(Candidate { text: "7ABC128".into(), confidence: 0.04 });
    desk.read(&misread);
    let (one, other) = (desk.watching("jdoe"), desk.watching("asmith"));
    let mut events = other.listen(&other.get("/").events());
    let done = correct(&one, &misread, &[("text", "7abc 128"), ("state", "ca"), ("why", "the last one is an 8")]);
    assert_eq!((done.status, done.to), (StatusCode::SEE_OTHER, format!("{}?done=corrected", path(&misread))));
    let alert = events.next_of(&["alert"]).unwrap();
    assert!(alert.data.contains("7 A B C 1 2 8") && alert.data.contains("Stolen vehicle"), "{}", alert.data);
    assert!(alert.data.contains("An officer corrected it; the camera read 7ABC123"), "{}", alert.data);
    let page = one.get(&format!("{}?done=corrected", path(&misread))).body;
    for part in [
        "Corrected, and matched again: 1 hit",
        "7 A B C 1 2 8, state CA",
        "Corrected; read as",
        "7 A B C 1 2 3, state CA",
        "jdoe corrected 7ABC123 CA to 7ABC128 CA: the last one is an 8",
        "Unverified lead",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(one.get("/alerts").body.contains("1–1 of 1"));
    let entries = rows(&desk.store).into_iter().map(|row| row.entry);
    let kept = entries.filter(|e| e.action.as_str() == "read_corrected").collect::<Vec<_>>();
    assert_eq!((kept.len(), kept[0].actor.name.as_str(), kept[0].case.as_deref()), (1, "jdoe", Some("26-1234")));
    assert_eq!(kept[0].reason, "the last one is an 8");
    // The original stays findable, and stays in the record.
    assert_eq!(crate::kit::store::reads(&desk.store, 1)[0].text, "7ABC123");
}

// policy: P-30
#[test]
fn what_is_no_correction_is_refused_at_its_field_and_nothing_entered_is_lost() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let new = now(&desk, "7ABC123");
    desk.read(&new);
    let browser = desk.watching("jdoe");
    for (text, state, field, why) in [
        ("7ABC123", "CA", "text", "what it says already"),
        ("7ABC12É", "CA", "text", "no plate has"),
        ("7", "CA", "text", "at least 2"),
        ("", "CA", "text", "at least 2"),
        ("7ABC128", "ZZ", "state", "no such state"),
    ] {
        let page = correct(&browser, &new, &[("text", text), ("state", state), ("why", "glare")]);
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{text} {state}");
        let error = page.body.split(&format!("id=\"{field}-error\"")).nth(1).unwrap_or_else(|| panic!("{}", page.body));
        assert!(error.split("</p>").next().unwrap().contains(why), "{text} {state}: {}", page.body);
        assert!(page.body.contains("value=\"glare\"") && page.body.contains(&format!("value=\"{text}\"")));
    }
    assert!(!rows(&desk.store).iter().any(|row| row.entry.action.as_str() == "read_corrected"));
}

// policy: P-23
#[test]
fn a_custodian_looks_at_reads_and_corrects_none_and_an_administrator_does_neither() {
    let desk = Desk::new();
    desk.hire("clerk", Role::Custodian);
    desk.hire("chief", Role::Administrator);
    let mut new = now(&desk, "7ABC123");
    new.record.hits.push(hit("svs"));
    new.record.hits[0].alert = Alerting::Candidate;
    desk.read(&new);
    let clerk = desk.watching("clerk");
    let page = clerk.get(&path(&new));
    assert!(page.status == StatusCode::OK && page.body.contains("improbable: alerted nobody"), "{}", page.body);
    assert!(!page.body.contains("Correct and match again"));
    let refused = correct(&clerk, &new, &[("text", "7ABC128"), ("state", "CA")]);
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(desk.watching("chief").get(&path(&new)).status, StatusCode::FORBIDDEN);
}
