//! Getting in, looking up, entering, and what an administrator does.

use super::*;
use plated_core::record::Priority;
use plated_web::map::{Map, Mark, Place};
use plated_web::plate::Plate;

pub fn purposes() -> Field {
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

pub fn search_form(wrong: bool) -> Form {
    let plate =
        Field::new(Input::Plate, "plate", "Plate").hint("? one character, * any run; empty for all plates").max(30);
    let plate = match wrong {
        true => plate.value("*").error("A pattern names at least 2 characters; this one would fit too many plates."),
        false => plate.value("6K?J*"),
    };
    let fields = vec![
        plate,
        Field::new(Input::Text, "state", "State").value("CA").max(2),
        Field::new(Input::Select, "camera", "Camera").choices([
            ("", "All cameras"),
            ("fr", "Front right"),
            ("fl", "Front left"),
            ("r", "Rear"),
        ]),
        Field::new(Input::DateTime, "from", "From").value("2026-11-25T21:00"),
        Field::new(Input::DateTime, "until", "Until").value("2026-11-26T21:00"),
        Field::new(Input::Text, "canvass", "Incident of a canvass"),
        Field::new(Input::Text, "near", "Near").value("37.8353, -122.2642").hint("37.8353, -122.2642; or two corners"),
        Field::new(Input::Select, "distance", "Within").choices([("300", "300 m"), ("1000", "1 km")]),
        Field::new(Input::Check, "hits", "Hits only"),
    ];
    form("/search", "Search", fields)
}

/// What was found; none before the first search.
pub fn search(found: Option<(Vec<ReadRow>, &str)>, wrong: bool) -> Search {
    let results = found.map(|(rows, summary)| Results {
        summary: summary.into(),
        map: (!rows.is_empty()).then(|| beat(None)).flatten(),
        export: (!rows.is_empty()).then(|| Link::new("Export", "/search/17/export")),
        track: None,
        pager: match rows.is_empty() {
            true => Pager::default(),
            false => Pager { shown: "1–50".into(), previous: None, next: Some("/search/17?page=2".into()) },
        },
        rows,
    });
    Search {
        frame: frame("Search", "Search"),
        purpose: "Locate a stolen or wanted vehicle · case 26-048113".into(),
        change: Link::new("Change", "/purpose?then=/search"),
        form: search_form(wrong),
        asked: "6K?J*, CA, from 2026-11-25 21:00, until 2026-11-26 21:00".into(),
        results,
    }
}

/// A drive up the avenue with reads on the way; `focus` is the one that the page is about.
fn beat(focus: Option<usize>) -> Option<Map> {
    let way: Vec<_> = (0..60)
        .map(|n| f64::from(n) / 59.0)
        .map(|t| (37.8318 + 0.0062 * t, -122.2652 + 0.0017 * t + 0.0006 * (t * 7.0).sin()))
        .collect();
    let places = [3, 11, 20, 28, 36, 47, 55].into_iter().enumerate().map(|(n, at)| {
        let (lat, lon) = way[at];
        let mark = if n == 4 { Mark::Hit } else { Mark::Read };
        let label =
            format!("{}, 21:0{n}", ["7ABC123", "8XYZ402", "4LMN556", "6PQR771", "6KOJ318", "9DEF220", "5GHI914"][n]);
        Place { lat, lon, heading: Some(12.0), mark, label, focus: focus == Some(n) }
    });
    let (summary, places): (_, Vec<_>) = match focus {
        Some(n) => (
            "The read was made on a way to the north; the way of a minute before and after is shown.",
            places.skip(n).take(1).collect(),
        ),
        None => ("7 reads along 700 m to the north, one of them with a hit.", places.collect()),
    };
    Map::of(summary, places, way)
}

pub fn read_detail() -> ReadDetail {
    ReadDetail {
        frame: frame("Read", "Search"),
        plate: Plate::new("6KOJ318", "CA"),
        confidence: Confidence(0.97),
        read_as: Some(Plate::new("6KQJ318", "CA")),
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
        map: beat(Some(4)),
        readings: vec![
            Reading { plate: Plate::new("6K0J318", ""), confidence: Confidence(0.02) },
            Reading { plate: Plate::new("6KQJ318", ""), confidence: Confidence(0.004) },
        ],
        hits: vec![Hit {
            link: Link::new("Stolen vehicle", "/alerts/a6"),
            urgency: Urgency(Priority::High),
            listed: Plate::new("6K0J318", "CA"),
            standing: "Unverified lead".into(),
        }],
        hidden: String::new(),
        history: vec![(
            moment("26 Nov 21:06", "21:06:00"),
            "A. Alvarado corrected 6KQJ318 to 6KOJ318: plate frame over the Q".into(),
        )],
        correct: Some(form(
            "/reads/13/correct",
            "Correct and match again",
            vec![
                Field::new(Input::Plate, "text", "What the plate really says").value("6KOJ318").max(10).required(),
                Field::new(Input::Text, "state", "State").value("CA").max(2),
                Field::new(Input::Text, "why", "Why it was misread"),
            ],
        )),
        transfer: (Health::Good, "Received by station, receipt of 21:04:58".into()),
        custody: Vec::new(),
        track: None,
        hold: None,
    }
}

pub fn entry_form(wrong: bool) -> Form {
    let plate = Field::new(Input::Plate, "plate", "Plate or partial plate")
        .hint("? for one character, * for any run")
        .max(16)
        .required();
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
        Field::new(Input::Select, "priority", "Priority")
            .choices([("high", "High"), ("normal", "Normal"), ("low", "Low")])
            .value("normal"),
        Field::new(Input::Text, "case", "Case number").hint("As dispatch gave it"),
        Field::new(Input::DateTime, "until", "Until").value("2026-11-27T07:00").required(),
        Field::new(Input::Select, "back", "Search reads already made").choices([("24", "Last 24 hours"), ("0", "No")]),
        reason,
    ];
    Form { cancel: Some(Link::new("Back", "/")), ..form("/entries", "Add", fields) }
}

