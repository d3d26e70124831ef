//! Accounts, set up and reviewed by an administrator.

use crate::kit::console::{Answer, Browser, Desk, PASSWORD};
use crate::kit::store::rows;
use plated_access::Role;
use reqwest::StatusCode;

fn add(browser: &Browser, change: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("login", "lnguyen"),
        ("name", "Linh Nguyen"),
        ("title", "Officer"),
        ("agency", "Springfield PD"),
        ("role", "officer"),
        ("trained", "2026-01-15"),
        ("every-list", "on"),
        ("reason", "assigned to patrol"),
        ("password", "onion ladder harbour"),
    ];
    for (name, value) in change {
        fields.retain(|(n, _)| n != name);
        fields.push((name, value));
    }
    browser.submit("/users/new", &fields)
}

// policy: P-20, P-23
#[test]
fn an_administrator_adds_changes_and_disables_an_account_and_each_change_is_on_record_with_its_reason() {
    let desk = Desk::new();
    desk.hire("admin", Role::Administrator);
    let browser = desk.logged_in("admin");
    for (change, text) in [
        (("login", "no blanks"), "A login name must be"),
        (("reason", ""), "The reason is missing"),
        (("password", "short"), "12 characters"),
        (("trained", "yesterday"), "is no date"),
        (("login", "admin"), "there is an account admin already"),
    ] {
        let refused = add(&browser, &[change]);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{change:?}");
        assert!(refused.body.to_lowercase().contains(&text.to_lowercase()), "{text}: {}", refused.body);
        assert!(refused.body.contains("Linh Nguyen"), "what was entered stays");
    }
    assert_eq!(add(&browser, &[]).to, "/users?done=added");
    assert!(browser.get("/users").body.contains("Linh Nguyen"));
    assert_eq!(desk.browser().log_in("lnguyen", "onion ladder harbour").to, "/shift");

    let fields = [
        ("name", "Linh Nguyen"),
        ("title", "Sergeant"),
        ("agency", "Springfield PD"),
        ("role", "supervisor"),
        ("trained", "2026-02-20"),
        ("lists", "watch local"),
        ("clets", "on"),
        ("reason", "promoted"),
    ];
    assert_eq!(browser.submit("/users/lnguyen", &fields).to, "/users?done=kept");
    let page = browser.get("/users/lnguyen");
    assert!(page.body.contains("value=\"local watch\"") && page.body.contains("Authorised by"), "{}", page.body);
    let disabled = browser.post("/users/lnguyen/disable", &page.token(), &[("disable-reason", "left the agency")]);
    assert_eq!(disabled.to, "/users?done=kept");
    let refused = desk.browser().log_in("lnguyen", "onion ladder harbour");
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("This account was disabled on"), "{}", refused.body);

    let changes = rows(&desk.store).into_iter().filter(|row| row.entry.actor.name == "admin");
    let changes: Vec<_> = changes.map(|row| (row.entry.action.to_string(), row.entry.reason)).collect();
    let expected = [
        ("user_added", "assigned to patrol"),
        ("user_details_changed", "promoted"),
        ("user_training_changed", "promoted"),
        ("user_grants_changed", "promoted"),
        ("user_role_changed", "promoted"),
        ("user_disabled", "left the agency"),
    ];
    let expected: Vec<_> = expected.iter().map(|(a, r)| ((*a).to_owned(), (*r).to_owned())).collect();
    assert_eq!(changes[1..], expected, "after the login");
}

// policy: P-23
#[test]
fn an_auditor_reviews_accounts_and_changes_none_and_an_officer_sees_none() {
    let desk = Desk::new();
    for role in [Role::Administrator, Role::Auditor, Role::Officer] {
        desk.hire(role.as_str(), role);
    }
    desk.hire_with("old", Role::Officer, |user| user.trained = None);
    let auditor = desk.logged_in("auditor");
    let page = auditor.get("/users");
    assert!(page.body.contains("1 account without current training"), "{}", page.body);
    let refused = auditor.post("/users/officer/disable", &page.token(), &[("disable-reason", "because")]);
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(desk.logged_in("officer").get("/users/admin").status, StatusCode::FORBIDDEN);
}

// policy: P-20
#[test]
fn a_locked_account_is_released_and_a_new_password_must_be_changed() {
    let desk = Desk::new();
    desk.hire("admin", Role::Administrator);
    desk.hire("jdoe", Role::Officer);
    for _ in 0..5 {
        desk.browser().log_in("jdoe", "wrong");
    }
    assert_eq!(desk.browser().log_in("jdoe", PASSWORD).status, StatusCode::TOO_MANY_REQUESTS);
    let browser = desk.logged_in("admin");
    let page = browser.get("/users/jdoe");
    browser.post("/users/jdoe/release", &page.token(), &[("release-reason", "it was she")]);
    assert_eq!(desk.browser().log_in("jdoe", PASSWORD).to, "/shift");
    let fields = [("password", "onion ladder harbour"), ("password-reason", "forgotten")];
    assert_eq!(browser.post("/users/jdoe/password", &page.token(), &fields).to, "/users?done=kept");
    let other = desk.browser();
    other.log_in("jdoe", "onion ladder harbour");
    assert_eq!(other.get("/shift").to, "/account/password");
}
