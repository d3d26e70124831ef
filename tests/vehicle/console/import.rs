//! Bringing in a list by the page (control P-05): looked at first, then by the same import as anywhere.

use crate::kit::console::{Answer, Browser, Desk};
use crate::kit::store::rows;
use plated_access::Role;
use reqwest::{Method, StatusCode};

const LISTS: &str = "[[hotlists]]\nname = \"svs\"\nformat = \"csv\"\n\
                     [[hotlists]]\nname = \"watch\"\nformat = \"csv\"\ncovert = true\n";

/// Sends a file as a browser does, with these fields in front of it.
fn send(browser: &Browser, token: &str, fields: &[(&str, &str)], file: &str) -> Answer {
    let mut body = format!("--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n");
    for (name, value) in fields {
        body += &format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += &format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\lists\\new.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n{file}\r\n--x--\r\n"
    );
    let request = browser.request(Method::POST, "/lists/import").body(body);
    browser.send(request.header("content-type", "multipart/form-data; boundary=x"))
}

fn list(plates: &[&str]) -> String {
    let lines: Vec<_> = plates.iter().map(|plate| format!("{plate},CA,stolen_vehicle\r\n")).collect();
    format!("plate,state,category\r\n{}", lines.concat())
}

fn entries(desk: &Desk) -> u64 {
    let report = desk.service.status().unwrap();
    report.lists.iter().find(|list| list.name == "svs").unwrap().entries
}

fn imports(desk: &Desk) -> Vec<(String, String, String)> {
    let all = rows(&desk.store).into_iter().map(|row| row.entry);
    let of = all.filter(|entry| entry.action.as_str().starts_with("list_"));
    of.map(|entry| (entry.action.to_string(), entry.actor.name, entry.reason)).collect()
}

// policy: P-05
#[test]
fn a_list_is_looked_at_with_its_mistakes_before_it_comes_into_force_and_the_import_is_on_record() {
    let desk = Desk::with("", LISTS);
    desk.hire("chief", Role::Administrator);
    let browser = desk.logged_in("chief");
    let form = browser.get("/lists/import");
    assert!(form.body.contains("multipart/form-data") && form.body.contains("value=\"svs\""), "{}", form.body);
    assert!(!form.body.contains("watch"), "a covert list is not told of: {}", form.body);
    let file = list(&["7ABC123", "6DEF128", "??????????????????"]);
    let sent = send(&browser, &form.token(), &[("list", "svs"), ("dated", "")], &file);
    assert_eq!((sent.status, sent.to.as_str()), (StatusCode::SEE_OTHER, "/lists/import"), "{}", sent.body);
    let page = browser.get("/lists/import");
    assert!(page.body.contains("Lines to look at") && page.body.contains("new.csv"), "{}", page.body);
    assert!(!page.body.contains("7ABC123") && !page.body.contains("??????"), "no plate is shown: {}", page.body);
    assert_eq!((entries(&desk), imports(&desk).len()), (0, 0), "nothing is in force yet");
    let accept = |fields: &[(&str, &str)]| browser.post("/lists/import/accept", &page.token(), fields);
    assert_eq!(accept(&[]).status, StatusCode::UNPROCESSABLE_ENTITY, "a reason is asked for");
    let done = accept(&[("reason", "the link is down"), ("force", "on")]);
    assert_eq!((done.status, done.to.as_str()), (StatusCode::SEE_OTHER, "/lists?done=imported"), "{}", done.body);
    assert_eq!(entries(&desk), 2);
    let (action, who, why) = imports(&desk).pop().unwrap();
    assert!(action == "list_imported" || action == "list_forced", "{action}");
    assert_eq!((who.as_str(), why.as_str()), ("chief", "the link is down"));
    assert!(browser.get("/lists/import").body.contains("Look at the file"), "the file is gone");
}

// policy: P-05
#[test]
fn what_would_be_refused_is_told_and_comes_into_force_only_when_that_is_said() {
    let desk = Desk::with("", LISTS);
    desk.hire("chief", Role::Administrator);
    let browser = desk.logged_in("chief");
    let token = browser.get("/lists/import").token();
    let bring = |file: &str, fields: &[(&str, &str)]| {
        send(&browser, &token, &[("list", "svs")], file);
        browser.post("/lists/import/accept", &token, fields)
    };
    let many: Vec<String> = (100..200).map(|n| format!("7ABC{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(bring(&list(&many), &[("reason", "first")]).to, "/lists?done=imported");
    let refused = bring(&list(&many[..10]), &[("reason", "second")]);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("at most 20 % may go at once"), "{}", refused.body);
    assert_eq!(entries(&desk), 100);
    let done = browser.post("/lists/import/accept", &token, &[("reason", "purge at the source"), ("force", "on")]);
    assert_eq!((done.to.as_str(), entries(&desk)), ("/lists?done=imported", 10), "{}", done.body);
    assert_eq!(imports(&desk).pop().unwrap().0, "list_forced");
    // What is no list is told at its field, and a file can be left.
    let wrong = send(&browser, &token, &[("list", "svs")], "");
    assert!(
        wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.body.contains("id=\"file-error\""),
        "{}",
        wrong.body
    );
    send(&browser, &token, &[("list", "svs")], &list(&many));
    browser.post("/lists/import/discard", &token, &[]);
    assert_eq!(browser.post("/lists/import/accept", &token, &[("reason", "late")]).to, "/lists/import");
    assert_eq!(entries(&desk), 10);
}

// policy: P-23
#[test]
fn only_who_looks_after_lists_brings_one_in_and_not_without_the_token_of_the_page() {
    let desk = Desk::with("", LISTS);
    desk.hire("chief", Role::Administrator);
    desk.hire("jdoe", Role::Officer);
    let (chief, officer) = (desk.logged_in("chief"), desk.logged_in("jdoe"));
    let fields = [("list", "svs")];
    let sent = send(&officer, &officer.get("/account").token(), &fields, &list(&["7ABC123"]));
    assert_eq!(sent.status, StatusCode::FORBIDDEN);
    let other = desk.logged_in("chief").get("/account").token();
    for token in ["", "0123", &other] {
        assert_eq!(send(&chief, token, &fields, &list(&["7ABC123"])).status, StatusCode::FORBIDDEN, "{token}");
    }
    let sent = send(&chief, &chief.get("/account").token(), &[("list", "watch")], &list(&["7ABC123"]));
    assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY, "a covert list is brought in elsewhere");
    let lists = desk.place.beside("-lists");
    let left = std::fs::read_dir(&lists).into_iter().flatten().flatten().count();
    assert_eq!(left, 0, "no file is left of what was refused");
}
