//! Made-up data for every page. Persons, plates and events are invented; the pictures are cut from the
//! drawn drive in `fixtures/`.

use plated_core::record::Priority;
use plated_web::Frame;
use plated_web::pages::*;
use plated_web::plate::{Pair, Plate};
use plated_web::ui::*;

/// Name of the file and the page.
pub type Page = (&'static str, String);

pub fn moment(text: &str, time: &str) -> Moment {
    Moment { text: text.into(), iso: format!("2026-11-26T{time}Z") }
}

fn picture(name: &str, alt: &str, width: u32, height: u32) -> Option<Picture> {
    Some(Picture { src: format!("/pictures/{name}.jpg"), alt: alt.into(), width, height })
}

fn crop(plate: &str) -> Option<Picture> {
    picture(&plate.to_lowercase(), "Plate as the camera saw it", 320, 160)
}

fn overview(plate: &str) -> Option<Picture> {
    picture(&format!("{}-overview", plate.to_lowercase()), "Vehicle as the camera saw it", 800, 450)
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
        shortcuts: true,
        ..Frame::default()
    }
}

fn admin(title: &str, current: &str) -> Frame {
    let nav = vec![
        item("Search", "/search", "search", current),
        item("Users", "/users", "users", current),
        item("Lists", "/lists", "list", current),
        item("Tests", "/performance", "chart", current),
        item("Account", "/account", "user", current),
    ];
    Frame { nav, ..frame(title, current) }
}

fn alone(title: &str) -> Frame {
    Frame { shape: Shape::Alone, user: String::new(), events: String::new(), ..frame(title, "") }
}

fn row(id: u32, text: &str, state: &str, sure: f32, camera: &str, at: &str, place: &str) -> ReadRow {
    ReadRow {
        id: id.to_string(),
        href: format!("/reads/{id}"),
        plate: Plate::new(text, state),
        crop: crop(text),
        confidence: Confidence(sure),
        camera: camera.into(),
        at: moment(at, at),
        place: place.into(),
        urgency: None,
        corrected: false,
    }
}

pub fn reads() -> Vec<ReadRow> {
    let mut rows = vec![
        row(14, "2YZA194", "CA", 0.998, "Front right", "21:04:33", "Telegraph Ave near 51st St"),
        row(13, "6KOJ318", "CA", 0.97, "Front right", "21:04:21", "Telegraph Ave near 49th St"),
        row(12, "8T46291", "CA", 0.93, "Front left", "21:04:12", "Telegraph Ave near 48th St"),
        row(11, "583KWV", "OR", 0.99, "Front left", "21:03:58", "Telegraph Ave near 46th St"),
        row(10, "5RWE907", "CA", 0.999, "Front right", "21:03:40", "45th St near Webster St"),
        row(9, "XMP417", "CA", 0.71, "Front left", "21:03:22", ""),
        row(8, "PLATEDX", "CA", 0.98, "Rear", "21:03:05", "West MacArthur Boulevard near Martin Luther King Jr. Way"),
        row(7, "CJ4M586", "", 0.86, "Rear", "21:02:47", "MacArthur Blvd near Market St"),
        row(6, "1637024", "CA", 0.95, "Front right", "21:02:31", "MacArthur Blvd near West St"),
        row(5, "9FWL270", "CA", 0.96, "Front right", "21:02:15", "San Pablo Ave near 36th St"),
    ];
    rows[1].urgency = Some(Urgency(Priority::High));
    rows[6].urgency = Some(Urgency(Priority::Normal));
    rows[9].urgency = Some(Urgency(Priority::Low));
    rows[7].corrected = true;
    rows
}

fn camera(id: &str, name: &str, health: Health, rate: &str, last: &str, warnings: &[&str]) -> CameraCard {
    CameraCard {
        id: id.into(),
        name: name.into(),
        health,
        rate: rate.into(),
        last_read: last.into(),
        warnings: warnings.iter().map(|w| (*w).into()).collect(),
    }
}

