//! Alerts as a stream, for programs with a token (docs/reference/alerts-json.md).

use crate::kit::console::{Browser, Desk, Event, Events, root};
use crate::kit::store::{hit, read, rows};
use plated_access::{Breach, NewSubscriber, Reason, Role};
use plated_core::clock::Clock;
use plated_core::error::Kind;
use plated_core::record::Priority;
use plated_vehicle::console::Needs;
use plated_vehicle::control::{Reply, Request};
use plated_vehicle::subscribers::AlertMessage;
use reqwest::{Method, RequestBuilder, StatusCode};

const ALERTS: &str = "/subscribers/alerts";
const LISTS: &str = "[[hotlists]]\nname = \"svs\"\n[[hotlists]]\nname = \"local\"\n\
                     [[hotlists]]\nname = \"watch\"\ncovert = true\n";

fn desk() -> Desk {
    Desk::with("", LISTS)
}

fn program(name: &str, lists: &[&str]) -> NewSubscriber {
    let lists = lists.iter().map(|list| (*list).to_owned()).collect();
    NewSubscriber { name: name.into(), lists, clets: false, priority: Priority::Normal, purpose: None }
}

fn why() -> Reason {
    Reason::new("dispatch sees alerts").unwrap()
}

fn ask(desk: &Desk, request: Request) -> plated_core::error::Result<Vec<Reply>> {
    let mut replies = Vec::new();
    desk.service.answer(request, &root(), None, &mut |reply| {
        replies.push(reply);
        Ok(())
    })?;
    Ok(replies)
}

