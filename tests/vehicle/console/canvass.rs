//! Canvasses on the console.

use crate::kit::console::Desk;
use crate::kit::store::{read, rows};
use plated_access::Role;
use reqwest::StatusCode;

// policy: P-03
#[test]
fn a_canvass_is_begun_with_its_number_stands_in_the_status_line_counts_its_reads_and_is_ended() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.hire("admin", Role::Administrator);
    let browser = desk.watching("jdoe");
    for (incident, reason, text) in
        [("", "homicide", "Give the number of the incident."), ("26-9", "", "The reason is missing")]
    {
        let refused = browser.submit("/canvass", &[("incident", incident), ("reason", reason)]);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains(text), "{}", refused.body);
    }
    let begun = browser.submit("/canvass", &[("incident", "26-048201"), ("reason", "homicide at 5th and Main")]);
    assert_eq!(begun.to, "/canvass?done=begun");
    assert_eq!(desk.service.canvass().incident().as_deref(), Some("26-048201"), "reads carry it");
    let mut new = read("7ABC123");
    new.record.canvass = Some("26-048201".into());
    desk.store.put_read(&new).unwrap();
    let page = browser.get("/canvass").body;
    assert!(page.contains("Canvass 26-048201 is going on") && page.contains("1 read so far"), "{page}");
    assert!(browser.get("/").body.contains("Canvass 26-048201</span>"), "in the line of each page");
    assert!(!desk.logged_in("admin").get("/shift").body.contains("26-048201"), "not for who enters none");
    let twice = browser.submit("/canvass", &[("incident", "26-2"), ("reason", "robbery")]);
    assert!(twice.body.contains("26-048201 is open; end it first"), "{}", twice.body);

    let token = browser.get("/canvass").token();
    assert_eq!(browser.post("/canvass/end", &token, &[]).to, "/canvass?done=ended");
    let page = browser.get("/canvass").body;
    assert!(!page.contains("is going on") && page.contains("26-048201") && page.contains("1 read"), "{page}");
    assert!(page.contains("jdoe: homicide at 5th and Main"), "{page}");
    assert!(!browser.get("/").body.contains("Canvass 26-048201</span>"));
    let found: Vec<_> = rows(&desk.store).into_iter().map(|row| row.entry).collect();
    let begun = found.iter().find(|entry| entry.action.as_str() == "canvass_started").unwrap();
    assert_eq!((begun.actor.name.as_str(), begun.case.as_deref()), ("jdoe", Some("26-048201")));
    assert_eq!(begun.purpose.as_deref(), Some("locate_vehicle"));
}

// policy: P-23
#[test]
fn who_enters_nothing_begins_no_canvass() {
    let desk = Desk::new();
    desk.hire("custodian", Role::Custodian);
    let browser = desk.watching("custodian");
    let token = browser.get("/account").token();
    for path in ["/canvass", "/canvass/end"] {
        let fields = [("incident", "26-1"), ("reason", "homicide")];
        assert_eq!(browser.post(path, &token, &fields).status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(browser.get("/canvass").status, StatusCode::FORBIDDEN);
}