pub fn cameras() -> Vec<CameraCard> {
    vec![
        camera("front-right", "Front right", Health::Good, "28 frames/s", "read 2 s ago", &[]),
        camera("front-left", "Front left", Health::Good, "27 frames/s", "read 11 s ago", &[]),
        camera("rear", "Rear", Health::Warning, "25 frames/s", "read 40 s ago", &["Out of focus: wipe the lens, then check the focus"]),
    ]
}

fn live(name: &'static str) -> Live {
    match name {
        "live" => Live { frame: frame("Live reads", "Live"), reads: reads(), cameras: cameras() },
        "live-empty" => Live { frame: frame("Live reads", "Live"), reads: Vec::new(), cameras: Vec::new() },
        _ => {
            let mut cameras = cameras();
            cameras[1] = camera("front-left", "Front left", Health::Bad, "No picture", "read 14 min ago", &["Not reached at 192.168.7.12: check cable and power"]);
            let frame = Frame { status: bad_status_line(), ..frame("Live reads", "Live") };
            Live { frame, reads: reads(), cameras }
        }
    }
}

fn alert(id: &str, read: (&str, &str), listed: (&str, &str), priority: Priority, category: &str) -> AlertCard {
    AlertCard {
        id: id.into(),
        href: format!("/alerts/{id}"),
        csrf: "0123456789abcdef".into(),
        urgency: Urgency(priority),
        category: category.into(),
        colour: String::new(),
        at: moment("21:04:42", "21:04:42"),
        ago: "12 s ago".into(),
        camera: "Front right".into(),
        place: "Telegraph Ave near 49th St".into(),
        pair: Pair::new(read.0, read.1, listed.0, listed.1),
        confidence: Confidence(0.97),
        matched: "Matched with O and 0 taken as one; 94 % probable that it is the listed plate.".into(),
        list: "SVS, 2 h old".into(),
        list_is_old: false,
        crop: crop(read.0),
        overview: overview(read.0),
        facts: vec![
            Fact::new("Kind", "Passenger"),
            Fact::new("Vehicle", "2014 Honda Accord"),
            Fact::new("Colour", "Silver"),
            Fact::new("Entered", "3 days ago").health(Health::Info),
            Fact::new("Case", "26-048113").copied_by("Copy the case number"),
            Fact::new("VIN", "1HGCR2F38EA123456").copied_by("Copy the VIN"),
        ],
        remark: String::new(),
        more_entries: 0,
        step: Step::Compare,
        seen: false,
    }
}

pub fn alerts() -> Vec<AlertCard> {
    let mut wanted = alert("b7", ("5RWE907", "CA"), ("5RWE907", "CA"), Priority::High, "Felony warrant");
    wanted.remark = "Caution: may be armed. Two occupants expected.".into();
    wanted.matched = "Same characters; 99 % probable that it is the listed plate.".into();
    wanted.more_entries = 2;
    wanted.facts[0] = Fact::new("Kind", "Commercial");
    wanted.facts[1] = Fact::new("Vehicle", "2019 Freightliner M2 106 Wirtschaftsbetriebesonderfahrzeug");
    wanted.colour = "#7a3cff".into();
    let mut state = alert("c8", ("9FWL270", "CA"), ("9FWL270", "NV"), Priority::Normal, "Stolen plate");
    state.list_is_old = true;
    state.list = "NCIC, 31 h old".into();
    state.seen = true;
    state.matched = "Same characters, another state; 41 % probable.".into();
    let long = alert("d9", ("8XBR815", "CA"), ("8X8R8155", "CA"), Priority::Normal, "Missing person (endangered), Silver Alert");
    let mut bare = alert("e1", ("CJ4M586", ""), ("C?4M*", ""), Priority::Low, "Officer's own entry");
    (bare.crop, bare.overview, bare.place) = (None, None, String::new());
    bare.facts = vec![Fact::new("Kind", ""), Fact::new("Vehicle", ""), Fact::new("Colour", ""), Fact::new("Case", "")];
    bare.list = "This vehicle's entries".into();
    vec![
        alert("a6", ("6KOJ318", "CA"), ("6K0J318", "CA"), Priority::High, "Stolen vehicle"),
        wanted,
        state,
        long,
        alert("f2", ("PLATEDX", "CA"), ("PLATEDX", "CA"), Priority::Normal, "Local: be on the lookout"),
        bare,
    ]
}

