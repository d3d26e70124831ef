//! Reads as they are made.

use crate::kit::console::Desk;
use crate::kit::store::{hit, read};
use plated_access::Role;
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_vehicle::store::NewRead;
use reqwest::{Method, StatusCode};

fn now(desk: &Desk, text: &str) -> NewRead {
    let mut new = read(text);
    new.record.last_seen = desk.place.clock.wall();
    new
}

// policy: P-21
#[test]
fn the_live_page_has_the_newest_reads_and_a_new_one_comes_by_itself_and_after_a_break() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.read(&now(&desk, "4KLM567"));
    let browser = desk.watching("jdoe");
    let page = browser.get("/");
    assert!(page.body.contains("aria-label=\"4 K L M 5 6 7, state CA\"") && page.body.contains("front-left-camera"));
    assert!(page.body.contains("93 %") && page.body.contains("No position"), "{}", page.body);

    let mut events = browser.listen(&page.events());
    desk.read(&now(&desk, "7ABC123"));
    let first = events.next_of(&["put"]).into_iter().chain(std::iter::from_fn(|| events.next_of(&["put"])));
    let first = { first }.find(|event| event.data.contains("7 A B C 1 2 3")).unwrap();
    assert!(first.data.contains("data-into=\"reads\"") && !first.id.is_empty());
    // The line is cut, and a read is made meanwhile.
    drop(events);
    desk.read(&now(&desk, "6DEF128"));
    let mut events = browser.listen(&format!("/events?after={}", first.id));
    let next = std::iter::from_fn(|| events.next_of(&["put"])).find(|event| !event.id.is_empty()).unwrap();
    assert!(next.data.contains("6 D E F 1 2 8"), "{}", next.data);
}

/// The plates of a page in their order, as a screen reader says them.
fn plates(page: &str) -> Vec<String> {
    let rows = page.split("class=\"read\"").skip(1);
    rows.map(|row| row.split("aria-label=\"").nth(1).unwrap().split(',').next().unwrap().replace(' ', "")).collect()
}

#[test]
fn reads_stand_in_the_order_of_the_times_beside_them() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    // Passes that went on together end in another order than they are kept in.
    for (text, ago) in [("4KLM567", 3), ("7ABC123", 9), ("6DEF128", 1)] {
        let mut new = now(&desk, text);
        new.record.last_seen = desk.place.clock.wall() - std::time::Duration::from_secs(ago);
        desk.read(&new);
    }
    assert_eq!(plates(&desk.watching("jdoe").get("/").body), ["6DEF128", "4KLM567", "7ABC123"]);
}

// policy: P-30
#[test]
fn a_corrected_read_shows_what_the_plate_says_on_the_live_page_and_on_one_that_is_open() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let new = now(&desk, "7ABC123");
    desk.read(&new);
    let browser = desk.watching("jdoe");
    let page = browser.get("/");
    let mut events = browser.listen(&page.events());
    let correct = format!("/reads/{}/correct", new.record.id);
    let done = browser.post(&correct, &page.token(), &[("text", "7ABC128"), ("state", "CA")]);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let told = std::iter::from_fn(|| events.next_of(&["put"])).find(|event| !event.id.is_empty()).unwrap();
    assert!(told.data.contains("7 A B C 1 2 8") && told.data.contains("corrected"), "{}", told.data);
    let page = browser.get("/");
    assert_eq!(plates(&page.body), ["7ABC128"], "{}", page.body);
}

// policy: P-23
#[test]
fn who_may_not_see_a_read_in_whole_has_no_way_to_it() {
    let desk = Desk::new();
    desk.hire("chief", Role::Administrator);
    desk.hire("jdoe", Role::Officer);
    let new = now(&desk, "7ABC123");
    desk.read(&new);
    let link = format!("href=\"/reads/{}\"", new.record.id);
    assert!(desk.watching("jdoe").get("/").body.contains(&link));
    let chief = desk.watching("chief");
    let page = chief.get("/");
    assert!(page.body.contains("7 A B C 1 2 3") && !page.body.contains("href=\"/reads"), "{}", page.body);
    let mut events = chief.listen(&page.events());
    desk.read(&now(&desk, "6DEF128"));
    let told = std::iter::from_fn(|| events.next_of(&["put"])).find(|event| !event.id.is_empty()).unwrap();
    assert!(told.data.contains("6 D E F 1 2 8") && !told.data.contains("href=\"/reads"), "{}", told.data);
}