pub fn entry(id: u32, plate: &str, state: &str, priority: Priority, reason: &str, case: &str) -> EntryRow {
    EntryRow {
        plate: Plate::new(plate, state),
        urgency: Urgency(priority),
        category: if id == 1 { "Stolen vehicle" } else { "" }.into(),
        by: "aalvarado, 26 Nov 20:12".into(),
        reason: reason.into(),
        case: case.into(),
        until: moment("27 Nov 07:00", "07:00:00"),
        remove: Link::new("Remove", format!("/entries/{id}/remove")),
    }
}

pub fn entries(wrong: bool, empty: bool) -> Entries {
    let rows = vec![
        entry(
            1,
            "7?BC*",
            "CA",
            Priority::High,
            "Hit and run, white pickup with a broken right tail light",
            "26-048190",
        ),
        entry(2, "PLATEDX", "", Priority::Normal, "Welfare check", ""),
        entry(
            3,
            "8ABC1234",
            "CA",
            Priority::Low,
            "Verkehrsüberwachungsmaßnahmendokumentation of the neighbouring department",
            "26-1",
        ),
    ];
    Entries {
        frame: frame("Add a plate", "Add plate"),
        found: (!wrong).then(|| FoundReads {
            summary: "7?BC* counts until 27 Nov 07:00. 3 reads of the last 24 hours fit it.".into(),
            rows: reads().into_iter().take(3).collect(),
        }),
        form: entry_form(wrong),
        rows: if empty { Vec::new() } else { rows },
        pager: Pager { shown: "1–3 of 3".into(), ..Pager::default() },
    }
}

pub fn canvass(open: bool) -> Canvass {
    let end = form("/canvass/end", "End the canvass", Vec::new());
    let incident = Field::new(Input::Text, "incident", "Incident number").required().focused();
    let reason = Field::new(Input::Text, "reason", "Reason").required();
    let row = |incident: &str| CanvassRow {
        incident: incident.into(),
        from: moment("25 Nov 18:02", "18:02:00"),
        until: moment("25 Nov 18:51", "18:51:00"),
        by: "aalvarado: homicide at 5th and Main".into(),
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
        form: form("/canvass", "Begin", vec![incident, reason]),
        rows: if open { vec![row("26-047911"), row("26-047902")] } else { Vec::new() },
    }
}

pub fn account() -> Account {
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
                Field::new(Input::Password, "new", "New password")
                    .hint("At least 12 characters")
                    .autocomplete("new-password")
                    .required(),
            ],
        ),
        settings: Some(form(
            "/account/settings",
            "Keep",
            vec![
                Field::new(Input::Check, "shortcuts", "Single keys answer alerts and copy").value("on"),
                Field::new(Input::Check, "muted", "Only high alerts sound here").value("on"),
            ],
        )),
        factor: form(
            "/account/second-factor",
            "Set up another",
            vec![
                Field::new(Input::Password, "factor-password", "Password now")
                    .autocomplete("current-password")
                    .required(),
            ],
        ),
        codes: Some(form(
            "/account/recovery-codes",
            "Make new ones",
            vec![
                Field::new(Input::Password, "codes-password", "Password now")
                    .autocomplete("current-password")
                    .required(),
            ],
        )),
        leave: vec![form("/lock", "Lock the screen", Vec::new()), form("/logout", "Log out", Vec::new())],
    }
}

