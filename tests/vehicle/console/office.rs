//! What an administrator looks after.

use crate::kit::console::Desk;
use plated_access::Role;
use reqwest::StatusCode;

// policy: P-23
#[test]
fn each_page_of_the_office_is_for_the_roles_that_have_its_duty() {
    let desk = Desk::new();
    Role::ALL.into_iter().for_each(|role| desk.hire(role.as_str(), role));
    use Role::{Administrator, Auditor, Custodian, Supervisor};
    for (path, allowed) in [
        ("/review", &[Administrator, Auditor, Custodian][..]),
        ("/lists", &[Supervisor, Administrator]),
        ("/cameras", &[Administrator]),
    ] {
        for role in Role::ALL {
            let wanted = if allowed.contains(&role) { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(desk.logged_in(role.as_str()).get(path).status, wanted, "{path} for {role}");
        }
    }
    let page = desk.logged_in("auditor").get("/review").body;
    let tabs = page.split("Pages of this place").nth(1).unwrap().split("</nav>").next().unwrap();
    assert!(tabs.contains("/users") && tabs.contains("/purposes"), "{tabs}");
    assert!(!tabs.contains("/lists") && !tabs.contains("/cameras"), "only what the role may: {tabs}");
}

// policy: P-01, P-02
#[test]
fn the_purposes_that_the_agency_authorises_and_whether_a_case_is_mandatory_are_shown_as_configured() {
    let purposes = "[access]\ncase_required = true\npurposes = [{ name = \"amber\", text = \"Missing children\" }]\n";
    let desk = Desk::with("", purposes);
    desk.hire("admin", Role::Administrator);
    let page = desk.logged_in("admin").get("/purposes").body;
    assert!(page.contains("Missing children") && page.contains("amber") && page.contains("Mandatory"), "{page}");
    assert!(!page.contains("Protecting critical infrastructure"), "{page}");
}

// policy: P-08
#[test]
fn lists_are_told_of_with_age_and_last_refusal_and_covert_ones_not_at_all() {
    let lists = "[[hotlists]]\nname = \"svs\"\npath = \"svs.csv\"\n\
                 [[hotlists]]\nname = \"quiet\"\npath = \"quiet.csv\"\ncovert = true\n";
    let desk = Desk::with("", lists);
    desk.hire("admin", Role::Administrator);
    let why = "the footer counts 7 records, and there are 6";
    desk.store.list_checked("svs", Some(why)).unwrap();
    let page = desk.logged_in("admin").get("/lists").body;
    assert!(page.contains("svs") && page.contains("No version in force"), "{page}");
    assert!(page.contains("The footer counts 7 records, and there are 6."), "{page}");
    assert!(!page.contains("quiet"), "{page}");
}

// policy: P-07, P-20, P-23
#[test]
fn the_review_names_who_authorised_each_account_and_what_is_wrong_with_it() {
    let desk = Desk::with("unused_days = 30\n", "");
    desk.hire("admin", Role::Administrator);
    let yesterday = jiff::Zoned::now().date().yesterday().unwrap();
    desk.hire_with("late", Role::Officer, |user| {
        user.full_name = "Lindsay Late".into();
        user.trained = Some(yesterday.saturating_sub(jiff::Span::new().days(400)));
    });
    let page = desk.logged_in("admin").get("/review").body;
    assert!(page.contains("1 of 2 accounts needs somebody."), "{page}");
    let row = page.split("<tr>").find(|row| row.contains("Lindsay Late")).unwrap();
    assert!(row.contains("root") && row.contains("raining"), "{row}");
    let first = page.split("<tbody>").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(first.contains("Lindsay Late"), "what needs somebody comes first: {first}");
    desk.place.clock.advance(std::time::Duration::from_secs(31 * 24 * 3600));
    desk.hire("other", Role::Auditor);
    let page = desk.logged_in("other").get("/review").body;
    let row = page.split("<tr>").find(|row| row.contains("Lindsay Late")).unwrap();
    assert!(row.contains("Not used for 31 days: disable it"), "{row}");
}
