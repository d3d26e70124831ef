//! Getting in, staying in, and being told why not.

use crate::kit::console::{Answer, Browser, Desk, PASSWORD, root};
use crate::kit::store::rows;
use plated_access::{LoginName, Reason, Role};
use reqwest::{Method, StatusCode};
use std::time::Duration;

const OTHER: &str = "onion ladder harbour";

fn says(answer: &Answer, text: &str) {
    assert!(answer.body.contains(text), "{text} is not in {}", answer.body);
}

// policy: P-20
#[test]
fn an_officer_logs_in_says_why_and_sees_the_live_page_and_each_step_is_on_record() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.browser();
    let first = browser.get("/");
    assert_eq!((first.status, first.to.as_str()), (StatusCode::SEE_OTHER, "/login"));
    let done = browser.log_in("JDoe", PASSWORD);
    assert_eq!((done.status, done.to.as_str()), (StatusCode::SEE_OTHER, "/shift"), "{}", done.body);
    says(&browser.get("/shift"), "Ready to drive");
    let start = browser.get("/");
    assert_eq!((start.status, start.to.as_str()), (StatusCode::SEE_OTHER, "/purpose"));
    let given = browser.submit("/purpose", &[("purpose", "arrest_warrant"), ("case", "26-77")]);
    assert_eq!((given.status, given.to.as_str()), (StatusCode::SEE_OTHER, "/"));
    says(&browser.get("/"), "No reads yet");
    let entries: Vec<_> = rows(&desk.store).into_iter().map(|row| row.entry).collect();
    let of_jdoe: Vec<_> = entries.iter().filter(|e| e.actor.name == "jdoe").collect();
    let actions: Vec<_> = of_jdoe.iter().map(|e| e.action.as_str()).collect();
    assert_eq!(actions, ["login", "live_shown", "hits_shown", "rows_shown"]);
    assert_eq!(of_jdoe[1].purpose.as_deref(), Some("arrest_warrant"));
    assert_eq!(of_jdoe[1].case.as_deref(), Some("26-77"));
    assert_eq!(of_jdoe[1].actor.agency.as_deref(), Some("Springfield PD"));
}

// policy: P-20
#[test]
fn five_wrong_passwords_lock_the_account_and_the_page_says_for_how_long() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.browser();
    for _ in 0..5 {
        let wrong = browser.log_in("jdoe", "wrong");
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        says(&wrong, "Name and password don&#39;t fit");
        assert!(!wrong.body.contains("value=\"wrong\""), "the password is filled in again");
    }
    let locked = browser.log_in("jdoe", PASSWORD);
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS);
    says(&locked, "try again in 10 minutes");
    desk.place.clock.advance(Duration::from_secs(601));
    assert_eq!(browser.log_in("jdoe", PASSWORD).status, StatusCode::SEE_OTHER);
}

/// Sets a second factor up and gives its secret in base 32, and the recovery codes.
fn enrol(desk: &Desk, browser: &Browser) -> (String, Vec<String>) {
    let page = browser.submit("/account/second-factor", &[("factor-password", PASSWORD)]);
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains("<svg class=\"qr\"") && page.headers["cache-control"] == "no-store");
    let between = |text: &str, from: &str| text.split(from).nth(1).unwrap().split('<').next().unwrap().to_owned();
    let secret = between(&page.body, "class=\"secret\">").replace(' ', "");
    let code = code(desk, &secret);
    let done = browser.post("/account/second-factor/code", &page.token(), &[("code", &code)]);
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let codes = done.body.split("<li class=\"secret\">").skip(1).map(|c| c.split('<').next().unwrap().to_owned());
    (secret, codes.collect())
}

/// The code that the app shows now.
fn code(desk: &Desk, secret: &str) -> String {
    use plated_core::clock::Clock;
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    totp.generate(desk.place.clock.wall().as_second().unsigned_abs()).to_string()
}

