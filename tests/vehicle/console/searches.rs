//! Searching reads already made, and exporting what was found.

use crate::kit::console::{Answer, Browser, Desk};
use crate::kit::store::{hit, read, rows};
use plated_access::Role;
use plated_core::clock::Clock;
use plated_core::record::Position;
use plated_vehicle::store::NewRead;
use reqwest::StatusCode;
use std::time::Duration;

/// A read made so many minutes ago.
fn ago(desk: &Desk, text: &str, minutes: u64) -> NewRead {
    let mut new = read(text);
    new.record.last_seen = desk.place.clock.wall() - Duration::from_secs(60 * minutes);
    new
}

fn ask(browser: &Browser, fields: &[(&str, &str)]) -> Answer {
    browser.submit("/search", fields)
}

/// Searches, and opens the result.
fn found(browser: &Browser, fields: &[(&str, &str)]) -> Answer {
    let asked = ask(browser, fields);
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    assert!(asked.to.starts_with("/search/") && !asked.to.contains("7A"), "no plate in {}", asked.to);
    let page = browser.get(&asked.to);
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page
}

fn spoken(plate: &str) -> String {
    let words: Vec<_> = plate.chars().map(|c| if c == '0' { "zero".to_owned() } else { c.to_string() }).collect();
    format!("aria-label=\"{}, state", words.join(" "))
}

/// What is on record of this action, the newest last.
fn on_record(desk: &Desk, action: &str) -> Vec<plated_access::audit::Entry> {
    let all = rows(&desk.store).into_iter().map(|row| row.entry);
    all.filter(|entry| entry.action.as_str() == action).collect()
}

// policy: P-01
#[test]
fn a_search_is_refused_until_the_officer_has_said_what_it_is_for() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.store.put_read(&ago(&desk, "7ABC123", 5)).unwrap();
    let browser = desk.logged_in("jdoe");
    assert_eq!(browser.get("/search").to, "/purpose?then=/search");
    let refused = browser.post("/search", &browser.get("/account").token(), &[("plate", "7ABC*")]);
    assert_eq!((refused.status, refused.to.as_str()), (StatusCode::SEE_OTHER, "/purpose"));
    assert!(on_record(&desk, "search_back").is_empty());
    browser.submit("/purpose", &[("purpose", "locate_vehicle"), ("case", "26-1234"), ("then", "/search")]);
    let page = browser.get("/search");
    assert!(page.body.contains("case 26-1234") && page.body.contains("Hits only"), "{}", page.body);
}

// policy: P-01, P-02, P-21
#[test]
fn what_is_searched_for_why_and_for_which_case_is_on_record_before_and_how_many_rows_with_each_page() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    for n in 0..120 {
        desk.store.put_read(&ago(&desk, &format!("7ABC{n:03}"), n)).unwrap();
    }
    desk.store.put_read(&ago(&desk, "6DEF128", 1)).unwrap();
    let browser = desk.watching("jdoe");
    let first = found(&browser, &[("plate", "7abc*"), ("state", "CA"), ("camera", "front-left-camera")]);
    let asked = on_record(&desk, "search_back").pop().unwrap();
    assert_eq!((asked.actor.name.as_str(), asked.case.as_deref()), ("jdoe", Some("26-1234")));
    assert_eq!(asked.purpose.as_deref(), Some("locate_vehicle"));
    let element = |name: &str| asked.elements[name].as_str();
    assert_eq!([element("plate"), element("state"), element("camera")], ["7ABC*", "CA", "front-left-camera"]);

    assert!(first.body.contains("Reads 1–50, newest first") && !first.body.contains(&spoken("6DEF128")));
    assert_eq!(first.body.matches("class=\"read").count() - first.body.matches("class=\"read-").count(), 50);
    let next = |page: &Answer| {
        let at = page.body.find("rel=\"next\" href=\"").map(|at| at + 17);
        at.map(|at| page.body[at..].split('"').next().unwrap().to_owned())
    };
    let second = browser.get(&next(&first).unwrap());
    assert!(second.body.contains("Reads 51–100") && second.body.contains(&spoken("7ABC050")), "{}", second.body);
    let third = browser.get(&next(&second).unwrap());
    assert!(third.body.contains("Reads 101–120") && next(&third).is_none() && third.body.contains("rel=\"prev\""));
    let shown: Vec<_> = on_record(&desk, "rows_shown").iter().rev().take(3).rev().map(|e| e.rows).collect();
    assert_eq!(shown, [Some(50), Some(50), Some(20)]);
}