fn alert_page(which: usize, step: Step, queued: usize) -> Alert {
    let cards = alerts();
    let mut queue: Vec<_> = cards.iter().take(queued).map(AlertCard::chip).collect();
    if queued == 1 {
        queue = vec![cards[which].chip()];
    }
    for chip in &mut queue {
        chip.current = chip.id == cards[which].id;
    }
    let seen = cards[which].seen || step != Step::Compare;
    let frame = Frame { shape: Shape::Full, ..frame("Alert", "Alerts") };
    Alert { frame, queue, card: AlertCard { step, seen, ..cards[which].clone() } }
}

fn form(action: &str, button: &str, fields: Vec<Field>) -> Form {
    Form { action: action.into(), csrf: "0123456789abcdef".into(), fields, button: button.into(), ..Form::default() }
}

fn purposes() -> Field {
    let choices = [
        ("stolen", "Locate a stolen or wanted vehicle"),
        ("warrant", "Serve an arrest warrant"),
        ("witness", "Find a witness or victim of a violent crime"),
        ("missing", "Missing child or elder, Amber, Blue or Silver Alert"),
        ("support", "Support of another agency"),
        ("event", "Protection of an event"),
        ("infrastructure", "Critical infrastructure"),
    ];
    Field::new(Input::Radio, "purpose", "Purpose").choices(choices).required()
}

fn search_form() -> Form {
    let fields = vec![
        Field::new(Input::Plate, "plate", "Plate").value("6K?J*").hint("? one character, * any run").max(16),
        Field::new(Input::DateTime, "from", "From").value("2026-11-25T21:00"),
        Field::new(Input::DateTime, "until", "Until").value("2026-11-26T21:00"),
        Field::new(Input::Select, "camera", "Camera").choices([("", "All cameras"), ("fr", "Front right"), ("fl", "Front left"), ("r", "Rear")]),
        Field::new(Input::Text, "near", "Area").value("Telegraph Ave, 300 m"),
        Field::new(Input::Check, "hits", "Hits only"),
    ];
    Form { csrf: String::new(), ..form("/search", "Search", fields) }
}

fn search(rows: Vec<ReadRow>, summary: &str) -> Search {
    let pager = Pager { shown: "1–10 of 312".into(), previous: None, next: Some("/search?page=2".into()) };
    let export = (!rows.is_empty()).then(|| Link::new("Export", "/export"));
    Search {
        frame: frame("Search", "Search"),
        purpose: "Locate a stolen or wanted vehicle · case 26-048113".into(),
        change: Link::new("Change", "/purpose"),
        form: search_form(),
        results: Some(Results { summary: summary.into(), rows, pager, export }),
    }
}

fn read_detail() -> ReadDetail {
    ReadDetail {
        frame: frame("Read", "Search"),
        plate: Plate::new("6KOJ318", "CA"),
        confidence: Confidence(0.97),
        crop: crop("6KOJ318"),
        overview: overview("6KOJ318"),
        facts: vec![
            Fact::new("Seen", "26 Nov 2026, 21:04:21"),
            Fact::new("Camera", "Front right"),
            Fact::new("Place", "Telegraph Ave near 49th St"),
            Fact::new("Position", "37.83531, -122.26416 ± 4 m"),
            Fact::new("Heading, speed", "12° (N), 24 mph"),
            Fact::new("Looks", "14, of which 12 agree"),
            Fact::new("Read by", "plated 0.1.0, reader 2026-11"),
            Fact::new("Plate", "6KOJ318").copied_by("Copy the plate"),
        ],
        readings: vec![
            Reading { plate: Plate::new("6K0J318", ""), confidence: Confidence(0.02) },
            Reading { plate: Plate::new("6KQJ318", ""), confidence: Confidence(0.004) },
        ],
        hits: vec![Hit {
            link: Link::new("Stolen vehicle", "/alerts/a6"),
            urgency: Urgency(Priority::High),
            listed: Plate::new("6K0J318", "CA"),
            standing: "unverified".into(),
        }],
        history: vec![(moment("26 Nov 21:06", "21:06:00"), "A. Alvarado corrected 6KQJ318 to 6KOJ318: plate frame over the Q".into())],
        correct: form(
            "/reads/13/correct",
            "Correct and match again",
            vec![
                Field::new(Input::Plate, "text", "What the plate really says").value("6KOJ318").max(10).required(),
                Field::new(Input::Text, "state", "State").value("CA").max(2),
                Field::new(Input::Text, "why", "Why it was misread"),
            ],
        ),
        transfer: (Health::Good, "Sent, receipt of 21:04:58".into()),
    }
}

