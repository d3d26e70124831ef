//! Coming in by the agency's own login, against a real provider on loopback.

use crate::kit::Depot;
use crate::kit::console::{Answer, Browser, PASSWORD};
use crate::kit::process::{address, until};
use crate::kit::provider::{Provider, installed};
use crate::kit::station_pages::Hall;
use reqwest::StatusCode;
use std::net::SocketAddr;

/// A station and its provider, which runs if `on`.
struct Office {
    hall: Hall,
    provider: Option<Provider>,
    at: SocketAddr,
}

fn office(depot: Depot, more: &str, on: bool) -> Option<Office> {
    let modules = installed()?;
    let (at, pages) = (address(), address());
    let table = Provider::table(depot.dir.path(), at, pages, more);
    let hall = Hall::at(depot, pages, &table);
    let provider = on.then(|| Provider::start(&modules, hall.depot.dir.path(), at, pages));
    Some(Office { hall, provider, at })
}

impl Office {
    fn provider(&self) -> &Provider {
        self.provider.as_ref().unwrap()
    }

    /// Somebody goes to the provider and comes back.
    fn come(&self, browser: &Browser, name: &str) -> Answer {
        let begun = browser.get("/login/agency");
        assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
        browser.get(&self.provider().log_in(&begun.to, name))
    }
}

fn is_in(browser: &Browser) -> bool {
    browser.get("/account").status == StatusCode::OK
}

// policy: P-07, P-20
#[test]
fn who_has_an_account_comes_in_by_the_agencys_login_on_each_engine_and_nobody_else_does() {
    for depot in Depot::on_each_engine() {
        let Some(office) = office(depot, "", true) else { return };
        let hall = &office.hall;
        hall.hire("jdoe", "officer");
        hall.hire("gone", "officer");
        let page = hall.browser().get("/login?then=/account");
        assert!(page.body.contains("Sign in with Springfield PD") && page.body.contains("/login/agency?then=/account"));

        // The first password need not be changed by who does not need it, and the browser is led on by the page itself.
        let browser = hall.browser();
        let arrived = office.come(&browser, "JDoe");
        assert_eq!(arrived.status, StatusCode::OK, "{}", arrived.body);
        assert_eq!(arrived.headers["refresh"], "0; url=/search");
        assert!(is_in(&browser));

        // Whoever gets that name at the provider later is somebody else.
        let other = hall.browser();
        let refused = office.come(&other, "jdoe~2");
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.body.contains("somebody else"), "{}", refused.body);
        let unknown = office.come(&other, "stranger");
        assert_eq!(unknown.status, StatusCode::FORBIDDEN);
        assert!(unknown.body.contains("no such account"), "{}", unknown.body);

        // A disabled account stays disabled, and training that has lapsed stays lapsed.
        let disabled = hall.command(&["user", "disable", "gone", "--reason", "left"], "");
        assert!(disabled.status.success());
        let gone = office.come(&other, "gone");
        assert!(gone.status == StatusCode::FORBIDDEN && gone.body.contains("disabled"), "{}", gone.body);
        assert!(!is_in(&other));
        let args = ["user", "add", "late", "--full-name", "Late", "--agency", "PD", "--role", "officer"];
        let more = ["--trained", "2020-01-01", "--reason", "hired", "--password-stdin"];
        assert!(hall.command(&[&args[..], &more].concat(), &format!("{PASSWORD}\n")).status.success());
        office.come(&other, "late");
        assert_eq!(other.get("/search").to, "/refused");

        // Out of here, and from there out of the provider.
        let out = browser.post("/logout", &browser.get("/account").token(), &[]);
        assert_eq!(out.to, "/login?left=agency");
        assert!(browser.get(&out.to).body.contains("/login/agency/out") && !is_in(&browser));
        assert!(browser.get("/login/agency/out").to.contains("/session/end?client_id=plated"));
    }
}

// policy: P-20, P-21
#[test]
fn a_login_by_the_provider_is_on_record_with_its_means() {
    let Some(office) = office(Depot::new(), "", true) else { return };
    office.hall.hire("jdoe", "officer");
    office.come(&office.hall.browser(), "jdoe");
    office.come(&office.hall.browser(), "stranger");
    let logins = office.hall.on_record("login");
    assert_eq!(logins.last().unwrap()["elements"]["means"], "provider");
    assert_eq!(logins.last().unwrap()["actor"]["name"], "jdoe");
    let failed = office.hall.on_record("login_failed");
    assert!(failed.last().unwrap()["reason"].as_str().unwrap().contains("no account"));
    assert!(!serde_json::to_string(&failed).unwrap().contains("stranger"), "no name that nobody has is kept");
}