// policy: P-21
#[test]
fn when_rows_can_not_be_put_on_record_none_are_shown() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.store.put_read(&ago(&desk, "7ABC123", 5)).unwrap();
    let browser = desk.watching("jdoe");
    let asked = ask(&browser, &[("plate", "7ABC*")]);
    desk.break_record();
    let page = browser.get(&asked.to);
    assert!(page.status.is_server_error() && !page.body.contains(&spoken("7ABC123")), "{}", page.body);
    let again = ask(&browser, &[("plate", "7ABC*")]);
    assert!(again.status.is_server_error(), "{}", again.status);
}

#[test]
fn reads_are_found_by_time_area_hits_and_canvass_and_by_what_they_were_corrected_to() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let at = |lat, lon| Some(Position { lat, lon, heading: Some(90.0), speed_m_s: None, error_m: None, age_s: 0.0 });
    let (mut near, mut far, mut alerted) =
        (ago(&desk, "7AAA001", 5), ago(&desk, "7BBB002", 90), ago(&desk, "7CCC003", 9));
    (near.record.position, far.record.position) = (at(37.8353, -122.2642), at(37.8453, -122.2642));
    far.record.canvass = Some("26-9".into());
    alerted.record.hits.push(hit("svs"));
    let old = ago(&desk, "7DDD004", 60 * 30);
    [&near, &far, &alerted, &old].into_iter().for_each(|new| desk.read(new));
    let browser = desk.watching("jdoe");
    let moment = |minutes: i64| {
        let then = desk.place.clock.wall() - Duration::from_secs(60 * minutes.unsigned_abs());
        then.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%dT%H:%M").to_string()
    };
    let (an_hour, today) = (moment(60), moment(24 * 60));
    let plates = ["7AAA001", "7BBB002", "7CCC003", "7DDD004"];
    for (fields, expected) in [
        (&[("plate", ""), ("from", "")][..], &plates[..]),
        (&[("plate", ""), ("from", &*today)], &plates[..3]),
        (&[("from", &*today), ("until", &*an_hour)], &plates[1..2]),
        (&[("near", "37.8353, -122.2640"), ("distance", "300")], &plates[..1]),
        (&[("near", "37.8353, -122.2640"), ("distance", "5000")], &plates[..2]),
        (&[("near", "37.84, -122.3; 37.85, -122.2")], &plates[1..2]),
        (&[("hits", "on")], &plates[2..3]),
        (&[("canvass", "26-9")], &plates[1..2]),
        (&[("plate", "*A0?1")], &plates[..1]),
        (&[("state", "NV")], &[]),
    ] {
        let page = found(&browser, fields).body;
        for plate in plates {
            assert_eq!(page.contains(&spoken(plate)), expected.contains(&plate), "{plate} of {fields:?}");
        }
        assert_eq!(page.contains("No read fits"), expected.is_empty(), "{fields:?}");
    }
    assert!(found(&browser, &[]).body.contains("Where 2 reads of this page were made"));
    let page = browser.get(&format!("/reads/{}", near.record.id));
    let correct = format!("/reads/{}/correct", near.record.id);
    let done = browser.post(&correct, &page.token(), &[("text", "7EEE005"), ("state", "NV")]);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    for fields in [&[("state", "NV")][..], &[("plate", "7EEE*")], &[("plate", "7AAA001")]] {
        let page = found(&browser, fields).body;
        assert!(page.contains(&spoken("7EEE005")) && page.contains("corrected"), "{fields:?}: {page}");
    }
}

#[test]
fn what_is_wrong_stands_at_its_field_and_nothing_entered_is_lost() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    let page = ask(&browser, &[("plate", "*7*"), ("canvass", "26-77"), ("near", "Main St")]);
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("id=\"plate-error\"") && page.body.contains("at least 2 characters"), "{}", page.body);
    assert!(page.body.contains("id=\"near-error\"") && page.body.contains("value=\"26-77\""));
    assert!(page.body.contains("value=\"*7*\"") && page.body.contains("value=\"Main St\""));
    assert!(on_record(&desk, "search_back").is_empty());
}

