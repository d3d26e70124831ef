//! Release of reads to other agencies on the station's pages (controls P-40, P-41, P-42).

use crate::kit::console::{Answer, Browser};
use crate::kit::objects::Objects;
use crate::kit::postgres::Postgres;
use crate::kit::station_pages::Hall;
use crate::kit::{Depot, pixels, record};
use plated_core::record::ReadRecord;
use reqwest::StatusCode;

/// A station with a read, an agency of the register, and one person of each role that has to do with releases.
fn staffed(hall: Hall) -> (Hall, ReadRecord) {
    for (name, role) in [("jdoe", "officer"), ("sarge", "supervisor"), ("clerk", "custodian")] {
        hall.hire(name, role);
    }
    // Ten minutes ago: what is asked for is in the past, to the minute.
    let (image, now) = (pixels(1, 900), jiff::Timestamp::now() - jiff::Span::new().minutes(10));
    let images = record(std::slice::from_ref(&image)).images;
    let read = ReadRecord {
        id: uuid::Uuid::now_v7(),
        text: "7ABC123".into(),
        hits: Vec::new(),
        canvass: None,
        first_seen: now,
        last_seen: now,
        images,
        ..record(&[])
    };
    hall.receive(&read, std::slice::from_ref(&image));
    enter(&hall, "Lodi PD", "law_enforcement", "CA");
    (hall, read)
}

/// An administrator puts an agency into the register.
fn enter(hall: &Hall, name: &str, kind: &str, jurisdiction: &str) {
    let review = jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(300)).to_string();
    let words = ["--purpose", "investigations", "--right-to-know", "agreement of 2026", "--need-to-know", "theft"];
    let whose = ["partner", "add", name, "--kind", kind, "--jurisdiction", jurisdiction, "--review", &review];
    let done = hall.command(&[&whose[..], &words, &["--reason", "signed"]].concat(), "");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn local(at: jiff::Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// Takes a request down for the read of the hall, by the agency of this name in the form.
fn take_down(browser: &Browser, agency: &str, more: &[(&str, &str)]) -> Answer {
    let form = browser.get("/releases/new");
    let option = form.body.split("<option value=\"").find(|part| part.contains(&format!(">{agency}")));
    let agency = option.map_or(agency, |part| part.split('"').next().unwrap()).to_owned();
    let hour = jiff::Span::new().hours(1);
    let (from, until) = (local(jiff::Timestamp::now() - hour), local(jiff::Timestamp::now()));
    let mut fields = vec![
        ("agency", agency.as_str()),
        ("person", "Det. R. Smith"),
        ("need", "burglary of 12 Nov"),
        ("purpose", "arrest_warrant"),
        ("case", "L-77"),
        ("plate", "7ABC123"),
        ("from", &from),
        ("until", &until),
    ];
    fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    fields.extend(more);
    browser.post("/releases/new", &form.token(), &fields)
}

/// Where a request is, once it was taken down.
fn path(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.to.split('?').next().unwrap().to_owned()
}

fn decide(browser: &Browser, request: &str, decision: &str, why: &str) -> Answer {
    let token = browser.get("/account").token();
    let field = if decision == "approved" { "why" } else { "refuse_why" };
    browser.post(&format!("{request}/decision"), &token, &[("decision", decision), (field, why)])
}

fn give_out(browser: &Browser, request: &str) -> (StatusCode, Vec<u8>) {
    let token = browser.get("/account").token();
    browser.download(&format!("{request}/evidence"), &token, &[])
}

/// From the request to the archive that verifies. Gives the hall and where the request is.
fn from_request_to_archive(hall: Hall) -> (Hall, String) {
    let (hall, read) = staffed(hall);
    let officer = hall.looking("jdoe");
    let request = path(&take_down(&officer, "Lodi PD", &[]));
    assert!(!request.contains("7ABC"), "no plate in {request}");
    let page = officer.get(&request);
    assert!(page.body.contains("To be decided on") && page.body.contains("Det. R. Smith"), "{}", page.body);
    assert!(!page.body.contains(">Approve<"), "who takes it down does not approve it: {}", page.body);

    // Nothing leaves before somebody else has approved it, whoever asks.
    let clerk = hall.looking("clerk");
    assert_eq!(give_out(&clerk, &request).0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(decide(&officer, &request, "approved", "mine").status, StatusCode::UNPROCESSABLE_ENTITY);
    let queue = clerk.get("/releases");
    assert!(queue.body.contains("1 request waits") && queue.body.contains(&request), "{}", queue.body);
    assert_eq!(decide(&clerk, &request, "approved", "agreement holds").to, format!("{request}?done=approved"));
    assert_eq!(decide(&clerk, &request, "approved", "again").status, StatusCode::UNPROCESSABLE_ENTITY);

    // The archive is on record as what left by this request, and verifies.
    let (status, bytes) = give_out(&clerk, &request);
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&bytes));
    let page = clerk.get(&request).body;
    assert!(page.contains("1 read, taken out by clerk") && page.contains("agreement holds"), "{page}");
    let (file, key) = (hall.depot.dir.path().join("release.zip"), hall.depot.dir.path().join("evidence.pub"));
    std::fs::write(&file, &bytes).unwrap();
    std::fs::write(&key, hall.command(&["evidence", "key"], "").stdout).unwrap();
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let verified = program.args(["evidence", "verify"]).arg(&file).arg("--key").arg(&key).output().unwrap();
    assert!(verified.status.success() && String::from_utf8_lossy(&verified.stdout).contains("1 read"));
    assert!(bytes.windows(36).any(|window| window == read.id.to_string().as_bytes()));
    // It stays there, with who approved it.
    assert!(officer.get("/releases").body.contains("Approved; the reads left"));
    (hall, request)
}

