//! Every route: who gets through, and that nothing is shown that is not on record.

use crate::kit::console::{Browser, Desk};
use crate::kit::store::{read, rows};
use plated_access::Role;
use plated_vehicle::console::{Needs, Route};
use reqwest::{Method, StatusCode};

/// What is expected of each route, by what it shows. A new route has to be put here: the walk fails without it.
fn expected(route: &Route) -> Needs {
    match route.path {
        "/login" | "/login/code" | "/login/recovery" | "/logout" | "/theme" => Needs::Nobody,
        "/unlock" | "/lock" => Needs::Door,
        "/refused"
        | "/account"
        | "/account/password"
        | "/account/settings"
        | "/account/second-factor"
        | "/account/second-factor/code"
        | "/account/recovery-codes" => Needs::Own,
        // Lists by name and age, cameras, purposes, accounts under review: no plate.
        "/lists" | "/lists/import" | "/lists/import/accept" | "/lists/import/discard" => Needs::Session,
        "/cameras" | "/purposes" | "/review" => Needs::Session,
        // What a camera sees now, plates and all.
        "/cameras/{camera}" | "/cameras/{camera}/figures" | "/cameras/{camera}/newest.jpg" => Needs::Look,
        "/cameras/{camera}/aimed" => Needs::Look,
        // Of accounts; who may see them is asked for each time.
        "/users" | "/users/new" | "/users/{name}" | "/users/{name}/{action}" => Needs::Session,
        // Results, in which no plate is.
        "/performance" => Needs::Trained,
        "/performance/start"
        | "/performance/plate"
        | "/performance/undo"
        | "/performance/end"
        | "/performance/discard" => Needs::Look,
        // The state of the vehicle; and where purpose and case are given.
        "/shift" | "/purpose" => Needs::Trained,
        // Leads on before anything is shown.
        "/" => Needs::Trained,
        "/subscribers/alerts" => Needs::Token,
        "/events" | "/pictures/{read}/{name}" | "/alerts" | "/alerts/{hit}" | "/alerts/{hit}/tone" => Needs::Look,
        "/entries" | "/entries/{id}/remove" => Needs::Look,
        "/canvass" | "/canvass/end" => Needs::Look,
        "/findings" | "/findings/{number}/{action}" | "/alerts/{hit}/finding" => Needs::Look,
        "/search" | "/search/{search}" | "/search/{search}/export" => Needs::Look,
        "/reads/{read}" | "/reads/{read}/correct" => Needs::Look,
        other => panic!("say here what the route {other} shows"),
    }
}

/// An address of a route.
fn address(route: &Route, id: &str) -> String {
    let path =
        route.path.replace("{read}", id).replace("{hit}", id).replace("{search}", id).replace("{name}.", "plate.");
    path.replace("/{name}/{action}", "/jdoe/disable")
        .replace("/{number}/{action}", "/1/approve")
        .replace("/{id}/", "/1/")
        .replace("users/{name}", "users/jdoe")
        .replace("{camera}", "a")
        .replace("{name}", "plate.jpg")
}

fn open(browser: &Browser, route: &Route, id: &str) -> crate::kit::console::Answer {
    let path = address(route, id);
    match route.method {
        "GET" => browser.send(browser.request(Method::GET, &path).timeout(std::time::Duration::from_secs(60))),
        _ => browser.post(&path, &browser.get("/login").token(), &[]),
    }
}

// policy: P-20, P-21
#[test]
fn every_route_is_public_or_leads_whoever_has_no_session_to_the_login() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let mut new = read("7ABC123");
    new.record.hits.push(crate::kit::store::hit("svs"));
    desk.read(&new);
    for route in desk.routes() {
        let (browser, name) = (desk.browser(), format!("{} {}", route.method, route.path));
        assert_eq!(route.needs, expected(&route), "{name}");
        let answer = open(&browser, &route, &new.record.id.to_string());
        assert!(!answer.body.contains("7ABC123"), "{name}");
        match route.needs {
            Needs::Token => assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}"),
            Needs::Nobody => assert!(!answer.status.is_server_error(), "{name}: {}", answer.status),
            _ if route.path == "/events" => assert!(answer.body.contains("event: leave"), "{name}: {}", answer.body),
            _ => {
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{name}");
                assert!(answer.to.starts_with("/login"), "{name}: {}", answer.to);
            }
        }
    }
}

// policy: P-01, P-21
#[test]
fn every_route_that_shows_reads_or_alerts_asks_for_the_purpose_first_and_shows_nothing_before() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let mut new = read("7ABC123");
    new.record.hits.push(crate::kit::store::hit("svs"));
    desk.read(&new);
    let browser = desk.logged_in("jdoe");
    for route in desk.routes().into_iter().filter(|route| route.method == "GET") {
        let answer = open(&browser, &route, &new.record.id.to_string());
        assert!(!answer.body.contains("7ABC123"), "{}", route.path);
        match (route.needs, route.path) {
            (Needs::Look, "/events") => assert!(answer.body.contains("event: leave")),
            (Needs::Look, _) | (_, "/") => assert!(answer.to.starts_with("/purpose"), "{}: {}", route.path, answer.to),
            _ => {}
        }
    }
    let shown = |word: &str| rows(&desk.store).iter().filter(|row| row.entry.action.as_str() == word).count();
    assert_eq!((shown("live_shown"), shown("hits_shown")), (0, 0));
}