pub fn enrol() -> Enrol {
    let code = Field::new(Input::Code, "code", "Code that the app shows now").max(8).required();
    let url =
        "otpauth://totp/plated%20Springfield%20Police%20Department:aalvarado?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    Enrol {
        frame: alone("Set up a second factor"),
        qr: plated_web::qr::Qr::of(url).unwrap_or(plated_web::qr::Qr { size: 1, paths: Vec::new() }),
        secret: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP".into(),
        form: form("/account/second-factor/code", "Confirm", vec![code]),
    }
}

pub fn recovery_codes() -> RecoveryCodes {
    RecoveryCodes {
        frame: alone("Your recovery codes"),
        codes: (0..10).map(|n| format!("K7Q2-M4T{n}-9FWX-2YZA")).collect(),
        next: Link::new("I have kept them", "/"),
    }
}

pub fn user(name: &str, role: &str, training: (Health, &str), last: &str, state: (Health, &str)) -> UserRow {
    UserRow {
        link: Link::new(name, "/users/1"),
        role: role.into(),
        training: (training.0, training.1.into()),
        last_login: last.into(),
        state: (state.0, state.1.into()),
    }
}

pub fn users(empty: bool) -> Users {
    let rows = vec![
        user("Alvarado, Ana", "Officer", (Health::Warning, "14 days left"), "today, 18:57", (Health::Good, "Active")),
        user(
            "Oyelaran-Featherstonehaugh, Maximilian-Alexander",
            "Lieutenant, supervisor",
            (Health::Good, "until 8 Aug 2027"),
            "yesterday",
            (Health::Good, "Active"),
        ),
        user("Nguyen, Linh", "Officer", (Health::Bad, "lapsed 3 days ago"), "4 days ago", (Health::Good, "Active")),
        user(
            "Park, Jisoo",
            "Records custodian",
            (Health::Good, "until 1 Feb 2027"),
            "97 days ago",
            (Health::Warning, "Unused for 97 days"),
        ),
        user(
            "Reyes, Tomás",
            "Officer",
            (Health::Good, "until 1 Feb 2027"),
            "never",
            (Health::Bad, "Locked: 5 wrong passwords"),
        ),
    ];
    Users {
        frame: office("Users", "/users"),
        find: Form { csrf: String::new(), ..form("/users", "Search", vec![Field::new(Input::Text, "name", "Name")]) },
        add: Link::new("Add a user", "/users/new"),
        rows: if empty { Vec::new() } else { rows },
        pager: Pager { shown: "1–5 of 5".into(), ..Pager::default() },
    }
}

pub fn user_form() -> UserForm {
    let fields = vec![
        Field::new(Input::Text, "login", "Login").value("lnguyen").required(),
        Field::new(Input::Text, "name", "Full name").value("Linh Nguyen").required(),
        Field::new(Input::Text, "title", "Title or designation").value("Officer, badge 4471"),
        Field::new(Input::Text, "agency", "Agency").value("Springfield Police Department").required(),
        Field::new(Input::Select, "role", "Role").choices([
            ("officer", "Officer"),
            ("supervisor", "Supervisor"),
            ("administrator", "Administrator"),
            ("auditor", "Auditor"),
            ("custodian", "Records custodian"),
        ]),
        Field::new(Input::Date, "training", "Training passed on")
            .value("2025-11-23")
            .error("That is more than 365 days ago: this user can log in and see nothing else."),
        Field::new(Input::Text, "authorised", "Authorised by").value("Lt. Oyelaran").required(),
        Field::new(Input::Check, "clets", "May see state and NCIC entries (CLETS)").value("on"),
    ];
    let frame = office("Linh Nguyen", "/users");
    let why = || Field::new(Input::Text, "disable-reason", "Reason").required();
    UserForm {
        frame,
        form: Form { cancel: Some(Link::new("Back", "/users")), ..form("/users/1", "Keep", fields) },
        facts: vec![Fact::new("Last login", "4 days ago"), Fact::new("Second factor", "Not set up")],
        actions: vec![("Disable the account".into(), form("/users/1/disable", "Disable", vec![why()]))],
    }
}

