//! "Not this vehicle", from the alert to the supervisor's approval.

use crate::kit::console::{Answer, Browser, Desk};
use crate::kit::store::{hit, read, rows};
use plated_access::Role;
use plated_core::clock::Clock;
use plated_core::record::HitRecord;
use plated_vehicle::store::NewRead;
use reqwest::StatusCode;
use std::time::Duration;

/// A read with an alert of two entries.
fn alert(desk: &Desk) -> NewRead {
    let (mut new, mut hit, now) = (read("7ABC123"), hit("svs"), desk.place.clock.wall());
    (hit.at, new.record.last_seen) = (now, now);
    let mut warrant = hit.entries[0].clone();
    (warrant.entry.category, warrant.entry.list) = ("felony_warrant".into(), "local".into());
    hit.entries.push(warrant);
    new.record.hits.push(hit);
    desk.read(&new);
    new
}

fn propose(browser: &Browser, new: &NewRead, change: &[(&str, &str)]) -> Answer {
    let day = jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(30)).to_string();
    let mut fields = vec![("entry", "1"), ("until", day.as_str()), ("reason", "owner identified")];
    for (name, value) in change {
        fields.retain(|(n, _)| n != name);
        fields.push((name, value));
    }
    browser.submit(&format!("/alerts/{}/finding", new.record.hits[0].id), &fields)
}

/// Which of the entries of a hit a finding in force speaks of.
fn marked(desk: &Desk, hit: &HitRecord) -> Vec<String> {
    let mut hit = hit.clone();
    desk.service.findings().mark(&mut hit, "CA", Duration::ZERO);
    hit.entries.iter().filter(|e| e.finding.is_some()).map(|e| e.entry.category.clone()).collect()
}

// policy: P-06
#[test]
fn not_this_vehicle_is_proposed_from_an_alert_and_counts_for_that_entry_once_another_person_approved_it() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.hire("asmith", Role::Supervisor);
    let new = alert(&desk);
    let hit = &new.record.hits[0];
    let (officer, supervisor) = (desk.watching("jdoe"), desk.watching("asmith"));
    let card = officer.get(&format!("/alerts/{}", hit.id)).body;
    assert!(card.contains(&format!("href=\"/alerts/{}/finding\"", hit.id)), "{card}");
    let form = officer.get(&format!("/alerts/{}/finding", hit.id)).body;
    assert!(form.contains("Stolen vehicle, [svs]") && form.contains("Felony warrant, [local]"), "{form}");
    assert_eq!(propose(&officer, &new, &[]).to, "/findings?done=proposed");
    assert!(marked(&desk, hit).is_empty(), "nobody has approved it");

    let list = officer.get("/findings").body;
    assert!(list.contains("Waits for a supervisor") && !list.contains("/findings/1/approve"), "{list}");
    assert_eq!(officer.get("/findings/1/approve").status, StatusCode::FORBIDDEN);
    let refused = officer.post("/findings/1/approve", &officer.get("/").token(), &[("reason", "sure")]);
    assert_eq!(refused.status, StatusCode::FORBIDDEN);

    assert!(supervisor.get("/findings").body.contains("href=\"/findings/1/approve\""));
    let unsaid = supervisor.submit("/findings/1/approve", &[("reason", "")]);
    assert!(unsaid.body.contains("The reason is missing"), "{}", unsaid.body);
    let approved = supervisor.submit("/findings/1/approve", &[("reason", "seen the registration")]);
    assert_eq!(approved.to, "/findings?done=approve");
    assert_eq!(marked(&desk, hit), ["stolen_vehicle"], "the other entry of the plate still alerts");
    assert!(officer.get("/findings").body.contains("Approved by asmith"));

    let withdrawn = supervisor.submit("/findings/1/withdraw", &[("reason", "plates were swapped")]);
    assert_eq!(withdrawn.to, "/findings?done=withdraw");
    assert!(marked(&desk, hit).is_empty());
    let words: Vec<_> = rows(&desk.store).iter().map(|row| row.entry.action.to_string()).collect();
    for word in ["finding_proposed", "finding_approved", "finding_withdrawn"] {
        assert!(words.iter().any(|w| w == word), "{word} is not on record");
    }
}

// policy: P-06
#[test]
fn whoever_proposed_a_finding_does_not_approve_it() {
    let desk = Desk::new();
    desk.hire("asmith", Role::Supervisor);
    let new = alert(&desk);
    let browser = desk.watching("asmith");
    assert_eq!(propose(&browser, &new, &[("entry", "")]).to, "/findings?done=proposed");
    assert!(!browser.get("/findings").body.contains("/findings/1/approve"), "nor is it offered");
    let own = browser.submit("/findings/1/approve", &[("reason", "sure")]);
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(own.body.contains("another"), "{}", own.body);
    assert!(marked(&desk, &new.record.hits[0]).is_empty());
}

#[test]
fn a_finding_without_end_or_reason_is_told_at_its_field() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let new = alert(&desk);
    let browser = desk.watching("jdoe");
    for (change, text) in [
        (("until", ""), "Give the last day"),
        (("until", "2020-01-01"), "over before it begins"),
        (("until", "2099-01-01"), "within two years"),
        (("reason", ""), "The reason is missing"),
        (("entry", "x"), "Choose one of the entries"),
        (("entry", "7"), "the hit has 2 entries"),
    ] {
        let refused = propose(&browser, &new, &[change]);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{change:?}: {}", refused.body);
        assert!(refused.body.to_lowercase().contains(&text.to_lowercase()), "{text}: {}", refused.body);
    }
    assert!(browser.get("/findings").body.contains("No findings"));
}

// policy: P-08
#[test]
fn findings_of_lists_that_are_not_granted_are_not_seen() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.hire_with("mlee", Role::Supervisor, |user| {
        user.grants.every_list = false;
        user.grants.lists.insert("other".into());
    });
    let new = alert(&desk);
    assert_eq!(propose(&desk.watching("jdoe"), &new, &[]).to, "/findings?done=proposed");
    let stranger = desk.watching("mlee");
    assert!(stranger.get("/findings").body.contains("No findings"));
    assert_eq!(stranger.get("/findings/1/withdraw").status, StatusCode::NOT_FOUND);
    let path = format!("/alerts/{}/finding", new.record.hits[0].id);
    let refused = stranger.post(&path, &stranger.get("/").token(), &[("until", "2099-01-01"), ("reason", "sure")]);
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
}