fn entry_form(wrong: bool) -> Form {
    let plate = Field::new(Input::Plate, "plate", "Plate or partial plate").hint("? for one character, * for any run").max(16).required();
    let reason = Field::new(Input::Lines, "reason", "Reason").required().max(500);
    let (plate, reason) = if wrong {
        let many = "*A* fits 212,000 of the last 300,000 reads. Give at least three characters.";
        (plate.value("*A*").error(many), reason.error("Say why it is wanted; whoever sees the alert reads it."))
    } else {
        (plate.value("7?BC*"), reason)
    };
    let fields = vec![
        plate,
        Field::new(Input::Text, "state", "State").hint("Two letters; empty if not known").max(2),
        Field::new(Input::Select, "priority", "Priority").choices([("high", "High"), ("normal", "Normal"), ("low", "Low")]).value("normal"),
        Field::new(Input::Text, "case", "Case number").hint("As dispatch gave it"),
        Field::new(Input::DateTime, "until", "Until").value("2026-11-27T07:00").required(),
        Field::new(Input::Select, "back", "Search reads already made").choices([("24", "Last 24 hours"), ("0", "No")]),
        reason,
    ];
    Form { cancel: Some(Link::new("Back", "/")), ..form("/entries", "Add", fields) }
}

fn entry(id: u32, plate: &str, state: &str, priority: Priority, reason: &str, case: &str) -> EntryRow {
    EntryRow {
        plate: Plate::new(plate, state),
        urgency: Urgency(priority),
        reason: reason.into(),
        case: case.into(),
        until: moment("27 Nov 07:00", "07:00:00"),
        remove: form(&format!("/entries/{id}/remove"), "Remove", Vec::new()),
    }
}

fn entries(wrong: bool, empty: bool) -> Entries {
    let rows = vec![
        entry(1, "7?BC*", "CA", Priority::High, "Hit and run, white pickup with a broken right tail light", "26-048190"),
        entry(2, "PLATEDX", "", Priority::Normal, "Welfare check", ""),
        entry(3, "8ABC1234", "CA", Priority::Low, "Verkehrsüberwachungsmaßnahmendokumentation of the neighbouring department", "26-1"),
    ];
    Entries {
        frame: frame("Add a plate", "Add plate"),
        form: entry_form(wrong),
        rows: if empty { Vec::new() } else { rows },
        pager: Pager { shown: "1–3 of 3".into(), ..Pager::default() },
    }
}

fn canvass(open: bool) -> Canvass {
    let end = form("/canvass/end", "End the canvass", Vec::new());
    let incident = Field::new(Input::Text, "incident", "Incident number").required().focused();
    let row = |incident: &str| CanvassRow {
        incident: incident.into(),
        from: moment("25 Nov 18:02", "18:02:00"),
        until: moment("25 Nov 18:51", "18:51:00"),
        reads: "412 reads, all sent".into(),
        href: "/search?canvass=1".into(),
    };
    Canvass {
        frame: frame("Canvass", "Canvass"),
        open: open.then(|| OpenCanvass {
            incident: "26-048201".into(),
            since: moment("20:41", "20:41:00"),
            reads: "137 reads so far; 131 are sent.".into(),
            end,
        }),
        form: form("/canvass", "Begin", vec![incident]),
        rows: if open { vec![row("26-047911"), row("26-047902")] } else { Vec::new() },
    }
}