// policy: P-08
#[test]
fn a_search_for_hits_gives_none_away_that_may_not_be_seen() {
    let desk = Desk::with("", "[[hotlists]]\nname = \"watch\"\ncovert = true\n");
    desk.hire("jdoe", Role::Officer);
    desk.hire_with("asmith", Role::Supervisor, |user| {
        user.grants.lists.insert("watch".into());
    });
    let (mut covert, mut open) = (ago(&desk, "7ABC123", 5), ago(&desk, "6DEF128", 5));
    covert.record.hits.push(hit("watch"));
    open.record.hits.push(hit("svs"));
    [&covert, &open].into_iter().for_each(|new| desk.read(new));
    let browser = desk.watching("jdoe");
    let page = found(&browser, &[("hits", "on")]).body;
    assert!(page.contains(&spoken("6DEF128")) && !page.contains(&spoken("7ABC123")), "{page}");
    let page = found(&browser, &[("plate", "7ABC123")]).body;
    assert!(page.contains(&spoken("7ABC123")) && !page.contains("badge"), "{page}");
    let page = found(&desk.watching("asmith"), &[("hits", "on")]).body;
    assert!(page.contains(&spoken("7ABC123")), "{page}");
}

#[test]
fn a_result_belongs_to_the_purpose_and_the_person_that_asked() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.store.put_read(&ago(&desk, "7ABC123", 5)).unwrap();
    let browser = desk.watching("jdoe");
    let asked = ask(&browser, &[("plate", "7ABC*")]).to;
    assert_eq!(desk.watching("jdoe").get(&asked).to, "/search", "another session");
    browser.submit("/purpose", &[("purpose", "arrest_warrant"), ("case", "26-5")]);
    assert_eq!(browser.get(&asked).to, "/search", "another purpose");
}

// policy: P-23
#[test]
fn who_has_no_searches_is_told_so() {
    let desk = Desk::new();
    desk.hire("chief", Role::Administrator);
    desk.hire("clerk", Role::Custodian);
    let chief = desk.watching("chief");
    assert_eq!(chief.get("/search").status, StatusCode::FORBIDDEN);
    assert!(!chief.get("/shift").body.contains("href=\"/search\""));
    let clerk = desk.watching("clerk");
    assert_eq!(clerk.get("/search").status, StatusCode::OK);
}

// policy: P-01, P-02, P-21
#[test]
fn an_export_has_a_purpose_of_its_own_and_is_on_record_with_the_number_of_reads_before_it_leaves() {
    let desk = Desk::with("", "[access]\ncase_required = true\n");
    desk.hire("sarge", Role::Supervisor);
    let mut odd = ago(&desk, "7ABC001", 5);
    (odd.record.camera, odd.record.canvass) = ("=front, \"left\"".into(), Some("26-9".into()));
    desk.store.put_read(&odd).unwrap();
    for n in 2..60 {
        desk.store.put_read(&ago(&desk, &format!("7ABC{n:03}"), n)).unwrap();
    }
    let browser = desk.watching("sarge");
    let asked = ask(&browser, &[("plate", "7ABC*")]).to;
    assert!(browser.get(&asked).body.contains(&format!("href=\"{asked}/export\"")));
    let export = format!("{asked}/export");
    let form = browser.get(&export);
    let chosen = |field: &str| form.body.split("<input").any(|of| of.contains(field) && of.contains(" checked"));
    assert!(form.body.contains("leave this system as a file") && !chosen("name=\"purpose\""), "{}", form.body);
    for missing in [
        &[("case", "26-7"), ("reason", "for the DA")][..],
        &[("purpose", "arrest_warrant"), ("reason", "for the DA")],
        &[("purpose", "arrest_warrant"), ("case", "26-7")],
    ] {
        let refused = browser.post(&export, &form.token(), missing);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{missing:?}");
        assert!(!refused.body.contains("7ABC001"));
    }
    assert!(on_record(&desk, "reads_exported").is_empty());
    let why = [("purpose", "arrest_warrant"), ("case", "26-7"), ("reason", "for the DA")];
    let file = browser.post(&export, &form.token(), &why);
    assert_eq!(
        (file.status, file.headers["content-type"].to_str().unwrap()),
        (StatusCode::OK, "text/csv; charset=utf-8")
    );
    let name = file.headers["content-disposition"].to_str().unwrap();
    assert!(name.starts_with("attachment; filename=\"reads-") && !name.contains("7ABC"), "{name}");
    let lines: Vec<_> = file.body.split_terminator("\r\n").collect();
    assert!(lines[0].starts_with("read,first_seen,last_seen,plate,state,") && lines.len() == 60, "{}", file.body);
    let line = lines.iter().find(|line| line.contains(",7ABC001,CA,")).unwrap();
    assert!(line.contains(",\"'=front, \"\"left\"\"\",") && line.contains(",26-9,"), "{line}");

    let entry = on_record(&desk, "reads_exported").pop().unwrap();
    assert_eq!((entry.purpose.as_deref(), entry.case.as_deref()), (Some("arrest_warrant"), Some("26-7")));
    assert_eq!((entry.reason.as_str(), entry.elements["plate"].as_str()), ("for the DA", "7ABC*"));
    assert_eq!(on_record(&desk, "rows_shown").pop().unwrap().rows, Some(59));
    desk.break_record();
    let file = browser.post(&export, &form.token(), &why);
    assert!(file.status.is_server_error() && !file.body.contains("7ABC001"), "{}", file.body);
}

