//! Audits on the station's pages (control P-32).

use crate::kit::console::{Answer, Browser};
use crate::kit::objects::Objects;
use crate::kit::postgres::Postgres;
use crate::kit::station_pages::Hall;
use crate::kit::{Depot, pixels, record};
use plated_core::record::ReadRecord;
use reqwest::StatusCode;

/// A station with eight reads that have pictures, and twelve searches by an officer.
fn busy(hall: Hall) -> Hall {
    for (name, role) in [("jdoe", "officer"), ("audit", "auditor"), ("chief", "administrator"), ("clerk", "custodian")]
    {
        hall.hire(name, role);
    }
    for n in 0..8 {
        let (image, now) = (pixels(n, 900), jiff::Timestamp::now());
        let images = record(std::slice::from_ref(&image)).images;
        let text = format!("7ABC12{n}");
        let read = ReadRecord { text, hits: Vec::new(), first_seen: now, last_seen: now, images, ..record(&[]) };
        hall.receive(&read, std::slice::from_ref(&image));
    }
    let officer = hall.looking("jdoe");
    for n in 0..12 {
        officer.submit("/search", &[("plate", &format!("9XYZ{n:02}"))]);
    }
    hall
}

fn today() -> String {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

fn begin(browser: &Browser) -> Answer {
    let today = today();
    browser.submit("/audits", &[("first", &today), ("last", &today)])
}

/// The number by which a sample was drawn, as its page shows it.
fn seed(page: &Answer) -> String {
    let after = page.body.split("By the number").nth(1).unwrap();
    after.split("class=\"value\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

fn judge_all(browser: &Browser, audit: &str, items: usize) {
    let token = browser.get(audit).token();
    for n in 1..=items {
        let finding = format!("finding-{n}");
        let done = browser.post(&format!("{audit}/items/{n}"), &token, &[(finding.as_str(), "in_order")]);
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{n}: {}", done.body);
    }
}

// policy: P-32
#[test]
fn an_auditor_judges_accesses_and_reads_that_were_drawn_and_the_signed_report_goes_to_the_administrator() {
    let hall = busy(Hall::new());
    let auditor = hall.logged_in("audit");
    assert!(auditor.get("/audits").body.contains("There was no audit yet"));
    let asked = begin(&auditor);
    assert!(asked.to.starts_with("/audits/"), "{} {}", asked.status, asked.body);
    let begun = hall.on_record("audit_sample_shown").pop().unwrap();
    assert_eq!((&begun["elements"]["as"], &begun["actor"]["name"]), (&"begun".into(), &"audit".into()));

    // Ten accesses out of twelve searches, with who and what; and the eight reads, with their pictures.
    let page = auditor.get(&asked.to);
    assert_eq!(page.body.matches("class=\"audit-item\"").count(), 18, "{}", page.body);
    assert!(
        page.body.contains("18 of 18 items to be judged") && page.body.contains("9XYZ") && page.body.contains("jdoe")
    );
    assert_eq!(hall.on_record("rows_shown").pop().unwrap()["rows"], 18);
    let picture = page.body.split("src=\"/audit-pictures/").nth(1).unwrap().split('"').next().unwrap();
    let picture = format!("/audit-pictures/{picture}");
    assert_eq!(auditor.get(&picture).status, StatusCode::OK);

    // What is wrong needs a word, and nothing is closed before all is judged.
    let wrong = [("finding-1", "wrong")];
    let item = format!("{}/items/1", asked.to);
    assert_eq!(auditor.post(&item, &page.token(), &wrong).status, StatusCode::UNPROCESSABLE_ENTITY);
    let close = format!("{}/close", asked.to);
    assert_eq!(auditor.post(&close, &page.token(), &[("conclusion", "well")]).status, StatusCode::CONFLICT);
    judge_all(&auditor, &asked.to, 18);
    let wrong = [("finding-1", "wrong"), ("note-1", "no case number")];
    assert_eq!(auditor.post(&item, &page.token(), &wrong).status, StatusCode::SEE_OTHER);
    let closed = auditor.post(&close, &page.token(), &[("conclusion", "One search had no case.")]);
    assert_eq!(closed.to, format!("{}?done=closed", asked.to), "{}", closed.body);
    let changed = auditor.post(&item, &page.token(), &[("finding-1", "in_order")]);
    assert!(changed.status.is_client_error(), "a report stays as it is: {}", changed.status);

    // The administrator reads what came of it, and sees no plate.
    let chief = hall.logged_in("chief");
    assert!(chief.get("/audits").body.contains("Closed; 1 wrong"));
    let page = chief.get(&asked.to);
    for part in ["One search had no case.", "no case number", "Accesses by user", "jdoe", "Closed: 1 wrong"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(!page.body.contains("7ABC12") && !page.body.contains("9XYZ"), "{}", page.body);
    assert_eq!(chief.get(&picture).status, StatusCode::NOT_FOUND);
    let report = chief.get(&format!("{}/report", asked.to));
    let report: serde_json::Value = serde_json::from_str(&report.body).unwrap();
    let document = &report["document"];
    let document: serde_json::Value =
        document.as_str().map_or_else(|| document.clone(), |text| serde_json::from_str(text).unwrap());
    assert!(report["signature"].is_string() && document["items"].as_array().unwrap().len() == 18, "{report}");
    hall.hire("mlee", "officer");
    assert_eq!(hall.logged_in("mlee").get("/audits").status, StatusCode::FORBIDDEN);
}

// policy: P-32
#[test]
fn an_audit_is_drawn_drawn_again_judged_and_closed_on_postgresql_too() {
    let Some(server) = Postgres::shared() else { return };
    let mut depot = Depot::new();
    depot.on_postgres(&server.database(), &Objects::shared().bucket());
    let hall = busy(Hall::on(depot, ""));
    let auditor = hall.logged_in("audit");
    let audit = begin(&auditor).to;
    assert!(auditor.get(&audit).body.contains("18 of 18 items to be judged"));
    assert!(auditor.get(&format!("{audit}?again=1")).body.contains("it is the same sample"));
    judge_all(&auditor, &audit, 18);
    let token = auditor.get(&audit).token();
    let closed = auditor.post(&format!("{audit}/close"), &token, &[("conclusion", "All in order.")]);
    assert_eq!(closed.to, format!("{audit}?done=closed"), "{}", closed.body);
    let page = hall.logged_in("chief").get(&audit);
    assert!(page.body.contains("All in order.") && page.body.contains("jdoe"), "{}", page.body);
}

// policy: P-32
#[test]
fn a_sample_can_not_be_chosen_and_its_number_draws_the_same_again() {
    let hall = busy(Hall::new());
    let auditor = hall.logged_in("audit");
    let first = begin(&auditor).to;
    // Another one is not to be had while this one goes on.
    let again = begin(&auditor);
    assert!(again.status == StatusCode::NOT_FOUND || again.body.contains("An audit goes on"), "{}", again.body);
    let page = auditor.get(&format!("{first}?again=1"));
    assert!(page.body.contains("it is the same sample"), "{}", page.body);
    // More accesses come; those that were there then are still drawn the same.
    let clerk = hall.looking("clerk");
    clerk.submit("/search", &[("plate", "8NEW123")]);
    assert!(auditor.get(&format!("{first}?again=1")).body.contains("it is the same sample"));
    // The number is the hash of the row that says that it was begun, which holds random bytes.
    let database = hall.depot.database();
    let sql = "SELECT lower(hex(hash)) FROM audit WHERE action = 'audit_sample_shown' AND entry ->> '$.elements.as' = 'begun'";
    let hash: String = database.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(seed(&page), hash);
    // The next one of the same days has another number.
    judge_all(&auditor, &first, 18);
    let token = auditor.get(&first).token();
    auditor.post(&format!("{first}/close"), &token, &[("conclusion", "All was in order.")]);
    let second = auditor.get(&begin(&auditor).to);
    assert!(seed(&second) != hash, "{}", second.body);
    // Who is audited does not draw.
    let token = clerk.get("/audits").token();
    let asked = clerk.post("/audits", &token, &[("first", &today()), ("last", &today())]);
    assert_eq!(asked.status, StatusCode::FORBIDDEN);
}