fn check(health: Health, title: &str, detail: &str, link: Option<Link>) -> Check {
    Check { health, title: title.into(), detail: detail.into(), link }
}

fn list(name: &str, entries: &str, age: &str, health: Health, note: &str) -> ListRow {
    ListRow { name: name.into(), entries: entries.into(), age: age.into(), health, note: note.into() }
}

fn shift(ready: bool) -> Shift {
    let good = [
        check(Health::Good, "Training", "Passed on 3 March 2026; counts until 3 March 2027.", None),
        check(Health::Good, "Sound", "The vehicle's speaker works. This screen sounds after the first touch.", None),
        check(Health::Good, "Disk", "212 GB free, enough for some 90 days.", None),
        check(Health::Good, "Clock", "Set by GPS 4 s ago.", None),
    ];
    let bad = [
        check(Health::Bad, "Left camera", "Gives no picture since 20:50. Check its cable and its fuse (F12, trunk).", Some(Link::new("See its picture", "/cameras/left"))),
        check(Health::Warning, "SVS list", "Is 9 hours old; it should be at most 6. It updates by itself once the station is reached.", None),
    ];
    let checks: Vec<_> = if ready { good.to_vec() } else { bad.into_iter().chain(good).collect() };
    let mut cameras = cameras();
    if !ready {
        cameras[1] = camera("front-left", "Front left", Health::Bad, "No picture", "never read", &["Not reached: check cable and power"]);
    }
    let late = if ready { Health::Good } else { Health::Warning };
    let status = if ready { status_line() } else { bad_status_line() };
    Shift {
        frame: Frame { status, ..frame("Start of shift", "Shift") },
        verdict: if ready { "Everything is ready." } else { "One camera is out, and one list is old. You can drive; the left lane is not read." }.into(),
        health: if ready { Health::Good } else { Health::Bad },
        checks,
        lists: vec![
            list("SVS", "412,806 entries", if ready { "2 h old" } else { "9 h old" }, late, if ready { "" } else { "should be at most 6 h" }),
            list("NCIC", "1,204,551 entries", "2 h old", Health::Good, ""),
            list("Department", "38 entries", "5 min old", Health::Good, ""),
        ],
        cameras,
        form: form("/shift/start", "Begin the shift", Vec::new()),
    }
}

fn account() -> Account {
    Account {
        frame: Frame {
            messages: vec![Message { health: Health::Good, text: "Your password is changed.".into() }],
            ..frame("Your account", "Account")
        },
        facts: vec![
            Fact::new("Login", "aalvarado"),
            Fact::new("Role", "Officer"),
            Fact::new("Agency", "Springfield Police Department"),
            Fact::new("Authorised by", "Lt. M. Oyelaran-Featherstonehaugh"),
            Fact::new("Second factor", "On since 3 March 2026"),
            Fact::new("Last login", "25 Nov 2026, 18:57, this vehicle"),
        ],
        training: (Health::Warning, "Training counts until 10 December 2026: 14 days left".into()),
        grants: ["SVS", "NCIC (CLETS)", "Department", "Amber Alerts"].map(String::from).to_vec(),
        password: form(
            "/account/password",
            "Change",
            vec![
                Field::new(Input::Password, "old", "Password now").autocomplete("current-password").required(),
                Field::new(Input::Password, "new", "New password").hint("At least 12 characters").autocomplete("new-password").required(),
            ],
        ),
        settings: form("/account/settings", "Keep", vec![Field::new(Input::Check, "shortcuts", "Single keys answer alerts and copy").value("on")]),
        leave: form("/logout", "Log out", Vec::new()),
    }
}

fn user(name: &str, role: &str, training: (Health, &str), last: &str, state: (Health, &str)) -> UserRow {
    UserRow {
        link: Link::new(name, "/users/1"),
        role: role.into(),
        training: (training.0, training.1.into()),
        last_login: last.into(),
        state: (state.0, state.1.into()),
    }
}