pub fn performance(empty: bool) -> Performance {
    use plated_web::chart::{Chart, Series};
    let tests = [
        ("3 Mar", 0.958, 0.981),
        ("4 May", 0.961, 0.984),
        ("2 Jul", 0.93, 0.979),
        ("9 Sep", 0.966, 0.988),
        ("20 Nov", 0.972, 0.991),
    ];
    let series = |name: &str, value: &dyn Fn((f64, f64)) -> f64| Series {
        name: name.into(),
        values: tests.iter().map(|t| Some(value((t.1, t.2)))).collect(),
    };
    let chart = Chart {
        summary: "Capture rate, read accuracy and their product in five tests from March to November 2026: all rose, from 94.0 to 96.3 % end to end.".into(),
        labels: tests.iter().map(|t| t.0.to_owned()).collect(),
        series: vec![series("Capture rate", &|t| t.0), series("Read accuracy", &|t| t.1), series("End to end", &|t| t.0 * t.1)],
    };
    let rate = |share: f64| RateText {
        value: format!("{:.1} %", share * 100.0),
        interval: format!("{:.1} to {:.1} %", share * 100.0 - 1.8, (share * 100.0 + 1.4).min(100.0)),
    };
    let rows = tests.iter().rev().map(|t| TestRow {
        at: moment(&format!("{} 2026", t.0), "10:00:00"),
        camera: "Front right".into(),
        set: "autumn (6f1b22d0)".into(),
        capture: rate(t.1),
        accuracy: rate(t.2),
        end_to_end: rate(t.1 * t.2),
        plates: "500".into(),
        signed: "rwhitfield".into(),
        note: if t.0 == "2 Jul" { "lens not cleaned since May".into() } else { String::new() },
    });
    let cameras = [("fr", "Front right"), ("fl", "Front left")];
    let start = vec![
        Field::new(Input::Select, "camera", "Camera").choices(cameras),
        Field::new(Input::Text, "note", "Note").max(500),
    ];
    Performance {
        frame: admin("Performance tests", "Tests"),
        drive: None,
        start: Some(form("/performance/start", "Begin the test", start)),
        purpose: None,
        misses: Vec::new(),
        find: (!empty).then(|| {
            let every = [("", "All cameras")].into_iter().chain(cameras);
            let field = Field::new(Input::Select, "of", "Camera").choices(every);
            Form { csrf: String::new(), ..form("/performance", "Show", vec![field]) }
        }),
        chart: (!empty).then_some(chart),
        rows: if empty { Vec::new() } else { rows.collect() },
    }
}

/// While one drives, with an earlier drive's misses above the results.
pub fn drive_test() -> Performance {
    let plate = Field::new(Input::Plate, "plate", "Plate").required().focused().max(16);
    let plate = plate.value("7AB?").error("The plate holds a character that no plate has.");
    let enter = vec![plate, Field::new(Input::Text, "state", "State").max(2)];
    let action = |word: &str, button: &str| form(&format!("/performance/{word}"), button, Vec::new());
    Performance {
        drive: Some(DriveTest {
            camera: "Front right".into(),
            since: moment("20:41", "20:41:00"),
            entered: "37 plates entered.".into(),
            enter: Some(form("/performance/plate", "Enter", enter)),
            actions: vec![
                action("end", "End the test"),
                action("undo", "Take the last plate back"),
                action("discard", "Discard"),
            ],
        }),
        start: None,
        misses: vec![
            MissRow { plate: Plate::new("8XYZ402", "CA"), read: None },
            MissRow { plate: Plate::new("6KOJ318", "CA"), read: Some(Plate::new("6K0J318", "NV")) },
        ],
        ..performance(false)
    }
}

pub fn agency_login() -> Login {
    let agency = Some(Link::new("Sign in with Springfield PD", "/login/agency"));
    Login { agency, frame: alone("Log in"), ..login(false) }
}

pub fn login(wrong: bool) -> Login {
    let name = Field::new(Input::Text, "name", "Name").autocomplete("username").required().focused();
    let password = Field::new(Input::Password, "password", "Password").autocomplete("current-password").required();
    let (name, password) = if wrong {
        (
            name.value("aalvarado"),
            password.error("Name and password don't fit. 2 tries are left, then the account is locked for 15 minutes."),
        )
    } else {
        (name, password)
    };
    Login {
        frame: alone("Log in"),
        form: form("/login", "Log in", vec![name, password]),
        notice: "For law enforcement only. Every look at data is recorded with your name, its purpose and its case."
            .into(),
        ..Login::default()
    }
}

pub fn second_factor() -> SecondFactor {
    let code = Field::new(Input::Code, "code", "Code of your device")
        .hint("Six digits, from your authenticator")
        .autocomplete("one-time-code")
        .max(6)
        .required()
        .focused();
    SecondFactor {
        frame: alone("Second step"),
        form: form("/login/code", "Go on", vec![code]),
        recovery: Link::new("Use a recovery code", "/login/recovery"),
    }
}

pub fn refused() -> Refused {
    Refused {
        frame: alone("Training has lapsed"),
        why: "Your training counted until 23 November 2026. Until it is renewed you can't see reads or alerts.".into(),
        todo: "Ask your supervisor to record the new training date, then log in again.".into(),
        facts: vec![
            Fact::new("Last training", "23 Nov 2025"),
            Fact::new("Limit", "365 days"),
            Fact::new("Supervisor", "Lt. M. Oyelaran"),
        ],
        links: vec![Link::new("Your account", "/account"), Link::new("Log out", "/logout")],
    }
}

pub fn error_page() -> ErrorPage {
    ErrorPage {
        frame: frame("Not now", ""),
        status: 503,
        what: "The store is busy with a large import.".into(),
        todo: "Try again in a moment. Alerts go on.".into(),
    }
}