/// Adds a program that sees these lists, and gives its token.
fn add(desk: &Desk, name: &str, lists: &[&str]) -> String {
    let request = Request::AddSubscriber { subscriber: program(name, lists), reason: why() };
    match ask(desk, request).unwrap().pop() {
        Some(Reply::SubscriberAdded { token, .. }) => token.text().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn remove(desk: &Desk, name: &str) {
    ask(desk, Request::RemoveSubscriber { name: name.into(), reason: why() }).unwrap();
}

fn request(browser: &Browser, token: &str) -> RequestBuilder {
    browser.request(Method::GET, ALERTS).header("authorization", format!("Bearer {token}"))
}

/// The stream behind the event of this id.
fn listen(browser: &Browser, token: &str, last: Option<&str>) -> Events {
    let request = request(browser, token);
    browser.listen_to(match last {
        Some(last) => request.header("last-event-id", last),
        None => request,
    })
}

/// A read of this plate with a hit of this list, made known; the id of the alert.
fn alert(desk: &Desk, plate: &str, list: &str) -> uuid::Uuid {
    let mut new = read(plate);
    new.record.hits.push(hit(list));
    new.record.hits[0].at = desk.place.clock.wall();
    new.record.hits[0].text = plate.into();
    desk.read(&new);
    new.record.hits[0].id
}

fn next(events: &mut Events) -> (Event, AlertMessage) {
    let event = events.next_of(&["alert"]).expect("an alert");
    let message = serde_json::from_str(&event.data).unwrap();
    (event, message)
}

fn given_out(desk: &Desk) -> Vec<plated_access::audit::Entry> {
    let all = rows(&desk.store).into_iter().map(|row| row.entry);
    all.filter(|entry| entry.action.as_str() == "alert_given_out").collect()
}

// policy: P-08, P-21
#[test]
fn a_program_is_given_the_alerts_of_its_lists_and_each_is_on_record_before() {
    let desk = desk();
    let token = add(&desk, "cad", &["svs"]);
    alert(&desk, "1OLD111", "svs");
    let browser = desk.browser();
    let mut events = listen(&browser, &token, None);
    let begin = events.next_of(&["begin"]).unwrap();
    assert_eq!(begin.data, r#"{"resumed":false,"subscriber":"cad","version":1}"#);
    assert!(!begin.id.is_empty(), "to go on from, before the first alert");
    alert(&desk, "4KLM567", "watch");
    alert(&desk, "6DEF128", "local");
    let id = alert(&desk, "7ABC123", "svs");
    let (event, message) = next(&mut events);
    assert_eq!((message.id, &*message.text, message.unverified), (id, "7ABC123", true));
    assert!(message.entries.iter().all(|entry| entry.entry.list == "svs"));
    for secret in ["watch", "local", "4KLM567", "6DEF128", "1OLD111"] {
        assert!(!event.data.contains(secret), "{secret}");
    }
    let rows = given_out(&desk);
    assert_eq!(rows.len(), 2, "the connection and the alert");
    assert_eq!((&*rows[0].elements["as"], &*rows[0].elements["to"]), ("stream", "127.0.0.1"));
    assert_eq!((&*rows[1].elements["subscriber"], &*rows[1].elements["plate"]), ("cad", "7ABC123"));
    assert_eq!((rows[1].rows, &*rows[1].actor.name), (Some(1), "subscriber"));
}

#[test]
fn a_program_that_was_cut_off_misses_nothing_and_one_of_another_store_is_given_what_is_here() {
    let desk = desk();
    let (token, browser) = (add(&desk, "cad", &["svs"]), desk.browser());
    let mut events = listen(&browser, &token, None);
    let begin = events.next_of(&["begin"]).unwrap();
    let first = alert(&desk, "7ABC123", "svs");
    let (event, message) = next(&mut events);
    assert_eq!(message.id, first);
    // The line is cut; more alerts than the daemon keeps events of.
    drop(events);
    let missed: Vec<_> = (0..300).map(|n| alert(&desk, &format!("7ABC{n:03}"), "svs")).collect();
    let mut events = listen(&browser, &token, Some(&event.id));
    assert!(events.next_of(&["begin"]).unwrap().data.contains("\"resumed\":true"));
    let had: Vec<_> = missed.iter().map(|_| next(&mut events).1.id).collect();
    assert_eq!(had, missed, "all of them, in their order, once");
    drop(events);
    let mut events = listen(&browser, &token, Some(&begin.id));
    assert_eq!(next(&mut events).1.id, first, "from where it began, before the first alert");
    drop(events);
    let (store, number) = event.id.split_once('.').unwrap();
    for other in [format!("{}.{number}", "0".repeat(32)), format!("{store}.7fffffff")] {
        let mut events = listen(&browser, &token, Some(&other));
        assert!(events.next_of(&["begin"]).unwrap().data.contains("\"resumed\":false"), "{other}");
        assert_eq!(next(&mut events).1.id, first, "{other}: rather twice than never");
    }
    // What is no id is none.
    let mut events = listen(&browser, &token, Some("' OR 1"));
    events.next_of(&["begin"]).unwrap();
    let new = alert(&desk, "6DEF128", "svs");
    assert_eq!(next(&mut events).1.id, new);
}

// policy: P-20
#[test]
fn no_session_opens_the_stream_and_no_token_of_a_program_opens_a_page() {
    let desk = desk();
    desk.hire("admin", Role::Administrator);
    desk.hire("jdoe", Role::Officer);
    let token = add(&desk, "cad", &["svs"]);
    for name in ["admin", "jdoe"] {
        let answer = desk.watching(name).get(ALERTS);
        assert_eq!(
            (answer.status, &answer.headers["www-authenticate"]),
            (StatusCode::UNAUTHORIZED, &"Bearer".parse().unwrap())
        );
    }
    let browser = desk.browser();
    for route in desk.routes().iter().filter(|route| route.method == "GET" && route.needs > Needs::Nobody) {
        let path = route.path.replace(['{', '}'], "");
        let with = browser.request(Method::GET, &path).header("authorization", format!("Bearer {token}"));
        // As a cookie, too.
        let answer = browser.send(with.header("cookie", format!("__Host-session={token}")));
        let left_out = answer.status == StatusCode::SEE_OTHER || answer.body.contains("event: leave");
        assert!(left_out, "{}: {}", route.path, answer.status);
    }
    let streamed = browser.listen_to(request(&browser, &token));
    assert!(streamed.headers().get("set-cookie").is_none(), "a program has no cookies");
}

// policy: P-26
#[test]
fn wrong_tokens_get_one_answer_and_many_of_them_are_a_sign_of_a_breach() {
    let desk = desk();
    let (token, browser) = (add(&desk, "cad", &["svs"]), desk.browser());
    let bare = browser.send(browser.request(Method::GET, ALERTS));
    assert_eq!(bare.status, StatusCode::UNAUTHORIZED);
    let wrong =
        ["", "Bearer", "Basic YTpi", "Bearer 00", &format!("Bearer {}", "0".repeat(64)), &format!("Bearer {token}0")];
    for n in 0..40 {
        let given = wrong[n % wrong.len()];
        let answer = browser.send(browser.request(Method::GET, ALERTS).header("authorization", given));
        assert_eq!((answer.status, &answer.body), (StatusCode::UNAUTHORIZED, &bare.body), "{given}");
    }
    let breaches: Vec<_> = desk.store.breaches(0, 10).unwrap().into_iter().map(|kept| kept.breach).collect();
    assert_eq!(breaches, [Breach::RefusedTokens { failures: 20, minutes: 15 }]);
    let refused = rows(&desk.store).iter().filter(|row| row.entry.action.as_str() == "token_refused").count();
    assert_eq!(refused, 20, "no more are put down: that would fill the disk");
    // The right one is let in all the same.
    assert!(listen(&browser, &token, None).next_of(&["begin"]).is_some());
}

#[test]
fn a_program_that_is_removed_is_cut_off_and_its_token_opens_nothing_any_more() {
    let desk = desk();
    let (token, browser) = (add(&desk, "cad", &["svs"]), desk.browser());
    let mut events = listen(&browser, &token, None);
    events.next_of(&["begin"]).unwrap();
    remove(&desk, "cad");
    alert(&desk, "7ABC123", "svs");
    assert!(events.next_of(&["alert"]).is_none(), "nothing more comes");
    assert_eq!(browser.send(request(&browser, &token)).status, StatusCode::UNAUTHORIZED);
    // Nor does it when there is another program of that name.
    add(&desk, "cad", &["svs"]);
    assert_eq!(browser.send(request(&browser, &token)).status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_stream_that_a_program_opens_anew_ends_the_one_before_and_no_other_programs() {
    let desk = desk();
    let (cad, mdt) = (add(&desk, "cad", &["svs"]), add(&desk, "mdt", &["svs"]));
    let browser = desk.browser();
    let (mut first, mut other) = (listen(&browser, &cad, None), listen(&browser, &mdt, None));
    first.next_of(&["begin"]).unwrap();
    other.next_of(&["begin"]).unwrap();
    let mut second = listen(&browser, &cad, None);
    second.next_of(&["begin"]).unwrap();
    assert!(first.next_of(&["alert"]).is_none(), "it ends");
    // One that takes nothing holds up nobody.
    let ids: Vec<_> = (0..200).map(|n| alert(&desk, &format!("7ABC{n:03}"), "svs")).collect();
    let had: Vec<_> = ids.iter().map(|_| next(&mut other).1.id).collect();
    assert_eq!(had, ids);
    assert_eq!(next(&mut second).1.id, ids[0]);
}

// policy: P-21
#[test]
fn what_can_not_be_put_on_record_is_not_given_out() {
    let desk = desk();
    let (token, browser) = (add(&desk, "cad", &["svs"]), desk.browser());
    let mut events = listen(&browser, &token, None);
    events.next_of(&["begin"]).unwrap();
    let id = alert(&desk, "7ABC123", "svs");
    assert_eq!(next(&mut events).1.id, id);
    desk.break_record_of("alert_given_out");
    alert(&desk, "6DEF128", "svs");
    assert!(events.next_of(&["alert"]).is_none(), "it ends without the alert");
    let mut again = listen(&browser, &token, None);
    assert!(again.next_of(&["begin", "alert"]).is_none(), "and does not begin again");
}

// policy: P-08
#[test]
fn a_covert_list_can_be_named_for_no_program() {
    let desk = desk();
    let request = Request::AddSubscriber { subscriber: program("cad", &["svs", "watch"]), reason: why() };
    let refused = ask(&desk, request).unwrap_err();
    assert!(refused.kind() == Kind::Input && refused.to_string().contains("covert"), "{refused}");
    assert!(ask(&desk, Request::Subscribers).unwrap().is_empty());
}

#[test]
fn alerts_less_urgent_than_a_program_wants_are_not_given_to_it() {
    let desk = desk();
    let subscriber = NewSubscriber { priority: Priority::High, ..program("cad", &["svs"]) };
    let token = match ask(&desk, Request::AddSubscriber { subscriber, reason: why() }).unwrap().pop() {
        Some(Reply::SubscriberAdded { token, .. }) => token.text().to_owned(),
        other => panic!("{other:?}"),
    };
    let browser = desk.browser();
    let mut events = listen(&browser, &token, None);
    events.next_of(&["begin"]).unwrap();
    let mut low = read("6DEF128");
    low.record.hits.push(hit("svs"));
    low.record.hits[0].at = desk.place.clock.wall();
    low.record.hits[0].entries[0].priority = Priority::Normal;
    desk.read(&low);
    let high = alert(&desk, "7ABC123", "svs");
    assert_eq!(next(&mut events).1.id, high);
}