#[test]
fn a_page_that_knows_events_of_another_run_loads_itself_again() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    for after in ["0011223344ff.7", "7", "x"] {
        let mut events = browser.listen(&format!("/events?after={after}"));
        assert_eq!(events.next_of(&["reload", "put"]).unwrap().name, "reload", "{after}");
        assert!(events.next_of(&["put"]).is_none(), "nothing else comes");
    }
    // More than the daemon keeps.
    let page = browser.get("/");
    for n in 0..300 {
        let new = now(&desk, &format!("7ABC{n:03}"));
        let read = Box::new(new.record);
        desk.publish(plated_vehicle::announcement::Announcement::Read { read, pictures: Vec::new() });
    }
    let mut events = browser.listen(&page.events());
    assert_eq!(events.next_of(&["reload"]).unwrap().name, "reload");
}

#[test]
fn pictures_of_reads_are_shown_are_not_to_be_stored_and_are_known_again() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let new = now(&desk, "7ABC123");
    desk.read(&new);
    let browser = desk.watching("jdoe");
    let path = format!("/pictures/{}/plate.jpg", new.record.id);
    assert!(browser.get("/").body.contains(&format!("src=\"{path}\"")));
    let picture = browser.get(&path);
    assert_eq!((picture.status, picture.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "image/jpeg"));
    let tag = picture.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", Sha256::of(&new.images[0].jpeg)));
    assert_eq!(picture.headers["cache-control"], "no-store");
    let again = browser.send(browser.request(Method::GET, &path).header("if-none-match", &tag));
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    for none in ["/pictures/0199ac00-0000-7000-8000-000000000000/plate.jpg", &path.replace("plate.jpg", "other.jpg")] {
        assert_eq!(browser.get(none).status, StatusCode::NOT_FOUND, "{none}");
    }
}

const COVERT: &str = "[[hotlists]]\nname = \"watch\"\ncovert = true\n";

// policy: P-08
#[test]
fn a_covert_hit_is_nowhere_to_be_seen_but_by_those_to_whom_its_list_is_granted_by_name() {
    let desk = Desk::with("", COVERT);
    desk.hire_with("asmith", Role::Supervisor, |user| {
        user.grants.lists.insert("watch".into());
    });
    desk.hire_with("jdoe", Role::Supervisor, |_| {});
    let mut new = now(&desk, "7ABC123");
    new.record.hits.push(hit("watch"));
    new.record.hits[0].at = desk.place.clock.wall();
    let browser = desk.watching("jdoe");
    let mut events = browser.listen(&browser.get("/").events());
    desk.read(&new);
    desk.read(&now(&desk, "6DEF128"));
    let mut came = Vec::new();
    while !came.last().is_some_and(|e: &crate::kit::console::Event| e.data.contains("6 D E F")) {
        came.push(events.next_of(&["put", "alert", "answered"]).unwrap());
    }
    assert!(came.iter().all(|event| event.name == "put" && !event.data.contains("badge")), "{came:?}");
    let id = new.record.hits[0].id;
    for path in ["/", "/alerts", "/shift", "/account"] {
        let page = browser.get(path);
        assert!(page.status == StatusCode::OK && !page.body.contains(&id.to_string()), "{path}");
        assert!(!page.body.contains("Stolen vehicle") && !page.body.contains("badge"), "{path}: {}", page.body);
    }
    assert_eq!(browser.get(&format!("/alerts/{id}")).status, StatusCode::NOT_FOUND);
    assert_eq!(desk.watching("asmith").get(&format!("/alerts/{id}")).status, StatusCode::OK);
}
