//! The station's own pages.

use super::*;

pub(super) fn station(title: &str, current: &str) -> Frame {
    let nav = vec![
        item("Search", "/search", "search", current),
        item("Holds", "/holds", "key", current),
        item("Release", "/releases", "export", current),
        item("Fleet", "/fleet", "camera", current),
        item("Audits", "/audits", "check", current),
        item("Office", "/users", "office", current),
        item("Account", "/account", "user", current),
    ];
    Frame {
        nav,
        place: "station-1".into(),
        events: String::new(),
        tones_again_s: 0,
        status: StatusLine::default(),
        ..frame(title, current)
    }
}

/// A read with its chain of custody.
pub fn station_read() -> ReadDetail {
    let mut page = read_detail();
    page.frame = station("Read", "Search");
    page.correct = None;
    page.track = Some(Link::new("Where else it was read", "/reads/1/track"));
    page.hits.iter_mut().for_each(|hit| hit.link.href.clear());
    page.custody = vec![
        Fact::new("Captured", "26 Nov 2026, 21:04 by front of unit-7"),
        Fact::new("Sealed in the vehicle", "SHA-256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
            .copied_by("Copy the hash"),
        Fact::new("Received", "26 Nov 2026, 21:05 by station-1, batch 019ac5f2-7c1e-7a90-b1d2-3f5c7a9e0b11"),
        Fact::new("Compared with its hash", "26 Nov 2026, 22:10, the same"),
        Fact::new("Evidence hold", "019ac5f2-7c1e-7a90-b1d2-3f5c7a9e0b12"),
    ];
    let fields = vec![
        Field::new(Input::Text, "case", "Case number").required(),
        Field::new(Input::Text, "reason", "Why").required().error("Say in words why."),
    ];
    page.hold = Some(form("/reads/1/hold", "Keep as evidence", fields));
    page
}

pub fn holds(empty: bool) -> Holds {
    let row = |case: &str, n: u32, released: bool| HoldRow {
        case: case.into(),
        why: "People v. Doe: vehicle near the scene".into(),
        by: "custodian, 26 Nov 2026, 21:30".into(),
        reads: if n == 1 { "1 read".into() } else { format!("{n} reads") },
        links: (0..n.min(5)).map(|n| Link::new(n.to_string(), format!("/reads/{n}"))).collect(),
        standing: match released {
            true => (Health::Good, "Released 1 Mar 2027, 09:00 by custodian: case closed".into()),
            false => (Health::Info, "Kept".into()),
        },
        release: (!released).then(|| {
            let why = Field::new(Input::Text, format!("why-{case}"), "Why it is released").required();
            form("/holds/1/release", "Release", vec![why])
        }),
    };
    Holds {
        frame: station("Evidence holds", "Holds"),
        rows: if empty { Vec::new() } else { vec![row("26-048113", 3, false), row("26-041200", 1, true)] },
        pager: Pager { shown: "1–2 of 2".into(), ..Pager::default() },
    }
}

pub fn fleet(empty: bool) -> Fleet {
    let row = |name: &str, standing: (Health, &str)| VehicleRow {
        name: name.into(),
        standing: (standing.0, standing.1.into()),
        last: "26 Nov 2026, 21:05".into(),
        reads: "1,204,551".into(),
        recent: "18,204, 31 hits".into(),
    };
    let rows = vec![
        row("unit-9", (Health::Bad, "Several computers use its certificate, last 26 Nov 2026, 20:12.")),
        row("unit-3", (Health::Warning, "Not heard of for 20 days: bring its reads in")),
        row("unit-7", (Health::Good, "Heard of")),
    ];
    Fleet {
        frame: station("Fleet", "Fleet"),
        health: if empty { Health::Good } else { Health::Warning },
        verdict: if empty { "In order: 0 vehicles.".into() } else { "2 vehicles need somebody.".into() },
        facts: vec![
            Fact::new("Reads kept", "3,204,551"),
            Fact::new("Pictures", "6,409,102"),
            Fact::new("Room", "384,546 MB"),
            Fact::new("Vehicles", "3"),
        ],
        rows: if empty { Vec::new() } else { rows },
    }
}

pub fn statistics(empty: bool) -> StatisticsPage {
    let bars = |of: u64| plated_web::bars::Bars {
        summary: "Reads on each day: 412,806 in all.".into(),
        values: (1..=30).map(|day| (format!("{day} Nov"), day * of % 977 * of)).collect(),
    };
    let row = |camera: &str, reads: &str| CameraFigures {
        vehicle: "unit-7".into(),
        camera: camera.into(),
        reads: reads.into(),
        hits: "31".into(),
        share: "0.17 %".into(),
        daily: "606.8".into(),
    };
    let fields = vec![
        Field::new(Input::Date, "from", "From").value("2026-10-28"),
        Field::new(Input::Date, "until", "Until").value("2026-11-26"),
    ];
    StatisticsPage {
        frame: station("Statistics", "Statistics"),
        find: Form { csrf: String::new(), ..form("/statistics", "Show", fields) },
        facts: vec![Fact::new("Reads", "412,806"), Fact::new("With a hit", "702"), Fact::new("Share", "0.17 %")],
        reads: bars(31),
        hits: bars(3),
        rows: if empty {
            Vec::new()
        } else {
            vec![row("front", "18,204"), row("left_side_camera_of_the_roof", "9,117")]
        },
        csv: Link::new("As a table", "/statistics.csv"),
    }
}

pub fn misreads(empty: bool) -> Misreads {
    let row = |read_as: &str, says: Option<&str>, reviewed: &str| MisreadRow {
        link: Link::new("The read", "/reads/1"),
        vehicle: "unit-7".into(),
        read_as: plated_web::plate::Plate::new(read_as, "CA"),
        says: says.map(|says| plated_web::plate::Plate::new(says, "CA")),
        why: "seen on the picture".into(),
        by: "aalvarado".into(),
        at: moment("21:04:33", "21:04:33"),
        reviewed: reviewed.into(),
        review: reviewed.is_empty().then(|| {
            let note = Field::new(Input::Text, format!("note-{read_as}"), "Note");
            form("/misreads/1", "Reviewed", vec![note])
        }),
    };
    let rows = vec![
        row("6K0J318", Some("6KOJ318"), ""),
        row("4HNU635", None, ""),
        row("8XBR815", Some("8XBR816"), "moyelaran, 26 Nov 2026, 22:10 camera cleaned"),
    ];
    Misreads {
        frame: station("Misreads", "Misreads"),
        health: if empty { Health::Good } else { Health::Info },
        verdict: if empty { "Nothing waits.".into() } else { "2 misreads wait.".into() },
        rows: if empty { Vec::new() } else { rows },
    }
}

pub fn policy() -> PolicyPage {
    PolicyPage {
        frame: Frame { shape: Shape::Full, ..alone("License plate readers: usage and privacy") },
        who: vec![
            Fact::new("Agency", "Example Police Department"),
            Fact::new("Official custodian", "Records Manager Ann Smith"),
            Fact::new("Administrator", "Captain John Doe"),
        ],
        purposes: vec![
            "Locating stolen, wanted or investigated vehicles".into(),
            "Missing children and elders, Amber, Blue and Silver Alerts".into(),
        ],
        retention: vec![Fact::new("Reads", "365 days"), Fact::new("Reads of fixed sites", "30 days")],
        access: vec![
            "Every look names a purpose from the list above, and is recorded before anything is shown.".into(),
        ],
        sharing: Vec::new(),
        figures: Some(Link::new("Figures and proofs", "/policy/figures")),
        document: "https://www.example.gov/policy-431.pdf".into(),
    }
}

/// All audits.
pub fn audits(empty: bool) -> Audits {
    let row = |link: &str, standing: (Health, &str)| AuditRow {
        link: Link::new(link, "/audits/1"),
        begun: "rgreen, 26 Nov 2026, 09:04".into(),
        drawn: "10 accesses, 10 reads".into(),
        standing: (standing.0, standing.1.into()),
    };
    let (health, verdict) = match empty {
        true => (Health::Warning, "There was no audit yet."),
        false => (Health::Info, "An audit goes on; 3 items to be judged."),
    };
    let fields = vec![
        Field::new(Input::Date, "first", "First day").value("2026-08-28").required(),
        Field::new(Input::Date, "last", "Last day").value("2026-11-26").required(),
    ];
    Audits {
        frame: station("Audits", "Audits"),
        health,
        verdict: verdict.into(),
        begin: empty.then(|| form("/audits", "Draw", fields)),
        rows: match empty {
            true => Vec::new(),
            false => vec![
                row("28 Aug 2026 to 26 Nov 2026", (Health::Info, "3 items to be judged")),
                row("29 May 2026 to 27 Aug 2026", (Health::Warning, "Closed; 1 wrong")),
                row("27 Feb 2026 to 28 May 2026", (Health::Good, "Closed; nothing wrong")),
            ],
        },
    }
}

/// An audit that goes on, or its report.
pub fn audit(closed: bool) -> AuditDetail {
    let judging = |n: u32| {
        let choices =
            [("", "Choose"), ("in_order", "In order"), ("unclear", "To be explained"), ("wrong", "Not allowed")];
        let finding = Field::new(Input::Select, format!("finding-{n}"), "Finding").choices(choices).required();
        let note = Field::new(Input::Text, format!("note-{n}"), "Note");
        form("/audits/1/items/1", "Keep", vec![finding, note])
    };
    let access = AuditItem {
        title: "1. Access".into(),
        anchor: "item-1".into(),
        facts: vec![
            Fact::new("When", "12 Nov 2026, 14:22"),
            Fact::new("Who", "jdoe"),
            Fact::new("As", "officer, Springfield PD"),
            Fact::new("Where", "station-1"),
            Fact::new("What", "Search back"),
            Fact::new("Asked for", "plate 6KOJ318, from 2026-11-11T14:22:00Z"),
            Fact::new("Purpose", "Locate vehicle"),
            Fact::new("Case", ""),
            Fact::new("Why", "reads are looked at on the station's pages"),
        ],
        plate: None,
        pictures: Vec::new(),
        judgement: Some((Health::Warning, "Not allowed: no case number".into())),
        form: (!closed).then(|| judging(1)),
    };
    let read = AuditItem {
        title: "2. Read".into(),
        anchor: "item-2".into(),
        facts: vec![
            Fact::new("Seen", "12 Nov 2026, 21:04"),
            Fact::new("By", "unit-7, front"),
            Fact::new("Confidence", "97 %"),
        ],
        plate: Some(plated_web::plate::Plate::new("6KOJ318", "CA")),
        pictures: vec![picture_of_plate("6KOJ318"), picture_of_vehicle("6KOJ318")],
        judgement: closed.then(|| (Health::Good, "Read right".into())),
        form: (!closed).then(|| judging(2)),
    };
    let table = |title: &str, rows: &[(&str, &str)]| {
        (title.to_owned(), rows.iter().map(|(name, count)| ((*name).to_owned(), (*count).to_owned())).collect())
    };
    let number = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    AuditDetail {
        frame: station("Audit", "Audits"),
        health: if closed { Health::Warning } else { Health::Info },
        verdict: if closed { "Closed: 1 wrong, 0 unclear.".into() } else { "1 of 2 items to be judged.".into() },
        facts: vec![
            Fact::new("Days", "28 Aug 2026 to 26 Nov 2026"),
            Fact::new("Begun", "rgreen, 26 Nov 2026, 09:04"),
            Fact::new("Drawn out of", "1,204 accesses and 412,806 reads"),
            Fact::new("By the number", number).copied_by("Copy the number"),
            Fact::new("Which is the hash of", "row 41,207 of the audit log 019ac5f2-7c1e-7a90-b1d2-3f5c7a9e0b11"),
        ],
        again: Link::new("Draw again and compare", "/audits/1?again=1"),
        report: closed.then(|| Link::new("Signed report", "/audits/1/report")),
        conclusion: if closed { "One search had no case number; the officer was told.".into() } else { String::new() },
        figures: match closed {
            true => vec![
                Fact::new("Reads", "412,806"),
                Fact::new("With a hit", "702"),
                Fact::new("Found misread", "31"),
                Fact::new("Users who looked", "2"),
            ],
            false => Vec::new(),
        },
        tables: match closed {
            true => vec![
                table("Accesses by user", &[("jdoe", "804"), ("mlee", "400")]),
                table("Accesses by purpose", &[("locate_vehicle", "1,100"), ("arrest_warrant", "104")]),
            ],
            false => Vec::new(),
        },
        items: vec![access, read],
        close: None,
    }
}