// policy: P-40
#[test]
fn a_request_is_taken_down_approved_by_somebody_else_and_leaves_as_an_archive_that_is_on_record() {
    let (hall, request) = from_request_to_archive(Hall::new());
    let id = request.rsplit('/').next().unwrap();
    let mut steps = hall.on_record("release_request").into_iter();
    let taken = steps.rfind(|row| row["elements"]["as"] == "taken_down").unwrap();
    assert_eq!((&taken["elements"]["agency"], &taken["case"]), (&"Lodi PD".into(), &"L-77".into()));
    let out = hall.on_record("reads_exported").pop().unwrap();
    assert_eq!((&out["elements"]["as"], &out["elements"]["release"]), (&"release".into(), &id.into()));
    assert!(out["case"] == "L-77" && out["reason"].as_str().unwrap().contains("Lodi PD"), "{out}");
}

// policy: P-40
#[test]
fn a_request_goes_the_same_way_on_postgresql() {
    let Some(server) = Postgres::shared() else { return };
    let mut depot = Depot::new();
    depot.on_postgres(&server.database(), &Objects::shared().bucket());
    let _ = from_request_to_archive(Hall::on(depot, ""));
}

// policy: P-40
#[test]
fn a_requester_can_not_approve_his_own_request_not_even_a_custodian() {
    let (hall, _) = staffed(Hall::new());
    hall.hire("records", "custodian");
    let clerk = hall.looking("clerk");
    let request = path(&take_down(&clerk, "Lodi PD", &[]));
    assert!(!clerk.get(&request).body.contains(">Approve<"));
    let refused = decide(&clerk, &request, "approved", "in order");
    assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.status);
    assert!(refused.body.contains("took a request down does not decide"), "{}", refused.body);
    assert_eq!(give_out(&clerk, &request).0, StatusCode::UNPROCESSABLE_ENTITY);
    // Another one does, and it is what a custodian decides on, not a supervisor.
    assert_eq!(decide(&hall.looking("sarge"), &request, "approved", "fine").status, StatusCode::UNPROCESSABLE_ENTITY);
    let other = hall.looking("records");
    assert_eq!(decide(&other, &request, "approved", "in order").to, format!("{request}?done=approved"));
}