// policy: P-20
#[test]
fn a_token_that_is_not_the_providers_for_this_station_and_this_login_lets_nobody_in() {
    let Some(office) = office(Depot::new(), "", true) else { return };
    office.hall.hire("jdoe", "officer");
    for (mode, why) in [
        ("none", "not signed"),
        ("hmac", "not signed"),
        ("foreign", "signature"),
        ("expired", "expired"),
        ("audience", "another program"),
        ("issuer", "another provider"),
        ("nonce", "another login"),
        ("stale", "log in anew"),
        ("somebody", "somebody else"),
    ] {
        office.provider().forge(mode);
        let browser = office.hall.browser();
        let answer = office.come(&browser, "jdoe");
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{mode}");
        assert!(answer.body.contains(why), "{mode}: {}", answer.body);
        assert!(!is_in(&browser), "{mode}");
    }
    assert_eq!(office.hall.on_record("login_failed").len(), 9);
    office.provider().forge("");
    let browser = office.hall.browser();
    office.come(&browser, "jdoe");
    assert!(is_in(&browser));
}

// policy: P-20
#[test]
fn an_answer_counts_once_in_the_browser_that_asked_and_leads_to_no_other_site() {
    let Some(office) = office(Depot::new(), "", true) else { return };
    office.hall.hire("jdoe", "officer");
    let browser = office.hall.browser();
    let begun = browser.get("/login/agency?then=//evil.example");
    assert!(begun.to.contains("code_challenge_method=S256") && begun.to.contains("prompt=login"), "{}", begun.to);
    let back = office.provider().log_in(&begun.to, "jdoe");
    // Another browser did not ask.
    let other = office.hall.browser();
    assert_eq!(other.get(&back).status, StatusCode::UNAUTHORIZED);
    let state = back.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    other.get("/login/agency");
    assert_eq!(other.get(&back).status, StatusCode::UNAUTHORIZED, "its state is another");
    assert!(!is_in(&other));
    let arrived = browser.get(&back);
    assert_eq!(arrived.headers["refresh"], "0; url=/search");
    // Again: the browser has forgotten it, and a new login has another state.
    assert_eq!(browser.get(&back).status, StatusCode::UNAUTHORIZED);
    // The code in another login with the right state: the provider does not take it.
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let third = office.hall.browser();
    let begun = third.get("/login/agency");
    let own = begun.to.split("state=").nth(1).unwrap().split('&').next().unwrap();
    assert_ne!(own, state);
    let replayed = third.get(&format!("/login/agency/back?code={code}&state={own}"));
    assert!(replayed.status == StatusCode::UNAUTHORIZED && !is_in(&third), "{}", replayed.body);
}

#[test]
fn a_key_that_the_provider_has_changed_is_asked_for_by_itself() {
    let Some(office) = office(Depot::new(), "", true) else { return };
    office.hall.hire("jdoe", "officer");
    office.come(&office.hall.browser(), "jdoe");
    office.provider().forge("rotate");
    let browser = office.hall.browser();
    let arrived = office.come(&browser, "jdoe");
    assert!(arrived.status == StatusCode::OK && is_in(&browser), "{}", arrived.body);
}

#[test]
fn a_provider_that_is_down_keeps_no_station_from_starting_and_nobody_from_logging_in_by_password() {
    let Some(mut office) = office(Depot::new(), "", false) else { return };
    office.hall.hire("jdoe", "officer");
    let browser = office.hall.browser();
    let answer = browser.get("/login/agency");
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        answer.body.contains("login of Springfield PD can") && answer.body.contains("be reached"),
        "{}",
        answer.body
    );
    assert_eq!(browser.log_in("jdoe", PASSWORD).status, StatusCode::SEE_OTHER);
    let dir = office.hall.depot.dir.path();
    office.provider = Some(Provider::start(&installed().unwrap(), dir, office.at, office.hall.pages));
    let later = office.hall.browser();
    until("the provider", || (later.get("/login/agency").status == StatusCode::SEE_OTHER).then_some(()));
    office.come(&later, "jdoe");
    assert!(is_in(&later));
}

// policy: P-20
#[test]
fn where_passwords_are_not_taken_only_the_accounts_that_are_named_come_in_by_one() {
    let more = "local_login = false\nbreak_glass = [\"chief\"]\n";
    let Some(office) = office(Depot::new(), more, true) else { return };
    office.hall.hire("chief", "administrator");
    office.hall.hire("jdoe", "officer");
    let browser = office.hall.browser();
    let refused = browser.log_in("jdoe", PASSWORD);
    assert!(refused.status == StatusCode::FORBIDDEN && !is_in(&browser), "{}", refused.body);
    assert_eq!(office.hall.browser().log_in("chief", PASSWORD).status, StatusCode::SEE_OTHER);
    office.come(&browser, "jdoe");
    assert!(is_in(&browser));
    // A screen that was locked opens by the provider, too.
    browser.post("/lock", &browser.get("/account").token(), &[]);
    let locked = browser.get("/unlock");
    assert!(locked.body.contains("Sign in with Springfield PD") && !locked.body.contains("name=\"password\""));
    office.come(&browser, "jdoe");
    assert!(is_in(&browser));
}
