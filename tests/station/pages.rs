//! The station's pages over real HTTPS and a real archive.

use crate::kit::console::{Answer, Browser, PASSWORD};
use crate::kit::objects::Objects;
use crate::kit::postgres::Postgres;
use crate::kit::station_pages::{CHOSEN, Hall};
use crate::kit::{Depot, pixels, record};
use plated_core::officers::{Correction, Reading};
use plated_core::record::{Alerting, ReadRecord};
use plated_portal::{Needs, Route};
use reqwest::StatusCode;

/// So many failed logins lock an account, by default.
const FAILURES: usize = 5;

/// A read of this plate without hits.
fn plain(text: &str) -> ReadRecord {
    let now = jiff::Timestamp::now();
    ReadRecord { text: text.into(), hits: Vec::new(), canvass: None, first_seen: now, last_seen: now, ..record(&[]) }
}

fn spoken(plate: &str) -> String {
    let words: Vec<_> = plate.chars().map(|c| if c == '0' { "zero".to_owned() } else { c.to_string() }).collect();
    format!("aria-label=\"{}, state", words.join(" "))
}

/// Searches, and opens the result.
fn found(browser: &Browser, fields: &[(&str, &str)]) -> Answer {
    let asked = browser.submit("/search", fields);
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    assert!(asked.to.starts_with("/search/") && !asked.to.contains("7A"), "no plate in {}", asked.to);
    let page = browser.get(&asked.to);
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page
}

/// What is expected of each route, by what it shows. A new route has to be put here: the walk fails without it.
fn expected(route: &Route) -> Needs {
    match route.path {
        "/login" | "/login/code" | "/login/recovery" | "/logout" | "/theme" => Needs::Nobody,
        // To the agency's own login, back from it and out of it: agency.rs.
        "/login/agency" | "/login/agency/back" | "/login/agency/out" => Needs::Nobody,
        // What the agency does, for everybody (control P-24).
        "/policy" => Needs::Nobody,
        // Where the agency turned it on: transparency.rs looks that no plate and no name is in it.
        "/policy/figures" | "/policy/figures.csv" | "/policy/audit-log.jsonl" | "/policy/deletions.jsonl" => {
            Needs::Nobody
        }
        "/unlock" | "/lock" => Needs::Door,
        "/refused" | "/account" | "/account/password" | "/account/settings" => Needs::Own,
        "/account/second-factor" | "/account/second-factor/code" | "/account/recovery-codes" => Needs::Own,
        // Of accounts and vehicles; who may see them is asked for each time. No plate.
        "/" | "/fleet" | "/review" | "/statistics" | "/statistics.csv" => Needs::Session,
        // Of accesses, by their records; what was drawn is on record before, and for auditors alone.
        "/audits" | "/audits/{audit}" | "/audits/{audit}/report" | "/audits/{audit}/items/{number}" => Needs::Session,
        "/audits/{audit}/close" | "/audit-pictures/{audit}/{read}/{name}" => Needs::Session,
        "/users" | "/users/new" | "/users/{name}" | "/users/{name}/{action}" => Needs::Session,
        "/purpose" => Needs::Trained,
        "/search"
        | "/search/{search}"
        | "/search/{search}/evidence"
        | "/reads/{read}"
        | "/reads/{read}/track"
        | "/pictures/{read}/{name}" => Needs::Look,
        "/misreads" | "/misreads/{misread}" => Needs::Look,
        // Of agencies, not of reads.
        "/partners" | "/partners/{partner}/{action}" => Needs::Session,
        "/releases" | "/releases/new" | "/releases/{release}" | "/releases/{release}/decision" => Needs::Look,
        "/releases/{release}/evidence" => Needs::Look,
        "/holds" | "/holds/{hold}/release" | "/reads/{read}/hold" => Needs::Look,
        other => panic!("say here what the route {other} shows"),
    }
}

fn address(route: &Route, id: &str) -> String {
    let path = ["{search}", "{read}", "{hold}", "{misread}", "{audit}", "{release}", "{partner}"]
        .iter()
        .fold(route.path.to_owned(), |path, of| path.replace(of, id));
    path.replace("{name}/{action}", "jdoe/disable")
        .replace("{action}", "end")
        .replace("{name}", "jdoe")
        .replace("{number}", "1")
}