// policy: P-40, P-42
#[test]
fn out_of_state_federal_and_unknown_agencies_and_those_to_be_reviewed_are_refused_and_go_to_records_staff() {
    let (hall, _) = staffed(Hall::new());
    enter(&hall, "Reno PD", "law_enforcement", "NV");
    enter(&hall, "FBI Field Office", "law_enforcement", "US");
    enter(&hall, "Acme Insurance", "other", "CA");
    let (officer, clerk) = (hall.looking("jdoe"), hall.looking("clerk"));
    for (agency, why) in
        [("Reno PD", "of NV"), ("FBI Field Office", "federal government"), ("Acme Insurance", "records staff")]
    {
        let request = path(&take_down(&officer, agency, &[]));
        let page = clerk.get(&request);
        assert!(page.body.contains("Refused; to be answered") && page.body.contains(why), "{agency}: {}", page.body);
        let refused = decide(&clerk, &request, "approved", "anyway");
        assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY, "{agency}: {}", refused.status);
        assert_eq!(give_out(&clerk, &request).0, StatusCode::UNPROCESSABLE_ENTITY, "{agency}");
        assert_eq!(decide(&clerk, &request, "refused", "letter sent").to, format!("{request}?done=refused"));
    }
    let request = path(&take_down(&officer, "other", &[("other", "A. Newspaper")]));
    assert!(clerk.get(&request).body.contains("not in the register"));
    // An agency whose review came after the approval gets nothing either.
    let request = path(&take_down(&officer, "Lodi PD", &[]));
    assert_eq!(decide(&clerk, &request, "approved", "in order").to, format!("{request}?done=approved"));
    let ended = hall.command(&["partner", "end", "Lodi PD", "--reason", "agreement ended"], "");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(give_out(&clerk, &request).0, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(hall.on_record("reads_exported").is_empty());
}

// policy: P-41
#[test]
fn a_supervisor_approves_and_takes_out_what_can_not_wait_with_their_name_on_it() {
    let (hall, _) = staffed(Hall::new());
    let request = path(&take_down(&hall.looking("jdoe"), "Lodi PD", &[("exigent", "on")]));
    let sarge = hall.looking("sarge");
    assert!(sarge.get("/releases").body.contains("can't wait</span>"));
    assert_eq!(decide(&sarge, &request, "approved", "child missing").to, format!("{request}?done=approved"));
    assert_eq!(give_out(&sarge, &request).0, StatusCode::OK);
    let page = sarge.get(&request).body;
    assert!(page.contains("sarge, supervisor") && page.contains("child missing"), "{page}");
    let approved = hall.on_record("release_request").into_iter().find(|row| row["elements"]["as"] == "approved");
    assert_eq!(approved.unwrap()["actor"]["name"], "sarge");
}

// policy: P-42
#[test]
fn what_is_missing_in_a_request_is_told_at_its_field_and_others_do_not_see_it() {
    let (hall, _) = staffed(Hall::new());
    let officer = hall.looking("jdoe");
    let later = local(jiff::Timestamp::now() + jiff::Span::new().hours(2));
    for (more, why) in [
        (&[("agency", "")][..], "Choose one"),
        (&[("agency", "other")], "Say which agency"),
        (&[("person", "")], "Say who asks"),
        (&[("need", "")], "needed for"),
        (&[("case", "")], "number of their case"),
        (&[("plate", "")], "a part of one, or a place"),
        (&[("from", "")], "Give a day and a time"),
        (&[("until", later.as_str())], "nothing is released ahead"),
        (&[("purpose", "curiosity")], "Choose one: without an authorised purpose"),
    ] {
        let answer = take_down(&officer, "Lodi PD", more);
        assert!(answer.status == StatusCode::UNPROCESSABLE_ENTITY, "{more:?}: {}", answer.status);
        assert!(answer.body.contains(why), "{more:?}: {}", answer.body);
    }
    let until = local(jiff::Timestamp::now() - jiff::Span::new().minutes(2));
    let request = path(&take_down(&officer, "Lodi PD", &[("until", &until)]));
    hall.hire("mlee", "officer");
    let other = hall.looking("mlee");
    assert_eq!(other.get(&request).status, StatusCode::NOT_FOUND);
    assert!(!other.get("/releases").body.contains(&request));
    hall.hire("chief", "administrator");
    let chief = hall.logged_in("chief");
    assert!(chief.get("/releases").to.starts_with("/purpose") || chief.get("/releases").status.is_client_error());
}

