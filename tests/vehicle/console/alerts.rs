//! Alerts: shown, on record, answered.

use crate::kit::console::{Browser, Desk};
use crate::kit::store::{hit, read, rows};
use plated_access::Role;
use plated_core::clock::Clock;
use plated_core::record::{Alerting, Difference, Priority, Rule};
use plated_vehicle::config::Config;
use plated_vehicle::control::OfficerService;
use plated_vehicle::store::NewRead;
use reqwest::StatusCode;

/// A read with a hit of this list, made now.
fn alert(desk: &Desk, text: &str, list: &str) -> NewRead {
    let (mut new, mut hit, now) = (read(text), hit(list), desk.place.clock.wall());
    (hit.at, hit.text, new.record.last_seen) = (now, text.into(), now);
    new.record.hits.push(hit);
    new
}

/// The same of normal priority.
fn normal(desk: &Desk, text: &str) -> NewRead {
    let mut new = alert(desk, text, "svs");
    let hit = &mut new.record.hits[0];
    hit.listed = text.into();
    (hit.entries[0].priority, hit.entries[0].entry.priority) = (Priority::Normal, Priority::Normal);
    new
}

fn path(new: &NewRead) -> String {
    format!("/alerts/{}", new.record.hits[0].id)
}

fn answer(browser: &Browser, new: &NewRead, step: &str, word: &str) -> crate::kit::console::Answer {
    let page = browser.get(&path(new));
    browser.post(&path(new), &page.token(), &[("step", step), ("answer", word)])
}

fn actions(desk: &Desk, of: &str) -> Vec<String> {
    let by = rows(&desk.store).into_iter().filter(|row| row.entry.actor.name == of);
    by.map(|row| row.entry.action.to_string()).collect()
}

// policy: P-06
#[test]
fn an_alert_shows_read_and_list_side_by_side_with_all_that_the_list_says() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let mut new = alert(&desk, "7ABC0O3", "svs");
    let hit = &mut new.record.hits[0];
    (hit.rule, hit.listed) = (Rule::ZeroOrO, "7ABCO03".into());
    hit.differs = vec![Difference { position: 4, read: '0', listed: 'O' }];
    let entry = &mut hit.entries[0].entry;
    (entry.plate, entry.state) = ("7ABCO03".into(), "NV".into());
    (entry.year, entry.make, entry.colour) = ("2014".into(), "Honda".into(), "Silver".into());
    (entry.vin, entry.case_number, entry.plate_type) = ("1HGCR2F38EA123456".into(), "26-048113".into(), "PC".into());
    entry.remarks = "Caution: may be armed".into();
    desk.read(&new);
    let browser = desk.watching("jdoe");
    let page = browser.get(&path(&new));
    for part in [
        "7 A B C zero letter O 3, state CA",
        "7 A B C letter O zero 3, state NV",
        "digit 0 was read, the list has letter O",
        "The states differ",
        "Same but for letter O and zero; 87 % probable",
        "Unverified lead",
        "Stolen vehicle",
        "Passenger car",
        "2014 Honda",
        "Silver",
        "1HGCR2F38EA123456",
        "26-048113",
        "2 days ago",
        "Caution: may be armed",
        "svs, age not known",
        &format!("/pictures/{}/plate.jpg", new.record.id),
        &format!("/pictures/{}/overview.jpg", new.record.id),
    ] {
        assert!(page.body.contains(part), "{part} is missing in {}", page.body);
    }
    assert!(!page.body.to_lowercase().contains("confirmed"));
}