// policy: P-01, P-20, P-21
#[test]
fn every_route_is_public_or_leads_to_the_login_and_then_to_the_purpose_and_shows_nothing_before() {
    let hall = Hall::new();
    hall.hire("jdoe", "officer");
    let read = plain("7ABC123");
    hall.receive(&read, &[]);
    let id = read.id.to_string();
    let officer = hall.logged_in("jdoe");
    for route in &hall.routes {
        let (browser, name) = (hall.browser(), format!("{} {}", route.method, route.path));
        assert_eq!(route.needs, expected(route), "{name}");
        let open = |browser: &Browser| match route.method {
            "GET" => browser.get(&address(route, &id)),
            _ => browser.post(&address(route, &id), &browser.get("/login").token(), &[]),
        };
        let answer = open(&browser);
        assert!(!answer.body.contains("7ABC123") && !answer.status.is_server_error(), "{name}: {}", answer.status);
        if route.needs != Needs::Nobody {
            assert!(answer.to.starts_with("/login"), "{name}: {} {}", answer.status, answer.to);
        }
        if route.needs == Needs::Look {
            let answer = open(&officer);
            assert!(answer.to.starts_with("/purpose"), "{name}: {} {}", answer.status, answer.to);
        }
        if route.method == "POST" {
            assert_eq!(officer.post(&address(route, &id), "0123", &[]).status, StatusCode::FORBIDDEN, "{name}");
        }
    }
    assert!(hall.on_record("search_back").is_empty());
}

// policy: P-01, P-02, P-21
#[test]
fn a_read_is_found_by_a_partial_plate_and_shown_with_its_chain_of_custody_and_both_are_on_record() {
    let hall = Hall::new();
    hall.hire("jdoe", "officer");
    let image = pixels(1, 900);
    let read = ReadRecord { images: record(std::slice::from_ref(&image)).images, ..plain("7ABC123") };
    hall.receive(&read, std::slice::from_ref(&image));
    hall.receive(&plain("6DEF128"), &[]);
    let browser = hall.looking("jdoe");
    let page = found(&browser, &[("plate", "7a?c*")]);
    assert!(page.body.contains(&spoken("7ABC123")) && !page.body.contains(&spoken("6DEF128")), "{}", page.body);
    assert!(page.body.contains("case 26-1234") && page.body.contains("unit-7, "), "{}", page.body);
    let searched = hall.on_record("search_back").pop().unwrap();
    assert_eq!((&searched["elements"]["plate"], &searched["case"]), (&"7A?C*".into(), &"26-1234".into()));
    assert_eq!((&searched["purpose"], &searched["actor"]["name"]), (&"locate_vehicle".into(), &"jdoe".into()));
    assert_eq!(hall.on_record("rows_shown").pop().unwrap()["rows"], 1);

    let picture = page.body.split("src=\"/pictures/").nth(1).unwrap().split('"').next().unwrap();
    let picture = format!("/pictures/{picture}");
    let shown = browser.get(&picture);
    assert_eq!((shown.status, shown.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "image/jpeg"));
    assert_eq!(shown.headers["cache-control"], "no-store");

    let page = browser.get(&format!("/reads/{}", read.id));
    let sealed = crate::kit::seal(&read).sha256.to_string();
    assert!(page.body.contains("Chain of custody") && page.body.contains(&sealed), "{}", page.body);
    let looked = hall.on_record("search_back").pop().unwrap();
    assert_eq!(looked["elements"]["read"], read.id.to_string());
    assert_eq!(browser.get("/reads/0199ac00-0000-7000-8000-000000000000").status, StatusCode::NOT_FOUND);
    // Pictures are given out of what this look was shown, and of nothing else.
    hall.hire("mlee", "officer");
    assert_eq!(hall.looking("mlee").get(&picture).status, StatusCode::NOT_FOUND);
}

