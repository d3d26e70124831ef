//! Made-up data for every page. Persons, plates and events are invented; the pictures are cut from the
//! drawn drive in `fixtures/`.

mod office;
mod desk;
mod drive;
mod release;
mod station;
mod station_more;

use plated_web::Frame;
use plated_web::pages::*;
use plated_web::ui::*;

pub use desk::*;
pub use drive::*;
pub use office::*;
pub use release::*;
pub use station::*;
pub use station_more::*;

/// Name of the file and the page.
pub type Page = (&'static str, String);

pub fn moment(text: &str, time: &str) -> Moment {
    Moment { text: text.into(), iso: format!("2026-11-26T{time}Z") }
}

fn picture(name: &str, alt: &str, width: u32, height: u32) -> Picture {
    Picture { src: format!("/pictures/{name}.jpg"), alt: alt.into(), width, height }
}

fn picture_of_plate(plate: &str) -> Picture {
    picture(&plate.to_lowercase(), "Plate as the camera saw it", 320, 160)
}

fn picture_of_vehicle(plate: &str) -> Picture {
    picture(&format!("{}-overview", plate.to_lowercase()), "Vehicle as the camera saw it", 800, 450)
}

fn crop(plate: &str) -> Option<Picture> {
    Some(picture_of_plate(plate))
}

fn overview(plate: &str) -> Option<Picture> {
    Some(picture_of_vehicle(plate))
}

fn item(text: &str, href: &str, icon: &'static str, current: &str) -> NavItem {
    let count = if text == "Alerts" { 2 } else { 0 };
    NavItem { link: Link::new(text, href), icon, current: text == current, count }
}

fn status(health: Health, icon: &'static str, text: &str) -> StatusItem {
    StatusItem { health, icon, text: text.into(), href: "/shift".into() }
}

pub fn status_line() -> StatusLine {
    let items = vec![
        status(Health::Good, "camera", "3 cameras reading"),
        status(Health::Good, "list", "Lists 2 h old"),
        status(Health::Good, "outbox", "All reads sent"),
        status(Health::Good, "link", "Station reached"),
    ];
    StatusLine { items }
}

fn bad_status_line() -> StatusLine {
    let items = vec![
        status(Health::Bad, "camera", "Left camera gives no picture"),
        status(Health::Warning, "list", "SVS is 9 h old"),
        status(Health::Info, "outbox", "1,204 reads wait, oldest 3 h"),
        status(Health::Warning, "nolink", "No link to the station for 3 h"),
    ];
    StatusLine { items }
}

pub fn frame(title: &str, current: &str) -> Frame {
    Frame {
        title: title.into(),
        place: "Unit 214".into(),
        user: "A. Alvarado".into(),
        nav: vec![
            item("Live", "/", "live", current),
            item("Alerts", "/alerts", "bell", current),
            item("Search", "/search", "search", current),
            item("Add plate", "/entries", "plus", current),
            item("Canvass", "/canvass", "canvass", current),
            item("Shift", "/shift", "check", current),
            item("Account", "/account", "user", current),
        ],
        status: status_line(),
        csrf: "0123456789abcdef".into(),
        events: "/events".into(),
        now_ms: 1_795_727_094_000,
        tones_again_s: 10,
        muted: current == "Account",
        shortcuts: true,
        ..Frame::default()
    }
}

fn admin(title: &str, current: &str) -> Frame {
    let nav = vec![
        item("Live", "/", "live", current),
        item("Shift", "/shift", "check", current),
        item("Tests", "/performance", "chart", current),
        item("Office", "/users", "office", current),
        item("Account", "/account", "user", current),
    ];
    Frame { nav, ..frame(title, current) }
}

fn office(title: &str, href: &str) -> Frame {
    let tabs = [
        ("Users", "/users"),
        ("Review", "/review"),
        ("Lists", "/lists"),
        ("Cameras", "/cameras"),
        ("Purposes", "/purposes"),
    ];
    let tabs = tabs.map(|(text, to)| Tab { link: Link::new(text, to), current: to == href });
    Frame { tabs: tabs.to_vec(), ..admin(title, "Office") }
}

fn alone(title: &str) -> Frame {
    Frame { shape: Shape::Alone, user: String::new(), events: String::new(), ..frame(title, "") }
}

fn form(action: &str, button: &str, fields: Vec<Field>) -> Form {
    Form { action: action.into(), csrf: "0123456789abcdef".into(), fields, button: button.into(), ..Form::default() }
}

/// Every page, the odd ones too.
pub fn pages() -> askama::Result<Vec<Page>> {
    use askama::Template;
    let mut over = live("live");
    over.frame.pending = alerts();
    Ok(vec![
        ("login", login(false).render()?),
        ("login-wrong", login(true).render()?),
        ("login-agency", agency_login().render()?),
        ("second-factor", second_factor().render()?),
        ("refused", refused().render()?),
        ("shift", shift(true).render()?),
        ("shift-not-ready", shift(false).render()?),
        ("live", live("live").render()?),
        ("live-empty", live("live-empty").render()?),
        ("live-trouble", live("live-trouble").render()?),
        ("live-alert", over.render()?),
        ("alert", alert_page(0, Step::Compare, 1).render()?),
        ("alert-queue", alert_page(1, Step::Compare, 6).render()?),
        ("alert-state", alert_page(2, Step::Compare, 6).render()?),
        ("alert-long", alert_page(3, Step::Compare, 6).render()?),
        ("alert-bare", alert_page(5, Step::Compare, 6).render()?),
        ("alert-dispatch", alert_page(0, Step::Dispatch, 3).render()?),
        ("alert-answered", alert_page(0, Step::Answered("Confirmed by dispatch at 21:06".into()), 3).render()?),
        ("alerts", alerts_list(false).render()?),
        ("alerts-empty", alerts_list(true).render()?),
        (
            "purpose",
            Purpose {
                frame: frame("Purpose of your search", "Search"),
                what: "search reads".into(),
                form: form(
                    "/purpose",
                    "Go on",
                    vec![
                        purposes(),
                        Field::new(Input::Text, "case", "Case or incident number")
                            .required()
                            .hint("Your agency asks for one"),
                    ],
                ),
            }
            .render()?,
        ),
        ("search", search(Some((reads(), "Reads 1–50, newest first")), false).render()?),
        ("search-empty", search(Some((Vec::new(), "Nothing found")), false).render()?),
        ("search-wrong", search(None, true).render()?),
        ("read", read_detail().render()?),
        ("entries", entries(false, false).render()?),
        ("entries-wrong", entries(true, true).render()?),
        ("canvass", canvass(true).render()?),
        ("canvass-begin", canvass(false).render()?),
        ("findings", findings(false).render()?),
        ("findings-empty", findings(true).render()?),
        ("finding-propose", propose().render()?),
        ("lists", lists(false).render()?),
        ("lists-empty", lists(true).render()?),
        ("list-import", import_form(false).render()?),
        ("list-import-wrong", import_form(true).render()?),
        ("list-preview", import_preview(false).render()?),
        ("list-preview-refused", import_preview(true).render()?),
        ("sheet", sheet().render()?),
        ("cameras", camera_table().render()?),
        ("camera", camera_aim(true).render()?),
        ("camera-none", camera_aim(false).render()?),
        ("purposes", purpose_table().render()?),
        ("review", review(false).render()?),
        ("review-well", review(true).render()?),
        ("account", account().render()?),
        ("enrol", enrol().render()?),
        ("recovery-codes", recovery_codes().render()?),
        ("users", users(false).render()?),
        ("users-empty", users(true).render()?),
        ("user-form", user_form().render()?),
        ("performance", performance(false).render()?),
        ("performance-empty", performance(true).render()?),
        ("performance-drive", drive_test().render()?),
        ("station-read", station_read().render()?),
        ("holds", holds(false).render()?),
        ("holds-empty", holds(true).render()?),
        ("fleet", fleet(false).render()?),
        ("fleet-empty", fleet(true).render()?),
        ("misreads", misreads(false).render()?),
        ("misreads-empty", misreads(true).render()?),
        ("statistics", statistics(false).render()?),
        ("statistics-empty", statistics(true).render()?),
        ("audits", audits(false).render()?),
        ("audits-empty", audits(true).render()?),
        ("audit", audit(false).render()?),
        ("audit-closed", audit(true).render()?),
        ("track", track().render()?),
        ("transparency", transparency().render()?),
        ("releases", releases(false).render()?),
        ("releases-empty", releases(true).render()?),
        ("release-new", release_new().render()?),
        ("release", release(false).render()?),
        ("release-approved", release(true).render()?),
        ("partners", partners(false).render()?),
        ("partners-empty", partners(true).render()?),
        ("policy", policy().render()?),
        ("error", error_page().render()?),
    ])
}