// policy: P-40
#[test]
fn a_custodian_keeps_the_register_of_agencies_on_record_and_an_officer_only_reads_it() {
    let (hall, _) = staffed(Hall::new());
    let clerk = hall.logged_in("clerk");
    let page = clerk.get("/partners");
    assert!(page.body.contains("Lodi PD") && page.body.contains("agreement of 2026"), "{}", page.body);
    let next = |days: i64| jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(days)).to_string();
    let (soon, past) = (next(40), next(-1));
    let with = |review: &str| {
        let fields = [
            ("name", "Stockton PD"),
            ("kind", "law_enforcement"),
            ("jurisdiction", "ca"),
            ("review", review),
            ("purpose", "homicide"),
            ("right_to_know", "letter of 1 Nov"),
            ("need_to_know", "cases in both cities"),
            ("reason", "asked for by their chief"),
        ];
        clerk.post("/partners", &page.token(), &fields)
    };
    assert!(with(&past).body.contains("has to be after today"));
    assert_eq!(with(&soon).to, "/partners?done=added");
    assert!(with(&soon).body.contains("already"), "a name is there once");
    let page = clerk.get("/partners");
    let id = page.body.split_once("Stockton PD").unwrap().1.split("/partners/").nth(1).unwrap();
    let id = id.split('/').next().unwrap().to_owned();
    let (review, why, end) = (format!("review-{id}"), format!("why-{id}"), format!("end-{id}"));
    let fields = [(review.as_str(), soon.as_str()), (why.as_str(), "looked at")];
    assert_eq!(clerk.post(&format!("/partners/{id}/review"), &page.token(), &fields).to, "/partners?done=review");
    let ending = [(end.as_str(), "misuse")];
    assert_eq!(clerk.post(&format!("/partners/{id}/end"), &page.token(), &ending).to, "/partners?done=end");
    assert!(clerk.get("/partners").body.contains("Nothing is released to this agency any more"));
    let done: Vec<_> = hall.on_record("partner_changed").iter().map(|row| row["elements"]["as"].clone()).collect();
    // The one of a name that was there already was not added, so it is not on record.
    assert_eq!(done, ["added", "added", "reviewed", "ended"].map(serde_json::Value::from));
    let officer = hall.logged_in("jdoe");
    let page = officer.get("/partners");
    assert!(page.body.contains("Lodi PD") && !page.body.contains("Put an agency"), "{}", page.body);
    assert_eq!(officer.post(&format!("/partners/{id}/end"), &page.token(), &ending).status, StatusCode::FORBIDDEN);
    // The register is a command too.
    let reviewed = ["partner", "review", "Lodi PD", "--review", &soon, "--reason", "yearly"];
    assert!(hall.command(&reviewed, "").status.success());
    let listed = String::from_utf8(hall.command(&["partner", "list"], "").stdout).unwrap();
    assert!(listed.contains(&format!("review {soon}")) && listed.contains("Stockton PD"), "{listed}");
    assert!(listed.lines().any(|line| line.contains("Stockton PD") && line.contains("NOTHING IS RELEASED")));
}