// policy: P-20
#[test]
fn a_second_factor_is_set_up_with_a_picture_and_asked_for_and_a_recovery_code_counts_once() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let (secret, recovery) = enrol(&desk, &desk.logged_in("jdoe"));
    assert_eq!(recovery.len(), 10);
    desk.place.clock.advance(Duration::from_secs(60));

    let browser = desk.browser();
    let asked = browser.log_in("jdoe", PASSWORD);
    assert_eq!((asked.status, asked.to.as_str()), (StatusCode::SEE_OTHER, "/login/code"));
    assert_eq!(browser.get("/").to, "/login", "the password alone lets nobody in");
    let wrong = browser.submit("/login/code", &[("code", "000000")]);
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    says(&wrong, "The code is wrong");
    let right = browser.submit("/login/code", &[("code", &code(&desk, &secret))]);
    assert_eq!((right.status, right.to.as_str()), (StatusCode::SEE_OTHER, "/shift"), "{}", right.body);

    for (status, text) in [(StatusCode::SEE_OTHER, ""), (StatusCode::UNAUTHORIZED, "used already")] {
        let browser = desk.browser();
        browser.log_in("jdoe", PASSWORD);
        let page = browser.get("/login/recovery");
        let answer = browser.post("/login/code", &page.token(), &[("code", &recovery[0]), ("recovery", "on")]);
        assert_eq!(answer.status, status, "{}", answer.body);
        says(&answer, text);
    }
}

#[test]
fn a_login_that_waits_too_long_for_its_code_begins_again() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let (secret, _) = enrol(&desk, &desk.logged_in("jdoe"));
    let browser = desk.browser();
    browser.log_in("jdoe", PASSWORD);
    let page = browser.get("/login/code");
    desk.place.clock.advance(Duration::from_secs(200));
    let late = browser.post("/login/code", &page.token(), &[("code", &code(&desk, &secret))]);
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
    says(&late, "took too long");
}

// policy: P-20
#[test]
fn where_the_agency_asks_for_a_second_factor_nothing_is_shown_before_it_is_set_up() {
    let desk = Desk::with("second_factor_required = true", "");
    desk.hire("jdoe", Role::Officer);
    let browser = desk.logged_in("jdoe");
    assert_eq!(browser.get("/").to, "/account/second-factor");
    assert_eq!(browser.get("/shift").to, "/account/second-factor");
    enrol(&desk, &browser);
    assert_eq!(browser.get("/").to, "/purpose");
}

// policy: P-07
#[test]
fn without_current_training_one_sees_ones_own_account_and_the_reason_and_nothing_else() {
    let desk = Desk::new();
    desk.hire_with("jdoe", Role::Officer, |user| user.trained = Some("2020-02-03".parse().unwrap()));
    let browser = desk.logged_in("jdoe");
    for path in ["/", "/shift", "/purpose", "/alerts", "/pictures/0199ac00-0000-7000-8000-000000000000/plate.jpg"] {
        let led = browser.get(path);
        assert_eq!((led.status, led.to.as_str()), (StatusCode::SEE_OTHER, "/refused"), "{path}");
    }
    let refused = browser.get("/refused");
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    says(&refused, "Your ALPR training of 2020-02-03 is");
    let account = browser.get("/account");
    says(&account, "Your ALPR training of 2020-02-03 is");
    assert!(!account.body.contains("href=\"/alerts\""), "the navigation leads to what is refused");
}

// policy: P-07
#[test]
fn training_that_lapses_during_a_shift_ends_the_look() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    let mut events = browser.listen(&browser.get("/").events());
    let long_ago = plated_access::Change::Training("2020-02-03".parse().unwrap());
    let (name, why) = (LoginName::new("jdoe").unwrap(), Reason::new("typing error").unwrap());
    desk.service.accounts().unwrap().change(&root(), &name, long_ago, &why).unwrap();
    assert_eq!(browser.get("/").to, "/refused");
    assert!(events.next_of(&["leave"]).is_some(), "a page that is open leaves too");
}

