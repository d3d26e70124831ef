//! Performance tests on the console (control P-31).

use crate::kit::console::{Answer, Browser, Desk};
use crate::kit::store::{read, rows};
use plated_access::Role;
use plated_core::clock::Clock;
use reqwest::StatusCode;
use std::time::Duration;

const PAGE: &str = "/performance";

fn post(browser: &Browser, word: &str, fields: &[(&str, &str)]) -> Answer {
    let token = browser.get(PAGE).token();
    browser.post(&format!("{PAGE}/{word}"), &token, fields)
}

/// The camera reads this plate now.
fn sees(desk: &Desk, plate: &str) {
    let mut new = read(plate);
    new.record.camera = "a".into();
    (new.record.first_seen, new.record.last_seen) = (desk.place.clock.wall(), desk.place.clock.wall());
    desk.read(&new);
}

// policy: P-31
#[test]
fn an_officer_begins_a_drive_enters_plates_and_sees_the_result_and_what_was_missed() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    assert!(browser.get(PAGE).body.contains("No test yet"));
    assert_eq!(post(&browser, "start", &[("camera", "a"), ("note", "rain")]).to, "/performance?done=started");
    sees(&desk, "7ABC123");
    assert_eq!(post(&browser, "plate", &[("plate", "7abc123"), ("state", "ca")]).to, "/performance?done=entered");
    let refused = post(&browser, "plate", &[("plate", "7"), ("state", "")]);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("at least 2 characters"), "{}", refused.body);
    for plate in ["8XYZ9", "8XYZ987"] {
        assert_eq!(post(&browser, "plate", &[("plate", plate)]).to, "/performance?done=entered");
        if plate == "8XYZ9" {
            assert_eq!(post(&browser, "undo", &[]).to, "/performance?done=undone");
        }
    }
    let going_on = browser.get("/performance?done=entered").body;
    assert!(going_on.contains("2 plates entered") && !going_on.contains("8XYZ987"), "{going_on}");
    desk.place.clock.advance(Duration::from_secs(30));
    let ended = post(&browser, "end", &[]);
    assert_eq!(ended.status, StatusCode::OK, "{}", ended.body);
    for text in ["Missed or misread", "Not read", "50.0 %", "100.0 %", "jdoe", "rain"] {
        assert!(ended.body.contains(text), "{text}: {}", ended.body);
    }
    assert!(!ended.body.contains("aria-label=\"7 A B C"), "what was read right is no miss");
    let after = browser.get(PAGE).body;
    assert!(after.contains("50.0 %") && !after.contains("Missed or misread"), "{after}");
    let words: Vec<String> = rows(&desk.store).iter().map(|row| row.entry.action.as_str().to_owned()).collect();
    for word in ["drive_test_started", "drive_test_plate", "search_back", "rows_shown", "performance_test"] {
        assert!(words.iter().any(|w| w == word), "{word}: {words:?}");
    }
}

// policy: P-31
#[test]
fn results_are_compared_over_time_in_a_chart_and_by_camera() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    for found in [false, true] {
        post(&browser, "start", &[("camera", "a")]);
        if found {
            sees(&desk, "7ABC123");
        }
        post(&browser, "plate", &[("plate", "7ABC123")]);
        assert!(!browser.get(PAGE).body.contains("<figure"), "one test is no history");
        let ended = post(&browser, "end", &[]);
        assert_eq!(ended.body.contains("every plate was read exactly"), found);
    }
    let page = browser.get(PAGE).body;
    assert!(page.contains("<figure") && page.contains("Capture rate, read accuracy and their product"), "{page}");
    let of_none = browser.get("/performance?of=b").body;
    assert!(of_none.contains("No test yet") && of_none.contains("All cameras"), "{of_none}");
}

// policy: P-31, P-23
#[test]
fn administrators_see_results_and_only_officers_and_supervisors_test() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.hire("mlee", Role::Officer);
    desk.hire("admin", Role::Administrator);
    let (jdoe, mlee, admin) = (desk.watching("jdoe"), desk.watching("mlee"), desk.watching("admin"));
    let before = desk.logged_in("jdoe").get(PAGE).body;
    assert!(before.contains("/purpose?then=/performance") && !before.contains("Begin the test"), "{before}");
    post(&jdoe, "start", &[("camera", "a")]);
    let page = admin.get(PAGE).body;
    assert!(page.contains("Results") && !page.contains("Drive test of") && !page.contains("Begin the test"));
    assert_eq!(post(&admin, "discard", &[]).status, StatusCode::FORBIDDEN);
    let others = mlee.get(PAGE).body;
    assert!(others.contains("Drive test of") && others.contains("Discard") && !others.contains("name=\"plate\""));
    let refused = post(&mlee, "plate", &[("plate", "7ABC123")]);
    assert!(refused.body.contains("that of jdoe"), "{}", refused.body);
    assert_eq!(post(&mlee, "discard", &[]).to, "/performance?done=discarded");
}