// policy: P-23
#[test]
fn an_officer_exports_nothing_and_the_attempt_is_on_record() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.store.put_read(&ago(&desk, "7ABC001", 5)).unwrap();
    let browser = desk.watching("jdoe");
    let asked = ask(&browser, &[("plate", "7ABC*")]).to;
    let page = browser.get(&asked);
    assert!(page.body.contains(&spoken("7ABC001")) && !page.body.contains("/export"), "{}", page.body);
    let export = format!("{asked}/export");
    assert_eq!(browser.get(&export).status, StatusCode::FORBIDDEN);
    let why = [("purpose", "arrest_warrant"), ("case", "26-7"), ("reason", "mine")];
    let refused = browser.post(&export, &page.token(), &why);
    assert!(refused.status == StatusCode::FORBIDDEN && !refused.body.contains("7ABC001"), "{}", refused.body);
    let entry = on_record(&desk, "reads_exported").pop().unwrap();
    assert_eq!((entry.actor.name.as_str(), entry.outcome), ("jdoe", plated_access::Outcome::Refused));
}

/// A result with two reads, one corrected, and the form of its export.
fn exported(desk: &Desk, name: &str, format: &str) -> Answer {
    let browser = desk.watching(name);
    let asked = ask(&browser, &[("plate", "7ABC*")]).to;
    let export = format!("{asked}/export");
    let form = browser.get(&export);
    assert!(form.body.contains(&format!("value=\"{format}\"")), "{}", form.body);
    let why = [("purpose", "arrest_warrant"), ("case", "26-7"), ("reason", "for the DA"), ("format", format)];
    browser.post(&export, &form.token(), &why)
}

// policy: P-21
#[test]
fn an_export_for_a_program_reads_as_the_golden_file_and_says_who_took_it_and_why() {
    let desk = Desk::new();
    desk.hire("sarge", Role::Supervisor);
    let mut new = ago(&desk, "7ABC001", 5);
    new.record.hits.push(hit("svs"));
    let id = new.record.id;
    desk.store.put_read(&new).unwrap();
    let file = exported(&desk, "sarge", "json");
    assert_eq!((file.status, file.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "application/json"));
    let mut written: serde_json::Value = serde_json::from_str(&file.body).unwrap();
    let read = &mut written["reads"][0];
    assert_eq!(read["read"], id.to_string());
    // What differs in each run.
    for of in ["read", "first_seen", "last_seen"] {
        read[of] = of.into();
    }
    written["exported"] = "exported".into();
    let golden: serde_json::Value = serde_json::from_str(include_str!("../../golden/reads_export.json")).unwrap();
    assert_eq!(written, golden, "{}", serde_json::to_string_pretty(&written).unwrap());
    let entry = on_record(&desk, "reads_exported").pop().unwrap();
    assert_eq!((entry.elements["as"].as_str(), entry.purpose.as_deref()), ("json", Some("arrest_warrant")));
}

// policy: P-21
#[test]
fn an_export_to_be_printed_has_the_pictures_and_says_on_paper_who_took_it_and_why() {
    let desk = Desk::new();
    desk.hire("sarge", Role::Supervisor);
    let new = ago(&desk, "7ABC001", 5);
    desk.store.put_read(&new).unwrap();
    let page = exported(&desk, "sarge", "page");
    assert_eq!(page.status, StatusCode::OK);
    for part in
        [&format!("/pictures/{}/plate.jpg", new.record.id), "for the DA", "26-7", "sarge", "7 A B C zero zero 1"]
    {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let entry = on_record(&desk, "reads_exported").pop().unwrap();
    assert_eq!(entry.elements["as"], "page");
    // More than can be looked at on paper.
    for n in 2..210 {
        desk.store.put_read(&ago(&desk, &format!("7ABC{n:03}"), n)).unwrap();
    }
    let refused = exported(&desk, "sarge", "page");
    assert!(refused.status.is_client_error() && refused.body.contains("More than 200 reads"), "{}", refused.body);
    assert_eq!(exported(&desk, "sarge", "csv").status, StatusCode::OK);
}