fn users(empty: bool) -> Users {
    let rows = vec![
        user("Alvarado, Ana", "Officer", (Health::Warning, "14 days left"), "today, 18:57", (Health::Good, "Active")),
        user("Oyelaran-Featherstonehaugh, Maximilian-Alexander", "Lieutenant, supervisor", (Health::Good, "until 8 Aug 2027"), "yesterday", (Health::Good, "Active")),
        user("Nguyen, Linh", "Officer", (Health::Bad, "lapsed 3 days ago"), "4 days ago", (Health::Good, "Active")),
        user("Park, Jisoo", "Records custodian", (Health::Good, "until 1 Feb 2027"), "97 days ago", (Health::Warning, "Unused for 97 days")),
        user("Reyes, Tomás", "Officer", (Health::Good, "until 1 Feb 2027"), "never", (Health::Bad, "Locked: 5 wrong passwords")),
    ];
    Users {
        frame: admin("Users", "Users"),
        find: Form { csrf: String::new(), ..form("/users", "Search", vec![Field::new(Input::Text, "name", "Name")]) },
        add: Link::new("Add a user", "/users/new"),
        rows: if empty { Vec::new() } else { rows },
        pager: Pager { shown: "1–5 of 5".into(), ..Pager::default() },
    }
}

fn user_form() -> UserForm {
    let fields = vec![
        Field::new(Input::Text, "login", "Login").value("lnguyen").required(),
        Field::new(Input::Text, "name", "Full name").value("Linh Nguyen").required(),
        Field::new(Input::Text, "title", "Title or designation").value("Officer, badge 4471"),
        Field::new(Input::Text, "agency", "Agency").value("Springfield Police Department").required(),
        Field::new(Input::Select, "role", "Role").choices([("officer", "Officer"), ("supervisor", "Supervisor"), ("administrator", "Administrator"), ("auditor", "Auditor"), ("custodian", "Records custodian")]),
        Field::new(Input::Date, "training", "Training passed on").value("2025-11-23").error("That is more than 365 days ago: this user can log in and see nothing else."),
        Field::new(Input::Text, "authorised", "Authorised by").value("Lt. Oyelaran").required(),
        Field::new(Input::Check, "clets", "May see state and NCIC entries (CLETS)").value("on"),
    ];
    let frame = admin("Linh Nguyen", "Users");
    UserForm { frame, form: Form { cancel: Some(Link::new("Back", "/users")), ..form("/users/1", "Keep", fields) } }
}

fn performance(empty: bool) -> Performance {
    use plated_web::chart::{Chart, Series};
    let tests = [("3 Mar", 0.958, 0.981), ("4 May", 0.961, 0.984), ("2 Jul", 0.93, 0.979), ("9 Sep", 0.966, 0.988), ("20 Nov", 0.972, 0.991)];
    let series = |name: &str, value: &dyn Fn((f64, f64)) -> f64| Series {
        name: name.into(),
        values: tests.iter().map(|t| Some(value((t.1, t.2)))).collect(),
    };
    let chart = Chart {
        summary: "Capture rate, read accuracy and their product in five tests from March to November 2026: all rose, from 94.0 to 96.3 % end to end.".into(),
        labels: tests.iter().map(|t| t.0.to_owned()).collect(),
        series: vec![series("Capture rate", &|t| t.0), series("Read accuracy", &|t| t.1), series("End to end", &|t| t.0 * t.1)],
    };
    let rows = tests.iter().rev().map(|t| TestRow {
        at: moment(&format!("{} 2026", t.0), "10:00:00"),
        camera: "Front right".into(),
        capture: format!("{:.1} %", t.1 * 100.0),
        accuracy: format!("{:.1} %", t.2 * 100.0),
        end_to_end: format!("{:.1} %", t.1 * t.2 * 100.0),
        plates: "500".into(),
        signed: "Sgt. R. Whitfield".into(),
    });
    let fields = vec![
        Field::new(Input::Select, "kind", "Kind of test").choices([("replay", "Replay of a labelled folder"), ("drive", "While driving, truth entered")]),
        Field::new(Input::Text, "folder", "Folder").value("/var/lib/plated/tests/autumn"),
        Field::new(Input::Select, "camera", "Camera").choices([("fr", "Front right"), ("fl", "Front left")]),
    ];
    Performance {
        frame: admin("Performance tests", "Tests"),
        form: form("/performance", "Run", fields),
        chart: (!empty).then_some(chart),
        rows: if empty { Vec::new() } else { rows.collect() },
    }
}