// policy: P-21
#[test]
fn when_it_can_not_be_put_on_record_nobody_begins_to_look_and_nothing_is_shown() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let (before, after) = (desk.logged_in("jdoe"), desk.watching("jdoe"));
    let mut new = read("7ABC123");
    new.record.hits.push(crate::kit::store::hit("svs"));
    use plated_core::clock::Clock;
    new.record.hits[0].at = desk.place.clock.wall();
    desk.store.put_read(&new).unwrap();
    desk.break_record();
    let refused = before.submit("/purpose", &[("purpose", "locate_vehicle"), ("case", "")]);
    assert!(refused.status.is_server_error(), "{}", refused.status);
    assert_eq!(before.get("/").to, "/purpose");
    // Who looks already sees no alert that is not on record, on no page; the reads were on record before.
    let (read, hit) = (new.record.id.to_string(), new.record.hits[0].id.to_string());
    for route in desk.routes().into_iter().filter(|r| r.method == "GET" && r.path != "/events") {
        let id = if route.path.starts_with("/alerts") { &hit } else { &read };
        let answer = open(&after, &route, id);
        let shows = answer.body.contains("Stolen vehicle") || answer.body.contains("data-alert=");
        assert!(!shows, "{}: {}", route.path, answer.body);
    }
    assert!(after.get("/account").body.contains("Alerts can&#39;t be shown"));
}

#[test]
fn a_form_without_the_token_of_its_page_changes_nothing() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    let before = rows(&desk.store).len();
    for route in desk.routes().into_iter().filter(|route| route.method == "POST") {
        for token in ["", "0123456789abcdef"] {
            let answer = browser.post(&address(&route, "0199ac00-0000-7000-8000-000000000000"), token, &[]);
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", route.path);
        }
    }
    assert_eq!((rows(&desk.store).len(), browser.get("/").status), (before, StatusCode::OK));
}

#[test]
fn whatever_an_address_a_query_or_a_form_holds_is_answered_by_a_page_and_is_no_failure() {
    let desk = Desk::new();
    desk.hire("admin", Role::Administrator);
    desk.hire("jdoe", Role::Officer);
    let odd = ["x", "%00", "..%2f..%2fetc", "%F0%9F%9A%93", "%27%20OR%201", &"9".repeat(900)];
    for name in ["jdoe", "admin"] {
        let browser = desk.watching(name);
        let token = browser.get("/account").token();
        for route in desk.routes().into_iter().filter(|r| !matches!(r.path, "/events" | "/logout" | "/lock")) {
            for odd in odd {
                let path = route.path.replace("{read}", odd).replace("{hit}", odd).replace("{search}", odd);
                let path = path.replace("{name}", odd).replace("{camera}", odd);
                let path = path.replace("{id}", odd).replace("{number}", odd);
                let path = format!("{}?from={odd}&name={odd}&then={odd}", path.replace("{action}", odd));
                let answer = match route.method {
                    "GET" => browser.get(&path),
                    _ => {
                        let json = browser.request(Method::POST, &path).header("x-csrf-token", &token);
                        let answer = browser.send(json.header("content-type", "application/json").body("{\"a\":"));
                        assert!(!answer.status.is_server_error(), "{name}: {path}: {}", answer.status);
                        let names = ["answer", "step", "role", "trained", "plate", "state", "from", "until", "near"];
                        let names = names.into_iter().chain(["distance", "text", "why", "reason", "purpose", "case"]);
                        browser.post(&path, &token, &names.map(|name| (name, odd)).collect::<Vec<_>>())
                    }
                };
                assert!(!answer.status.is_server_error(), "{name}: {path}: {} {}", answer.status, answer.body);
            }
        }
    }
}

// policy: P-23
#[test]
fn each_role_sees_what_is_its_own() {
    let desk = Desk::new();
    for role in Role::ALL {
        desk.hire(role.as_str(), role);
    }
    for (role, start, users) in [
        (Role::Officer, "/purpose", StatusCode::FORBIDDEN),
        (Role::Supervisor, "/purpose", StatusCode::FORBIDDEN),
        (Role::Administrator, "/purpose", StatusCode::OK),
        (Role::Auditor, "/users", StatusCode::OK),
        (Role::Custodian, "/alerts", StatusCode::OK),
    ] {
        let browser = desk.logged_in(role.as_str());
        assert_eq!(browser.get("/").to, start, "{role}");
        assert_eq!(browser.get("/users").status, users, "{role}");
    }
    let administrator = desk.watching("administrator");
    let alerts = administrator.get("/alerts");
    assert!(alerts.status == StatusCode::OK && alerts.body.contains("No alerts this shift"), "{}", alerts.body);
}