// policy: P-08
#[test]
fn hits_of_lists_that_are_not_known_to_be_open_are_seen_by_those_only_to_whom_they_are_granted_by_name() {
    let hall = Hall::new();
    hall.hire("jdoe", "officer");
    let hit = |list: &str| {
        let mut read = ReadRecord { hits: record(&[]).hits, ..plain("7ABC123") };
        read.hits.truncate(1);
        let hit = &mut read.hits[0];
        (hit.id, hit.alert) = (uuid::Uuid::now_v7(), Alerting::Sounded);
        hit.entries.truncate(1);
        hit.entries[0].entry.list = list.into();
        read
    };
    let (own, other) = (hit("officers"), hit("watch"));
    hall.receive(&own, &[]);
    hall.receive(&other, &[]);
    let browser = hall.looking("jdoe");
    let page = found(&browser, &[("hits", "on")]).body;
    assert!(page.contains(&own.id.to_string()) && !page.contains(&other.id.to_string()), "{page}");
    let page = found(&browser, &[("plate", "7ABC123")]).body;
    assert!(page.contains(&other.id.to_string()) && page.matches("class=\"badge").count() == 1, "{page}");
    let page = browser.get(&format!("/reads/{}", other.id)).body;
    assert!(page.contains("No hit that may be shown") && !page.contains("watch"), "{page}");
}