// policy: P-20
#[test]
fn a_session_that_nobody_uses_locks_and_shows_nothing_until_its_owner_gives_the_password() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    let mut events = browser.listen(&browser.get("/").events());
    desk.place.clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(browser.get("/alerts").to, "/unlock?then=/alerts");
    assert!(events.next_of(&["leave"]).is_some(), "a page that is open leaves too");
    let page = browser.get("/unlock?then=/alerts");
    says(&page, "Robin Vale is logged in");
    let wrong = browser.post("/unlock", &page.token(), &[("password", "wrong")]);
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let right = browser.post("/unlock", &page.token(), &[("password", PASSWORD), ("then", "/alerts")]);
    assert_eq!((right.status, right.to.as_str()), (StatusCode::SEE_OTHER, "/alerts"));
    assert_eq!(browser.get("/alerts").status, StatusCode::OK, "purpose and case still count");

    browser.post("/lock", &browser.get("/").token(), &[]);
    assert_eq!(browser.get("/").to, "/unlock", "by hand too");
}

// policy: P-20
#[test]
fn live_events_and_pictures_do_not_keep_a_session_from_being_locked() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    let page = browser.get("/");
    desk.place.clock.advance(Duration::from_secs(20 * 60));
    let _events = browser.listen(&page.events());
    browser.get("/pictures/0199ac00-0000-7000-8000-000000000000/plate.jpg");
    desk.place.clock.advance(Duration::from_secs(11 * 60));
    assert_eq!(browser.get("/").to, "/unlock");
}

// policy: P-20
#[test]
fn the_next_officer_logs_in_where_the_one_before_did_and_nobody_goes_on_in_their_name() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.hire("asmith", Role::Officer);
    let browser = desk.watching("jdoe");
    let copied = browser.request(Method::GET, "/alerts");
    browser.log_in("asmith", PASSWORD);
    assert_eq!(browser.get("/").to, "/purpose", "the purpose of the one before is not that of the next");
    assert_eq!(browser.send(copied).to, "/login?then=/alerts", "the old session is over");

    let out = browser.post("/logout", &browser.get("/account").token(), &[]);
    assert_eq!((out.status, out.to.as_str()), (StatusCode::SEE_OTHER, "/login"));
    assert_eq!(browser.get("/").to, "/login");
}

// policy: P-20
#[test]
fn a_password_that_somebody_else_chose_is_changed_first_and_ones_own_whenever_one_likes() {
    let desk = Desk::new();
    desk.hire_with("jdoe", Role::Officer, |user| user.must_change_password = true);
    let browser = desk.logged_in("jdoe");
    assert_eq!(browser.get("/shift").to, "/account/password");
    let change = |old: &str, new: &str, again: &str| {
        browser.submit("/account/password", &[("old", old), ("new", new), ("again", again)])
    };
    says(&change(PASSWORD, OTHER, PASSWORD), "not the same");
    says(&change("wrong", OTHER, OTHER), "The password is wrong");
    says(&change(PASSWORD, "short", "short"), "12 characters");
    assert_eq!(change(PASSWORD, OTHER, OTHER).to, "/");
    assert_eq!(browser.get("/").to, "/purpose");
    assert_eq!(desk.browser().log_in("jdoe", PASSWORD).status, StatusCode::UNAUTHORIZED);
    assert_eq!(desk.browser().log_in("jdoe", OTHER).status, StatusCode::SEE_OTHER);
}

// policy: P-01, P-02
#[test]
fn nothing_is_shown_without_an_authorised_purpose_nor_without_a_case_where_one_is_asked_for() {
    let desk = Desk::with("", "[access]\ncase_required = true\n");
    desk.hire("jdoe", Role::Officer);
    let browser = desk.logged_in("jdoe");
    for (purpose, case) in [("", "26-1"), ("curiosity", "26-1"), ("locate_vehicle", " ")] {
        let refused = browser.submit("/purpose", &[("purpose", purpose), ("case", case)]);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{purpose:?} {case:?}");
        assert_eq!(browser.get("/").to, "/purpose");
    }
    assert_eq!(browser.submit("/purpose", &[("purpose", "locate_vehicle"), ("case", "26-1")]).to, "/");
}