fn login(wrong: bool) -> Login {
    let name = Field::new(Input::Text, "name", "Name").autocomplete("username").required().focused();
    let password = Field::new(Input::Password, "password", "Password").autocomplete("current-password").required();
    let (name, password) = if wrong {
        (name.value("aalvarado"), password.error("Name and password don't fit. 2 tries are left, then the account is locked for 15 minutes."))
    } else {
        (name, password)
    };
    Login {
        frame: alone("Log in"),
        form: form("/login", "Log in", vec![name, password]),
        notice: "For law enforcement only. Every look at data is recorded with your name, its purpose and its case.".into(),
    }
}

fn second_factor() -> SecondFactor {
    let code = Field::new(Input::Code, "code", "Code of your device").hint("Six digits, from your authenticator").autocomplete("one-time-code").max(6).required().focused();
    SecondFactor {
        frame: alone("Second step"),
        form: form("/login/code", "Go on", vec![code]),
        recovery: Link::new("Use a recovery code", "/login/recovery"),
    }
}

fn refused() -> Refused {
    Refused {
        frame: alone("Training has lapsed"),
        why: "Your training counted until 23 November 2026. Until it is renewed you can't see reads or alerts.".into(),
        todo: "Ask your supervisor to record the new training date, then log in again.".into(),
        facts: vec![Fact::new("Last training", "23 Nov 2025"), Fact::new("Limit", "365 days"), Fact::new("Supervisor", "Lt. M. Oyelaran")],
        links: vec![Link::new("Your account", "/account"), Link::new("Log out", "/logout")],
    }
}

fn alerts_list(empty: bool) -> Alerts {
    let rows = alerts().into_iter().enumerate().map(|(i, card)| AlertRow {
        chip: card.chip(),
        category: card.category.clone(),
        at: moment("21:04:42", "21:04:42"),
        place: card.place.clone(),
        answered: Answered { open: i < 2, text: if i < 2 { "Answer" } else { "Misread, no CLETS check" }.into() },
    });
    Alerts {
        frame: frame("Alerts of this shift", "Alerts"),
        rows: if empty { Vec::new() } else { rows.collect() },
        pager: Pager { shown: "1–6 of 6".into(), ..Pager::default() },
    }
}

fn error_page() -> ErrorPage {
    ErrorPage {
        frame: frame("Not now", ""),
        status: 503,
        what: "The store is busy with a large import.".into(),
        todo: "Try again in a moment. Alerts go on.".into(),
    }
}

/// Every page, the odd ones too.
pub fn pages() -> askama::Result<Vec<Page>> {
    use askama::Template;
    let mut over = live("live");
    over.frame.pending = alerts();
    Ok(vec![
        ("login", login(false).render()?),
        ("login-wrong", login(true).render()?),
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
        ("purpose", Purpose {
            frame: frame("Purpose of your search", "Search"),
            what: "search reads".into(),
            form: form("/purpose", "Go on", vec![purposes(), Field::new(Input::Text, "case", "Case or incident number").required().hint("Your agency asks for one")]),
        }.render()?),
        ("search", search(reads(), "312 reads, newest first").render()?),
        ("search-empty", search(Vec::new(), "Nothing found").render()?),
        ("read", read_detail().render()?),
        ("entries", entries(false, false).render()?),
        ("entries-wrong", entries(true, true).render()?),
        ("canvass", canvass(true).render()?),
        ("canvass-begin", canvass(false).render()?),
        ("account", account().render()?),
        ("users", users(false).render()?),
        ("users-empty", users(true).render()?),
        ("user-form", user_form().render()?),
        ("performance", performance(false).render()?),
        ("performance-empty", performance(true).render()?),
        ("error", error_page().render()?),
    ])
}