// policy: P-16, P-21, P-23
#[test]
fn what_was_found_is_taken_out_as_an_archive_that_verifies_offline_and_a_changed_one_does_not() {
    let hall = Hall::new();
    hall.hire("jdoe", "officer");
    hall.hire("clerk", "custodian");
    let image = pixels(1, 900);
    let read = ReadRecord { images: record(std::slice::from_ref(&image)).images, ..plain("7ABC123") };
    hall.receive(&read, std::slice::from_ref(&image));
    let officer = hall.looking("jdoe");
    let asked = officer.submit("/search", &[("plate", "7ABC*")]).to;
    assert!(!officer.get(&asked).body.contains("/evidence"));
    assert_eq!(officer.get(&format!("{asked}/evidence")).status, StatusCode::FORBIDDEN);

    let clerk = hall.looking("clerk");
    let asked = clerk.submit("/search", &[("plate", "7ABC*")]).to;
    let export = format!("{asked}/evidence");
    assert!(clerk.get(&asked).body.contains(&export));
    let form = clerk.get(&export);
    let refused = clerk.post(&export, &form.token(), &[("case", "26-7")]);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let why = [("purpose", "arrest_warrant"), ("case", "26-7"), ("reason", "for the DA")];
    let (status, bytes) = clerk.download(&export, &form.token(), &why);
    assert_eq!(status, StatusCode::OK);
    let taken = hall.on_record("reads_exported").pop().unwrap();
    assert_eq!((&taken["elements"]["as"], &taken["reason"]), (&"evidence".into(), &"for the DA".into()));
    assert_eq!(hall.on_record("rows_shown").pop().unwrap()["rows"], 1);

    let (file, key) = (hall.depot.dir.path().join("evidence.zip"), hall.depot.dir.path().join("evidence.pub"));
    std::fs::write(&file, &bytes).unwrap();
    std::fs::write(&key, hall.command(&["evidence", "key"], "").stdout).unwrap();
    let verify = || {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_plated-station"));
        let done = program.args(["evidence", "verify"]).arg(&file).arg("--key").arg(&key).output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let (genuine, said) = verify();
    assert!(genuine && said.contains("1 read") && !said.contains("7ABC123"), "{said}");
    let at = bytes.windows(7).position(|window| window == b"7ABC123").unwrap();
    let mut changed = bytes.clone();
    changed[at] = b'1';
    std::fs::write(&file, changed).unwrap();
    let (genuine, said) = verify();
    assert!(!genuine && said.contains(&format!("reads/{}/record.json was changed", read.id)), "{said}");
}

// policy: P-15, P-23
#[test]
fn a_custodian_keeps_a_read_as_evidence_for_a_case_and_releases_it_and_an_officer_does_not() {
    let hall = Hall::new();
    hall.hire("jdoe", "officer");
    hall.hire("clerk", "custodian");
    let read = plain("7ABC123");
    hall.receive(&read, &[]);
    let (page, hold) = (format!("/reads/{}", read.id), format!("/reads/{}/hold", read.id));
    let officer = hall.looking("jdoe");
    let shown = officer.get(&page);
    assert!(!shown.body.contains("Keep as evidence"), "{}", shown.body);
    let fields = [("case", "26-9"), ("reason", "People v. Doe")];
    assert_eq!(officer.post(&hold, &shown.token(), &fields).status, StatusCode::FORBIDDEN);
    assert_eq!(officer.get("/holds").status, StatusCode::FORBIDDEN);

    let clerk = hall.looking("clerk");
    let shown = clerk.get(&page);
    assert!(shown.body.contains("Keep as evidence"), "{}", shown.body);
    let refused = clerk.post(&hold, &shown.token(), &[("case", ""), ("reason", "People v. Doe")]);
    assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.body.contains("People v. Doe"));
    assert_eq!(clerk.post(&hold, &shown.token(), &fields).to, format!("{page}?done=held"));
    let held = hall.on_record("evidence_hold").pop().unwrap();
    assert_eq!(
        (&held["case"], &held["reason"], &held["actor"]["name"]),
        (&"26-9".into(), &"People v. Doe".into(), &"clerk".into())
    );
    assert!(clerk.get(&page).body.contains("under an evidence hold"));
    let holds = clerk.get("/holds");
    assert!(holds.body.contains("26-9") && holds.body.contains(&page), "{}", holds.body);
    let id = holds.body.split("action=\"/holds/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let why = format!("why-{id}");
    let release = format!("/holds/{id}/release");
    assert_eq!(clerk.post(&release, &holds.token(), &[]).status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(clerk.post(&release, &holds.token(), &[(why.as_str(), "case closed")]).to, "/holds?done=released");
    assert!(clerk.get("/holds").body.contains("case closed"));
    assert_eq!(clerk.post(&release, &holds.token(), &[(why.as_str(), "again")]).status, StatusCode::NOT_FOUND);
}

// policy: P-20, P-23
#[test]
fn an_account_made_by_the_command_line_changes_its_password_first_and_counts_no_more_once_it_is_disabled() {
    let hall = Hall::new();
    let added = hall.command(
        &[
            "user",
            "add",
            "chief",
            "--full-name",
            "Ann Smith",
            "--agency",
            "Springfield PD",
            "--role",
            "administrator",
            "--reason",
            "first",
        ],
        "",
    );
    let said = String::from_utf8(added.stdout).unwrap();
    let first = said.lines().find_map(|line| line.strip_prefix("first password: ")).unwrap().to_owned();
    let browser = hall.browser();
    assert_eq!(browser.log_in("chief", &first).status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/fleet").to, "/account/password");
    let changed = browser.submit("/account/password", &[("old", &first), ("new", CHOSEN), ("again", CHOSEN)]);
    assert_eq!(changed.to, "/", "{}", changed.body);
    assert_eq!(browser.get("/").to, "/fleet");
    let account = browser.get("/account").body;
    assert!(account.contains("At this station") && !account.contains("Only high alerts sound"), "{account}");
    let listed = String::from_utf8(hall.command(&["user", "list"], "").stdout).unwrap();
    assert!(listed.contains("chief") && listed.contains("administrator"), "{listed}");
    // Somebody else is added on the pages, and disabled by the command line while they are logged in.
    let form = browser.get("/users/new");
    let fields = [
        ("login", "jdoe"),
        ("name", "John Doe"),
        ("agency", "Springfield PD"),
        ("role", "auditor"),
        ("password", PASSWORD),
        ("reason", "hired"),
    ];
    assert_eq!(browser.post("/users/new", &form.token(), &fields).to, "/users?done=added");
    let other = hall.logged_in("jdoe");
    assert_eq!(other.get("/review").status, StatusCode::OK);
    let done = hall.command(&["user", "disable", "jdoe", "--reason", "left"], "");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(other.get("/review").to, "/login?then=/review");
    assert!(hall.on_record("user_disabled").len() == 1 && hall.on_record("login").len() == 2);
}

// policy: P-20, P-26
#[test]
fn five_wrong_passwords_lock_an_account_of_the_station() {
    let hall = Hall::new();
    hall.hire("jdoe", "officer");
    let browser = hall.browser();
    for _ in 0..5 {
        browser.log_in("jdoe", "not the password");
    }
    let refused = browser.log_in("jdoe", PASSWORD);
    assert!(refused.status == StatusCode::TOO_MANY_REQUESTS && refused.body.contains("locked"), "{}", refused.body);
    assert!(hall.on_record("login_failed").len() >= 5);
}

// policy: P-23
#[test]
fn an_administrator_looks_after_the_fleet_and_searches_nothing() {
    let hall = Hall::new();
    hall.hire("chief", "administrator");
    hall.hire("jdoe", "officer");
    hall.receive(&plain("7ABC123"), &[]);
    let chief = hall.logged_in("chief");
    let fleet = chief.get("/fleet");
    assert!(fleet.body.contains("unit-7") && fleet.body.contains("Heard of"), "{}", fleet.body);
    assert!(!fleet.body.contains("7ABC123") && !fleet.body.contains("href=\"/search\""), "{}", fleet.body);
    assert_eq!(chief.get("/purpose").to, "/fleet", "no purpose lets an administrator search");
    let officer = hall.logged_in("jdoe");
    assert_eq!(officer.get("/fleet").status, StatusCode::FORBIDDEN);
}

#[test]
fn figures_are_counted_by_day_and_camera_and_hold_no_plate() {
    let hall = Hall::new();
    hall.hire("audit", "auditor");
    hall.hire("jdoe", "officer");
    hall.receive(&plain("7ABC123"), &[]);
    hall.receive(&ReadRecord { camera: "-rear".into(), ..plain("6DEF128") }, &[]);
    let auditor = hall.logged_in("audit");
    let page = auditor.get("/statistics");
    assert!(page.status == StatusCode::OK && page.body.contains("class=\"bar\""), "{}", page.body);
    assert!(!page.body.contains("7ABC123") && page.body.contains("-rear"), "{}", page.body);
    let file = auditor.get("/statistics.csv");
    assert!(file.body.lines().count() == 3 && file.body.contains("unit-7,\"'-rear\",no_hit,1,0"), "{}", file.body);
    for wrong in ["from=x", "from=2026-02-01&until=2026-01-01", "from=0001-01-01"] {
        let page = auditor.get(&format!("/statistics?{wrong}"));
        assert!(page.status == StatusCode::OK && page.body.contains("role=\"alert\""), "{wrong}: {}", page.body);
    }
    assert_eq!(hall.logged_in("jdoe").get("/statistics").status, StatusCode::FORBIDDEN);
}

// policy: P-30
#[test]
fn a_correction_is_in_the_supervisors_queue_with_its_read_until_it_is_reviewed_once() {
    let hall = Hall::new();
    hall.hire("jdoe", "officer");
    hall.hire("sarge", "supervisor");
    let read = plain("7ABC123");
    hall.receive(&read, &[]);
    let golden: Correction = serde_json::from_str(include_str!("../golden/correction.json")).unwrap();
    let reading = |text: &str| Reading { text: text.into(), state: "CA".into() };
    let correction = Correction {
        id: uuid::Uuid::now_v7(),
        read: read.id,
        read_sha256: crate::kit::seal(&read).sha256,
        original: reading("7ABC123"),
        corrected: reading("1ABC123"),
        hits: Vec::new(),
        ..golden
    };
    hall.receive_correction(&correction);
    let sarge = hall.looking("sarge");
    let queue = sarge.get("/misreads");
    assert!(queue.body.contains("1 misread waits") && queue.body.contains(&spoken("1ABC123")), "{}", queue.body);
    assert!(queue.body.contains(&format!("/reads/{}", read.id)) && queue.body.contains("the first one is a 1"));
    // The read shows what it says by now, and what it was read as.
    let page = sarge.get(&format!("/reads/{}", read.id)).body;
    assert!(page.contains(&spoken("1ABC123")) && page.contains("Corrected; read as"), "{page}");
    let (review, note) = (format!("/misreads/{}", correction.id), format!("note-{}", correction.id));
    assert_eq!(sarge.post(&review, &queue.token(), &[(note.as_str(), "camera cleaned")]).to, "/misreads?done=reviewed");
    let queue = sarge.get("/misreads").body;
    assert!(queue.contains("Nothing waits") && queue.contains("sarge") && queue.contains("camera cleaned"), "{queue}");
    assert_eq!(sarge.post(&review, &sarge.get("/account").token(), &[]).status, StatusCode::CONFLICT);
    assert!(hall.on_record("search_back").iter().any(|row| row["elements"]["as"] == "reviewed"));
    assert_eq!(hall.looking("jdoe").get("/misreads").status, StatusCode::FORBIDDEN);
}

// policy: P-24
#[test]
fn the_policy_is_public_and_names_custodian_purposes_and_retention() {
    let hall = Hall::new();
    let page = hall.browser().get("/policy");
    assert_eq!(page.status, StatusCode::OK);
    for part in ["Springfield PD", "Ann Smith", "365 days", "stolen, wanted", "evidence hold"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
}

// policy: P-20
#[test]
fn who_is_logged_in_at_one_station_is_at_all_that_share_its_database_and_so_is_who_is_locked_out() {
    let Some(server) = Postgres::shared() else { return };
    let mut depot = Depot::new();
    depot.on_postgres(&server.database(), &Objects::shared().bucket());
    let hall = Hall::on(depot, "");
    let (one, other) = (hall.pages.port(), hall.another().port());
    hall.hire("jdoe", "supervisor");
    let mut browser = hall.logged_in("jdoe");
    let status = |browser: &Browser| browser.get("/fleet").status;
    let token = browser.get("/fleet").token();
    browser.turn_to(other);
    assert_eq!(status(&browser), StatusCode::OK);
    // A form of one is taken by the other; locked there, it is locked here.
    assert_eq!(browser.post("/lock", &token, &[]).status, StatusCode::SEE_OTHER);
    browser.turn_to(one);
    let locked = browser.get("/fleet");
    assert!(locked.status == StatusCode::SEE_OTHER && locked.to.starts_with("/unlock"), "{}", locked.to);
    assert_eq!(browser.submit("/unlock", &[("password", CHOSEN)]).status, StatusCode::SEE_OTHER);
    browser.turn_to(other);
    assert_eq!(status(&browser), StatusCode::OK);
    // Another password ends the sessions that were begun elsewhere.
    let mut elsewhere = hall.browser();
    elsewhere.turn_to(other);
    assert_eq!(elsewhere.log_in("jdoe", CHOSEN).status, StatusCode::SEE_OTHER);
    assert_eq!(status(&elsewhere), StatusCode::OK);
    browser.turn_to(one);
    let newer = "pewter tuesday walnut";
    let fields = [("old", CHOSEN), ("new", newer), ("again", newer)];
    assert_eq!(browser.submit("/account/password", &fields).status, StatusCode::SEE_OTHER);
    assert_eq!(status(&elsewhere), StatusCode::SEE_OTHER);
    // Out at one is out at the other.
    let token = browser.get("/fleet").token();
    browser.turn_to(other);
    browser.post("/logout", &token, &[]);
    browser.turn_to(one);
    assert_eq!(status(&browser), StatusCode::SEE_OTHER);
    // Whoever tries passwords at both is locked out at both.
    let mut guessing = hall.browser();
    for n in 0..FAILURES {
        guessing.turn_to(if n % 2 == 0 { one } else { other });
        assert_eq!(guessing.log_in("jdoe", "wrong").status, StatusCode::UNAUTHORIZED);
    }
    for port in [one, other] {
        guessing.turn_to(port);
        let refused = guessing.log_in("jdoe", newer);
        assert!(refused.status != StatusCode::SEE_OTHER && refused.body.contains("locked"), "{}", refused.body);
    }
}
