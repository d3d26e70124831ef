//! Plates and partial plates that officers enter on the console.

use crate::kit::console::{Answer, Browser, Desk};
use crate::kit::store::{read, rows};
use plated_access::Role;
use plated_core::clock::Clock;
use reqwest::StatusCode;

fn enter(browser: &Browser, change: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("plate", "7?bc*"),
        ("state", "CA"),
        ("category", "stolen_vehicle"),
        ("priority", "normal"),
        ("case", "26-77"),
        ("span", "day"),
        ("back", "day"),
        ("reason", "hit and run at 5th and Main"),
    ];
    for (name, value) in change {
        fields.retain(|(n, _)| n != name);
        fields.push((name, value));
    }
    browser.submit("/entries", &fields)
}

/// Partial plates in force that a plate fits.
fn partials(desk: &Desk, plate: &str) -> usize {
    desk.service.lists().in_force().partials().filter(|partial| partial.pattern.fits(plate)).count()
}

// policy: P-04
#[test]
fn an_officer_enters_a_partial_plate_that_is_in_force_at_once_and_sees_the_reads_already_made_that_fit() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let mut seen = read("7ABC123");
    seen.record.last_seen = desk.place.clock.wall();
    desk.read(&seen);
    let browser = desk.watching("jdoe");
    let done = enter(&browser, &[]);
    assert_eq!((done.status, done.to.as_str()), (StatusCode::SEE_OTHER, "/entries"), "{}", done.body);
    assert_eq!((partials(&desk, "7XBC999"), partials(&desk, "7XYZ999")), (1, 0));
    let page = browser.get("/entries").body;
    for part in [
        "7?BC* counts until",
        "1 read already made fits it",
        &format!("href=\"/reads/{}\"", seen.record.id),
        "Stolen vehicle.</b> hit and run at 5th and Main",
        "26-77",
        "jdoe, ",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!browser.get("/entries").body.contains("already made fits"), "what was found is shown once");

    let rows: Vec<_> = rows(&desk.store).into_iter().filter(|row| row.entry.actor.name == "jdoe").collect();
    let number = |word: &str| rows.iter().position(|row| row.entry.action.as_str() == word).unwrap();
    let entered = &rows[number("pattern_added")].entry;
    assert_eq!(entered.reason, "hit and run at 5th and Main");
    assert_eq!((entered.purpose.as_deref(), entered.case.as_deref()), (Some("locate_vehicle"), Some("26-77")));
    let searched = &rows[number("search_back")];
    assert_eq!(searched.entry.elements["plate"], "7?BC*");
    let shown = rows.iter().find(|row| row.entry.about == Some(searched.number)).expect("how many is on record");
    assert_eq!(shown.entry.rows, Some(1));
}

// policy: P-04
#[test]
fn what_is_wrong_with_an_entry_is_said_at_its_field_and_what_was_typed_stays() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    for (change, text) in [
        (("plate", ""), "Give a plate, or a part of one."),
        (("plate", "*"), "would fit too many plates"),
        (("reason", " "), "The reason is missing"),
        (("state", "ZZ"), "There is no state ZZ"),
        (("span", "for ever"), "Choose how long it counts."),
        (("priority", "urgent"), "Choose a priority."),
    ] {
        let refused = enter(&browser, &[change]);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{change:?}: {}", refused.body);
        assert!(refused.body.to_lowercase().contains(&text.to_lowercase()), "{text}: {}", refused.body);
        let kept = if change.0 == "reason" { "26-77" } else { "hit and run" };
        assert!(refused.body.contains(kept), "{change:?}: what was typed stays");
    }
    assert!(browser.get("/entries").body.contains("No entries"));
}

// policy: P-04
#[test]
fn an_entry_is_removed_with_a_reason_and_matches_no_more() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    assert_eq!(enter(&browser, &[]).to, "/entries");
    let unsaid = browser.submit("/entries/1/remove", &[("reason", "")]);
    assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unsaid.body.contains("The reason is missing") && unsaid.body.contains("hit and run at 5th and Main"));
    assert_eq!(partials(&desk, "7XBC999"), 1);
    let removed = browser.submit("/entries/1/remove", &[("reason", "vehicle found")]);
    assert_eq!(removed.to, "/entries?done=removed");
    assert_eq!(partials(&desk, "7XBC999"), 0);
    let page = browser.get(&removed.to).body;
    assert!(page.contains("The entry is out of force.") && page.contains("No entries"), "{page}");
    assert_eq!(browser.get("/entries/1/remove").status, StatusCode::NOT_FOUND);
    let row = rows(&desk.store).into_iter().find(|row| row.entry.action.as_str() == "entry_removed").unwrap();
    assert_eq!((row.entry.actor.name.as_str(), row.entry.reason.as_str()), ("jdoe", "vehicle found"));
}

// policy: P-08, P-23
#[test]
fn entries_are_shown_to_those_to_whom_they_are_granted_and_entered_by_officers_and_supervisors() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.hire("custodian", Role::Custodian);
    desk.hire_with("mlee", Role::Officer, |user| {
        user.grants.every_list = false;
        user.grants.lists.insert("local".into());
    });
    assert_eq!(enter(&desk.watching("jdoe"), &[]).to, "/entries");
    let stranger = desk.watching("mlee");
    assert!(stranger.get("/entries").body.contains("No entries"));
    assert_eq!(stranger.get("/entries/1/remove").status, StatusCode::NOT_FOUND);
    let custodian = desk.watching("custodian");
    assert!(custodian.get("/entries").body.contains("hit and run"));
    assert_eq!(enter(&custodian, &[]).status, StatusCode::FORBIDDEN);
}