// policy: P-06, P-21
#[test]
fn an_alert_is_answered_in_two_steps_and_is_confirmed_by_dispatch_alone() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let new = alert(&desk, "7ABC123", "svs");
    desk.read(&new);
    let browser = desk.watching("jdoe");
    let early = answer(&browser, &new, "compare", "confirmed");
    assert_eq!(early.status, StatusCode::BAD_REQUEST, "nobody has compared it");
    let compared = answer(&browser, &new, "compare", "correct");
    assert_eq!((compared.status, compared.to), (StatusCode::SEE_OTHER, path(&new)));
    let page = browser.get(&path(&new));
    assert!(page.body.contains("Unverified: ask CLETS or dispatch"), "{}", page.body);
    let twice = answer(&browser, &new, "compare", "correct");
    assert_eq!(twice.status, StatusCode::CONFLICT, "the first press counts");
    let confirmed = answer(&browser, &new, "dispatch", "confirmed");
    assert_eq!((confirmed.status, confirmed.to.as_str()), (StatusCode::SEE_OTHER, "/"));
    assert!(browser.get(&path(&new)).body.contains("Confirmed by CLETS or dispatch, jdoe at"));
    assert!(!browser.get("/").body.contains("data-alert=\""), "it does not wait any more");

    let rows = rows(&desk.store);
    let found: Vec<_> = rows.iter().filter(|row| row.entry.action.as_str() == "disposition").collect();
    let words: Vec<_> = found.iter().map(|row| row.entry.elements["finding"].as_str()).collect();
    assert_eq!(words, ["correct", "confirmed"]);
    for row in found {
        let entry = &row.entry;
        assert_eq!((entry.actor.name.as_str(), entry.case.as_deref()), ("jdoe", Some("26-1234")));
        assert_eq!(entry.purpose.as_deref(), Some("locate_vehicle"));
    }
}

// policy: P-06
#[test]
fn each_answer_can_be_given_and_is_told_in_its_own_words() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    for (steps, text) in [
        (&[("compare", "misread")][..], "Misread, jdoe"),
        (&[("compare", "wrong-state")], "Wrong state, jdoe"),
        (&[("compare", "could-not-verify")], "Could not be verified, jdoe"),
        (&[("compare", "dismissed")], "Dismissed, jdoe"),
        (&[("compare", "correct"), ("dispatch", "not-on-file")], "Not on file, jdoe"),
        (&[("compare", "correct"), ("dispatch", "could-not-verify")], "Could not be verified, jdoe"),
    ] {
        let new = alert(&desk, "7ABC123", "svs");
        desk.read(&new);
        for (step, word) in steps {
            assert_eq!(answer(&browser, &new, step, word).status, StatusCode::SEE_OTHER, "{step} {word}");
        }
        let page = browser.get(&path(&new)).body;
        assert!(page.contains(text) && !page.contains("Confirmed"), "{text}: {page}");
    }
    let list = browser.get("/alerts");
    assert!(list.body.contains("Not on file, jdoe") && list.body.contains("1–6 of 6"), "{}", list.body);
}

// policy: P-21
#[test]
fn who_was_shown_which_alert_is_on_record_once_for_each_of_them_and_before_it_is_shown() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.hire("asmith", Role::Supervisor);
    let (one, other) = (desk.watching("jdoe"), desk.watching("asmith"));
    let mut events = one.listen(&one.get("/").events());
    let new = alert(&desk, "7ABC123", "svs");
    desk.read(&new);
    let came = events.next_of(&["alert"]).unwrap();
    assert!(came.data.contains("7 A B C 1 2 3") && !came.id.is_empty(), "{}", came.data);
    let shown = |name: &str| {
        let shown = rows(&desk.store).into_iter().filter(|row| row.entry.actor.name == name);
        let id = new.record.hits[0].id.to_string();
        let as_alert = shown
            .filter(|row| row.entry.elements.get("hit") == Some(&id) && row.entry.action.as_str() == "alert_shown");
        as_alert.count()
    };
    assert_eq!((shown("jdoe"), shown("asmith")), (1, 0));
    other.get("/");
    one.get(&path(&new));
    assert_eq!((shown("jdoe"), shown("asmith")), (1, 1));
}

#[test]
fn what_somebody_answers_takes_the_alert_from_all_screens() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.hire("asmith", Role::Officer);
    let (one, other) = (desk.watching("jdoe"), desk.watching("asmith"));
    let new = alert(&desk, "7ABC123", "svs");
    desk.read(&new);
    let mut events = other.listen(&other.get("/").events());
    answer(&one, &new, "compare", "correct");
    let step = events.next_of(&["alert", "answered"]).unwrap();
    assert!(step.name == "alert" && step.data.contains("data-step=\"dispatch\""), "{step:?}");
    answer(&one, &new, "dispatch", "not-on-file");
    let end = events.next_of(&["alert", "answered"]).unwrap();
    assert_eq!((end.name.as_str(), end.data.as_str()), ("answered", new.record.hits[0].id.to_string().as_str()));
}

#[test]
fn the_same_vehicle_seen_by_two_cameras_is_one_alert_and_an_improbable_match_is_none() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let first = alert(&desk, "7ABC123", "svs");
    let mut again = alert(&desk, "7ABC123", "svs");
    (again.record.hits[0].alert, again.record.camera) = (Alerting::Repeat, "rear".into());
    let mut improbable = alert(&desk, "7ABC128", "svs");
    improbable.record.hits[0].alert = Alerting::Candidate;
    [&first, &again, &improbable].into_iter().for_each(|new| desk.read(new));
    let browser = desk.watching("jdoe");
    assert_eq!(browser.get("/").body.matches("data-alert=\"").count(), 1);
    assert!(browser.get("/alerts").body.contains("1–1 of 1"));
}

#[test]
fn the_tone_is_stopped_for_who_has_seen_it_and_the_alert_still_waits() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let new = alert(&desk, "7ABC123", "svs");
    desk.read(&new);
    let browser = desk.watching("jdoe");
    let page = browser.get("/");
    assert!(page.body.contains("Stop tone") && page.body.contains("data-tones-again=\"10\""));
    browser.post(&path(&new), &page.token(), &[("answer", "seen")]);
    let page = browser.get("/");
    assert!(page.body.contains("data-seen") && !page.body.contains("Stop tone") && page.body.contains("data-alert=\""));
    assert!(!actions(&desk, "jdoe").iter().any(|action| action == "disposition"));
}

#[test]
fn only_high_alerts_sound_where_somebody_muted_the_others() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let browser = desk.watching("jdoe");
    assert!(!browser.get("/").body.contains("data-muted"));
    let page = browser.get("/account");
    browser.post("/account/settings", &page.token(), &[("muted", "on"), ("shortcuts", "on")]);
    let page = browser.get("/");
    assert!(page.body.contains("data-muted") && page.body.contains("data-shortcuts"));
}

// policy: P-06
#[test]
fn a_normal_alert_is_muted_for_the_shift_and_alerts_again_when_asked_to_and_a_high_one_is_never_muted() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let high = alert(&desk, "7ABC123", "svs");
    let normal = normal(&desk, "6DEF128");
    [&high, &normal].into_iter().for_each(|new| desk.read(new));
    let holds = |new: &NewRead| desk.service.muted().holds(&new.record.hits[0], desk.place.clock.monotonic());
    let browser = desk.watching("jdoe");
    assert!(!browser.get(&path(&high)).body.contains("value=\"mute\""));
    let refused = answer(&browser, &high, "", "mute");
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("high priority can&#39;t be muted") && !holds(&high), "{}", refused.body);

    assert!(browser.get(&path(&normal)).body.contains("value=\"mute\""));
    assert_eq!(answer(&browser, &normal, "", "mute").to, path(&normal));
    assert!(holds(&normal));
    let card = browser.get(&path(&normal)).body;
    assert!(card.contains("Muted for this shift") && card.contains("data-seen"), "{card}");
    assert!(card.contains("value=\"dismissed\""), "it still waits for an answer: {card}");
    answer(&browser, &normal, "compare", "dismissed");
    assert!(holds(&normal), "an answer does not end it");
    answer(&browser, &normal, "", "unmute");
    assert!(!holds(&normal));
    answer(&browser, &normal, "", "mute");
    desk.place.clock.advance(std::time::Duration::from_secs(24 * 3600));
    assert!(!holds(&normal), "the shift is over");
    let muted = rows(&desk.store).into_iter().filter(|row| row.entry.action.as_str() == "alert_muted");
    let muted: Vec<_> = muted.map(|row| row.entry.elements["muted"].clone()).collect();
    assert_eq!(muted, ["true", "false", "true"]);
}

// policy: P-06
#[test]
fn a_mute_outlives_a_restart_and_ends_with_the_session_of_the_officer_who_muted() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    desk.hire("mlee", Role::Officer);
    let muted: Vec<_> = ["7ABC123", "6DEF128"].into_iter().map(|text| normal(&desk, text)).collect();
    muted.iter().for_each(|new| desk.read(new));
    let (one, other) = (desk.watching("jdoe"), desk.watching("mlee"));
    answer(&one, &muted[0], "", "mute");
    answer(&other, &muted[1], "", "mute");
    let holds = |service: &OfficerService| -> Vec<bool> {
        muted.iter().map(|new| service.muted().holds(&new.record.hits[0], desk.place.clock.monotonic())).collect()
    };
    let again = || {
        let config = Config::load(&desk.place.dir.path().join("plated.toml")).unwrap();
        let service = OfficerService::open(&config, desk.store.clone(), desk.place.clock.clone());
        service.arm().unwrap();
        service
    };
    assert_eq!(holds(&again()), [true, true]);
    one.post("/logout", &one.get("/account").token(), &[]);
    desk.service.expire().unwrap();
    assert_eq!(holds(&desk.service), [false, true], "whoever takes over hears what they did not mute");
    assert_eq!(holds(&again()), [false, true]);
    answer(&other, &muted[1], "", "unmute");
    assert_eq!(holds(&again()), [false, false]);
}

// policy: P-21
#[test]
fn whether_an_alert_could_be_heard_in_the_browser_is_on_record_once_and_when_it_changes() {
    let desk = Desk::new();
    desk.hire("jdoe", Role::Officer);
    let (new, other) = (alert(&desk, "7ABC123", "svs"), alert(&desk, "6DEF128", "svs"));
    let browser = desk.watching("jdoe");
    let token = browser.get("/").token();
    [&new, &other].into_iter().for_each(|new| desk.store.put_read(new).map(drop).unwrap());
    let tone = |of: &NewRead, word: &str| browser.post(&format!("{}/tone", path(of)), &token, &[("tone", word)]);
    assert_eq!(tone(&new, "played").status, StatusCode::NO_CONTENT);
    browser.get(&path(&new));
    for word in ["blocked", "blocked", "played", "played"] {
        assert_eq!(tone(&new, word).status, StatusCode::NO_CONTENT);
    }
    assert_eq!(tone(&new, "loud").status, StatusCode::BAD_REQUEST);
    let tones = rows(&desk.store).into_iter().filter(|row| row.entry.action.as_str() == "alert_tone");
    let tones: Vec<_> = tones.map(|row| (row.entry.actor.name, row.entry.elements["tone"].clone())).collect();
    let jdoe = |tone: &str| ("jdoe".to_owned(), tone.to_owned());
    assert_eq!(tones, [jdoe("blocked"), jdoe("played")], "an alert that was not shown has none");
}

// policy: P-08
#[test]
fn alerts_of_lists_that_are_not_granted_are_not_seen_and_that_there_are_some_only_if_the_agency_lets_it() {
    for (setting, told) in [("", false), ("[access]\nalert_existence_shown = true\n", true)] {
        let desk = Desk::with("", setting);
        desk.hire_with("jdoe", Role::Officer, |user| {
            user.grants.every_list = false;
            user.grants.lists.insert("local".into());
        });
        let (hidden, seen) = (alert(&desk, "7ABC123", "svs"), alert(&desk, "6DEF128", "local"));
        [&hidden, &seen].into_iter().for_each(|new| desk.read(new));
        let browser = desk.watching("jdoe");
        let page = browser.get("/");
        assert_eq!(page.body.matches("data-alert=\"").count(), 1);
        assert!(page.body.contains(&format!("data-alert=\"{}\"", seen.record.hits[0].id)));
        assert_eq!(page.body.contains("There is an alert of a list for which you are not authorised"), told);
        assert_eq!(browser.get(&path(&hidden)).status, StatusCode::NOT_FOUND);
        let refused = browser.post(&path(&hidden), &page.token(), &[("step", "compare"), ("answer", "misread")]);
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
    }
}

// policy: P-23
#[test]
fn a_custodian_sees_alerts_and_does_not_answer_them() {
    let desk = Desk::new();
    desk.hire("custodian", Role::Custodian);
    let new = alert(&desk, "7ABC123", "svs");
    desk.read(&new);
    let browser = desk.watching("custodian");
    assert_eq!(browser.get(&path(&new)).status, StatusCode::OK);
    assert_eq!(answer(&browser, &new, "compare", "misread").status, StatusCode::FORBIDDEN);
}
